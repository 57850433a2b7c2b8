"""A task as a user would write it in Python, and on the command line."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import limner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MASK = "mask.png"
_FLAGS = {"n": "-n"}


def in_python(model: str, task: limner.Task, fit: str, names: Mapping[str, str]) -> str:
    """Write a task as a call.

    Args:
        model: the model's alias or id.
        task: the task.
        fit: ``strict`` or ``nearest``.
        names: the names of files by the SHA-256 of their pictures.
    """
    files = _Files(names)
    arguments = dict(task.arguments())
    positional = [files.python(_alone(arguments.pop(name))) for name in ("image", "prompt") if name in arguments]
    given = [f"{name}={files.python(value)}" for name, value in arguments.items()]
    if task.options:
        inner = ", ".join(f"{name!r}: {files.python(value, reads=True)}" for name, value in task.options.items())
        given.append(f"options={{{inner}}}")
    if fit != "strict":
        given.append(f"fit={fit!r}")
    call = "".join(f"    {argument},\n" for argument in (*positional, *given))
    lines = ["import limner", "", f"model = limner.get_model({model!r})", f"result = model.{_method(task)}(\n{call})"]
    return "\n".join([*lines, "result.image.save('result.png')", ""])


def on_the_command_line(model: str, task: limner.Task, fit: str, names: Mapping[str, str]) -> str | None:
    """Write a task as a command for a POSIX shell; ``None`` if the command line cannot express it."""
    files = _Files(names)
    arguments = dict(task.arguments())
    words = [files.word(value) for value in _each(arguments.pop("image", ()))]
    prompt = arguments.pop("prompt", None)
    try:
        words += [] if prompt is None else [_text(prompt)]
        options = [word for name, value in arguments.items() for word in _option(name, value, files)]
        options += [word for name, value in task.options.items() for word in ("-O", f"{name}={_json(value, files)}")]
    except TypeError:  # weighted prompts, a picture within a list
        return None
    options += ["--fit", fit] if fit != "strict" else []
    separator = ["--"] if any(word.startswith("-") for word in words) else []
    return shlex.join(["limner", task.kind, "-m", model, *options, *separator, *words])


class _Files:
    """File names for the pictures of a task: those of the uploaded files, made unique."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._given: dict[str, str] = {}

    def word(self, picture: limner.Image | limner.Mask) -> str:
        """Return the name of a picture's file."""
        if isinstance(picture, limner.Mask):
            return MASK
        if picture.sha256 not in self._given:
            number = "" if not self._given else f"-{len(self._given) + 1}"
            name = self._names.get(picture.sha256, "").rpartition("/")[2].lstrip("-@") or f"picture{number}.png"
            self._given[picture.sha256] = name if name not in self._given.values() else f"picture{number}.png"
        return self._given[picture.sha256]

    def python(self, value: Any, *, reads: bool = False) -> str:
        """Write a value as an expression; a picture as its file name, or as an expression that reads it."""
        match value:
            case limner.Image() | limner.Mask():
                name = repr(self.word(value))
                return f"limner.Image.read({name})" if reads else name
            case limner.WeightedText():
                return f"limner.WeightedText({value.text!r}, {value.weight!r})"
            case limner.Options():
                return f"{{{', '.join(f'{key!r}: {self.python(inner, reads=reads)}' for key, inner in value.items())}}}"
            case tuple() if value and all(isinstance(item, int) for item in value):
                return repr(value)
            case tuple():
                return f"[{', '.join(self.python(item, reads=reads) for item in value)}]"
        return repr(value)


def _method(task: limner.Task) -> str:
    return task.kind.replace("-", "_")


def _alone(value: Any) -> Any:
    """Unwrap a list of one picture."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], limner.Image) else value


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _option(name: str, value: Any, files: _Files) -> Iterator[str]:
    flag = _FLAGS.get(name, f"--{name.replace('_', '-')}")
    match value:
        case bool():
            yield flag if value else f"--no-{flag.removeprefix('--')}"
        case limner.Mask():
            yield from (flag, files.word(value))
        case (int(width), int(height)):
            yield from (flag, f"{width}x{height}")
        case (int(), int(), int(), int()):
            yield from (flag, ",".join(map(str, value)))
        case tuple():
            for item in value:
                yield from _assigned(flag, _text(item))
        case _:
            yield from _assigned(flag, str(value))


def _assigned(flag: str, value: str) -> Iterator[str]:
    """Protect a value that begins with a hyphen, which would be parsed as an option."""
    yield from (f"{flag}={value}",) if value.startswith("-") else (flag, value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError("not a text")


def _json(value: Any, files: _Files) -> str:
    """Write an option's value: ``@FILE`` for a picture, plain text if it is unambiguous, else JSON."""
    if isinstance(value, limner.Image):
        return f"@{files.word(value)}"
    if isinstance(value, str) and not value.startswith("@"):
        try:
            json.loads(value)
        except ValueError:
            return value
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    match value:
        case limner.Options():
            return {name: _plain(inner) for name, inner in value.items()}
        case tuple():
            return [_plain(inner) for inner in value]
        case limner.Image() | limner.Mask():
            raise TypeError("a picture within a value")
    return value
