"""Praat TextGrids, written through pympi."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pympi.Praat import TextGrid

from u2u_hf.files import replacing
from u2u_hf.records import Tier


def write_textgrid(path: Path, tiers: Sequence[Tier], duration_ms: int) -> None:
    """Write interval tiers in Praat's long text format, UTF-8; gaps become empty intervals.

    Raises:
        U2UError: the file cannot be written.
    """
    grid = TextGrid(xmax=duration_ms / 1000)
    for tier in tiers:
        intervals = grid.add_tier(tier.name)
        for annotation in tier.annotations:
            intervals.add_interval(annotation.start_ms / 1000, annotation.end_ms / 1000, annotation.value)
    with replacing(Path(path)) as temporary:
        grid.to_file(str(temporary), codec="utf-8")
