"""Run one command to its end and write down how it ended: the process between a page and a recipe.

    python -m u2u_hf.project.runner RECORD.json COMMAND…

Nobody else may be left to hear the exit status: the page that started the command may be closed, and its server killed.
It imports little, so that it starts at once.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from u2u_hf.files import write_text

_ROOM_BYTES = 1000
_FULL_BYTES = 100_000


def ended(record: Path) -> Path:
    """Return the file with the exit status of the run of a record."""
    return record.with_suffix(".ended.json")


def child_of(record: Path) -> Path:
    """Return the file with the command's own process: its id and start time, as `psutil` tells it."""
    return record.with_suffix(".child.json")


def job_of(record: Path) -> Path:
    """Return the file with the state of the job that the command rents, see `u2u_hf.hub.job_state`."""
    return record.with_suffix(".job.json")


def reserve(record: Path) -> None:
    """Make the files that `main` and the command fill, with room enough: the disk may be full by then.

    Raises:
        U2UError: they cannot be written.
    """
    for path in (ended(record), child_of(record), job_of(record)):
        write_text(path, " " * _ROOM_BYTES)


def _fill(path: Path, told: dict[str, Any]) -> None:
    """Write over a reserved file, in its place. Half of it would be no JSON, and is taken for nothing."""
    with open(path, "r+b") as file:
        file.write(json.dumps(told).encode().ljust(_ROOM_BYTES))


def main(record: Path, command: list[str]) -> None:
    # Who stops a run tells the recipe; this process waits for what the recipe then does.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        child = subprocess.Popen(command, preexec_fn=_heed_signals if sys.platform != "win32" else None)
        told = {"pid": child.pid, "created": psutil.Process(child.pid).create_time()}
        _fill(child_of(record), told)
        code = child.wait()
    except OSError as error:
        print(f"error: {command[0]}: cannot be started ({error.strerror})", file=sys.stderr, flush=True)
        code = 127
    # Then its last words may not be in the log.
    full = code != 0 and shutil.disk_usage(record.parent).free < _FULL_BYTES
    _fill(ended(record), {"code": code, "at": time.time(), "disk_full": full})


def _heed_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
