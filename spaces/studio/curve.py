"""The error rate over the steps of a training, as SVG."""

from collections.abc import Sequence

from words import Say

from u2u_hf.reports.html import Markup, element

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 220, 48, 30, 10


def curve(scores: Sequence[tuple[int, float]], say: Say) -> Markup:
    """Return the picture of (step, character error rate, 0…1 and above)."""
    last_step = max(step for step, _ in scores) or 1
    most = max(0.05, *(rate for _, rate in scores))

    def x(step: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 10) * step / last_step

    def y(rate: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - rate / most)

    points = " ".join(f"{x(step):.1f},{y(rate):.1f}" for step, rate in scores)
    grid = [
        element("g",
            element("line", x1=_LEFT, x2=_WIDTH - 10, y1=y(most * part), y2=y(most * part), class_="grid"),
            element("text", f"{most * part:.0%}", x=_LEFT - 8, y=y(most * part) + 4, text_anchor="end"),
        )
        for part in (0, 0.5, 1)
    ]  # fmt: skip
    dots = [element("circle", cx=x(step), cy=y(rate), r=4) for step, rate in scores]
    steps = [
        element("text", str(step), x=x(step), y=_HEIGHT - 8, text_anchor=anchor)
        for step, anchor in dict([(0, "start"), (last_step, "end")]).items()
    ]
    spoken = say("curve_alt", first=f"{scores[0][1]:.1%}", last=f"{scores[-1][1]:.1%}", step=scores[-1][0])
    line = element("polyline", points=points, class_="line")
    middle = element("text", say("curve_step"), x=(_LEFT + _WIDTH) / 2, y=_HEIGHT - 8, text_anchor="middle")
    picture = element(
        "svg", *grid, line, *dots, *steps, middle, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=spoken
    )
    title = element("h3", say("labelled", name=say("curve"), value=f"{scores[-1][1]:.1%}"))
    return element("div", title, picture, class_="curve")
