"""What happens when a visitor clicks: transcribe, show, correct, cancel."""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np
from corrections import corrected, received
from results import choices_of, downloads, editor_value, number_of, problem, result_at, summary
from strings import STRINGS, language, say_in
from upload_check import check_upload
from waveform import levels

from u2u_hf.memory import memory_problem
from u2u_hf.publishing.space_settings import SpaceVariables
from u2u_hf.recognition.calibration import NOT_CALIBRATED, Calibrations
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import Transcript, U2UError
from u2u_hf.transcription.segmentation import find_speech
from u2u_hf.transcription.transcribe import recognise_words, transcribe
from u2u_hf.transcription.voice_detection import VadSettings

try:
    from spaces import GPU  # in ZeroGPU Spaces it lends a GPU for one call
except ImportError:

    def GPU(duration):
        return lambda function: function


_SHOWN = 5  # what `Actions.show` returns


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

    A result is a dict, kept by Gradio: ``id``, ``transcript`` as recognised and as ``corrected``, ``level`` of the
    waveform, and whether it is ``shown``. A visitor's results are one list that only grows, so that a number always
    means the same result, also while another transcription ends. A page that outlives its server names its results
    by their ids: new ones have the old numbers.
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
        self._errors: dict[str, str] = {}  # session → what `tell` tells
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
            first_only = not options.all_channels
            found = find_speech(info, vad, progress=progress_of("listening"), first_only=first_only)
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
        return {"id": secrets.token_hex(8), "transcript": transcript, "corrected": transcript, "level": level}

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
        """Show one of the results: its number, editor, and what `downloads` returns."""
        with self._told_later(request):
            result = result_at(results, number, say_in(language_of(request)))
        for other in results:
            other["shown"] = other is result
        button, wrong, files = downloads(result, say_in(language_of(request)))
        return [number, editor_value(result, language_of(request)), button, wrong, files]

    def correct(self, results, sent, request: gr.Request):
        """Keep the corrections of one recording; if it is the one that is shown, write its files again.

        Which one that is, the results tell: over a slow connection, corrections come after the click on another one.
        """
        if not sent:
            return gr.skip()
        say = say_in(language_of(request))
        with self._told_later(request):
            try:
                name, segments = received(sent)
                result = result_at(results, number_of(results, name), say)
                result["corrected"] = corrected(result["transcript"], segments)
            except U2UError as error:
                raise gr.Error(say("refused", problem=error), print_exception=False) from error
        return [results, *(downloads(result, say) if result.get("shown") else [gr.skip()] * 3)]

    @contextlib.contextmanager
    def _told_later(self, request: gr.Request) -> Iterator[None]:
        try:
            yield
        except gr.Error as error:
            self._errors[request.session_hash] = error.message
            raise

    def tell(self, request: gr.Request):
        """Raise the last error of a visitor's again: of what does not go through the queue Gradio shows none."""
        unreached = say_in(language_of(request))("unreached")
        raise gr.Error(self._errors.pop(request.session_hash, unreached), print_exception=False)

    def renew(self, results, number, request: gr.Request):
        """Write the files again: Gradio deletes them although the page is open."""
        if number is None or number >= len(results):
            return [gr.skip()] * 3
        return downloads(results[number], say_in(language_of(request)))

    def wait(self, request: gr.Request):
        """Make the transcription cancellable while it waits in the queue, and show the button for it."""
        self._stopping[request.session_hash] = threading.Event()
        return gr.Button(visible=True)

    def cancel(self, request: gr.Request):
        """Stop the visitor's transcription."""
        if stop := self._stopping.get(request.session_hash):
            stop.set()
            return say_in(language_of(request))("cancelled")
        return gr.skip()

    def leave(self, request: gr.Request):
        """Stop the transcription of a visitor who has closed the page."""
        self._errors.pop(request.session_hash, None)
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
        minutes, seconds = divmod(int((time.monotonic() - begun) * (1 - done) / max(done, 1e-3)), 60)
        progress(done, desc=text.format(name=name, left=f"{minutes}:{seconds:02d}"))

    return advance


def language_of(request: gr.Request) -> str:
    """Return the language of the page: chosen on it, or the first of the visitor's browser that the page has."""
    if not request:
        return language("")
    return language(request.headers.get("accept-language", ""), request.query_params.get("language", ""))
