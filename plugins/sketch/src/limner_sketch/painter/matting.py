"""Telling a picture's subject from its background by the colours along its border."""

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from limner_sketch.painter.filling import diffuse

_COARSE = 160
"""Longest side, in pixels, of the picture on which the background is flooded."""


def matte(picture: Image.Image) -> Image.Image:
    """Return the subject's opacity ("L"): 0 is background, 255 subject. Never all zero.

    The background is modelled by spreading the border's colours over the picture; what differs from that model more
    than the border itself does is subject, and so is what no flood from the border reaches.
    """
    smooth = picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 400))
    ring = _ring(picture.size)
    model = diffuse(smooth, ring)
    distance = _largest(ImageChops.difference(smooth, model))
    limit = _tolerance(_largest(ImageChops.difference(picture, model)), ring)
    soft = distance.point(lambda value: round(255 * max(0.0, min(1.0, (value - limit) / (0.8 * limit)))))
    alpha = ImageChops.lighter(soft, _enclosed(distance, limit))
    return alpha if alpha.getextrema()[1] == 255 else _middle(picture.size)


def _ring(size: tuple[int, int]) -> Image.Image:
    """Return a mask that is black along the border and white inside."""
    ring = Image.new("L", size)
    margin = max(1, round(min(size) * 0.03))
    ring.paste(255, (margin, margin, size[0] - margin, size[1] - margin))
    return ring


def _largest(difference: Image.Image) -> Image.Image:
    red, green, blue = difference.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _tolerance(distance: Image.Image, ring: Image.Image) -> float:
    """Return how far the border strays from its own model (three deviations), within reason."""
    stat = ImageStat.Stat(distance, ImageChops.invert(ring))
    return max(12.0, min(60.0, stat.mean[0] + 3 * stat.stddev[0]))


def _enclosed(distance: Image.Image, limit: float) -> Image.Image:
    """Return the mask of what a flood from outside does not reach: the subject with the holes in it."""
    scale = max(1.0, max(distance.size) / _COARSE)
    small = distance.resize([max(1, round(side / scale)) for side in distance.size], Image.Resampling.BOX)
    framed = Image.new("L", (small.width + 2, small.height + 2))
    framed.paste(small.point(lambda value: 255 if value > limit else 0), (1, 1))
    ImageDraw.floodfill(framed, (0, 0), 128)
    inside = framed.point(lambda value: 0 if value == 128 else 255).crop((1, 1, small.width + 1, small.height + 1))
    return inside.filter(ImageFilter.MinFilter(3)).resize(distance.size, Image.Resampling.BICUBIC)


def _middle(size: tuple[int, int]) -> Image.Image:
    """Return a soft ellipse: where nothing stands out, the middle is the subject."""
    return Image.radial_gradient("L").resize(size).point(lambda value: max(0, min(255, (170 - value) * 6)))
