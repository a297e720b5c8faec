"""The model of the page: its folder, and what visitors see about it."""

from __future__ import annotations

import math
import os
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData, snapshot_download

from u2u_hf.hub.problems import loading_problem
from u2u_hf.model_folder import NOT_FOR_RECOGNITION
from u2u_hf.publishing.space_settings import SpaceVariables
from u2u_hf.records import U2UError


def fetch(settings: SpaceVariables) -> Path:
    """Return the model's folder, downloaded from the Hub if it is not a local one. HF_TOKEN opens a private model.

    Raises:
        U2UError: it does not exist, may not be read, or the Hub cannot be reached.
    """
    if os.path.isdir(settings.model):
        return Path(settings.model)
    try:
        revision = settings.revision or None
        return Path(snapshot_download(settings.model, revision=revision, ignore_patterns=list(NOT_FOR_RECOGNITION)))
    except Exception as error:  # the library raises many classes
        raise U2UError(f"{settings.model}: {loading_problem(settings.model, 'model', error)}") from error


def facts(folder: Path, settings: SpaceVariables) -> dict[str, str]:
    """Return what visitors see about the model, as far as its card has it: model, revision, cer, license."""
    local = os.path.isdir(settings.model)
    found = {"model": folder.resolve().name if local else settings.model}
    if not local:
        found["revision"] = f"{settings.revision} {folder.name[:8]}".strip()  # the folder's name is the commit
    card = _card(folder)
    rates = [r for r in card.eval_results or [] if r.metric_type == "cer" and _is_rate(r.metric_value)]
    if rates:
        best = next((r for r in rates if r.dataset_split == "test"), rates[0])
        found["cer"] = f"{best.metric_value:.1%} ({best.dataset_split or best.dataset_name})"
    if isinstance(card.license, str):
        found["license"] = card.license
    return found


def _card(folder: Path) -> ModelCardData:
    """Return the front matter of a model's card: empty where it has none, or where somebody's edit has damaged it."""
    try:
        data = ModelCard.load(folder / "README.md").data
        # A front matter of other things than results keeps them as they are.
        return data if all(isinstance(r, EvalResult) for r in data.eval_results or []) else ModelCardData()
    except Exception:  # of several libraries; a page that does not start helps nobody
        return ModelCardData()


def _is_rate(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
