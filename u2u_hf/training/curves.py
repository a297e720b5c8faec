"""How a training run went, as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, PercentFormatter, StrMethodFormatter

from u2u_hf.files import replacing

_BLUE, _ORANGE, _SOFT, _LINE = "#3273b8", "#d97b29", "#636a73", "#e3e1da"
Rows = Sequence[Mapping[str, Any]]


def training_curves(log_history: Rows, path: Path) -> None:
    """Draw loss, error rates and learning rates over the steps, as PNG; see `curves`.

    Raises:
        U2UError: the picture cannot be written.
    """
    with replacing(path) as temporary:
        curves(log_history).savefig(temporary, format="png", dpi=120)


def curves(log_history: Rows) -> Figure:
    """The picture.

    Args:
        log_history: a Trainer's ``state.log_history``; what it does not hold is not drawn. Confidence intervals
            (``eval_cer_low`` to ``eval_cer_high``) are shades.
    """
    # A Figure of its own: pyplot would look for a screen.
    figure = Figure(figsize=(8, 9), layout="constrained")
    loss, rates, speed = figure.subplots(3, 1, sharex=True)
    _draw(loss, "loss", log_history, {"training": "loss", "validation": "eval_loss"})
    _draw(rates, "validation error rate", log_history, {"words": "eval_wer", "characters": "eval_cer"})
    _draw(speed, "learning rate", log_history, {"encoder": "learning_rate", "head": "head_learning_rate"})
    # What falls fast at first, and rates far apart. The last rates fall to nothing, which has no place there.
    _logarithmic(loss, (1, 2, 5))
    _logarithmic(speed, (1,))
    speed.set_ylim(bottom=max(speed.get_ylim()[1] / 1e3, speed.get_ylim()[0]))
    rates.set_ylim(bottom=0)
    rates.yaxis.set_major_formatter(PercentFormatter(1))
    speed.set_xlim(left=0)
    speed.xaxis.set_major_locator(MaxNLocator(integer=True))
    speed.set_xlabel("step", color=_SOFT)
    return figure


def _draw(axes: Axes, title: str, rows: Rows, lines: Mapping[str, str]) -> None:
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(color=_LINE, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_LINE)
    axes.tick_params(colors=_SOFT, labelsize=9)
    for colour, (name, key) in zip((_BLUE, _ORANGE), lines.items(), strict=True):
        points = [(row["step"], row[key]) for row in rows if key in row]
        if points:
            ends = [(row["step"], row[f"{key}_low"], row[f"{key}_high"]) for row in rows if f"{key}_low" in row]
            if ends:
                axes.fill_between(*zip(*ends, strict=True), color=colour, alpha=0.15, linewidth=0)
            axes.plot(*zip(*points, strict=True), color=colour, label=name, marker=".", markersize=4, linewidth=1.3)
    if axes.lines:
        axes.legend(frameon=False, fontsize=9)


def _logarithmic(axes: Axes, steps: Sequence[int]) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=steps))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
