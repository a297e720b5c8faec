"""Texts that do not fit their sound: those of a neighbour, and those that fit no better than any other text."""

from __future__ import annotations

import itertools
import math

from u2u_hf.doctor.annotations import Key, key_of
from u2u_hf.doctor.examined import Examined
from u2u_hf.doctor.findings import TEXT, Finding, finding, sureness
from u2u_hf.doctor.measures import Measure, Neighbour
from u2u_hf.doctor.usual import misfit, upper
from u2u_hf.records import Utterance

_FEWEST_LETTERS = 3  # that another text must fit better by: less is chance
_DEAR = 1.5  # times the most that a wrong text costs
_LEAST_COST = 1e-3
_SHORTEST = 3  # labels of a text: the sound of a shorter one tells little


def wrong_texts(examined: Examined) -> list[Finding]:
    """Return annotations whose text does not fit; with the neighbour's text as a suggestion, if that one does."""
    found = swapped_texts(examined)
    swapped = {one.key for one in found}
    for utterance, measure in examined.heard():
        if measure.letters < _SHORTEST or not measure.decoys or measure.key in swapped:
            continue
        own = examined.misfit(measure)
        if better := _better(examined, utterance, measure):
            other = examined.utterance_of[better.key]
            gain = _gain(examined, measure, better)
            found.append(_of_another(utterance, other, sureness(gain, _FEWEST_LETTERS), gain, measure))
        elif own > examined.usual.wrong:
            letters = min(measure.letters, examined.in_letters(measure.cost or measure.letters))
            found.append(
                finding(
                    TEXT,
                    utterance,
                    sureness(own, examined.usual.wrong),
                    f"heard: {measure.heard}" if measure.heard else "no speech is heard here",
                    edit={"text": measure.heard} if measure.heard else None,
                    letters=letters,
                    heard=measure.heard,
                )
            )
    return found


def swapped_texts(examined: Examined) -> list[Finding]:
    """Return pairs of neighbours on a tier that fit better with each other's texts.

    Both sounds and both texts are compared at once: so a swap shows even where a single text tells little.
    """
    gains = {
        (one, other): gain
        for row in examined.tiers.values()
        for one, other in itertools.pairwise(row)
        if (gain := _gain_of_swap(examined, one, other)) is not None
    }
    limit = max(0.0, upper(gains.values()))
    found: dict[Key, Finding] = {}
    for (one, other), gain in sorted(gains.items(), key=lambda item: -item[1]):
        keys = key_of(one), key_of(other)
        if gain <= limit or any(key in found for key in keys):
            continue
        for key, utterance, swapped in zip(keys, (one, other), (other, one), strict=True):
            measure = examined.measure_of[key]
            letters = float(max(measure.letters, len(swapped.text)))
            found[key] = _of_another(utterance, swapped, sureness(gain, limit), letters, measure)
    return list(found.values())


def _gain_of_swap(examined: Examined, one: Utterance, other: Utterance) -> float | None:
    """Return the logarithm of how many times less two annotations cost with each other's texts."""
    measures = [examined.measure_of.get(key_of(u)) for u in (one, other)]
    if one.text == other.text or not all(m and m.decoys and m.letters >= _SHORTEST for m in measures):
        return None
    own, swapped = 0.0, 0.0
    for measure, neighbour in zip(measures, (other, one), strict=True):
        assert measure
        there = next((n.cost for n in measure.neighbours if n.key == key_of(neighbour)), None)
        dear = _DEAR * max(measure.decoys)  # too many letters for the sound
        own += dear if measure.cost is None else measure.cost
        swapped += dear if there is None else there
    return math.log(max(own, _LEAST_COST) / max(swapped, _LEAST_COST))


def _of_another(utterance: Utterance, other: Utterance, score: float, letters: float, measure: Measure) -> Finding:
    suggestion = f"text of {_which(utterance, other)}: {other.raw_text}"
    edit = {"text": other.raw_text}
    return finding(TEXT, utterance, score, suggestion, edit=edit, letters=letters, heard=measure.heard)


def _better(examined: Examined, utterance: Utterance, measure: Measure) -> Neighbour | None:
    """Return the neighbour whose text fits this sound as right texts do, and the annotation's own does not."""
    others = [n for n in measure.neighbours if n.cost is not None and _differs(examined, utterance, n.key)]
    if not others:
        return None
    best = min(others, key=lambda n: n.cost)
    fits = misfit(best.cost, measure) <= examined.usual.right < examined.misfit(measure)
    return best if fits and _gain(examined, measure, best) >= _FEWEST_LETTERS else None


def _differs(examined: Examined, utterance: Utterance, other: Key) -> bool:
    return other in examined.utterance_of and examined.utterance_of[other].text != utterance.text


def _gain(examined: Examined, measure: Measure, other: Neighbour) -> float:
    """Return by how many letters the other text fits better."""
    own = measure.cost if measure.cost is not None else max(measure.decoys)
    return examined.in_letters(own - (other.cost or 0.0))


def _which(utterance: Utterance, other: Utterance) -> str:
    where = "the next annotation" if other.start_ms >= utterance.start_ms else "the annotation before"
    return where if other.tier == utterance.tier else f"{where}, on tier {other.tier}"
