"""n-grams of words, asked character by character: what is the next character of a word that the texts have?

Every estimate is a sum over the words that begin with what is spelled so far. The words are sorted, so that these lie
side by side, and the words after a context are sorted too, with their running sums: a sum needs two binary searches.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from u2u_hf.recognition import arpa, ngrams
from u2u_hf.recognition.character_model import GAP, START, begins

_ORDER = 3
_RESERVED = {START, arpa.START, arpa.END, arpa.UNKNOWN}


@dataclass(frozen=True)
class Level:
    """The n-grams of one length, ordered by their first n - 1 words and then by their last one.

    Attributes:
        words: the last word of each, its place in the vocabulary.
        sums: the running sum of their own estimates (`ngrams.Level.own`) over those with the same first n - 1 words.
        backoffs: of each as a context; 1 where it is none.
        begins: where those of the next level begin whose context it is; one number more than there are n-grams.
    """

    words: array[int]
    sums: array[float]
    backoffs: array[float]
    begins: array[int]


@dataclass(frozen=True)
class WordModel:
    """Estimates of words in context; these are probabilities, not logarithms.

    Attributes:
        vocabulary: the words, sorted; the first is `START`, the context at the beginning of a text.
        levels: n-grams of one word, which are the whole vocabulary, of two, of three.
        unknown: the share that words have which the texts do not contain.
    """

    vocabulary: Sequence[str]
    levels: Sequence[Level]
    unknown: float

    def start(self, share: float) -> Spelling:
        """Return what is spelled at the beginning of a text: nothing yet.

        Args:
            share: of this model in the whole language model, 0 to 1.
        """
        return self._spelling(((0, 0),), share)

    def _spelling(self, contexts: tuple[tuple[int, int], ...], share: float) -> Spelling:
        """Args: contexts: level and place of each n-gram that ends the text, the shortest first."""
        spans: list[_Span] = []
        weight = share
        for number, place in reversed(contexts):
            begin, end = self.levels[number].begins[place : place + 2]
            if begin < end:
                spans.append((self.levels[number + 1], weight, begin, begin, end))
                weight *= self.levels[number].backoffs[place]
        spans.append((self.levels[0], weight, 0, 0, len(self.vocabulary)))
        known = share - weight * self.unknown
        return Spelling(self, share, contexts, "", 0, len(self.vocabulary), tuple(spans), known)


# Level, weight, where the context's words begin, and where those begin and end that begin with what is spelled.
_Span = tuple[Level, float, int, int, int]


@dataclass(frozen=True, slots=True)
class Spelling:
    """The beginning of a word, and which words of the vocabulary it may become.

    Attributes:
        contexts: see `WordModel._spelling`.
        prefix: what is spelled.
        low, high: the places of the words that begin with it.
        mass: the sum of their estimates, weighted.
    """

    model: WordModel
    share: float
    contexts: tuple[tuple[int, int], ...]
    prefix: str
    low: int
    high: int
    spans: tuple[_Span, ...]
    mass: float

    def longer(self, character: str) -> Spelling:
        """Return the spelling with one more character."""
        vocabulary, prefix = self.model.vocabulary, self.prefix + character
        low = bisect_left(vocabulary, prefix, self.low, self.high)
        return self._narrowed(prefix, low, bisect_left(vocabulary, f"{prefix}{chr(0x10FFFF)}", low, self.high))

    def whole(self) -> Spelling:
        """Return the spelling as a whole word, which may be none of the vocabulary."""
        is_word = self.low < self.high and self.model.vocabulary[self.low] == self.prefix
        return self._narrowed(self.prefix, self.low, self.low + is_word)

    def _narrowed(self, prefix: str, low: int, high: int) -> Spelling:
        spans: list[_Span] = []
        mass = 0.0
        if low < high:
            for level, weight, first, begin, end in self.spans:
                begin = bisect_left(level.words, low, begin, end)
                end = bisect_left(level.words, high, begin, end)
                if begin < end:
                    spans.append((level, weight, first, begin, end))
                    mass += weight * (level.sums[end - 1] - (level.sums[begin - 1] if begin > first else 0.0))
        return Spelling(self.model, self.share, self.contexts, prefix, low, high, tuple(spans), mass)

    def next_word(self) -> Spelling:
        """Return what is spelled after this word, which `whole` gave: nothing yet."""
        levels, contexts = self.model.levels, []
        if self.low < self.high:
            contexts.append((0, self.low))
            for number, place in self.contexts:
                if number + 2 < len(levels):
                    words, begins = levels[number + 1].words, levels[number].begins
                    found = bisect_left(words, self.low, begins[place], begins[place + 1])
                    if found < begins[place + 1] and words[found] == self.low:
                        contexts.append((number + 1, found))
        return self.model._spelling(tuple(contexts), self.share)


def learn(texts: Iterable[str]) -> WordModel:
    """Return a model of texts: words separated by spaces; `GAP` stands for words that were left out."""
    words = [word for text in texts for word in (START, *(GAP if w in _RESERVED else w for w in text.split()))]
    spelled = sorted({*words, START})
    numbers = {word: number for number, word in enumerate(spelled)}
    symbols = np.array([numbers[word] for word in words], np.int64)
    levels, unknown = ngrams.learn(symbols, begins(symbols, spelled), _ORDER, 0)
    places = np.cumsum([word != GAP for word in spelled]) - 1
    return WordModel(
        [word for word in spelled if word != GAP],
        [
            _level(places[level.symbols], level.parents, level.own, level.backoffs, longer.parents if longer else ())
            for level, longer in zip(levels, [*levels[1:], None], strict=True)
        ],
        unknown,
    )


def _level(
    words: Sequence[int],
    parents: Sequence[int],
    own: Sequence[float],
    backoffs: Sequence[float],
    parents_of_longer: Sequence[int],
) -> Level:
    followers = np.bincount(np.asarray(parents_of_longer, np.int64), minlength=len(words))
    sums, total, before = array("d"), 0.0, -1
    for parent, value in zip(np.asarray(parents).tolist(), np.asarray(own).tolist(), strict=True):
        total = total + value if parent == before else value
        before = parent
        sums.append(total)
    begins = np.concatenate([[0], np.cumsum(followers)])
    arrays = (array("i", np.asarray(words).tolist()), sums, array("d", np.asarray(backoffs).tolist()))
    return Level(*arrays, array("i", begins.tolist()))


def save(model: WordModel, path: Path) -> None:
    """Write the model. Of words that the texts do not contain, the file says only how probable they are together.

    Raises:
        U2UError: the file cannot be written.
    """
    rows: dict[int, list[str]] = {}
    probabilities: list[dict[tuple[int, ...], float]] = []
    before: list[tuple[tuple[int, ...], float]] = [((), 1.0)]  # contexts and their backoffs
    begins: Sequence[int] = [0, len(model.vocabulary)]
    for level in model.levels:
        found: dict[tuple[int, ...], float] = {}
        lines, contexts = [], []
        for place, (context, backoff) in enumerate(before):
            for at in range(begins[place], begins[place + 1]):
                ngram = (*context, level.words[at])
                own = level.sums[at] - (level.sums[at - 1] if at > begins[place] else 0.0)
                found[ngram] = own + (backoff * probabilities[-1][ngram[1:]] if context else 0.0)
                contexts.append((ngram, level.backoffs[at]))
                has_longer = level.begins[at] < level.begins[at + 1]
                spelled = " ".join(arpa.START if number == 0 else model.vocabulary[number] for number in ngram)
                log_prob = math.log(found[ngram]) if found[ngram] > 0 else arpa.NEVER
                lines.append(arpa.row(log_prob, spelled, math.log(level.backoffs[at]) if has_longer else None))
        rows[len(rows) + 1] = lines
        probabilities.append(found)
        before, begins = contexts, level.begins
    rows[1].append(arpa.row(math.log(model.unknown), arpa.UNKNOWN))
    arpa.write(path, rows)


def load(path: Path) -> WordModel:
    """Return the model in a file.

    Raises:
        KeyError, and as `arpa.read`: the file is damaged.
    """
    found: dict[int, list[tuple[tuple[str, ...], float, float]]] = {}
    for length, log_prob, spelled, backoff in arpa.read(path):
        ngram = tuple(START if word == arpa.START else word for word in spelled.split(" "))
        if len(ngram) != length:
            raise ValueError("an n-gram has another length than it says")
        found.setdefault(length, []).append((ngram, math.exp(log_prob), math.exp(backoff or 0.0)))
    [unknown] = [probability for ngram, probability, _ in found[1] if ngram == (arpa.UNKNOWN,)]
    found[1] = [row for row in found[1] if row[0] != (arpa.UNKNOWN,)]
    rows = {length: sorted(rows) for length, rows in sorted(found.items())}
    vocabulary = [word for (word,), *_ in rows[1]]
    numbers = {word: number for number, word in enumerate(vocabulary)}
    if vocabulary[0] != START or [*rows] != [*range(1, len(rows) + 1)]:
        raise ValueError("n-grams are missing")
    levels, parents = [], [0] * len(vocabulary)
    own = [0.0, *(probability for _, probability, _ in rows[1][1:])]
    for length, level in rows.items():
        places = {ngram: place for place, (ngram, *_) in enumerate(level)}
        longer = rows.get(length + 1, ())
        parents_of_longer = [places[ngram[:-1]] for ngram, *_ in longer]
        words, backoffs = [numbers[ngram[-1]] for ngram, *_ in level], [backoff for *_, backoff in level]
        levels.append(_level(words, parents, own, backoffs, parents_of_longer))
        # What an n-gram has more than its shorter one gives it; rounding in the file may make it less.
        own = [
            max(probability - backoffs[parent] * level[places[ngram[1:]]][1], 0.0)
            for parent, (ngram, probability, _) in zip(parents_of_longer, longer, strict=True)
        ]
        parents = parents_of_longer
    return WordModel(vocabulary, levels, unknown)
