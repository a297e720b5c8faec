"""What a visitor sees of a result: one line, its editor, its files."""

import base64
import dataclasses
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import gradio as gr
from strings import Say

from u2u_hf.files import replacing
from u2u_hf.formats import writers
from u2u_hf.records import Transcript, U2UError
from u2u_hf.reports.html import escape

FORMATS = ("eaf", "textgrid", "srt", "tsv")


def summary(transcript: Transcript, say: Say) -> str:
    """Return a line on the transcript: how many segments, how much speech."""
    name, count = Path(transcript.audio).name, len(transcript.segments)
    minutes = sum(s.end_ms - s.start_ms for s in transcript.segments) / 60_000
    text = say("done" if count else "nothing", name=name, count=count, minutes=minutes)
    return f"{text} {say('note', note=transcript.note)}" if transcript.note else text


def problem(error: Exception, path: str, say: Say) -> str:
    """Return what is wrong with an upload, with its name in place of its path, which visitors do not know."""
    name = Path(path).name
    return str(error).replace(str(path), name) if os.path.exists(path) else say("gone", name=name)


def result_at(results: list[dict], number: int | None, say: Say) -> dict:
    """Return one of a visitor's results.

    Raises:
        gr.Error: the server has forgotten it.
    """
    if number is None or number >= len(results):
        raise gr.Error(say("expired"), duration=None, print_exception=False)
    return results[number]


def number_of(results: list[dict], name: str) -> int | None:
    """Return the number of the result with this id, or None if the server has forgotten it."""
    return next((number for number, result in enumerate(results) if result["id"] == name), None)


def choices_of(results: list[dict], first: int) -> list[tuple[str, int]]:
    """Return label and number of the results from `first` on, and of the earlier ones that have been corrected."""
    names = [Path(result["transcript"].audio).name for result in results]
    times = [names[:number].count(name) + 1 for number, name in enumerate(names)]
    return [
        (name if time == 1 else f"{name} ({time})", number)
        for number, (name, time, result) in enumerate(zip(names, times, results, strict=True))
        if number >= first or result["corrected"] != result["transcript"]
    ]


def editor_value(result: dict, language: str) -> str:
    """Return JSON of what page.js opens an editor with: the segments as recognised, the waveform, the sound's address.

    A result's editor is opened once, and then keeps what a visitor corrects.
    """
    transcript: Transcript = result["transcript"]
    fields = ("channel", "start_ms", "end_ms", "text", "confidence")
    segments = [
        {name: getattr(segment, name) for name in fields} | {"words": [dataclasses.asdict(w) for w in segment.words]}
        for segment in transcript.segments
    ]
    opened = {
        "id": result["id"],
        "name": Path(transcript.audio).name,
        "language": language,
        "sound": f"gradio_api/file={transcript.audio}",
        "duration_ms": transcript.duration_ms,
        "channels": transcript.channels,
        "unsure_below": writers.UNSURE_BELOW,
        "segments": segments,
        "peaks": [base64.b64encode(row.tobytes()).decode() for row in result["level"]],
    }
    return json.dumps(opened, ensure_ascii=False)


def downloads(result: dict, say: Say) -> tuple[gr.DownloadButton, gr.Markdown, gr.File]:
    """Return the ELAN file's button, why files cannot be written, and all files of the result as corrected."""
    try:
        files = files_of(result)
    except U2UError as error:
        hidden = gr.DownloadButton(visible=False), gr.File(visible=False)
        return hidden[0], gr.Markdown(say("failed", problem=escape(str(error))), visible=True), hidden[1]
    return gr.DownloadButton(value=files[0], visible=True), gr.Markdown(visible=False), gr.File(files, visible=True)


def files_of(result: dict) -> list[str]:
    """Write the files of a result, in a new folder where Gradio deletes them, and return their paths, .eaf first.

    Raises:
        U2UError: they cannot be written; nothing is left of them.
    """
    try:
        folder = Path(tempfile.mkdtemp(dir=gr.utils.get_upload_folder()))
    except OSError as error:
        raise U2UError(f"The files cannot be written ({error.strerror})") from error
    try:
        return [str(path) for path in _write(result["corrected"], folder)]
    except U2UError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise U2UError(str(error).replace(f"{folder}{os.sep}", "")) from error


def _write(transcript: Transcript, folder: Path) -> list[Path]:
    """Write the transcript in `FORMATS`, and a .zip of these files, under the name of the recording.

    The files refer to the recording as a file in their own folder.
    """
    audio = folder / Path(transcript.audio).name
    files = writers.planned(audio.with_suffix(""), FORMATS)
    writers.write(dataclasses.replace(transcript, audio=str(audio)), files)
    whole = audio.with_suffix(".zip")
    with replacing(whole) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files.values():
            archive.write(path, path.name)
    return [*files.values(), whole]
