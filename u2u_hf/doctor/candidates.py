"""The texts that an annotation's sound is compared with: its own, its neighbours', others of the corpus."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from u2u_hf.doctor.annotations import key_of
from u2u_hf.doctor.places import OWN, Place, best_place
from u2u_hf.doctor.speech import Speech
from u2u_hf.doctor.spelling_pairs import Spellings, Swap
from u2u_hf.records import Utterance

DECOYS = 8
_FAR_MS = 60_000
_NEAR_IN_LENGTH = 40  # decoys are drawn from so many texts of about one length


@dataclass(frozen=True)
class Candidates:
    """What the sound of one utterance is compared with.

    Attributes:
        neighbours: the annotations just before and after it, on its tier and on all tiers.
        decoys: texts of other utterances, of about its length: surely wrong.
        swaps: words that may be another spelling.
        place: where it would hold whole speech.
    """

    utterance: Utterance
    neighbours: tuple[Utterance, ...]
    decoys: tuple[str, ...]
    swaps: tuple[Swap, ...]
    place: Place = OWN


def candidates(utterances: Sequence[Utterance], speech: Mapping[str, Speech]) -> list[Candidates]:
    """Return the candidates of each utterance, in order. The same utterances have the same decoys in each run.

    Args:
        speech: of each audio file.
    """
    places = _places(utterances, speech)
    spellings = Spellings(utterance.text for utterance in utterances)
    by_length = sorted({utterance.text for utterance in utterances}, key=lambda text: (len(text), text))
    place = {text: number for number, text in enumerate(by_length)}
    near = _neighbours(utterances)
    found = []
    for number, utterance in enumerate(utterances):
        own = {utterance.text, *(other.text for other in near[number])}
        low = max(0, min(place[utterance.text] - _NEAR_IN_LENGTH // 2, len(by_length) - _NEAR_IN_LENGTH))
        wrong = [text for text in by_length[low : low + _NEAR_IN_LENGTH] if text not in own]
        seed = hashlib.sha256(repr(key_of(utterance)).encode("utf-8", "surrogatepass")).digest()
        decoys = random.Random(seed).sample(wrong, min(DECOYS, len(wrong)))
        swaps = tuple(spellings.swaps(utterance.text))
        found.append(Candidates(utterance, near[number], tuple(decoys), swaps, places[number]))
    return found


def _neighbours(utterances: Sequence[Utterance]) -> list[tuple[Utterance, ...]]:
    rows: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number in sorted(range(len(utterances)), key=lambda number: utterances[number].start_ms):
        utterance = utterances[number]
        rows[utterance.recording, utterance.tier].append(number)
        rows[(utterance.recording,)].append(number)
    near: list[dict[int, None]] = [{} for _ in utterances]
    for row in rows.values():
        for at, number in enumerate(row):
            near[number].update(dict.fromkeys(_beside(row, at)))
    return [tuple(utterances[other] for other in others) for others in near]


def _places(utterances: Sequence[Utterance], speech: Mapping[str, Speech]) -> list[Place]:
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, utterance in enumerate(utterances):
        rows[utterance.recording, utterance.tier].append(number)
    spoken = {(u.audio, u.channel): speech[u.audio].on(u.channel or 0) for u in utterances}
    places = [OWN] * len(utterances)
    for row in rows.values():
        row.sort(key=lambda number: utterances[number].start_ms)
        for at, number in enumerate(row):
            own = utterances[number]
            before_ms = utterances[row[at - 1]].end_ms if at else 0
            after_ms = utterances[row[at + 1]].start_ms if at + 1 < len(row) else own.end_ms + _FAR_MS
            places[number] = best_place(own, before_ms, after_ms, spoken[own.audio, own.channel])
    return places


def _beside(row: Sequence[int], at: int) -> Iterator[int]:
    if at:
        yield row[at - 1]
    if at + 1 < len(row):
        yield row[at + 1]
