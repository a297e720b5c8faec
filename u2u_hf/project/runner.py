"""Run one command to its end and write down how it ended: the process between a page and a recipe.

    python -m u2u_hf.project.runner RECORD.json COMMAND…

Nobody else may be left to hear the exit status: the page that started the command may be closed, and its server killed.
It imports little, so that it starts at once.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from u2u_hf.files import write_text


def ended(record: Path) -> Path:
    """Return the file with the exit status of the run of a record."""
    return record.with_suffix(".ended.json")


def child_of(record: Path) -> Path:
    """Return the file with the command's own process: its id and start time, as `psutil` tells it."""
    return record.with_suffix(".child.json")


def main(record: Path, command: list[str]) -> None:
    # Who stops a run tells the recipe; this process waits for what the recipe then does.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        child = subprocess.Popen(command, preexec_fn=_heed_signals if sys.platform != "win32" else None)
        told = {"pid": child.pid, "created": psutil.Process(child.pid).create_time()}
        write_text(child_of(record), json.dumps(told) + "\n")
        code = child.wait()
    except OSError as error:
        print(f"error: {command[0]}: cannot be started ({error.strerror})", file=sys.stderr, flush=True)
        code = 127
    write_text(ended(record), json.dumps({"code": code, "at": time.time()}) + "\n")


def _heed_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
