"""The steps of a project: how far each is, by its files alone.

The files are those that the recipes write, so what was done in a terminal is seen here too.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from pathlib import Path

from u2u_hf import folder_lock
from u2u_hf.corpus.folder import files_below, is_audio
from u2u_hf.model_folder import SETTINGS, checkpoints
from u2u_hf.project import runs, transcripts
from u2u_hf.project.folder import Project
from u2u_hf.records import U2UError

PROJECT, CORPUS, PREPARE, TRAIN, SCORES, TRANSCRIBE, CORRECT, SHARE = STEPS = (
    "project",
    "corpus",
    "prepare",
    "train",
    "scores",
    "transcribe",
    "correct",
    "share",
)
# How far a step is. Outdated: done, and what it was made from has changed since. Blocked: another step comes first.
OPEN, BLOCKED, RUNNING, UNFINISHED, OUTDATED, FINISHED = (
    "open",
    "blocked",
    "running",
    "unfinished",
    "outdated",
    "finished",
)


_LISTED_S = 20  # how long a list of recordings is taken for true


@dataclass(frozen=True)
class Step:
    """How far a step is.

    Attributes:
        state: one of the six above.
        run: its last run that a page started, or None.
    """

    name: str
    state: str
    run: runs.Run | None = None


def all_steps(project: Project) -> dict[str, Step]:
    """Return every step of a project, in order."""
    return {name: Step(name, state_of(project, name), runs.find(project.folder, name)) for name in STEPS}


def next_step(steps: dict[str, Step]) -> str:
    """Return the step to do now: the one that runs, else the first that is not finished."""
    order = [step for step in steps.values() if step.name != SHARE]
    for wanted in ((RUNNING,), (UNFINISHED, OPEN, OUTDATED)):
        if found := [step.name for step in order if step.state in wanted]:
            return found[0]
    return SHARE


def state_of(project: Project, name: str) -> str:
    """Return how far a step is, by what lies in the project's folder."""
    if name == PROJECT:
        return FINISHED if project.is_there else OPEN
    if not project.is_there:
        return BLOCKED
    run = runs.find(project.folder, name)
    if (run and run.state == runs.RUNNING) or (name in _OUTPUTS and folder_lock.is_held(_output(project, name))):
        return RUNNING
    if not all(_result(project, before) for before in _BEFORE[name]):
        return BLOCKED
    result = _result(project, name)
    if not result:
        begun = name == TRAIN and checkpoints(project.model)
        return UNFINISHED if begun or (run and run.state != runs.DONE and name == TRANSCRIBE) else OPEN
    if name == TRANSCRIBE and missing_transcripts(project):
        return UNFINISHED
    sources = [project.config(RECIPES[name])] if name in (PREPARE, TRAIN) else []
    sources += [path for before in _BEFORE[name] for path in _result(project, before)]
    newest = max((path.stat().st_mtime for path in sources if path.is_file()), default=0.0)
    # Transcripts are not made again for a new recogniser: people may have corrected them.
    keeps = name in (CORPUS, TRANSCRIBE, CORRECT, SHARE)
    return OUTDATED if newest > result[0].stat().st_mtime and not keeps else FINISHED


RECIPES = {PREPARE: "prepare", TRAIN: "train", SCORES: "evaluate", TRANSCRIBE: "transcribe"}
_OUTPUTS = {PREPARE: "dataset", TRAIN: "model", SCORES: "scores", TRANSCRIBE: "transcripts"}
# What must be there before a step can be done.
_BEFORE: dict[str, tuple[str, ...]] = {
    CORPUS: (),
    PREPARE: (),
    TRAIN: (PREPARE,),
    SCORES: (PREPARE, TRAIN),
    TRANSCRIBE: (TRAIN,),
    CORRECT: (TRANSCRIBE,),
    SHARE: (TRAIN,),
}


def _output(project: Project, name: str) -> Path:
    return project.folder / _OUTPUTS[name]


def _result(project: Project, name: str) -> list[Path]:
    """Return the file that says that a step was done: the last one that its recipe writes; or nothing."""
    if name == CORPUS:  # looked at, and either settled or used
        paths = [project.config("prepare"), project.dataset / "prepare.yaml"]
    elif name == TRANSCRIBE:
        paths = transcripts.all_of(project)
    elif name == CORRECT:
        # While transcripts are written, each would be read again and again.
        writing = folder_lock.is_held(project.transcripts)
        paths = (
            [] if writing else [path for path in transcripts.all_of(project) if transcripts.is_edited(project, path)]
        )
    else:
        paths = {
            PREPARE: [project.dataset / "prepare.yaml"],
            TRAIN: [project.model / SETTINGS],
            SCORES: [project.scores / "evaluation.html"],
        }.get(name, [])
    return [path for path in paths if path.is_file()][:1]


def missing_transcripts(project: Project) -> int:
    """Return how many recordings have no transcript yet."""
    if not project.config("transcribe").is_file() and not _own_recordings(project):
        return 0
    try:
        names = _recordings(tuple(project.recordings), int(time.monotonic() // _LISTED_S))
    except (OSError, U2UError):
        return 0
    return len(names - {path.stem for path in transcripts.all_of(project)})


@functools.lru_cache(16)
def _recordings(folders: tuple[Path, ...], _when: int) -> frozenset[str]:
    """Return the names of all recordings. A folder may be large, and on a slow disk: it is not listed each second."""
    found = (path for folder in folders for path in ([folder] if folder.is_file() else files_below(folder)[0]))
    return frozenset(path.stem for path in found if is_audio(path))


def _own_recordings(project: Project) -> bool:
    try:
        return project.recordings != [project.corpus]
    except U2UError:
        return False


def has_checkpoint(project: Project) -> bool:
    """Return whether a training was begun and not finished."""
    return bool(checkpoints(project.model)) and not (project.model / SETTINGS).is_file()
