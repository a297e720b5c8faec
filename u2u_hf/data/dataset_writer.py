"""Utterances to a dataset in parquet files."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from u2u_hf.data import shards
from u2u_hf.data.audio import audio_info, flac_bytes, has_no_numbers, level, read_audio
from u2u_hf.data.dataset import FEATURES
from u2u_hf.data.processes import gathered, processes
from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.output_folder import remove
from u2u_hf.progress_bar import progress_bar
from u2u_hf.records import Dropped, U2UError, Utterance

_PLACE = ["tier", "start_ms", "end_ms"]  # identifies an utterance within a recording
_SMALLEST = 2.0**-15  # of 16-bit samples
_CHANGED = b"u2u-hf changed"  # in a part's metadata: what was done → utterances
_LEVELLED, _SILENCED = "levelled", "silenced"
_REMARKS = {
    _LEVELLED: "{} × stored at another level, because the utterance is too loud or too quiet for 16 bits",
    _SILENCED: "{} × made silent where samples are no numbers (NaN, infinity): is the recording damaged?",
}
_PART = re.compile(r"[0-9a-f]{24}\.(parquet|writing)")

_Part = tuple[Path, list[Utterance]]  # a parquet file, and the utterances of one recording that belong in it


def rows(utterances: Iterable[Utterance], changed: Counter[str]) -> Iterator[dict]:
    """Yield a dataset row for each utterance: its audio cut out, resampled and encoded.

    Utterances whose audio is digital silence have no row.

    Args:
        changed: where utterances are counted whose samples are not those of the recording, by what was done.

    Raises:
        U2UError: the audio cannot be read.
    """
    for utterance in utterances:
        info = audio_info(utterance.audio)
        samples = read_audio(info, utterance.start_ms, utterance.end_ms, [utterance.channel])[0]
        if not len(samples) or np.abs(samples).max() < _SMALLEST:
            continue
        changed[_LEVELLED] += level(samples) != 1
        changed[_SILENCED] += has_no_numbers(info, utterance.start_ms, utterance.end_ms, utterance.channel)
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


def write_dataset(splits: dict[str, list[Utterance]], output_dir: Path) -> tuple[list[Dropped], list[str]]:
    """Write the splits to ``output_dir/data/SPLIT-00000-of-00001.parquet``, about 400 MB a shard.

    Each recording is written to a part file before the parts are joined to shards, so a run that was killed resumes
    after the last finished recording. The shards of an earlier run are replaced all at once; other files in ``data/``
    stay. Recordings are divided over the processes of a launcher (torchrun, accelerate launch), then over cores.

    Returns:
        the utterances that are in no shard: their audio cannot be read, or is digital silence; and remarks on how many
        of the others were changed.

    Raises:
        U2UError: ``data`` is a file or a link.
    """
    if os.path.lexists(data := output_dir / "data") and (data.is_symlink() or not data.is_dir()):
        raise U2UError(f"{data}: is a file or a link, in the place of the dataset's folder: move it away")
    parts_dir = output_dir / ".parts"
    parts_dir.mkdir(parents=True, exist_ok=True)
    parts = {name: _parts(members, parts_dir) for name, members in splits.items()}
    every_part = [part for row in parts.values() for part in row]
    problems = _write_missing(every_part)
    dropped = _unreadable(every_part, problems) + _silent(every_part, problems)
    remarks = _remarks(path for path, _ in every_part if path not in problems)
    state = processes()
    state.wait_for_everyone()  # all have read the parts before they are joined
    if state.is_main_process:
        shards.join(
            {name: [path for path, _ in row if path not in problems] for name, row in parts.items()}, output_dir
        )
        remove(parts_dir, _PART.fullmatch)
    state.wait_for_everyone()
    return dropped, remarks


def _parts(utterances: Iterable[Utterance], folder: Path) -> list[_Part]:
    """Return a part for each recording, and each audio file of it.

    Its name is a digest of its content: changed utterances make a new part.
    """
    by_recording = defaultdict(list)
    for utterance in utterances:
        by_recording[utterance.recording, utterance.audio].append(utterance)
    parts = []
    for _, group in sorted(by_recording.items()):
        key = repr((group, *_version(group[0].audio))).encode()
        parts.append((folder / f"{hashlib.sha256(key).hexdigest()[:24]}.parquet", group))
    return parts


def _version(audio: str) -> tuple[int, ...]:
    """Return the size and time of change of a file; nothing of one that is gone, which its reader will say."""
    try:
        stat = os.stat(audio)
    except OSError:
        return ()
    return stat.st_size, stat.st_mtime_ns


def _write_missing(parts: list[_Part]) -> dict[Path, str]:
    """Write parts that do not exist yet, in all processes; return the problem of each that could not be written."""
    missing = [(path, group) for path, group in parts if not path.exists()]
    state = processes()
    state.wait_for_everyone()  # all have seen the same parts before the first new one is written
    with state.split_between_processes(missing) as own:
        return dict(gathered(_write_parts(own)))


def _unreadable(parts: list[_Part], problems: dict[Path, str]) -> list[Dropped]:
    return [
        Dropped(u, "the audio cannot be read", problems[path].removeprefix(f"{u.audio}: "))
        for path, group in parts
        if path in problems
        for u in group
    ]


def _silent(parts: list[_Part], problems: dict[Path, str]) -> list[Dropped]:
    dropped = []
    for path, group in parts:
        if path not in problems:
            written = set(zip(*pq.read_table(path, columns=_PLACE).to_pydict().values(), strict=True))
            silent = [u for u in group if (u.tier, u.start_ms, u.end_ms) not in written]
            dropped += [Dropped(u, "the recording is silent there") for u in silent]
    return dropped


def _remarks(parts: Iterable[Path]) -> list[str]:
    changed: Counter[str] = Counter()
    for path in parts:
        changed.update(json.loads(pq.read_metadata(path).metadata.get(_CHANGED, b"{}")))
    return [remark.format(changed[what]) for what, remark in _REMARKS.items() if changed[what]]


def _write_parts(parts: list[_Part]) -> list[tuple[Path, str]]:
    """Write part files on all cores; return those that could not be written, with the reason."""
    problems = []
    # Threads are enough: reading, resampling and encoding release the GIL.
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        path_of = {pool.submit(_write_part, *part): part[0] for part in parts}
        for future in progress_bar(as_completed(path_of), desc="cutting audio", unit="recording", total=len(parts)):
            try:
                future.result()
            except U2UError as error:
                problems.append((path_of[future], str(error)))
    finally:
        pool.shutdown(cancel_futures=True)
    return problems


def _write_part(part: Path, utterances: list[Utterance]) -> None:
    temporary = part.with_suffix(".writing")
    with pq.ParquetWriter(temporary, FEATURES.arrow_schema) as writer:
        batch, changed = [], Counter()
        for row in rows(utterances, changed):
            batch.append(row)
            if len(batch) == 100:
                writer.write_table(_table(batch))
                batch = []
        if batch:
            writer.write_table(_table(batch))
        writer.add_key_value_metadata({_CHANGED: json.dumps(changed)})
    temporary.replace(part)


def _table(batch: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(batch, schema=FEATURES.arrow_schema)
