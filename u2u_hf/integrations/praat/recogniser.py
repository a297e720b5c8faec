"""What Praat's menu starts: one task on a recording, whose result is a TextGrid that Praat then reads.

    python -m u2u_hf.integrations.praat.recogniser --task transcribe --model FOLDER --audio X.wav --output Y.TextGrid …

What went wrong is written to a file, for all versions of Praat: before 6.3.17 it reads no output and no exit status.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from u2u_hf.files import write_text
from u2u_hf.integrations.menu_folder import MARKER
from u2u_hf.memory import memory_problem
from u2u_hf.records import SEGMENT_TYPE, Tier, Transcript, U2UError

_FOUND = "speech"  # the text of found segments: to Praat, and to its readers, an interval without text is silence
_LEFT_BEHIND_S = 24 * 3600  # age of files of a Praat that was ended while it waited


def main(argv: Sequence[str] | None = None) -> int:
    """Do a task; return 0 also where it failed, because newer Praats would show their own message as well."""
    args = _parser().parse_args(argv)
    try:
        _remove_left_behind(args.problem.parent)
        note = _run(args)
        if note:
            write_text(args.note, f"{note}\n")
    except U2UError as error:
        write_text(args.problem, str(error))
    except Exception as error:  # shown as well: Praat's user sees no terminal
        reason = memory_problem(error) or f"unexpected error, please report it:\n{traceback.format_exc()}"
        write_text(args.problem, f"{args.audio}: {reason}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="praat_recogniser", description="Started by the commands in Praat's menu.")
    parser.add_argument("--task", choices=("transcribe", "align", "find_speech"), required=True)
    parser.add_argument("--model", required=True, help="folder of the model")
    parser.add_argument("--audio", required=True, help="the recording")
    parser.add_argument("--duration_s", type=float, default=0.0, help="its length in Praat, to notice a cut-off file")
    parser.add_argument("--tiers", default="", help="TextGrid with the tier to align or to take the segments of")
    parser.add_argument("--tier", type=int, default=0, help="number of that tier, from 1; 0: no tier is used")
    parser.add_argument("--threshold", type=float, default=0.5, help="speech threshold, 0 to 1")
    parser.add_argument("--all_channels", type=int, default=1, help="0: the first channel only, where speech is found")
    parser.add_argument("--output", type=Path, required=True, help="TextGrid to write")
    parser.add_argument("--problem", type=Path, required=True, help="text file for what went wrong")
    parser.add_argument("--note", type=Path, required=True, help="text file for what the user should know")
    return parser


def _run(args: argparse.Namespace) -> str:
    """Write the TextGrid; return what the user should know, or the empty string."""
    # Imported here, so that what they raise is written down too: for a damaged installation, for instance.
    from u2u_hf.data.audio import audio_info
    from u2u_hf.formats.textgrid import read_textgrid, write_textgrid
    from u2u_hf.formats.writers import UNSURE_BELOW, tiers_of
    from u2u_hf.integrations.installed_model import require_there
    from u2u_hf.integrations.tasks import Request, Task, run
    from u2u_hf.transcription.voice_detection import VadSettings

    if not 0 < args.threshold < 1:
        raise U2UError(f"speech threshold {args.threshold:g}: give a number between 0 and 1, 0.3 for example")
    task = Task(args.task)
    if task is not Task.FIND_SPEECH:
        require_there(Path(args.model))
    missing_s = args.duration_s - audio_info(args.audio).duration_ms / 1000
    if args.duration_s and missing_s > 0.1:
        raise U2UError(f"{args.audio}: {missing_s:.1f} s of the sound are missing in its file: is the disk full?")
    tier: Tier | None = None
    if args.tier:
        tier = read_textgrid(args.tiers).tiers[args.tier - 1]
    vad = VadSettings(threshold=args.threshold)
    transcript = run(Request(task, args.audio, args.model, tier, vad, all_channels=bool(args.all_channels)))
    if task is Task.FIND_SPEECH:
        transcript = _with_text(transcript)
    tiers = tiers_of(transcript, UNSURE_BELOW)
    if task is Task.FIND_SPEECH:
        tiers = [tier for tier in tiers if tier.linguistic_type == SEGMENT_TYPE]
    write_textgrid(args.output, tiers, transcript.duration_ms)
    return transcript.note


def _with_text(transcript: Transcript) -> Transcript:
    segments = (dataclasses.replace(segment, text=_FOUND) for segment in transcript.segments)
    return dataclasses.replace(transcript, segments=tuple(segments))


def _remove_left_behind(work: Path) -> None:
    if not (work.parent / MARKER).is_file():
        return  # called by hand: this is a person's folder
    for path in work.iterdir():
        if path.is_file() and time.time() - path.stat().st_mtime > _LEFT_BEHIND_S:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    raise SystemExit(main())
