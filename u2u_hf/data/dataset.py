"""A prepared dataset: its columns, and loading it.

It is what ``datasets.load_dataset(DIR)`` reads. Its rows hold 16 kHz mono FLAC as bytes, written and read with
soundfile: decoding audio through `datasets` needs FFmpeg libraries on the system.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import datasets
from datasets import Audio, Dataset, DatasetDict, Features, Value, load_dataset

from u2u_hf.data.audio_folder import load_audio_folder
from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.hub.problems import loading_problem
from u2u_hf.hub.source import require_source
from u2u_hf.progress_bar import in_terminal
from u2u_hf.records import U2UError

# `datasets` would ask datasets-server.huggingface.co about each dataset on the Hub, with its name and the user's token,
# for what the dataset itself says. No environment variable turns that off (datasets 5.2).
datasets.config.USE_PARQUET_EXPORT = False
if not in_terminal():
    datasets.disable_progress_bars()

FEATURES = Features(
    {
        "audio": Audio(sampling_rate=SAMPLING_RATE),
        "text": Value("string"),
        "raw_text": Value("string"),
        "speaker": Value("string"),
        "recording": Value("string"),
        "tier": Value("string"),
        "channel": Value("int32"),
        "start_ms": Value("int64"),
        "end_ms": Value("int64"),
        "duration": Value("float64"),
    }
)
NEEDED = ("audio", "text", "duration")
UTTERANCE = ("recording", "start_ms", "duration", "text")  # by which an utterance is known again


def load_splits(source: str | os.PathLike[str]) -> DatasetDict:
    """Load a prepared dataset from a folder or the Hub, its audio as bytes: ``{"bytes": …, "path": …}``.

    Raises:
        U2UError: it cannot be loaded, or its columns are not those of a prepared dataset.
    """
    source = str(source)
    require_source(source, "dataset")
    here = Path(source)
    prepared, audio_folder = any(here.rglob("*.parquet")), any(here.rglob("metadata.jsonl"))
    if here.is_dir() and not prepared and not audio_folder:
        raise U2UError(
            f"{source}: holds no prepared dataset: prepare one with recipes/prepare.py into a new folder, and name that"
        )
    try:
        splits = load_audio_folder(here) if audio_folder and not prepared else load_dataset(source)
    except U2UError:
        raise
    except Exception as error:  # of many types, from several libraries
        problem = loading_problem(source, "dataset", error)
        raise U2UError(f"{source}: the dataset cannot be loaded ({problem})") from error
    for name, split in splits.items():
        if missing := [column for column in NEEDED if column not in split.column_names]:
            raise U2UError(
                f"{source}: split {name} has no column {', '.join(missing)}: prepare it with recipes/prepare.py"
            )
    return splits.cast_column("audio", Audio(sampling_rate=SAMPLING_RATE, decode=False))


def require_split(splits: DatasetDict, name: str, source: str) -> Dataset:
    """Return the split `name`.

    Raises:
        U2UError: it is missing or empty.
    """
    if name not in splits or not len(splits[name]):
        raise U2UError(f"{source}: has no utterance in split {name}; there are: {', '.join(splits)}")
    return splits[name]


def digest(splits: Mapping[str, Dataset], columns: Sequence[str] = UTTERANCE) -> str:
    """Return a digest of some columns of splits, as far as these have them."""
    found = hashlib.sha256()
    for name, split in splits.items():
        found.update(json.dumps([name, [split[one][:] for one in columns if one in split.column_names]]).encode())
    return found.hexdigest()
