"""How fast utterances are spoken, and which are far faster or slower than the others."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from u2u_hf.records import Dropped, Utterance

_FEWEST = 20  # utterances: from fewer the usual pace cannot be estimated


@dataclass(frozen=True)
class Outlier:
    """An utterance that is much faster or slower than the others.

    Attributes:
        reason: why it was dropped, or the empty string.
    """

    utterance: Utterance
    characters_per_second: float
    reason: str = ""


def characters_per_second(utterance: Utterance) -> float | None:
    """Return the pace of the text after the text rules; None if there is no text or no duration."""
    if not utterance.text or utterance.duration <= 0:
        return None
    return len(utterance.text) / utterance.duration


def pace_outliers(kept: Sequence[Utterance], dropped: Sequence[Dropped]) -> list[Outlier]:
    """Return utterances far faster or slower than the rest, farthest first; most often their times or text are wrong.

    Far is a modified z-score above 3.5 (Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers) of the
    logarithm, because half and double the usual pace are equally strange.
    """
    paces = [(u, pace, "") for u in kept if (pace := characters_per_second(u))]
    paces += [(d.utterance, pace, d.reason) for d in dropped if (pace := characters_per_second(d.utterance))]
    if len(paces) < _FEWEST:
        return []
    middle = statistics.median(math.log(pace) for _, pace, _ in paces)
    far = [abs(math.log(pace) - middle) for _, pace, _ in paces]
    spread = max(statistics.median(far), 0.05)  # a spread near 0 would make every utterance an outlier
    ranked = sorted(zip(far, paces, strict=True), key=lambda item: -item[0])
    return [Outlier(*row) for distance, row in ranked if 0.6745 * distance > 3.5 * spread]
