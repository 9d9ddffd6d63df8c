"""Two kinds of plot, drawn as SVG by hand: bars, and lines over two logarithmic axes.

No plotting library: the pictures are simple, and the files stay small and readable in a diff.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 760
BACKGROUND, INK, FAINT = "#ffffff", "#24292f", "#d0d7de"
HIGHLIGHT = "#cf222e"
COLOURS = ("#0969da", "#1a7f37", "#9a6700", "#8250df", "#bf3989", "#0e7490", "#24292f", "#bc4c00", "#6e7781", "#2da44e")


@dataclass(frozen=True)
class Bar:
    label: str
    value: float
    highlight: bool = False
    group: str = ""


@dataclass(frozen=True)
class Line:
    """Points are (x, y), both above zero."""

    label: str
    points: Sequence[tuple[float, float]]
    highlight: bool = False


class Drawing:
    """Elements in the order in which they are painted."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self._width, self._height, self._title = width, height, title
        self._elements: list[str] = []
        self.text(16, 26, title, size=15, weight="bold")

    def rectangle(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        self._elements.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2" fill="{colour}"/>'
        )

    def text(
        self, x: float, y: float, text: str, *, size: int = 12, anchor: str = "start", weight: str = "normal",
        colour: str = INK,
    ) -> None:  # fmt: skip
        self._elements.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}"'
            f' fill="{colour}">{escape(text)}</text>'
        )

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float = 1) -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._elements.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')

    def dot(self, x: float, y: float, colour: str, radius: float = 3) -> None:
        self._elements.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>')

    def render(self) -> str:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self._width} {self._height}" role="img"'
            f' font-family="system-ui, -apple-system, Segoe UI, sans-serif">'
        )
        body = [f"<title>{escape(self._title)}</title>", f'<rect width="100%" height="100%" fill="{BACKGROUND}"/>']
        return "\n".join([head, *body, *self._elements, "</svg>", ""])


def number(value: float) -> str:
    """Three digits that matter, and no more."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def bar_chart(title: str, bars: Sequence[Bar]) -> str:
    """Horizontal bars from zero, in the order given; each group has its colour."""
    left, right, top, pitch, thickness = 170, 90, 44, 26, 18
    drawing = Drawing(WIDTH, top + pitch * len(bars) + 12, title)
    scale = (WIDTH - left - right) / max([bar.value for bar in bars] + [1e-12])
    groups = list(dict.fromkeys(bar.group for bar in bars))
    for index, bar in enumerate(bars):
        y = top + pitch * index
        length = max(bar.value * scale, 1)
        weight = "bold" if bar.highlight else "normal"
        drawing.text(left - 8, y + 13, bar.label, anchor="end", weight=weight)
        colour = HIGHLIGHT if bar.highlight else COLOURS[groups.index(bar.group) % len(COLOURS)]
        drawing.rectangle(left, y, length, thickness, colour)
        drawing.text(left + length + 6, y + 13, number(bar.value), weight=weight)
    return drawing.render()


@dataclass(frozen=True)
class LogAxis:
    """Maps values to positions along one axis; its ends are the powers of ten around the values."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(cls, values: Sequence[float], start: float, end: float) -> LogAxis:
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return cls(low, max(high, low + 1), start, end)

    def position(self, value: float) -> float:
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        return [10.0**exponent for exponent in range(int(self.low), int(self.high) + 1)]


def line_chart(title: str, x_title: str, lines: Sequence[Line]) -> str:
    """Both axes logarithmic: equal ratios are equal distances. The legend is in the order of the lines' ends."""
    left, right, top, bottom, height = 70, 150, 48, 48, 420
    drawing = Drawing(WIDTH, height, title)
    x_values = sorted({x for line in lines for x, _ in line.points})
    y_values = [y for line in lines for _, y in line.points]
    if not y_values:
        return drawing.render()
    x_axis = LogAxis.around(x_values, left, WIDTH - right)
    y_axis = LogAxis.around(y_values, height - bottom, top)
    for tick in y_axis.ticks():
        y = y_axis.position(tick)
        drawing.line([(left, y), (WIDTH - right, y)], FAINT)
        drawing.text(left - 8, y + 4, f"{tick:,g}", anchor="end")
    for value in x_values:
        x = x_axis.position(value)
        drawing.line([(x, top), (x, height - bottom)], FAINT)
        drawing.text(x, height - bottom + 18, f"{value:,g}", anchor="middle")
    drawing.text((left + WIDTH - right) / 2, height - 10, x_title, anchor="middle")

    drawn = [line for line in lines if line.points]
    colours = dict(zip([line.label for line in drawn if not line.highlight], COLOURS * 3, strict=False))
    for line in sorted(drawn, key=lambda line: line.highlight):  # what is highlighted is painted last, above the others
        colour = colours.get(line.label, HIGHLIGHT)
        points = [(x_axis.position(x), y_axis.position(y)) for x, y in line.points]
        drawing.line(points, colour, 3 if line.highlight else 1.5)
        for x, y in points:
            drawing.dot(x, y, colour)
    for index, line in enumerate(sorted(drawn, key=lambda line: -line.points[-1][1])):
        y = top + 10 + 22 * index
        colour = colours.get(line.label, HIGHLIGHT)
        drawing.rectangle(WIDTH - right + 16, y - 9, 12, 12, colour)
        drawing.text(WIDTH - right + 34, y + 2, line.label, weight="bold" if line.highlight else "normal")
    return drawing.render()
