"""Compatible: another server's model, behind OpenAI's Images API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import limner
from limner import Problem, Task
from limner.limits import Count, Limits

from limner_openai.model import OWN_DIALECTS, ImagesModel
from limner_openai.server_limits import BOTH_WAYS, edits, generate

GENERIC = "no server is named: the parameters that all known servers support; ranges are the server's own"
_N = Count(1, source=f"{GENERIC}; one per call, because some servers silently reduce n")
GENERIC_LIMITS: Limits = {
    **generate(GENERIC, {}, _N),
    **edits(GENERIC, {}, _N, {}, mask=BOTH_WAYS, items=1),
}


class Compatible(ImagesModel):
    """Another server's model, of any id: the setting ``dialect`` says whose way of speaking the server has.

    Its limits are those of the dialect: with other settings it is of another class.
    """

    id = "openai-compatible"
    limits = GENERIC_LIMITS
    provider = "openai-compatible"
    default_dialect = "generic"

    def __new__(cls, settings: limner.Settings | None = None, *, model_id: str | None = None) -> Self:
        """Make a model of the class that has the dialect's limits."""
        dialect = getattr(settings, "dialect", None) or "generic"
        if dialect == cls.default_dialect:
            return super().__new__(cls)
        from limner_openai.servers import SERVERS

        server = SERVERS.get(dialect, cls)
        if issubclass(server, cls):
            return super().__new__(server)
        return server(settings, model_id=model_id)  # type: ignore[return-value]  # Python does not initialize it again

    def __init__(self, settings: limner.Settings | None = None, *, model_id: str | None = None) -> None:
        super().__init__(settings, model_id=model_id)
        if self.settings.dialect in OWN_DIALECTS:
            limit = "is for OpenAI's own models; name one, such as gpt-image-2"
            raise limner.TaskRefused([Problem.of("setting dialect", self.settings.dialect, limit)])

    @classmethod
    def matches(cls, model_id: str) -> bool:
        """Tell whether an id is of the form ``openai-compatible/ID``."""
        return model_id.startswith(f"{Compatible.id}/")

    @property
    def sent_id(self) -> str:
        named = self.model_id.removeprefix(f"{Compatible.id}/")
        return self.dialect.model_id if named == Compatible.id else named

    def check(self, task: Task) -> Iterator[Problem]:
        yield from super().check(task)
        if not self.sent_id:
            limit = f"is needed: name the server's model as {Compatible.id}/ID, such as {Compatible.id}/Qwen/Qwen-Image"
            yield Problem("model id", "", limit)
        if self.dialect.in_prompt and "sd_cpp_extra_args" in str(getattr(task, "prompt", "")):
            yield Problem("prompt", "", "must not hold <sd_cpp_extra_args>: use the parameters, such as seed and steps")
