"""What a menu of another program asks for: one task on one recording → its transcript."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from u2u_hf.corpus.reader import Recording
from u2u_hf.corpus.text_rules import DEFAULT_RULES, TextRules
from u2u_hf.data.audio import AudioInfo, audio_info
from u2u_hf.recognition import calibration, language_model
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import AnnotationDocument, Media, Tier, Transcript, U2UError
from u2u_hf.transcription.segmentation import Segmentation, find_speech, segments_of_tiers, to_align
from u2u_hf.transcription.transcribe import align_words, recognise_words, transcribe
from u2u_hf.transcription.voice_detection import VadSettings

_FINDING = 0.1  # share of a transcription's time that finding speech takes, about

Progress = Callable[[float, str], object]  # share of the task, 0…1, and what is being done


class Task(Enum):
    """What can be asked for; the value is its name on command lines and in files."""

    TRANSCRIBE = "transcribe"
    ALIGN = "align"
    FIND_SPEECH = "find_speech"


@dataclass(frozen=True)
class Request:
    """A task on a recording.

    Attributes:
        audio: path of the recording.
        model: folder or Hub name of a trained model; not needed to find speech.
        tier: a person's tier. To transcribe, its annotations are the segments, and without one speech is found. To
            align, its texts are what is said.
        all_channels: False for the first channel alone, where speech is found.
    """

    task: Task
    audio: str
    model: str = ""
    tier: Tier | None = None
    vad: VadSettings = field(default_factory=VadSettings)
    all_channels: bool = True


def run(request: Request, progress: Progress = lambda share, doing: None) -> Transcript:
    """Return the transcript: found speech has segments without text, aligned words the tier's own text.

    Args:
        progress: called at least after each segment; its share is 1 only when all is done.

    Raises:
        U2UError: the recording or the model cannot be used, or the tier holds nothing to align.
    """
    info = audio_info(request.audio)
    finds = request.tier is None
    if request.task is Task.ALIGN and finds:
        raise U2UError(f"{request.audio}: to align its words, choose the tier that holds the transcripts")
    if request.task is Task.FIND_SPEECH:
        found = _found(request, info, _Share(progress, "finding speech", 0.0, 1.0))
        return Transcript(request.audio, info.duration_ms, info.channels, found.segments, found.note)
    recognizer = Recognizer(request.model)
    if request.tier is None:
        found = _found(request, info, _Share(progress, "finding speech", 0.0, _FINDING))
    else:
        found = _of_tier(request.tier, info)
    if request.task is Task.ALIGN:
        found = to_align(found, recognizer.labels)
        if not found.segments:
            raise U2UError(f"{request.audio}: tier {request.tier.name!r} holds no text to align")
        decode, doing = align_words(recognizer.labels), "aligning"
    else:
        decode = recognise_words(recognizer.labels, language_model.load(request.model), calibration.load(request.model))
        doing = "transcribing"
    share = _Share(progress, doing, _FINDING if finds else 0.0, 1.0)
    return transcribe(request.audio, found, recognizer, decode, share)


def _found(request: Request, info: AudioInfo, share: Callable[[float], object]) -> Segmentation:
    return find_speech(info, request.vad, progress=share, first_only=not request.all_channels)


def _of_tier(tier: Tier, info: AudioInfo) -> Segmentation:
    document = AnnotationDocument(info.path, (Media((info.path,)),), (tier,))
    return segments_of_tiers(Recording(info.path, document, info.path, 0), [tier], TextRules(list(DEFAULT_RULES)))


class _Share:
    """Adds up shares of one part of a task, and reports the share of the whole with the time left."""

    def __init__(self, progress: Progress, doing: str, begin: float, end: float):
        self._progress, self._doing = progress, doing
        self._begin, self._end = begin, end
        self._done, self._begun = 0.0, time.monotonic()

    def __call__(self, share: float) -> None:
        self._done = min(1.0, self._done + share)
        seconds = (time.monotonic() - self._begun) * (1 - self._done) / max(self._done, 1e-3)
        left = f"{int(seconds) // 60}:{int(seconds) % 60:02} left"
        self._progress(self._begin + (self._end - self._begin) * self._done, f"{self._doing}, {left}")
