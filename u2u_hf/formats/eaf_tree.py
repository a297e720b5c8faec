"""An ELAN file of any shape as a checked tree of slots, tiers and annotations, with a time for every annotation.

pympi 1.71 is not used for reading. It fails on ids without digits and on files without a schema location, takes the
first child of an annotation for its value, does not check references, and gives no time to annotations whose slots
have none. A copy in the shape that it needs took more than twice the time of reading the tree here.
"""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from u2u_hf.formats import eaf_xml
from u2u_hf.records import U2UError, trimmed

# TIME_UNITS of the schema. ELAN writes milliseconds only; other programs wrote the frames of a video.
MILLISECONDS = "milliseconds"
_MS_PER_UNIT = {MILLISECONDS: Fraction(1), "PAL-frames": Fraction(40), "NTSC-frames": Fraction(1001, 30)}
_FIX = "open it in ELAN and save it, or take it out of the folder"
Span = tuple[int, int]


@dataclass
class TierTree:
    """A tier. Annotations and slots are numbered through the whole file, from 0, in the order of the file.

    Attributes:
        attributes: of the TIER element.
        aligned: annotation → its first and last slot.
        referring: annotation → its parent, and the sibling that it follows or None.
        values: annotation → its text.
    """

    attributes: Mapping[str, str]
    aligned: dict[int, Span] = field(default_factory=dict)
    referring: dict[int, tuple[int, int | None]] = field(default_factory=dict)
    values: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EafTree:
    """What an ELAN file says, and the times that follow from it.

    Attributes:
        date: when the file was last saved, as it says (ISO 8601), or the empty string.
        media: the attributes of each MEDIA_DESCRIPTOR; of old files, what HEADER itself names.
        time_units: in which the file's slots have their times.
        slots: the time of each slot in ms; None for an untimed slot that is not between timed ones.
        tiers: by name, in the order of the file.
        times: annotation → its start and end in ms.
        constraints: linguistic type → its constraint, or the empty string.
    """

    date: str
    media: list[Mapping[str, str]]
    time_units: str
    slots: list[int | None]
    tiers: dict[str, TierTree]
    times: dict[int, Span]
    constraints: dict[str, str]


def load(path: str | os.PathLike[str]) -> EafTree:
    """Read an ELAN file, check its references and work out the time of every annotation.

    Raises:
        U2UError: the file cannot be read, is not XML or not an ELAN file, or its references lead nowhere or in a
            circle, or an annotation has no time.
    """
    root = eaf_xml.root(Path(path))
    try:
        media = _media(root)
        time_units = _time_units(root)
        slot_numbers, slots = _slots(root, _MS_PER_UNIT[time_units])
        tiers = _tiers(root, slot_numbers)
        _fill_slots(slots, tiers)
        return EafTree(root.get("DATE", ""), media, time_units, slots, tiers, _times(slots, tiers), _constraints(root))
    except _Damage as damage:
        raise U2UError(f"{path}: {damage}: {_FIX}") from damage


def _constraints(root: ET.Element) -> dict[str, str]:
    types = root.findall("LINGUISTIC_TYPE")
    return {element.get("LINGUISTIC_TYPE_ID", ""): element.get("CONSTRAINTS", "") for element in types}


class _Damage(Exception):
    """What is wrong inside an ELAN file; the message does not name the file."""


def _media(root: ET.Element) -> list[Mapping[str, str]]:
    elements = root.findall("HEADER/MEDIA_DESCRIPTOR")
    for element in elements:
        _require_number(element, "TIME_ORIGIN", "-?[0-9]{1,15}|")
    header = root.find("HEADER")
    old = None if header is None else header.get("MEDIA_FILE", "").strip()  # before EAF 2.1 there were no descriptors
    return [element.attrib for element in elements] or ([{"MEDIA_URL": old}] if old else [])


def _time_units(root: ET.Element) -> str:
    header = root.find("HEADER")
    written = "" if header is None else header.get("TIME_UNITS", "").strip()
    units = next((units for units in _MS_PER_UNIT if units.casefold() == (written or MILLISECONDS).casefold()), None)
    if units is None:
        raise _Damage(f"TIME_UNITS {trimmed(written)} is none of {', '.join(_MS_PER_UNIT)}")
    return units


def _slots(root: ET.Element, ms_per_unit: Fraction) -> tuple[dict[str, int], list[int | None]]:
    """Return the number of each slot by its id, and the time of each in ms, None where the file gives none."""
    elements = root.findall("TIME_ORDER/TIME_SLOT")
    numbers = _numbered(elements, "TIME_SLOT_ID")
    for element in elements:
        _require_number(element, "TIME_VALUE", "[0-9]{1,15}")
    values = [element.get("TIME_VALUE") for element in elements]
    if ms_per_unit == 1:  # fractions take a second for an hour with its words
        return numbers, [None if value is None else int(value) for value in values]
    return numbers, [None if value is None else round(int(value) * ms_per_unit) for value in values]


def _tiers(root: ET.Element, slots: Mapping[str, int]) -> dict[str, TierTree]:
    elements = root.findall("TIER")
    if any("TIER_ID" not in element.attrib for element in elements):
        raise _Damage("a tier has no TIER_ID")
    _numbered(elements, "TIER_ID")
    annotations = [list(_annotations(element)) for element in elements]
    numbers = _numbered((annotation for row in annotations for annotation in row), "ANNOTATION_ID")
    tiers: dict[str, TierTree] = {}
    number = 0
    for element, row in zip(elements, annotations, strict=True):
        tier = tiers[element.attrib["TIER_ID"]] = TierTree(element.attrib)
        for annotation in row:
            _add_annotation(tier, number, annotation, slots, numbers)
            number += 1
    return tiers


def _annotations(tier: ET.Element) -> Iterator[ET.Element]:
    return (a for a in tier.iterfind("ANNOTATION/*") if a.tag in ("ALIGNABLE_ANNOTATION", "REF_ANNOTATION"))


def _add_annotation(
    tier: TierTree, number: int, annotation: ET.Element, slots: Mapping[str, int], numbers: Mapping[str, int]
) -> None:
    if annotation.tag == "REF_ANNOTATION":
        previous = annotation.get("PREVIOUS_ANNOTATION")
        # It gives an order only, so it may lead nowhere.
        before = None if previous is None else numbers.get(previous)
        tier.referring[number] = _referred(tier, annotation, "ANNOTATION_REF", numbers), before
    else:
        first, last = (_referred(tier, annotation, f"TIME_SLOT_REF{n}", slots) for n in (1, 2))
        tier.aligned[number] = first, last
    value = annotation.find("ANNOTATION_VALUE")
    text = "" if value is None else "".join(value.itertext())
    # Line ends from Windows: Java writes them as "&#13;" and a newline, which XML parsers do not normalise.
    tier.values[number] = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _referred(tier: TierTree, annotation: ET.Element, attribute: str, table: Mapping[str, int]) -> int:
    name = annotation.get(attribute)
    if name is None or name not in table:
        wrong = f"has no {attribute}" if name is None else f"its {attribute} {trimmed(name)} is nowhere in the file"
        where = f"tier {trimmed(tier.attributes['TIER_ID'])}: annotation {trimmed(annotation.get('ANNOTATION_ID'))}"
        raise _Damage(f"{where}: {wrong}")
    return table[name]


def _numbered(elements: Iterable[ET.Element], attribute: str) -> dict[str, int]:
    """Return the number of each element, from 0, by its id. Elements may lack an id: nothing can refer to them."""
    table: dict[str, int] = {}
    for number, element in enumerate(elements):
        name = element.get(attribute)
        if name is None:
            continue
        if name in table:
            raise _Damage(f"two elements have the {attribute} {trimmed(name)}")
        table[name] = number
    return table


def _require_number(element: ET.Element, attribute: str, pattern: str) -> None:
    value = element.get(attribute)
    if value is not None and not re.fullmatch(pattern, value.strip()):
        raise _Damage(f"{attribute} {trimmed(value)} is not a whole number of milliseconds")


def _fill_slots(slots: list[int | None], tiers: Mapping[str, TierTree]) -> None:
    """Give the untimed slots between timed ones equal shares of the time between (Time_Subdivision).

    Tiers come after their parents, which may share their slots.
    """
    for name in _parents_first(tiers):
        after = dict(tiers[name].aligned.values())  # annotations of a tier are joined where they share a slot
        for first, last in after.items():
            _fill_run(slots, after, first, last)


def _fill_run(slots: list[int | None], after: Mapping[int, int], first: int, last: int) -> None:
    """Fill the run of untimed slots that begins behind `first`, up to the next timed one."""
    left = slots[first]
    if left is None or slots[last] is not None:
        return
    run: list[int] = []
    slot: int | None = last
    while slot is not None and slots[slot] is None and len(run) < len(after):
        run.append(slot)
        slot = after.get(slot)
    right = None if slot is None else slots[slot]
    if right is not None:
        for index, untimed in enumerate(run, 1):
            slots[untimed] = left + (right - left) * index // (len(run) + 1)


def _parents_first(tiers: Mapping[str, TierTree]) -> list[str]:
    children: dict[str | None, list[str]] = defaultdict(list)
    for name, tier in tiers.items():
        parent = tier.attributes.get("PARENT_REF")
        children[parent if parent in tiers else None].append(name)
    order = children.pop(None, [])
    for name in order:
        order += children.pop(name, [])
    if children:
        raise _Damage(f"tiers are each other's parents: {', '.join(sorted(map(trimmed, children))[:3])}")
    return order


def _times(slots: list[int | None], tiers: Mapping[str, TierTree]) -> dict[int, Span]:
    """Return the start and end of every annotation in ms.

    An annotation that refers to a parent has the parent's time (Symbolic_Association), or its equal share of it if it
    has siblings on its tier (Symbolic_Subdivision). Nothing recurses, because files nest as deep as they like.
    """
    times = _aligned_times(slots, tiers)
    children: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))  # parent → tier → children
    previous: dict[int, int | None] = {}
    for name, tier in tiers.items():
        for number, (parent, before) in tier.referring.items():
            children[parent][name].append(number)
            previous[number] = before
    queue = list(times)
    for parent in queue:  # grows as children get their times
        start, end = times[parent]
        for siblings in children.pop(parent, {}).values():
            for index, number in enumerate(_in_order(siblings, previous)):
                length, count = end - start, len(siblings)
                times[number] = start + length * index // count, start + length * (index + 1) // count
                queue.append(number)
    if children:
        name = next(iter(next(iter(children.values()))))
        raise _Damage(f"tier {trimmed(name)}: annotations refer to each other in a circle")
    return times


def _aligned_times(slots: list[int | None], tiers: Mapping[str, TierTree]) -> dict[int, Span]:
    times: dict[int, Span] = {}
    for name, tier in tiers.items():
        for number, (first, last) in tier.aligned.items():
            start, end = slots[first], slots[last]
            if start is None or end is None:
                raise _Damage(f"tier {trimmed(name)}: an annotation has no time, nor have those beside it")
            times[number] = start, end
    return times


def _in_order(siblings: list[int], previous: Mapping[int, int | None]) -> list[int]:
    """Return siblings as their PREVIOUS_ANNOTATION chains them, or in the order of the file if there is no chain."""
    if len(siblings) == 1:
        return siblings
    following = {previous[number]: number for number in siblings}
    chain: list[int] = []
    number = following.pop(None, None)
    while number is not None:
        chain.append(number)
        number = following.pop(number, None)
    return chain if len(chain) == len(siblings) else siblings
