"""Jobs of the loopback Hub: each one's command really runs, in a process that sees what a container there would see.

In place of the image there is this computer's Python, and an `uv` that installs nothing: it lets the job's programs
find the code that the job has fetched.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from support import door, programs

HARDWARE = [
    {
        "name": name,
        "prettyName": name,
        "cpu": cpu,
        "ram": ram,
        "ephemeralStorage": "50 GB",
        "accelerator": gpu
        and {"type": "gpu", "model": gpu, "quantity": quantity, "vram": vram, "manufacturer": "Nvidia"},
        "unitCostMicroUSD": round(usd * 1e6),
        "unitCostUSD": usd,
        "unitLabel": "minute",
    }
    for name, cpu, ram, gpu, quantity, vram, usd in [
        ("a100-large", "12 vCPU", "142 GB", "A100", "1", "80 GB", 0.041667),
        ("cpu-basic", "2 vCPU", "16 GB", None, "", "", 0.000167),
        ("t4-small", "4 vCPU", "15 GB", "T4", "1", "16 GB", 0.006667),
        ("l4x4", "48 vCPU", "186 GB", "L4", "4", "96 GB", 0.063333),
    ]
]
_UV = """#!/bin/sh
echo "uv $*" >> "$HOME/uv.log"
case "$*" in
  venv*) mkdir -p env/bin && echo "export PYTHONPATH=$PWD/u2u-hf:$STARTED" > env/bin/activate ;;
  *./u2u-hf*) [ -f u2u-hf/pyproject.toml ] || exit 2 ;;
esac
"""
_GRACE_S = 10  # between SIGTERM and SIGKILL


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Job:
    """A job, as its API shows it, and its process.

    Attributes:
        secrets: its values, which no answer of the Hub has.
        folder: the container's own, where it also writes.
    """

    id: str
    owner: str
    spec: dict
    secrets: dict[str, str]
    folder: Path
    stage: str = "SCHEDULING"
    message: str | None = None
    lines: list[dict] = field(default_factory=list)
    created: str = field(default_factory=_now)
    started: float = 0.0
    ended: float = 0.0
    process: subprocess.Popen | None = None
    ending: tuple[str, str | None] | None = None

    def shown(self) -> dict:
        """What the API tells of it."""
        running = math.floor((self.ended or time.time()) - self.started) if self.started else None
        return {
            "id": self.id,
            "createdAt": self.created,
            "dockerImage": self.spec["dockerImage"],
            "command": self.spec["command"],
            "arguments": self.spec["arguments"],
            "environment": self.spec["environment"],
            "secrets": {},
            "flavor": self.spec["flavor"],
            "labels": self.spec.get("labels", {}),
            "status": {"stage": self.stage, "message": self.message},
            "durations": {"schedulingSecs": 0, "runningSecs": running, "totalSecs": running},
            "owner": {"id": self.owner, "name": self.owner, "type": "user"},
        }

    @property
    def text(self) -> str:
        """Its whole log."""
        return "\n".join(line["data"] for line in self.lines)

    def stop(self, stage: str, message: str | None) -> None:
        """End it as the Hub does: SIGTERM to the container's first process, and SIGKILL to all a little later."""
        if self.process and self.stage == "RUNNING":
            self.ending = stage, message
            threading.Thread(target=self._end, daemon=True).start()

    def _end(self) -> None:
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            self.process.terminate()
            self.process.wait(_GRACE_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Runner:
    """Runs jobs.

    Attributes:
        jobs: by id, the oldest first.
        stopped_at: job's number from 0 → a text: at the first line of its log that has it, its time is over.
    """

    def __init__(self, folder: Path):
        programs.open_door()
        self._folder = folder
        self.jobs: dict[str, Job] = {}
        self.stopped_at: dict[int, str] = {}

    def start(self, owner: str, spec: dict, url: str) -> Job:
        """Start a job's command."""
        for key, value in spec.get("labels", {}).items():
            assert re.fullmatch(r"[\w-]{1,100}", key), key
            assert re.fullmatch(r"[\w.-]{1,100}", value), value
        number = len(self.jobs)
        folder = self._folder / f"job{number}"
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "uv").write_text(_UV)
        (folder / "bin" / "uv").chmod(0o755)
        secrets = spec.pop("secrets", {})
        job = Job(f"{number:024x}", owner, spec, secrets, folder)
        self.jobs[job.id] = job
        places = [str(folder / "bin"), str(Path(sys.executable).parent), "/usr/bin", "/bin"]
        container = {
            "PATH": os.pathsep.join(places),
            "HOME": str(folder),
            "HF_ENDPOINT": url,
            "HF_HUB_DISABLE_XET": "1",
            "OMP_NUM_THREADS": "1",
            "LANG": "C.UTF-8",
            "STARTED": door.with_started(""),
            **{name: value for name, value in os.environ.items() if name == "U2U_TESTS_DOOR"},
        }
        until = self.stopped_at.get(number)
        threading.Thread(target=self._run, args=(job, container, until), daemon=True).start()
        return job

    def _run(self, job: Job, container: dict[str, str], until: str | None) -> None:
        work = job.folder / "work"
        work.mkdir()
        job.lines.append({"data": f"===== Job started at {job.created} =====", "timestamp": _now()})
        job.process = subprocess.Popen(
            job.spec["command"],
            cwd=work,
            env={**container, **job.spec["environment"], **job.secrets},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
        job.started, job.stage = time.time(), "RUNNING"
        over = "ERROR", "Job timeout"
        clock = threading.Timer(job.spec.get("timeoutSeconds", 1800), job.stop, over)
        clock.start()
        for line in job.process.stdout:
            job.lines.append({"data": line.rstrip("\n"), "timestamp": _now()})
            if until and until in line and not job.ending:
                job.stop(*over)
        status = job.process.wait()
        with contextlib.suppress(ProcessLookupError):  # what it has left behind ends with its container
            os.killpg(job.process.pid, signal.SIGKILL)
        clock.cancel()
        job.ended = time.time()
        failed = ("ERROR", f"Job failed with exit code: {status}. Reason: Error") if status else ("COMPLETED", None)
        job.stage, job.message = job.ending or failed

    def log(self, job: Job) -> Iterator[str]:
        """A job's log as server-sent events, until it ends."""
        sent = 0
        while True:
            ended = job.stage not in ("SCHEDULING", "RUNNING")
            while sent < len(job.lines):
                yield f"data: {json.dumps(job.lines[sent])}\n\n"
                sent += 1
            if ended:
                return
            time.sleep(0.05)

    def close(self) -> None:
        """End all that runs."""
        for job in self.jobs.values():
            job.stop("CANCELED", None)
