"""What a visitor sees of a result: one line, its sound, its files, what is wrong in its table."""

import os
import shutil
import tempfile
from pathlib import Path

import gradio as gr
from correction_table import WrongCell, corrected, rows, write_files
from strings import Say
from waveform import picture

from u2u_hf.records import Transcript, U2UError
from u2u_hf.reports.html import element, escape


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


def choices_of(results: list[dict], first: int) -> list[tuple[str, int]]:
    """Return label and number of the results from `first` on, and of the earlier ones that have been corrected."""
    names = [Path(result["transcript"].audio).name for result in results]
    times = [names[:number].count(name) + 1 for number, name in enumerate(names)]
    return [
        (name if time == 1 else f"{name} ({time})", number)
        for number, (name, time, result) in enumerate(zip(names, times, results, strict=True))
        if number >= first or result["rows"] != rows(result["transcript"])
    ]


def player(result: dict, number: int, label: str) -> gr.HTML:
    """Return the sound below its waveform; a click on the waveform plays from there."""
    transcript = result["transcript"]
    source = f"gradio_api/file={transcript.audio}"
    sound = element("audio", src=source, controls="", preload="metadata")
    drawing = element("div", picture(result["level"], transcript, label), class_="waveform")
    content = element("div", drawing, sound, data_ms=transcript.duration_ms, data_number=number)
    return gr.HTML(value=content, visible=True)


def after_correction(result: dict, say: Say) -> tuple[gr.Button, gr.Markdown, gr.File]:
    """Return the undo button, and either the files of the table as it stands or what is wrong with the table."""
    undo = gr.Button(interactive=bool(result["before"]), visible=True)
    try:
        files = gr.File(value=files_of(result), visible=True)
    except WrongCell as error:
        column = say(str(error.values["column"]))
        wrong = say(error.key, **{**error.values, "column": column})
    except U2UError as error:
        wrong = str(error)
    else:
        return undo, gr.Markdown(visible=False), files
    return undo, gr.Markdown(say("no_files", problem=escape(wrong)), visible=True), gr.File(visible=False)


def files_of(result: dict) -> list[str]:
    """Write the files of a result, in a new folder where Gradio deletes them, and return their paths.

    Raises:
        WrongCell: the table is wrong.
        U2UError: they cannot be written; nothing is left of them.
    """
    transcript = corrected(result["transcript"], result["rows"])
    try:
        folder = Path(tempfile.mkdtemp(dir=gr.utils.get_upload_folder()))
    except OSError as error:
        raise U2UError(f"The files cannot be written ({error.strerror})") from error
    try:
        return [str(path) for path in write_files(transcript, folder)]
    except U2UError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise U2UError(str(error).replace(f"{folder}{os.sep}", "")) from error
