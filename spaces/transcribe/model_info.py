"""The model of the page: its folder, and what visitors see about it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, snapshot_download
from strings import Say

from u2u_hf.evaluation.card_score import chosen_score
from u2u_hf.evaluation.verdict import grade
from u2u_hf.hub.problems import loading_problem
from u2u_hf.model_folder import CARD, NOT_FOR_RECOGNITION
from u2u_hf.publishing.cards.front_matter import listed
from u2u_hf.publishing.space_settings import SpaceVariables
from u2u_hf.records import U2UError
from u2u_hf.reports.html import Markup, element


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


@dataclass(frozen=True)
class ModelFacts:
    """What visitors see about the model. What its card does not tell is the empty string, or None.

    Attributes:
        revision: as set, with the commit.
        engine: what it computes with.
        score: character error rate (0…1 and above), and what it was measured on.
    """

    model: str
    revision: str = ""
    language: str = ""
    license: str = ""
    engine: str = ""
    score: tuple[float, str] | None = None


def facts(folder: Path, settings: SpaceVariables, engine: str = "") -> ModelFacts:
    """Return what visitors see about the model in a folder."""
    told = _told_by_card(folder)
    if os.path.isdir(settings.model):
        return ModelFacts(folder.resolve().name, engine=engine, **told)
    # The folder's name is the commit.
    return ModelFacts(settings.model, f"{settings.revision} {folder.name[:8]}".strip(), engine=engine, **told)


def about(known: ModelFacts, say: Say) -> Markup:
    """Return what a first look must answer: which language, which model, how good it is, what is private."""
    cer, split = known.score or (0.0, "")
    rate = say("cer", cer=f"{cer:.1%}", split=split, verdict=say(grade(cer))) if known.score else say("cer_unknown")
    pairs = {
        "about_language": known.language or say("language_unknown"),
        "about_model": f"{known.model} {known.revision}".strip(),
        "about_cer": rate,
        "about_private": say("private"),
        "about_license": known.license,
        "about_engine": known.engine,
    }
    told = [element("div", element("dt", say(key)), element("dd", value)) for key, value in pairs.items() if value]
    return element("dl", *told, class_="about")


def _told_by_card(folder: Path) -> dict[str, Any]:
    """Return fields as a model's card has them: none of a card that somebody's edit has damaged."""
    try:
        data = ModelCard.load(folder / CARD).data
        return {
            "score": chosen_score(data.eval_results),
            "license": ", ".join(listed(data.license)),
            "language": ", ".join(listed(data.language)),
        }
    except Exception:  # of several libraries, also for a missing card; a page that does not start helps nobody
        return {}
