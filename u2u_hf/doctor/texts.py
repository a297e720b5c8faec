"""Texts that do not fit their sound: those of a neighbour, and those that fit no better than any other text."""

from __future__ import annotations

from u2u_hf.doctor.annotations import Key
from u2u_hf.doctor.examined import Examined
from u2u_hf.doctor.findings import TEXT, Finding, finding, sureness
from u2u_hf.doctor.measures import Measure, Neighbour
from u2u_hf.doctor.usual import misfit
from u2u_hf.records import Utterance

_FEWEST_LETTERS = 3  # that another text must fit better by: less is chance
_SHORTEST = 3  # labels of a text: the sound of a shorter one tells little


def wrong_texts(examined: Examined) -> list[Finding]:
    """Return annotations whose text does not fit; with the neighbour's text as a suggestion, if that one does."""
    found = []
    for utterance, measure in examined.heard():
        if measure.letters < _SHORTEST or not measure.decoys:
            continue
        own = examined.misfit(measure)
        if better := _better(examined, utterance, measure):
            other = examined.utterance_of[better.key]
            gain = _gain(examined, measure, better)
            found.append(
                finding(
                    TEXT,
                    utterance,
                    sureness(gain, _FEWEST_LETTERS),
                    f"text of {_which(utterance, other)}: {other.raw_text}",
                    edit={"text": other.raw_text},
                    letters=gain,
                    heard=measure.heard,
                )
            )
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
