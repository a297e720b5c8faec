"""What a folder holds of a run that leaves out: under which conditions, and which folds are finished."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from u2u_hf.cross_validation.folds import Fold
from u2u_hf.cross_validation.unseen import Unseen, as_lines, read_lines
from u2u_hf.files import write_text
from u2u_hf.output_folder import write
from u2u_hf.records import U2UError

STATE, UTTERANCES = ".leave_out.json", "leave_out.jsonl"


@dataclass(frozen=True)
class FoldRun:
    """A finished training.

    Attributes:
        steps: optimizer steps. seconds: it took.
        validation_cer: of the checkpoint that was chosen.
    """

    steps: int
    seconds: float
    validation_cer: float


@dataclass
class State:
    """The folds that are finished.

    Attributes:
        conditions: name → what must be the same for all folds, as plain values.
        share_s: seconds of each training, or None for the model's own length.
        runs: number → of each finished fold. unseen: its utterances.
    """

    output_dir: Path
    conditions: Mapping[str, Any]
    share_s: int | None = None
    runs: dict[int, FoldRun] = field(default_factory=dict)
    unseen: list[Unseen] = field(default_factory=list)

    def finish(self, fold: Fold, run: FoldRun, unseen: Sequence[Unseen]) -> None:
        """Add a finished fold, and write it."""
        self.unseen = sorted([*self.unseen, *unseen], key=lambda one: one.row)
        write(self.output_dir / UTTERANCES, as_lines(self.unseen))
        self.runs[fold.number] = run
        self.save()

    def save(self) -> None:
        runs = {str(number): asdict(run) for number, run in self.runs.items()}
        found = {"conditions": self.conditions, "share_s": self.share_s, "runs": runs}
        write_text(self.output_dir / STATE, json.dumps(found, ensure_ascii=False, indent=2) + "\n")


def resumed(output_dir: Path, conditions: Mapping[str, Any]) -> State | None:
    """Return the state of a folder, None if nothing is begun there.

    Raises:
        U2UError: it was begun under other conditions, or a file is damaged.
    """
    path = output_dir / STATE
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        runs = {int(number): FoldRun(**run) for number, run in found["runs"].items()}
        before, share_s = dict(found["conditions"]), found["share_s"]
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise U2UError(f"{path}: is damaged: give another --output_dir") from error
    now = json.loads(json.dumps(dict(conditions)))
    if other := next((name for name in now if before.get(name) != now[name]), None):
        raise U2UError(
            f"{output_dir}: was begun with another {other}: give the same as before, or another --output_dir"
        )
    # A fold whose utterances were written as the run was killed is not finished.
    unseen = [one for one in read_lines(output_dir / UTTERANCES) if one.fold in runs]
    return State(output_dir, conditions, share_s, runs, unseen)
