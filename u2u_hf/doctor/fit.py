"""How well a text fits its sound: how much less probable its best CTC path is than the best path of all.

Costs are natural logarithms of that ratio, 0 or more, for the whole text. `cost` wants all that is heard in a stretch
to be in the text; `spot` looks for the place in a longer stretch where the text is heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from u2u_hf.frames import frames_needed
from u2u_hf.recognition.alignment import best_path, path_labels


@dataclass(frozen=True)
class Spot:
    """Where a text is heard best: frames [first, end) from its first label to its last one."""

    cost: float
    first: int
    end: int


def relative(log_probs: np.ndarray) -> np.ndarray:
    """Return log-probabilities relative to the most probable label of each frame: float32 [T, V], 0 or less."""
    return log_probs - log_probs.max(1, keepdims=True)


def cost(ratios: np.ndarray, targets: Sequence[int], blank: int) -> float | None:
    """Return the cost of a text in a stretch; None if it has no label or needs more frames than there are.

    Args:
        ratios: from `relative`.
    """
    if not targets or frames_needed(list(targets)) > len(ratios):
        return None
    path = best_path(ratios, targets, blank)
    return -_along(ratios, path, path_labels(targets, blank))


def spot(ratios: np.ndarray, targets: Sequence[int], blank: int) -> Spot | None:
    """Return where in a stretch a text is heard best, and its cost there; None as for `cost`."""
    if not targets or frames_needed(list(targets)) > len(ratios):
        return None
    # One more label that costs nothing, for what is before and after the text.
    other = ratios.shape[1]
    with_other = np.concatenate([ratios, np.zeros((len(ratios), 1), ratios.dtype)], 1)
    path = best_path(with_other, targets, blank, around=other)
    inside = np.flatnonzero((path > 0) & (path < 2 * len(targets)))
    return Spot(-_along(with_other, path, path_labels(targets, blank, other)), int(inside[0]), int(inside[-1]) + 1)


def _along(ratios: np.ndarray, path: np.ndarray, labels: np.ndarray) -> float:
    return float(ratios[np.arange(len(path)), labels[path]].sum())
