r"""Texts and dictionaries of Toolbox and Shoebox: lines that begin with a marker, such as ``\tx`` or ``\lx``.

What a line without a marker says belongs to the marker before. Markers are a project's own choice; these are the ones
that SIL's manuals and templates (interlinear texts, the Multi-Dictionary Formatter) give to the language itself.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from u2u_hf.formats.encodings import decode, read_bytes
from u2u_hf.records import U2UError, trimmed

# The first one that a file has is its text line: old texts have \t, and others use \t for something else.
_BASELINES = ("tx", "txt", "t")
_OF_DICTIONARIES = ("lx", "se", "xv")  # headword, subentry, example sentence
_LINE = re.compile(r"\\([A-Za-z_][\w-]*)[ \t]*(.*)")


def is_toolbox(path: Path) -> bool:
    """Return whether the first line that is not empty has a marker."""
    try:
        text = decode(read_bytes(path), path).lstrip("\ufeff \t\n")
    except U2UError:
        return False
    return bool(_LINE.match(text))


def read_toolbox(path: Path) -> dict[str, list[str]]:
    r"""Return the text lines by their marker.

    An interlinear text is cut where its glosses fill a line: the ``\tx`` of one ``\ref`` are one line here. Where a
    file has no ``\ref``, a blank line ends it, or a marker that stands before the first ``\tx``: a record begins so.

    Raises:
        U2UError: the file cannot be read, or has none of the markers.
    """
    lines = list(_marked(decode(read_bytes(path), path)))
    markers = dict.fromkeys(marker for marker, _ in lines if marker)
    baseline = next((marker for marker in _BASELINES if marker in markers), None)
    wanted = [*([baseline] if baseline else []), *(marker for marker in _OF_DICTIONARIES if marker in markers)]
    if not wanted:
        known = ", ".join(f"\\{marker}" for marker in (*_BASELINES, *_OF_DICTIONARIES))
        raise U2UError(f"{path}: has none of the markers {known}; it has {trimmed(' '.join(markers), 60)}: rename one")
    before = {marker for marker, _ in itertools.takewhile(lambda field: field[0] != baseline, lines)}
    record_ends = {"ref"} if "ref" in markers else {"", *before}
    found: dict[str, list[str]] = {marker: [] for marker in wanted}
    goes_on = False
    for marker, text in lines:
        if marker in record_ends:
            goes_on = False
        if marker == baseline and goes_on:
            found[marker][-1] += f" {text}"
        elif marker in found:
            found[marker].append(text)
            goes_on = goes_on or marker == baseline
    return {marker: [" ".join(text.split()) for text in texts] for marker, texts in found.items()}


def _marked(text: str) -> Iterator[tuple[str, str]]:
    """Yield marker and text of each field, and two empty texts for a blank line."""
    marker, parts = "", [""]
    for line in text.lstrip("\ufeff").split("\n"):
        if found := _LINE.match(line):
            if marker:
                yield marker, " ".join(parts)
            marker, parts = found[1], [found[2]]
        elif line.strip():
            parts.append(line.strip())
        else:
            if marker:
                yield marker, " ".join(parts)
            yield "", ""
            marker, parts = "", [""]
    if marker:
        yield marker, " ".join(parts)
