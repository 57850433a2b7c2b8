"""Image: an encoded picture, decoded only when somebody asks for its pixels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Union

import attrs

from limner.errors import LimnerError, TaskRefused, refused
from limner.images import metadata
from limner.images.files import (
    BinaryFile,
    checked_path,
    media_type_of,
    read_file_object,
    read_path,
    write_atomically,
)
from limner.images.geometry import Size, drawable_size
from limner.images.header import TURNED_BY_PILLOW, read_header
from limner.images.pixels import EIGHT_BIT_MODES, eight_bit, on_white, open_picture, png_bytes, scaled, turned, upright

if TYPE_CHECKING:
    import PIL.Image


class HasImage(Protocol):
    """A picture of a result, or a result: anything with an ``image``."""

    @property
    def image(self) -> Any:
        """The picture."""
        ...


ImageSource = Union["Image", HasImage, str, os.PathLike[str], bytes, BinaryFile, "PIL.Image.Image"]


def _picture_of(source: object) -> Image | None:
    """The image of a result, or of one of its pictures."""
    for _ in range(2):
        try:
            source = getattr(source, "image", None)
        except LimnerError:  # a result without pictures
            raise
        except Exception:  # somebody else's object
            return None
        if isinstance(source, Image):
            return source
    return None


@attrs.frozen(repr=False)
class Image:
    """An encoded picture, with its bytes unchanged.

    Creating it reads only the header: media type, size and orientation are known without decoding.

    Args:
        data: a complete picture file: PNG, JPEG, WebP, GIF, BMP or TIFF; AVIF and HEIF if Pillow supports them.

    Attributes:
        media_type: the media type, such as ``image/png``.
        size: width and height in pixels of the upright picture (EXIF orientation applied).
        orientation: the EXIF orientation, 1 to 8; 1 is upright.
        has_alpha: whether the picture has transparency.
        mode: Pillow's name of the pixel format; ``RGB;16`` and ``RGBA;16`` for 16-bit colour.

    Raises:
        TaskRefused: the bytes are empty, not a picture, truncated, or would decode to more pixels than
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
        if not metadata.is_complete(self.data, header["media_type"]):
            raise refused(f"{len(self.data)} bytes", "the picture file is cut short; give the whole file")
        for name, value in header.items():
            object.__setattr__(self, name, value)

    @classmethod
    def read(cls, source: ImageSource) -> Image:
        """Make an Image from a path, bytes, a binary file object, a picture of a result, or a Pillow image (encoded as PNG).

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
        if (picture := _picture_of(source)) is not None:
            return picture
        if callable(getattr(source, "read", None)):
            return cls(read_file_object(source))  # type: ignore[arg-type]
        if callable(getattr(source, "convert", None)):
            try:
                return cls(png_bytes(upright(source)))  # type: ignore[arg-type]
            except Exception as error:
                raise refused(source, f"the Pillow image cannot be encoded: {error}") from error
        raise refused(source, "must be a path, bytes, a binary file object, a Pillow image or a picture of a result")

    @classmethod
    def _read_path(cls, path: Path) -> Image:
        data = read_path(path)
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
            TaskRefused: the data after the header is damaged.
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
        """Convert to an upright 8-bit PNG; also return a description of what the conversion lost."""
        lost = []
        if self._is_animated():
            lost.append("all frames but the first")
        if self.mode not in EIGHT_BIT_MODES:
            lost.append(f"the colour format {self.mode}")
        if self.data != (stripped := metadata.strip(self.data, self.media_type)):
            lost.append(f"metadata ({len(self.data) - len(stripped)} bytes)")
        return Image(png_bytes(eight_bit(self.pil()))), tuple(lost)

    def stripped(self) -> Image:
        """Return the picture without EXIF (including GPS), XMP, IPTC, texts, dates and data after the end of the file.

        Pixels do not change. A picture that EXIF rotates, or in another format than PNG, JPEG and WebP, becomes an
        upright PNG.
        """
        if self.orientation != 1 or self.media_type not in metadata.KNOWN:
            return Image(png_bytes(self.pil()))
        return Image(metadata.strip(self.data, self.media_type))

    def flattened(self) -> Image:
        """Replace transparency with white. Returns an RGB PNG."""
        return Image(png_bytes(on_white(eight_bit(self.pil())).convert("RGB")))

    def resized(self, size: Size) -> Image:
        """Scale to another size in pixels. Returns an upright picture: JPEG stays JPEG, other formats become PNG.

        Raises:
            TaskRefused: the size is invalid, or has more than ``PIL.Image.MAX_IMAGE_PIXELS``.
        """
        size = drawable_size(size)
        made = scaled(eight_bit(self.pil()), size)
        return Image(_encoded(made, "image/jpeg") if self.media_type == "image/jpeg" else png_bytes(made))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the whole picture to a file, or nothing.

        The bytes are written unchanged, unless the suffix names another format (PNG, JPEG or WebP).

        Args:
            path: the file; its suffix is .png, .jpg, .jpeg, .webp or none.
            overwrite: replace an existing file; it keeps its mode, and symbolic links are followed.

        Returns:
            The path.

        Raises:
            FileExistsError: the file exists and ``overwrite`` is not set.
            OSError: the file cannot be written.
            TaskRefused: the suffix names an unsupported format, or the picture is too large for the format.
        """
        path = checked_path(path)
        return write_atomically(path, self.converted(path.suffix).data, overwrite=overwrite)

    def converted(self, suffix: str) -> Image:
        """Return the picture in the format of a file suffix; unchanged if it has that format or the suffix is empty."""
        wanted = media_type_of(suffix) or self.media_type
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
