"""What is known of each model after its training: scores on the same utterances, steps, speed, size."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub import ModelCard

from u2u_hf.comparison.bases import Base
from u2u_hf.evaluation.intervals import Estimate, estimate
from u2u_hf.evaluation.metrics import MAIN, METRICS
from u2u_hf.model_folder import CARD, STATE, checkpoints
from u2u_hf.publishing.cards.front_matter import listed
from u2u_hf.records import U2UError

_FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Result:
    """A model that was trained and scored.

    Attributes:
        model: as on the command line. folder: of its training.
        counts: metric → int64 [R, 2], the errors and the length of each recording, in the order of `recordings`.
        history: Trainer's ``log_history``; what a run did not log is unknown, and None below.
        steps: optimizer steps. passes: over the training data.
        parameters: number of weights. licence: as the model's card has it, or the empty string.
    """

    model: str
    folder: Path
    recordings: tuple[str, ...]
    counts: Mapping[str, np.ndarray]
    history: Sequence[Mapping[str, Any]]
    steps: int | None
    passes: float | None
    parameters: int
    licence: str

    @cached_property
    def rates(self) -> dict[str, Estimate]:
        """Return every metric with its interval."""
        return {name: estimate(counts[:, 0], counts[:, 1]) for name, counts in self.counts.items()}

    @property
    def cer(self) -> float:
        return self.rates[MAIN].value

    def above(self, other: Result) -> Estimate:
        """Return how much higher its error rate is than another's on the same utterances, paired by recording."""
        mine, theirs = self.counts[MAIN], other.counts[MAIN]
        return estimate(mine[:, 0] - theirs[:, 0], mine[:, 1])

    @property
    def seconds(self) -> float | None:
        """Return the seconds of training up to the last evaluation."""
        return max(self._logged("seconds"), default=None)

    @property
    def peak_bytes(self) -> int | None:
        """Return the most memory that training held: of the GPU if it has one, else of the computer."""
        return max(self._logged("peak_bytes"), default=None)

    @property
    def speed(self) -> float | None:
        """Return the seconds of audio that it is trained on in a second; the median, because evaluations slow some."""
        found = self._logged("audio_seconds_per_second")
        return float(np.median(found)) if found else None

    @property
    def curve(self) -> list[tuple[float, float]]:
        """Return the minutes and the error rate of each evaluation during training."""
        key = f"eval_{MAIN}"
        return [(row["seconds"] / 60, row[key]) for row in self.history if key in row and "seconds" in row]

    def _logged(self, key: str) -> list[Any]:
        return [row[key] for row in self.history if key in row]


def result_of(base: Base) -> Result:
    """Return what train.py and evaluate.py wrote about a model.

    Raises:
        U2UError: a file is missing or damaged.
    """
    try:
        recordings, counts = _counts(base.scores / "pairs.tsv")
        state = _state(base.trained)
        weights = sum(path.stat().st_size for path in base.trained.glob("model*.safetensors"))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise U2UError(
            f"{base.trained}: is damaged ({error}): remove this folder, and run the command again"
        ) from error
    return Result(
        base.model,
        base.trained,
        recordings,
        counts,
        state.get("log_history", []),
        state.get("global_step"),
        state.get("epoch"),
        weights // _FLOAT32_BYTES,
        _licence(base.trained / CARD),
    )


def _counts(pairs: Path) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    heads, *rows = (line.split("\t") for line in pairs.read_text(encoding="utf-8").splitlines())
    texts: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows:
        cells = dict(zip(heads, row, strict=True))
        texts[cells["recording"]].append((cells["hypothesis"], cells["reference"]))
    counts = {
        name: np.stack([metric.counts(*zip(*group, strict=True)).sum(0) for group in texts.values()])
        for name, metric in METRICS.items()
    }
    return tuple(texts), counts


def _state(folder: Path) -> dict[str, Any]:
    """Return Trainer's state at the last checkpoint; empty if the run kept none."""
    states = [path / STATE for path in checkpoints(folder).values() if (path / STATE).is_file()]
    return json.loads(states[-1].read_text(encoding="utf-8")) if states else {}


def _licence(card: Path) -> str:
    try:
        return ", ".join(listed(ModelCard.load(card).data.get("license")))
    except Exception:  # of several libraries; a card that somebody's edit has damaged tells nothing
        return ""


def best_first(results: Sequence[Result]) -> list[Result]:
    return sorted(results, key=lambda result: result.cer)


def as_rows(results: Sequence[Result], problems: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the comparison as plain values for JSON: the best model first, those that failed last.

    Rates are 0…1 and above; an interval is None with fewer than two recordings. ``difference`` is the error rate less
    that of the best model, and None for itself.
    """
    rows = [_row(result, results[0]) for result in results]
    return rows + [{"model": model, "problem": problem} for model, problem in problems.items()]


def _row(result: Result, best: Result) -> dict[str, Any]:
    difference = None if result is best else result.above(best)
    rates = {key: value for name, rate in result.rates.items() for key, value in _pair(name, rate).items()}
    return {
        "model": result.model,
        **rates,
        **_pair("difference", difference),
        "steps": result.steps,
        "passes": result.passes,
        "seconds": result.seconds,
        "audio_seconds_per_second": result.speed,
        "parameters": result.parameters,
        "peak_bytes": result.peak_bytes,
        "licence": result.licence,
        "folder": result.folder.name,
        "recordings": {
            name: {"errors": int(errors), "characters": int(length)}
            for name, (errors, length) in zip(result.recordings, result.counts[MAIN], strict=True)
        },
    }


def _pair(name: str, found: Estimate | None) -> dict[str, Any]:
    return {name: found and found.value, f"{name}_interval": found and found.interval}
