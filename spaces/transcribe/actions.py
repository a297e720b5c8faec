"""What happens when a visitor clicks: transcribe, show, edit, undo, cancel."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np
from correction_table import COLUMNS, format_time, rows
from results import after_correction, choices_of, player, problem, result_at, summary
from strings import STRINGS, language, say_in
from upload_check import check_upload
from waveform import levels

from u2u_hf.memory import memory_problem
from u2u_hf.publishing.space_settings import SpaceVariables
from u2u_hf.recognition.calibration import NOT_CALIBRATED, Calibrations
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import Transcript, U2UError
from u2u_hf.transcription.segmentation import Segmentation, find_speech
from u2u_hf.transcription.transcribe import recognise_words, transcribe
from u2u_hf.transcription.voice_detection import VadSettings

try:
    from spaces import GPU  # in ZeroGPU Spaces it lends a GPU for one call
except ImportError:

    def GPU(duration):
        return lambda function: function


_SHOWN = 7  # what `Actions.show` returns
_REMEMBERED = 200  # corrections that can be undone


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
    """The event handlers of one page.

    A result is a dict, kept by Gradio: ``transcript`` as recognised, ``level`` of the waveform, ``rows`` of the table
    as corrected, ``before``: the rows before each correction. A visitor's results are one list that only grows, so that
    a number always means the same result, also in a correction that arrives while another transcription ends.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        language_model: LanguageModel | None,
        settings: SpaceVariables,
        calibrations: Calibrations = NOT_CALIBRATED,
    ):
        self._recognizer = recognizer
        self._language_model, self._calibrations = language_model, calibrations
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
            decode = recognise_words(self._recognizer.labels, language_model, self._calibrations)
            return transcribe(path, found, self._recognizer, decode, progress_of("hearing")), levels(info)
        except (U2UError, Stopped) as error:
            return error
        except Exception as error:  # of several libraries; the other recordings are still transcribed
            reason = memory_problem(error) or getattr(error, "strerror", None) or type(error).__name__
            return U2UError(f"{path}: {reason}")
        finally:
            self._recognizer.release_memory()

    def _result_of(
        self, path: str, options: Options, language_tag: str, session: str, progress: gr.Progress
    ) -> dict | Exception:
        begun = time.monotonic()
        try:
            found = self._recognise(path, options, language_tag, session, progress)
        except gr.Error as error:  # ZeroGPU's, for example when a visitor's time on it is used up
            return U2UError(f"{path}: {error.message}")
        if isinstance(found, Exception):
            return found
        transcript, level = found
        length = f"{transcript.duration_ms / 1000:.0f} s, {transcript.channels} channels"
        print(f"{length}: {time.monotonic() - begun:.0f} s", flush=True)
        return {"transcript": transcript, "level": level, "rows": rows(transcript), "before": []}

    def run(
        self,
        files,
        recorded,
        sensitivity,
        longest,
        all_channels,
        with_letters,
        results,
        request: gr.Request,
        progress=gr.Progress(),  # noqa: B008 (Gradio requires it as a default value)
    ):
        """Transcribe recordings one after the other, add them to the results, and show the first new one."""
        say = say_in(language_of(request))
        paths = [*(files or []), *([recorded] if recorded else [])]
        if not paths:
            raise gr.Error(say("none"), print_exception=False)
        session = request.session_hash
        stop = self._stopping.setdefault(session, threading.Event())
        options = Options(sensitivity, longest, all_channels, with_letters)
        new, messages = [], []
        try:
            for path in paths:
                if stop.is_set():
                    found = Stopped()
                else:
                    found = self._result_of(path, options, language_of(request), session, progress)
                if isinstance(found, Stopped):
                    messages.append(say("cancelled"))
                    break
                if isinstance(found, Exception):
                    messages.append(say("failed", problem=problem(found, path, say)))
                    continue
                new.append(found)
                messages.append(summary(found["transcript"], say))
        finally:
            self._stopping.pop(session, None)
        if not new:  # what is on the page stays
            return ["\n\n".join(messages), *[gr.skip()] * (2 + _SHOWN)]
        first = len(results)
        results.extend(new)
        choices = choices_of(results, first)
        if choices[0][1] < first:
            messages.append(say("kept"))
        chosen = gr.Dropdown(choices=choices, value=first, visible=len(choices) > 1)
        return ["\n\n".join(messages), results, chosen, *self.show(results, first, request)]

    def show(self, results, number, request: gr.Request):
        """Show one of the results: its number, waveform, table, hint, and what `after_correction` returns."""
        say = say_in(language_of(request))
        result = result_at(results, number, say)
        table = gr.Dataframe(value=result["rows"], headers=[say(name) for name in COLUMNS], visible=True)
        hint = gr.update(visible=True)
        return [number, player(result, number, say("waveform")), table, hint, *after_correction(result, say)]

    def edit(self, results, number, table, request: gr.Request):
        """Keep a correction, and write the files again; they are hidden while a cell of the table is wrong."""
        say = say_in(language_of(request))
        result = result_at(results, number, say)
        if table != result["rows"]:  # Gradio also sends a table when a cell is left as it was
            known = {tuple(row): row for row in result["rows"]}  # rows that stay are kept once for all tables
            result["before"] = [*result["before"], result["rows"]][-_REMEMBERED:]
            result["rows"] = [known.get(tuple(row), row) for row in table]
        return results, *after_correction(result, say)

    def undo(self, results, number, request: gr.Request):
        """Take the last correction back."""
        say = say_in(language_of(request))
        result = result_at(results, number, say)
        if result["before"]:
            result["rows"] = result["before"].pop()
        return results, gr.Dataframe(value=result["rows"]), *after_correction(result, say)

    def renew(self, results, number, request: gr.Request):
        """Write the files again: Gradio deletes them although the page is open."""
        if number is None or number >= len(results):
            return gr.skip()
        return after_correction(results[number], say_in(language_of(request)))[-1]

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
