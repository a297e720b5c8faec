"""What ELAN and a recogniser say to each other: parameters, the input tier, the lines of the report, result files.

Read from ELAN's sources (`mpi.eudico.client.annotator.recognizer`: LocalRecognizer, RecTierWriter, XmlTierIO,
XmlTimeSeriesReader, AbstractRecognizerPanel). Only the standard library is imported, see `parameters`.
"""

from __future__ import annotations

import codecs
import contextlib
import html
import io
import locale
import os
import re
import threading
import time
import xml.etree.ElementTree as ET
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

from u2u_hf.files import write_text
from u2u_hf.records import Annotation, U2UError
from u2u_hf.visible_text import visible

_REPEAT_S = 1.0  # ELAN shows the seconds since the last line
# ELAN takes 1 for the end, and reads the result file then.
_MOST = 0.99
_DONE, _FAILED = "RESULT: DONE.", "RESULT: FAILED."


def read_parameters(data: bytes) -> dict[str, str]:
    """Return parameter → value of the ``<PARAM>`` document that ELAN writes to the standard input.

    The document says UTF-8, whatever encoding Java has used: before Java 18, that of the system.

    Raises:
        U2UError: it holds no parameter.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode(_system_encoding(), errors="replace")
    try:
        found = [e for e in ET.fromstring(text).iter() if e.tag.rpartition("}")[2] == "param"]
        values = {element.get("name", ""): element.text or "" for element in found}
    except ET.ParseError:  # ELAN before 2014 did not escape the values
        pairs = re.findall(r'<param\b[^>]*\bname="([^"]*)"[^>]*>(.*?)</param>', text, re.DOTALL)
        values = {name: html.unescape(value) for name, value in pairs}
    if not values:
        raise U2UError("no parameters: this program is started by ELAN, with the button Start of its tab Recognizers")
    return {name: value.strip() for name, value in values.items()}


def _system_encoding() -> str:
    """Return the encoding of the user's system, which UTF-8 mode hides; one of 8 bits, because it was not UTF-8."""
    if os.name == "nt":
        return "mbcs"
    found = codecs.lookup(locale.getencoding() if hasattr(locale, "getencoding") else "utf-8").name  # new in 3.11
    return "latin-1" if found in ("utf-8", "ascii") else found


def read_tier(path: str | os.PathLike[str]) -> tuple[Annotation, ...]:
    """Return the annotations of a ``<TIER>`` document; of several columns or tiers, those of the first.

    ELAN does not escape the annotations (RecTierWriter.writeSpan), so that one with ``&`` or ``<`` makes the document
    no XML: then its tags are looked for in the text, and the annotations are taken as they stand.

    Raises:
        U2UError: the file cannot be read, or a time is no number.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise U2UError(f"{path}: the chosen tier cannot be read ({error.strerror}): press Start again") from error
    return tuple(Annotation(_ms(start, path), _ms(end, path), value) for start, end, value in _spans(text))


def _spans(text: str) -> list[tuple[str, str, str]]:
    try:
        root = ET.fromstring(text)
    except ET.ParseError:
        first, *_ = re.split(r"</TIER\s*>", text)
        found = re.findall(r"<span\b([^>]*)>(.*?)</span\s*>", first, re.DOTALL)
        return [(_attribute("start", tag), _attribute("end", tag), _first_value(inside)) for tag, inside in found]
    local = {element: element.tag.rpartition("}")[2] for element in root.iter()}
    tier = next((element for element in root.iter() if local[element] == "TIER"), root)
    spans = [element for element in tier.iter() if local[element] == "span"]
    values = [next((child.text or "" for child in span if local[child] == "v"), "") for span in spans]
    return [(span.get("start", ""), span.get("end", ""), value) for span, value in zip(spans, values, strict=True)]


def _attribute(name: str, tag: str) -> str:
    found = re.search(rf"""\b{name}\s*=\s*["']([^"']*)""", tag)
    return found[1] if found else ""


def _first_value(inside: str) -> str:
    found = re.search(r"<v>(.*?)</v>", inside, re.DOTALL)
    return found[1] if found else ""


def _ms(text: str, path: str | os.PathLike[str]) -> int:
    """Return milliseconds. Like ELAN, take a number with a decimal point for seconds, and one without for them."""
    try:
        value = Decimal(text.strip().replace(",", "."))
        return round(value * 1000 if "." in text or "," in text else value)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise U2UError(f"{path}: {text[:20]!r} is not a time: press Start again") from error


class Report:
    """The lines that ELAN reads: progress, remarks, and in the end the result. It can be used from several threads.

    A thread repeats the last line of progress every second, so that ELAN's user sees that something works.
    """

    def __init__(self, stream: TextIO):
        self._stream, self._lock = stream, threading.Lock()
        self._share, self._doing, self._written, self._ended = 0.0, "", 0.0, False
        threading.Thread(target=self._repeat, daemon=True).start()

    def progress(self, share: float, doing: str) -> None:
        """Report the share of the task, 0…1, that is done: never less than before, and below 1 until the result."""
        with self._lock:
            self._share = max(self._share, min(_MOST, share))
            self._doing = " ".join(doing.split())
            self._write_progress()

    def say(self, text: str) -> None:
        """Write a remark, as one line that ELAN cannot take for progress or a result."""
        line = visible(" ".join(text.split()))
        # A line with only 0 would be a success to ELAN.
        is_ours = len(line) > 1 and not line.startswith(("RESULT:", "PROGRESS:", "INFO:"))
        with self._lock:
            self._write(line if is_ours else f"note: {line}")

    def result(self, done: bool) -> None:
        """Write the last line: only after this one, ELAN reads the result files."""
        with self._lock:
            self._ended = True
            self._write(_DONE if done else _FAILED)

    def _repeat(self) -> None:
        while not self._ended:
            time.sleep(_REPEAT_S / 4)
            with self._lock:
                if self._doing and not self._ended and time.monotonic() - self._written >= _REPEAT_S:
                    self._write_progress()

    def _write_progress(self) -> None:
        self._write(f"PROGRESS: {self._share:.2f} {self._doing}")

    def _write(self, line: str) -> None:
        self._written = time.monotonic()
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more: the process is ended elsewhere
            self._stream.write(f"{line}\n")
            self._stream.flush()


class Remarks(io.TextIOBase):
    """A stream in place of stdout and stderr: what libraries write become remarks in the report."""

    def __init__(self, report: Report):
        self._report, self._line = report, ""

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text.replace("\r", "\n")).split("\n")
        for line in filter(str.strip, lines):
            self._report.say(f"note: {line}")
        return len(text)


def write_result(path: str | os.PathLike[str], text: str) -> None:
    """Write a result file, whole or not at all.

    ELAN has made it beforehand, empty, and reads it after the result's line. Another program, such as a virus scanner,
    may have it open meanwhile; Windows then refuses to replace it, for moments. A folder may take no new files.

    Raises:
        U2UError: it cannot be written; a file that ELAN made is empty then.
    """
    for seconds in (0.1, 0.3, 1.0, 0.0):
        try:
            return write_text(Path(path), text)
        except U2UError as error:
            if not isinstance(error.__cause__, PermissionError):
                raise
            time.sleep(seconds)
    try:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(path).write_bytes(b"")
        raise U2UError(f"{path}: cannot be written ({error.strerror}): choose another file for the result") from error
