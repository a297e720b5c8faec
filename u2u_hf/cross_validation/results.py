"""What a cross-validation found, as plain values: the scores with intervals over speakers (or recordings)."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from u2u_hf.cross_validation.run import CrossValidation
from u2u_hf.cross_validation.unseen import Unseen
from u2u_hf.evaluation.intervals import Estimate, estimate
from u2u_hf.evaluation.metrics import METRICS, error_rates, score_keys, scores_with_intervals
from u2u_hf.evaluation.scoring import Pair, measure, without_ignored


def evaluation_of(
    found: Sequence[Unseen], what: str, ignored: Sequence[str | Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Return what `scoring.measure` returns, with intervals for other speakers (or recordings) like these.

    Args:
        what: ``speaker`` or ``recording``.
        ignored: what the second scores leave aside.
    """
    pairs = [unseen.pair for unseen in found]
    metrics = measure(pairs, ignored)
    metrics |= _with_interval(_rates(pairs, what))
    if ignored:
        metrics["ignoring"] |= _with_interval(_rates(without_ignored(pairs, ignored), what))
    return metrics


def summary(metrics: Mapping[str, Any], found: Sequence[Unseen], done: CrossValidation) -> dict[str, Any]:
    """Return leave_out.json.

    Rates are 0…1 and above. ``new_sentences`` are the scores of the utterances whose text was not in the training part,
    None if there are none.

    Args:
        metrics: from `evaluation_of`.
    """
    intervals = {}
    for name in METRICS:
        key, low, high = score_keys(name)
        intervals |= {key: metrics[key], f"{key}_interval": [metrics[low], metrics[high]]}
    new = [unseen.pair for unseen in found if unseen.is_new_sentence]
    return {
        "leave_out": done.asked.leave_out,
        **intervals,
        "utterances": len(found),
        "seconds": metrics["seconds"],
        "by_speaker": metrics["speakers"],
        "by_recording": metrics["recordings"],
        "new_sentences": {**_plain_rates(new), "utterances": len(new)} if new else None,
        "ignoring": metrics.get("ignoring"),
        "base_model": Path(base).name if os.path.isabs(base := done.training.base_model) else base,
        "settings": dict(done.training.settings),
        "folds": fold_rows(found, done),
    }


def fold_rows(found: Sequence[Unseen], done: CrossValidation) -> list[dict[str, Any]]:
    """Return for each fold what it left out, its scores there with intervals over utterances, and its training."""
    rows, seconds = [], done.rows["duration"][:]
    for fold in done.folds:
        own = [unseen.pair for unseen in found if unseen.fold == fold.number]
        parts = {"hours": fold.left_out, "training_hours": fold.train, "validation_hours": fold.validation}
        rows.append(
            {
                "fold": fold.number,
                "left_out": list(fold.names),
                **scores_with_intervals([pair.hypothesis for pair in own], [pair.reference for pair in own]),
                "utterances": len(own),
                **{name: round(sum(seconds[row] for row in part) / 3600, 4) for name, part in parts.items()},
                **asdict(done.state.runs[fold.number]),
            }
        )
    return rows


def _plain_rates(pairs: Sequence[Pair]) -> dict[str, float]:
    return error_rates([pair.hypothesis for pair in pairs], [pair.reference for pair in pairs])


def _rates(pairs: Sequence[Pair], what: str) -> dict[str, Estimate]:
    """Return each metric with its interval over speakers (or recordings), see `evaluation.intervals`.

    The recognisers of two folds learnt in part from the same speech, so that their errors are a little alike: the
    intervals leave this aside, as all of cross-validation do (Bengio and Grandvalet 2004, No unbiased estimator of the
    variance of k-fold cross-validation).
    """
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[getattr(pair, what)].append(pair)
    rates = {}
    for name, metric in METRICS.items():
        texts = (([p.hypothesis for p in group], [p.reference for p in group]) for group in groups.values())
        counts = np.stack([metric.counts(*both).sum(0) for both in texts])
        rates[name] = estimate(counts[:, 0], counts[:, 1])
    return rates


def _with_interval(rates: Mapping[str, Estimate]) -> dict[str, float]:
    """Return the `score_keys` of each metric; no error rate is below 0."""
    found = {}
    for name, rate in rates.items():
        low, high = rate.interval or (rate.value, rate.value)
        found |= dict(zip(score_keys(name), (rate.value, max(0.0, low), high), strict=True))
    return found
