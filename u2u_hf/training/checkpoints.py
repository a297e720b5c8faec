"""Checkpoints of a run that was stopped: found again, on this computer or on the Hub, and gone on from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import EntryNotFoundError
from tqdm.auto import tqdm
from transformers import TrainerCallback

from u2u_hf.data.processes import processes
from u2u_hf.files import write_text
from u2u_hf.hub.problems import hub_problem
from u2u_hf.hub.push import commit, regular_files
from u2u_hf.model_folder import BEST, BEST_CHECKPOINT, CHECKPOINT, LAST, STATE, belongs
from u2u_hf.output_folder import made_by
from u2u_hf.records import U2UError


def resume_point(output_dir: Path, resume: bool, vocabulary: dict[str, int], push_to: str = "") -> Path | None:
    """The checkpoint to go on from: the last one that was written whole, of the folder or of the Hub repo.

    What a killed run left half-written is removed, if train.py made the folder.

    Args:
        output_dir: the run's folder.
        resume: whether to go on at all.
        vocabulary: label → index, of the run that goes on.
        push_to: OWNER/NAME on the Hub whose checkpoint is fetched when the folder has none; or empty.

    Returns:
        None where there is nothing to go on from.

    Raises:
        U2UError: there are checkpoints and `resume` is not asked for, or they are of other characters; the
            Hub cannot be reached.
    """
    with processes().main_process_first():
        found = _checkpoints(output_dir)
        if found and not resume:
            raise U2UError(
                f"{output_dir}: holds a run that is at step {_step(found[-1])}: "
                "add --resume to go on with it, or give another --output_dir"
            )
        if resume and push_to and not found:
            _fetch(push_to, output_dir)
            found = _checkpoints(output_dir)
        if not found:
            return None
        last = found[-1]
        _best_is_here(last, output_dir)
    theirs = json.loads((last / "vocab.json").read_text(encoding="utf-8"))
    if theirs != vocabulary:
        different = sorted(set(theirs) ^ set(vocabulary))
        raise U2UError(
            f"{last}: was trained for other characters ({' '.join(different) or 'in another order'}): the dataset has "
            "changed since; start anew with another --output_dir"
        )
    return last


def _state(checkpoint: Path) -> dict:
    return json.loads((checkpoint / STATE).read_text(encoding="utf-8"))


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _checkpoints(output_dir: Path) -> list[Path]:
    """Return those written whole, in order of steps; in a folder that train.py made, remove the others."""
    whole = []
    for folder in output_dir.glob("checkpoint-*"):
        if not folder.name.rpartition("-")[2].isdigit():
            continue
        try:
            _state(folder)  # which Trainer writes last
            whole.append(folder)
        except (OSError, ValueError):
            # A best checkpoint from the Hub has weights only.
            if made_by(output_dir) == "train.py" and not (folder / ".best").exists():
                shutil.rmtree(folder)
    return sorted(whole, key=_step)


def _best_is_here(last: Path, output_dir: Path) -> None:
    """Trainer notes where the best checkpoint was; the folder may have moved since."""
    state = _state(last)
    if best := state.get("best_global_step"):
        folder = output_dir / f"checkpoint-{best}"
        if folder.is_dir():
            state["best_model_checkpoint"] = str(folder)
        else:  # of those that can still be had, another one will be the best
            state |= dict.fromkeys(("best_model_checkpoint", "best_metric", "best_global_step"))
        write_text(last / STATE, json.dumps(state, indent=2, sort_keys=True) + "\n")


class HubCheckpoints(TrainerCallback):
    """Keeps the last and the best checkpoint of a run in a repo on the Hub, private unless `public`.

    An upload runs beside the training; while one is on its way, the next checkpoint waits for its turn. One that fails,
    also because the repo was made public, is one line, and the training goes on.
    """

    def __init__(self, repo_id: str, public: bool = False):
        self._repo_id, self._public = repo_id, public
        self._upload: Future | None = None
        self._sent = ""  # the best checkpoint there

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
        if STATE not in found:  # else the one on the Hub would be replaced by nothing
            raise U2UError(f"{folder}: was removed before it could be pushed")
        files = {f"{name}/{path}": file for path, file in found.items()}
        commit(self._repo_id, "model", files, [f"{name}/*"], f"{name}: {folder.name}", self._public)

    def _finish(self) -> None:
        if self._upload:
            try:
                self._upload.result()
            except Exception as error:  # the training goes on: the checkpoint is on this computer
                tqdm.write(f"! the checkpoint could not be pushed to {self._repo_id}: {hub_problem(error, 'write')}")
        self._upload = None


def _fetch(repo_id: str, output_dir: Path) -> None:
    """Download a run's last and best checkpoint, if the repo has them."""
    waiting = output_dir / ".fetched"
    try:
        snapshot_download(repo_id, allow_patterns=[f"{LAST}/*", f"{BEST}/*"], local_dir=waiting)
    except EntryNotFoundError:
        return
    except Exception as error:  # the library raises many kinds: one line for all of them
        raise U2UError(f"{repo_id}: its checkpoint cannot be fetched: {hub_problem(error, 'read')}") from error
    if (waiting / LAST / STATE).is_file():
        state = _state(waiting / LAST)
        best, last = state.get("best_global_step"), state["global_step"]
        # The two are sent one after the other: what lies there may be the best of another moment.
        if (
            best
            and best != last
            and (waiting / BEST / STATE).is_file()
            and _state(waiting / BEST)["global_step"] == best
        ):
            (waiting / BEST / STATE).rename(waiting / BEST / ".best")
            (waiting / BEST).rename(output_dir / f"checkpoint-{best}")
        (waiting / LAST).rename(output_dir / f"checkpoint-{last}")
    shutil.rmtree(waiting, ignore_errors=True)
