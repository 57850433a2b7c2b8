"""What comes back: pictures with seed, outcome and provenance, and the account of the inputs."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs

from limner import display
from limner.errors import BadResponse, TaskRefused
from limner.fitting import Entry, Fitted
from limner.images import Image, Size, metadata
from limner.images.files import SUFFIXES, checked_path, where, write_atomically, write_elsewhere
from limner.tasks import Task

if TYPE_CHECKING:
    import PIL.Image

    from limner.interface import Request
    from limner.prices import Cost

PictureOutcome = Literal["ok", "filtered", "failed"]


@attrs.frozen
class Origin:
    """How a picture was made: what provenance is written from when somebody asks for it.

    Attributes:
        model_id: the provider's id that was called.
        model: the model's own id.
        fit: the mode of the fit.
        fitted: the task as it was asked and as it was sent.
    """

    model_id: str
    model: str
    fit: str
    fitted: Fitted


@attrs.frozen(repr=False, kw_only=True)
class Picture:
    """One picture of a result.

    Attributes:
        outcome: ``ok``, ``filtered`` (held back or blurred by the provider's content filter) or ``failed``.
        image: the picture, or ``None`` if there is none.
        seed: the seed of the call that made it; ``decode`` leaves it ``None`` unless the provider chose the call's seed.
        index: its position among the pictures of the call, from 0.
        of: number of pictures that the call made. Pictures of one call share its seed.
        reason: why it was filtered or failed, as the provider says.
        raw: the provider's own picture, if limner restored kept pixels or scaled it; otherwise the same as ``image``.
        mask: the mask that the provider used, if the response contains it.
        origin: how it was made; see ``provenance``.
    """

    outcome: PictureOutcome = "ok"
    image: Image | None = None
    seed: int | None = None
    index: int = 0
    of: int = 1
    reason: str = ""
    raw: Image | None = attrs.field(default=attrs.Factory(lambda self: self.image, takes_self=True))
    mask: Image | None = None
    origin: Origin | Mapping[str, Any] | None = attrs.field(default=None, eq=False)

    @property
    def provenance(self) -> Mapping[str, Any]:
        """How the picture was made, as :meth:`save` embeds it: model, task with pictures as SHA-256, seed and version."""
        if not isinstance(self.origin, Origin):
            return self.origin or {}
        import limner
        from limner.documents import fingerprint

        return {
            "limner": limner.__version__,
            "model": self.origin.model,
            "model_id": self.origin.model_id,
            "fit": self.origin.fit,
            "task": fingerprint(self.origin.fitted.repeatable()),
            "seed": self.seed,
            "index": self.index,
            "of": self.of,
        }

    @property
    def place(self) -> str:
        """Its position among the pictures of its call, such as ``2nd of 4``."""
        number = self.index + 1
        suffix = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return f"{number}{suffix} of {self.of}"

    def _there(self) -> Image:
        if self.image is None:
            raise BadResponse(f"this picture is {self.outcome}: {self.reason or 'the provider gave none'}")
        return self.image

    @property
    def data(self) -> bytes:
        """The bytes of the picture."""
        return self._there().data

    @property
    def media_type(self) -> str:
        """The media type, such as ``image/png``."""
        return self._there().media_type

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        return self._there().size

    def pil(self) -> PIL.Image.Image:
        """Decode to a Pillow image."""
        return self._there().pil()

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False, provenance: bool = True) -> Path:
        """Write the whole picture to a file, or nothing.

        Args:
            path: the file. The suffix of another format (PNG, JPEG or WebP) converts the picture.
            overwrite: replace an existing file; it keeps its mode, and symbolic links are followed.
            provenance: embed task, model, seed and version; input pictures only as their SHA-256.

        Raises:
            FileExistsError: the file exists and ``overwrite`` is not set.
            OSError: the file cannot be written. The picture, which is paid for, is then written next to it or to the
                temporary folder; the message contains that path.
            TaskRefused: the suffix names an unsupported format, or the picture is too large for the format. The picture
                is then written in its own format, as above.
            BadResponse: there is no picture, because it was filtered or failed.
        """
        path = checked_path(path)
        written, failure = save_or_rescue(self, path, overwrite=overwrite, provenance=provenance)
        if failure is not None:
            raise failure
        return written or path

    def encoded(self, suffix: str = "", *, provenance: bool = True) -> bytes:
        """Return the bytes of the file that :meth:`save` would write."""
        image = self._there().converted(suffix)
        if not provenance or self.origin is None:
            return image.data
        return metadata.embed(image.data, image.media_type, json.dumps(dict(self.provenance), ensure_ascii=False).encode())

    def _caption(self) -> list[str]:
        """What there is to say of it: seed and place, outcome, size."""
        parts = [] if self.seed is None else [f"seed {self.seed}"]
        parts += [self.place] if self.of > 1 else []
        parts += [f"{self.outcome}: {self.reason}" if self.reason else self.outcome]
        return parts if self.image is None else [*parts, "{}x{}".format(*self.image.size)]

    def _alt(self) -> str:
        origin = self.origin
        return display.prompt_of(origin.fitted.original) if isinstance(origin, Origin) else "a picture"

    def _repr_html_(self) -> str:
        return display.figure(self.image, self._caption(), alt=self._alt())

    def __repr__(self) -> str:
        place = f", {self.place}" if self.of > 1 else ""
        return f"<Picture {self.outcome}, seed {self.seed}{place}, {self.image}>"


on_saved: list[Callable[[Picture, Path], None]] = []
"""Called with each picture that was written to a file, such as by the log of runs; a function here raises nothing."""


def save_or_rescue(
    picture: Picture, path: Path, *, overwrite: bool, provenance: bool
) -> tuple[Path | None, OSError | TaskRefused | None]:
    """Write a picture as :meth:`Picture.save` does; where that fails, beside it or to the folder for temporary files.

    Returns:
        Where it is, ``None`` where it could be written nowhere; and the error where that is not ``path``, which says so.

    Raises:
        FileExistsError: there is a file and ``overwrite`` is not set.
        BadResponse: there is no picture, because it was filtered or failed.
    """
    written, failure = _saved_or_rescued(picture, path, overwrite=overwrite, provenance=provenance)
    for saved in on_saved:
        if written is not None:
            saved(picture, written)
    return written, failure


def _saved_or_rescued(
    picture: Picture, path: Path, *, overwrite: bool, provenance: bool
) -> tuple[Path | None, OSError | TaskRefused | None]:
    data, suffix = None, SUFFIXES.get(picture.media_type, "")
    try:
        data = picture.encoded(path.suffix, provenance=provenance)
        return write_atomically(path, data, overwrite=overwrite), None
    except FileExistsError:
        raise
    except (OSError, TaskRefused) as error:
        if data is None:  # it cannot be converted
            data = picture.encoded(provenance=provenance)
        else:
            suffix = path.suffix
        written = write_elsewhere(data, suffix, path)
        return written, _told(error, path, written)


def _told(error: OSError | TaskRefused, path: Path, written: Path | None) -> OSError | TaskRefused:
    """The same error, which says where the picture is now."""
    now = f"; {where(written)}"
    told: OSError | TaskRefused
    if isinstance(error, TaskRefused):
        told = TaskRefused([attrs.evolve(problem, limit=problem.limit + now) for problem in error.problems])
    elif error.errno is None:
        told = OSError(f"{error}{now}")
    else:
        told = OSError(error.errno, f"{error.strerror}{now}", str(path))
    told.__cause__ = error
    return told


@attrs.frozen(kw_only=True, repr=False)
class Result:
    """The result of a task.

    Attributes:
        model: the model's id.
        task: the task that was sent, including its seed.
        pictures: one entry for each requested picture, in order, whatever its outcome.
        account: what happened to every input.
        request_ids: the provider's ids of the requests.
        seconds: time from the first request to the last response.
        warnings: warnings, such as a model near its end of life.
        usage: the sum over all calls of what they used, under the provider's names, such as ``output_tokens``.
        metadata: further facts about each call from the provider, such as the id of a job.
    """

    model: str
    task: Task
    pictures: tuple[Picture, ...]
    account: tuple[Entry, ...] = ()
    request_ids: tuple[str, ...] = ()
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    usage: Mapping[str, float] = attrs.field(factory=dict, hash=False)
    metadata: tuple[Mapping[str, Any], ...] = attrs.field(default=(), hash=False)

    @property
    def images(self) -> tuple[Picture, ...]:
        """The pictures whose outcome is ``ok``."""
        return tuple(picture for picture in self.pictures if picture.outcome == "ok")

    @property
    def image(self) -> Picture:
        """The first picture whose outcome is ``ok``.

        Raises:
            BadResponse: no picture is ``ok``.
        """
        for picture in self.pictures:
            if picture.outcome == "ok":
                return picture
        raise BadResponse("no picture came out", model=self.model, request_ids=self.request_ids)

    @property
    def seed(self) -> int | None:
        """The seed of the first call."""
        return getattr(self.task, "seed", None)

    def _repr_html_(self) -> str:
        alone = len(self.pictures) == 1
        longest = display.LONGEST_ALONE if alone else display.LONGEST_IN_GRID
        alt = display.prompt_of(self.task)
        figures = [
            display.figure(picture.image, picture._caption(), alt=alt, longest=longest)  # noqa: SLF001 - its own module
            for picture in self.pictures
        ]
        facts = f"{self.model} · {self.task.kind} · {self.seconds:.1f} s"
        more = "".join(display.paragraph(f"warning: {warning}", small=True) for warning in self.warnings)
        table = display.hidden("account", display.account(self.account) if self.account else "")
        return display.grid(figures) + display.paragraph(facts, small=True) + more + table

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{count} {outcome}"
            for outcome in ("ok", "filtered", "failed")
            if (count := sum(picture.outcome == outcome for picture in self.pictures))
        )
        seed = "" if self.seed is None else f", seed {self.seed}"
        ways = ".image is the first picture, .pictures has all, .account says what became of every input"
        return f"<Result of {self.model}, {self.task.kind}{seed}, pictures: {counts or 'none'}; {ways}>"


@attrs.frozen
class Plan:
    """The requests that a task would send. Nothing has been sent.

    Attributes:
        model: the model's id.
        task: the task within the model's limits, including its seed. Running it sends exactly ``requests``.
        requests: one request for each call.
        account: what happened to every input.
        calls: the part of the task that each request contains.
        warnings: warnings, such as a model past its end of life or a prompt that is unlikely to work.
        cost: the estimated cost from the known prices. ``None`` means unknown, not free.
    """

    model: str
    task: Task
    requests: tuple[Request, ...]
    account: tuple[Entry, ...]
    calls: tuple[Task, ...] = attrs.field(repr=False)
    warnings: tuple[str, ...] = ()
    cost: Cost | None = None

    def _repr_html_(self) -> str:
        count = len(self.requests)
        size = sum(len(request.body) for request in self.requests)
        lines = [f"{self.model} · {self.task.kind} · {count} request{'s' if count != 1 else ''}, {size:,} bytes; not sent"]
        lines.append(f"cost: {'unknown' if self.cost is None else self.cost}")
        lines += [f"warning: {warning}" for warning in self.warnings]
        return "".join(map(display.paragraph, lines)) + display.account(self.account)


def image_from_base64(text: object, what: str = "the picture") -> Image:
    """Decode a base64 picture from a response, which is untrusted input.

    Raises:
        BadResponse: it is not a string, not strict base64, or not a complete picture of a safe size.
    """
    if not isinstance(text, str):
        raise BadResponse(f"{what} is {type(text).__name__}, not base64 text")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii.Error is one
        raise BadResponse(f"{what} cannot be read: not base64") from error
    return image_from_bytes(data, what)


def image_from_bytes(data: bytes, what: str = "the picture") -> Image:
    """Read a picture from a response, which is untrusted input.

    Raises:
        BadResponse: it is not a complete picture of a safe size.
    """
    try:
        return Image(data)
    except TaskRefused as error:
        raise BadResponse(f"{what} cannot be read: {error.problems[0].limit}") from error


def parse_json(body: bytes) -> dict[str, Any]:
    """Parse a response, which is untrusted input, as a JSON object.

    Raises:
        BadResponse: it is not a JSON object.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadResponse(f"the answer is not JSON ({len(body)} bytes)") from error
    if not isinstance(content, dict):
        raise BadResponse(f"the answer is a JSON {type(content).__name__}, not an object")
    return content


def read_provenance(image: Image) -> dict[str, Any] | None:
    """Return how limner made a picture, from its metadata, or ``None`` if that is not recorded."""
    from limner.documents import parse

    try:
        found = parse(metadata.extract(image.data, image.media_type) or b"null")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
