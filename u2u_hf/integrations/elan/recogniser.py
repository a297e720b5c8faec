"""The recogniser that ELAN starts: ``python -m u2u_hf.integrations.elan.recogniser --task transcribe --model FOLDER``.

Parameters come from the standard input, see `protocol`. Only the standard library is imported before the first
line of progress is out: ELAN's user should see at once that Start has worked.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from u2u_hf.integrations.elan import parameters
from u2u_hf.integrations.elan.host_process import end_with_host
from u2u_hf.integrations.elan.protocol import Remarks, Report, read_parameters, read_tier, write_result
from u2u_hf.memory import memory_problem
from u2u_hf.records import Tier, Transcript, U2UError

if TYPE_CHECKING:
    from u2u_hf.integrations.tasks import Request

_SOON_S = 0.5


def main() -> int:
    results = _Results()
    end_with_host(results.tidy)
    report = Report(sys.stdout)
    report.progress(0, "starting")
    sys.stdout = sys.stderr = Remarks(report)
    try:
        _run(_arguments(), report, results)
    except U2UError as error:
        problem = str(error)
    except Exception as error:
        problem = memory_problem(error)
        if not problem:
            traceback.print_exc()
            problem = f"u2u-hf failed unexpectedly ({type(error).__name__}): send the lines above to its authors"
    else:
        report.result(done=True)
        return 0
    results.tidy()
    report.say(problem)
    report.result(done=False)
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--task", choices=[item.task for item in parameters.MENU], required=True)
    parser.add_argument("--model", required=True)
    return parser.parse_args()


class _Results:
    """The result files of this run, which ELAN has made empty beforehand."""

    def __init__(self) -> None:
        self._ours: list[Path] = []
        self._known = threading.Event()

    def claim(self, *paths: str) -> None:
        """Note the files that this run is to write, but for those that hold something already."""
        for path in filter(None, paths):
            with contextlib.suppress(OSError):
                if not (os.path.exists(path) and os.path.getsize(path)):
                    self._ours.append(Path(path))
        self._known.set()

    def tidy(self) -> None:
        """Remove these files: after a failure too, ELAN offers to load what is there, and an empty file is an error."""
        self._known.wait(_SOON_S)  # where Cancel was pressed at once, the parameters are just being read
        for path in self._ours:
            for file in (path, *path.parent.glob(f".{path.name}.{os.getpid()}.part")):
                with contextlib.suppress(OSError):
                    file.unlink()


def _run(arguments: argparse.Namespace, report: Report, results: _Results) -> None:
    """Do the task and write its results.

    Raises:
        U2UError: a parameter, the recording or the model cannot be used, or a result cannot be written.
    """
    given = read_parameters(sys.stdin.buffer.read())
    output, curve = given.get(parameters.RESULT.id, ""), given.get(parameters.CURVE.id, "")
    results.claim(output, curve)
    if not output:
        raise U2UError(f"{parameters.RESULT.label}: choose a file for it")
    recording = _recording(given)
    version = _version(recording)
    request, unsure_below = _request(arguments, recording, given)

    from u2u_hf.integrations import tasks
    from u2u_hf.integrations.elan import results as elan_results

    transcript = tasks.run(request, report.progress)
    if _version(recording) != version:
        raise U2UError(f"{recording}: changed while it was read: wait until it is saved, and press Start again")
    _require_segments(arguments.task, transcript)
    report.progress(1, "writing the result")
    if transcript.note:
        report.say(f"note: {transcript.note}")
    if curve and (document := elan_results.curve_document(transcript)):
        write_result(curve, document)
    elif curve:
        report.say("note: no word was recognised, and there is no curve of confidence")
    tiers = elan_results.result_tiers(arguments.task, transcript, unsure_below)
    write_result(output, elan_results.tiers_document(tiers))
    report.say(f"segments: {len(transcript.segments)}, tiers: {', '.join(tiers)}")


def _recording(given: Mapping[str, str]) -> str:
    path = given.get(parameters.RECORDING.id, "")
    if not path:
        raise U2UError("no recording: link one in ELAN (Edit > Linked Files), and choose it above the button Start")
    if not os.path.isfile(path):
        lost = "?" in path or "\ufffd" in path
        reason = "ELAN could not pass the letters of its name: rename it" if lost else "link it in ELAN again"
        raise U2UError(f"{path}: there is no such recording: {reason}")
    return path


def _version(path: str) -> tuple[int, int]:
    """Return what changes with a file. Raises U2UError if it cannot be read."""
    try:
        status = os.stat(path)
    except OSError as error:
        raise U2UError(f"{path}: cannot be read ({error.strerror}): link it in ELAN again") from error
    return status.st_size, status.st_mtime_ns


def _request(arguments: argparse.Namespace, recording: str, given: Mapping[str, str]) -> tuple[Request, float]:
    """Return the request, and the confidence below which a segment is unsure."""
    item = parameters.menu_item(arguments.task)
    values = {p.id: p.read(given.get(p.id, "")) for p in item.parameters if not isinstance(p, parameters.FileParameter)}
    tier_file = given.get(parameters.SEGMENTS.id, "") if arguments.task != parameters.FIND_SPEECH else ""
    annotations = read_tier(tier_file) if tier_file else ()
    if arguments.task == parameters.ALIGN and not any(a.value.strip() for a in annotations):
        raise U2UError(f"{parameters.TRANSCRIPTS.label}: choose a tier whose annotations hold text")

    from u2u_hf.integrations.installed_model import require_there
    from u2u_hf.integrations.tasks import Request, Task
    from u2u_hf.transcription.voice_detection import VadSettings

    if arguments.task != parameters.FIND_SPEECH:
        require_there(Path(arguments.model))
    vad = VadSettings()
    if parameters.SENSITIVITY.id in values:
        longest_ms = round(1000 * values[parameters.LONGEST.id])
        vad = VadSettings(threshold=round(1 - values[parameters.SENSITIVITY.id], 3), max_segment_ms=longest_ms)
    # ELAN passes a file without annotations where nobody has chosen a tier (TierSelectionPanel): speech is found then.
    tier = Tier("chosen tier", annotations) if annotations else None
    all_channels = values.get(parameters.CHANNELS.id, "yes") == "yes"
    request = Request(Task(arguments.task), recording, arguments.model, tier, vad, all_channels)
    return request, values.get(parameters.UNSURE.id, parameters.UNSURE.default)


def _require_segments(task: str, transcript: Transcript) -> None:
    if not transcript.segments:
        raise U2UError("no speech found: raise the sensitivity (Advanced parameters), or choose a tier with segments")


if __name__ == "__main__":
    sys.exit(main())
