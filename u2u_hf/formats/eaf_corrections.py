"""Corrections of single annotations in an ELAN file; every other byte is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from u2u_hf.files import replacing
from u2u_hf.formats import eaf_tree
from u2u_hf.formats.eaf_layout import Element, Layout
from u2u_hf.formats.eaf_time_slots import TimeSlots
from u2u_hf.records import U2UError, trimmed

_KINDS = ("ALIGNABLE_ANNOTATION", "REF_ANNOTATION")
_SLOTS = ("TIME_SLOT_REF1", "TIME_SLOT_REF2")


@dataclass(frozen=True)
class Correction:
    """What is to be done to one annotation.

    Attributes:
        tier, start_ms, end_ms, value: the annotation as the file has it; of a new one its tier and times.
        edit: one of ``{"text": new text}``, ``{"start_ms": …, "end_ms": …}``, ``{"tier": another tier}``,
            ``{"delete": True}``, ``{"add": text}``.
    """

    tier: str
    start_ms: int
    end_ms: int
    value: str
    edit: Mapping[str, Any]


class Refused(Exception):
    """A correction that cannot be made here; the message says why, and does not name the file."""


def correct(
    source: str | os.PathLike[str], target: str | os.PathLike[str], corrections: Sequence[Correction]
) -> list[tuple[Correction, str]]:
    """Write an ELAN file with corrections to `target`, whole or not at all.

    What depends on an annotation (its translation, say) is moved and deleted with it. A correction that would break the
    file is not made: annotations that overlap, time slots that another tier uses, a tier of another structure.

    Returns:
        the corrections that were not made, each with the reason.

    Raises:
        U2UError: `source` is not a valid ELAN file or has times in frames of a video, or `target` cannot be written.
    """
    file = _File(source)
    refused = []
    for correction in corrections:
        try:
            file.apply(correction)
        except Refused as refusal:
            refused.append((correction, str(refusal)))
    data = file.edited()
    with replacing(Path(target)) as temporary:
        temporary.write_bytes(data)
        eaf_tree.load(temporary)  # what ELAN could not read is not written
    return refused


@dataclass
class _Annotation:
    """An annotation in the file; `times` and `tier` follow the corrections that were made."""

    number: int
    tier: str
    holder: Element
    body: Element
    times: tuple[int, int]
    value: str
    is_gone: bool = False
    is_edited: bool = False

    @property
    def id(self) -> str:
        return self.body.attributes.get("ANNOTATION_ID", "")

    @property
    def parent_id(self) -> str | None:
        return self.body.attributes.get("ANNOTATION_REF")


class _File:
    def __init__(self, source: str | os.PathLike[str]):
        self._tree = eaf_tree.load(source)
        if self._tree.time_units != eaf_tree.MILLISECONDS:
            raise U2UError(f"{source}: its times are {self._tree.time_units}, ours milliseconds: correct it in ELAN")
        self._layout = Layout(source)
        self._tiers = {e.attributes["TIER_ID"]: e for e in self._layout.all("TIER")}
        self._annotations = list(self._read())
        self._slots = TimeSlots(self._layout, self._tree.slots)
        self._inserted: dict[int, list[tuple[int, bytes]]] = {}  # byte → (start in ms, what comes there)
        self._last_annotation = self._layout.highest("a")
        self._has_new = False

    def _read(self) -> Iterator[_Annotation]:
        """Yield the annotations, in the order in which `eaf_tree` numbers them."""
        elements, number = iter(self._layout.elements), 0
        tier, holder = "", None
        for element in elements:
            if element.tag == "TIER":
                tier = element.attributes["TIER_ID"]
            elif element.tag == "ANNOTATION":
                holder = element
            elif element.tag in _KINDS and holder:
                value = self._tree.tiers[tier].values[number]
                yield _Annotation(number, tier, holder, element, self._tree.times[number], value)
                number += 1

    def apply(self, correction: Correction) -> None:
        """Make a correction, or raise Refused and change nothing."""
        edit = correction.edit
        if "add" in edit:
            self._add(correction)
            return
        one = self._found(correction)
        if one.is_edited and "start_ms" not in edit:
            raise Refused("another correction of its text was made already")
        if "text" in edit:
            self._set_text(one, str(edit["text"]))
        elif "start_ms" in edit:
            self._move(one, int(edit["start_ms"]), int(edit["end_ms"]))
        elif "tier" in edit:
            self._change_tier(one, str(edit["tier"]))
        elif "delete" in edit:
            self._delete(one)
        else:
            raise Refused("nothing is said about what to do")

    def _found(self, correction: Correction) -> _Annotation:
        span = correction.start_ms, correction.end_ms
        there = [a for a in self._annotations if a.tier == correction.tier and a.number >= 0]
        there = [a for a in there if self._tree.times[a.number] == span]
        same = [a for a in there if a.value == correction.value and not a.is_gone]
        if len(same) == 1:
            return same[0]
        if any(a.is_gone for a in there):
            raise Refused("another correction has moved or deleted it")
        raise Refused("the file was changed since, or its phrases are made of words: correct it in ELAN")

    def _set_text(self, one: _Annotation, text: str) -> None:
        values = self._layout.inside(one.body, "ANNOTATION_VALUE")
        if not values:
            raise Refused("the annotation has no place for a text: correct it in ELAN")
        self._layout.set_content(values[0], text)
        one.is_edited = True

    def _move(self, one: _Annotation, start_ms: int, end_ms: int) -> None:
        root = one
        while root.parent_id is not None:
            root = self._by_id(root.parent_id)
        if one.times != root.times:
            raise Refused("it has a share of another's time: move it in ELAN")
        if not 0 <= start_ms < end_ms:
            raise Refused("the new end is not after the new start")
        slots = [root.body.attributes[name] for name in _SLOTS]
        if not all(map(self._slots.has_time, slots)):
            raise Refused("it has no time of its own, but a share of another's: move it in ELAN")
        below = self._tiers_below(root.tier)
        for other in self._annotations:
            used = {other.body.attributes.get(name) for name in _SLOTS} & set(slots)
            if other is root or other.is_gone:
                continue
            if used and other.tier not in below:
                raise Refused(f"tier {trimmed(other.tier)} uses the same time: move it in ELAN")
            inside = (
                other.tier in below
                and other.parent_id is None
                and root.times[0] <= sum(other.times) / 2 < root.times[1]
            )
            new = dict(zip(slots, (start_ms, end_ms), strict=True))
            own = [new.get(other.body.attributes.get(n, ""), t) for n, t in zip(_SLOTS, other.times, strict=True)]
            if inside and not start_ms <= own[0] < own[1] <= end_ms:
                raise Refused(f"annotations on tier {trimmed(other.tier)} would be outside: move it in ELAN")
        self._require_free(root.tier, start_ms, end_ms, root)
        self._require_parent(root.tier, start_ms, end_ms)
        for name, time in zip(slots, (start_ms, end_ms), strict=True):
            self._slots.move(name, time)
        for other in self._annotations:
            if other.times == root.times and (other is root or other.tier in below):
                other.times = start_ms, end_ms

    def _require_free(self, tier: str, start_ms: int, end_ms: int, but: _Annotation | None = None) -> None:
        row = (a for a in self._annotations if a.tier == tier and a is not but and not a.is_gone)
        if any(a.times[0] < end_ms and start_ms < a.times[1] for a in row):
            raise Refused(f"another annotation of tier {trimmed(tier)} is there: correct it in ELAN")

    def _require_parent(self, tier: str, start_ms: int, end_ms: int) -> None:
        parent = self._tiers[tier].attributes.get("PARENT_REF")
        if parent is None:
            return
        row = (a for a in self._annotations if a.tier == parent and not a.is_gone)
        if not any(a.times[0] <= start_ms and end_ms <= a.times[1] for a in row):
            raise Refused(f"it would be outside its annotation on tier {trimmed(parent)}: move it in ELAN")

    def _delete(self, one: _Annotation) -> None:
        for gone in self._with_dependents(one):
            self._layout.remove(gone.holder)
            gone.is_gone = True

    def _with_dependents(self, one: _Annotation) -> list[_Annotation]:
        """Return an annotation and all that refer to it.

        Raises:
            Refused: one with times of its own lies below it, or one beside it comes after it in a chain.
        """
        found = [one]
        for other in found:
            found += [a for a in self._annotations if a.parent_id == other.id and not a.is_gone]
        if any(a.is_edited for a in found):
            raise Refused("another correction of what depends on it was made already")
        ids = {a.id for a in found}
        for other in self._annotations:
            if other in found or other.is_gone:
                continue
            if other.body.attributes.get("PREVIOUS_ANNOTATION") in ids:
                raise Refused("another part of the same annotation follows it: correct it in ELAN")
            inside = other.parent_id is None and _lies_in(other.times, one.times)
            if inside and other.tier in self._tiers_below(one.tier):
                raise Refused(f"tier {trimmed(other.tier)} has annotations of its own below it: correct it in ELAN")
        return found

    def _change_tier(self, one: _Annotation, tier: str) -> None:
        if tier not in self._tiers:
            raise Refused(f"there is no tier {trimmed(tier)}")
        if one.parent_id is not None or any("PARENT_REF" in self._tiers[t].attributes for t in (one.tier, tier)):
            raise Refused(f"tiers {trimmed(one.tier)} and {trimmed(tier)} depend on others: move it in ELAN")
        self._require_free(tier, *one.times)
        moved = self._with_dependents(one)
        home = {one.tier: tier}
        for other in moved[1:]:
            if other.tier not in home:
                home[other.tier] = self._twin(other.tier, home[self._by_id(other.parent_id or "").tier])
        for other in moved:
            self._insert(home[other.tier], other.times[0], self._layout.remove(other.holder))
            other.is_gone = True
            self._annotations.append(replace(other, number=-1, tier=home[other.tier], is_gone=False))

    def _twin(self, tier: str, parent: str) -> str:
        """Return the one tier below `parent` that has a tier's linguistic type."""
        wanted = self._tiers[tier].attributes.get("LINGUISTIC_TYPE_REF")
        twins = [
            name
            for name, element in self._tiers.items()
            if element.attributes.get("PARENT_REF") == parent
            and element.attributes.get("LINGUISTIC_TYPE_REF") == wanted
        ]
        if len(twins) != 1:
            raise Refused(f"below tier {trimmed(parent)} is none for what is on {trimmed(tier)}: move it in ELAN")
        return twins[0]

    def _add(self, correction: Correction) -> None:
        tier, start_ms, end_ms = correction.tier, correction.start_ms, correction.end_ms
        if tier not in self._tiers:
            raise Refused(f"there is no tier {trimmed(tier)}")
        if "PARENT_REF" in self._tiers[tier].attributes:
            raise Refused(f"tier {trimmed(tier)} depends on another: add it in ELAN")
        if not 0 <= start_ms < end_ms:
            raise Refused("its end is not after its start")
        if not self._slots:
            raise Refused("the file has no times: add it in ELAN")
        self._require_free(tier, start_ms, end_ms)
        self._last_annotation += 1
        refs = [self._slots.add(time) for time in (start_ms, end_ms)]
        name, inner = f"a{self._last_annotation}", "\n" + 3 * "    "
        attributes = f'ANNOTATION_ID="{name}" TIME_SLOT_REF1="{refs[0]}" TIME_SLOT_REF2="{refs[1]}"'
        start = f"{inner}<ALIGNABLE_ANNOTATION {attributes}>"
        value = f"{inner}    <ANNOTATION_VALUE>{self._layout.escaped(str(correction.edit['add']))}</ANNOTATION_VALUE>"
        whole = f"\n        <ANNOTATION>{start}{value}{inner}</ALIGNABLE_ANNOTATION>\n        </ANNOTATION>"
        self._insert(tier, start_ms, self._layout.written(whole))
        element = Element("ALIGNABLE_ANNOTATION", {"ANNOTATION_ID": name}, 3, -1)
        new = _Annotation(-1, tier, element, element, (start_ms, end_ms), "")
        self._annotations.append(new)
        self._has_new = True

    def _insert(self, tier: str, start_ms: int, data: bytes) -> None:
        """Put an annotation's bytes into a tier, behind the last one of its own that begins before."""
        row = [a for a in self._annotations if a.tier == tier and a.number >= 0 and not a.is_gone]
        before = [a for a in row if a.times[0] <= start_ms]
        element = self._tiers[tier]
        if before:
            at = max(before, key=lambda a: a.times[0]).holder.end
        elif element.inner_end is None:
            at = element.end
        else:
            at = self._layout.inner_start(element)
        self._inserted.setdefault(at, []).append((start_ms, data))

    def edited(self) -> bytes:
        """Return the file with all corrections."""
        empty = {e.end: e for e in self._tiers.values() if e.inner_end is None}
        for at, rows in self._inserted.items():
            data = b"".join(data for _, data in sorted(rows, key=lambda row: row[0]))
            if at in empty:
                close = self._layout.written("/>")
                self._layout.replace(
                    at - len(close), at, self._layout.written(">") + data + self._layout.written("\n    </TIER>")
                )
            else:
                self._layout.replace(at, at, data)
        self._slots.place()
        if self._has_new:
            self._layout.set_last_used(self._last_annotation)
        return self._layout.edited()

    def _by_id(self, name: str) -> _Annotation:
        return next(a for a in self._annotations if a.id == name)

    def _tiers_below(self, tier: str) -> set[str]:
        """Return the tiers that depend on a tier, directly or by others."""
        below = [tier]
        for name in below:
            below += [t for t, e in self._tiers.items() if e.attributes.get("PARENT_REF") == name and t not in below]
        return set(below[1:])


def _lies_in(span: tuple[int, int], other: tuple[int, int]) -> bool:
    return other[0] <= sum(span) / 2 < other[1]
