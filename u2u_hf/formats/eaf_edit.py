"""Adding tiers to an ELAN file, and correcting annotations, in the text of its XML, so that every other byte is kept.

To parse the file and write it again would lose what libraries do not keep (comments, the order of attributes, elements
of newer versions of ELAN), and version control would show the person's whole file as changed.
"""

from __future__ import annotations

import bisect
import codecs
import dataclasses
import html
import itertools
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape

from u2u_hf.files import replacing
from u2u_hf.formats import eaf_tree
from u2u_hf.formats.eaf import tier_elements, type_element
from u2u_hf.formats.encodings import read_bytes
from u2u_hf.records import UNSURE_TYPE, WORD_TYPE, Segment, Tier, U2UError

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


@dataclasses.dataclass
class _Placed:
    """An annotation with times in a tier: its values, and the elements that have them."""

    id: str
    start_ms: int
    end_ms: int
    text: str
    holder: _Element
    inner: _Element
    value: _Element


def correct_tiers(
    path: str | os.PathLike[str], tiers: Mapping[str, Sequence[Segment]], types: Mapping[str, str]
) -> bool:
    """Change the annotations of tiers in a file to these, and return whether anything was changed.

    What stays the same keeps its bytes and its id. An annotation that was changed keeps its id; what depended on its
    text goes: its words, whose new ones are those of the segment, and marks that it is unsure.

    Args:
        tiers: tier name → its segments, in order of time.
        types: tier name → its new linguistic type, one that the file has.

    Raises:
        U2UError: the file is not a valid ELAN file or has times in frames of a video; a tier or type is missing; or it
            cannot be written.
    """
    times = _slot_times(path)
    layout = _Layout(path)
    edit = _Corrections(layout, path)
    for name, segments in tiers.items():
        edit.change(name, segments)
    for name, linguistic_type in types.items():
        edit.set_type(name, linguistic_type)
    if not layout._edits and not edit.slots:
        return False
    edit.finish(times)
    with replacing(Path(path)) as temporary:
        temporary.write_bytes(layout.edited())
    return True


class _Corrections:
    """The edits of `correct_tiers` on one file.

    Attributes:
        slots: the new time slots, (ms, id).
    """

    def __init__(self, layout: _Layout, path: str | os.PathLike[str]):
        self.slots: list[tuple[int, str]] = []
        self._layout, self._path = layout, path
        self._time = {
            element.attributes["TIME_SLOT_ID"]: int(element.attributes.get("TIME_VALUE", -1))
            for element in layout._all("TIME_SLOT")
        }
        self._last, self._last_slot = layout.highest("a"), layout.highest("ts")
        self._gone: set[str] = set()  # ids
        self._reworded: list[Segment] = []  # in place of annotations with another text
        self._removed: set[int] = set()  # starts of holders that are removed already

    def change(self, name: str, segments: Sequence[Segment]) -> None:
        tier = self._tier(name)
        there = self._annotations(tier)
        same = {(old.start_ms, old.end_ms, old.text): old for old in there}
        new = []
        for segment in segments:
            if not same.pop((segment.start_ms, segment.end_ms, segment.text), None):
                new.append(segment)
        left, added = list(same.values()), []
        for segment in new:
            old = max(left, key=lambda old: _shared(old, segment), default=None)
            if old and _shared(old, segment) > 0:
                left.remove(old)
                self._replace(name, old, segment)
            else:
                added.append(segment)
        for old in left:
            self._remove(old.holder)
            self._gone.add(old.id)
            self._drop_words(name, old, (0, 0))
        self._add(tier, [(s.start_ms, s.end_ms, s.text) for s in added])
        self._add_words(name, [s for s in new if s in added or s in self._reworded])

    def set_type(self, name: str, linguistic_type: str) -> None:
        types = [element.attributes.get("LINGUISTIC_TYPE_ID") for element in self._layout._all("LINGUISTIC_TYPE")]
        if linguistic_type not in types:
            raise U2UError(f"{self._path}: has no linguistic type {linguistic_type!r}: add it in ELAN (Type > Add)")
        tier = self._tier(name)
        if tier.attributes.get("LINGUISTIC_TYPE_REF") != linguistic_type:
            self._set_attribute(tier, "LINGUISTIC_TYPE_REF", linguistic_type)

    def finish(self, times: Sequence[int]) -> None:
        """Remove what refers to removed annotations, and write the time slots and the last id."""
        while found := [e for e in self._layout._all("REF_ANNOTATION") if self._refers_to_gone(e)]:
            for element in found:
                self._gone.add(element.attributes["ANNOTATION_ID"])
                self._remove(self._holder(element))
        slots = [ET.Element("TIME_SLOT", TIME_SLOT_ID=name, TIME_VALUE=str(time)) for time, name in sorted(self.slots)]
        if slots:
            self._layout.merge_slots(slots, times)
        if self._last > self._layout.highest("a"):
            self._layout.set_last_used(self._last)

    def _refers_to_gone(self, element: _Element) -> bool:
        own, parent = (element.attributes.get(key) for key in ("ANNOTATION_ID", "ANNOTATION_REF"))
        return parent in self._gone and own not in self._gone

    def _tier(self, name: str) -> _Element:
        found = [tier for tier in self._layout._all("TIER") if tier.attributes.get("TIER_ID") == name]
        if not found:
            raise U2UError(f"{self._path}: has no tier {name!r}: open it in ELAN")
        return found[0]

    def _within(self, outer: _Element, tag: str) -> list[_Element]:
        return [e for e in self._layout._all(tag) if outer.start < e.start and e.end <= outer.end]

    def _holder(self, inner: _Element) -> _Element:
        return next(e for e in self._layout._all("ANNOTATION") if e.start < inner.start and inner.end <= e.end)

    def _annotations(self, tier: _Element) -> list[_Placed]:
        holders, values = self._within(tier, "ANNOTATION"), self._within(tier, "ANNOTATION_VALUE")
        found = []
        for inner in self._within(tier, "ALIGNABLE_ANNOTATION"):
            start, end = (self._time.get(inner.attributes[f"TIME_SLOT_REF{n}"], -1) for n in (1, 2))
            if min(start, end) < 0:
                raise U2UError(f"{self._path}: an annotation has no times of its own: correct it in ELAN")
            holder = holders[bisect.bisect([h.start for h in holders], inner.start) - 1]
            value = values[bisect.bisect([v.start for v in values], inner.start)]
            text = html.unescape(self._layout._content(value).replace("\r\n", "\n"))
            found.append(_Placed(inner.attributes["ANNOTATION_ID"], start, end, text, holder, inner, value))
        return found

    def _replace(self, name: str, old: _Placed, segment: Segment) -> None:
        if old.text != segment.text:
            text = escape(segment.text)
            if old.value.inner_end is None:
                self._layout._fill(old.value, text)
            else:
                self._layout._edits.append((self._layout._inner_start(old.value), old.value.inner_end, text))
            self._drop_words(name, old, (0, 0))
            self._drop_marks(name, old)
            self._reworded.append(segment)
        else:
            self._drop_words(name, old, (segment.start_ms, segment.end_ms))
        for number, before, now in ((1, old.start_ms, segment.start_ms), (2, old.end_ms, segment.end_ms)):
            if before != now:
                self._set_attribute(old.inner, f"TIME_SLOT_REF{number}", self._slot(now))

    def _slot(self, time_ms: int) -> str:
        self._last_slot += 1
        self.slots.append((time_ms, f"ts{self._last_slot}"))
        return f"ts{self._last_slot}"

    def _set_attribute(self, element: _Element, name: str, value: str) -> None:
        layout = self._layout
        tag = layout._data[element.start : layout._data.index(layout._bytes(">"), element.start)]
        head = tag.decode(layout._encoding)
        found = re.search(rf"\s{name}\s*=\s*([\"'])(.*?)\1", head, re.DOTALL)
        if not found:
            raise U2UError(f"{self._path}: its {element.tag} cannot be changed here: open it in ELAN, and save it again")
        start = element.start + len(layout._bytes(head[: found.start(2)]))
        end = element.start + len(layout._bytes(head[: found.end(2)]))
        layout._edits.append((start, end, escape(value, {'"': "&quot;", "'": "&apos;"})))

    def _remove(self, holder: _Element) -> None:
        if holder.start in self._removed:
            return
        self._removed.add(holder.start)
        data, start = self._layout._data, holder.start
        blank = [self._layout._bytes(c) for c in " \t\r\n"]
        width = len(blank[0])
        while data[start - width : start] in blank:
            start -= width
        self._layout._edits.append((start, holder.end, ""))

    def _children(self, name: str) -> list[_Element]:
        return [tier for tier in self._layout._all("TIER") if tier.attributes.get("PARENT_REF") == name]

    def _drop_words(self, name: str, old: _Placed, inside: tuple[int, int]) -> None:
        """Remove the annotations of child tiers within an annotation, but those that lie in `inside`."""
        for child in self._children(name):
            for word in self._annotations(child):
                own = old.start_ms <= word.start_ms and word.end_ms <= old.end_ms
                if own and not (inside[0] <= word.start_ms and word.end_ms <= inside[1]):
                    self._remove(word.holder)
                    self._gone.add(word.id)

    def _drop_marks(self, name: str, old: _Placed) -> None:
        for child in self._children(name):
            if child.attributes.get("LINGUISTIC_TYPE_REF") != UNSURE_TYPE:
                continue
            for mark in self._within(child, "REF_ANNOTATION"):
                if mark.attributes.get("ANNOTATION_REF") == old.id:
                    self._remove(self._holder(mark))
                    self._gone.add(mark.attributes["ANNOTATION_ID"])

    def _add_words(self, name: str, segments: Sequence[Segment]) -> None:
        for child in self._children(name):
            if child.attributes.get("LINGUISTIC_TYPE_REF") == WORD_TYPE:
                words = [
                    (max(w.start_ms, s.start_ms), min(w.end_ms, s.end_ms), w.text) for s in segments for w in s.words
                ]
                self._add(child, [word for word in words if word[0] < word[1]])

    def _add(self, tier: _Element, annotations: Sequence[tuple[int, int, str]]) -> None:
        written = []
        for start_ms, end_ms, text in annotations:
            self._last += 1
            holder = ET.Element("ANNOTATION")
            inner = ET.SubElement(holder, "ALIGNABLE_ANNOTATION", ANNOTATION_ID=f"a{self._last}")
            inner.set("TIME_SLOT_REF1", self._slot(start_ms))
            inner.set("TIME_SLOT_REF2", self._slot(end_ms))
            ET.SubElement(inner, "ANNOTATION_VALUE").text = text
            written.append(f"{_INDENT * 2}{_serialised(holder, 2)}\n")
        if written and tier.inner_end is None:
            self._layout._fill(tier, "".join(["\n", *written, _INDENT]))
        elif written:
            self._layout._fill(tier, "".join(written).removeprefix(_INDENT) + _INDENT)


def _shared(old: _Placed, segment: Segment) -> int:
    """Return the ms that an annotation and a segment have in common."""
    return min(old.end_ms, segment.end_ms) - max(old.start_ms, segment.start_ms)
