"""The segments of tiers written into an ELAN file that has them already, as an editor leaves them; other bytes stay.

`eaf_corrections` makes single corrections that somebody names; here only the outcome is known, and compared.
"""

from __future__ import annotations

import bisect
import dataclasses
import hashlib
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path

from u2u_hf.files import replacing
from u2u_hf.formats.eaf_edit import slot_times
from u2u_hf.formats.eaf_layout import INDENT, Element, Layout, serialised
from u2u_hf.records import UNSURE_TYPE, WORD_TYPE, Segment, U2UError


@dataclasses.dataclass
class _Placed:
    """An annotation with times in a tier: its values, and the elements that have them."""

    id: str
    start_ms: int
    end_ms: int
    text: str
    holder: Element
    inner: Element
    value: Element


def correct_tiers(
    path: str | os.PathLike[str],
    tiers: Mapping[str, Sequence[Segment]],
    types: Mapping[str, str],
    *,
    version: str = "",
) -> bool:
    """Change the annotations of tiers in a file to these, and return whether anything was changed.

    What stays the same, but for white space, which an editor tidies, keeps its bytes and its id. An annotation that was
    changed keeps its id; what depended on its text goes: its words, whose new ones are those of the segment, and marks
    that it is unsure.

    Args:
        tiers: tier name → its segments, in order of time.
        types: tier name → its new linguistic type, one that the file has.
        version: the SHA-256 of the bytes that the segments come from; empty: whatever the file is now.

    Raises:
        U2UError: the file is not a valid ELAN file or has times in frames of a video; a tier or type is missing; it is
            of another version; or it cannot be written.
    """
    times = slot_times(path)
    layout = Layout(path)
    edit = _Corrections(layout, path)
    for name, segments in tiers.items():
        edit.change(name, segments)
    for name, linguistic_type in types.items():
        edit.set_type(name, linguistic_type)
    if not edit.is_any:
        return False
    edit.finish(times)
    if version and hashlib.sha256(layout.data).hexdigest() != version:
        raise U2UError(f"{path}: was changed by another program or window since it was opened: open it again")
    with replacing(Path(path)) as temporary:
        temporary.write_bytes(layout.edited())
    return True


class _Corrections:
    """The edits of `correct_tiers` on one file.

    Attributes:
        slots: the new time slots, (ms, id).
        is_any: whether there are edits.
    """

    def __init__(self, layout: Layout, path: str | os.PathLike[str]):
        self.slots: list[tuple[int, str]] = []
        self.is_any = False
        self._layout, self._path = layout, path
        self._time = {
            element.attributes["TIME_SLOT_ID"]: int(element.attributes.get("TIME_VALUE", -1))
            for element in layout.all("TIME_SLOT")
        }
        self._last, self._last_slot = layout.highest("a"), layout.highest("ts")
        self._gone: set[str] = set()  # ids
        self._reworded: list[Segment] = []  # in place of annotations with another text
        self._removed: set[int] = set()  # starts of holders that are removed already
        self._known: dict[int, list[_Placed]] = {}  # start of a child tier → its annotations

    def change(self, name: str, segments: Sequence[Segment]) -> None:
        tier = self._tier(name)
        there = self._annotations(tier)
        same = {(old.start_ms, old.end_ms, _plain(old.text)): old for old in there}
        new = []
        for segment in segments:
            if not same.pop((segment.start_ms, segment.end_ms, _plain(segment.text)), None):
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
            self._drop_children(name, old, (0, 0))
        self._add(tier, [(s.start_ms, s.end_ms, s.text) for s in added])
        with_words = {id(segment) for segment in (*added, *self._reworded)}
        self._add_words(name, [s for s in new if id(s) in with_words])

    def set_type(self, name: str, linguistic_type: str) -> None:
        types = [element.attributes.get("LINGUISTIC_TYPE_ID") for element in self._layout.all("LINGUISTIC_TYPE")]
        if linguistic_type not in types:
            raise U2UError(f"{self._path}: has no linguistic type {linguistic_type!r}: add it in ELAN (Type > Add)")
        tier = self._tier(name)
        if tier.attributes.get("LINGUISTIC_TYPE_REF") != linguistic_type:
            self._set_attribute(tier, "LINGUISTIC_TYPE_REF", linguistic_type)

    def finish(self, times: Sequence[int]) -> None:
        """Remove what refers to removed annotations, and write the time slots and the last id."""
        while found := [e for e in self._layout.all("REF_ANNOTATION") if self._refers_to_gone(e)]:
            for element in found:
                self._gone.add(element.attributes["ANNOTATION_ID"])
                self._remove(self._layout.around(element, "ANNOTATION"))
        slots = [ET.Element("TIME_SLOT", TIME_SLOT_ID=name, TIME_VALUE=str(time)) for time, name in sorted(self.slots)]
        if slots:
            self._layout.merge_slots(slots, times)
        if self._last > self._layout.highest("a"):
            self._layout.set_last_used(self._last)

    def _refers_to_gone(self, element: Element) -> bool:
        own, parent = (element.attributes.get(key) for key in ("ANNOTATION_ID", "ANNOTATION_REF"))
        return parent in self._gone and own not in self._gone

    def _tier(self, name: str) -> Element:
        found = [tier for tier in self._layout.all("TIER") if tier.attributes.get("TIER_ID") == name]
        if not found:
            raise U2UError(f"{self._path}: has no tier {name!r}: open it in ELAN")
        return found[0]

    def _placed_in(self, child: Element) -> list[_Placed]:
        """Return the annotations of a child tier, without their texts; each tier is gone through once."""
        if child.start not in self._known:
            self._known[child.start] = self._annotations(child, with_text=False)
        return self._known[child.start]

    def _annotations(self, tier: Element, with_text: bool = True) -> list[_Placed]:
        values = self._layout.inside(tier, "ANNOTATION_VALUE")
        value_starts = [v.start for v in values]
        found = []
        for inner in self._layout.inside(tier, "ALIGNABLE_ANNOTATION"):
            start, end = (self._time.get(inner.attributes[f"TIME_SLOT_REF{n}"], -1) for n in (1, 2))
            if min(start, end) < 0:
                raise U2UError(f"{self._path}: an annotation has no times of its own: correct it in ELAN")
            holder = self._layout.around(inner, "ANNOTATION")
            value = values[bisect.bisect(value_starts, inner.start)]
            text = ET.fromstring(self._layout.text(value)).text or "" if with_text else ""
            found.append(_Placed(inner.attributes["ANNOTATION_ID"], start, end, text, holder, inner, value))
        return found

    def _replace(self, name: str, old: _Placed, segment: Segment) -> None:
        is_reworded = _plain(old.text) != _plain(segment.text)
        if is_reworded:
            self.is_any = True
            self._layout.set_content(old.value, segment.text)
            self._drop_marks(name, old)
            self._reworded.append(segment)
        self._drop_children(name, old, (segment.start_ms, segment.end_ms), is_reworded)
        for number, before, now in ((1, old.start_ms, segment.start_ms), (2, old.end_ms, segment.end_ms)):
            if before != now:
                self._set_attribute(old.inner, f"TIME_SLOT_REF{number}", self._slot(now))

    def _slot(self, time_ms: int) -> str:
        self._last_slot += 1
        self.slots.append((time_ms, f"ts{self._last_slot}"))
        return f"ts{self._last_slot}"

    def _set_attribute(self, element: Element, name: str, value: str) -> None:
        self.is_any = True
        found = re.search(rf"""\b{name}\s*=\s*(["'])(.*?)\1""", self._layout.text(element), re.DOTALL)
        assert found  # expat has read it
        before = self._layout.written(found[0])
        start = self._layout.data.index(before, element.start)
        written = self._layout.escaped(value).replace(found[1], "&quot;" if found[1] == '"' else "&apos;")
        self._layout.replace(start, start + len(before), f"{name}={found[1]}{written}{found[1]}")

    def _remove(self, holder: Element) -> None:
        if holder.start not in self._removed:
            self.is_any = True
            self._removed.add(holder.start)
            self._layout.remove(holder)

    def _children(self, name: str) -> list[Element]:
        return [tier for tier in self._layout.all("TIER") if tier.attributes.get("PARENT_REF") == name]

    def _drop_children(self, name: str, old: _Placed, inside: tuple[int, int], is_reworded: bool = False) -> None:
        """Remove the annotations of child tiers within an annotation, but those that lie in `inside`.

        Where the text is another one, its words go too; a person's own tiers may say what holds for any text.
        """
        for child in self._children(name):
            is_words = child.attributes.get("LINGUISTIC_TYPE_REF") == WORD_TYPE
            start_ms, end_ms = (0, 0) if is_reworded and is_words else inside
            if (start_ms, end_ms) == (old.start_ms, old.end_ms):
                continue
            for one in self._placed_in(child):
                is_own = old.start_ms <= one.start_ms and one.end_ms <= old.end_ms
                if is_own and not (start_ms <= one.start_ms and one.end_ms <= end_ms):
                    self._remove(one.holder)
                    self._gone.add(one.id)

    def _drop_marks(self, name: str, old: _Placed) -> None:
        for child in self._children(name):
            if child.attributes.get("LINGUISTIC_TYPE_REF") != UNSURE_TYPE:
                continue
            for mark in self._layout.inside(child, "REF_ANNOTATION"):
                if mark.attributes.get("ANNOTATION_REF") == old.id:
                    self._remove(self._layout.around(mark, "ANNOTATION"))
                    self._gone.add(mark.attributes["ANNOTATION_ID"])

    def _add_words(self, name: str, segments: Sequence[Segment]) -> None:
        for child in self._children(name):
            if child.attributes.get("LINGUISTIC_TYPE_REF") == WORD_TYPE:
                words = [
                    (max(w.start_ms, s.start_ms), min(w.end_ms, s.end_ms), w.text) for s in segments for w in s.words
                ]
                self._add(child, [word for word in words if word[0] < word[1]])

    def _add(self, tier: Element, annotations: Sequence[tuple[int, int, str]]) -> None:
        written = []
        for start_ms, end_ms, text in annotations:
            self._last += 1
            holder = ET.Element("ANNOTATION")
            inner = ET.SubElement(holder, "ALIGNABLE_ANNOTATION", ANNOTATION_ID=f"a{self._last}")
            inner.set("TIME_SLOT_REF1", self._slot(start_ms))
            inner.set("TIME_SLOT_REF2", self._slot(end_ms))
            ET.SubElement(inner, "ANNOTATION_VALUE").text = text
            written.append(f"{INDENT * 2}{serialised(holder, 2)}\n")
        if not written:
            return
        self.is_any = True
        if tier.inner_end is None:
            end = self._layout.written("/>")
            text = "".join(["\n", *written, INDENT])
            self._layout.replace(tier.end - len(end), tier.end, f">{text}</{tier.tag}>")
        else:
            self._layout.replace(tier.inner_end, tier.inner_end, "".join(written).removeprefix(INDENT) + INDENT)


def _plain(text: str) -> str:
    """Return a text with its white space as an editor leaves it; to JavaScript, U+FEFF is one."""
    return " ".join(text.replace("\ufeff", " ").split())


def _shared(old: _Placed, segment: Segment) -> int:
    """Return the ms that an annotation and a segment have in common."""
    return min(old.end_ms, segment.end_ms) - max(old.start_ms, segment.start_ms)
