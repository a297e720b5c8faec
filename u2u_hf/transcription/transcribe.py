"""One recording to its transcript: the words and times of each segment."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from u2u_hf.data.audio import AudioInfo, audio_info, read_audio
from u2u_hf.recognition.alignment import align
from u2u_hf.recognition.beam_search import best_runs
from u2u_hf.recognition.calibration import NOT_CALIBRATED, Calibrations, calibrated
from u2u_hf.recognition.decoding import Labels, confidence, word_of
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import Segment, Transcript
from u2u_hf.transcription.segmentation import Segmentation
from u2u_hf.transcription.windows import log_probs_in_windows

_LEAST_LOG_PROB = -10.0  # natural logarithm, in means
# Fills a segment from its log-probabilities [T, V] and the time where their first frame begins (ms).
Decode = Callable[[Segment, np.ndarray, int], Segment]


def recognise_words(
    labels: Labels, language_model: LanguageModel | None = None, calibrations: Calibrations = NOT_CALIBRATED
) -> Decode:
    """Return what gives a segment its recognised text: greedy, or by beam search with the language model.

    Args:
        calibrations: of the recogniser's confidence.
    """
    calibration = calibrations.of(language_model)

    def decode(segment: Segment, log_probs: np.ndarray, start_ms: int) -> Segment:
        runs = best_runs(log_probs, labels, language_model)
        words = [word_of(own, labels, start_ms) for own in runs]
        text, sound = " ".join(word.text for word in words), _sound(log_probs)
        recognised = dataclasses.replace(segment, text=text, sound=sound)
        if calibration is None:
            return dataclasses.replace(recognised, confidence=confidence(words), words=tuple(words))
        found = calibrated(calibration, log_probs, runs, labels, language_model)
        return dataclasses.replace(
            recognised,
            confidence=found.confidence,
            expected_errors=found.expected_errors,
            words=tuple(
                dataclasses.replace(word, confidence=chance) for word, chance in zip(words, found.chances, strict=True)
            ),
        )

    return decode


def _sound(log_probs: np.ndarray) -> tuple[float, ...]:
    """Return the mean of log-probabilities [T, V] over time; labels that are improbable everywhere do not differ."""
    return tuple(np.maximum(log_probs, _LEAST_LOG_PROB).mean(0).round(2).tolist()) if len(log_probs) else ()


def align_words(labels: Labels) -> Decode:
    """Return what gives a segment with a text the times of its words, and how well the text fits as its confidence."""

    def decode(segment: Segment, log_probs: np.ndarray, start_ms: int) -> Segment:
        words, fit = align(log_probs, segment.text, labels, start_ms)
        return dataclasses.replace(segment, confidence=fit, words=tuple(words))

    return decode


def transcribe(
    path: str | os.PathLike[str],
    segmentation: Segmentation,
    recognizer: Recognizer,
    decode: Decode,
    progress: Callable[[float], object] = lambda share: None,
) -> Transcript:
    """Recognise the segments of a recording.

    Args:
        decode: from `recognise_words` or `align_words`.
        progress: called after each segment with its share of all, by length.

    Returns:
        a transcript with every segment; one without recognised words has an empty text, for a person to fill.

    Raises:
        U2UError: the file cannot be read.
    """
    info = audio_info(path)
    log_probs = segmentation.log_probs or partial(_recognised, info, recognizer)
    total = sum(s.end_ms - s.start_ms for s in segmentation.segments)
    decoded = []
    pool = ThreadPoolExecutor(recognizer.parallel_calls)
    try:
        for segment in pool.map(lambda s: decode(s, *log_probs(s)), segmentation.segments):
            decoded.append(segment)
            progress((segment.end_ms - segment.start_ms) / total)
    finally:
        pool.shutdown(cancel_futures=True)  # after an error or Ctrl-C the remaining segments are not recognised
    return Transcript(str(path), info.duration_ms, info.channels, tuple(decoded), segmentation.note)


def _recognised(info: AudioInfo, recognizer: Recognizer, segment: Segment) -> tuple[np.ndarray, int]:
    samples = read_audio(info, segment.start_ms, segment.end_ms, [segment.channel])[0]
    return log_probs_in_windows(recognizer.log_probs, samples), segment.start_ms
