"""Recipes as processes of their own: started, found again, stopped, each with its log in PROJECT/.studio.

A run goes on when the page is closed and its server is killed. Another server, later, finds it by the record: the
process's id with its start time, because ids are used again. What a person starts in a terminal is found by the lock of
its output folder.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from u2u_hf import folder_lock
from u2u_hf.command_line import statuses
from u2u_hf.files import reason, replacing, write_text
from u2u_hf.hub import job_state
from u2u_hf.project import runner
from u2u_hf.records import U2UError

FOLDER = ".studio"
RUNNING, DONE, SKIPPED, STOPPED, FAILED, LOST = "running", "done", "skipped", "stopped", "failed", "lost"
_STOPPED_CODES = (statuses.STOPPED, -signal.SIGINT, -signal.SIGTERM)
_SAME_START_S = 30.0  # a clock that was set right moves the start times that the system tells
_STARTS_WITHIN_S = 5.0  # a recipe, after its runner
_ROOM_BYTES = 100_000  # for records and a log
_starting = threading.Lock()
_children: list[subprocess.Popen] = []  # of this process, to be waited for


@dataclass(frozen=True)
class Run:
    """A run of a step: what was started, and how it is.

    Attributes:
        state: running; done; skipped: done, but for files that could not be used; stopped (by a person); failed (see
            the log); lost: it ended and nobody saw how, because the computer was switched off or the process was
            killed.
        code: exit status, or None.
        asked: the command as it was given: `command` reads a copy of its settings.
        began, ended: seconds since 1970; `ended` is None while it runs and where nobody saw it.
        disk_full: whether the project's disk was full when it ended.
    """

    step: str
    command: tuple[str, ...]
    log: Path
    state: str
    code: int | None
    began: float
    ended: float | None
    disk_full: bool = False
    asked: tuple[str, ...] = ()

    def text(self, most_bytes: int = 200_000) -> str:
        """Return the end of the log."""
        try:
            with open(self.log, "rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - most_bytes))
                return file.read().decode("utf-8", "replace").replace("\r", "\n")
        except OSError:
            return ""

    @property
    def error(self) -> str:
        """Return the recipe's own last word on why it failed, or the empty string."""
        if self.disk_full:
            return f"{self.log.parent.parent}: {reason(OSError(errno.ENOSPC, ''), self.log)}"
        lines = [line for line in self.text(20_000).splitlines() if line.strip()]
        said = [line for line in lines if line.startswith("error: ")]
        return (said or lines or [""])[-1].removeprefix("error: ")

    @property
    def job(self) -> job_state.JobState:
        """Return what its command noted of a job that it rents."""
        return job_state.read(runner.job_of(self.log))

    @property
    def skipped(self) -> list[str]:
        """Return the files that it skipped, each with the reason, as the recipe names them."""
        sign = "! skipped "
        return [line.removeprefix(sign) for line in self.text().splitlines() if line.startswith(sign)]

    @property
    def was_killed(self) -> bool:
        """Whether the system ended it: for lack of memory, most often."""
        return self.code in (-9, 137)


def record_of(project: Path, step: str) -> Path:
    """Return the file that tells of the last run of a step."""
    return project / FOLDER / f"{step}.json"


def find(project: Path, step: str) -> Run | None:
    """Return the last run of a step that was started from a page, or None."""
    record = record_of(project, step)
    began = _read(record)
    if not began:
        return None
    for child in [child for child in _children if child.poll() is not None]:
        with contextlib.suppress(ValueError):  # another thread has removed it
            _children.remove(child)
    ended = _read(runner.ended(record))
    code = ended.get("code")
    if code is not None:
        state = {statuses.DONE: DONE, statuses.SKIPPED: SKIPPED}.get(code, FAILED)
        if code and (began.get("stopped") or code in _STOPPED_CODES):
            state = STOPPED
    elif _process(began) or _process(_read(runner.child_of(record))):
        state = RUNNING
    else:
        state = STOPPED if began.get("stopped") else LOST
    return Run(
        step=step,
        command=tuple(map(str, began.get("command", ()))),
        log=record.with_suffix(".log"),
        state=state,
        code=code,
        began=float(began.get("began") or 0),
        ended=ended.get("at"),
        disk_full=ended.get("disk_full") is True,
        asked=tuple(map(str, began.get("asked", began.get("command", ())))),
    )


def start(project: Path, step: str, command: Sequence[str], *, online: bool = False) -> Run:
    """Start a command as a process of its own, which outlives this one.

    It reads a copy of its ``--config``: a recipe takes seconds until it reads its settings, and a person may change
    them meanwhile, for the next run.

    Args:
        online: whether it may reach the Hugging Face Hub; without, its libraries are told not to.

    Raises:
        U2UError: a run of this step is under way, or nothing can be written into the project.
    """
    record = record_of(project, step)
    with _starting:
        try:
            record.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise U2UError(f"{record.parent}: cannot be made ({reason(error, record)})") from error
        folder_lock.take(record.parent)  # also against another server
        try:
            if (before := find(project, step)) and before.state == RUNNING:
                raise U2UError(f"{step}: is running already: stop it first, or let it end")
            _require_room(record)
            words = _with_copied_settings(command, record.with_suffix(".yaml"))
            runner.reserve(record)
            write_text(record, "{}\n")
            process = _start(record, words, _variables(record, online))
            _children.append(process)
            began = {"command": words, "asked": [*command], "pid": process.pid, "created": _created(process.pid)}
            write_text(record, json.dumps(began | {"began": time.time()}, indent=1) + "\n")
        except OSError as error:
            raise U2UError(
                f"{error.filename or record}: cannot be read or written ({reason(error, record)})"
            ) from error
        finally:
            folder_lock.release(record.parent)
    found = find(project, step)
    assert found
    return found


def _require_room(record: Path) -> None:
    """Raise U2UError if the disk is full: before anything runs, and before the last run's records are replaced."""
    with replacing(record.with_suffix(".room")) as temporary:
        temporary.write_bytes(bytes(_ROOM_BYTES))
    record.with_suffix(".room").unlink()


def stop(project: Path, step: str) -> None:
    """Ask a run to stop: a training writes a checkpoint first. Asked again, it stops at once.

    A run that has ended stays as it is. The recipe of one that was started just now is waited for, up to 5 s.
    """
    record = record_of(project, step)
    began = _read(record)
    latest = time.monotonic() + _STARTS_WITHIN_S
    while not (targets := _recipes(record)) and _process(began) and time.monotonic() < latest:
        if _has_ended(record):
            return
        time.sleep(0.05)
    if not targets or _has_ended(record):
        return
    again = began.get("stopped")
    write_text(record, json.dumps(began | {"stopped": time.time()}, indent=1) + "\n")
    for target in targets:
        try:
            target.terminate()
            if again and time.time() - float(again) > 20:
                target.kill()
        except psutil.Error:
            continue


def free_bytes(folder: Path) -> int:
    """Return the free space of the disk that a folder lies on."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def _variables(record: Path, online: bool) -> dict[str, str]:
    offline = {} if online else {"HF_HUB_OFFLINE": "1"}
    plain = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "TERM": "dumb"}
    return plain | offline | {job_state.VARIABLE: str(runner.job_of(record))}


def _with_copied_settings(command: Sequence[str], copy: Path) -> list[str]:
    words = list(command)
    if "--config" in words:
        at = words.index("--config") + 1
        own = Path(words[at])
        told = f"\n# Copied when the run started from {own}: change that file.\n".encode("utf-8", "replace")
        settings = own.read_bytes() + told  # at the end: lines keep their numbers, which errors name
        with replacing(copy) as temporary:
            temporary.write_bytes(settings)
        words[at] = str(copy)
    return words


def _start(record: Path, command: Sequence[str], variables: Mapping[str, str]) -> subprocess.Popen:
    words = [sys.executable, "-m", "u2u_hf.project.runner", str(record), *command]
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    with open(record.with_suffix(".log"), "wb") as log:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **variables},
            **apart,
        )


def _has_ended(record: Path) -> bool:
    return _read(runner.ended(record)).get("code") is not None


def _recipes(record: Path) -> list[psutil.Process]:
    """Return the processes that run the recipe: the command's own or, on several GPUs, those below its launcher."""
    child = _process(_read(runner.child_of(record)))
    waiting, found = [child] if child else [], []
    while waiting:
        process = waiting.pop()
        if "accelerate.commands.launch" in _words(process):
            waiting += _children_of(process)
        else:
            found.append(process)
    return found


def _children_of(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children()
    except psutil.Error:
        return []


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _process(told: Mapping[str, Any]) -> psutil.Process | None:
    """Return the process of a record if it is the one that was started, and runs: ids are used again."""
    try:
        process = psutil.Process(int(told["pid"]))
        alive = process.status() != psutil.STATUS_ZOMBIE
        return process if alive and abs(process.create_time() - float(told["created"])) < _SAME_START_S else None
    except (psutil.Error, KeyError, ValueError, TypeError):
        return None


def _created(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return time.time()


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
