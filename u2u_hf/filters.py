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
        if utterance.duration < min_seconds:
            return f"shorter than {min_seconds:g} s"
        if utterance.duration > max_seconds:
            return f"longer than {max_seconds:g} s"
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
