"""Whether a text is of the transcripts' language: by how much knowing its letters so far helps to tell the next one.

A model of the transcripts' letters in context is compared with the frequencies of the same letters. In the language of
the transcripts the context helps; in another one it helps little or misleads, whatever letters the two share. How much
it helps at home is measured on the validation split, so that a small corpus, which knows little, expects little.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from u2u_hf.recognition import character_model
from u2u_hf.recognition.character_model import END, GAP, START
from u2u_hf.recognition.decoding import DELIMITER

_ORDER = 5
# Below this share of what the context gives at home, a text is of another language. Measured with Mboshi (15 minutes),
# Abui and the demo's language, each beside the others and English: 0.8 and more at home, less than 0 abroad.
_LEAST = 0.25


@dataclass(frozen=True)
class Gain:
    """What the context of its characters makes a text more probable, natural log, and its number of characters."""

    log_ratio: float
    characters: int


class Familiarity:
    """Knows the spelling of transcripts.

    Args:
        transcripts: to learn from.
        others: of the same language, to measure what is usual.
    """

    def __init__(self, transcripts: Sequence[str], others: Sequence[str]):
        self._context = character_model.learn(transcripts, _ORDER)
        self._frequencies = character_model.learn(transcripts, 1)
        self._usual = _mean([self.gain(text) for text in others])

    def gain(self, text: str) -> Gain:
        """Return the gain of a text: words separated by spaces; `GAP` stands for words that were left out."""
        spelled = f"{START}{DELIMITER.join(text.split())}{END}"
        log_ratio, count, begin = 0.0, 0, 0
        for at in range(1, len(spelled)):
            character = spelled[at]
            if character == GAP:
                begin = at + 1
                continue
            before = spelled[max(begin, at - _ORDER + 1) : at]
            log_ratio += self._context.log_prob(before, character) - self._frequencies.log_prob("", character)
            count += 1
        return Gain(log_ratio, count)

    def is_familiar(self, gains: Iterable[Gain]) -> bool:
        """Return whether the texts with these gains are, together, of the transcripts' language.

        If there was no text to measure what is usual, all are.
        """
        # With little text the context misleads at home too: a share of less than 0 would ask for more than is usual.
        return not math.isfinite(self._usual) or _mean(gains) >= min(_LEAST * self._usual, self._usual)


def _mean(gains: Iterable[Gain]) -> float:
    gains = list(gains)
    total = sum(gain.characters for gain in gains)
    return sum(gain.log_ratio for gain in gains) / total if total else math.inf
