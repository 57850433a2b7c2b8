"""Mask: where to paint."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Union

import attrs

from limner.errors import TaskRefused, refused
from limner.images.geometry import Box, Size, checked_size, drawable_size, whole_numbers
from limner.images.image import Image, ImageSource
from limner.images.pixels import eight_bit, png_bytes, scaled

if TYPE_CHECKING:
    import PIL.Image

MaskSource = Union["Mask", ImageSource]


@attrs.frozen(repr=False)
class Mask:
    """The part of a picture to repaint: white (255) is repainted, black (0) is kept, grey is in between.

    Args:
        size: width and height in pixels.
        data: one byte per pixel, row by row.
    """

    size: Size = attrs.field(converter=whole_numbers)
    data: bytes = attrs.field()

    @data.validator
    def _check(self, _: object, data: bytes) -> None:
        width, height = checked_size(self.size, "mask")
        if not isinstance(data, bytes) or len(data) != width * height:
            raise refused(data, f"a mask of {width}x{height} has one byte for each pixel", "mask")

    @classmethod
    def read(cls, source: MaskSource) -> Mask:
        """Make a mask from a picture, by the brightness of its colours.

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
        """Make a mask from a picture's transparency: transparent areas are repainted.

        Raises:
            TaskRefused: the picture has no transparency.
        """
        image = Image.read(source)
        if not image.has_alpha:
            raise refused(image, "the picture has no transparency (alpha channel)", "mask")
        return cls._from_grey(eight_bit(image.pil()).getchannel("A")).inverted()

    @classmethod
    def box(cls, box: Box, *, size: Size) -> Mask:
        """Make a mask that repaints a rectangle.

        Args:
            box: left, top, right, bottom in pixels; right and bottom are not included.
            size: width and height of the picture in pixels.
        """
        return cls._shape("rectangle", box, size)

    @classmethod
    def ellipse(cls, box: Box, *, size: Size) -> Mask:
        """Make a mask that repaints the ellipse inside a rectangle; arguments as for :meth:`box`."""
        return cls._shape("ellipse", box, size)

    @classmethod
    def _shape(cls, shape: str, box: Box, size: Size) -> Mask:
        width, height = drawable_size(size)
        match whole_numbers(box):
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
    def is_black(self) -> bool:
        """Whether every pixel is black, so that nothing would be repainted."""
        return self.data == bytes(len(self.data))  # ends at the first byte that is not 0

    @property
    def has_grey(self) -> bool:
        """Whether any pixel is neither black nor white."""
        return bool(self.data.translate(None, delete=b"\x00\xff"))

    def pil(self) -> PIL.Image.Image:
        """Return a Pillow image of mode L."""
        import PIL.Image

        return PIL.Image.frombytes("L", self.size, self.data)

    @property
    def box_of_white(self) -> Box | None:
        """The smallest box around everything that is not black; ``None`` if the mask is all black."""
        return self.pil().getbbox()

    def cut(self, box: Box) -> Mask:
        """Cut out a box. Areas outside the mask are black."""
        return Mask._from_grey(self.pil().crop(box))

    def inverted(self) -> Mask:
        """Swap the repainted and the kept area."""
        return Mask(self.size, self.data.translate(bytes(range(255, -1, -1))))

    def hardened(self) -> Mask:
        """Turn grey into black or white, with the threshold in the middle."""
        return Mask(self.size, self.data.translate(b"\0" * 128 + b"\xff" * 128))

    def resized(self, size: Size) -> Mask:
        """Scale to another size in pixels.

        Raises:
            TaskRefused: the size is invalid, or has more than ``PIL.Image.MAX_IMAGE_PIXELS``.
        """
        return self if size == self.size else Mask._from_grey(scaled(self.pil(), drawable_size(size)))

    def png(self) -> bytes:
        """Encode as a greyscale PNG. The last few are cached, because several calls of a task send the same mask."""
        return _mask_png(self)

    def _repr_png_(self) -> bytes:
        return self.png()

    def __repr__(self) -> str:
        width, height = self.size
        opened = (len(self.data) - self.data.count(0)) / len(self.data)
        return f"<Mask {width}x{height}, {opened:.0%} opened>"


@functools.lru_cache(maxsize=4)
def _mask_png(mask: Mask) -> bytes:
    return png_bytes(mask.pil())
