"""The segments of a recording that are to be recognised: from a voice detector, or from a person's tiers."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from u2u_hf.corpus.channels import assign_channels
from u2u_hf.corpus.reader import Recording, utterances
from u2u_hf.corpus.text_rules import TextRules
from u2u_hf.data import audio
from u2u_hf.data.audio import AudioInfo, blocks
from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.recognition.decoding import Labels
from u2u_hf.records import Segment, Tier, U2UError, Utterance
from u2u_hf.transcription.crosstalk import levels_db, same_on_all_channels, without_crosstalk
from u2u_hf.transcription.silero import SileroDetector
from u2u_hf.transcription.voice_detection import SegmentLogProbs, SpeechDetector, VadSettings, segments

_BLOCK_SECONDS = 64  # at 16 kHz, 2,000 whole frames of a detector


@dataclass(frozen=True)
class Segmentation:
    """Segments without words, in the order of their transcript; a segment's `text`, if any, is to be aligned.

    Attributes:
        note: what a user should know, or the empty string.
        log_probs: the segments' log-probabilities where the recogniser has found the segments; else None.
    """

    segments: tuple[Segment, ...]
    note: str = ""
    log_probs: SegmentLogProbs | None = None


def find_speech(
    info: AudioInfo,
    settings: VadSettings,
    new_detector: Callable[[int], SpeechDetector] = SileroDetector,
    progress: Callable[[float], object] = lambda share: None,
    first_only: bool = False,
) -> Segmentation:
    """Detect speech on every channel, reading the file block by block.

    Args:
        new_detector: makes the detector for a number of channels.
        progress: called after each block with its share of the recording.
        first_only: detect on the first channel only, as if the file had no other. Speech that is louder on another
            channel is then no cross-talk: nobody will find it there.

    Raises:
        U2UError: the file cannot be decoded.
    """
    if not info.duration_ms:
        return Segmentation(())
    channels = 1 if first_only else info.channels
    detector = new_detector(channels)
    levels: list[np.ndarray] = []
    for _, block in blocks(info, _BLOCK_SECONDS):
        detector.add(block[:channels])
        levels.append(np.stack([levels_db(channel) for channel in block[:channels]]))
        progress(block.shape[1] * 1000 / SAMPLING_RATE / info.duration_ms)
    level, probabilities, note = np.concatenate(levels, axis=1), detector.probabilities(), ""
    if same_on_all_channels(level):
        probabilities[1:] = 0
        note = "all channels are the same: the first one is transcribed"
    else:
        probabilities = without_crosstalk(probabilities, level, settings)
    spans = ((c, span) for c, row in enumerate(probabilities) for span in segments(row, settings, info.duration_ms))
    return Segmentation(tuple(Segment(channel, *span) for channel, span in spans), note, detector.log_probs)


def segments_of_tiers(recording: Recording, tiers: Sequence[Tier], rules: TextRules) -> Segmentation:
    """Return the annotations of a person's tiers, each on the channel where the tier's speaker is loudest.

    Args:
        rules: make the segments' text of the annotations' text.

    Raises:
        U2UError: annotations of a tier overlap, which ELAN does not allow; or none is inside the audio.
    """
    wanted = sorted(utterances([recording], {recording.name: list(tiers)}, rules), key=lambda u: u.start_ms)
    placed, _, dropped = assign_channels(wanted, lambda utterance, tiers: None, audio)
    if dropped and not placed:
        raise U2UError(f"{recording.document.path}: {dropped[0]}")
    found = [_segment(u) for tier in tiers for u in placed if u.tier == tier.name]
    for before, segment in itertools.pairwise([None, *found]):
        overlaps = before and before.tier == segment.tier and segment.start_ms < before.end_ms
        if overlaps or segment.start_ms >= segment.end_ms:
            where = f"{recording.document.path}: tier {segment.tier!r}, {segment.start_ms / 1000:.3f} s"
            raise U2UError(f"{where}: the annotation overlaps the one before it or has no length: fix it in ELAN")
    note = f"{len(dropped)} annotations were dropped, the first: {dropped[0]}" if dropped else ""
    return Segmentation(tuple(found), note)


def _segment(utterance: Utterance) -> Segment:
    speaker = utterance.speaker if utterance.speaker != utterance.tier else ""
    span = (utterance.channel or 0, utterance.start_ms, utterance.end_ms)
    return Segment(*span, utterance.text, tier=utterance.tier, speaker=speaker)


def to_align(segmentation: Segmentation, labels: Labels) -> Segmentation:
    """Return the segments that have a text, with a note of the characters that the vocabulary lacks."""
    with_text = tuple(s for s in segmentation.segments if s.text)
    unknown = sorted({c for s in with_text for c in s.text} - {*labels.symbols, " "})
    notes = [segmentation.note] if segmentation.note else []
    if unknown:
        notes.append(f"not in the model's vocabulary, ignored in the alignment: {' '.join(unknown)}")
    return dataclasses.replace(segmentation, segments=with_text, note="; ".join(notes))
