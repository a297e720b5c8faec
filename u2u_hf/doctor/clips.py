"""The sound of findings, for the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from u2u_hf.data.audio import audio_info, flac_bytes, read_audio
from u2u_hf.doctor.findings import Finding
from u2u_hf.progress_bar import progress_bar
from u2u_hf.records import U2UError

_BEFORE_MS, _AFTER_MS = 300, 300
_LONGEST_MS = 20_000
_MOST = 400  # some 20 MB, which a browser still opens at once


def clips(found: Sequence[Finding]) -> Iterator[bytes | None]:
    """Yield a FLAC file for each finding: its annotation, with its new times if they change, and a little around.

    None for the last of very many findings, and where the audio cannot be read.
    """
    for number, one in enumerate(progress_bar(found, desc="cutting sound", unit="finding")):
        yield _clip(one) if number < _MOST else None


def _clip(one: Finding) -> bytes | None:
    edit = one.edit or {}
    start_ms = min(one.start_ms, edit.get("start_ms", one.start_ms)) - _BEFORE_MS
    end_ms = max(one.end_ms, edit.get("end_ms", one.end_ms)) + _AFTER_MS
    start_ms = max(0, start_ms)
    try:
        samples = read_audio(audio_info(one.audio), start_ms, min(end_ms, start_ms + _LONGEST_MS), [one.channel])[0]
    except U2UError:
        return None  # it was heard before: somebody has taken the file away since
    return flac_bytes(samples) if len(samples) else None
