"""A transcript as ELAN takes it from a recogniser: tiers, and a curve of confidence to see below the waveform."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from u2u_hf.formats.writers import tiers_of
from u2u_hf.integrations.elan.parameters import ALIGN, FIND_SPEECH
from u2u_hf.records import SEGMENT_TYPE, UNSURE_TYPE, WORD_TYPE, Annotation, Transcript, Word

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_ALL = 2.0  # more than any confidence


def result_tiers(task: str, transcript: Transcript, unsure_below: float) -> dict[str, Sequence[Annotation]]:
    """Return name → annotations of each result tier, the same as in the files of recipes/transcribe.py.

    Args:
        task: of the `parameters.MENU`.
        unsure_below: as for `writers.tiers_of`.

    Returns:
        to transcribe, for each channel (or for the chosen tier) a tier of utterances, and unless they are empty one of
        words and one that marks what is unsure; to align, a tier of words, and one of how well each transcript fits;
        to find speech, a tier of empty segments for each channel. Names have no spaces: ELAN would split them there.
    """
    tiers = tiers_of(transcript, _ALL if task == ALIGN else unsure_below)
    chosen = any(segment.tier for segment in transcript.segments)
    found: dict[str, Sequence[Annotation]] = {}
    for utterances in (tier for tier in tiers if tier.linguistic_type == SEGMENT_TYPE):
        of_type = {tier.linguistic_type: tier.annotations for tier in tiers if tier.parent == utterances.name}
        name = "transcript" if chosen else "_".join(utterances.name.split())
        if task == ALIGN:
            found |= {"aligned_words": of_type[WORD_TYPE], "aligned_fit": of_type[UNSURE_TYPE]}
        elif task == FIND_SPEECH:
            found["speech" if name == "transcript" else f"speech_{name}"] = utterances.annotations
        else:
            found[name] = utterances.annotations
            children = {f"{name}_words": of_type[WORD_TYPE], f"{name}_unsure": of_type[UNSURE_TYPE]}
            found |= {child: own for child, own in children.items() if own}
    return found


def tiers_document(tiers: Mapping[str, Sequence[Annotation]]) -> str:
    """Return the ``<TIERS>`` document of result tiers.

    Times are whole milliseconds: ELAN reads a number with a decimal point as seconds in 32 bits. It takes 0.251 for 250
    ms, and beyond 4.5 hours gets every second one wrong.
    """
    lines = [_HEAD, "<TIERS>"]
    for name, own in tiers.items():
        lines.append(f"<TIER columns={quoteattr(name)}>")
        lines += [f'<span start="{a.start_ms}" end="{a.end_ms}"><v>{_xml(a.value)}</v></span>' for a in own]
        lines.append("</TIER>")
    return "\n".join([*lines, "</TIERS>", ""])


def curve_document(transcript: Transcript) -> str:
    """Return the ``<TIMESERIES>`` document of each word's confidence, a curve for each channel or the chosen tier.

    A curve is level during a word, and breaks (``NaN``) after one that no other follows at once.

    Returns:
        an empty string if no word was recognised: ELAN has no range for a curve without points.
    """
    many = transcript.channels > 1 and not any(segment.tier for segment in transcript.segments)
    words: dict[str, list[Word]] = {}
    for segment in transcript.segments:
        name = f"confidence_channel_{segment.channel + 1}" if many else "confidence"
        words.setdefault(name, []).extend(word for word in segment.words if word.start_ms < word.end_ms)
    words = {name: sorted(own, key=lambda word: word.start_ms) for name, own in words.items() if own}
    if not words:
        return ""
    times = sorted({t for own in words.values() for w in own for t in (w.start_ms, w.end_ms - 1, w.end_ms)})
    columns = [_levels(own, times) for own in words.values()]
    lines = [_HEAD, f'<TIMESERIES columns="{" ".join(words)}">']
    for time, *values in zip(times, *columns, strict=True):
        lines.append(f'<i t="{time}">{"".join(f"<v>{value}</v>" for value in values)}</i>')
    return "\n".join([*lines, "</TIMESERIES>", ""])


def _levels(words: Sequence[Word], times: Sequence[int]) -> list[str]:
    """Return the confidence of the word at each time, ``NaN`` where there is none. Both are in order of time."""
    levels, at = [], 0
    for time in times:
        while at < len(words) and words[at].end_ms <= time:
            at += 1
        inside = at < len(words) and words[at].start_ms <= time
        levels.append(f"{words[at].confidence:.3f}" if inside else "NaN")
    return levels


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))
