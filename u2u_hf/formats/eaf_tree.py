"""An ELAN file as pympi's tables, whatever its shape, with a time for every annotation.

pympi is made for files of a usual shape, so it is given a copy of the file in that shape, with every
reference checked; the times of annotations that have none of their own are worked out here.
"""

from __future__ import annotations

import os
import re
import tempfile
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from pympi import Eaf

from u2u_hf.records import U2UError

_MEND = "open it in ELAN and save it, or take it out of the folder"
_REFERENCES = {
    "ALIGNABLE_ANNOTATION": ("TIME_SLOT_REF1", "TIME_SLOT_REF2"),
    "REF_ANNOTATION": ("ANNOTATION_REF",),
}

_PYMPI_WANTS = {"{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation": ""}


def load(path: str | os.PathLike[str]) -> Eaf:
    """Read an ELAN file into pympi's tables, with annotations called a1…, slots ts1….

    Raises:
        U2UError: not readable, not XML, not an ELAN file, or with references that lead nowhere.
    """
    usual = _in_usual_shape(_parse(Path(path)), path)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "usual.eaf")
        ET.ElementTree(usual).write(copy, encoding="UTF-8", xml_declaration=True)
        return Eaf(copy, suppress_version_warning=True)


class _NoDoctype(ET.TreeBuilder):
    """Entities, the way to bombs and to other files, are declared in a DOCTYPE: it ends the parsing."""

    def doctype(self, name, pubid, system):
        raise ValueError("it has a document type declaration, which no ELAN file has")


def _parse(path: Path) -> ET.Element:
    try:
        if path.exists() and not path.is_file():  # reading a pipe or a device might never end
            raise U2UError(f"{path}: is not a file: take it out of the folder or rename it")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise U2UError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if not data.strip():
        raise U2UError(f"{path}: is empty: restore it from a copy, or take it out of the folder")
    try:
        root = ET.fromstring(data, ET.XMLParser(target=_NoDoctype()))
    except (ET.ParseError, ValueError, LookupError) as error:
        raise U2UError(f"{path}: is not XML ({error}): can ELAN open it? Restore it, or take it out") from error
    if root.tag != "ANNOTATION_DOCUMENT":
        raise U2UError(f"{path}: is XML but not an ELAN file (it begins with <{root.tag}>): rename it or take it out")
    return root


def _in_usual_shape(root: ET.Element, path) -> ET.Element:
    """A copy of what is read here, as pympi needs it: slots are called ts1…, annotations a1…, and an
    annotation's value is its only child. What is missing or leads nowhere is an error."""
    usual = ET.Element("ANNOTATION_DOCUMENT", _PYMPI_WANTS)
    header, time_order = ET.SubElement(usual, "HEADER"), ET.SubElement(usual, "TIME_ORDER")
    for media in root.iterfind("HEADER/MEDIA_DESCRIPTOR"):
        _require_number(media, "TIME_ORIGIN", "-?[0-9]{1,15}|", path)
        ET.SubElement(header, media.tag, media.attrib)
    slots = _numbered(root.findall("TIME_ORDER/TIME_SLOT"), "TIME_SLOT_ID", "ts", path)
    for number, slot in enumerate(root.iterfind("TIME_ORDER/TIME_SLOT"), 1):
        _require_number(slot, "TIME_VALUE", "[0-9]{1,15}", path)
        ET.SubElement(time_order, slot.tag, slot.attrib | {"TIME_SLOT_ID": f"ts{number}"})
    tiers = root.findall("TIER")
    if any("TIER_ID" not in tier.attrib for tier in tiers):
        raise U2UError(f"{path}: a tier has no TIER_ID: {_MEND}")
    _numbered(tiers, "TIER_ID", "", path)
    holders = [(ET.SubElement(usual, "TIER", tier.attrib), tier.iterfind("ANNOTATION/*")) for tier in tiers]
    annotations = [(tier, child) for tier, children in holders for child in children if child.tag in _REFERENCES]
    ids = _numbered([annotation for _, annotation in annotations], "ANNOTATION_ID", "a", path)
    for number, (tier, annotation) in enumerate(annotations, 1):
        attributes = {"ANNOTATION_ID": f"a{number}"}
        for reference in _REFERENCES[annotation.tag]:
            table, old = ids if reference == "ANNOTATION_REF" else slots, annotation.get(reference)
            if old not in table:
                where = f"tier {tier.get('TIER_ID')!r}: annotation {annotation.get('ANNOTATION_ID')!r}"
                raise U2UError(f"{path}: {where}: its {reference} {old!r} is nowhere in the file: {_MEND}")
            attributes[reference] = table[old]
        if (previous := annotation.get("PREVIOUS_ANNOTATION")) in ids:  # it gives an order only: not required
            attributes["PREVIOUS_ANNOTATION"] = ids[previous]
        value = annotation.find("ANNOTATION_VALUE")
        copy = ET.SubElement(ET.SubElement(tier, "ANNOTATION"), annotation.tag, attributes)
        ET.SubElement(copy, "ANNOTATION_VALUE").text = "" if value is None else "".join(value.itertext())
    return usual


def _numbered(elements: Iterable[ET.Element], attribute: str, prefix: str, path) -> dict[str, str]:
    """The elements' ids → ts1, ts2…"""
    table: dict[str, str] = {}
    for number, element in enumerate(elements, 1):
        old = element.get(attribute)
        if old in table:
            raise U2UError(f"{path}: two elements have the {attribute} {old!r}: {_MEND}")
        if old is not None:  # nothing can refer to it otherwise
            table[old] = f"{prefix}{number}"
    return table


def _require_number(element: ET.Element, attribute: str, pattern: str, path) -> None:
    value = element.get(attribute)
    if value is not None and not re.fullmatch(pattern, value.strip()):
        raise U2UError(f"{path}: {attribute} {value[:40]!r} is not a whole number of milliseconds: {_MEND}")


def times(eaf: Eaf, path) -> dict[str, tuple[int, int]]:
    """The start and end of every annotation, in ms, by its id.

    Between timed slots an untimed one lies at its equal share of the way (Time_Subdivision); an annotation
    that refers to a parent has the parent's time (Symbolic_Association) or its equal share of it
    (Symbolic_Subdivision). Nothing recurses: files nest as deep as they like.

    Raises:
        U2UError: parents in a circle, or slots that no timed one is beside.
    """
    for tier in _parents_first(eaf, path):
        _fill_untimed(eaf.timeslots, {row[0]: row[1] for row in eaf.tiers[tier][0].values()})
    found: dict[str, tuple[int, int]] = {}
    children: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))  # parent → tier → children
    previous: dict[str, str | None] = {}
    for tier, (aligned, referring, *_) in eaf.tiers.items():
        for key, (start, end, *_) in aligned.items():
            found[key] = (eaf.timeslots[start], eaf.timeslots[end])
            if None in found[key]:
                raise U2UError(f"{path}: tier {tier!r}: an annotation has no time, nor have those beside it: {_MEND}")
        for key, (parent, _, before, *_) in referring.items():
            children[parent][tier].append(key)
            previous[key] = before
    queue = list(found)
    for parent in queue:  # grows as children get their times
        start, end = found[parent]
        for siblings in children.pop(parent, {}).values():
            for index, key in enumerate(_in_order(siblings, previous)):
                share = [start + (end - start) * i // len(siblings) for i in (index, index + 1)]
                found[key] = (share[0], share[1])
                queue.append(key)
    if children:
        tier = next(iter(next(iter(children.values()))))
        raise U2UError(f"{path}: tier {tier!r}: annotations refer to each other in a circle: {_MEND}")
    return found


def _parents_first(eaf: Eaf, path) -> list[str]:
    children: dict[str, list[str]] = defaultdict(list)
    for name, (_, _, attributes, _) in eaf.tiers.items():
        parent = attributes.get("PARENT_REF")
        children[parent if parent in eaf.tiers else ""].append(name)
    order = children.pop("", [])
    for name in order:
        order += children.pop(name, [])
    if children:
        raise U2UError(f"{path}: tiers are each other's parents: {', '.join(map(repr, sorted(children)))}: {_MEND}")
    return order


def _fill_untimed(slots: dict[str, int | None], after: Mapping[str, str]) -> None:
    """Give each run of untimed slots between timed ones its equal shares of the way.

    Args:
        after: start slot → end slot of the annotations of one tier, which are joined where they share a slot.
    """
    for first, slot in after.items():
        run: list[str] = []
        while slots[first] is not None and slots.get(slot, 0) is None and len(run) < len(after):
            run.append(slot)
            slot = after.get(slot)
        left, right = slots[first], slots.get(slot)
        if right is not None:
            for index, untimed in enumerate(run, 1):
                slots[untimed] = left + (right - left) * index // (len(run) + 1)


def _in_order(siblings: list[str], previous: Mapping[str, str | None]) -> list[str]:
    """Siblings as their PREVIOUS_ANNOTATION chains them, or as they stand in the file if there is no chain."""
    following = {previous[key]: key for key in siblings}
    chain: list[str] = []
    key = following.pop(None, None)
    while key is not None:
        chain.append(key)
        key = following.pop(key, None)
    return chain if len(chain) == len(siblings) else siblings
