"""Model: what a plugin subclasses, and what a user calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

import attrs

from limner import running, signatures
from limner.interface import ModelInterface
from limner.plugins import registry
from limner.reporting import reported_to
from limner.results import Plan, Result
from limner.tasks import Task

if TYPE_CHECKING:
    from limner.fitting import Mode
    from limner.reporting import ProgressCallback

P = ParamSpec("P")
M = TypeVar("M", bound="Model")

_RUN_ARGUMENTS = ("fit", "on_filtered", "on_progress")


def _method(make: Callable[P, Task]) -> Callable[Concatenate[M, P], Result]:
    """Turn a function of signatures, which makes a task of its arguments, into a method that runs the task."""

    def method(self: M, /, *args: P.args, **kwargs: P.kwargs) -> Result:
        how: dict[str, Any] = {name: kwargs.pop(name) for name in _RUN_ARGUMENTS if name in kwargs}
        return self.run(make(*args, **kwargs), **how)

    _describe(method, make, make.__name__, make.__doc__)
    return method


def _async_method(make: Callable[P, Task]) -> Callable[Concatenate[M, P], Coroutine[Any, Any, Result]]:
    """As :func:`_method`, without blocking the event loop."""

    async def method(self: M, /, *args: P.args, **kwargs: P.kwargs) -> Result:
        how: dict[str, Any] = {name: kwargs.pop(name) for name in _RUN_ARGUMENTS if name in kwargs}
        return await self.arun(make(*args, **kwargs), **how)

    _describe(method, make, f"a{make.__name__}", f"Like :meth:`{make.__name__}`, without blocking the event loop.")
    return method


def _describe(method: Any, make: Callable[..., Task], name: str, doc: str | None) -> None:
    """Give a method the name, documentation and signature that help and editors show."""
    signature = inspect.signature(make)
    receiver = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method.__signature__ = signature.replace(
        parameters=[receiver, *signature.parameters.values()], return_annotation="Result"
    )
    method.__name__, method.__qualname__, method.__doc__ = name, f"Model.{name}", doc


class Model(ModelInterface):
    """One model of a provider. A plugin subclasses it, and its ``limner_models`` hook returns the class.

    A complete plugin::

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
        ids: other spellings of the id.
        aliases: short names.
        limits: the limits of each supported task.
        lifecycle: when the model becomes legacy, when its life ends, and what replaces it.
        prices: the documented prices of each task; the cost of other tasks is unknown.
        provider: the name of the service, such as ``aws.bedrock`` or ``openai``, for logs and telemetry.
        offline: whether the model needs neither network nor account.
        Settings: the class of its settings.
        contract: the version of the plugin contract that the plugin implements.
        plugin: the name of the plugin that offers the model; set by discovery.
    """

    generate = _method(signatures.generate)
    vary = _method(signatures.vary)
    inpaint = _method(signatures.inpaint)
    outpaint = _method(signatures.outpaint)
    remove_background = _method(signatures.remove_background)
    upscale = _method(signatures.upscale)

    agenerate = _async_method(signatures.generate)
    avary = _async_method(signatures.vary)
    ainpaint = _async_method(signatures.inpaint)
    aoutpaint = _async_method(signatures.outpaint)
    aremove_background = _async_method(signatures.remove_background)
    aupscale = _async_method(signatures.upscale)

    @classmethod
    def per_call(cls, task: type[Task]) -> int:
        """Return the maximum number of pictures per call."""
        return cls.limits_of(task).per_call

    def with_settings(self, **settings: Any) -> Self:
        """Return the same model with other settings."""
        known = {field.name: getattr(self.settings, field.name) for field in attrs.fields(type(self.settings))}
        return type(self)(self.Settings.of(known | settings), model_id=self.model_id)

    def plan(self, task: Task, *, fit: Mode | None = None) -> Plan:
        """Return the requests that a task would send, without sending them.

        Args:
            task: the task.
            fit: overrides the setting ``fit``.

        Raises:
            TaskRefused: the task is unsupported; the error lists all problems.
        """
        return running.plan(self._overridden(fit=fit), task)

    def run(
        self,
        task: Task,
        *,
        fit: Mode | None = None,
        on_filtered: str | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Result:
        """Run a task.

        Args:
            task: the task.
            fit: overrides the setting ``fit``.
            on_filtered: overrides the setting ``on_filtered``.
            on_progress: called with a :class:`~limner.Progress` whenever a request advances, from one thread at a time.

        Raises:
            TaskRefused: the task is unsupported; the error lists all problems, and nothing was sent.
            ProviderError: the provider or the network failed; ``pictures`` contains the pictures that were made.
        """
        model = self._overridden(fit=fit, on_filtered=on_filtered)
        with reported_to(on_progress):
            return registry().run(model, task)

    async def arun(
        self,
        task: Task,
        *,
        fit: Mode | None = None,
        on_filtered: str | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Result:
        """Run a task like :meth:`run`, without blocking the event loop. Cancelling stops unsent requests."""
        from limner.sending import in_worker

        model = self._overridden(fit=fit, on_filtered=on_filtered)
        with reported_to(on_progress):
            return await in_worker(model, lambda: registry().run(model, task))

    def _overridden(self, **settings: Any) -> Self:
        given = {name: value for name, value in settings.items() if value is not None}
        return self.with_settings(**given) if given else self
