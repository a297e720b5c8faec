"""Which model to take, in words, and the next command."""

from __future__ import annotations

import os
from collections.abc import Sequence

from u2u_hf.comparison.conditions import SharedTraining
from u2u_hf.comparison.results import Result
from u2u_hf.evaluation.intervals import Estimate
from u2u_hf.evaluation.verdict import is_useful
from u2u_hf.reports.quantities import length
from u2u_hf.settings import as_flags, quoted


def advice(results: Sequence[Result], share_hours: float, speech_hours: float) -> list[str]:
    """Return which model to take and how sure that is, in a few sentences.

    Args:
        results: the best first.
        share_hours: time that each model was trained for.
        speech_hours: length of the validation split.
    """
    if not results:
        return ["No model could be trained: see the reasons."]
    best, *others = results
    if not others:
        only = f"Only {best.model} was trained (character error rate {best.cer:.1%})"
        return [f"{only}: there is nothing to compare it with."]
    sentences = _choice(best, others, speech_hours)
    if not is_useful(best.cer):
        sentences.append(
            f"No model is useful yet: {length(share_hours)} may be too short for any of them, and the order may "
            "change: compare again for longer, in another --output_dir."
        )
    return [*sentences, _how_far(results, share_hours)]


def _choice(best: Result, others: Sequence[Result], speech_hours: float) -> list[str]:
    gaps = {other.model: other.above(best) for other in others}
    if any(gap.interval is None for gap in gaps.values()):
        return [
            f"{best.model} has the lowest character error rate, {best.cer:.1%}.",
            "Whether it is better than the others cannot be told, because all validation speech is of one recording: "
            "prepare the dataset with a larger --validation_share, and compare again in another --output_dir.",
        ]
    worse = {model: gap for model, gap in gaps.items() if _is_above(gap)}
    alike = {model: gap for model, gap in gaps.items() if model not in worse}
    if not alike:
        return [f"Take {best.model}: its character error rate, {best.cer:.1%}, is lower {_than(worse)}."]
    recordings = f"{len(best.recordings)} recordings, {length(speech_hours)}"
    sentences = [
        f"{best.model} has the lowest character error rate, {best.cer:.1%}, but it cannot be told apart from "
        f"{_listed([f'{model} ({_points(gap)})' for model, gap in alike.items()])} with this much validation speech "
        f"({recordings}).",
        "Among these, choose by licence, size and speed, or compare again with more validation speech or more time.",
    ]
    if worse:
        sentences.insert(1, f"It is lower {_than(worse)}.")
    return sentences


def _is_above(gap: Estimate) -> bool:
    return gap.interval is not None and gap.interval[0] > 0


def _than(worse: dict[str, Estimate]) -> str:
    return _listed([f"than that of {model} by {_points(gap)}" for model, gap in worse.items()])


def _points(gap: Estimate) -> str:
    """Return a difference of error rates in percentage points.

    >>> _points(Estimate(0.021, (0.008, 0.034)))
    '2.1 points, 0.8 to 3.4'
    """
    ends = f", {signed(gap.interval[0])} to {signed(gap.interval[1])}" if gap.interval else ""
    return f"{signed(gap.value)} points{ends}"


def signed(share: float) -> str:
    """Return a share in per cent with one decimal, with a true minus sign, and never −0.0."""
    return f"{round(100 * share, 1) + 0:.1f}".replace("-", "−")


def _how_far(results: Sequence[Result], share_hours: float) -> str:
    came = [f"{r.model} {r.steps:,} steps, {r.passes:.1f} passes" for r in results if r.steps and r.passes is not None]
    far = f" ({'; '.join(came)} over the training data)" if came else ""
    return (
        f"This holds for {length(share_hours)} of training each{far}. Short times favour fast models: one that came "
        "less far may win with more."
    )


def _listed(items: Sequence[str]) -> str:
    """Return items as a list in a sentence.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(items[:-1])] * (len(items) > 1) + [items[-1]])


def next_command(model: str, dataset: str, training: SharedTraining) -> str:
    """Return the command that trains the model that was chosen, with the comparison's settings but for the length."""
    flags = as_flags(training, but=("output_dir", "time_budget", "max_steps", "num_train_epochs"))
    output_dir = f"{os.path.normpath(dataset)}_model"
    words = ["--dataset", dataset, "--model", model, "--output_dir", output_dir, *flags]
    return " ".join(["accelerate launch --quiet recipes/train.py", *map(quoted, words)])
