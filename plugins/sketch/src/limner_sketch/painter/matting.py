"""Telling a picture's subject from its background."""

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from limner_sketch.painter import noise
from limner_sketch.painter.filling import diffuse
from limner_sketch.painter.paths import path_costs
from limner_sketch.painter.pixels import Size, distance, flatten, thumbnail

_COARSE = 160
"""Longest side, in pixels, of the picture on which the subject is looked for."""

_EDGE = 34
"""The least step of an edge, in levels of 255."""

_STRANGE = 13
"""How far a colour behind an edge has to be from the background's colours, in levels of 255."""

_DIFFERENT = 17
"""How far a colour of the subject has to be from those of the scenery beside it, in levels of 255."""

_LEAST_LEFT = 0.5
"""The share of a subject that is left without scenery; where less would be, it is taken as it was found."""

_BANDS = 12
"""The number of horizontal bands that each have background colours of their own."""

_MARGIN = 0.14
"""The width of the left and the right margin that show a band's background, as a share of the picture's width."""

_COLOURS = 24
"""The number of background colours of a band."""

_LEAST_PART = 0.5
"""The least weight of a further part of the subject, as a share of its weightiest part."""


def remove_background(picture: Image.Image) -> Image.Image:
    """Cut out the subject: what stands out from the colours along the picture's border.

    Returns:
        An "RGBA" picture of the same size; never wholly transparent.
    """
    cut = flatten(picture)
    cut.putalpha(matte(cut))
    return cut


def matte(picture: Image.Image) -> Image.Image:
    """Return the subject's opacity ("L"): 0 is background, 255 subject. Never all zero.

    On a small copy, a pixel stands out if its colour is found at neither end of its rows and if every path from the
    border to it crosses an edge. Of what stands out, the largest parts are kept, with the holes in them. Along their
    outline, opacity is how far a pixel's colour lies between those of the background and of the subject beside it.
    """
    opacity = subject(picture)
    return opacity if opacity.getextrema()[1] == 255 else _middle(picture.size)


def subject(picture: Image.Image) -> Image.Image:
    """Return the subject's opacity ("L"); all zero where nothing stands out."""
    found = _coarse_subject(thumbnail(picture, _COARSE))
    return _refined(picture, found) if found.getbbox() is not None else found.resize(picture.size)


def _coarse_subject(small: Image.Image) -> Image.Image:
    """Return the mask of a small picture's subject; all black where nothing stands out."""
    barrier = path_costs(_steps(small), _border(small.size), max)
    behind_edge = _level(barrier)
    foreign = noise.compute(
        lambda e: e["c"] * e["min"](e["b"] / _EDGE, 1.0), c=_foreign(small, small, _MARGIN).convert("F"), b=barrier
    ).convert("L")
    walled = _clear_of_margins(_opened(_without_holes(_closed(behind_edge)), 9))
    strange = _opened(_closed(foreign.point(lambda value: 255 if value > _STRANGE else 0)), 3)
    return _without_scenery(small, _parts(_without_holes(ImageChops.lighter(walled, strange)), foreign))


def _without_scenery(small: Image.Image, found: Image.Image) -> Image.Image:
    """Return the mask of a subject without what looks like the scenery beside it, such as a hill behind its head."""
    if found.getbbox() is None:
        return found
    grown = found.filter(ImageFilter.MaxFilter(5))
    foreign = _foreign(small, diffuse(small, grown, level=True), 0.5)
    differing = ImageChops.darker(grown, foreign.point(lambda value: 255 if value > _DIFFERENT else 0))
    bridged = ImageChops.darker(_closed(_opened(_closed(differing), 3), 13), grown)
    clean = _parts(_opened(_without_holes(bridged), 3), foreign)
    return clean if ImageStat.Stat(clean).sum[0] >= _LEAST_LEFT * ImageStat.Stat(found).sum[0] else found


def _level(barrier: Image.Image) -> Image.Image:
    return barrier.convert("L").point(lambda value: 255 if value > _EDGE else 0)


def _clear_of_margins(mask: Image.Image) -> Image.Image:
    """Return the parts of a mask that reach into neither margin: a horizon does, a subject seldom."""
    margin = round(mask.width * _MARGIN / 2)
    clear = Image.new("L", mask.size)
    for part in connected(mask):
        left, _, right, _ = part.getbbox() or (0, 0, 0, 0)
        if left >= margin and right <= mask.width - margin:
            clear = ImageChops.lighter(clear, part)
    return clear


def _closed(mask: Image.Image, width: int = 3) -> Image.Image:
    return mask.filter(ImageFilter.MaxFilter(width)).filter(ImageFilter.MinFilter(width))


def _opened(mask: Image.Image, width: int) -> Image.Image:
    return mask.filter(ImageFilter.MinFilter(width)).filter(ImageFilter.MaxFilter(width))


def _steps(small: Image.Image) -> Image.Image:
    """Return how far every pixel differs from those beside it, two pixels apart, as "F"."""
    across = distance(ImageChops.offset(small, 1, 0), ImageChops.offset(small, -1, 0))
    down = distance(ImageChops.offset(small, 0, 1), ImageChops.offset(small, 0, -1))
    return ImageChops.lighter(across, down).convert("F")


def _foreign(small: Image.Image, scenery: Image.Image, margin: float) -> Image.Image:
    """Return how far each pixel's colour is from the nearest colour of the scenery in its band, or a neighbouring one.

    `margin` is the share of the scenery's width at the left and at the right that is looked at.
    """
    nearest = Image.new("L", small.size, 255)
    for band in range(_BANDS):
        top, bottom = (round(small.height * (band + side) / _BANDS) for side in (0, 1))
        if top == bottom:
            continue
        reach = max(1, small.height // _BANDS)
        samples = _samples(scenery, (max(0, top - reach), min(small.height, bottom + reach)), margin)
        palette = samples.quantize(_COLOURS, Image.Quantize.MEDIANCUT)
        rows = small.crop((0, top, small.width, bottom))
        mapped = rows.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
        nearest.paste(distance(rows, mapped), (0, top))
    return nearest


def _samples(small: Image.Image, rows: tuple[int, int], share: float) -> Image.Image:
    """Return the margins of some rows side by side."""
    margin = max(1, round(small.width * share))
    depth = rows[1] - rows[0]
    samples = Image.new("RGB", (2 * margin, depth))
    samples.paste(small.crop((0, rows[0], margin, rows[1])), (0, 0))
    samples.paste(small.crop((small.width - margin, rows[0], small.width, rows[1])), (margin, 0))
    return samples


def _border(size: Size) -> list[tuple[int, int]]:
    width, height = size
    across = [(x, y) for x in range(width) for y in (0, height - 1)]
    return across + [(x, y) for y in range(height) for x in (0, width - 1)]


def _parts(mask: Image.Image, foreign: Image.Image) -> Image.Image:
    """Return the connected parts of a mask that stand out most: by their area and how strange their colours are."""
    found = [(ImageStat.Stat(foreign, part).sum[0], part) for part in connected(mask)]
    most = max((weight for weight, _ in found), default=0)
    kept = Image.new("L", mask.size)
    for weight, part in found:
        if weight >= most * _LEAST_PART:
            kept = ImageChops.lighter(kept, part)
    return kept


def connected(mask: Image.Image) -> list[Image.Image]:
    """Return the connected parts of a mask, each as a mask."""
    rest, found = mask.copy(), []
    while (box := rest.getbbox()) is not None:
        start = next((x, box[1]) for x in range(box[0], box[2]) if rest.getpixel((x, box[1])))
        ImageDraw.floodfill(rest, start, 128)
        found.append(rest.point(lambda value: 255 if value == 128 else 0))
        rest = rest.point(lambda value: 255 if value == 255 else 0)
    return found


def _without_holes(mask: Image.Image) -> Image.Image:
    """Return a mask with everything filled that no path from outside reaches."""
    framed = Image.new("L", (mask.width + 2, mask.height + 2))
    framed.paste(mask, (1, 1))
    ImageDraw.floodfill(framed, (0, 0), 128)
    return framed.point(lambda value: 0 if value == 128 else 255).crop((1, 1, mask.width + 1, mask.height + 1))


def _refined(picture: Image.Image, found: Image.Image) -> Image.Image:
    """Return the opacity at full size, given the subject's mask on the small copy."""
    inner, outer = (
        found.filter(kind).resize(picture.size, Image.Resampling.BILINEAR).point(lambda value: 255 if value > 127 else 0)
        for kind in (ImageFilter.MinFilter(3), ImageFilter.MaxFilter(5))
    )
    behind = diffuse(picture, outer)
    front = diffuse(picture, ImageChops.invert(inner))
    smooth = picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 1600))
    from_behind, from_front = distance(smooth, behind).convert("F"), distance(smooth, front).convert("F")
    share = noise.compute(lambda e: (e["b"] / (e["b"] + e["f"] + 1) - 0.5) * 3 + 0.62, b=from_behind, f=from_front)
    opacity = ImageChops.multiply(noise.mask(share), outer)
    return ImageChops.lighter(opacity, inner)


def _middle(size: Size) -> Image.Image:
    """Return a soft ellipse: where nothing stands out, the middle is the subject."""
    return Image.radial_gradient("L").resize(size).point(lambda value: max(0, min(255, (170 - value) * 6)))
