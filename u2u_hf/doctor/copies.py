"""Annotations that were copied: one text on two tiers at one time, or pasted over the next annotation."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator

from u2u_hf.doctor.annotations import key_of
from u2u_hf.doctor.examined import Examined
from u2u_hf.doctor.findings import COPIED, Finding, finding, sureness
from u2u_hf.doctor.measures import Measure
from u2u_hf.doctor.speakers import louder_copy
from u2u_hf.records import Utterance

_SHORTEST = 6  # labels: two people say "yes" at once, and one says it twice
_OVERLAP = 0.5  # of the shorter one
_CLEARLY = 2.0  # times: so much better does the original fit than a copy without a channel of its own


def copies(examined: Examined) -> list[Finding]:
    """Return the annotation of each pair that is the copy: it sounds less like the text than the other one.

    Two annotations of one text in a row are a copy only if the text does not fit one of them: people repeat themselves.
    """
    found: dict[tuple, Finding] = {}
    for one, other in _pairs_at_once(examined):
        copy, score = _copy_at_once(examined, one, other)
        text = "the same text stands at the same time on tier {}: delete this one"
        original = other if copy is one else one
        found[key_of(copy)] = finding(
            COPIED,
            copy,
            score,
            text.format(original.tier),
            edit={"delete": True},
            letters=float(len(copy.text)),
            heard=examined.measure_of[key_of(copy)].heard,
        )
    for one, other in _pairs_in_a_row(examined):
        misfits = [examined.misfit(examined.measure_of[key_of(u)]) for u in (one, other)]
        usual = examined.usual
        if max(misfits) <= usual.middle or min(misfits) > usual.right:
            continue
        copy = other if misfits[1] > misfits[0] else one
        heard = examined.measure_of[key_of(copy)].heard
        where = "before" if copy is other else "after"
        found.setdefault(
            key_of(copy),
            finding(
                COPIED,
                copy,
                sureness(max(misfits), usual.middle),
                f"the text of the annotation {where} it; " + (f"heard: {heard}" if heard else "no speech is heard"),
                edit={"text": heard} if heard else {"delete": True},
                letters=float(len(copy.text)),
                heard=heard,
            ),
        )
    return list(found.values())


def _pairs_at_once(examined: Examined) -> Iterator[tuple[Utterance, Utterance]]:
    """Yield annotations of one text on two tiers, at about one time of one recording."""
    same: dict[tuple[str, str], list[Utterance]] = defaultdict(list)
    for utterance, measure in examined.heard():
        if measure.letters >= _SHORTEST:
            same[utterance.recording, utterance.text].append(utterance)
    for group in same.values():
        for one, other in itertools.combinations(group, 2):
            shared = min(one.end_ms, other.end_ms) - max(one.start_ms, other.start_ms)
            shorter = min(one.end_ms - one.start_ms, other.end_ms - other.start_ms)
            if one.tier != other.tier and shared >= _OVERLAP * shorter:
                yield one, other


def _pairs_in_a_row(examined: Examined) -> Iterator[tuple[Utterance, Utterance]]:
    for row in examined.tiers.values():
        for one, other in itertools.pairwise(row):
            known = all(key_of(u) in examined.measure_of for u in (one, other))
            if one.text == other.text and known and examined.measure_of[key_of(one)].letters >= _SHORTEST:
                yield one, other


def _copy_at_once(examined: Examined, one: Utterance, other: Utterance) -> tuple[Utterance, float]:
    """Return the copy of two annotations, and how sure that is."""
    measures: list[Measure] = [examined.measure_of[key_of(u)] for u in (one, other)]
    if (louder := louder_copy(measures[0], measures[1], [one.channel or 0, other.channel or 0])) is not None:
        return (one, other)[1 - louder], 0.9
    misfits = [examined.misfit(measure) for measure in measures]
    worse = int(misfits[1] >= misfits[0])
    clear = max(misfits) > _CLEARLY * min(misfits) + examined.usual.right
    return (one, other)[worse], 0.8 if clear else 0.6
