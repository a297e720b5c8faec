"""Where an annotation would lie if it held whole speech: with no speech cut at its start and end."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from u2u_hf.doctor.speech import Span, shared_ms
from u2u_hf.records import Utterance

_FARTHEST_MS = 2200
_STEP_MS = 20
_BESIDE_MS = 400  # before the start and after the end, where an annotation that holds whole speech has none


@dataclass(frozen=True)
class Place:
    """Another place of an annotation: how far it is moved, and how many more ms of speech it then holds whole."""

    by_ms: int
    gain_ms: int


OWN = Place(0, 0)


def best_place(utterance: Utterance, before_ms: int, after_ms: int, speech: Sequence[Span]) -> Place:
    """Return the place, up to 2.2 s away, in which an annotation holds most speech and cuts least.

    Args:
        before_ms, after_ms: end of the annotation before it on its tier, and start of the next: it stays between them.
        speech: on its channel, in order.
    """
    low = max(before_ms - utterance.start_ms, -_FARTHEST_MS)
    high = min(after_ms - utterance.end_ms, _FARTHEST_MS)
    first = bisect.bisect([end for _, end in speech], utterance.start_ms - _FARTHEST_MS - _BESIDE_MS)
    near = [span for span in speech[first:] if span[0] < utterance.end_ms + _FARTHEST_MS + _BESIDE_MS]
    own = _whole_ms(utterance, 0, before_ms, after_ms, near)
    moves = range(-(-low // _STEP_MS) * _STEP_MS, high + 1, _STEP_MS) if low < high else range(0)
    found = {by_ms: _whole_ms(utterance, by_ms, before_ms, after_ms, near) for by_ms in moves}
    best = max(found.values(), default=own)
    if best <= own:
        return OWN
    # Between places that are as good, the middle one: the annotation's margins are then equal.
    as_good = [by_ms for by_ms, whole in found.items() if whole == best]
    nearest = min(as_good, key=abs)
    run = [by_ms for by_ms in as_good if abs(by_ms - nearest) <= _FARTHEST_MS and _is_run(as_good, nearest, by_ms)]
    return Place(run[len(run) // 2], best - own)


def _is_run(moves: Sequence[int], one: int, other: int) -> bool:
    return all(between in moves for between in range(min(one, other), max(one, other), _STEP_MS))


def _whole_ms(utterance: Utterance, by_ms: int, before_ms: int, after_ms: int, speech: Sequence[Span]) -> int:
    start, end = utterance.start_ms + by_ms, utterance.end_ms + by_ms
    # What is said in the annotations beside it is theirs.
    beside = (max(before_ms, start - _BESIDE_MS), start), (end, min(after_ms, end + _BESIDE_MS))
    return shared_ms((start, end), speech) - sum(shared_ms(span, speech) for span in beside if span[0] < span[1])
