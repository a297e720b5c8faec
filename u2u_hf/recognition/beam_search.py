"""CTC prefix beam search, with a language model or without.

It looks for the most probable text; greedy decoding takes the text of the most probable path. Graves and Jaitly 2014,
section 5; with a language model as Hannun et al. 2014, section 2. Written by hand: the decoders of torchaudio and
pyctcdecode need KenLM, which is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from u2u_hf.recognition.alignment import aligned_runs
from u2u_hf.recognition.character_model import END, START
from u2u_hf.recognition.decoding import DELIMITER, Labels, Run, collapse, greedy_runs
from u2u_hf.recognition.language_model import LanguageModel, State

_IMPOSSIBLE = -math.inf
# Characters that are less probable in a frame are skipped for speed: exp(-9) is one in 8,000.
_LEAST_LOG_PROB = -9.0


@dataclass(slots=True)
class Beam:
    """A prefix of the text; log-probabilities are natural logarithms.

    Attributes:
        prefix: begins with `START`; words are separated by `DELIMITER`.
        language: what the language model adds to the score: its weighted log-probability, and the bonuses.
        in_blank: log-probability of all paths that spell the prefix and end in a blank.
        in_character: log-probability of all paths that spell it and end in its last character.
        before: the language model's state before the last character; None without one, and at the beginning.
        state: the state after it; None until it is needed, because most beams are dropped at once.
    """

    prefix: str
    language: float = 0.0
    in_blank: float = _IMPOSSIBLE
    in_character: float = _IMPOSSIBLE
    before: State | None = None
    state: State | None = None

    def log_prob(self) -> float:
        """Return the log-probability of all paths that spell the prefix."""
        return _add(self.in_blank, self.in_character)

    def score(self) -> float:
        return _add(self.in_blank, self.in_character) + self.language

    def state_after(self) -> State | None:
        """Return the language model's state after the prefix."""
        if self.state is None and self.before is not None:
            self.state = self.before.after(self.prefix[-1])
        return self.state


def best_text(log_probs: np.ndarray, labels: Labels, language_model: LanguageModel | None) -> str:
    """Return the recognised text: by `beam_search` with a language model, greedy without.

    Args:
        log_probs: float32 [T, V], natural logarithms of probabilities.
    """
    if language_model is None:
        return collapse(log_probs.argmax(1), labels)
    return beam_search(log_probs, labels, language_model)


def best_runs(log_probs: np.ndarray, labels: Labels, language_model: LanguageModel | None) -> list[list[Run]]:
    """Return the recognised words, each as its characters where `alignment.align` places them, see `best_text`."""
    if language_model is None:
        return greedy_runs(log_probs, labels)
    return aligned_runs(log_probs, beam_search(log_probs, labels, language_model), labels)


def beam_search(
    log_probs: np.ndarray, labels: Labels, language_model: LanguageModel | None = None, width: int = 16
) -> str:
    """Return the text with the best score, words separated by one space.

    The score is the log-probability of all paths that spell the text; with a language model, plus its weighted
    log-probability and its bonus for each character.

    Args:
        log_probs: float32 [T, V], natural logarithms of probabilities.
        width: number of beams kept from frame to frame.
    """
    silent = [label for label, symbol in enumerate(labels.symbols) if not symbol]
    blanks = np.logaddexp.reduce(log_probs[:, silent], axis=1)
    beams = [Beam(START, in_blank=0.0, state=language_model.start() if language_model else None)]
    for row, blank in zip(log_probs, blanks.tolist(), strict=True):
        characters = [
            (labels.symbols[label], float(row[label]))
            for label in np.flatnonzero(row > _LEAST_LOG_PROB)
            if labels.symbols[label]
        ]
        if characters:
            found = _extended(beams, blank, characters, language_model, width)
            beams = sorted(found, key=Beam.score, reverse=True)[:width]
        else:  # more than half of the frames: no text changes, nor their order
            for beam in beams:
                beam.in_blank, beam.in_character = beam.log_prob() + blank, _IMPOSSIBLE
    return _best(beams, language_model)


def _extended(
    beams: Sequence[Beam],
    blank: float,
    characters: Sequence[tuple[str, float]],
    language_model: LanguageModel | None,
    width: int,
) -> Iterable[Beam]:
    """Return the beams after one more frame: each prefix as it is, and with each character appended.

    Of the longer prefixes those are missing that cannot be among the best `width`: the language model is not asked
    about them, which takes most of the time where a recogniser is unsure.

    Args:
        blank: the frame's log-probability of the blank.
        characters: the frame's characters with their log-probabilities.
    """
    by_character = dict(characters)
    found = {beam.prefix: _same(beam, blank, by_character) for beam in beams}
    least = min(map(Beam.score, found.values())) if len(beams) >= width else _IMPOSSIBLE
    weight, bonus = (language_model.weight, language_model.bonus) if language_model else (0.0, 0.0)
    for beam in beams:
        prefix, last, either = beam.prefix, beam.prefix[-1], beam.log_prob()
        for character, log_prob in characters:
            if character == DELIMITER and last in (START, DELIMITER):  # no second space, and none at the start
                continue
            # After the same character only paths that end in a blank: a double letter needs one between.
            paths = (beam.in_blank if character == last else either) + log_prob
            longer = found.get(prefix + character)
            if longer:
                longer.in_character = _add(longer.in_character, paths)
            elif paths > _IMPOSSIBLE and paths + beam.language + bonus >= least:
                language, state = beam.language, beam.state_after()
                if state is not None:
                    language += weight * state.log_prob(character) + bonus
                found[prefix + character] = Beam(prefix + character, language, _IMPOSSIBLE, paths, before=state)
    return found.values()


def _same(beam: Beam, blank: float, characters: Mapping[str, float]) -> Beam:
    """Return the beam after a frame that appends nothing: a blank, a repeat, or a space that does not count."""
    last, in_character = beam.prefix[-1], _IMPOSSIBLE
    if last in characters:
        in_character = beam.in_character + characters[last]
    if DELIMITER in characters and last == DELIMITER:
        in_character = _add(in_character, beam.in_blank + characters[DELIMITER])
    elif DELIMITER in characters and last == START:
        in_character = beam.log_prob() + characters[DELIMITER]
    return Beam(beam.prefix, beam.language, beam.log_prob() + blank, in_character, beam.before, beam.state_after())


def _best(beams: Sequence[Beam], language_model: LanguageModel | None) -> str:
    """Return the best text of the last frame's beams; a space at the end does not count."""
    whole: dict[str, Beam] = {}
    for beam in sorted(beams, key=lambda beam: beam.prefix.endswith(DELIMITER)):
        spaced = beam.prefix.endswith(DELIMITER)
        prefix, state = beam.prefix.rstrip(DELIMITER), beam.before if spaced else beam.state_after()
        text = whole.setdefault(prefix, Beam(prefix, beam.language, state=state))
        text.in_blank = _add(text.in_blank, beam.in_blank)
        text.in_character = _add(text.in_character, beam.in_character)

    def score(beam: Beam) -> float:
        return beam.score() + (language_model.weight * beam.state.log_prob(END) if language_model else 0.0)

    return max(whole.values(), key=score).prefix[1:].replace(DELIMITER, " ")


def _add(a: float, b: float) -> float:
    """Return log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == _IMPOSSIBLE else a + math.log1p(math.exp(b - a))
