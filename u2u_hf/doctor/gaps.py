"""Speech that nobody annotated, in recordings that are annotated otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from u2u_hf.data.audio import audio_info, read_audio
from u2u_hf.doctor.examined import Examined
from u2u_hf.doctor.findings import UNANNOTATED, Finding
from u2u_hf.doctor.speech import Span, Speech
from u2u_hf.recognition.decoding import confidence, greedy_words
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError

_NEAR_MS = 300  # of an annotation: the speech that it is about may go on for as long
_LEAST_COVERED = 0.5  # of a recording's speech: else it is annotated in part only, on purpose
_FEWEST_LETTERS = 3
_SHARE_OF_SHORTEST = 0.5  # of what the shortest annotations last


@dataclass(frozen=True)
class Gaps:
    """The speech of one recording that is in no annotation: (channel, start, end), ms in the audio.

    Attributes:
        is_annotated: whether most of its speech is.
    """

    found: tuple[tuple[int, int, int], ...]
    is_annotated: bool


def find_gaps(examined: Examined, speech: Mapping[str, Speech]) -> dict[str, Gaps]:
    """Return the gaps of each recording by name, between its first annotation and its last.

    Args:
        speech: of each audio file.
    """
    shortest_ms = _shortest_ms(examined)
    names = dict.fromkeys(u.recording for u in examined.corpus.utterances)
    return {
        name: _gaps(speech[examined.corpus.recordings[name].audio], _annotated(examined, name), shortest_ms)
        for name in names
    }


def unannotated(
    examined: Examined, gaps: Mapping[str, Gaps], recognizer: Recognizer, others: Sequence[Finding]
) -> list[Finding]:
    """Return the gaps of recordings that are annotated, in which the recogniser is as sure as in annotations.

    Args:
        recognizer: it has not learnt from the gaps, whatever it has learnt from else.
        others: the other findings: speech beside shifted boundaries is no gap.
    """
    moved = [(one.recording, one.edit) for one in others if one.edit and "start_ms" in one.edit]
    found = []
    for name, one in gaps.items():
        for channel, *span in one.found if one.is_annotated else ():
            if any(name == where and edit["start_ms"] < span[1] and span[0] < edit["end_ms"] for where, edit in moved):
                continue
            if gap := _finding(examined, name, channel, (span[0], span[1]), recognizer):
                found.append(gap)
    return found


def _finding(examined: Examined, name: str, channel: int, span: Span, recognizer: Recognizer) -> Finding | None:
    """Return the finding of a gap; None if the recogniser hears nothing there, or is unsure."""
    audio = examined.corpus.recordings[name].audio
    try:
        log_probs = recognizer.log_probs(read_audio(audio_info(audio), *span, [channel])[0])
    except U2UError:
        return None  # its speech was found before: somebody has taken the file away since
    words = greedy_words(log_probs, recognizer.labels)
    heard, sure = " ".join(word.text for word in words), confidence(words)
    letters = sum(len(word.text) for word in words)
    if letters < _FEWEST_LETTERS or sure < examined.usual.confidence:
        return None
    tier = _tier(examined, name, channel, span)
    return Finding(
        UNANNOTATED,
        name,
        tier,
        *span,
        round(0.5 + 0.5 * sure, 3),
        f"heard: {heard}",
        edit={"add": heard} if tier else None,
        letters=float(letters),
        heard=heard,
        audio=audio,
        channel=channel,
    )


def _shortest_ms(examined: Examined) -> int:
    lengths = [u.end_ms - u.start_ms for u in examined.corpus.utterances]
    return round(_SHARE_OF_SHORTEST * float(np.quantile(lengths, 0.05)))


def _annotated(examined: Examined, name: str) -> list[Span]:
    """Return where a recording has any text, on whatever tier, in the time of its main audio file."""
    recording = examined.corpus.recordings[name]
    return sorted(
        (a.start_ms + recording.origin_ms, a.end_ms + recording.origin_ms)
        for tier in recording.document.tiers
        for a in tier.annotations
        if a.value.strip()
    )


def _gaps(speech: Speech, annotated: Sequence[Span], shortest_ms: int) -> Gaps:
    near = [(start - _NEAR_MS, end + _NEAR_MS) for start, end in annotated]
    first, last = (annotated[0][0], max(end for _, end in annotated)) if annotated else (0, 0)
    found, spoken_ms, left_ms = [], 0, 0
    for channel, start, end in speech.segments:
        if end <= first or start >= last:
            continue  # people begin and end where they like
        left = _without((start, end), near)
        spoken_ms += end - start
        left_ms += sum(to - since for since, to in left)
        found += [(channel, since, to) for since, to in left if to - since >= shortest_ms]
    return Gaps(tuple(found), left_ms <= (1 - _LEAST_COVERED) * spoken_ms)


def _without(span: Span, covered: Iterable[Span]) -> list[Span]:
    """Return what is left of a span; `covered` is in order of starts."""
    left, at = [], span[0]
    for start, end in covered:
        if end <= at:
            continue
        if start >= span[1]:
            break
        if start > at:
            left.append((at, start))
        at = end
    return [*left, (at, span[1])] if at < span[1] else left


def _tier(examined: Examined, recording: str, channel: int, span: Span) -> str:
    """Return the tier whose speaker is on a channel: of several, the one with the nearest annotation."""
    near = [
        (max(u.start_ms - span[1], span[0] - u.end_ms), tier)
        for (name, tier), row in examined.tiers.items()
        for u in row
        if name == recording and u.channel == channel and u.audio == examined.corpus.recordings[name].audio
    ]
    return min(near, default=(0, ""))[1]
