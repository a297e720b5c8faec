"""Adding tiers to an existing ELAN file by inserting text in its XML, so that every byte of the file is kept.

To parse the file and write it again would lose what libraries do not keep (comments, the order of attributes, elements
of newer versions of ELAN), and version control would show the person's whole file as changed.
"""

from __future__ import annotations

import bisect
import codecs
import dataclasses
import itertools
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.parsers import expat

from u2u_hf.files import replacing
from u2u_hf.formats import eaf_tree
from u2u_hf.formats.eaf import tier_elements, type_element
from u2u_hf.formats.encodings import read_bytes
from u2u_hf.records import Tier, U2UError

# The schema's order of elements, up to the last one inserted here.
_ORDER = "LICENSE HEADER TIME_ORDER TIER LINGUISTIC_TYPE LOCALE LANGUAGE CONSTRAINT".split()
_BYTE_ORDERS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_LAST_USED = "lastUsedAnnotationId"
_INDENT = "    "


def add_tiers(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    tiers: Sequence[Tier],
    constraints: Mapping[str, str],
    spare_types: Sequence[str] = (),
) -> None:
    """Write `source` with more tiers to `target`, whole or not at all; the two may be one file.

    A tier whose name is taken gets a number: ``words (2)``. The file's count of annotations is updated, because ELAN
    uses it to name new ones.

    Args:
        tiers, constraints, spare_types: as for `u2u_hf.formats.eaf.write_eaf`.

    Raises:
        ValueError: ELAN cannot store the tiers.
        U2UError: `source` is not a valid ELAN file, has times in frames of a video, or has a linguistic type of the
            same name with another constraint; or `target` cannot be written.
    """
    times = _slot_times(source)
    layout = _Layout(source)
    tiers = _renamed(tiers, set(layout.table("TIER", "TIER_ID", "TIER_ID")))
    elements = tier_elements(tiers, constraints, layout.highest("a"), layout.highest("ts"))
    types = layout.table("LINGUISTIC_TYPE", "LINGUISTIC_TYPE_ID", "CONSTRAINTS")
    for element in elements.types:
        name, constraint = element.get("LINGUISTIC_TYPE_ID"), element.get("CONSTRAINTS")
        if types.get(name, constraint) != constraint:
            raise U2UError(f"{source}: its linguistic type {name!r} has another constraint: rename it in ELAN")
    stereotypes = layout.table("CONSTRAINT", "STEREOTYPE", "STEREOTYPE")
    layout.merge_slots(elements.slots, times)
    layout.append("TIER", elements.tiers)
    made = {e.get("LINGUISTIC_TYPE_ID"): e for e in (*map(type_element, spare_types), *elements.types)}
    layout.append("LINGUISTIC_TYPE", [element for name, element in made.items() if name not in types])
    layout.append("CONSTRAINT", [e for e in elements.constraints if e.get("STEREOTYPE") not in stereotypes])
    layout.set_last_used(elements.last_annotation)
    with replacing(Path(target)) as temporary:
        temporary.write_bytes(layout.edited())


def _slot_times(source: str | os.PathLike[str]) -> list[int]:
    """Return the latest time up to each time slot in ms, in the order of the file, untimed slots included."""
    tree = eaf_tree.load(source)
    if tree.time_units != eaf_tree.MILLISECONDS:
        raise U2UError(
            f"{source}: its times are {tree.time_units}, ours milliseconds: transcribe without --annotations"
        )
    times = (-1 if time is None else time for time in tree.slots)
    return list(itertools.accumulate(times, max))


def _renamed(tiers: Sequence[Tier], taken: set[str | None]) -> list[Tier]:
    names: dict[str, str] = {"": ""}
    for tier in tiers:
        spellings = itertools.chain([tier.name], (f"{tier.name} ({number})" for number in itertools.count(2)))
        names[tier.name] = next(name for name in spellings if name not in taken)
        taken = taken | {names[tier.name]}
    return [dataclasses.replace(t, name=names[t.name], parent=names.get(t.parent, t.parent)) for t in tiers]


@dataclasses.dataclass
class _Element:
    """An element and its bytes in the file, [start, end); its content ends at `inner_end`, None for <…/>."""

    tag: str
    attributes: dict[str, str]
    depth: int
    start: int
    inner_end: int | None = None
    end: int = -1


class _Layout:
    """The bytes of an ELAN file, the places of its elements, and the edits to make."""

    def __init__(self, path: str | os.PathLike[str]):
        self._path, self._data = path, (data := read_bytes(path))
        self._encoding = _BYTE_ORDERS.get(data[:2], "utf-8")
        self._elements: list[_Element] = []
        self._edits: list[tuple[int, int, str]] = []  # (start, end, text that replaces these bytes)
        self._scan()
        self._newline = "\r\n" if self._bytes("\r\n") in data else "\n"

    def _scan(self) -> None:
        parser = expat.ParserCreate()
        opened: list[_Element] = []

        def declaration(_version: str, encoding: str | None, _standalone: int) -> None:
            if encoding and not self._encoding.startswith("utf-16"):
                self._encoding = codecs.lookup(encoding).name

        def begin(tag: str, attributes: dict[str, str]) -> None:
            opened.append(_Element(tag, attributes, len(opened), parser.CurrentByteIndex))
            self._elements.append(opened[-1])

        def finish(tag: str) -> None:
            element, at = opened.pop(), parser.CurrentByteIndex
            element.end = at  # expat reports the end of <…/>, but the start of </…>
            if self._data.startswith(self._bytes(f"</{tag}"), at):  # ELAN never nests elements of one tag
                element.inner_end = at
                element.end = self._data.index(self._bytes(">"), at) + len(self._bytes(">"))

        parser.XmlDeclHandler, parser.StartElementHandler, parser.EndElementHandler = declaration, begin, finish
        parser.Parse(self._data, True)

    def _bytes(self, text: str) -> bytes:
        return text.encode(self._encoding, "xmlcharrefreplace")

    def _all(self, tag: str) -> list[_Element]:
        return [element for element in self._elements if element.tag == tag]

    def table(self, tag: str, key: str, value: str) -> dict[str | None, str | None]:
        """Return the attribute `value` of each element `tag` by its attribute `key`."""
        return {element.attributes.get(key): element.attributes.get(value) for element in self._all(tag)}

    def highest(self, prefix: str) -> int:
        """Return the highest number in ids like a17, of elements of all kinds, and in ELAN's own count."""
        values = [value for element in self._elements for value in element.attributes.values()]
        if prefix == "a":
            values += [f"a{self._content(e).strip()}" for e in self._last_used()]
        return max((int(m[1]) for value in values if (m := re.fullmatch(f"{prefix}([0-9]{{1,18}})", value))), default=0)

    def _last_used(self) -> list[_Element]:
        return [element for element in self._all("PROPERTY") if element.attributes.get("NAME") == _LAST_USED]

    def _inner_start(self, element: _Element) -> int:
        """Return the byte at which the text of an element without children begins."""
        return self._data.rindex(self._bytes(">"), element.start, element.inner_end) + len(self._bytes(">"))

    def _content(self, element: _Element) -> str:
        if element.inner_end is None:
            return ""
        return self._data[self._inner_start(element) : element.inner_end].decode(self._encoding)

    def append(self, tag: str, elements: Sequence[ET.Element]) -> None:
        """Insert elements below the root, after those that come before them in the schema."""
        root, *_ = self._elements
        before = _ORDER[: _ORDER.index(tag) + 1]
        top = [element for element in self._elements if element.depth == 1]
        text = "".join(f"\n{_INDENT}{_serialised(element, 1)}" for element in elements)
        if previous := [element for element in top if element.tag in before]:
            self._edits.append((previous[-1].end, previous[-1].end, text))
        elif top:
            self._edits.append((top[0].start, top[0].start, f"{text}\n{_INDENT}"))
        elif root.inner_end is not None:
            self._fill(root, f"{text}\n")
        else:
            raise U2UError(f"{self._path}: is an ELAN file with nothing in it, no media and no tier: take it out")

    def _fill(self, element: _Element, text: str) -> None:
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
        there = self._all("TIME_SLOT")
        if not self._all("TIME_ORDER"):
            holder = ET.Element("TIME_ORDER")
            holder.extend(slots)
            self.append("TIME_ORDER", [holder])
            return
        last: list[str] = []
        for slot in slots:
            at, text = bisect.bisect(times, int(slot.get("TIME_VALUE", 0))), _serialised(slot, 2)
            if at < len(there):
                self._edits.append((there[at].start, there[at].start, f"{text}\n{_INDENT * 2}"))
            else:
                last.append(f"\n{_INDENT * 2}{text}")
        if last and there:
            self._edits.append((there[-1].end, there[-1].end, "".join(last)))
        elif last:
            self._fill(self._all("TIME_ORDER")[0], "".join([*last, f"\n{_INDENT}"]))

    def set_last_used(self, number: int) -> None:
        """Write the number of the last annotation; without it ELAN might use a number again."""
        if last_used := self._last_used():
            for element in last_used:
                if element.inner_end is None:
                    self._fill(element, str(number))
                else:
                    self._edits.append((self._inner_start(element), element.inner_end, str(number)))
        elif header := self._all("HEADER"):
            made = ET.Element("PROPERTY", NAME=_LAST_USED)
            made.text = str(number)
            self._fill(header[0], f"{_INDENT}{_serialised(made, 2)}\n{_INDENT}")

    def edited(self) -> bytes:
        """Return the bytes of the file with all edits."""
        parts, at = [], 0
        for start, end, text in sorted(self._edits, key=lambda edit: edit[:2]):
            parts += [self._data[at:start], self._bytes(text.replace("\n", self._newline))]
            at = end
        return b"".join([*parts, self._data[at:]])


def _serialised(element: ET.Element, level: int) -> str:
    ET.indent(element, _INDENT, level)
    return ET.tostring(element, encoding="unicode")
