"""Which language model a recogniser gets, and with which weights: chosen on the validation split."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from u2u_hf.evaluation.metrics import CHARACTERS, WORDS, error_counts, rate
from u2u_hf.progress_bar import progress_bar
from u2u_hf.recognition.beam_search import best_text
from u2u_hf.recognition.character_model import END
from u2u_hf.recognition.decoding import DELIMITER, Labels
from u2u_hf.recognition.language_model import LanguageModel

WEIGHTS = (0.2, 0.4, 0.7, 1.0, 1.5)
BONUSES = (0.0, 0.5, 1.0, 2.0)
SHARES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
# 20 ms each: 10 minutes of speech are enough to choose.
_FRAMES = 30_000


@dataclass(frozen=True)
class Tried:
    """A language model with its weights, and the validation split's error rates with it; None is none at all."""

    name: str
    language_model: LanguageModel | None
    cer: float
    wer: float


def try_all(
    log_probs: Sequence[np.ndarray], references: Sequence[str], labels: Labels, models: Mapping[str, LanguageModel]
) -> list[Tried]:
    """Tune each model and score it, the recogniser without any first.

    Args:
        log_probs: float32 [T, V] of each utterance of the validation split.
        models: by the name that users see.
    """
    without = Tried("no language model", None, *_rates(log_probs, references, labels, None))
    tuned = {name: tune(log_probs, references, labels, model) for name, model in models.items()}
    return [without, *(Tried(name, it, *_rates(log_probs, references, labels, it)) for name, it in tuned.items())]


def best_of(tried: Sequence[Tried]) -> Tried:
    """Return the one with the lowest character error rate; of equals the lowest word error rate, then the first."""
    return min(tried, key=lambda one: (one.cer, one.wer))


def table(tried: Sequence[Tried]) -> str:
    """Return the error rates in lines, for people."""
    width = max(len(one.name) for one in tried)
    rows = (f"  {one.name:{width}}  CER {one.cer:6.2%}  WER {one.wer:6.2%}" for one in tried)
    return "\n".join(["validation with", *rows])


def with_words(language_model: LanguageModel, texts: Sequence[str]) -> LanguageModel:
    """Return the model with the share of its words that makes the texts most probable: of words or letters alone too.

    Args:
        texts: that the model was not learned from.
    """
    models = [dataclasses.replace(language_model, share=share) for share in SHARES]
    return max(models, key=lambda model: sum(_log_prob(model, text) for text in texts))


def _log_prob(language_model: LanguageModel, text: str) -> float:
    state, total = language_model.start(), 0.0
    for character in DELIMITER.join(text.split()):
        total += state.log_prob(character)
        state = state.after(character)
    return total + state.log_prob(END)


def tune(
    log_probs: Sequence[np.ndarray], references: Sequence[str], labels: Labels, language_model: LanguageModel
) -> LanguageModel:
    """Return the model with the weight and the bonus that have the fewest errors in the first ten minutes of a split.

    The weight is chosen first, then the bonus for it, then the weight again: 10 settings, or fewer, in place of 20.

    Args:
        log_probs: float32 [T, V] of each utterance.
    """
    ends = np.cumsum([len(rows) for rows in log_probs])
    few = slice(0, max(1, int((ends <= _FRAMES).sum())))
    known: dict[tuple[float, float], float] = {}

    def errors(weight: float, bonus: float) -> float:
        if (weight, bonus) not in known:
            model = dataclasses.replace(language_model, weight=weight, bonus=bonus)
            known[weight, bonus] = _rates(log_probs[few], references[few], labels, model)[0]
        return known[weight, bonus]

    weight, bonus = WEIGHTS[0], BONUSES[1]
    for chosen in progress_bar(("weight", "bonus", "weight"), desc="tuning", unit="round"):
        if chosen == "weight":
            weight = min(WEIGHTS, key=lambda weight: errors(weight, bonus))
        else:
            bonus = min(BONUSES, key=lambda bonus: errors(weight, bonus))
    return dataclasses.replace(language_model, weight=weight, bonus=bonus)


def _rates(
    log_probs: Sequence[np.ndarray], references: Sequence[str], labels: Labels, language_model: LanguageModel | None
) -> tuple[float, float]:
    """Return the character and the word error rate."""
    texts = [best_text(rows, labels, language_model) for rows in log_probs]
    cer, wer = (float(rate(error_counts(texts, references, units).sum(0))) for units in (CHARACTERS, WORDS))
    return cer, wer
