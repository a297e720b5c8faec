"""The XML of an ELAN or FLEx file, read without what XML documents could do to their reader."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from u2u_hf.records import U2UError, trimmed


class _NoDoctype(ET.TreeBuilder):
    """Stops at a DOCTYPE: it declares the entities that expand without end or lead to other files."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError("it has a document type declaration")


def root(path: Path) -> ET.Element:
    """Return the ANNOTATION_DOCUMENT of an ELAN file.

    Raises:
        U2UError: the file cannot be read, is not XML or not an ELAN file.
    """
    found = parsed(path, "ELAN")
    if found.tag != "ANNOTATION_DOCUMENT":
        tag = trimmed(found.tag)[1:-1]
        raise U2UError(f"{path}: is XML but not an ELAN file (it begins with <{tag}>): rename it or take it out")
    return found


def parsed(path: Path, program: str) -> ET.Element:
    """Return the outermost element of an XML file.

    Args:
        program: whose file it is, for the error.

    Raises:
        U2UError: the file cannot be read or is not XML.
    """
    try:
        if path.exists() and not path.is_file():  # reading a pipe or a device might never end
            raise U2UError(f"{path}: is not a file: take it out of the folder or rename it")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise U2UError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if not data.strip():
        raise U2UError(f"{path}: is empty: restore it from a copy, or take it out of the folder")
    try:
        return ET.fromstring(data, ET.XMLParser(target=_NoDoctype()))
    except (ET.ParseError, ValueError, LookupError) as error:
        problem = trimmed(str(error), 80)[1:-1]  # it quotes the file
        raise U2UError(f"{path}: is not XML ({problem}): can {program} open it? Restore it, or take it out") from error
