"""Documents of Word and of what else writes .docx."""

from __future__ import annotations

import io
import itertools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from u2u_hf.formats.encodings import read_bytes
from u2u_hf.records import U2UError

_TEXT = "text"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PARAGRAPH, _TABLE, _ROW, _CELL = (f"{_W}{name}" for name in ("p", "tbl", "tr", "tc"))
_VISIBLE = {f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}tab": "\t", f"{_W}ptab": "\t", f"{_W}noBreakHyphen": "-"}
# Formatting (which has w:tab too), text that was moved elsewhere with changes tracked, and the copy of a text box for
# old programs. Deleted text is no w:t.
_NOT_READ = (
    f"{_W}pPr",
    f"{_W}moveFrom",
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
)


def read_docx(path: Path) -> dict[str, list[str]]:
    """Return the lines of a document's paragraphs, and of its tables column by column: one may be a translation.

    Tracked changes are read as if accepted. Headers, footnotes and comments are not read.

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
        for part, text in _paragraphs(Document(io.BytesIO(data)).element.body, _TEXT, itertools.count(1)):
            found[part] += text.split("\n")
    except Exception as error:  # of zipfile, lxml and python-docx, of many classes
        raise U2UError(f"{path}: is not a Word document, or a damaged one: save it again as .docx or .txt") from error
    return dict(found)


def _paragraphs(element: Any, part: str, numbers: Iterator[int]) -> Iterator[tuple[str, str]]:
    """Yield part and text of each paragraph below an element, also those in content controls and text boxes.

    python-docx's `paragraphs`, `tables` and `text` (1.2) leave out these and inserted text, and give a merged cell once
    for each column.

    Args:
        part: of what is not in a table. numbers: of the tables.
    """
    for child in element:
        if child.tag == _TABLE:
            number = next(numbers)
            for row in _own(child, _ROW):
                column = 1 + _value(row, "trPr", "gridBefore", 0)
                for cell in _own(row, _CELL):
                    yield from _paragraphs(cell, f"table {number}, column {column}", numbers)
                    column += _value(cell, "tcPr", "gridSpan", 1)
        elif child.tag not in _NOT_READ:
            if child.tag == _PARAGRAPH:
                yield part, _text(child)
            yield from _paragraphs(child, part, numbers)


def _own(element: Any, tag: str) -> Iterator[Any]:
    """Yield the rows of a table, or the cells of a row, but not those of tables in a cell."""
    for child in element:
        if child.tag == tag:
            yield child
        else:  # a content control
            yield from _own(child, tag)


def _value(element: Any, properties: str, name: str, default: int) -> int:
    found = element.find(f"{_W}{properties}/{_W}{name}")
    return default if found is None else int(found.get(f"{_W}val"))


def _text(element: Any) -> str:
    """Return the text of a paragraph without that of paragraphs in it, which are in its text boxes."""
    parts = []
    for child in element:
        if child.tag == f"{_W}t":
            parts.append(child.text or "")
        elif child.tag in _VISIBLE:
            parts.append(_VISIBLE[child.tag])
        elif child.tag not in (*_NOT_READ, _PARAGRAPH):
            parts.append(_text(child))
    return "".join(parts)
