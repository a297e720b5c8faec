"""An ELAN file as bytes, and where its elements lie: for edits that keep every other byte."""

from __future__ import annotations

import bisect
import codecs
import dataclasses
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from xml.parsers import expat

from u2u_hf.formats.encodings import read_bytes
from u2u_hf.records import U2UError

# The schema's order of elements, up to the last one inserted here.
_ORDER = "LICENSE HEADER TIME_ORDER TIER LINGUISTIC_TYPE LOCALE LANGUAGE CONSTRAINT".split()
_BYTE_ORDERS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_LAST_USED = "lastUsedAnnotationId"
INDENT = "    "
_START_TAG = re.compile("""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclasses.dataclass
class Element:
    """An element and its bytes in the file, [start, end); its content ends at `inner_end`, None for <…/>."""

    tag: str
    attributes: dict[str, str]
    depth: int
    start: int
    inner_end: int | None = None
    end: int = -1


class Layout:
    """The bytes of an ELAN file, the places of its elements, and the edits to make."""

    def __init__(self, path: str | os.PathLike[str]):
        self._path, self.data = path, (data := read_bytes(path))
        self._encoding = _BYTE_ORDERS.get(data[:2], "utf-8")
        self.elements: list[Element] = []
        self._by_tag: dict[str, list[Element]] = {}  # an hour has 100,000: nothing goes through all of them twice
        self._edits: list[tuple[int, int, str | bytes]] = []  # (start, end, what replaces these bytes)
        self._scan()
        self._newline = "\r\n" if self._bytes("\r\n") in data else "\n"

    def _scan(self) -> None:
        parser = expat.ParserCreate()
        opened: list[Element] = []

        def declaration(_version: str, encoding: str | None, _standalone: int) -> None:
            if encoding and not self._encoding.startswith("utf-16"):
                self._encoding = codecs.lookup(encoding).name

        def begin(tag: str, attributes: dict[str, str]) -> None:
            opened.append(Element(tag, attributes, len(opened), parser.CurrentByteIndex))
            self.elements.append(opened[-1])

        def finish(tag: str) -> None:
            element, at = opened.pop(), parser.CurrentByteIndex
            element.end = at  # expat reports the end of <…/>, but the start of </…>
            if self.data.startswith(self._bytes(f"</{tag}"), at):  # ELAN never nests elements of one tag
                element.inner_end = at
                element.end = self.data.index(self._bytes(">"), at) + len(self._bytes(">"))

        parser.XmlDeclHandler, parser.StartElementHandler, parser.EndElementHandler = declaration, begin, finish
        parser.Parse(self.data, True)
        for element in self.elements:
            self._by_tag.setdefault(element.tag, []).append(element)
        self._starts = {tag: [element.start for element in found] for tag, found in self._by_tag.items()}

    def _bytes(self, text: str) -> bytes:
        return text.encode(self._encoding, "xmlcharrefreplace")

    def all(self, tag: str) -> list[Element]:
        return list(self._by_tag.get(tag, ()))

    def table(self, tag: str, key: str, value: str) -> dict[str | None, str | None]:
        """Return the attribute `value` of each element `tag` by its attribute `key`."""
        return {element.attributes.get(key): element.attributes.get(value) for element in self.all(tag)}

    def highest(self, prefix: str) -> int:
        """Return the highest number in ids like a17, of elements of all kinds, and in ELAN's own count."""
        values = [value for element in self.elements for value in element.attributes.values()]
        if prefix == "a":
            values += [f"a{self._content(e).strip()}" for e in self._last_used()]
        found = re.compile(f"{prefix}([0-9]{{1,18}})")
        return max((int(m[1]) for value in values if (m := found.fullmatch(value))), default=0)

    def _last_used(self) -> list[Element]:
        return [element for element in self.all("PROPERTY") if element.attributes.get("NAME") == _LAST_USED]

    def inner_start(self, element: Element) -> int:
        """Return the byte at which the content of an element begins; it is not ``<…/>``."""
        text = self.data[element.start : element.inner_end].decode(self._encoding)
        tag = _START_TAG.match(text)
        assert tag  # expat has read it
        return element.start + len(tag[0].encode(self._encoding))

    def inside(self, element: Element, tag: str) -> list[Element]:
        """Return the elements of a tag that lie in an element, in order."""
        starts = self._starts.get(tag, [])
        first, last = (bisect.bisect(starts, at) for at in (element.start, element.end - 1))
        return self._by_tag.get(tag, [])[first:last]

    def around(self, element: Element, tag: str) -> Element:
        """Return the element of a tag that begins last before another one: the one around it."""
        return self._by_tag[tag][bisect.bisect(self._starts[tag], element.start) - 1]

    def replace(self, start: int, end: int, text: str | bytes) -> None:
        """Put text, or bytes as they are, in the place of bytes [start, end). Edits may not overlap."""
        self._edits.append((start, end, text))

    def set_content(self, element: Element, text: str) -> None:
        """Put text in the place of an element's content; it is escaped here."""
        escaped = self.escaped(text)
        if element.inner_end is None:
            self._fill(element, escaped)
        else:
            self.replace(self.inner_start(element), element.inner_end, escaped)

    @staticmethod
    def escaped(text: str) -> str:
        """Return text as XML has it; characters that it cannot store become U+FFFD."""
        plain = _NOT_XML.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
        return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def text(self, element: Element) -> str:
        """Return an element as the file has it."""
        return self.data[element.start : element.end].decode(self._encoding)

    def written(self, text: str) -> bytes:
        """Return text as the bytes of this file, with its line ends."""
        return self._bytes(text.replace("\n", self._newline))

    def space_before(self, element: Element) -> int:
        """Return the byte at which the white space before an element begins."""
        at = element.start
        spaces = [self._bytes(c) for c in " \t\r\n"]
        while any(self.data.endswith(space, 0, at) for space in spaces):
            at -= len(spaces[0])
        return at

    def remove(self, element: Element) -> bytes:
        """Take an element out, with the white space before it; return both."""
        start = self.space_before(element)
        self.replace(start, element.end, "")
        return self.data[start : element.end]

    def _content(self, element: Element) -> str:
        if element.inner_end is None:
            return ""
        return self.data[self.inner_start(element) : element.inner_end].decode(self._encoding)

    def append(self, tag: str, elements: Sequence[ET.Element]) -> None:
        """Insert elements below the root, after those that come before them in the schema."""
        root, *_ = self.elements
        before = _ORDER[: _ORDER.index(tag) + 1]
        top = [element for element in self.elements if element.depth == 1]
        text = "".join(f"\n{INDENT}{serialised(element, 1)}" for element in elements)
        if previous := [element for element in top if element.tag in before]:
            self._edits.append((previous[-1].end, previous[-1].end, text))
        elif top:
            self._edits.append((top[0].start, top[0].start, f"{text}\n{INDENT}"))
        elif root.inner_end is not None:
            self._fill(root, f"{text}\n")
        else:
            raise U2UError(f"{self._path}: is an ELAN file with nothing in it, no media and no tier: take it out")

    def _fill(self, element: Element, text: str) -> None:
        """Insert text at the end of an element's content."""
        if element.inner_end is None:
            self._edits.append((element.end - len(self._bytes("/>")), element.end, f">{text}</{element.tag}>"))
        else:
            self._edits.append((element.inner_end, element.inner_end, text))

    def merge_slots(self, slots: Sequence[ET.Element], times: Sequence[int]) -> None:
        """Insert each time slot before the first later one, because ELAN keeps them in order of time.

        Args:
            times: of the slots in the file, in ms, ascending.
        """
        there = self.all("TIME_SLOT")
        if not self.all("TIME_ORDER"):
            holder = ET.Element("TIME_ORDER")
            holder.extend(slots)
            self.append("TIME_ORDER", [holder])
            return
        last: list[str] = []
        for slot in slots:
            at, text = bisect.bisect(times, int(slot.get("TIME_VALUE", 0))), serialised(slot, 2)
            if at < len(there):
                self._edits.append((there[at].start, there[at].start, f"{text}\n{INDENT * 2}"))
            else:
                last.append(f"\n{INDENT * 2}{text}")
        if last and there:
            self._edits.append((there[-1].end, there[-1].end, "".join(last)))
        elif last:
            self._fill(self.all("TIME_ORDER")[0], "".join([*last, f"\n{INDENT}"]))

    def set_last_used(self, number: int) -> None:
        """Write the number of the last annotation; without it ELAN might use a number again."""
        if last_used := self._last_used():
            for element in last_used:
                if element.inner_end is None:
                    self._fill(element, str(number))
                else:
                    self._edits.append((self.inner_start(element), element.inner_end, str(number)))
        elif header := self.all("HEADER"):
            made = ET.Element("PROPERTY", NAME=_LAST_USED)
            made.text = str(number)
            self._fill(header[0], f"{INDENT}{serialised(made, 2)}\n{INDENT}")

    def edited(self) -> bytes:
        """Return the bytes of the file with all edits."""
        parts, at = [], 0
        for start, end, text in sorted(self._edits, key=lambda edit: edit[:2]):
            new = text if isinstance(text, bytes) else self.written(text)
            parts += [self.data[at:start], new]
            at = end
        return b"".join([*parts, self.data[at:]])


def serialised(element: ET.Element, level: int) -> str:
    ET.indent(element, INDENT, level)
    return ET.tostring(element, encoding="unicode")
