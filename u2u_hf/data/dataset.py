"""Utterances → rows of a `datasets` audio dataset in parquet, and back.

A prepared dataset is what ``datasets.load_dataset(DIR)`` reads. Its audio is 16 kHz mono FLAC, held in the
rows. The audio is written and read as bytes, with soundfile: decoding through `datasets` needs FFmpeg
libraries on the system, which the computers we run on do not have.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from accelerate.utils import gather_object
from datasets import Audio, Dataset, DatasetDict, Features, Value, load_dataset
from tqdm.auto import tqdm

from u2u_hf.data.audio import audio_info, flac_bytes, read_audio
from u2u_hf.data.processes import processes
from u2u_hf.files import require_source
from u2u_hf.formats.delimited import name_below
from u2u_hf.formats.encodings import open_regular, require_regular
from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.hub.problems import loading_problem
from u2u_hf.output_folder import remove
from u2u_hf.records import U2UError, Utterance

# Of a dataset on the Hub, a service of its own would be asked for what the dataset says itself, with its name and the
# user's token: datasets-server.huggingface.co. No environment variable ends that (datasets 5.2).
datasets.config.USE_PARQUET_EXPORT = False

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
_PLACE = ["tier", "start_ms", "end_ms"]
NEEDED = ("audio", "text", "duration")
_STEP = 2.0**-15  # the smallest number that 16 bits hold
SHARD_BYTES = 400 * 2**20
_SHARD = re.compile(r"(train|validation|test)-\d{5,}-of-\d{5,}\.parquet")
_PART = re.compile(r"[0-9a-f]{24}\.(parquet|writing)")


def rows(utterances: Iterable[Utterance]) -> Iterator[dict]:
    """One dataset row for each utterance of one recording, its audio cut out, resampled and encoded.

    Where the recording is silent, to the last bit, there is no row.

    Raises:
        U2UError: the audio cannot be read.
    """
    info = None
    for utterance in utterances:
        if info is None or info.path != utterance.audio:
            info = audio_info(utterance.audio)
        samples = read_audio(info, utterance.start_ms, utterance.end_ms, [utterance.channel])[0]
        if not len(samples) or np.abs(samples).max() < _STEP:
            continue
        name = f"{utterance.recording}_{utterance.tier}_{utterance.start_ms}.flac"
        yield {
            "audio": {"bytes": flac_bytes(samples), "path": name.replace("/", "_")},
            "text": utterance.text,
            "raw_text": utterance.raw_text,
            "speaker": utterance.speaker,
            "recording": utterance.recording,
            "tier": utterance.tier,
            "channel": utterance.channel,
            "start_ms": utterance.start_ms,
            "end_ms": utterance.end_ms,
            "duration": len(samples) / SAMPLING_RATE,
        }


def write_dataset(splits: dict[str, list[Utterance]], output_dir: Path) -> list[tuple[Utterance, str]]:
    """Write the splits to ``output_dir/data/SPLIT-00000-of-00001.parquet``, about 400 MB a shard.

    Each recording is finished in a part file of its own before the shards are made, so a run that was
    killed goes on after the last finished recording; the shards take their place all at once. Of what is in
    ``data/``, only shards of earlier runs are replaced. Recordings are divided over the processes of a launcher
    (torchrun, accelerate launch), then over cores.

    Returns:
        the utterances that are left out after all, with the reason: those of recordings whose audio breaks
        off, and those in which nothing at all is to be heard.

    Raises:
        U2UError: the place of ``data/`` is taken by a file or a link.
    """
    if os.path.lexists(data := output_dir / "data") and (data.is_symlink() or not data.is_dir()):
        raise U2UError(f"{data}: is a file or a link, in the place of the dataset's folder: move it away")
    parts_dir = output_dir / ".parts"
    parts_dir.mkdir(parents=True, exist_ok=True)
    parts: dict[str, dict[Path, list[Utterance]]] = {name: {} for name in splits}
    for name, members in splits.items():
        by_recording = defaultdict(list)
        for utterance in members:
            by_recording[utterance.recording].append(utterance)
        for _, group in sorted(by_recording.items()):
            # The name holds what the part is made of: changed rules or annotations make a new part.
            stat = os.stat(group[0].audio)
            key = repr((group, stat.st_size, stat.st_mtime_ns)).encode()
            parts[name][parts_dir / f"{hashlib.sha256(key).hexdigest()[:24]}.parquet"] = group
    jobs = [(part, group) for row in parts.values() for part, group in row.items() if not part.exists()]
    state = processes()
    state.wait_for_everyone()  # each has seen the same parts before the first new one is written
    with state.split_between_processes(jobs) as own:
        problems = dict(gather_object(_write_parts(own)))
    lost = [
        (u, problems[part]) for row in parts.values() for part, group in row.items() if part in problems for u in group
    ]
    for part, group in ((part, group) for row in parts.values() for part, group in row.items() if part not in problems):
        there = set(zip(*pq.read_table(part, columns=_PLACE).to_pydict().values(), strict=True))
        lost += [(u, "the recording is silent there") for u in group if (u.tier, u.start_ms, u.end_ms) not in there]
    state.wait_for_everyone()  # each has seen the parts before they are joined
    if state.is_main_process:
        _join({name: [part for part in row if part not in problems] for name, row in parts.items()}, output_dir)
        remove(parts_dir, _PART.fullmatch)
    state.wait_for_everyone()
    return lost


def _write_parts(jobs: list[tuple[Path, list[Utterance]]]) -> list[tuple[Path, str]]:
    """Write part files on all cores; returns those that could not be written, with the reason."""
    problems = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the cores are busy with a recording each
    # Threads do: reading, resampling and encoding release the interpreter.
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        done = {pool.submit(_write_part, *job): job[0] for job in jobs}
        for future in tqdm(as_completed(done), desc="cutting audio", unit="recording", total=len(jobs)):
            try:
                future.result()
            except U2UError as error:
                problems.append((done[future], str(error)))
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
    return problems


def _join(parts: dict[str, list[Path]], output_dir: Path) -> None:
    making, data, before = output_dir / ".data", output_dir / "data", output_dir / ".data.old"
    if before.is_dir() and not data.is_dir():
        before.rename(data)  # a run was killed between the two renamings below
    remove(making, _SHARD.fullmatch)
    making.mkdir(exist_ok=True)
    for name, paths in parts.items():
        _write_shards(making, name, paths)
    # A folder takes the place of the other, so old shards are never read together with new ones; what else was in it
    # is moved after them. A kill leaves one of the two whole, and the next run moves the rest.
    _move_others(before, making)
    if data.is_dir():
        data.rename(before)
    making.rename(data)
    _move_others(before, data)


def _move_others(source: Path, target: Path) -> None:
    """Move all but shards from one folder to another, under a free name, and remove the first."""
    if not source.is_dir():
        return
    for path in sorted(source.iterdir()):
        if not _SHARD.fullmatch(path.name):
            names = (path.name, *(f"{path.stem} ({number}){path.suffix}" for number in range(2, 1000)))
            path.rename(next(target / name for name in names if not os.path.lexists(target / name)))
    remove(source, _SHARD.fullmatch)


def _write_part(part: Path, utterances: list[Utterance]) -> None:
    temporary = part.with_suffix(".writing")
    with pq.ParquetWriter(temporary, FEATURES.arrow_schema) as writer:
        batch = []
        for row in rows(utterances):
            batch.append(row)
            if len(batch) == 100:
                writer.write_table(_table(batch))
                batch = []
        if batch:
            writer.write_table(_table(batch))
    temporary.replace(part)


def _table(batch: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(batch, schema=FEATURES.arrow_schema)


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


def load_splits(source: str | os.PathLike[str]) -> DatasetDict:
    """A prepared dataset, from a folder or the Hub, its audio as bytes: ``{"bytes": …, "path": …}``.

    Raises:
        U2UError: there is none, or its columns are not those of a prepared dataset.
    """
    source = str(source)
    here = Path(source)
    prepared, audio_folder = any(here.rglob("*.parquet")), any(here.rglob("metadata.jsonl"))
    if here.is_dir() and not prepared and not audio_folder:
        raise U2UError(
            f"{source}: holds no prepared dataset: prepare one with recipes/prepare.py into a new folder, and name that"
        )
    require_source(source, "dataset")
    try:
        splits = _from_audio_folder(here) if audio_folder and not prepared else load_dataset(source)
    except U2UError:
        raise
    except Exception as error:  # the library raises many kinds: one line for all of them
        problem = loading_problem(source, "dataset", error)
        raise U2UError(f"{source}: the dataset cannot be loaded ({problem})") from error
    for name, split in splits.items():
        if missing := [column for column in NEEDED if column not in split.column_names]:
            raise U2UError(
                f"{source}: split {name} has no column {', '.join(missing)}: prepare it with recipes/prepare.py"
            )
    return splits.cast_column("audio", Audio(sampling_rate=SAMPLING_RATE, decode=False))


def _from_audio_folder(folder: Path) -> DatasetDict:
    """Splits of which each is a folder with its sound files and their metadata.jsonl.

    The library's own way of reading them needs FFmpeg.

    Raises:
        U2UError: a metadata.jsonl without the column file_name, or a row whose file is not a regular file of `folder`.
    """
    files = {path.parent.name: path for path in sorted(folder.rglob("metadata.jsonl"))}
    for path in files.values():
        require_regular(path)
    splits = load_dataset("json", data_files={name: str(path) for name, path in files.items()})

    for name, split in splits.items():
        if "file_name" not in split.column_names:
            raise U2UError(f"{files[name]}: has no column file_name: give every row the name of its sound file")

    def with_audio(row: dict, index: int, metadata: Path) -> dict:
        try:
            return {"audio": {"bytes": _sound(folder, metadata, row["file_name"]), "path": row["file_name"]}}
        except U2UError as error:
            problem = str(error).removeprefix(os.path.join(metadata.parent, ""))
            raise U2UError(f"{metadata}: row {index + 1}: {problem}") from error

    return DatasetDict(
        {
            name: split.map(
                with_audio, with_indices=True, fn_kwargs={"metadata": files[name]}, remove_columns="file_name"
            )
            for name, split in splits.items()
        }
    )


def _sound(folder: Path, metadata: Path, written: object) -> bytes:
    """Return the bytes of the file that a row of `metadata` names.

    Raises:
        U2UError: it is not a regular file in `folder` or below it, or cannot be read.
    """
    path = metadata.parent / name_below(written if isinstance(written, str) else "")
    # In the Hub's cache every file, the metadata too, is a link to a folder where all of the dataset are.
    inside = (os.path.realpath(folder), os.path.dirname(os.path.realpath(metadata)))
    if not any(Path(os.path.realpath(path)).is_relative_to(real) for real in inside):
        raise U2UError(f"{path}: is a link to a file outside the dataset's folder: put the file itself there")
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError as error:
        raise U2UError(f"{path}: cannot be read ({error.strerror})") from error


def require_split(splits: DatasetDict, name: str, source: str) -> Dataset:
    """The split `name`, which must be there and not be empty."""
    if name not in splits or not len(splits[name]):
        raise U2UError(f"{source}: has no utterance in split {name}; there are: {', '.join(splits)}")
    return splits[name]
