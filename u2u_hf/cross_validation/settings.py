"""The settings of leaving out, and those of the trainings: what the user's model was trained from and with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from u2u_hf.hub.model_files import optional_file
from u2u_hf.hub.source import require_source
from u2u_hf.model_folder import CONFIG, SETTINGS
from u2u_hf.progress_bar import write_line
from u2u_hf.recognition.model import DEFAULT_MODEL
from u2u_hf.records import U2UError
from u2u_hf.settings import seconds_of, setting
from u2u_hf.training.arguments import CtcTrainingArguments

WHAT = ("speaker", "recording")
_STEPS = 3000  # of a training without a length, see `training.arguments`
# Settings that belong to the user's run, not to how it learns.
_OF_THE_RUN = ("dataset", "model", "output_dir", "resume", "report_to", "run_name", "logging_dir")
# Folds are plain trainings: they would need the recordings, which may hold what is left out.
_UNTRANSCRIBED = ("untranscribed", "untranscribed_for", "untranscribed_hours")
# With a time budget these must be shares of the run.
_SHARES = ("warmup_steps", "eval_steps", "save_steps")


@dataclass
class LeaveOut:
    """How speakers or recordings are left out."""

    leave_out: str = setting("", help="speaker or recording: score each by a recogniser trained without it")
    folds: int = setting(5, help="most recognisers that --leave_out trains; more take longer and learn from more each")
    time_budget: str = setting("", help="time of --leave_out in all, such as 1h (default: each as long as --model)")
    base_model: str = setting("", help="base model of --leave_out (default: the one that --model was trained from)")
    update_confidence: bool = setting(False, help="calibrate MODEL's confidence, in its folder, on what was left out")
    keep_models: bool = setting(False, help="keep the models of --leave_out, in OUTPUT_DIR/fold_1 and on")

    def __post_init__(self):
        if self.leave_out and self.leave_out not in WHAT:
            raise U2UError(f"--leave_out {self.leave_out}: give {' or '.join(WHAT)}")
        if not self.leave_out:
            for field in dataclasses.fields(self):
                if getattr(self, field.name) != field.default:
                    raise U2UError(f"--{field.name} needs --leave_out {' or '.join(WHAT)}: give that too")
        if self.folds < 2:
            raise U2UError(f"--folds {self.folds}: give 2 or more")
        if self.time_budget:
            seconds_of(self.time_budget)
            if self.update_confidence:
                raise U2UError(
                    "--update_confidence: trainings of another length than MODEL's do not tell how sure MODEL may be: "
                    "run without --time_budget"
                )


@dataclass(frozen=True)
class Training:
    """What every fold's recogniser is trained from, and with.

    Attributes:
        base_model: folder or Hub name.
        settings: of `CtcTrainingArguments`, those that differ from their defaults.
        untranscribed: whether the model was trained on untranscribed recordings too, which the folds are not.
    """

    base_model: str
    settings: Mapping[str, Any]
    untranscribed: bool = False

    def arguments(self, output_dir: Path, time_budget: str = "") -> CtcTrainingArguments:
        """Return the arguments of one training.

        Args:
            time_budget: in place of the settings' own, or empty.

        Raises:
            U2UError: a setting is invalid.
        """
        settings = {**self.settings, **({"time_budget": time_budget} if time_budget else {})}
        if settings.get("time_budget"):
            settings = _in_shares(settings)
        try:
            return CtcTrainingArguments(output_dir=str(output_dir), resume=True, **settings)
        except (TypeError, ValueError) as error:
            problem = " ".join(str(error).split())[:80]
            raise U2UError(f"{SETTINGS} of the model: has a value of the wrong kind ({problem})") from error


def training_of(model: str, base_model: str = "") -> Training:
    """Return what a trained model's recipe noted in its folder.

    Args:
        model: folder or Hub name. base_model: replaces the one that is noted, or empty.

    Raises:
        U2UError: the note is missing or damaged, or the base model is not where it says, or is a recogniser itself.
    """
    path = optional_file(model, SETTINGS)
    if path is None and not base_model:
        raise U2UError(
            f"{model}: has no {SETTINGS}, so its base model is unknown: give --base_model (the other settings are then "
            "train.py's defaults)"
        )
    noted = _read(path) if path else {}
    known = {field.name for field in dataclasses.fields(CtcTrainingArguments)}
    settings = {name: value for name, value in noted.items() if name not in (*_OF_THE_RUN, *_UNTRANSCRIBED)}
    for name in settings.keys() - known:
        write_line(f"! {path}: {name} is not used where something is left out")
    base = base_model or str(noted.get("model", DEFAULT_MODEL))
    _require_base(base, model)
    if optional_file(base, SETTINGS):
        _refuse_trained(base, model, is_given=bool(base_model))
    settings = {name: value for name, value in settings.items() if name in known}
    return Training(base, settings, bool(noted.get("untranscribed")))


def _read(path: Path) -> dict[str, Any]:
    try:
        noted = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise U2UError(f"{path}: is damaged: train the model again, or copy it again") from error
    if not isinstance(noted, dict):
        raise U2UError(f"{path}: is damaged: train the model again, or copy it again")
    return {str(name): value for name, value in noted.items()}


def _require_base(base: str, model: str) -> None:
    """Raise U2UError unless the base model may be found: absolute paths are noted without their folders."""
    if not Path(base).is_dir() and "/" not in base:
        raise U2UError(
            f"{model}: was trained from {base}, which is not here: give --base_model FOLDER/{base}, or if that was a "
            f"recogniser itself the pre-trained model that it came from, such as {DEFAULT_MODEL}"
        )
    if Path(base).is_dir() and not Path(base, CONFIG).is_file():
        raise U2UError(f"{base}: holds no model ({CONFIG}): give the base model of {model} with --base_model")
    require_source(base, "model")


def _refuse_trained(base: str, model: str, is_given: bool) -> None:
    """Raise U2UError for a base model that is a recogniser: it may have learnt from what is left out."""
    what = f"{base}: is a recogniser itself, and may have learnt from what is to be left out"
    if not is_given:
        raise U2UError(
            f"{model}: was trained from {what}: give --base_model, the pre-trained model that it came from, such as "
            f"{DEFAULT_MODEL}"
        )
    write_line(f"! --base_model {what}: the scores are then too good")


def _in_shares(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings whose steps are shares of the run: the default ones, where it is shorter or in epochs."""
    steps = 0 if "num_train_epochs" in settings else settings.get("max_steps", _STEPS)
    counted = {name for name in _SHARES if isinstance(value := settings.get(name), (int, float)) and value >= 1}
    if any(steps <= settings[name] for name in counted):
        return {name: value for name, value in settings.items() if name not in _SHARES}
    return {name: value / steps if name in counted else value for name, value in settings.items()}
