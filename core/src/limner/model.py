"""Model: what a plugin implements, and what a user calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import attrs

from limner import contracts
from limner.calling import Calls
from limner.contracts import Finding, Lifecycle, Plan, Request, Response
from limner.errors import Problem, TaskRefused
from limner.limits import Count, Limits, TaskLimits
from limner.results import Picture, Result
from limner.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from limner.fitting import Mode

CONTRACT = 1
"""The version of what Model asks of a plugin; it grows when a plugin written for the last one would no longer work."""


class Model(Calls, ABC):
    """One model of a provider. A plugin subclasses it, and its ``limner_models`` hook returns the class.

    A whole plugin::

        import json
        from limner import Generate, Model, Picture, Request, Response, hookimpl, image_from_base64, parse_json
        from limner.limits import Count, PromptText, Seed, Sizes, TaskLimits

        DOCS = "Example API reference, 'POST /pictures'"

        class Example(Model):
            id = "example.painter-1"
            aliases = ("example",)
            limits = {
                Generate: TaskLimits({
                    "prompt": PromptText(500, source=DOCS),
                    "size": Sizes([(512, 512), (1024, 1024)], default=(1024, 1024), source=DOCS),
                    "seed": Seed(0, 65535, source=DOCS),
                    "n": Count(1, source=DOCS),
                })
            }

            def encode(self, task):
                width, height = task.size
                body = {"text": task.prompt, "width": width, "height": height, "seed": task.seed}
                return Request(self.model_id, json.dumps(body).encode())

            def send(self, request):
                ...  # the only I/O: post request.body, return Response(body)

            def decode(self, task, response):
                return [Picture(image=image_from_base64(parse_json(response.body).get("picture")))]

        @hookimpl
        def limner_models():
            return [Example]

    Attributes:
        id: the provider's full id.
        ids: other spellings of it.
        aliases: short names.
        limits: what each task accepts; a task that is not there is declined.
        lifecycle: since when the model is legacy, when it ended, what replaces it.
        offline: whether it needs neither network nor account.
        Settings: the class of its settings.
        contract: the version of this contract that the plugin was written for.
        plugin: the name of the plugin that offers it; discovery fills it in.
    """

    id: ClassVar[str]
    ids: ClassVar[tuple[str, ...]] = ()
    aliases: ClassVar[tuple[str, ...]] = ()
    limits: ClassVar[Limits]
    lifecycle: ClassVar[Lifecycle] = Lifecycle()
    offline: ClassVar[bool] = False
    Settings: ClassVar[type[contracts.Settings]] = contracts.Settings
    contract: ClassVar[int] = CONTRACT
    plugin: ClassVar[str] = ""

    def __init__(self, settings: contracts.Settings | None = None, *, model_id: str | None = None) -> None:
        self.settings = self.Settings() if settings is None else settings
        self.model_id = self.id if model_id is None else model_id

    # ------------------------------------------------------------------ what a plugin implements

    @abstractmethod
    def encode(self, task: Task) -> Request:
        """Turn a task that keeps the limits, and is for one call, into the provider's request. Pure."""

    @abstractmethod
    def send(self, request: Request) -> Response:
        """Send a request and return the answer: the only place with I/O.

        Raises:
            ProviderError: of the class that fits, the provider's own error chained.
        """

    @abstractmethod
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        """Turn an answer into pictures, one for each that the call asked for, as far as there are. Pure.

        Raises:
            BadResponse: the answer is not what the provider documents.
            ProviderError: the answer is an error.
        """

    def check(self, task: Task) -> Iterable[Problem]:  # noqa: ARG002
        """Say what is wrong between parameters that are each allowed."""
        return ()

    @classmethod
    def matches(cls, model_id: str) -> bool:
        """Tell whether a longer id, such as an ARN, names this model."""
        return model_id in {cls.id, *cls.ids}

    def notices(self) -> tuple[str, ...]:
        """What a caller should know before calling, such as that the model is past its end of life."""
        return self.lifecycle.notices(self.id)

    def warnings(self, task: Task) -> Iterable[str]:  # noqa: ARG002
        """What a caller should know about a task that keeps the limits but will hardly give what is wanted.

        Each is given once by :mod:`warnings`, and stands in ``warnings`` of plan and result: never quote a prompt.
        """
        return ()

    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:  # noqa: ARG002
        """Look whether the model can be called: credentials, endpoint, ... Nothing that is billed, never a secret.

        Args:
            live: whether the provider may be asked.
        """
        return ()

    # ------------------------------------------------------------------ what a user calls

    @classmethod
    def limits_of(cls, task: type[Task]) -> TaskLimits:
        """The limits of one task.

        Raises:
            TaskRefused: the model does not do it.
        """
        if task not in cls.limits:
            done = ", ".join(sorted(known.kind for known in cls.limits))
            raise TaskRefused([Problem("task", task.kind, f"the model does not do it; it does {done}")], cls.id)
        return cls.limits[task]

    @classmethod
    def per_call(cls, task: type[Task]) -> int:
        """How many pictures one call makes."""
        count = cls.limits_of(task).parameters.get("n")
        return count.per_call if isinstance(count, Count) else 1

    def with_settings(self, **settings: Any) -> Self:
        """The same model with other settings."""
        known = {field.name: getattr(self.settings, field.name) for field in attrs.fields(type(self.settings))}
        return type(self)(self.Settings.of(known | settings), model_id=self.model_id)

    def plan(self, task: Task, *, fit: Mode | None = None) -> Plan:
        """Work out what would be sent, and send nothing.

        Raises:
            TaskRefused: with every problem at once.
        """
        from limner import running

        return running.plan(self._set(fit, None), task)[0]

    def run(self, task: Task, *, fit: Mode | None = None, on_filtered: str | None = None) -> Result:
        """Run a task.

        Args:
            task: what is wanted.
            fit: in place of the setting ``fit``.
            on_filtered: in place of the setting ``on_filtered``.

        Raises:
            TaskRefused: with every problem at once; nothing was sent.
            ProviderError: of the class that fits; ``pictures`` has what came out all the same.
        """
        from limner import running

        return running.run(self._set(fit, on_filtered), task)

    async def arun(self, task: Task, *, fit: Mode | None = None, on_filtered: str | None = None) -> Result:
        """Run a task without blocking the event loop; as :meth:`run` otherwise. Cancelling stops what is unsent."""
        from limner import running

        return await running.arun(self._set(fit, on_filtered), task)

    def _set(self, fit: Mode | None, on_filtered: str | None) -> Self:
        said = {"fit": fit, "on_filtered": on_filtered}
        said = {name: value for name, value in said.items() if value is not None}
        return self.with_settings(**said) if said else self

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.model_id}>"
