"""What is usual in this corpus, with this recogniser: the limits beyond which something is probably a fault.

Limits are the median and 3.5 median absolute deviations of the corpus' own measures (Iglewicz and Hoaglin 1993), which
faults move little as long as they are few, and what texts cost that are surely wrong. None is a number of nats.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein

from u2u_hf.doctor.annotations import Key, key_of
from u2u_hf.doctor.measures import Measure
from u2u_hf.records import Utterance

_DEVIATIONS = 3.5
_FEWEST_WRONG = 0.05  # of surely wrong texts, this share may fit better than the limit
_TO_SIGMA = 1.4826  # of a median absolute deviation


@dataclass(frozen=True)
class Usual:
    """The limits of a corpus.

    Attributes:
        letter_cost: what one wrong letter adds to the cost of a text, in nats.
        right: misfits up to this are usual of right texts. middle: half-way between a right text and a wrong one.
        wrong: misfits beyond this are usual of wrong texts only.
        lead_ms, lag_ms: from an annotation's start to its first letter, and from its last letter to its end.
        outside_ms: how far a letter may usually lie outside its annotation.
        confidence: of what is heard; less is usual where no one speaks.
    """

    letter_cost: float
    right: float
    middle: float
    wrong: float
    lead_ms: float
    lag_ms: float
    outside_ms: float
    confidence: float


def misfit(cost: float | None, measure: Measure) -> float:
    """Return the cost of a text in a measure's sound as a share of what wrong texts cost there: about 1 if it is wrong.

    A text that has too many letters for the sound is as wrong as any; 0 if there is nothing to compare with.
    """
    if not measure.decoys:
        return 0.0
    return 2.0 if cost is None else cost / max(float(np.median(measure.decoys)), 1e-6)


def usual(measures: Sequence[Measure], text_of: dict[Key, Utterance]) -> Usual:
    """Return what is usual.

    Args:
        measures: those without a problem.
    """
    heard = [one for one in measures if one.cost is not None and one.decoys]
    own = [misfit(one.cost, one) for one in heard]
    right = _upper(own)
    wrong = [misfit(cost, one) for one in heard for cost in one.decoys]
    fitting = [one for one in heard if misfit(one.cost, one) <= right and one.spot_ms]
    leads = [one.spot_ms[0] - one.start_ms for one in fitting if one.spot_ms]
    lags = [one.end_ms - one.spot_ms[1] for one in fitting if one.spot_ms]
    outside = [-min(lead, lag) for lead, lag in zip(leads, lags, strict=True)]
    confidences = [one.heard_confidence for one in fitting if one.heard]
    return Usual(
        letter_cost=_letter_cost(heard, text_of),
        right=right,
        middle=(1 + _median(own)) / 2,
        wrong=max(right, float(np.quantile(wrong, _FEWEST_WRONG))) if wrong else 1.0,
        lead_ms=max(0.0, _median(leads)),
        lag_ms=max(0.0, _median(lags)),
        outside_ms=max(0.0, _upper(outside)),
        confidence=float(np.quantile(confidences, 0.05)) if confidences else 0.0,
    )


def upper(values: Iterable[float]) -> float:
    """Return the limit above which a value is unusual among these; infinity if there are none."""
    return _upper(values) if (values := list(values)) else float("inf")


def _upper(values: Iterable[float]) -> float:
    values = np.array(list(values) or [0.0])
    middle = float(np.median(values))
    return middle + _DEVIATIONS * _TO_SIGMA * float(np.median(np.abs(values - middle)))


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if len(values) else 0.0


def _letter_cost(measures: Sequence[Measure], text_of: dict[Key, Utterance]) -> float:
    """Return the median cost of a letter that the text has and the recogniser does not write, or the reverse."""
    costs = []
    for one in measures:
        edits = Levenshtein.distance(text_of[one.key].text, one.heard)
        if edits and one.cost:
            costs.append(one.cost / edits)
    return float(np.median(costs)) if costs else 1.0


def by_key(utterances: Iterable[Utterance]) -> dict[Key, Utterance]:
    return {key_of(utterance): utterance for utterance in utterances}
