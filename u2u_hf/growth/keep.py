"""The model in use, and its replacement by a better one: whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from u2u_hf.evaluation.metrics import MAIN
from u2u_hf.model_folder import checkpoints
from u2u_hf.records import U2UError


def error_rate(scores: Path) -> float:
    """Return the character error rate in a folder that evaluate.py wrote.

    Raises:
        U2UError: it is missing or damaged.
    """
    path = scores / "metrics.json"
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))[MAIN])
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise U2UError(f"{path}: is missing or damaged: remove its folder, and run grow.py again") from error


def replace_model(model: Path, better: Path, earlier: Path) -> None:
    """Put `better` in the place of `model`, which moves to `earlier`. A run killed here is finished by another.

    Two renames: between them there is no model, which is better than half of one.

    Raises:
        U2UError: a folder cannot be moved.
    """
    if not better.is_dir():  # it moved before the run was killed
        return
    for path in checkpoints(better).values():
        shutil.rmtree(path, ignore_errors=True)
    try:
        if model.exists() and not earlier.exists():
            os.rename(model, earlier)
        os.rename(better, model)
    except OSError as error:
        raise U2UError(
            f"{model}: cannot be replaced ({error.strerror}): end the programs that use it, and run grow.py again"
        ) from error
