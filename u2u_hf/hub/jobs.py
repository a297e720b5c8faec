"""Jobs of the Hugging Face Hub: the computers that can be rented, their prices, and a job's log and end.

Every error of the Hub becomes a U2UError in words.
"""

from __future__ import annotations

import datetime
import difflib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from huggingface_hub import HfApi, JobHardwareInfo, JobInfo, JobStage, get_token
from huggingface_hub.errors import JobNotFoundError

from u2u_hf.hub.job_code import TOKEN, exit_status
from u2u_hf.hub.problems import in_one_line
from u2u_hf.records import U2UError

_UNITS_AN_HOUR = {"second": 3600, "minute": 60, "hour": 1}
_POLL_S = 2.0
ACTIVE = (JobStage.SCHEDULING, JobStage.RUNNING)


@dataclass(frozen=True)
class Ending:
    """How a job ended.

    Attributes:
        kind: finished; failed, the recipe with an error of its own; stopped, by its time-out or because its computer
            was lost; or cancelled.
        seconds: that it ran, or a little more; None if the Hub does not say.
        message: the Hub's own words, or the empty string.
    """

    kind: str
    seconds: int | None
    message: str


def hardware() -> list[JobHardwareInfo]:
    """Return the computers that can be rented, the cheapest first."""
    with in_one_line("the list of computers to rent"):
        return sorted(HfApi().list_jobs_hardware(), key=lambda item: (usd_an_hour(item), item.name))


def flavor(name: str) -> JobHardwareInfo:
    """Return the computer of a name, such as ``t4-small``.

    Raises:
        U2UError: there is none; the nearest name is given.
    """
    known = {item.name: item for item in hardware()}
    if name not in known:
        close = difflib.get_close_matches(name, list(known), n=1)
        advice = f"did you mean {close[0]}? " if close else ""
        raise U2UError(f"--flavor {name}: there is no such computer: {advice}python recipes/remote.py lists them")
    return known[name]


def usd_an_hour(item: JobHardwareInfo) -> float:
    """Return the price of a computer in US dollars an hour."""
    unit = item.unit_label.lower().rstrip("s")
    if unit not in _UNITS_AN_HOUR:
        raise U2UError(f"{item.name}: the Hub gives its price for a {unit}, which is not known here: update u2u-hf")
    # The Hub's prices an hour are whole cents, and what it gives here is rounded: 0.006667 a minute is 0.40 an hour.
    return round(item.unit_cost_usd * _UNITS_AN_HOUR[unit], 3)


def cost(item: JobHardwareInfo, seconds: float) -> float:
    """Return what so many seconds cost at most, in US dollars: the Hub bills begun minutes."""
    return usd_an_hour(item) * math.ceil(seconds / 60) / 60


def usd(amount: float) -> str:
    """Return an amount in whole cents, rounded up, so that an upper bound stays one.

    >>> usd(1.2), usd(0.0001), usd(0)
    ('$1.20', '$0.01', '$0.00')
    """
    return f"${math.ceil(round(amount * 100, 6)) / 100:.2f}"


def described(item: JobHardwareInfo) -> str:
    """Return what a computer has, in one line."""
    gpu = item.accelerator
    parts = [f"{gpu.quantity} × {gpu.manufacturer} {gpu.model}, {gpu.vram}" if gpu else "no GPU", item.cpu, item.ram]
    return "; ".join(parts)


def gpus(item: JobHardwareInfo) -> int:
    """Return the number of a computer's GPUs."""
    return int(item.accelerator.quantity) if item.accelerator else 0


def hardware_table(items: list[JobHardwareInfo]) -> str:
    """Return a table of computers with their prices."""
    rows = [("flavor", "what it has", "an hour"), *((i.name, described(i), usd(usd_an_hour(i))) for i in items)]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>8}" for a, b, c in rows)


def table_rows(text: str) -> list[tuple[str, str, str]]:
    """Return flavor, description and price an hour of each row of what `hardware_table` wrote; other lines are skipped.

    >>> table_rows("flavor     what it has    an hour\\ncpu-basic  no GPU; 2 vCPU    $0.02")
    [('cpu-basic', 'no GPU; 2 vCPU', '$0.02')]
    """
    rows = (re.split(r" {2,}", line.strip()) for line in text.splitlines())
    return [(row[0], row[1], row[2]) for row in rows if len(row) == 3 and row[2].startswith("$")]


def inspect(job_id: str) -> JobInfo:
    """Return a job of the user's.

    Raises:
        U2UError: there is none with this id.
    """
    _require_id(job_id)
    with in_one_line(job_id):
        return HfApi().inspect_job(job_id=job_id)


def _require_id(job_id: str) -> None:
    if not re.fullmatch(r"\w+", job_id):  # it becomes a part of the request's address
        raise U2UError(f"{job_id}: is not the id of a job: the last part of the address of its page")


def active(label: str, value: str) -> list[JobInfo]:
    """Return the jobs of the user's with a label that wait for a computer or run."""
    with in_one_line("the list of your jobs"):
        found = HfApi().list_jobs(status=list(ACTIVE), labels={label: value})
        return [job for job in found if job.status.stage in ACTIVE and (job.labels or {}).get(label) == value]


def cancel(job_id: str) -> JobInfo:
    """Cancel a job and return it as it was before; one that has ended already is left alone."""
    job = inspect(job_id)
    if job.status.stage in ACTIVE:
        with in_one_line(f"{job_id}: cannot be cancelled", "write"):
            HfApi().cancel_job(job_id=job_id)
    return job


def cancelled(job: JobInfo) -> str:
    """Return a line about a job that `cancel` has returned."""
    return f"{'cancelled' if job.status.stage in ACTIVE else 'had ended already'}: {job.url}"


def follow(job_id: str, write: Callable[[str], None]) -> Ending:
    """Write a job's log, from its beginning, line by line as it comes; return how the job ended.

    Raises:
        U2UError: there is no such job; or the Hub cannot be reached for long: the job goes on.
    """
    _require_id(job_id)
    status = None
    try:
        with in_one_line(f"{job_id}: cannot be watched"):
            active = _wait_for_computer(job_id, write)
            for line in HfApi().fetch_job_logs(job_id=job_id, follow=True):
                if (found := exit_status(line)) is None:
                    write(_hidden(line))
                else:
                    status = found
            job = HfApi().wait_for_job(job_id=job_id, poll_interval=_POLL_S)
    except U2UError as error:
        if isinstance(error.__cause__, JobNotFoundError):
            raise
        raise U2UError(f"{error}. The job goes on, and costs: recipes/remote.py --watch {job_id}") from error
    now = datetime.datetime.now(datetime.timezone.utc)
    return Ending(_kind(job, status), running_seconds(job, now if active else None), job.status.message or "")


def _hidden(line: str) -> str:
    """Return a line without what is or looks like a token: a job may have written it."""
    token = get_token()
    return TOKEN.sub("hf_…", line.replace(token, "hf_…") if token else line)


def _wait_for_computer(job_id: str, write: Callable[[str], None]) -> bool:
    """Wait until a job has a computer, and return whether it had not ended before."""
    stage = inspect(job_id).status.stage
    if stage == JobStage.SCHEDULING:
        write("waiting for a free computer")
        HfApi().wait_for_job(job_id=job_id, poll_interval=_POLL_S, stages=[JobStage.RUNNING])
    return stage in ACTIVE


def _kind(job: JobInfo, status: int | None) -> str:
    stage, message = job.status.stage, (job.status.message or "").lower()
    if stage == JobStage.COMPLETED:
        return "finished"
    if stage in (JobStage.CANCELED, JobStage.DELETED):
        return "cancelled"
    # A time-out is the stage ERROR with the message "Job timeout", an error of the command one with its exit code.
    if "timeout" in message.replace(" ", "").replace("-", ""):
        return "stopped"
    return "stopped" if status is None and "exit code" not in message else "failed"


def running_seconds(job: JobInfo, seen_to_end: datetime.datetime | None) -> int | None:
    """Return how long a job that has ended ran, or a little more; None if that is not known.

    Args:
        seen_to_end: a time after its end, which stands for its end if the Hub does not give that.
    """
    if job.durations and job.durations.running_secs is not None:
        return job.durations.running_secs
    end = job.finished_at or seen_to_end
    return math.ceil((end - job.started_at).total_seconds()) if job.started_at and end else None
