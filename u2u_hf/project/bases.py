"""The models that a project's training can start from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from u2u_hf.model_folder import CONFIG
from u2u_hf.project.folder import Project

_DEMO = Path(__file__).parents[1] / "demo" / "base"


@dataclass(frozen=True)
class Base:
    """A model to start from: its folder or name on the Hub, and the name that pages have words for."""

    model: str
    name: str


BASES = (
    Base("utter-project/mHuBERT-147", "default"),
    Base("facebook/wav2vec2-xls-r-300m", "xlsr"),
    Base("facebook/mms-300m", "mms"),
    Base(str(_DEMO), "demo"),
)


def chosen(project: Project) -> str:
    """Return the model that the project's training starts from.

    Raises:
        U2UError: train.yaml is damaged.
    """
    return str(project.settings("train").get("model") or BASES[0].model)


def choose(project: Project, model: str) -> None:
    """Set the model to start from; the demonstration model comes with settings of its own, and leaves with them.

    Raises:
        U2UError: train.yaml is damaged, or cannot be written.
    """
    settings = project.settings("train")
    demo = _demo_settings()
    if settings.get("model") == str(_DEMO):
        settings = {name: value for name, value in settings.items() if demo.get(name) != value}
    settings["model"] = model
    if model == str(_DEMO):
        settings = {**demo, **settings}
        if settings.get("time_budget"):
            settings.pop("max_steps", None)
    project.set_settings("train", settings)


def set_budget(project: Project, budget: str) -> None:
    """Set the time that training may take, such as 2h30m; empty for the recipe's own number of steps.

    Raises:
        U2UError: train.yaml is damaged, or cannot be written.
    """
    settings = project.settings("train")
    if budget:
        settings["time_budget"] = budget
        settings.pop("max_steps", None)
    else:
        settings.pop("time_budget", None)
    project.set_settings("train", settings)


def needs_download(model: str) -> bool:
    """Return whether a model is on the Hub and not yet on this computer."""
    if Path(model).expanduser().is_dir() or model.startswith((".", "/", "~")) or model.count("/") != 1:
        return False
    from huggingface_hub import constants  # not imported with the page, which it would make wait

    snapshots = Path(constants.HF_HUB_CACHE, f"models--{model.replace('/', '--')}", "snapshots")
    return not any(os.path.exists(folder / CONFIG) for folder in snapshots.glob("*"))


def _demo_settings() -> dict[str, Any]:
    path = Path(__file__).parents[2] / "recipes" / "demo" / "train.yaml"
    try:
        return dict(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, yaml.YAMLError):
        return {}
