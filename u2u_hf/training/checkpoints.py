"""Resuming a run from its checkpoints, on this computer or on the Hub."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import EntryNotFoundError
from transformers import TrainerCallback

from u2u_hf.data.processes import processes
from u2u_hf.files import write_text
from u2u_hf.hub.problems import hub_problem
from u2u_hf.hub.push import commit, regular_files
from u2u_hf.model_folder import (
    BEST,
    BEST_CHECKPOINT,
    CHECKPOINT,
    LAST,
    SETTINGS,
    STATE,
    VOCABULARY,
    WEIGHTS,
    WEIGHTS_INDEX,
    belongs,
    checkpoints,
)
from u2u_hf.output_folder import made_by
from u2u_hf.progress_bar import write_line
from u2u_hf.records import U2UError


def resume_point(output_dir: Path, resume: bool, vocabulary: dict[str, int], push_to: str = "") -> Path | None:
    """Return the checkpoint to resume from: the last complete one in the folder or in the Hub repo.

    Incomplete checkpoints, from a killed run, are removed if train.py made the folder.

    Args:
        output_dir: the run's folder.
        resume: whether to resume at all.
        vocabulary: label → index, of the new run.
        push_to: OWNER/NAME on the Hub; its checkpoint is downloaded if the folder has none. Or empty.

    Returns:
        None if there is no checkpoint.

    Raises:
        U2UError: there are checkpoints and `resume` is false, or they have another vocabulary; the Hub cannot be
            reached.
    """
    with processes().main_process_first():
        found = _checkpoints(output_dir)
        if found and not resume:
            raise U2UError(
                f"{output_dir}: holds a run that is at step {_step(found[-1])}: "
                "add --resume to resume it, or give another --output_dir"
            )
        if resume and push_to and not found:
            _fetch(push_to, output_dir)
            found = _checkpoints(output_dir)
        if not found:
            return None
        last = found[-1]
        _point_to_best(last, output_dir)
    theirs = json.loads((last / VOCABULARY).read_text(encoding="utf-8"))
    if theirs != vocabulary:
        different = sorted(set(theirs) ^ set(vocabulary))
        raise U2UError(
            f"{last}: was trained for other characters ({' '.join(different) or 'in another order'}): the dataset has "
            "changed since: start a new run with another --output_dir"
        )
    return last


def is_finished(output_dir: Path, settings: Mapping[str, Any]) -> bool:
    """Return whether a run with these settings has ended and written its model, so that nothing is left to resume.

    Args:
        settings: those that differ from their defaults, as `settings.changed` returns them. A run that is to train
            longer than the finished one differs in them.
    """
    saved = output_dir / SETTINGS  # the last file that a run writes
    if not (saved.is_file() and any((output_dir / name).is_file() for name in (WEIGHTS, WEIGHTS_INDEX))):
        return False
    try:
        before = yaml.safe_load(saved.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError):
        return False
    return isinstance(before, dict) and _of_the_run(before) == _of_the_run(settings)


def _of_the_run(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in ("resume", "output_dir")}


def _state(checkpoint: Path) -> dict:
    return json.loads((checkpoint / STATE).read_text(encoding="utf-8"))


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _checkpoints(output_dir: Path) -> list[Path]:
    """Return the complete checkpoints, in order of steps; remove the others in a folder that train.py made."""
    complete = []
    for folder in checkpoints(output_dir).values():
        try:
            _state(folder)  # Trainer writes it last
            complete.append(folder)
        except (OSError, ValueError):
            # A best checkpoint from the Hub has weights only, and a .best.
            if made_by(output_dir) == "train.py" and not (folder / ".best").exists():
                shutil.rmtree(folder)
    return complete


def _point_to_best(last: Path, output_dir: Path) -> None:
    """Update Trainer's path of the best checkpoint: the folder may have been moved."""
    state = _state(last)
    if best := state.get("best_global_step"):
        folder = output_dir / f"checkpoint-{best}"
        if folder.is_dir():
            state["best_model_checkpoint"] = str(folder)
        else:  # it is lost: a later checkpoint becomes the best
            state |= dict.fromkeys(("best_model_checkpoint", "best_metric", "best_global_step"))
        write_text(last / STATE, json.dumps(state, indent=2, sort_keys=True) + "\n")


class HubCheckpoints(TrainerCallback):
    """A callback that keeps a run's last and best checkpoint in a repo on the Hub, private unless `public`.

    An upload runs beside the training; checkpoints saved during an upload are skipped. If an upload fails (also
    because the repo was made public), one line is printed and the training continues.
    """

    def __init__(self, repo_id: str, public: bool = False):
        self._repo_id, self._public = repo_id, public
        self._upload: Future | None = None
        self._sent = ""  # name of the best checkpoint in the repo

    def on_save(self, args, state, control, **kwargs):
        if not state.is_world_process_zero or (self._upload and not self._upload.done()):
            return
        self._finish()
        folder = Path(args.output_dir, f"checkpoint-{state.global_step}")
        best = Path(state.best_model_checkpoint or folder)
        self._upload = HfApi().run_as_future(self._send, folder, best)

    def on_train_end(self, args, state, control, **kwargs):
        if state.is_world_process_zero:
            self._finish()

    def _send(self, folder: Path, best: Path) -> None:
        if best.name not in (folder.name, self._sent):
            self._put(best, BEST, BEST_CHECKPOINT)
            self._sent = best.name
        self._put(folder, LAST, CHECKPOINT)

    def _put(self, folder: Path, name: str, patterns: Sequence[str]) -> None:
        found = {path: file for path, file in regular_files(folder)[0].items() if belongs(path, patterns)}
        if STATE not in found:  # otherwise the checkpoint on the Hub would be replaced by nothing
            raise U2UError(f"{folder}: was removed before it could be pushed")
        files = {f"{name}/{path}": file for path, file in found.items()}
        commit(self._repo_id, "model", files, [f"{name}/*"], f"{name}: {folder.name}", self._public)

    def _finish(self) -> None:
        if self._upload:
            try:
                self._upload.result()
            except Exception as error:  # the training continues: the checkpoint is on this computer
                write_line(f"! the checkpoint could not be pushed to {self._repo_id}: {hub_problem(error, 'write')}")
        self._upload = None


def _fetch(repo_id: str, output_dir: Path) -> None:
    """Download a run's last and best checkpoint, if the repo has them."""
    fetched = output_dir / ".fetched"
    try:
        snapshot_download(repo_id, allow_patterns=[f"{LAST}/*", f"{BEST}/*"], local_dir=fetched)
    except EntryNotFoundError:
        return
    except Exception as error:  # huggingface_hub raises many classes of errors
        raise U2UError(f"{repo_id}: its checkpoint cannot be fetched: {hub_problem(error, 'read')}") from error
    if (fetched / LAST / STATE).is_file():
        state = _state(fetched / LAST)
        best, last = state.get("best_global_step"), state["global_step"]
        # The two are uploaded one after the other: the best in the repo may belong to an earlier or later state.
        if (
            best
            and best != last
            and (fetched / BEST / STATE).is_file()
            and _state(fetched / BEST)["global_step"] == best
        ):
            (fetched / BEST / STATE).rename(fetched / BEST / ".best")
            (fetched / BEST).rename(output_dir / f"checkpoint-{best}")
        (fetched / LAST).rename(output_dir / f"checkpoint-{last}")
    shutil.rmtree(fetched, ignore_errors=True)
