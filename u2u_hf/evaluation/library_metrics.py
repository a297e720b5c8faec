"""Our metrics in the form of the library `evaluate`, which would download its own from the Hub."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import datasets
import evaluate


class LibraryMetric(evaluate.Metric):
    """A metric of texts.

    Args:
        name: its key in what is computed.
        unit: what is counted, in the plural: ``characters``.
        score: hypotheses, references → errors over length.
    """

    def __init__(self, name: str, unit: str, score: Callable[[Sequence[str], Sequence[str]], float]):
        self._key, self._unit, self._score = name, unit, score
        super().__init__()

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=f"share of {self._unit} that are wrong; above 1 where the hypotheses are too long",
            citation="https://github.com/jitsi/jiwer",
            inputs_description="strings",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(self, predictions, references) -> dict[str, float]:
        return {self._key: self._score(predictions, references)}


def compute(metrics: Iterable[LibraryMetric], predictions: list[str], references: list[str]) -> dict[str, float]:
    """Return every metric over all pairs, by its name."""
    return evaluate.combine([*metrics]).compute(predictions=predictions, references=references)
