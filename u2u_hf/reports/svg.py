"""Plots as inline SVG. Colours are classes of the page's style sheet, so that they follow light and dark mode."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from u2u_hf.reports.html import Markup, element, joined

WIDTH, HEIGHT = 420, 250
_LEFT, _TOP = 40, 22
_RIGHT, _BOTTOM = WIDTH - 10, HEIGHT - 36

LINE_COLOURS = 5  # of the style sheet

Point = tuple[float, float]


def histogram(kept: Sequence[float], dropped: Sequence[float], x_label: str, y_label: str) -> Markup:
    """Return a histogram: bars of what is kept, and on them of what is dropped; the last bar has all larger values."""
    width, bins = binned(kept, dropped)
    top = max((a + b for a, b in bins), default=1)
    longest = max([*kept, *dropped], default=0)
    beyond = f", the last bar up to {longest:.1f}" if longest > width * len(bins) else ""
    x, y, axes = _axes(width * len(bins), top, x_label + beyond, y_label)
    bars = []
    for index, (inside, outside) in enumerate(bins):
        begin, end = index * width, (index + 1) * width
        until = f"–{end:g}" if index + 1 < len(bins) or not beyond else " and more"
        for low, high, kind, word in ((0, inside, "kept", "kept"), (inside, inside + outside, "out", "dropped")):
            if high > low:
                title = element("title", f"{begin:g}{until} {x_label}: {high - low} {word}")
                box = {"x": x(begin) + 0.5, "width": max(0.5, x(end) - x(begin) - 1)}
                bars.append(element("rect", title, **box, y=y(high), height=y(low) - y(high), class_=kind))
    return _drawing(f"{y_label} by {x_label}", axes, *bars)


def scatter(
    kept: Sequence[Point], dropped: Sequence[Point], far: Iterable[tuple[Point, str, str]], x_label: str, y_label: str
) -> Markup:
    """Return a scatter plot: a dot where there are points, more opaque where there are more.

    Args:
        far: points with a dot each: the point, the link target of the dot, and its tooltip.
    """
    far = list(far)
    points = [*kept, *dropped, *(point for point, _, _ in far)]
    across, up = (max((p[axis] for p in points), default=1) for axis in (0, 1))
    x, y, axes = _axes(across, up, x_label, y_label)
    dots = []
    for kind, group in (("kept", kept), ("out", dropped)):
        cells = Counter((round(x(a) / 3), round(y(b) / 3)) for a, b in group)
        most = max(cells.values(), default=1)
        for (column, row), count in sorted(cells.items()):
            opacity = round(0.3 + 0.7 * math.log1p(count) / math.log1p(most), 2)
            dots.append(element("circle", cx=column * 3, cy=row * 3, r=1.6, fill_opacity=opacity, class_=kind))
    for (a, b), target, words in far:
        ring = element("circle", element("title", words), cx=x(a), cy=y(b), r=4.5, class_="far")
        dots.append(element("a", ring, href=target))
    return _drawing(f"{y_label} against {x_label}", axes, *dots)


def lines(series: Sequence[Sequence[Point]], top: float, x_label: str, y_label: str) -> Markup:
    """Return a line for each series through its points, in the classes ``line-1`` to ``line-5``, then again.

    Args:
        top: the end of the scale; what is above it is drawn at its edge.
    """
    x, y, axes = _axes(max((point[0] for points in series for point in points), default=1), top, x_label, y_label)
    drawn = []
    for number, points in enumerate(series):
        kind = f"line-{number % LINE_COLOURS + 1}"
        places = [(x(across), y(min(up, top))) for across, up in points]
        drawn.append(element("polyline", points=" ".join(f"{a:g},{b:g}" for a, b in places), class_=kind))
        drawn += [element("circle", cx=a, cy=b, r=2.5, class_=kind) for a, b in places]
    return _drawing(f"{y_label} over {x_label}", axes, *drawn)


def intervals(
    measured: Sequence[tuple[Point, Point | None]],
    expected: Sequence[tuple[Point, Point | None]],
    top: float,
    x_label: str,
    y_label: str,
) -> Markup:
    """Return a line through measured points and a dashed one from the last of them through expected ones.

    Args:
        measured, expected: each point, and from where to where its value may be, drawn as a vertical line; or None.
        top: the end of the scale; what is above it is drawn at its edge.
    """
    x, y, axes = _axes(max((p[0] for p, _ in (*measured, *expected)), default=1), top, x_label, y_label)
    drawn = []
    for kind, points, dashes in (("line-2", [*measured[-1:], *expected], "5 4"), ("line-1", measured, None)):
        places = " ".join(f"{x(across):g},{y(min(up, top)):g}" for (across, up), _ in points)
        drawn.append(element("polyline", points=places, stroke_dasharray=dashes, class_=kind))
        for (across, up), ends in points if dashes is None else points[len(measured[-1:]) :]:
            if ends:
                low, high = (y(min(end, top)) for end in ends)
                drawn.append(element("line", x1=x(across), x2=x(across), y1=low, y2=high, class_=f"interval {kind}"))
            drawn.append(element("circle", cx=x(across), cy=y(min(up, top)), r=3, class_=kind))
    return _drawing(f"{y_label} over {x_label}", axes, *drawn)


def bar(share: float, interval: tuple[float, float] | None = None) -> Markup:
    """Return a bar whose width is `share` (0…1) of its container, with a line for an interval (0…1) on it."""
    box = element("rect", width=f"{100 * share:.2f}%", height="100%", rx=2, class_="kept")
    line = None
    if interval:
        low, high = (f"{100 * end:.2f}%" for end in interval)
        line = element("line", x1=low, x2=high, y1="50%", y2="50%", class_="interval")
    return element("svg", joined(box, line), class_="bar", aria_hidden="true")


def binned(kept: Sequence[float], dropped: Sequence[float], about: int = 30) -> tuple[float, list[tuple[int, int]]]:
    """Return the width and counts (kept, dropped) of about so many bins; the last has all above the 99th percentile."""
    values = sorted([*kept, *dropped])
    if not values:
        return 1.0, []
    most = values[int(0.99 * (len(values) - 1))]
    width = nice(max(most, 1e-3) / about)
    last = min(int(values[-1] / width), int(most / width) + 1)
    first, second = (Counter(min(int(value / width), last) for value in group) for group in (kept, dropped))
    return width, [(first[index], second[index]) for index in range(last + 1)]


def nice(step: float) -> float:
    """Return the smallest of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, … that is not below `step`."""
    power = 10 ** math.floor(math.log10(step))
    return float(f"{next(n for n in (1, 2, 5, 10) if n * power >= step * 0.999999) * power:g}")


def _axes(
    across: float, up: float, x_label: str, y_label: str
) -> tuple[Callable[[float], float], Callable[[float], float], Markup]:
    """Return functions from values to coordinates, and the axes with their lines and numbers."""
    across, up = across or 1, up or 1

    def x(value: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * value / across, 1)

    def y(value: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * value / up, 1)

    marks = []
    for value in _ticks(up):
        marks.append(element("line", x1=_LEFT, x2=_RIGHT, y1=y(value), y2=y(value), class_="grid"))
        marks.append(element("text", _short(value), x=_LEFT - 6, y=y(value) + 4, text_anchor="end"))
    for value in _ticks(across):
        marks.append(element("text", _short(value), x=x(value), y=_BOTTOM + 16, text_anchor="middle"))
    marks.append(element("line", x1=_LEFT, x2=_RIGHT, y1=_BOTTOM, y2=_BOTTOM, class_="axis"))
    marks.append(element("text", y_label, x=2, y=12, class_="label"))
    marks.append(element("text", x_label, x=_RIGHT, y=HEIGHT - 4, text_anchor="end", class_="label"))
    return x, y, joined(*marks)


def _short(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 10_000 else f"{value:g}"


def _ticks(end: float) -> list[float]:
    step = nice(end / 6)
    return [index * step for index in range(int(end / step * 1.000001) + 1)]


def _drawing(title: str, *parts: Markup) -> Markup:
    return element("svg", *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=title, class_="plot")
