"""Utterances that an examination doubts: a training does without them."""

from __future__ import annotations

from pathlib import Path

from datasets import Dataset

from u2u_hf.doctor.findings import BOUNDARIES, COPIED, SPEAKER, TEXT
from u2u_hf.doctor.outcome import read_rows

# Faults by which a text is not that of its sound. Another spelling is one that can be learnt.
_KINDS = {TEXT, BOUNDARIES, COPIED, SPEAKER}


def without_doubted(train: Dataset, folder: Path) -> Dataset:
    """Return a training split without the utterances that doctor.py doubts.

    An annotation whose text or times were corrected since then is another one, and stays.

    Args:
        train: split of a prepared dataset.
        folder: output folder of doctor.py.

    Raises:
        U2UError: there is no doctor.json in it, or it is damaged.
    """
    doubted = {
        (row["recording"], row["tier"], *row["of_audio_ms"], row["text"])
        for row in read_rows(folder / "doctor.json")
        if row["kind"] in _KINDS
    }
    columns = (train[name][:] for name in ("recording", "tier", "start_ms", "end_ms", "raw_text"))
    return train.select([number for number, key in enumerate(zip(*columns, strict=True)) if key not in doubted])
