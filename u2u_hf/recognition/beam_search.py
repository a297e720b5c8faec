"""CTC prefix beam search: the most probable text, not the text of the most probable path.

Graves and Jaitly 2014, section 5; with a language model as Hannun et al. 2014, section 2.
"""

from __future__ import annotations

import math

import numpy as np

from u2u_hf.recognition.decoding import DELIMITER, Labels, collapse
from u2u_hf.recognition.language_model import END, START, LanguageModel

_NEVER = -math.inf
# Characters that are so much less probable in a frame are not looked at: exp(-9) is one in 8,000.
_LEAST_LOG_PROB = -9.0


def best_text(log_probs: np.ndarray, labels: Labels, model: LanguageModel | None) -> str:
    """What was heard: by `beam_search` with a language model, else by the best label of each frame.

    Args:
        log_probs: float32 [T, V], natural logarithms of probabilities.
    """
    return beam_search(log_probs, labels, model) if model else collapse(log_probs.argmax(1), labels)


def beam_search(log_probs: np.ndarray, labels: Labels, model: LanguageModel | None = None, beam: int = 16) -> str:
    """The best text, words apart by one space.

    Its score is the log-probability of all paths that spell it, and with a language model, this one's
    log-probability times its weight, and its bonus for each character.

    Args:
        log_probs: float32 [T, V], natural logarithms of probabilities.
        beam: beginnings of texts that are kept from frame to frame.
    """
    silent = [label for label, symbol in enumerate(labels.symbols) if not symbol]
    blank = np.logaddexp.reduce(log_probs[:, silent], axis=1)
    # Beginning of a text → log-probability of its paths that end in a blank, and in its last character.
    beams: dict[str, tuple[float, float]] = {START: (0.0, _NEVER)}
    language: dict[str, float] = {START: 0.0}
    for row, silence in zip(log_probs, blank, strict=True):
        heard = [(labels.symbols[i], float(row[i])) for i in np.flatnonzero(row > _LEAST_LOG_PROB)]
        grown: dict[str, tuple[float, float]] = {}
        for text, (ended, open_) in beams.items():
            either, last = _add(ended, open_), text[-1]
            _put(grown, text, either + float(silence), _NEVER)
            for symbol, log_prob in heard:
                if not symbol:
                    continue
                if symbol == last:
                    _put(grown, text, _NEVER, open_ + log_prob)
                paths = ended if symbol == last else either
                if symbol == DELIMITER and last in (START, DELIMITER):  # a second space is none
                    _put(grown, text, _NEVER, paths + log_prob)
                elif paths > _NEVER:
                    _put(grown, text + symbol, _NEVER, paths + log_prob)
                    if text + symbol not in language:
                        language[text + symbol] = language[text] + _worth(model, text, symbol)
        kept = sorted(grown, key=lambda text: -(_add(*grown[text]) + language[text]))[:beam]
        beams = {text: grown[text] for text in kept}
        language = {text: language[text] for text in kept}
    whole: dict[str, tuple[float, float]] = {}
    for text, paths in beams.items():
        _put(whole, text.rstrip(DELIMITER), *paths)

    def score(text: str) -> float:
        worth = language[text] if text in language else language[text + DELIMITER]
        return _add(*whole[text]) + worth + (model.weight * model.log_prob(text, END) if model else 0.0)

    return max(whole, key=score)[1:].replace(DELIMITER, " ")


def _worth(model: LanguageModel | None, text: str, symbol: str) -> float:
    return model.weight * model.log_prob(text, symbol) + model.bonus if model else 0.0


def _put(beams: dict[str, tuple[float, float]], text: str, ended: float, open_: float) -> None:
    before = beams.get(text)
    beams[text] = (ended, open_) if before is None else (_add(before[0], ended), _add(before[1], open_))


def _add(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == _NEVER else a + math.log1p(math.exp(b - a))
