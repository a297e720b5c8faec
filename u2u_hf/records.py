"""The records that pass between stages, and the error a user sees.

Plain frozen values: times are integer milliseconds from the start of the recording, channels count
from 0, paths are strings.
"""

from __future__ import annotations

from dataclasses import dataclass

# The linguistic types of machine-made tiers: nobody takes them for a person's work.
MACHINE_TYPES = SEGMENT_TYPE, WORD_TYPE, UNSURE_TYPE = "u2u-hf transcript", "u2u-hf word", "u2u-hf unsure"


class U2UError(Exception):
    """Something the user can mend. Its message is one line: the file, what is wrong, what to do."""


@dataclass(frozen=True)
class Annotation:
    """One annotation of a tier, as it stands in the file."""

    start_ms: int
    end_ms: int
    value: str


@dataclass(frozen=True)
class Tier:
    """One tier of an annotation file; annotations are in order of time.

    An attribute that the file does not give is the empty string.
    """

    name: str
    annotations: tuple[Annotation, ...]
    linguistic_type: str = ""
    participant: str = ""
    annotator: str = ""
    language: str = ""
    parent: str = ""


@dataclass(frozen=True)
class Media:
    """A recording that an annotation file names.

    Attributes:
        urls: as written, absolute first: ``file:///C:/Users/Ana/a.wav``, ``./a.wav``.
        origin_ms: the time in the media that is time 0 of the annotations.
    """

    urls: tuple[str, ...]
    origin_ms: int = 0


@dataclass(frozen=True)
class AnnotationDocument:
    """An annotation file as read: its tiers and the media it names."""

    path: str
    media: tuple[Media, ...]
    tiers: tuple[Tier, ...]


@dataclass(frozen=True)
class Utterance:
    """What one speaker says in one stretch of one recording: who, when, which channel, what.

    Attributes:
        recording: the annotation file's path in the corpus, without its extension.
        audio: path of the audio file.
        channel: of the audio file, from 0; None until it is known.
        raw_text: the annotation as it stands in the file.
        text: after the text rules.
    """

    recording: str
    audio: str
    tier: str
    speaker: str
    channel: int | None
    start_ms: int
    end_ms: int
    raw_text: str
    text: str

    @property
    def duration(self) -> float:
        """Seconds."""
        return (self.end_ms - self.start_ms) / 1000


@dataclass(frozen=True)
class Word:
    """A recognised word. `confidence` is 0…1, see `u2u_hf.recognition.decoding`."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True)
class Segment:
    """A stretch of speech on one channel, and what the recogniser heard in it.

    Attributes:
        confidence: 0…1, see `recognition.decoding`; of a text that was aligned its fit, see `recognition.alignment`.
        tier: the person's tier that the start and end are from, or the empty string if the machine found them.
        speaker: that tier's participant.
    """

    channel: int
    start_ms: int
    end_ms: int
    text: str = ""
    confidence: float = 0.0
    words: tuple[Word, ...] = ()
    tier: str = ""
    speaker: str = ""


@dataclass(frozen=True)
class Transcript:
    """What was heard in a recording: segments in order of channel (or of the person's tiers), then time.

    Attributes:
        note: something the user should know about the recording, or the empty string.
        annotations: path of the recording's own ELAN file, which the tiers are to be added to, or the empty string.
        origin_ms: the time in the recording that is time 0 of `annotations`.
    """

    audio: str
    duration_ms: int
    channels: int
    segments: tuple[Segment, ...]
    note: str = ""
    annotations: str = ""
    origin_ms: int = 0
