"""A probable fault: where, of which kind, how sure, and what to do about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from u2u_hf.doctor.annotations import Key
from u2u_hf.records import Utterance

TEXT, BOUNDARIES, SPELLING, CONVENTION = "text", "boundaries", "spelling", "convention"
SPEAKER, COPIED, UNANNOTATED = "speaker", "copied", "unannotated"
# Kind → its title, and what a person does about it. Of several faults of one annotation, the first kind is listed.
KINDS = {
    COPIED: ("annotation copied twice", "the same text stands in two places, and one of them does not sound like it"),
    SPEAKER: ("wrong speaker or channel", "another speaker is heard where this tier's speaker should be"),
    BOUNDARIES: ("boundaries shifted", "the text is heard before the start or after the end"),
    TEXT: ("text does not fit its sound", "the text is of another place, or was changed by mistake"),
    SPELLING: ("two spellings of one word", "a rare word is heard as a frequent one that it differs little from"),
    CONVENTION: ("another convention", "one transcriber, speaker or file writes a letter otherwise than the rest"),
    UNANNOTATED: ("speech without annotation", "speech was found where nobody has annotated"),
}
# Assumed costs of a person's time, seconds. Only their order matters.
_DECIDE_S, _TYPE_S, _LISTEN_TIMES = 8.0, 0.3, 2.0


@dataclass(frozen=True)
class Finding:
    """A probable fault. Times are those of the audio.

    Attributes:
        kind: one of `KINDS`.
        score: how sure, 0.5 (just beyond the limit) to 1.
        suggestion: what to do, in words.
        edit: what `corrections` does if it is accepted, or None: ``{"text": …}``, ``{"start_ms": …, "end_ms": …}``
            (of the audio), ``{"tier": …}``, ``{"delete": True}``, ``{"add": text}``.
        letters: how many letters are wrong, about.
        text: the annotation as the file has it. heard: what the recogniser writes there.
        audio, channel: where it is heard.
        places: how many annotations are meant, for a convention. tiers: (recording, tier) of these.
    """

    kind: str
    recording: str
    tier: str
    start_ms: int
    end_ms: int
    score: float
    suggestion: str
    edit: dict[str, Any] | None = field(default=None, hash=False)
    letters: float = 1.0
    text: str = ""
    heard: str = ""
    audio: str = ""
    channel: int = 0
    places: int = 1
    tiers: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> Key:
        return self.recording, self.tier, self.start_ms, self.end_ms

    @property
    def name(self) -> str:
        """Return a short name by which a person's decision is kept."""
        said = repr((self.kind, *self.key, self.suggestion))
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:12]

    @property
    def minutes(self) -> float:
        """Return about how long a person needs to hear it, decide and type."""
        typed = len(str((self.edit or {}).get("text", "") or (self.edit or {}).get("add", "")))
        listening_s = _LISTEN_TIMES * min(20.0, (self.end_ms - self.start_ms) / 1000)
        return (_DECIDE_S + listening_s + _TYPE_S * typed) / 60

    @property
    def worth(self) -> float:
        """Return about how many wrong letters a minute of the person's time puts right."""
        return self.score * self.letters * self.places / self.minutes


def finding(kind: str, utterance: Utterance, score: float, suggestion: str, **more: Any) -> Finding:
    """Return a finding about an utterance."""
    return Finding(
        kind,
        utterance.recording,
        utterance.tier,
        utterance.start_ms,
        utterance.end_ms,
        round(score, 3),
        suggestion,
        text=utterance.raw_text,
        audio=utterance.audio,
        channel=utterance.channel or 0,
        **more,
    )


def sureness(value: float, limit: float) -> float:
    """Return 0.5 for a value at its limit, and nearer to 1 the further it is beyond."""
    return 1 - 0.5 * limit / value if value > limit > 0 else 1.0 if limit <= 0 < value else 0.5


def by_worth(found: Iterable[Finding]) -> list[Finding]:
    """Return the findings, those first that a minute is worth most for; of one annotation, the first kind only.

    A doubtful spelling stands beside nothing else: where the text does not fit, its words tell nothing.
    """
    order = list(KINDS)
    first: dict[Key, str] = {}
    kept = sorted(found, key=lambda one: order.index(one.kind))
    for one in kept:
        if one.kind not in (CONVENTION, UNANNOTATED):
            first.setdefault(one.key, one.kind)
    left = [one for one in kept if first.get(one.key, one.kind) == one.kind or one.kind in (CONVENTION, UNANNOTATED)]
    return sorted(left, key=lambda one: (-one.worth, one.recording, one.start_ms, one.tier))


def annotations_flagged(found: Sequence[Finding]) -> int:
    """Return how many annotations the findings are about."""
    single = {one.key for one in found if one.kind not in (CONVENTION, UNANNOTATED)}
    return len(single) + sum(one.places for one in found if one.kind == CONVENTION)
