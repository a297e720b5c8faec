"""Tables of utterances from a spreadsheet or a script, and the metadata of audio folders.

The rows of a table are audio, start, end, text and speaker. The rows of ``metadata.csv`` or ``metadata.jsonl``, which
`datasets` reads too, are whole audio files.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from u2u_hf.formats.encodings import decode, read_bytes
from u2u_hf.records import Annotation, AnnotationDocument, Media, Tier, U2UError, trimmed

_METADATA_NAMES = ("metadata.csv", "metadata.jsonl")

_LONGEST_NAME = 255  # characters; systems allow no more, or little

_TIER = "transcription"  # the linguistic type of all tiers, and the name of a tier without a speaker
_COLUMNS = ("audio", "start", "end", "text")
_AUDIO_COLUMNS = ("audio", "file_name", "path")
_TEXT_COLUMNS = ("text", "transcription", "sentence")
_WORD_COLUMNS = ("word", "words", "form", "headword", "lexeme", "lemma", "palabra", "mot")
_TIME = re.compile(r"(?:(?:([0-9]{1,4}):)?([0-5]?[0-9]):(?=[0-5]?[0-9](?![0-9])))?([0-9]{1,9}(?:[.,][0-9]*)?)")


def read_table(path: str | os.PathLike[str]) -> list[AnnotationDocument]:
    """Read a table with the columns audio, start, end, text and optionally speaker; others are ignored.

    A time is in seconds (``61.5``) or of the form ``1:01.5`` or ``00:01:01.500``; the decimal sign may be a comma, as
    spreadsheets write it in many countries. A ``.tsv`` is separated by tabs, a ``.csv`` by the character that its
    header has most of: comma, semicolon or tab.

    Returns:
        one document for each audio file, which its media names, with one tier for each speaker.

    Raises:
        U2UError: the file cannot be read, lacks a column, or has an invalid row.
    """
    spoken: dict[str, dict[str, list[Annotation]]] = defaultdict(lambda: defaultdict(list))
    for line, row in csv_rows(path, _COLUMNS):
        try:
            audio, annotation = _utterance(row)
        except ValueError as error:
            raise U2UError(f"{path}: line {line}: {error}: fix the line or take it out") from error
        spoken[audio][row.get("speaker", "").strip()].append(annotation)
    if not spoken:
        raise U2UError(f"{path}: has a header but no row: fill it or take it out")
    return [_document(path, audio, speakers) for audio, speakers in spoken.items()]


def _utterance(row: Mapping[str, str]) -> tuple[str, Annotation]:
    """Return a row's audio file and annotation. Raises ValueError for an invalid row."""
    audio = row["audio"].strip()
    if not audio:
        raise ValueError("names no audio file")
    start, end = _ms(row["start"]), _ms(row["end"])
    if end <= start:
        raise ValueError(f"ends at {row['end'][:20]}, not after its start at {row['start'][:20]}")
    return audio, Annotation(start, end, row["text"])


def is_table(path: str | os.PathLike[str]) -> bool:
    """Return whether the file has the columns that `read_table` needs: corpora contain tables of other things too."""
    try:
        first = decode(read_bytes(path), path).partition("\n")[0]
    except U2UError:
        return False
    columns = {cell.strip(' "').lower() for cell in re.split(r"[,;\t]", first)}
    return columns.issuperset(_COLUMNS)


def is_metadata(path: Path) -> bool:
    """Return whether the file is the metadata of an audio folder, which is known by its name."""
    return path.name.lower() in _METADATA_NAMES


def read_metadata(
    path: str | os.PathLike[str], length_ms: Callable[[Path], int]
) -> tuple[list[AnnotationDocument], list[U2UError]]:
    """Read the ``metadata.csv`` or ``metadata.jsonl`` of an audio folder, in which each row is a whole file.

    The columns are file_name (relative to the folder of the metadata), text, transcription or sentence, and optionally
    speaker.

    Args:
        length_ms: audio file → its length in ms; may raise U2UError.

    Returns:
        a document for each valid row, and an error for each other row.

    Raises:
        U2UError: the file cannot be read, or has no valid row.
    """
    rows = _json_rows(path) if Path(path).suffix.lower() == ".jsonl" else csv_rows(path, ("file_name",))
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
            # Relative, because reports of it are pushed.
            problem = str(error).removeprefix(os.path.join(Path(path).parent, ""))
            problems.append(U2UError(f"{path}: line {line}: {problem}"))
            continue
        documents.append(_document(path, str(name), {row.get("speaker", "").strip(): [Annotation(0, end, text)]}))
    if not documents:
        raise problems[0] if problems else U2UError(f"{path}: has no row: fill it or take it out")
    return documents, problems


def read_columns(path: str | os.PathLike[str]) -> dict[str, list[str]]:
    """Read a table of words or texts, such as a word list with its glosses: column → its cells that are not empty.

    Of a table of utterances (`_AUDIO_COLUMNS`), the text alone (`_TEXT_COLUMNS`). The first line names the columns;
    where there is one column, it is a word like the others unless it is such a name.

    Raises:
        U2UError: the file cannot be read, or has an invalid row.
    """
    found: dict[str, list[str]] = {}
    for _, row in csv_rows(path, ()):
        for column, cell in row.items():
            found.setdefault(column, []).extend([cell] if cell.strip() else [])
    text = next((column for column in _TEXT_COLUMNS if column in found), None)
    # In a word list these columns stand beside the words: "transcription" in IPA, "sentence" as an example.
    if text and not found.keys().isdisjoint(_AUDIO_COLUMNS):
        return {text: found[text]}
    if len(found) == 1:
        [(name, words)] = found.items()
        return {"": words if name in (*_WORD_COLUMNS, *_TEXT_COLUMNS) else [name, *words]}
    return found


def name_below(written: str) -> PurePosixPath:
    """Return the path in a file_name column, relative to the folder of the metadata.

    Raises:
        U2UError: it is empty, absolute, leads out of the folder, contains a control character, or has no end.
    """
    name = PurePosixPath(written.replace("\\", "/"))
    # Joined, because on Windows C:a.wav leads out of the folder, while elsewhere it is an ordinary name.
    below = name.parts and ".." not in name.parts and Path("folder", name).is_relative_to("folder")
    if not below or min(written) < " " or len(written) > _LONGEST_NAME:  # a name of two lines, or with a NUL
        raise U2UError(f"file_name {trimmed(written, 80)} is not a file in this folder or below it")
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


def csv_rows(path: str | os.PathLike[str], needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line number (the row's last line) and the fields by column of every row that is not blank.

    Args:
        needed: names of the columns that every row must have, in lower case; others are in the row too.

    Raises:
        U2UError: the file cannot be read, lacks a column, or has a row with other fields.
    """
    text = decode(read_bytes(path), path)
    first = text.partition("\n")[0]
    delimiter = "\t" if Path(path).suffix.lower() == ".tsv" else max(",;\t", key=first.count)
    # Strict: otherwise a quote that is not closed silently swallows the rows below it.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [cell.strip().lower() for cell in next(reader, [])]
        if missing := [name for name in needed if name not in columns]:
            raise U2UError(f"{path}: has no column {', '.join(missing)}; its first line: {trimmed(first, 80)}")
        for cells in reader:
            if not any(map(str.strip, cells)):
                continue
            row = dict(zip(columns, cells, strict=False))
            # The usual reason for more fields than columns is a comma in a text without quotes.
            if any(map(str.strip, cells[len(columns) :])) or not all(name in row for name in needed):
                plain = ", or save the list as .txt" if len(columns) == 1 and not needed else ""
                raise U2UError(
                    f"{path}: line {reader.line_num}: has {len(cells)} fields for {len(columns)} columns: fix it; "
                    f"a text that contains the separator must be in quotes{plain}"
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise U2UError(f"{path}: line {reader.line_num}: {error}: is a quote not closed, or not doubled?") from error


def _json_rows(path: str | os.PathLike[str]) -> Iterator[tuple[int, dict[str, str]]]:
    # Not splitlines(): JSON may contain U+2028 and other line ends unescaped.
    for line, written in enumerate(decode(read_bytes(path), path).split("\n"), 1):
        if not written.strip():
            continue
        try:
            row = json.loads(written)
            json.dumps(row, ensure_ascii=False).encode()  # a lone surrogate ("\\ud800") is valid JSON but not text
        except (ValueError, RecursionError) as error:
            raise U2UError(f"{path}: line {line}: is not JSON ({error}): fix the line or take it out") from error
        if not isinstance(row, dict):
            raise U2UError(f'{path}: line {line}: is not of the form {{"file_name": …, "text": …}}')
        yield line, {key: value for key, value in row.items() if isinstance(value, str)}


def _ms(time: str) -> int:
    found = _TIME.fullmatch(time.strip())
    if not found:
        raise ValueError(f"{trimmed(time)} is not a time such as 61.5 or 00:01:01.500")
    hours, minutes, seconds = found.groups()
    return (int(hours or 0) * 60 + int(minutes or 0)) * 60_000 + round(float(seconds.replace(",", ".")) * 1000)
