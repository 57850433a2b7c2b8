"""Upscaling by resampling."""

from PIL import Image, ImageFilter

from limner_sketch.painter.pixels import Size, flatten


def upscale(picture: Image.Image, size: Size) -> Image.Image:
    """Enlarge (or reduce) a picture to `size` (width, height in pixels) with Lanczos resampling and mild sharpening."""
    base = flatten(picture)
    scale = max(size[0] / base.width, size[1] / base.height)
    larger = base.resize(size, Image.Resampling.LANCZOS)
    if scale <= 1:
        return larger
    return larger.filter(ImageFilter.UnsharpMask(radius=min(scale, 4.0), percent=60, threshold=2))
