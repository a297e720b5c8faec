"""The voice detectors by name. A new one is a module with a class like `SpeechDetector`, and a line here."""

from __future__ import annotations

from collections.abc import Callable

from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.transcription.silero import SileroDetector
from u2u_hf.transcription.voice_detection import SpeechDetector
from u2u_hf.transcription.word_detector import WordDetector

# Each makes the detector for one recording, of its recogniser and its number of channels.
DETECTORS: dict[str, Callable[[Recognizer, int], SpeechDetector]] = {
    "silero": lambda recognizer, channels: SileroDetector(channels),
    "words": WordDetector,
}
