"""Pictures and masks as they go in and come out: bytes, decoded only when somebody asks."""

from __future__ import annotations

import functools
import operator
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Union

import attrs

from limner import containers
from limner.errors import TaskRefused
from limner.headers import TURNED_BY_PILLOW, read_header, refused
from limner.pixels import (
    EIGHT_BIT_MODES,
    eight_bit,
    most_pixels,
    on_white,
    open_picture,
    png_bytes,
    scaled,
    turned,
    upright,
)
from limner.saving import write_atomically

if TYPE_CHECKING:
    import PIL.Image

Size = tuple[int, int]
Box = tuple[int, int, int, int]


class BinaryFile(Protocol):
    """Anything that is read for bytes."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes; none at the end."""
        ...


ImageSource = Union["Image", str, os.PathLike[str], bytes, BinaryFile, "PIL.Image.Image"]
MaskSource = Union["Mask", ImageSource]

MAX_FILE_BYTES = 100_000_000
"""A larger file is refused unread: no provider takes a tenth of it."""

_SAVED_BY_SUFFIX = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}

SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}
"""What a file's name ends with, by media type."""


@attrs.frozen(repr=False)
class Image:
    """An encoded picture, its bytes as they came.

    The header alone is read when it is made: media type, size and orientation are known without decoding.

    Args:
        data: a complete picture file: PNG, JPEG, WebP, GIF, BMP or TIFF; AVIF and HEIF where Pillow has them.

    Attributes:
        media_type: such as ``image/png``.
        size: width and height in pixels of the upright picture (EXIF orientation applied).
        orientation: the EXIF orientation, 1 to 8; 1 is upright.
        has_alpha: whether there is transparency.
        mode: Pillow's name of the pixel format, ``RGB;16`` and ``RGBA;16`` for 16 bit colour.

    Raises:
        TaskRefused: the bytes are empty, no picture, cut short, or would decode to more pixels than
            ``PIL.Image.MAX_IMAGE_PIXELS`` (a decompression bomb).
    """

    data: bytes = attrs.field(validator=attrs.validators.instance_of(bytes))
    media_type: str = attrs.field(init=False, eq=False)
    size: Size = attrs.field(init=False, eq=False)
    orientation: int = attrs.field(init=False, eq=False)
    mode: str = attrs.field(init=False, eq=False)
    has_alpha: bool = attrs.field(init=False, eq=False)

    def __attrs_post_init__(self) -> None:
        header = read_header(self.data)
        if not containers.is_complete(self.data, header["media_type"]):
            raise refused(f"{len(self.data)} bytes", "the picture file is cut short; give the whole file")
        for name, value in header.items():
            object.__setattr__(self, name, value)

    @classmethod
    def read(cls, source: ImageSource) -> Image:
        """Make an Image from a path, bytes, a binary file object or a Pillow image (which is encoded as PNG).

        Raises:
            TaskRefused: the source is none of these or not a picture, or a file object cannot be read.
            OSError: the file at a path cannot be read.
        """
        match source:
            case Image():
                return source
            case bytes() | bytearray() | memoryview():
                return cls(bytes(source))
            case str() | os.PathLike():
                return cls._read_path(checked_path(source))
        if callable(getattr(source, "read", None)) and not isinstance(source, Mask):
            return cls(_content(source))  # type: ignore[arg-type]
        if callable(getattr(source, "convert", None)):
            try:
                return cls(png_bytes(upright(source)))  # type: ignore[arg-type]
            except Exception as error:
                raise refused(source, f"the Pillow image cannot be encoded: {error}") from error
        raise refused(source, "must be a path, bytes, a binary file object or a Pillow image")

    @classmethod
    def _read_path(cls, path: Path) -> Image:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(min(size, MAX_FILE_BYTES) + 1)
            if len(data) > size:  # a device or a pipe does not say how much there is
                data += file.read(MAX_FILE_BYTES + 1 - len(data))
        if len(data) > MAX_FILE_BYTES:
            raise refused(str(path), f"the file has over {MAX_FILE_BYTES:,} bytes")
        try:
            return cls(data)
        except TaskRefused as refusal:
            raise refused(str(path), refusal.problems[0].limit) from None

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal."""
        from hashlib import sha256

        return sha256(self.data).hexdigest()

    def pil(self) -> PIL.Image.Image:
        """Decode to an upright Pillow image, the first frame of an animation.

        Raises:
            TaskRefused: the bytes behind the header are damaged.
        """
        with self._opened() as opened:
            opened.load()
            return turned(opened, 1 if self.media_type in TURNED_BY_PILLOW else self.orientation)

    @contextmanager
    def _opened(self) -> Iterator[PIL.Image.Image]:
        try:
            with open_picture(self.data) as opened:
                yield opened
        except Exception as error:
            raise refused(self, f"the picture cannot be decoded: {error}") from error

    def to_png(self) -> tuple[Image, tuple[str, ...]]:
        """Turn into an upright PNG of 8 bits, and say in words what that lost."""
        lost = []
        if self._is_animated():
            lost.append("all frames but the first")
        if self.mode not in EIGHT_BIT_MODES:
            lost.append(f"the colour format {self.mode}")
        if self.data != (stripped := containers.strip(self.data, self.media_type)):
            lost.append(f"metadata ({len(self.data) - len(stripped)} bytes)")
        return Image(png_bytes(eight_bit(self.pil()))), tuple(lost)

    def stripped(self) -> Image:
        """Return the picture without EXIF (GPS with it), XMP, IPTC, texts, dates and what stands behind its end.

        No pixel changes. Where EXIF turns it, and in formats other than PNG, JPEG and WebP, it becomes an upright PNG.
        """
        if self.orientation != 1 or self.media_type not in containers.KNOWN:
            return Image(png_bytes(self.pil()))
        return Image(containers.strip(self.data, self.media_type))

    def flattened(self) -> Image:
        """Lay transparency on white; returns an RGB PNG."""
        return Image(png_bytes(on_white(eight_bit(self.pil())).convert("RGB")))

    def resized(self, size: Size) -> Image:
        """Scale to another size, in pixels; returns an upright picture: JPEG stays JPEG, others become PNG.

        Raises:
            TaskRefused: the size is none, or has more than ``PIL.Image.MAX_IMAGE_PIXELS``.
        """
        size = _drawable_size(size)
        made = scaled(eight_bit(self.pil()), size)
        return Image(_encoded(made, "image/jpeg") if self.media_type == "image/jpeg" else png_bytes(made))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the picture to a file, whole or not at all.

        The bytes are written as they are, unless the suffix names another of PNG, JPEG and WebP: then it is converted.

        Args:
            path: where to; the suffix is .png, .jpg, .jpeg, .webp or none.
            overwrite: replace an existing file; it keeps its mode, and a symbolic link stays one.

        Returns:
            The path.

        Raises:
            FileExistsError: there is a file and ``overwrite`` is not set.
            OSError: the file cannot be written.
            TaskRefused: the suffix names a format that is not written, or the picture is too large for its format.
        """
        path = checked_path(path)
        return write_atomically(path, self.converted(path.suffix).data, overwrite=overwrite)

    def converted(self, suffix: str) -> Image:
        """Return the picture in the format that a file suffix names; itself where it is so already, or none is named."""
        wanted = file_type(suffix) or self.media_type
        if wanted == self.media_type:
            return self
        return Image(_encoded(eight_bit(self.pil()), wanted))

    def _is_animated(self) -> bool:
        with self._opened() as opened:
            return getattr(opened, "is_animated", False)

    def _repr_png_(self) -> bytes:
        return self.data if self.media_type == "image/png" else self.to_png()[0].data

    def __repr__(self) -> str:
        width, height = self.size
        return f"<Image {self.media_type} {width}x{height}, {len(self.data)} bytes>"

    def __getstate__(self) -> bytes:
        return self.data

    def __setstate__(self, data: bytes) -> None:
        object.__setattr__(self, "data", data)
        self.__attrs_post_init__()


def _whole(numbers: Any) -> Any:
    """Make a tuple of whole numbers, of what Python takes as an index; what is no such thing is left for the check."""
    try:
        return tuple(map(operator.index, numbers))
    except TypeError:
        return numbers


def _checked_size(size: Any, parameter: str) -> Size:
    match size:
        case (int(width), int(height)) if width > 0 and height > 0:
            return width, height
    raise refused(size, "must be of (width, height), two whole numbers of pixels of at least 1", parameter)


def _drawable_size(size: Any) -> Size:
    """Check a size that pixels are made for."""
    width, height = _checked_size(_whole(size), "size")
    most = most_pixels()
    if most is not None and width * height > most:
        raise refused((width, height), f"must have at most {most:,} pixels in all", "size")
    return width, height


def _content(file: BinaryFile) -> bytes:
    """Read a file object to its end."""
    parts: list[bytes] = []
    room = MAX_FILE_BYTES + 1
    while room > 0:
        try:
            part = file.read(room)
        except Exception as error:
            raise refused(file, f"the file object cannot be read: {error}") from error
        if isinstance(part, str):
            raise refused(file, "the file is open as text; open it with mode 'rb'")
        if not isinstance(part, bytes):
            raise refused(file, f"its read() gives {type(part).__name__}, not bytes")
        if not part:
            return b"".join(parts)
        parts.append(part)
        room -= len(part)
    raise refused(file, f"the file has over {MAX_FILE_BYTES:,} bytes")


@attrs.frozen(repr=False)
class Mask:
    """Where to paint: white (255) is repainted, black (0) is kept, grey lies between.

    Args:
        size: width and height in pixels.
        data: one byte for each pixel, row by row.
    """

    size: Size = attrs.field(converter=_whole)
    data: bytes = attrs.field()

    @data.validator
    def _check(self, _: object, data: bytes) -> None:
        width, height = _checked_size(self.size, "mask")
        if not isinstance(data, bytes) or len(data) != width * height:
            raise refused(data, f"a mask of {width}x{height} has one byte for each pixel", "mask")

    @classmethod
    def read(cls, source: MaskSource) -> Mask:
        """Make a mask from a picture; colours count by their brightness.

        Raises:
            TaskRefused: the source is not a picture, or has transparent pixels (see :meth:`from_alpha`).
        """
        if isinstance(source, Mask):
            return source
        try:
            decoded = eight_bit(Image.read(source).pil())
        except TaskRefused as refusal:
            raise TaskRefused(attrs.evolve(problem, parameter="mask") for problem in refusal.problems) from refusal
        if "A" in decoded.getbands() and decoded.getchannel("A").getextrema() != (255, 255):
            wanted = "a mask is white where to repaint and black where to keep; where transparent means repaint, use "
            raise refused(source, wanted + "Mask.from_alpha(picture)", "mask")
        return cls._from_grey(decoded.convert("L"))

    @classmethod
    def from_alpha(cls, source: ImageSource) -> Mask:
        """Make a mask from a picture's transparency: what is transparent is repainted.

        Raises:
            TaskRefused: the picture has no transparency.
        """
        image = Image.read(source)
        if not image.has_alpha:
            raise refused(image, "the picture has no transparency (alpha channel)", "mask")
        return cls._from_grey(eight_bit(image.pil()).getchannel("A")).inverted()

    @classmethod
    def box(cls, box: Box, *, size: Size) -> Mask:
        """Open a rectangle.

        Args:
            box: left, top, right, bottom in pixels; right and bottom are not included.
            size: width and height of the picture in pixels.
        """
        return cls._shape("rectangle", box, size)

    @classmethod
    def ellipse(cls, box: Box, *, size: Size) -> Mask:
        """Open the ellipse inside a rectangle; arguments as for :meth:`box`."""
        return cls._shape("ellipse", box, size)

    @classmethod
    def _shape(cls, shape: str, box: Box, size: Size) -> Mask:
        width, height = _drawable_size(size)
        match _whole(box):
            case (int(left), int(top), int(right), int(bottom)) if (
                0 <= left < right <= width and 0 <= top < bottom <= height
            ):
                pass
            case _:
                wanted = f"left < right and top < bottom, inside the picture's {width}x{height}"
                raise refused(box, wanted, "box")
        import PIL.Image
        from PIL import ImageDraw

        canvas = PIL.Image.new("L", (width, height), 0)
        getattr(ImageDraw.Draw(canvas), shape)((left, top, right - 1, bottom - 1), fill=255)
        return cls._from_grey(canvas)

    @classmethod
    def _from_grey(cls, grey: PIL.Image.Image) -> Mask:
        return cls(grey.size, grey.tobytes())

    @property
    def sha256(self) -> str:
        """The SHA-256 of size and pixels, in hexadecimal."""
        from hashlib import sha256

        return sha256(b"%d %d " % self.size + self.data).hexdigest()

    @property
    def has_grey(self) -> bool:
        """Whether any pixel is neither black nor white."""
        return bool(self.data.translate(None, delete=b"\x00\xff"))

    def pil(self) -> PIL.Image.Image:
        """Return a Pillow image of mode L."""
        import PIL.Image

        return PIL.Image.frombytes("L", self.size, self.data)

    def inverted(self) -> Mask:
        """Swap what is repainted and what is kept."""
        return Mask(self.size, self.data.translate(bytes(range(255, -1, -1))))

    def hardened(self) -> Mask:
        """Make grey black or white, at the middle."""
        return Mask(self.size, self.data.translate(b"\0" * 128 + b"\xff" * 128))

    def resized(self, size: Size) -> Mask:
        """Scale to another size, in pixels.

        Raises:
            TaskRefused: the size is none, or has more than ``PIL.Image.MAX_IMAGE_PIXELS``.
        """
        return self if size == self.size else Mask._from_grey(scaled(self.pil(), _drawable_size(size)))

    def png(self) -> bytes:
        """Encode as a grey PNG; the last few are remembered, since several calls of a task send the same mask."""
        return _mask_png(self)

    def _repr_png_(self) -> bytes:
        return self.png()

    def __repr__(self) -> str:
        width, height = self.size
        opened = (len(self.data) - self.data.count(0)) / len(self.data)
        return f"<Mask {width}x{height}, {opened:.0%} opened>"


def _encoded(picture: PIL.Image.Image, media_type: str) -> bytes:
    """Encode a Pillow image as PNG, JPEG (on white) or lossless WebP."""
    buffer = BytesIO()
    try:
        if media_type == "image/jpeg":
            on_white(picture).save(buffer, "JPEG", quality=95)
        else:
            picture.save(buffer, media_type.removeprefix("image/").upper(), lossless=True)
    except Exception as error:  # JPEG and WebP have a largest side
        width, height = picture.size
        raise refused(f"{width}x{height}", f"cannot be encoded as {media_type}: {error}") from error
    return buffer.getvalue()


@functools.lru_cache(maxsize=4)
def _mask_png(mask: Mask) -> bytes:
    return png_bytes(mask.pil())


def file_type(suffix: str) -> str | None:
    """The media type that a file suffix such as ``.png`` names; ``None`` where there is no suffix.

    Raises:
        TaskRefused: the suffix names a format that is not written.
    """
    if suffix and suffix.lower() not in _SAVED_BY_SUFFIX:
        raise refused(suffix, f"pictures are saved as {', '.join(_SAVED_BY_SUFFIX)}", "suffix")
    return _SAVED_BY_SUFFIX.get(suffix.lower())


def checked_path(source: str | os.PathLike[str]) -> Path:
    """Make a path of what was said.

    Raises:
        TaskRefused: no file can have such a name.
    """
    path = os.fspath(source)
    try:
        if isinstance(path, str) and b"\0" not in os.fsencode(path):
            return Path(path)
    except UnicodeEncodeError:  # half a surrogate pair
        pass
    raise refused(source, "is no path of a file")
