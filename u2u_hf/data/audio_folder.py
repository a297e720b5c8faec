"""Datasets in the AudioFolder layout of `datasets`: sound files with a metadata.jsonl for each split.

`datasets` reads them itself, but only with FFmpeg libraries on the system (5.2).
"""

from __future__ import annotations

import os
from pathlib import Path

from datasets import DatasetDict, load_dataset

from u2u_hf.formats.delimited import name_below
from u2u_hf.formats.encodings import open_regular, require_regular
from u2u_hf.records import U2UError


def load_audio_folder(folder: Path) -> DatasetDict:
    """Load the splits of a folder, each from its ``SPLIT/metadata.jsonl``, with the bytes of the sound files.

    Raises:
        U2UError: a metadata.jsonl has no column file_name, or a row names no regular file in `folder`.
    """
    metadata_of = {path.parent.name: path for path in sorted(folder.rglob("metadata.jsonl"))}
    for path in metadata_of.values():
        require_regular(path)
    splits = load_dataset("json", data_files={name: str(path) for name, path in metadata_of.items()})
    for name, split in splits.items():
        if "file_name" not in split.column_names:
            raise U2UError(f"{metadata_of[name]}: has no column file_name: give every row the name of its sound file")

    def with_audio(row: dict, index: int, metadata: Path) -> dict:
        try:
            return {"audio": {"bytes": _audio_bytes(folder, metadata, row["file_name"]), "path": row["file_name"]}}
        except U2UError as error:
            problem = str(error).removeprefix(os.path.join(metadata.parent, ""))
            raise U2UError(f"{metadata}: row {index + 1}: {problem}") from error

    return DatasetDict(
        {
            name: split.map(
                with_audio, with_indices=True, fn_kwargs={"metadata": metadata_of[name]}, remove_columns="file_name"
            )
            for name, split in splits.items()
        }
    )


def _audio_bytes(folder: Path, metadata: Path, file_name: object) -> bytes:
    """Return the bytes of the file that a row of `metadata` names.

    Raises:
        U2UError: it is not a regular file in `folder` or below it, or cannot be read.
    """
    path = metadata.parent / name_below(file_name if isinstance(file_name, str) else "")
    # In the Hub's cache all files, metadata too, are links into one folder with the files of the whole dataset.
    inside = (os.path.realpath(folder), os.path.dirname(os.path.realpath(metadata)))
    if not any(Path(os.path.realpath(path)).is_relative_to(real) for real in inside):
        raise U2UError(f"{path}: is a link to a file outside the dataset's folder: put the file itself there")
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError as error:
        raise U2UError(f"{path}: cannot be read ({error.strerror})") from error
