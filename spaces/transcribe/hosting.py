"""What a hosted recogniser is told by its surroundings, and what it lets in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import ModelCard, snapshot_download

from u2u_hf.data.audio import AudioInfo, audio_info
from u2u_hf.hub.problems import loading_problem
from u2u_hf.model_folder import NOT_FOR_RECOGNITION
from u2u_hf.records import U2UError

MOST_CHANNELS = 8


@dataclass(frozen=True)
class Hosting:
    """The variables and secrets of a Space, or of the terminal.

    Attributes:
        model: folder, or OWNER/NAME on the Hub.
        revision: of the model on the Hub: a branch, tag or commit; the newest if empty.
        password: that visitors are asked for; nobody is if empty.
        max_minutes: of a recording. max_file_mb: of an uploaded file.
    """

    model: str
    revision: str = ""
    password: str = ""
    max_minutes: float = 60.0
    max_file_mb: float = 1000.0


def from_environment(environment: Mapping[str, str], model: str = "") -> Hosting:
    """Read MODEL_ID, MODEL_REVISION, APP_PASSWORD, MAX_MINUTES, MAX_FILE_MB.

    Args:
        model: takes the place of MODEL_ID.

    Raises:
        U2UError: one is missing, or no number; the message names it and says how to set it.
    """
    given = {key: environment.get(key, "").strip() for key in ("MODEL_ID", "MODEL_REVISION", "APP_PASSWORD")}
    model = model or given["MODEL_ID"]
    if not model:
        raise U2UError("MODEL_ID is not set: it says which model is to be used, OWNER/NAME on the Hugging Face Hub")
    if not os.path.isdir(model) and model.count("/") != 1:
        raise U2UError(f"MODEL_ID is {model!r}: it must be OWNER/NAME, as in the address of the model's page")
    numbers = {}
    for key, field in (("MAX_MINUTES", "max_minutes"), ("MAX_FILE_MB", "max_file_mb")):
        if written := environment.get(key, "").strip():
            try:
                numbers[field] = float(written)
            except ValueError:
                numbers[field] = 0.0
            if not 0 < numbers[field] < float("inf"):
                raise U2UError(f"{key} is {written!r}: it must be a number above 0, such as 60")
    return Hosting(model, given["MODEL_REVISION"], given["APP_PASSWORD"], **numbers)


def fetch(hosting: Hosting) -> Path:
    """The folder of the model, from the Hub's cache or the Hub if it is there. HF_TOKEN opens a private one.

    Raises:
        U2UError: it is not there, may not be read, or the Hub cannot be reached.
    """
    if os.path.isdir(hosting.model):
        return Path(hosting.model)
    try:
        revision = hosting.revision or None
        return Path(snapshot_download(hosting.model, revision=revision, ignore_patterns=list(NOT_FOR_RECOGNITION)))
    except Exception as error:  # the library raises many kinds: one line for all of them
        raise U2UError(f"{hosting.model}: {loading_problem(hosting.model, 'model', error)}") from error


def facts(folder: Path, hosting: Hosting) -> dict[str, str]:
    """What visitors should know of the model, as far as its card tells: model, revision, cer, license."""
    local = os.path.isdir(hosting.model)
    found = {"model": folder.resolve().name if local else hosting.model}
    if not local:
        found["revision"] = f"{hosting.revision} {folder.name[:8]}".strip()  # a snapshot is named by its commit
    if (folder / "README.md").is_file():
        card = ModelCard.load(folder / "README.md").data
        rates = [r for r in card.eval_results or [] if r.metric_type == "cer"]
        if rates:
            best = next((r for r in rates if r.dataset_split == "test"), rates[0])
            found["cer"] = f"{best.metric_value:.1%} ({best.dataset_split or best.dataset_name})"
        if card.license:
            found["license"] = str(card.license)
    return found


def admit(path: str, hosting: Hosting) -> AudioInfo:
    """Look at an uploaded recording before anything is done with it.

    Raises:
        U2UError: it is no recording, or larger, longer or of more channels than is let in.
    """
    megabytes = os.path.getsize(path) / 1e6
    if megabytes > hosting.max_file_mb:
        raise U2UError(f"{path}: has {megabytes:.0f} MB, and {hosting.max_file_mb:g} are let in")
    info = audio_info(path)
    if info.duration_ms > hosting.max_minutes * 60_000:
        minutes = info.duration_ms / 60_000
        raise U2UError(f"{path}: is {minutes:.1f} minutes long, and {hosting.max_minutes:g} are let in: cut it")
    if info.channels > MOST_CHANNELS:
        raise U2UError(f"{path}: has {info.channels} channels, and {MOST_CHANNELS} are let in")
    return info
