"""Programs that are started one after the other, each in a process of its own, and end with this one."""

from __future__ import annotations

import codecs
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import IO

from u2u_hf.command_line.statuses import DONE, SKIPPED
from u2u_hf.records import trimmed

_ENDED = "ended without a message, mostly by the system for lack of memory: try a lower --batch_seconds, 38 for example"
_STOPPED = "stopped"
_KEPT = 20_000  # characters of what a program wrote: some launchers write a report below its error


class Programs:
    """A context in which Ctrl-C and SIGTERM end the running program as it ends itself, and start no other.

    A program gets SIGTERM, once for each signal: training then stops after the current step, with a checkpoint, and at
    once for the second. In Windows the console tells it of Ctrl-C itself.

    Attributes:
        stopped: whether the user has asked to stop.
        skipped: whether a program was done, but for what it has skipped.
    """

    def __init__(self) -> None:
        self.stopped = False
        self.skipped = False
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Programs:
        self._before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *raised: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def run(self, words: Sequence[str], log: Path | None = None) -> str:
        """Run a program to its end; return why it failed in one line, or the empty string.

        What it writes is shown; with `log`, what it writes to stdout is added to that file instead. It is in a process
        group of its own, so that Ctrl-C reaches it once, from here.
        """
        if self.stopped:  # as the program before ended
            return _STOPPED
        sys.stdout.flush()
        with open(log, "ab") if log else contextlib.nullcontext() as stdout:
            self._process = subprocess.Popen(words, stdout=stdout, stderr=subprocess.PIPE, start_new_session=True)
        if self.stopped:  # while it started
            self._end()
        stderr = self._process.stderr
        assert stderr is not None
        with stderr:
            written = _shown(stderr)
        status = self._process.wait()
        self._process = None
        self.skipped |= status == SKIPPED
        return "" if status in (DONE, SKIPPED) else _reason(written.splitlines())

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True
        self._end()

    def _end(self) -> None:
        if self._process and hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)


def _shown(stderr: IO[bytes]) -> str:
    """Write to stderr what comes, at once, and return the last of it.

    The end comes when the program and those that it started have ended: a launcher ends before its training does.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    last = ""
    while data := os.read(stderr.fileno(), 4096):
        text = decoder.decode(data)
        sys.stderr.write(text)
        sys.stderr.flush()
        last = (last + text)[-_KEPT:]
    return last


def _reason(lines: Sequence[str]) -> str:
    errors = [line.removeprefix("error: ").strip() for line in lines if line.startswith("error: ")]
    if errors:
        return errors[-1]
    if any(line.startswith("Traceback") for line in lines):
        found = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"failed: {trimmed(found, 120)} (all of it is above)"
    return _ENDED
