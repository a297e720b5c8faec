"""Which utterances can be learned from, and why the others cannot. Pure functions: list in, lists out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from u2u_hf.frames import frames_in_ms, frames_needed
from u2u_hf.records import Utterance

Reason = str
Filter = Callable[[Utterance], Reason | None]


def empty(utterance: Utterance) -> Reason | None:
    """Nothing is left to learn from: the annotation is empty, or the text rules took everything."""
    if not utterance.raw_text.strip():
        return "the annotation is empty"
    if not utterance.text:
        return "nothing is left after the text rules"
    return None


def duration(min_seconds: float, max_seconds: float) -> Filter:
    """Utterances shorter or longer than these are left out."""

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
    """Texts with fewer or more characters than these, spaces included, are left out."""

    def check(utterance: Utterance) -> Reason | None:
        if len(utterance.text) < fewest:
            return f"fewer than {fewest} characters"
        if len(utterance.text) > most:
            return f"more than {most} characters"
        return None

    return check


def characters_per_second(most: float) -> Filter:
    """Nobody speaks faster: the text belongs to more speech than the annotation spans."""

    def check(utterance: Utterance) -> Reason | None:
        if len(utterance.text) > most * utterance.duration:
            return f"more than {most:g} characters a second"
        return None

    return check


def too_few_frames(utterance: Utterance) -> Reason | None:
    """CTC cannot spell a text with more labels than the audio has frames (20 ms each)."""
    if frames_in_ms(utterance.end_ms - utterance.start_ms) < frames_needed(utterance.text):
        return "more characters than the recogniser has frames for (one in 20 ms)"
    return None


def apply(
    utterances: Iterable[Utterance], filters: Iterable[Filter]
) -> tuple[list[Utterance], list[tuple[Utterance, Reason]]]:
    """Split utterances into those every filter lets pass, and those dropped with the first reason."""
    filters = list(filters)
    kept, dropped = [], []
    for utterance in utterances:
        reason = next((r for check in filters if (r := check(utterance))), None)
        if reason:
            dropped.append((utterance, reason))
        else:
            kept.append(utterance)
    return kept, dropped


def without_duplicates(utterances: Iterable[Utterance]) -> tuple[list[Utterance], list[tuple[Utterance, Reason]]]:
    """Drop what is there already: same audio, times and text (two versions of one annotation file)."""
    seen, kept, dropped = set(), [], []
    for utterance in utterances:
        key = (utterance.audio, utterance.start_ms, utterance.end_ms, utterance.text)
        if key in seen:
            dropped.append((utterance, "the same annotation is in another file or tier"))
        else:
            seen.add(key)
            kept.append(utterance)
    return kept, dropped


def without_overlap(
    utterances: Iterable[Utterance], most_ms: int
) -> tuple[list[Utterance], list[tuple[Utterance, Reason]]]:
    """Drop utterances that share more than `most_ms` with another one on the same channel of the same audio.

    Both are dropped: each one's audio holds the other's words.
    """
    utterances = list(utterances)
    overlapping: set[int] = set()
    order = sorted(range(len(utterances)), key=lambda i: _place(utterances[i]))
    reaching: list[int] = []  # earlier ones of the same channel that may still overlap
    for i in order:
        one = utterances[i]
        reaching = [j for j in reaching if _same_channel(utterances[j], one) and utterances[j].end_ms > one.start_ms]
        for j in reaching:
            if min(utterances[j].end_ms, one.end_ms) - one.start_ms > most_ms:
                overlapping |= {i, j}
        reaching.append(i)
    reason = "somebody else speaks at the same time on the same channel"
    kept = [u for i, u in enumerate(utterances) if i not in overlapping]
    return kept, [(u, reason) for i, u in enumerate(utterances) if i in overlapping]


def _place(utterance: Utterance) -> tuple:
    return (utterance.audio, utterance.channel, utterance.start_ms)


def _same_channel(one: Utterance, other: Utterance) -> bool:
    return (one.audio, one.channel) == (other.audio, other.channel)
