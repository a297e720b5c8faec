"""Plain tables of utterances: rows of audio, start, end, text and speaker, from a spreadsheet or a script.

Also the ``metadata.csv`` and ``metadata.jsonl`` of audio folders as `datasets` knows them, whose rows are
whole files.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from u2u_hf.formats.encodings import decode, read_bytes
from u2u_hf.records import Annotation, AnnotationDocument, Media, Tier, U2UError

TABLE_SUFFIXES = (".tsv", ".csv")
METADATA_NAMES = ("metadata.csv", "metadata.jsonl")

_TIER = "transcription"  # the linguistic type of a table's tiers, and the name of one without a speaker
_COLUMNS = ("audio", "start", "end", "text")
_TEXT_COLUMNS = ("text", "transcription", "sentence")
_TIME = re.compile(r"(?:(?:([0-9]{1,4}):)?([0-5]?[0-9]):(?=[0-5]?[0-9](?![0-9])))?([0-9]{1,9}(?:[.,][0-9]*)?)")


def read_table(path: str | os.PathLike[str]) -> list[AnnotationDocument]:
    """Read a table with the columns audio, start, end, text and, if you like, speaker; others are ignored.

    A time is seconds (``61.5``) or a clock (``1:01.5``, ``00:01:01.500``); its comma may be a decimal one, as
    spreadsheets write it in many countries. ``.tsv`` is separated by tabs, ``.csv`` by whichever of comma,
    semicolon and tab its header has most of.

    Returns:
        one document for each audio file, named by its media; in it one tier for each speaker.

    Raises:
        U2UError: not readable, no such columns, or a row that cannot be used.
    """
    spoken: dict[str, dict[str, list[Annotation]]] = defaultdict(lambda: defaultdict(list))
    for line, row in _csv_rows(path, _COLUMNS):
        audio, start, end = row["audio"].strip(), _ms(row["start"]), _ms(row["end"])
        problem = ""
        if not audio:
            problem = "names no audio file"
        elif start is None or end is None:
            problem = f"{row['start' if start is None else 'end']!r} is not a time such as 61.5 or 00:01:01.500"
        elif end <= start:
            problem = f"ends at {row['end']}, not after its start at {row['start']}"
        if problem:
            raise U2UError(f"{path}: line {line}: {problem}: mend the line or take it out")
        spoken[audio][row.get("speaker", "").strip()].append(Annotation(start, end, row["text"]))
    if not spoken:
        raise U2UError(f"{path}: has a header but no row: fill it or take it out")
    return [_document(path, audio, speakers) for audio, speakers in spoken.items()]


def is_table(path: str | os.PathLike[str]) -> bool:
    """Has the file the columns that `read_table` needs? Corpora hold tables of other things too."""
    try:
        first = decode(read_bytes(path), path).partition("\n")[0]
    except U2UError:
        return False
    columns = {cell.strip(' "').lower() for cell in re.split(r"[,;\t]", first)}
    return columns.issuperset(_COLUMNS)


def read_metadata(
    path: str | os.PathLike[str], length_ms: Callable[[Path], int]
) -> tuple[list[AnnotationDocument], list[U2UError]]:
    """Read the ``metadata.csv`` or ``metadata.jsonl`` of an audio folder: each row is a whole file.

    Its columns are file_name (relative to the metadata's folder), text, transcription or sentence, and if
    you like speaker.

    Args:
        length_ms: audio file → its length, for those that can open audio; it may raise U2UError.

    Returns:
        a document for each row, and for each row that cannot be used the reason.

    Raises:
        U2UError: not readable, or no row can be used.
    """
    rows = _json_rows(path) if Path(path).suffix.lower() == ".jsonl" else _csv_rows(path, ("file_name",))
    documents, problems = [], []
    for line, row in rows:
        written = row.get("file_name", "").strip()
        try:
            text = next((row[key] for key in _TEXT_COLUMNS if key in row), None)
            if text is None:
                raise U2UError(f"has no {', '.join(_TEXT_COLUMNS)}")
            name = name_below(written)
            end = length_ms(Path(path).parent / name)
        except U2UError as error:
            problems.append(U2UError(f"{path}: line {line}: {error}"))
            continue
        documents.append(_document(path, str(name), {row.get("speaker", "").strip(): [Annotation(0, end, text)]}))
    if not documents:
        raise problems[0] if problems else U2UError(f"{path}: has no row: fill it or take it out")
    return documents, problems


def name_below(written: str) -> PurePosixPath:
    """Return what a file_name of metadata names, relative to the metadata's folder.

    Raises:
        U2UError: it is empty, absolute, leads out of the folder, or holds a control character.
    """
    name = PurePosixPath(written.replace("\\", "/"))
    # Joining tells of Windows' drives there, where C:a.wav leads out; elsewhere that is a name like another.
    below = name.parts and ".." not in name.parts and Path("folder", name).is_relative_to("folder")
    if not below or min(written) < " ":  # a name of two lines, or with a NUL
        raise U2UError(f"file_name {written[:80]!r} is not a file in this folder or below it")
    return name


def _document(path: str | os.PathLike[str], audio: str, speakers: dict[str, list[Annotation]]) -> AnnotationDocument:
    tiers = tuple(
        Tier(
            name=speaker or _TIER,
            annotations=tuple(sorted(annotations, key=lambda a: (a.start_ms, a.end_ms))),
            linguistic_type=_TIER,
            participant=speaker,
        )
        for speaker, annotations in speakers.items()
    )
    return AnnotationDocument(path=str(path), media=(Media((audio,)),), tiers=tiers)


def _csv_rows(path: str | os.PathLike[str], needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number (a row's last) and fields by column of every row that is not blank."""
    text = decode(read_bytes(path), path)
    first = text.partition("\n")[0]
    delimiter = "\t" if Path(path).suffix.lower() == ".tsv" else max(",;\t", key=first.count)
    # Strict, for a quote that is not closed would else swallow the rows below it without a word.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [cell.strip().lower() for cell in next(reader, [])]
        if missing := [name for name in needed if name not in columns]:
            raise U2UError(f"{path}: has no column {', '.join(missing)}; its first line: {first[:80]!r}")
        for cells in reader:
            if not any(map(str.strip, cells)):
                continue
            row = dict(zip(columns, cells, strict=False))
            # More fields than columns is most often a text with a comma that is not in quotes.
            if any(map(str.strip, cells[len(columns) :])) or not all(name in row for name in needed):
                raise U2UError(
                    f"{path}: line {reader.line_num}: has {len(cells)} fields for {len(columns)} columns: mend it; "
                    "a text that holds the separator is to be in quotes"
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise U2UError(f"{path}: line {reader.line_num}: {error}: is a quote not closed, or not doubled?") from error


def _json_rows(path: str | os.PathLike[str]) -> Iterator[tuple[int, dict[str, str]]]:
    # Not splitlines(): JSON may hold U+2028 and the like as they are.
    for line, written in enumerate(decode(read_bytes(path), path).split("\n"), 1):
        if not written.strip():
            continue
        try:
            row = json.loads(written)
            json.dumps(row, ensure_ascii=False).encode()  # half of a surrogate pair ("\\ud800") is JSON, but no text
        except (ValueError, RecursionError) as error:
            raise U2UError(f"{path}: line {line}: is not JSON ({error}): mend the line or take it out") from error
        if not isinstance(row, dict):
            raise U2UError(f'{path}: line {line}: is not of the form {{"file_name": …, "text": …}}')
        yield line, {key: value for key, value in row.items() if isinstance(value, str)}


def _ms(time: str) -> int | None:
    found = _TIME.fullmatch(time.strip())
    if not found:
        return None
    hours, minutes, seconds = found.groups()
    return (int(hours or 0) * 60 + int(minutes or 0)) * 60_000 + round(float(seconds.replace(",", ".")) * 1000)
