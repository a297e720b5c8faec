"""What a training tells while it runs: by its log, and by its last checkpoint."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from u2u_hf.model_folder import STATE, checkpoints
from u2u_hf.project.folder import Project


@dataclass(frozen=True)
class Training:
    """What is known of a training: from its log while it runs, and from its checkpoints.

    Attributes:
        share: 0…1 of the run, or None if unknown. left: time left as tqdm writes it, or the empty string.
        scores: (step, character error rate) on validation, in order.
        samples: references with hypotheses of the last evaluation.
        history: the log history of the last checkpoint.
    """

    share: float | None
    left: str
    scores: list[tuple[int, float]]
    samples: list[tuple[str, str]]
    history: list[dict[str, Any]]


# With a time budget there are no brackets around the times.
_PROGRESS = re.compile(r"^training: +(\d+)%[^<\n]*<([\d:]+)", re.MULTILINE)
_SCORE = re.compile(r"^step (\d+): validation .*?CER (\d+(?:\.\d+)?)%", re.MULTILINE)
_SAMPLE = re.compile(r"^  reference   (.*)\n  hypothesis  (.*)$", re.MULTILINE)


def training_of(project: Project | None, log: str) -> Training:
    """Return what the log and the last checkpoint in the project's model folder tell.

    Args:
        project: None for a training on another computer, whose log is all there is.
    """
    history: list[dict[str, Any]] = []
    for folder in reversed(list(checkpoints(project.model).values()) if project else []):
        try:
            history = json.loads((folder / STATE).read_text(encoding="utf-8"))["log_history"]
            break
        except (OSError, ValueError, KeyError, TypeError):
            continue
    scores = {row["step"]: row["eval_cer"] for row in history if "eval_cer" in row}
    scores |= {int(step): float(rate) / 100 for step, rate in _SCORE.findall(log)}
    progress = _PROGRESS.findall(log)
    blocks = _SAMPLE.findall(log)
    share, left = (int(progress[-1][0]) / 100, progress[-1][1]) if progress else (None, "")
    return Training(share, left, sorted(scores.items()), blocks[-3:], history)
