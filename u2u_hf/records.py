"""The records that pass between stages, and the error that a user sees.

All are frozen and hold plain values: times are integer milliseconds from the start of the recording, channels are
numbered from 0, paths are strings.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# The linguistic types of machine-made tiers, so that nobody takes these for a person's work.
MACHINE_TYPES = SEGMENT_TYPE, WORD_TYPE, UNSURE_TYPE, QUEUE_TYPE = (
    "u2u-hf transcript",
    "u2u-hf word",
    "u2u-hf unsure",
    "u2u-hf queue",
)
# The type that a person gives a tier that they have corrected; it stands ready in the file.
CORRECTED_TYPE = "corrected transcript"
MACHINE_ANNOTATOR = "u2u-hf"  # of these tiers; it stays when a person corrects one and gives it another type


class U2UError(Exception):
    """An error that the user can fix. Its message is one line: the file, what is wrong, what to do."""


def trimmed(value: object, most: int = 40) -> str:
    """Return a value from a file as an error quotes it, on one line: damaged files have a million characters there.

    >>> trimmed("a\\nb"), trimmed("abcdefgh", most=4), trimmed(None)
    ("'a\\\\nb'", "'abc…'", 'None')
    """
    shown = repr(value[: most + 1] if isinstance(value, str) else value)
    if len(shown) <= most + 2:
        return shown
    return f"{shown[:most]}…{shown[0] if isinstance(value, str) else ''}"


@dataclass(frozen=True)
class Annotation:
    """One annotation of a tier, as the file has it."""

    start_ms: int
    end_ms: int
    value: str


@dataclass(frozen=True)
class Tier:
    """One tier of an annotation file; its annotations are in order of time.

    An attribute that is missing in the file is the empty string.

    Attributes:
        constraint: ELAN's, of the linguistic type: ``Symbolic_Association``, ``Included_In``, ``Time_Subdivision`` or
            ``Symbolic_Subdivision``. Not compared, because it belongs to the type.
    """

    name: str
    annotations: tuple[Annotation, ...]
    linguistic_type: str = ""
    participant: str = ""
    annotator: str = ""
    language: str = ""
    parent: str = ""
    constraint: str = field(default="", compare=False)


@dataclass(frozen=True)
class Media:
    """A link from an annotation file to a recording.

    Attributes:
        urls: as the file has them, absolute first: ``file:///C:/Users/Ana/a.wav``, ``./a.wav``.
        origin_ms: the time in the media that is time 0 of the annotations.
    """

    urls: tuple[str, ...]
    origin_ms: int = 0


@dataclass(frozen=True)
class AnnotationDocument:
    """What an annotation file says of one recording: its tiers and the media that it links to.

    Attributes:
        date: when the file was last saved, as it says itself (ISO 8601), or the empty string.
        domain_ms: start and end of the time that the file is about, as it says itself, or (0, 0).
    """

    path: str
    media: tuple[Media, ...]
    tiers: tuple[Tier, ...]
    date: str = ""
    domain_ms: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Skipped:
    """A file, folder or tier that was not used, and why.

    Attributes:
        is_problem: the user should look at it; False if another file is used in its place, as it should be.
    """

    where: str
    reason: str
    is_problem: bool = True


@dataclass(frozen=True)
class Utterance:
    """A stretch of one recording in which one speaker says something: who, when, which channel, what.

    Attributes:
        recording: the annotation file's path in the corpus, without its extension.
        audio: path of the audio file.
        channel: of the audio file, from 0; None until it is known.
        raw_text: the annotation as the file has it.
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
        """Return the length in seconds."""
        return (self.end_ms - self.start_ms) / 1000


@dataclass(frozen=True)
class Dropped:
    """An utterance that is not used, and why.

    Attributes:
        reason: one of few fixed sentences, by which reports group utterances.
        detail: specifics, such as a library's message or a duration, or the empty string. Neither holds a path,
            because reports are pushed: the file is the utterance's `audio`.
    """

    utterance: Utterance
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


@dataclass(frozen=True)
class Word:
    """A recognised word.

    Attributes:
        confidence: 0 to 1: the chance that the word is right, where the recogniser is calibrated (see
            `u2u_hf.recognition.calibration`); else see `u2u_hf.recognition.decoding`.
    """

    text: str
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True)
class Segment:
    """A stretch of speech on one channel, and the text recognised in it.

    Attributes:
        confidence: 0 to 1: about the share of characters that are right, where the recogniser is calibrated (see
            `recognition.calibration`), else see `recognition.decoding`; for a text that was aligned, how well it fits,
            see `recognition.alignment`.
        expected_errors: characters that a person will have to change, insert or delete, where the recogniser is
            calibrated; else None.
        sound: mean log-probability of each of the recogniser's labels, by which segments that sound alike are found;
            empty if it was not asked for.
        turn: place among the segments to correct first in its recording, from 1; 0 if it is none of them.
        tier: the tier of a person's file that gave the start and end, or the empty string if a detector found them.
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
    expected_errors: float | None = None
    sound: tuple[float, ...] = ()
    turn: int = 0


@dataclass(frozen=True)
class Transcript:
    """The recognised segments of a recording, in order of channel (or of the person's tiers), then of time.

    Attributes:
        note: a remark about the recording for the user, or the empty string.
        annotations: path of the recording's own ELAN file, to which the tiers are added, or the empty string.
        origin_ms: the time in the recording that is time 0 of `annotations`.
    """

    audio: str
    duration_ms: int
    channels: int
    segments: tuple[Segment, ...]
    note: str = ""
    annotations: str = ""
    origin_ms: int = 0
