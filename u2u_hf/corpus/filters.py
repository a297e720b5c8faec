"""Which utterances can be learned from, and why the others are dropped. Pure functions: list in, lists out.

A filter looks at one utterance. To add one, write it here, add it to `FILTERS`, and add its limit to `Limits` and to
`preparation.PreparationSettings`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from u2u_hf.corpus.text_rules import is_ignored
from u2u_hf.frames import frames_in_ms, frames_needed
from u2u_hf.records import Dropped, Utterance

Reason = str
Filter = Callable[[Utterance], "Reason | None"]


class Limits(Protocol):
    """The limits that filters are made from; a `PreparationSettings` has them."""

    min_seconds: float
    max_seconds: float
    min_characters: int
    max_characters: int
    max_characters_per_second: float


def empty(utterance: Utterance) -> Reason | None:
    """Return the reason if there is no text: an empty annotation, SayMore's %ignore%, or nothing after the rules."""
    if not utterance.raw_text.strip():
        return "the annotation is empty"
    if is_ignored(utterance.raw_text):
        return "the annotation is %ignore%: SayMore's mark for what is not to be transcribed"
    if not utterance.text:
        return "nothing is left after the text rules"
    return None


def duration(min_seconds: float, max_seconds: float) -> Filter:
    """Return a filter that drops utterances shorter or longer than these."""

    def check(utterance: Utterance) -> Reason | None:
        if utterance.end_ms < utterance.start_ms:
            return "the annotation ends before it begins"
        if utterance.duration < min_seconds:
            return f"shorter than {min_seconds:g} s"
        if utterance.duration > max_seconds:
            return f"longer than {max_seconds:g} s"
        return None

    return check


def characters(fewest: int, most: int) -> Filter:
    """Return a filter that drops texts with fewer or more characters than these, spaces included."""

    def check(utterance: Utterance) -> Reason | None:
        if len(utterance.text) < fewest:
            return f"fewer than {fewest} characters"
        if len(utterance.text) > most:
            return f"more than {most} characters"
        return None

    return check


def characters_per_second(most: float) -> Filter:
    """Return a filter that drops faster utterances: nobody speaks so fast, so the start or end time is wrong."""

    def check(utterance: Utterance) -> Reason | None:
        if len(utterance.text) > most * utterance.duration:
            return f"more than {most:g} characters a second"
        return None

    return check


TOO_FEW_FRAMES = "more characters than the recogniser has frames for (one in 20 ms)"


def too_few_frames(utterance: Utterance) -> Reason | None:
    """Return the reason if the text has more labels than the audio has frames (20 ms each), which CTC cannot align."""
    if frames_in_ms(utterance.end_ms - utterance.start_ms) < frames_needed(utterance.text):
        return TOO_FEW_FRAMES
    return None


# In this order: an utterance is dropped with the reason of the first filter that it fails.
FILTERS: tuple[Callable[[Limits], Filter], ...] = (
    lambda limits: empty,
    lambda limits: duration(limits.min_seconds, limits.max_seconds),
    lambda limits: characters(limits.min_characters, limits.max_characters),
    lambda limits: characters_per_second(limits.max_characters_per_second),
    lambda limits: too_few_frames,
)


def from_limits(limits: Limits) -> list[Filter]:
    """Return every filter of `FILTERS` with the user's limits."""
    return [make(limits) for make in FILTERS]


def apply(utterances: Iterable[Utterance], filters: Iterable[Filter]) -> tuple[list[Utterance], list[Dropped]]:
    """Return the utterances that pass every filter, and those dropped with the first reason."""
    filters = list(filters)
    kept, dropped = [], []
    for utterance in utterances:
        reason = next((r for check in filters if (r := check(utterance))), None)
        if reason:
            dropped.append(Dropped(utterance, reason))
        else:
            kept.append(utterance)
    return kept, dropped


def without_duplicates(utterances: Iterable[Utterance]) -> tuple[list[Utterance], list[Dropped]]:
    """Drop every repeat of an utterance with the same audio, times and text (two versions of one annotation file)."""
    seen, kept, dropped = set(), [], []
    for utterance in utterances:
        key = (utterance.audio, utterance.start_ms, utterance.end_ms, utterance.text)
        if key in seen:
            dropped.append(Dropped(utterance, "the same annotation is in another file or tier"))
        else:
            seen.add(key)
            kept.append(utterance)
    return kept, dropped


def without_drafted(
    utterances: Sequence[Utterance], drafts: Collection[tuple[str, str]], most_ms: int
) -> tuple[list[Utterance], list[Dropped]]:
    """Drop utterances of speech that a corrected draft has on the same channel of the same audio.

    As two texts of one speech, `without_overlap` would drop both.

    Args:
        drafts: recording and tier of each corrected draft.
        most_ms: by which an utterance and those of a draft may overlap.
    """
    spans: dict[tuple[str, int | None], list[tuple[int, int]]] = defaultdict(list)
    for one in utterances:
        if (one.recording, one.tier) in drafts:
            spans[one.audio, one.channel].append((one.start_ms, one.end_ms))
    kept: list[Utterance] = []
    dropped: list[Dropped] = []
    for one in utterances:
        shared = (
            min(one.end_ms, end) - max(one.start_ms, start) for start, end in spans.get((one.audio, one.channel), ())
        )
        if (one.recording, one.tier) not in drafts and max(shared, default=0) > most_ms:
            dropped.append(Dropped(one, "a corrected draft of the same speech is used"))
        else:
            kept.append(one)
    return kept, dropped


_OTHER_SPEAKER = "overlaps another speaker on the same channel"
_SAME_SPEAKER = "the annotation overlaps another one of the same speaker"


def without_overlap(utterances: Iterable[Utterance], most_ms: int) -> tuple[list[Utterance], list[Dropped]]:
    """Drop utterances that overlap another one on the same channel of the same audio by more than `most_ms`.

    Both are dropped: the audio of each contains the other's words. The reason says whether one of the others is
    another speaker's.
    """
    utterances = list(utterances)
    by_channel: dict[tuple[str, int | None], list[int]] = defaultdict(list)
    for i in sorted(range(len(utterances)), key=lambda i: utterances[i].start_ms):
        by_channel[utterances[i].audio, utterances[i].channel].append(i)
    reasons: dict[int, Reason] = {}
    for channel in by_channel.values():
        reasons |= _overlaps([(i, utterances[i]) for i in channel], most_ms)
    kept = [u for i, u in enumerate(utterances) if i not in reasons]
    return kept, [Dropped(u, reasons[i]) for i, u in enumerate(utterances) if i in reasons]


def _overlaps(numbered: Sequence[tuple[int, Utterance]], most_ms: int) -> dict[int, Reason]:
    """Return the reason for each number whose utterance overlaps another one of its channel too far.

    Each is compared with the latest end before it and, in a second pass, with the earliest start after it, because
    thousands of utterances may overlap each other. A later one overlaps only if it is long enough itself.

    Args:
        numbered: in order of their starts.
    """
    reasons: dict[int, Reason] = {}
    ends, starts = _Farthest(), _Farthest()
    first: dict[tuple[str, str], str] = {}  # a tier is one speaker's, whatever names it has
    speakers = {number: first.setdefault((one.recording, one.tier), one.speaker) for number, one in numbered}
    for number, one in numbered:
        if one.end_ms - one.start_ms > most_ms and (reason := ends.beyond(one.start_ms + most_ms, speakers[number])):
            reasons[number] = reason
        ends.add(one.end_ms, speakers[number])
    for number, one in reversed(numbered):
        if reasons.get(number) != _OTHER_SPEAKER and (reason := starts.beyond(most_ms - one.end_ms, speakers[number])):
            reasons[number] = reason
        if one.end_ms - one.start_ms > most_ms:
            starts.add(-one.start_ms, speakers[number])
    return reasons


class _Farthest:
    """The greatest time of each speaker, and the two speakers who have the greatest of all."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}
        self._first: list[str] = []

    def add(self, time_ms: int, speaker: str) -> None:
        self._of[speaker] = max(time_ms, self._of.get(speaker, time_ms))
        first = dict.fromkeys([*self._first, speaker])
        self._first = sorted(first, key=self._of.__getitem__, reverse=True)[:2]

    def beyond(self, limit_ms: int, speaker: str) -> Reason | None:
        """Return the reason if a time lies beyond a limit, and whether one of another speaker does."""
        if any(self._of[other] > limit_ms for other in self._first if other != speaker):
            return _OTHER_SPEAKER
        return _SAME_SPEAKER if self._of.get(speaker, limit_ms) > limit_ms else None
