"""Words of a corpus that differ by a letter or two: spellings of one word, or different words."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

_SHORTEST = 3  # characters: nearly all shorter words differ by one
_LONG = 8  # words of so many characters may differ by two
_RARER = 3  # times: so much rarer than the other one is a doubtful spelling
_MOST_TESTED = 3  # words of an utterance that nobody doubts, tested to learn what is usual
_MOST_LETTERS = 40  # of a word; longer ones are damage, and have too many deletions


@dataclass(frozen=True)
class Swap:
    """A word of an utterance and the word that may be meant.

    Attributes:
        at: number of the word in its utterance.
        is_doubtful: whether the word is much rarer than the other. If not, it shows how right words compare.
    """

    at: int
    word: str
    other: str
    is_doubtful: bool


class Spellings:
    """Knows the words of all texts and which ones are near to each other."""

    def __init__(self, texts: Iterable[str]):
        self.counts = Counter(word for text in texts for word in text.split())
        self._near = _near(self.counts)

    def swaps(self, text: str) -> list[Swap]:
        """Return the swaps to test in a text: doubtful words with the two most frequent near them, and some others."""
        found, usual = [], []
        for at, word in enumerate(text.split()):
            near = self._near.get(word, [])
            better = [other for other in near if self.counts[other] >= _RARER * self.counts[word]][:2]
            found += [Swap(at, word, other, True) for other in better]
            if near and not better:
                usual.append(Swap(at, word, near[0], False))
        return found + usual[:_MOST_TESTED]


def swapped(text: str, swap: Swap) -> str:
    """Return a text with its word replaced."""
    words = text.split()
    words[swap.at] = swap.other
    return " ".join(words)


def _near(counts: Counter[str]) -> dict[str, list[str]]:
    """Return word → the words near it, the most frequent first.

    Two words that differ by n characters are equal once up to n characters of each are deleted (Garbe 2012, SymSpell).
    """
    of_rest: dict[str, list[str]] = defaultdict(list)
    for word in sorted(counts):
        if _SHORTEST <= len(word) <= _MOST_LETTERS:
            for rest in _rests(word):
                of_rest[rest].append(word)
    near: dict[str, set[str]] = defaultdict(set)
    for words in of_rest.values():
        for one, other in itertools.combinations(words, 2):
            if Levenshtein.distance(one, other) <= _most_edits(one, other):
                near[one].add(other)
                near[other].add(one)
    return {word: sorted(others, key=lambda other: (-counts[other], other)) for word, others in near.items()}


def _rests(word: str) -> set[str]:
    rests: set[str] = {word}
    for _ in range(2 if len(word) >= _LONG else 1):
        rests |= {rest[:at] + rest[at + 1 :] for rest in rests for at in range(len(rest))}
    return rests


def _most_edits(*words: Sequence[str]) -> int:
    return 2 if min(map(len, words)) >= _LONG else 1
