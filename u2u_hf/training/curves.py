"""The curves of a training run as one picture."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, PercentFormatter, StrMethodFormatter

from u2u_hf.evaluation.metrics import METRICS, score_keys
from u2u_hf.files import replacing

_COLOURS = ("#3273b8", "#d97b29", "#4b9a5f", "#8d62a8", "#b8434e")
_SOFT, _LINE = "#636a73", "#e3e1da"
Rows = Sequence[Mapping[str, Any]]


def training_curves(log_history: Rows, path: Path) -> None:
    """Write a PNG of loss, error rates and learning rates over the steps; see `curves`.

    Raises:
        U2UError: the file cannot be written.
    """
    with replacing(path) as temporary:
        curves(log_history).savefig(temporary, format="png", dpi=120)


def curves(log_history: Rows) -> Figure:
    """Return the picture.

    Args:
        log_history: a Trainer's ``state.log_history``; missing values are not drawn. Confidence intervals
            (``eval_cer_low`` to ``eval_cer_high``) are shaded.
    """
    # Figure in place of pyplot, which would look for a screen.
    figure = Figure(figsize=(8, 9), layout="constrained")
    loss, rates, speed = figure.subplots(3, 1, sharex=True)
    _draw(loss, "loss", log_history, {"training": "loss", "validation": "eval_loss"})
    _draw(rates, "validation error rate", log_history, {m.unit: f"eval_{name}" for name, m in METRICS.items()})
    _draw(speed, "learning rate", log_history, {"encoder": "learning_rate", "head": "head_learning_rate"})
    # Log scale for loss and learning rate; learning rates near the end fall to 0 and would stretch it without limit.
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
    for colour, (name, key) in zip(itertools.cycle(_COLOURS), lines.items(), strict=False):
        points = [(row["step"], row[key]) for row in rows if key in row]
        if points:
            _, low, high = score_keys(key)
            ends = [(row["step"], row[low], row[high]) for row in rows if low in row]
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
