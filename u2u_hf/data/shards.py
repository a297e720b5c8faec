"""The shards of a dataset, ``data/SPLIT-00000-of-00001.parquet``, joined of part files and put in place at once."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from u2u_hf.data.dataset import FEATURES
from u2u_hf.output_folder import remove

SHARD_BYTES = 400 * 2**20
_SHARD = re.compile(r"(train|validation|test)-\d{5,}-of-\d{5,}\.parquet")


def join(parts: dict[str, list[Path]], output_dir: Path) -> None:
    """Write the shards of all splits and put them in the place of earlier ones."""
    making, data, before = output_dir / ".data", output_dir / "data", output_dir / ".data.old"
    if before.is_dir() and not data.is_dir():
        before.rename(data)  # a run was killed between the two renames below
    remove(making, _SHARD.fullmatch)
    making.mkdir(exist_ok=True)
    for name, paths in parts.items():
        _write_shards(making, name, paths)
    # The folder is replaced as a whole, so old shards are never read together with new ones; other files follow. A
    # killed run leaves one complete folder, and the next run moves the rest.
    _move_others(before, making)
    if data.is_dir():
        data.rename(before)
    making.rename(data)
    _move_others(before, data)


def _move_others(source: Path, target: Path) -> None:
    """Move everything but shards to another folder, under a free name, and remove the first folder."""
    if not source.is_dir():
        return
    for path in sorted(source.iterdir()):
        if not _SHARD.fullmatch(path.name):
            names = (path.name, *(f"{path.stem} ({number}){path.suffix}" for number in range(2, 1000)))
            path.rename(next(target / name for name in names if not os.path.lexists(target / name)))
    remove(source, _SHARD.fullmatch)


def _write_shards(folder: Path, split: str, parts: list[Path]) -> None:
    shards: list[list[Path]] = [[]]
    size = 0
    for part in parts:
        if size and size + part.stat().st_size > SHARD_BYTES:
            shards.append([])
            size = 0
        shards[-1].append(part)
        size += part.stat().st_size
    for index, members in enumerate(shards):
        path = folder / f"{split}-{index:05d}-of-{len(shards):05d}.parquet"
        with pq.ParquetWriter(path, FEATURES.arrow_schema) as writer:
            for part in members:
                for batch in pq.ParquetFile(part).iter_batches(100):
                    writer.write_table(pa.Table.from_batches([batch], schema=FEATURES.arrow_schema))
