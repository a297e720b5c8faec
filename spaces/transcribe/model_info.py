"""The model of the page: its folder, and what visitors see about it."""

from __future__ import annotations

import os
from pathlib import Path

from huggingface_hub import ModelCard, snapshot_download

from u2u_hf.evaluation.card_score import chosen_score
from u2u_hf.evaluation.verdict import warning
from u2u_hf.hub.problems import loading_problem
from u2u_hf.model_folder import CARD, NOT_FOR_RECOGNITION
from u2u_hf.publishing.cards.front_matter import listed
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
    return found | _told_by_card(folder)


def _told_by_card(folder: Path) -> dict[str, str]:
    """Return cer and license as a model's card has them: nothing of a card that somebody's edit has damaged."""
    try:
        data = ModelCard.load(folder / CARD).data
        score, licences = chosen_score(data.eval_results), data.license
    except Exception:  # of several libraries, also for a missing card; a page that does not start helps nobody
        return {}
    told = {"cer": warning(*score) or f"{score[0]:.1%} ({score[1]})"} if score else {}
    return told | ({"license": ", ".join(named)} if (named := listed(licences)) else {})
