"""n-grams of characters: what makes a language model of any text, also of words that no text has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from u2u_hf.recognition import arpa, ngrams
from u2u_hf.recognition.decoding import DELIMITER
from u2u_hf.records import U2UError

# One character each in n-grams; ARPA files spell START and END as usual.
START, END = "\x02", "\x03"
# Stands in a text for words that were left out: no n-gram reaches over it.
GAP = "\x1a"
_NAMES = {START: arpa.START, END: arpa.END}


@dataclass(frozen=True)
class CharacterModel:
    """Log-probabilities of characters in context, natural logarithms.

    Attributes:
        order: characters in the longest n-grams.
        log_probs: n-gram (a string) → log-probability of its last character after the others.
        backoffs: n-gram → what is added if a longer one is not in `log_probs`.
        unknown: log-probability of a character that the texts do not contain.
    """

    order: int
    log_probs: dict[str, float]
    backoffs: dict[str, float]
    unknown: float

    def log_prob(self, text: str, character: str) -> float:
        """Return the log-probability that `character` follows `text`, which begins with `START` or is its end."""
        context, backoff = text[-(self.order - 1) :] if self.order > 1 else "", 0.0
        while (found := self.log_probs.get(context + character)) is None:
            if not context:
                return backoff + self.unknown
            backoff += self.backoffs.get(context, 0.0)
            context = context[1:]
        return backoff + found


def learn(texts: Iterable[str], order: int) -> CharacterModel:
    """Return a model of texts.

    Args:
        texts: words separated by spaces; `GAP` stands for words that were left out.
        order: characters in the longest n-grams, 1 to 20.

    Raises:
        U2UError: the texts have no characters, or the order is invalid.
    """
    if not 1 <= order <= 20:
        raise U2UError(f"--order {order}: give a number of characters from 1 to 20, 6 for example")
    whole = "".join(START + DELIMITER.join(text.split()) + END for text in texts)
    alphabet, symbols = np.unique(np.frombuffer(whole.encode("utf-32-le"), np.uint32), return_inverse=True)
    spelled = [chr(code) for code in alphabet]
    if not {*spelled} - {START, END, GAP, DELIMITER}:
        raise U2UError("the training texts hold no character to learn: look at the dataset's text column")
    levels, lowest = ngrams.learn(symbols, begins(symbols, spelled), order, spelled.index(START))
    uniform = 1 / (int((levels[0].counts > 0).sum()) + 1)  # one more for unknown characters
    log_probs: dict[str, float] = {}
    backoffs: dict[str, float] = {}
    names, probabilities, before = [""], np.array([uniform]), np.array([lowest])
    for level in levels:
        probabilities = level.own + before[level.parents] * probabilities[level.shorter]
        names = [names[parent] + spelled[symbol] for parent, symbol in zip(level.parents, level.symbols, strict=True)]
        before = level.backoffs
        keys = [*zip(names, level.counts > 0, strict=True)]
        logs = np.log(probabilities).tolist()
        log_probs |= {name: log for (name, predicted), log in zip(keys, logs, strict=True) if predicted}
        backoffs |= dict(zip(names, np.log(before).tolist(), strict=True))
    return CharacterModel(order, log_probs, _needed(backoffs), math.log(lowest * uniform))


def _needed(backoffs: dict[str, float]) -> dict[str, float]:
    """Return the backoffs that change something: of n-grams that are contexts of others."""
    return {ngram: backoff for ngram, backoff in backoffs.items() if backoff}


def begins(symbols: np.ndarray, spelled: Sequence[str]) -> np.ndarray:
    """Return for each place the first one that may be in one n-gram with it: after the last `START` or `GAP`."""
    places = np.arange(len(symbols))
    first = np.where(symbols == spelled.index(START), places, 0)
    if GAP in spelled:
        first = np.where(symbols == spelled.index(GAP), places + 1, first)
    return np.maximum.accumulate(first)


def save(model: CharacterModel, path: Path) -> None:
    """Write the model.

    Raises:
        U2UError: the file cannot be written.
    """
    rows: dict[int, list[str]] = {}
    for ngram in sorted(model.log_probs):
        spelled = " ".join(_NAMES.get(character, character) for character in ngram)
        rows.setdefault(len(ngram), []).append(arpa.row(model.log_probs[ngram], spelled, model.backoffs.get(ngram)))
    # START follows nothing and needs no probability, but ARPA stores its backoff beside one.
    rows[1].append(arpa.row(arpa.NEVER, arpa.START, model.backoffs.get(START)))
    rows[1].append(arpa.row(model.unknown, arpa.UNKNOWN))
    arpa.write(path, rows)


def load(path: Path) -> CharacterModel:
    """Return the model in a file.

    Raises:
        KeyError, and as `arpa.read`: the file is damaged.
    """
    characters = {name: character for character, name in _NAMES.items()}
    log_probs: dict[str, float] = {}
    backoffs: dict[str, float] = {}
    order = 0
    for length, log_prob, spelled, backoff in arpa.read(path):
        order = max(order, length)
        ngram = "".join(characters.get(part, part) for part in spelled.split(" "))
        log_probs[ngram] = log_prob
        if backoff is not None:
            backoffs[ngram] = backoff
    del log_probs[START]
    return CharacterModel(order, log_probs, backoffs, log_probs.pop(arpa.UNKNOWN))
