"""A transcript as a visitor's browser sends it back from the editor, checked before anything is written from it."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence

from u2u_hf.records import Segment, Transcript, U2UError, Word

_MOST_SENT = 20_000_000  # characters of JSON
_MOST_SEGMENTS = 50_000
_MOST_TEXT = 10_000  # characters of a segment
# The editor lets nobody type these, but some can be pasted, and not every format can store them.
_UNSTORABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def received(text: object) -> tuple[str, Sequence[object]]:
    """Return the result's id and the segments of ``{"id": …, "segments": […]}``.

    Raises:
        U2UError: it is something else, or too long.
    """
    try:
        sent = json.loads(text) if isinstance(text, str) and len(text) <= _MOST_SENT else None
    except (ValueError, RecursionError):
        sent = None
    if not isinstance(sent, dict) or not isinstance(sent.get("id"), str) or not isinstance(sent.get("segments"), list):
        raise U2UError("not what the editor sends")
    return sent["id"], sent["segments"]


def corrected(transcript: Transcript, sent: Sequence[object]) -> Transcript:
    """Return the transcript with the segments that the editor sent in place of the recognised ones.

    Args:
        sent: for each segment the place of a recognised one that is as it was, or the fields ``channel``, ``start_ms``,
            ``end_ms``, ``text``, ``confidence`` and ``words`` of a corrected one.

    Raises:
        U2UError: a value has the wrong type or is outside the recording, or segments of one channel overlap.
    """
    if len(sent) > _MOST_SEGMENTS:
        raise U2UError(f"there are {len(sent)} segments; the limit is {_MOST_SEGMENTS}")
    found = [_segment(item, number, transcript) for number, item in enumerate(sent, 1)]
    found.sort(key=lambda segment: (segment.channel, segment.start_ms))
    for before, after in itertools.pairwise(found):
        if before.channel == after.channel and after.start_ms < before.end_ms:
            raise U2UError(f"segments of channel {after.channel + 1} overlap at {after.start_ms} ms")
    return dataclasses.replace(transcript, segments=tuple(found))


def _segment(item: object, number: int, transcript: Transcript) -> Segment:
    """Return the segment that an item of `corrected` stands for."""
    where = f"segment {number}"
    if not isinstance(item, Mapping):
        return transcript.segments[_whole(item, 0, len(transcript.segments) - 1, where)]
    channel = _whole(item.get("channel"), 0, transcript.channels - 1, f"{where}, channel")
    start_ms, end_ms = _span(item, 0, transcript.duration_ms, where)
    words = item.get("words")
    if not isinstance(words, list) or len(words) > _MOST_TEXT:
        raise U2UError(f"{where}: the words are no list, or too many")
    found: list[Word] = []
    for word in words:
        if not isinstance(word, Mapping):
            raise U2UError(f"{where}: a word has no fields")
        span = _span(word, found[-1].end_ms if found else start_ms, end_ms, f"{where}, word {len(found) + 1}")
        found.append(Word(_text(word, where), *span, _confidence(word, where)))
    return Segment(channel, start_ms, end_ms, _text(item, where), _confidence(item, where), tuple(found))


def _span(fields: Mapping[str, object], earliest_ms: int, latest_ms: int, where: str) -> tuple[int, int]:
    start_ms = _whole(fields.get("start_ms"), earliest_ms, latest_ms - 1, f"{where}, start")
    return start_ms, _whole(fields.get("end_ms"), start_ms + 1, latest_ms, f"{where}, end")


def _whole(value: object, least: int, most: int, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise U2UError(f"{where}: must be a whole number from {least} to {most}")
    return value


def _confidence(fields: Mapping[str, object], where: str) -> float:
    value = fields.get("confidence")
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not (0 <= value <= 1 and math.isfinite(value)):
        raise U2UError(f"{where}, confidence: must be a number from 0 to 1")
    return float(value)


def _text(fields: Mapping[str, object], where: str) -> str:
    text = fields.get("text")
    if not isinstance(text, str) or len(text) > _MOST_TEXT:
        raise U2UError(f"{where}, text: must be a text of at most {_MOST_TEXT} characters")
    return " ".join(_UNSTORABLE.sub("\ufffd", text).split())
