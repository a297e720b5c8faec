"""evaluation.html of a cross-validation: that of a split, and the folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from u2u_hf.evaluation.html_page import evaluation_page, percent
from u2u_hf.evaluation.metrics import MAIN, main_first, score_keys
from u2u_hf.reports.html import Markup, element, joined, table
from u2u_hf.reports.quantities import length
from u2u_hf.reports.svg import bar


def leave_out_page(
    metrics: Mapping[str, Any],
    summary: Mapping[str, Any],
    model: str,
    sounds: Sequence[bytes] = (),
    about_length: str = "",
) -> str:
    """Return the whole page as HTML.

    Args:
        metrics: from `results.evaluation_of`. summary: from `results.summary`.
        model: name of the user's model.
        sounds: FLAC files of the worst utterances, in their order; or none.
        about_length: see `run.CrossValidation.about_length`.
    """
    what = summary["leave_out"]
    names = sum(len(row["left_out"]) for row in summary["folds"])
    about = (
        f"Every utterance was recognised by a model that learnt from other {what}s only. From–to is the 95% confidence "
        f"interval for other {what}s like these {names}; that of each one below, for more utterances of its own."
    )
    if about_length:
        about += f" {about_length[0].upper()}{about_length[1:]}."
    return evaluation_page(
        metrics,
        f"{model}, trained anew without each {what}",
        sounds,
        about_intervals=about,
        more=[("Left out", joined(_folds(summary), _repeated(summary)))],
    )


def _folds(summary: Mapping[str, Any]) -> Markup:
    _, low, high = score_keys(MAIN)
    most = max(row[high] for row in summary["folds"]) or 1
    rows = [
        (
            joined(*(element("div", name) for name in row["left_out"])),
            bar(row[MAIN] / most, (row[low] / most, row[high] / most) if row["utterances"] > 1 else None),
            *(percent(row[name]) for name in main_first()),
            row["utterances"],
            length(row["hours"]),
            length(row["training_hours"]),
            percent(row[f"validation_{MAIN}"]),
            f"{row['steps']:,}",
            length(row["seconds"] / 3600),
        )
        for row in summary["folds"]
    ]
    main, *others = (metric.label for metric in main_first().values())
    heads = ["left out", "|", f"#{main}", *(f"#{label}" for label in others), "#utterances", "#length"]
    heads += ["#learnt from", f"#validation {main}", "#steps", "#time"]
    return table(heads, rows, open_rows=30)


def _repeated(summary: Mapping[str, Any]) -> Markup | None:
    new = summary["new_sentences"]
    repeated = summary["utterances"] - (new["utterances"] if new else 0)
    if not repeated:
        return None
    found = f"{repeated:,} of {summary['utterances']:,} utterances have a text that was also in the training part"
    if new:
        rates = ", ".join(f"{metric.label} {percent(new[name])}" for name, metric in main_first().items())
        found += f"; without them: {rates}"
    return element("p", f"{found}.", class_="soft")
