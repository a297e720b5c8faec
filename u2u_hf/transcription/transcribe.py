"""One recording → segments with words and times, for each channel or each of a person's tiers."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from u2u_hf.corpus.channels import assign_channels
from u2u_hf.corpus.reader import Recording, utterances
from u2u_hf.corpus.text_rules import TextRules
from u2u_hf.data import audio
from u2u_hf.data.audio import AudioInfo, audio_info, blocks, read_audio
from u2u_hf.frames import SAMPLING_RATE, STRIDE
from u2u_hf.recognition.alignment import align
from u2u_hf.recognition.beam_search import beam_search
from u2u_hf.recognition.decoding import Labels, confidence, greedy_words
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import Segment, Tier, Transcript, U2UError
from u2u_hf.transcription.voice_detection import (
    FRAME_MS,
    FRAME_SAMPLES,
    SpeechDetector,
    VadSettings,
    levels_db,
    same_on_all_channels,
    segments,
    without_crosstalk,
)

_BLOCK_SECONDS = 64  # at 16 kHz, 2,000 whole frames of the detector
# A person's segments may be long, and the encoder's memory grows with their square.
_WINDOW_SECONDS, _OVERLAP_SECONDS = 20, 4


@dataclass(frozen=True)
class Stretches:
    """What of a recording is to be heard: segments without words; their `text` is only to be aligned.

    Attributes:
        note: what a user should know, or the empty string.
    """

    segments: tuple[Segment, ...]
    note: str = ""


class WordDetector:
    """Speech is where the recogniser hears words, in windows over everything: for what Silero takes for no speech."""

    def __init__(self, recognizer: Recognizer):
        self._recognizer = recognizer
        self._before = np.zeros(0, dtype=np.float32)

    def probabilities(self, samples: np.ndarray) -> np.ndarray:
        """As `SpeechDetector.probabilities`, but 1 within words and 0 elsewhere; call in order of time."""
        rows = in_windows(self._recognizer.log_probs, np.concatenate([self._before, samples]))
        before_ms = len(self._before) * 1000 // SAMPLING_RATE
        found = np.zeros(-(-len(samples) // FRAME_SAMPLES), dtype=np.float32)
        for word in greedy_words(rows, self._recognizer.labels, -before_ms):
            found[max(0, word.start_ms // FRAME_MS) : max(0, -(-word.end_ms // FRAME_MS))] = 1
        self._before = samples[-_OVERLAP_SECONDS * SAMPLING_RATE :]
        return found


def find_speech(
    info: AudioInfo,
    settings: VadSettings,
    detector: Callable[[], SpeechDetector | WordDetector] = SpeechDetector,
    progress: Callable[[float], object] = lambda share: None,
) -> Stretches:
    """Detect speech on every channel, reading the file block by block.

    Args:
        detector: makes one for each channel.
        progress: called after each block with its share of all.

    Raises:
        U2UError: the file cannot be decoded.
    """
    if not info.duration_ms:
        return Stretches(())
    detectors = [detector() for _ in range(info.channels)]
    probabilities: list[list[np.ndarray]] = [[] for _ in detectors]
    levels: list[list[np.ndarray]] = [[] for _ in detectors]
    with ThreadPoolExecutor(2) as pool:
        for _, block in blocks(info, _BLOCK_SECONDS):
            found = pool.map(lambda detector, samples: detector.probabilities(samples), detectors, block)
            for channel, row in enumerate(found):
                probabilities[channel].append(row)
                levels[channel].append(levels_db(block[channel]))
            progress(block.shape[1] * 1000 / SAMPLING_RATE / info.duration_ms)
    p, level = (np.stack([np.concatenate(row) for row in rows]) for rows in (probabilities, levels))
    note = ""
    if same_on_all_channels(level):
        p[1:] = 0
        note = "all channels are the same: the first one is transcribed"
    p = without_crosstalk(p, level, settings) if not note else p
    spans = [(channel, span) for channel, row in enumerate(p) for span in segments(row, settings, info.duration_ms)]
    return Stretches(tuple(Segment(channel, *span) for channel, span in spans), note)


def segments_of(recording: Recording, tiers: Sequence[Tier], rules: TextRules) -> Stretches:
    """The annotations of a person's tiers, each on the channel where the tier's speaker is loudest.

    Args:
        rules: what becomes of the annotations' text, which the segments get.

    Raises:
        U2UError: annotations of a tier overlap, which cannot be in ELAN; or none is inside the audio.
    """
    wanted = sorted(utterances([recording], {recording.name: list(tiers)}, rules), key=lambda u: u.start_ms)
    placed, _, dropped = assign_channels(wanted, lambda utterance, tiers: None, audio)
    if dropped and not placed:
        raise U2UError(f"{recording.document.path}: {dropped[0][1]}")
    found = [
        Segment(
            u.channel or 0, u.start_ms, u.end_ms, u.text, tier=u.tier, speaker=u.speaker if u.speaker != u.tier else ""
        )
        for tier in tiers
        for u in placed
        if u.tier == tier.name
    ]
    for a, b in itertools.pairwise([None, *found]):
        if (a and a.tier == b.tier and b.start_ms < a.end_ms) or b.start_ms >= b.end_ms:
            where = f"{recording.document.path}: tier {b.tier!r}, {b.start_ms / 1000:.3f} s"
            raise U2UError(f"{where}: the annotation overlaps the one before it or has no length: mend it in ELAN")
    note = f"{len(dropped)} annotations are left out, the first: {dropped[0][1]}" if dropped else ""
    return Stretches(tuple(found), note)


def to_align(stretches: Stretches, labels: Labels) -> Stretches:
    """Those of the stretches that have a text, with a note of characters that the recogniser does not know."""
    segments = tuple(s for s in stretches.segments if s.text)
    unknown = sorted({c for s in segments for c in s.text} - {*labels.symbols, " "})
    notes = [stretches.note] if stretches.note else []
    if unknown:
        notes.append(f"not in the model's vocabulary, and left out of the alignment: {' '.join(unknown)}")
    return Stretches(segments, "; ".join(notes))


Hear = Callable[[Segment, np.ndarray], Segment]


def write_down(labels: Labels, model: LanguageModel | None = None) -> Hear:
    """Gives a segment what the recogniser heard in it, from its log-probabilities [T, V]."""

    def hear(segment: Segment, log_probs: np.ndarray) -> Segment:
        if model:
            words, _ = align(log_probs, beam_search(log_probs, labels, model), labels, segment.start_ms)
        else:
            words = greedy_words(log_probs, labels, segment.start_ms)
        text = " ".join(word.text for word in words)
        return dataclasses.replace(segment, text=text, confidence=confidence(words), words=tuple(words))

    return hear


def find_words(labels: Labels) -> Hear:
    """Gives a segment whose text is known the times of its words, and the fit as its confidence."""

    def hear(segment: Segment, log_probs: np.ndarray) -> Segment:
        words, fit = align(log_probs, segment.text, labels, segment.start_ms)
        return dataclasses.replace(segment, confidence=fit, words=tuple(words))

    return hear


def transcribe(
    path: str | os.PathLike[str],
    stretches: Stretches,
    recognizer: Recognizer,
    hear: Hear,
    progress: Callable[[float], object] = lambda share: None,
) -> Transcript:
    """Hear the stretches of a recording.

    Args:
        hear: `write_down` or `find_words`.
        progress: called after each stretch with its share of all, by length.

    Returns:
        a transcript with a segment for each stretch; one in which nothing is heard keeps its place with an empty
        text, for a person to fill.

    Raises:
        U2UError: the file cannot be read.
    """
    info = audio_info(path)
    total = sum(s.end_ms - s.start_ms for s in stretches.segments)

    def listen(segment: Segment) -> Segment:
        samples = read_audio(info, segment.start_ms, segment.end_ms, [segment.channel])[0]
        return hear(segment, in_windows(recognizer.log_probs, samples))

    heard = []
    pool = ThreadPoolExecutor(recognizer.at_once)
    try:
        for segment in pool.map(listen, stretches.segments):
            heard.append(segment)
            progress((segment.end_ms - segment.start_ms) / total)
    finally:
        pool.shutdown(cancel_futures=True)  # of one that cannot be read, or interrupted, the rest is not heard
    return Transcript(str(path), info.duration_ms, info.channels, tuple(heard), stretches.note)


def in_windows(log_probs: Callable[[np.ndarray], np.ndarray], samples: np.ndarray) -> np.ndarray:
    """Log-probabilities [T, V] of samples [N] of any length: of overlapping windows, joined amid each overlap."""
    window, overlap = _WINDOW_SECONDS * SAMPLING_RATE, _OVERLAP_SECONDS * SAMPLING_RATE
    starts = range(0, max(1, len(samples) - overlap), window - overlap)
    half = overlap // 2 // STRIDE
    parts = []
    for start in starts:
        rows = log_probs(samples[start : start + window])
        first = half if start else 0
        parts.append(rows[first:] if start == starts[-1] else rows[first : (window - overlap) // STRIDE + half])
    return np.concatenate(parts)
