"""What recipes/remote.py notes of its job for the page that started it, which so need not know the words of its log."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

VARIABLE = "U2U_HF_JOB_STATE"  # environment variable with the path of the file, in which there is room already


@dataclass(frozen=True)
class JobState:
    """What is known of a job.

    Attributes:
        job: its id; the empty string if none was started.
        url: of its page; the empty string while it is not known.
        ending: a `jobs.Ending`'s kind; the empty string while it runs, and where nobody saw its end.
        time, cost: how long it ran and about what that cost, in words; the empty string if unknown.
    """

    job: str = ""
    url: str = ""
    ending: str = ""
    time: str = ""
    cost: str = ""


def note(state: JobState) -> None:
    """Write over the file that `VARIABLE` names, in its place, as the disk may be full; do nothing without it."""
    path = os.environ.get(VARIABLE)
    if not path:
        return
    with contextlib.suppress(OSError), open(path, "r+b") as file:
        file.write(json.dumps(asdict(state)).encode().ljust(os.path.getsize(path)))


def read(path: Path) -> JobState:
    """Return what was noted; an empty state if nothing was, or half of it."""
    try:
        return JobState(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return JobState()
