"""Documents of Word and of what else writes .docx."""

from __future__ import annotations

import io
from collections import defaultdict
from pathlib import Path

from u2u_hf.formats.encodings import read_bytes
from u2u_hf.records import U2UError

_TEXT = "text"


def read_docx(path: Path) -> dict[str, list[str]]:
    """Return the lines of a document's paragraphs, and of its tables column by column: one may be a translation.

    Headers, footnotes and comments are not read.

    Raises:
        U2UError: the file cannot be read, or python-docx is not installed.
    """
    data = read_bytes(path)
    try:
        from docx import Document  # a browser and the recogniser do not have it
    except ImportError as error:
        raise U2UError(
            f"{path}: to read it, install python-docx (pip install python-docx), or save it as .txt"
        ) from error
    found: dict[str, list[str]] = defaultdict(list)
    try:
        document = Document(io.BytesIO(data))
        for paragraph in document.paragraphs:
            found[_TEXT] += paragraph.text.split("\n")
        for number, table in enumerate(document.tables, 1):
            for row in table.rows:
                for column, cell in enumerate(row.cells, 1):
                    found[f"table {number}, column {column}"] += cell.text.split("\n")
    except Exception as error:  # of zipfile, lxml and python-docx, of many classes
        raise U2UError(f"{path}: is not a Word document, or a damaged one: save it again as .docx or .txt") from error
    return dict(found)
