"""A pen for small figures: shapes in the unit square, drawn large and reduced to smooth edges."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from limner_sketch.painter.colours import RGB

Point = tuple[float, float]
Points = Sequence[Point]


class Pen:
    """Draws on a transparent sheet. Places are shares of the width and the height, from 0 to 1, y downwards."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._scale = 3 if max(size) <= 700 else 2
        self._width, self._height = size[0] * self._scale, size[1] * self._scale
        self._sheet = Image.new("RGBA", (self._width, self._height))
        self._draw = ImageDraw.Draw(self._sheet)

    def polygon(self, points: Points, colour: RGB) -> None:
        """Fill a polygon."""
        self._draw.polygon(self._placed(points), fill=(*colour, 255))

    def curve(self, points: Points, colour: RGB) -> None:
        """Fill the smooth closed curve through `points` (Catmull-Rom)."""
        self.polygon(smooth(points), colour)

    def ellipse(self, x: float, y: float, across: float, down: float, colour: RGB) -> None:
        """Fill an ellipse round (x, y) with these half axes."""
        self._draw.ellipse(self._placed([(x - across, y - down), (x + across, y + down)]), fill=(*colour, 255))

    def box(self, left: float, top: float, right: float, bottom: float, colour: RGB) -> None:
        """Fill a rectangle."""
        self._draw.rectangle(self._placed([(left, top), (right, bottom)]), fill=(*colour, 255))

    def line(self, points: Points, width: float, colour: RGB) -> None:
        """Draw a line; `width` is a share of the sheet's width."""
        self._draw.line(self._placed(points), fill=(*colour, 255), width=max(1, round(width * self._width)), joint="curve")

    def image(self) -> Image.Image:
        """Return the sheet in its final size, "RGBA"."""
        return self._sheet.reduce(self._scale)

    def _placed(self, points: Points) -> list[tuple[float, float]]:
        return [(x * self._width, y * self._height) for x, y in points]


def smooth(points: Points, steps: int = 8) -> list[tuple[float, float]]:
    """Return a closed Catmull-Rom curve through `points`, `steps` places for each of them."""
    count = len(points)
    return [
        _between(points[k - 1], points[k], points[(k + 1) % count], points[(k + 2) % count], step / steps)
        for k in range(count)
        for step in range(steps)
    ]


def _between(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    def along(p: float, q: float, r: float, s: float) -> float:
        return 0.5 * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t**2 + (3 * q - p - 3 * r + s) * t**3)

    return along(a[0], b[0], c[0], d[0]), along(a[1], b[1], c[1], d[1])
