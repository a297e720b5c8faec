"""Under which conditions the models of a folder were trained; all of one comparison have the same."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from u2u_hf.files import write_text
from u2u_hf.records import U2UError
from u2u_hf.settings import as_flags, duration, seconds_of, setting
from u2u_hf.training.arguments import CtcTrainingArguments

CONDITIONS = ".conditions.json"
_LEAST_SECONDS = 60  # of each model: a program starts and loads a model in some ten seconds


@dataclass
class SharedTraining(CtcTrainingArguments):
    """The settings that all models are trained with.

    They are checked but not fitted to a device, which each training does itself: this process would take memory of the
    GPU as long as it lives.
    """

    output_dir: str = setting(help="folder for the trained models, compare.json and compare.html")
    time_budget: str = setting(help="time for all models together, in equal shares, such as 3h")
    resume: bool = setting(False, fixed=True)  # always

    def __post_init__(self):
        self._check()


@dataclass(frozen=True)
class Conditions:
    """What is the same for all models.

    Attributes:
        dataset: a digest of its texts and times.
        share_seconds: time for the training of each.
        flags: other settings of the training, as words of a command line.
    """

    dataset: str
    share_seconds: int
    flags: tuple[str, ...]


def share(time_budget: str, models: int) -> int:
    """Return the whole seconds that each of the models gets.

    Raises:
        U2UError: too few.
    """
    seconds = int(seconds_of(time_budget) // models)
    if seconds < _LEAST_SECONDS:
        least = duration(_LEAST_SECONDS * models)
        raise U2UError(f"--time_budget {time_budget}: is too short for {models} models: give {least} or more")
    return seconds


def flags_of(training: SharedTraining) -> tuple[str, ...]:
    """Return the settings that all trainings have, as words of a command line."""
    return tuple(as_flags(training, but=("output_dir", "time_budget")))


def settle(output_dir: Path, now: Conditions, models: int) -> None:
    """Note the conditions in a folder, or compare them with those of the models that are trained there.

    Args:
        models: how many are compared now.

    Raises:
        U2UError: they differ.
    """
    before = _noted(output_dir / CONDITIONS)
    if before is None or not any(path.is_dir() for path in output_dir.iterdir()):
        write_text(output_dir / CONDITIONS, json.dumps(asdict(now), ensure_ascii=False, indent=2) + "\n")
        return
    other = "or compare in another --output_dir"
    if before.dataset != now.dataset:
        raise U2UError(f"{output_dir}: its models were trained on another dataset, or on another version: {other}")
    if before.flags != now.flags:
        given = " ".join(before.flags) or "none"
        raise U2UError(f"{output_dir}: its models were trained with other settings ({given}): give the same, {other}")
    if before.share_seconds != now.share_seconds:
        needed = duration(before.share_seconds * models)
        raise U2UError(
            f"{output_dir}: its models were trained for {duration(before.share_seconds)} each: for {models} of them "
            f"give --time_budget {needed}, {other}"
        )


def _noted(path: Path) -> Conditions | None:
    """Return None if nothing is noted.

    Raises:
        U2UError: the file is damaged.
    """
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Conditions(str(found["dataset"]), int(found["share_seconds"]), tuple(map(str, found["flags"])))
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise U2UError(f"{path}: is damaged: compare in another --output_dir") from error
