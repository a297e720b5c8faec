"""What happens when a visitor clicks: transcribe, show, edit, cancel."""

import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np
from correction_table import COLUMNS, corrected, format_time, rows, write_files
from strings import STRINGS, language
from upload_check import check_upload
from waveform import levels, picture

from u2u_hf.publishing.space_settings import SpaceVariables
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import Transcript, U2UError
from u2u_hf.reports.html import element
from u2u_hf.transcription.segmentation import Segmentation, find_speech
from u2u_hf.transcription.transcribe import recognise_words, transcribe
from u2u_hf.transcription.voice_detection import VadSettings

try:
    from spaces import GPU  # in ZeroGPU Spaces it lends a GPU for one call
except ImportError:

    def GPU(duration):
        return lambda function: function


Say = Callable[..., str]  # (key, **values) → the text in the visitor's language


class Stopped(Exception):
    """Raised inside a transcription that the visitor has cancelled."""


@dataclass(frozen=True)
class Options:
    """What a visitor chose.

    Attributes:
        sensitivity: 0…1; 1 minus it is the speech threshold.
        longest: seconds of the longest segment.
        all_channels: transcribe every channel, or only the first.
    """

    sensitivity: float
    longest: float
    all_channels: bool
    use_language_model: bool


class Actions:
    """The event handlers of one page. A result is a dict of ``transcript``, ``level`` and ``rows``, kept by Gradio."""

    def __init__(self, recognizer: Recognizer, language_model: LanguageModel | None, settings: SpaceVariables):
        self._recognizer = recognizer
        self._language_model = language_model
        self._settings = settings
        self._stopping: dict[str, threading.Event] = {}  # session → set to cancel its transcription
        # ZeroGPU sends a function's arguments to another process: the model must not be one of them.
        self._recognise = GPU(duration=120)(self._recognise_one)

    def _recognise_one(
        self, path: str, options: Options, language_tag: str, session: str, progress: gr.Progress
    ) -> tuple[Transcript, np.ndarray] | Exception:
        """Return the transcript and the waveform's levels, or the error: ZeroGPU replaces exceptions by its own."""
        stop = self._stopping.get(session, threading.Event())

        def progress_of(key: str) -> Callable[[float], None]:
            return _progress_of(STRINGS[language_tag][key], Path(path).name, stop, progress)

        try:
            info = check_upload(path, self._settings)
            vad = VadSettings(threshold=round(1 - options.sensitivity, 2), max_segment_ms=int(options.longest * 1000))
            found = find_speech(info, vad, progress=progress_of("listening"))
            if not options.all_channels:
                found = Segmentation(tuple(s for s in found.segments if s.channel == 0), found.note)
            language_model = self._language_model if options.use_language_model else None
            decode = recognise_words(self._recognizer.labels, language_model)
            return transcribe(path, found, self._recognizer, decode, progress_of("hearing")), levels(info)
        except (U2UError, Stopped) as error:
            return error
        finally:
            self._recognizer.release_memory()

    def run(
        self,
        files,
        recorded,
        sensitivity,
        longest,
        all_channels,
        with_letters,
        request: gr.Request,
        progress=gr.Progress(),  # noqa: B008 (Gradio requires it as a default value)
    ):
        """Transcribe recordings one after the other, and show the first one."""
        say = say_in(language_of(request))
        paths = [*(files or []), *([recorded] if recorded else [])]
        if not paths:
            raise gr.Error(say("none"), print_exception=False)
        session = request.session_hash
        stop = self._stopping.setdefault(session, threading.Event())
        options = Options(sensitivity, longest, all_channels, with_letters)
        results, messages = [], []
        try:
            for path in paths:
                begun = time.monotonic()
                found = (
                    Stopped()
                    if stop.is_set()
                    else self._recognise(path, options, language_of(request), session, progress)
                )
                if isinstance(found, Stopped):
                    messages.append(say("cancelled"))
                    break
                if isinstance(found, U2UError):
                    messages.append(say("failed", problem=without_folder(found, path)))
                    continue
                transcript, level = found
                results.append({"transcript": transcript, "level": level, "rows": rows(transcript)})
                messages.append(summary(transcript, say))
                length = f"{transcript.duration_ms / 1000:.0f} s, {transcript.channels} channels"
                print(f"{length}: {time.monotonic() - begun:.0f} s", flush=True)
        finally:
            self._stopping.pop(session, None)
        if not results:  # what is on the page may be corrected, and stays
            return ["\n\n".join(messages), *[gr.skip()] * 6]
        choices = [(Path(r["transcript"].audio).name, number) for number, r in enumerate(results)]
        chosen = gr.Dropdown(choices=choices, value=0, visible=len(results) > 1)
        return ["\n\n".join(messages), results, chosen, *self.show(results, 0, request)]

    def show(self, results, number, request: gr.Request):
        """Show one of the results: waveform, table, hint, downloads."""
        if number is None or number >= len(results):
            return [*[gr.update(value=None, visible=False)] * 2, gr.update(visible=False), gr.update(visible=False)]
        result = results[number]
        say = say_in(language_of(request))
        table = gr.Dataframe(value=result["rows"], headers=[say(name) for name in COLUMNS], visible=True)
        return [player(result, say("waveform")), table, gr.update(visible=True), downloads(result)]

    def edit(self, results, number, table, request: gr.Request):
        """Keep a correction, and write the files again; they are hidden while a cell of the table is wrong."""
        if number is None or number >= len(results):  # Gradio has deleted the results after an hour without a change
            message = say_in(language_of(request))("expired")
            raise gr.Error(message, duration=None, print_exception=False)
        results[number]["rows"] = table
        return results, downloads(results[number])

    def wait(self, request: gr.Request):
        """Make the transcription cancellable while it waits in the queue."""
        self._stopping[request.session_hash] = threading.Event()

    def cancel(self, request: gr.Request):
        """Stop the visitor's transcription."""
        if stop := self._stopping.get(request.session_hash):
            stop.set()
            return say_in(language_of(request))("cancelled")
        return gr.skip()

    def leave(self, request: gr.Request):
        """Stop the transcription of a visitor who has closed the page."""
        if stop := self._stopping.pop(request.session_hash, None):
            stop.set()


def _progress_of(text: str, name: str, stop: threading.Event, progress: gr.Progress) -> Callable[[float], None]:
    """Return a function that shows progress, each time by one more share, and raises `Stopped` after a cancel."""
    begun, done = time.monotonic(), 0.0

    def advance(share: float) -> None:
        nonlocal done
        done = min(1.0, done + share)
        if stop.is_set():
            raise Stopped
        left_s = (time.monotonic() - begun) * (1 - done) / max(done, 1e-3)
        progress(done, desc=text.format(name=name, left=format_time(int(left_s * 1000)).split(".")[0]))

    return advance


def language_of(request: gr.Request) -> str:
    """Return the language tag of the visitor's browser, as far as the page has it."""
    return language(request.headers.get("accept-language", "") if request else "")


def say_in(language_tag: str) -> Say:
    """Return ``say(key, **values)`` for a language."""
    return lambda key, **values: STRINGS[language_tag][key].format(**values)


def summary(transcript: Transcript, say: Say) -> str:
    """Return a line on the transcript: how many segments, how much speech."""
    name, count = Path(transcript.audio).name, len(transcript.segments)
    minutes = sum(s.end_ms - s.start_ms for s in transcript.segments) / 60_000
    text = say("done" if count else "nothing", name=name, count=count, minutes=minutes)
    return f"{text} {say('note', note=transcript.note)}" if transcript.note else text


def without_folder(error: U2UError, path: str) -> str:
    """Return the message with the file's name in place of its path, which visitors do not know."""
    return str(error).replace(str(path), Path(path).name)


def player(result: dict, label: str) -> gr.HTML:
    """Return the sound below its waveform; a click on the waveform plays from there."""
    transcript = result["transcript"]
    source = f"gradio_api/file={transcript.audio}"
    sound = element("audio", src=source, controls="", preload="metadata")
    drawing = element("div", picture(result["level"], transcript, label), class_="waveform")
    return gr.HTML(value=element("div", drawing, sound, data_ms=transcript.duration_ms), visible=True)


def downloads(result: dict) -> gr.File:
    """Return the files of the transcript as its table stands now; none, and a warning, if the table is wrong."""
    try:
        transcript = corrected(result["transcript"], result["rows"])
        # In the folder whose files Gradio deletes.
        folder = Path(tempfile.mkdtemp(dir=gr.utils.get_upload_folder()))
        paths = write_files(transcript, folder)
    except U2UError as error:
        gr.Warning(str(error), duration=None)
        return gr.File(visible=False)
    return gr.File(value=[str(path) for path in paths], visible=True)
