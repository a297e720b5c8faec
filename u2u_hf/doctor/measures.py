"""What a recogniser that never saw an annotation makes of it: costs of texts, the place of its own text, levels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from u2u_hf.data.audio import audio_info, read_audio
from u2u_hf.doctor import fit
from u2u_hf.doctor.annotations import Key, key_of
from u2u_hf.doctor.candidates import Candidates
from u2u_hf.doctor.places import OWN, Place
from u2u_hf.doctor.spelling_pairs import Swap, swapped
from u2u_hf.frames import STRIDE, frame_end_ms, frame_start_ms
from u2u_hf.recognition.alignment import spelled_words
from u2u_hf.recognition.decoding import confidence, greedy_words
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError

AROUND_MS = 2500  # before and after an annotation that is recognised too, in case its text is said there
_DIGITS = 3


@dataclass(frozen=True)
class Neighbour:
    """The text of another annotation in this one's sound; `cost` as in `fit`, None if it does not fit in at all."""

    recording: str
    tier: str
    start_ms: int
    end_ms: int
    cost: float | None

    @property
    def key(self) -> Key:
        return self.recording, self.tier, self.start_ms, self.end_ms


@dataclass(frozen=True)
class SwapCost:
    """What a swap of two words adds to the cost of the text; below 0 if the other word fits better."""

    swap: Swap
    added: float


@dataclass(frozen=True)
class Measure:
    """One annotation, as it was heard.

    Attributes:
        heard: what the recogniser writes between start and end. heard_confidence: 0…1, see `recognition.decoding`.
        letters: labels of the annotation's text, with those between words.
        cost: of that text between start and end, see `fit`; None if it does not fit in at all.
        spot_cost: of it where it fits best, up to 2.5 s around. spot_ms: start and end of that place, in the audio.
        decoys: costs of the texts that are surely wrong.
        place: where the annotation would hold whole speech. place_cost: of its text there.
        levels_db: of each channel between start and end. other_costs: channel → cost of the text there, of channels
            that are louder than the annotation's own.
        problem: why it could not be heard, or the empty string.
    """

    recording: str
    tier: str
    start_ms: int
    end_ms: int
    heard: str = ""
    heard_confidence: float = 0.0
    letters: int = 0
    cost: float | None = None
    spot_cost: float | None = None
    spot_ms: tuple[int, int] | None = None
    neighbours: tuple[Neighbour, ...] = ()
    decoys: tuple[float, ...] = ()
    swaps: tuple[SwapCost, ...] = ()
    place: Place = OWN
    place_cost: float | None = None
    levels_db: tuple[float, ...] = ()
    other_costs: tuple[tuple[int, float], ...] = ()
    problem: str = ""

    @property
    def key(self) -> Key:
        return self.recording, self.tier, self.start_ms, self.end_ms


def measure(recognizer: Recognizer, candidates: Candidates) -> Measure:
    """Return the measure of an annotation; if its audio cannot be read, one with a `problem`.

    The recogniser is given 2.5 s before and after it too; the text is compared with the frames between start and end.
    """
    utterance, labels = candidates.utterance, recognizer.labels
    try:
        info = audio_info(utterance.audio)
        begin_ms = max(0, utterance.start_ms - AROUND_MS)
        samples = read_audio(info, begin_ms, utterance.end_ms + AROUND_MS)
    except U2UError as error:
        return Measure(*key_of(utterance), problem=str(error))
    own = utterance.channel or 0
    inside = samples[:, 16 * (utterance.start_ms - begin_ms) : 16 * (utterance.end_ms - begin_ms)]
    levels = [round(float(10 * np.log10(row.var() + 1e-10)), 1) for row in inside] if inside.size else []
    begun = begin_ms + labels.delay_ms
    whole = recognizer.log_probs(samples[own])
    first, end = _frames(utterance.start_ms - begun, utterance.end_ms - begun, len(whole))
    core = whole[first:end]
    ratios, core_ratios = fit.relative(whole), fit.relative(core)

    cost_of = partial(_cost, core_ratios, labels)
    words = greedy_words(core, labels)
    cost, targets = cost_of(utterance.text), spelled_words(utterance.text, labels)[1]
    spot = fit.spot(ratios, targets, labels.blank)
    others = [c for c, level in enumerate(levels) if c != own and level > levels[own]]
    return Measure(
        *key_of(utterance),
        heard=" ".join(word.text for word in words),
        heard_confidence=round(confidence(words), _DIGITS),
        letters=len(targets),
        cost=cost,
        spot_cost=None if spot is None else round(spot.cost, _DIGITS),
        spot_ms=None if spot is None else (begun + frame_start_ms(spot.first), begun + frame_end_ms(spot.end - 1)),
        neighbours=tuple(Neighbour(*key_of(n), cost_of(n.text)) for n in candidates.neighbours),
        decoys=tuple(c for text in candidates.decoys if (c := cost_of(text)) is not None),
        swaps=tuple(_swap_costs(candidates, cost, cost_of)),
        place=candidates.place,
        place_cost=_cost(_moved(ratios, first, end, candidates.place), labels, utterance.text),
        levels_db=tuple(levels),
        other_costs=tuple(_other_costs(recognizer, inside, others, utterance.text)),
    )


def _frames(start_ms: int, end_ms: int, frames: int) -> tuple[int, int]:
    """Return the frames [first, end) whose middle lies between two times from the first frame's samples on."""
    first = max(0, round(16 * start_ms / STRIDE))
    return min(first, frames), max(min(first, frames), min(frames, round(16 * end_ms / STRIDE)))


def _moved(ratios: np.ndarray, first: int, end: int, place: Place) -> np.ndarray:
    by = round(16 * place.by_ms / STRIDE)
    return ratios[max(0, first + by) : max(0, end + by)]


def _cost(ratios: np.ndarray, labels, text: str) -> float | None:
    found = fit.cost(ratios, spelled_words(text, labels)[1], labels.blank)
    return None if found is None else round(found, _DIGITS)


def _swap_costs(candidates: Candidates, cost: float | None, cost_of) -> list[SwapCost]:
    found = []
    for swap in candidates.swaps if cost is not None else ():
        if (other := cost_of(swapped(candidates.utterance.text, swap))) is not None:
            found.append(SwapCost(swap, round(other - cost, _DIGITS)))
    return found


def _other_costs(recognizer: Recognizer, samples: np.ndarray, channels: Sequence[int], text: str):
    for channel in channels:
        log_probs = recognizer.log_probs(samples[channel])
        if (found := _cost(fit.relative(log_probs), recognizer.labels, text)) is not None:
            yield channel, found


def as_lines(found: Sequence[Measure]) -> str:
    """Return one JSON object a line."""
    return "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in found)


def read_lines(path: Path) -> list[Measure]:
    """Return what `as_lines` wrote into a file.

    Raises:
        U2UError: the file is damaged.
    """
    try:
        return [_measure(json.loads(line)) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise U2UError(f"{path}: is damaged: remove it, and run the command again") from error


def _measure(plain: dict) -> Measure:
    spot_ms = plain.pop("spot_ms")
    place = Place(**plain.pop("place"))
    return Measure(
        neighbours=tuple(Neighbour(**one) for one in plain.pop("neighbours")),
        swaps=tuple(SwapCost(Swap(**one["swap"]), one["added"]) for one in plain.pop("swaps")),
        other_costs=tuple((channel, cost) for channel, cost in plain.pop("other_costs")),
        decoys=tuple(plain.pop("decoys")),
        levels_db=tuple(plain.pop("levels_db")),
        spot_ms=spot_ms and tuple(spot_ms),
        place=place,
        **plain,
    )
