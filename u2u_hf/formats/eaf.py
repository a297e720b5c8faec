"""ELAN annotation files: read into documents, and written against ELAN's schema EAFv3.0."""

from __future__ import annotations

import bisect
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from u2u_hf.files import replacing
from u2u_hf.formats import eaf_tree
from u2u_hf.records import Annotation, AnnotationDocument, Media, Tier

_SCHEMA_ATTRIBUTE = "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation"
_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# The descriptions are copied from ELAN, with its spelling.
_CONSTRAINTS = {
    "Time_Subdivision": (
        "Time subdivision of parent annotation's time interval, no time gaps allowed within this interval"
    ),
    "Symbolic_Subdivision": (
        "Symbolic subdivision of a parent annotation. Annotations refering to the same parent are ordered"
    ),
    "Symbolic_Association": "1-1 association with a parent annotation",
    "Included_In": "Time alignable annotations within the parent annotation's time interval, gaps are allowed",
}
_MIME_TYPES = {
    ".wav": "audio/x-wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
}


def read_eaf(path: str | os.PathLike[str]) -> AnnotationDocument:
    """Read an ELAN file.

    Every annotation gets a time, by the constraint of its tier:

    - time-aligned (none, Included_In): the time of its slots;
    - Time_Subdivision: untimed slots between timed ones get equal shares of the time between;
    - Symbolic_Association: the time of its parent;
    - Symbolic_Subdivision: its equal share of its parent's time.

    Times are not corrected: an end before its start is returned as the file has it.

    Raises:
        U2UError: the file cannot be read, is not an ELAN file, or is damaged; see `eaf_tree.load`.
    """
    tree = eaf_tree.load(path)
    tiers = tuple(_tier(name, tier, tree) for name, tier in tree.tiers.items())
    return AnnotationDocument(path=str(path), media=tuple(map(_media, tree.media)), tiers=tiers, date=tree.date)


def _tier(name: str, tier: eaf_tree.TierTree, tree: eaf_tree.EafTree) -> Tier:
    annotations = (Annotation(*tree.times[n], tier.values[n]) for n in (*tier.aligned, *tier.referring))
    return Tier(
        name=name,
        annotations=tuple(sorted(annotations, key=lambda a: (a.start_ms, a.end_ms))),
        linguistic_type=tier.attributes.get("LINGUISTIC_TYPE_REF", ""),
        participant=tier.attributes.get("PARTICIPANT", "").strip(),
        annotator=tier.attributes.get("ANNOTATOR", ""),
        language=tier.attributes.get("LANG_REF", ""),
        parent=tier.attributes.get("PARENT_REF", ""),
        constraint=tree.constraints.get(tier.attributes.get("LINGUISTIC_TYPE_REF", ""), ""),
    )


def _media(attributes: Mapping[str, str]) -> Media:
    urls = (attributes.get(key) for key in ("MEDIA_URL", "RELATIVE_MEDIA_URL"))
    return Media(tuple(url for url in urls if url), int(attributes.get("TIME_ORIGIN", "").strip() or 0))


def write_eaf(
    path: str | os.PathLike[str],
    tiers: Sequence[Tier],
    media: Sequence[str | os.PathLike[str]],
    constraints: Mapping[str, str] | None = None,
    author: str = "",
    spare_types: Sequence[str] = (),
) -> None:
    """Write a new ELAN file, whole or not at all, valid against EAFv3.0.xsd.

    Characters that XML cannot store (control characters, lone surrogates) become U+FFFD, and every line end a
    newline. The tiers' `language` is not written.

    Args:
        tiers: parents before children. Annotations of one tier may not overlap, as in ELAN.
        media: paths of the recordings; linked by absolute URL and relative to the .eaf.
        constraints: linguistic type → ``Included_In`` (each annotation lies within one of the parent tier) or
            ``Symbolic_Association`` (each has the times of one of the parent tier), for types of child tiers. Other
            types are of top-level, time-aligned tiers.
        author: person or program that made the annotations.
        spare_types: linguistic types of top-level tiers that stand ready for a person; no tier has them yet.

    Raises:
        ValueError: ELAN cannot store the tiers: annotations overlap, a child lies outside its parent…
        U2UError: the file cannot be written.
    """
    path = Path(path)
    attributes = {"AUTHOR": _xml(author), "DATE": datetime.now(timezone.utc).isoformat(timespec="seconds")}
    attributes |= {"FORMAT": "3.0", "VERSION": "3.0", _SCHEMA_ATTRIBUTE: _SCHEMA}
    root = ET.Element("ANNOTATION_DOCUMENT", attributes)
    header = ET.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    for item in media:
        ET.SubElement(header, "MEDIA_DESCRIPTOR", _media_attributes(Path(item), path))
    elements = tier_elements(tiers, constraints or {})
    ET.SubElement(header, "PROPERTY", NAME="lastUsedAnnotationId").text = str(elements.last_annotation)
    ET.SubElement(root, "TIME_ORDER").extend(elements.slots)
    spare = [type_element(name) for name in spare_types if name not in {tier.linguistic_type for tier in tiers}]
    root.extend([*elements.tiers, *elements.types, *spare, *elements.constraints])
    ET.indent(root, "    ")
    with replacing(path) as temporary:
        ET.ElementTree(root).write(temporary, encoding="UTF-8", xml_declaration=True)


@dataclass(frozen=True)
class TierElements:
    """Tiers as the elements of an ELAN file, by their place in the file.

    Attributes:
        slots: in order of time.
        types: the linguistic types that the tiers use.
        constraints: all four of ELAN's.
        last_annotation: the number in the id of the last annotation.
    """

    slots: list[ET.Element]
    tiers: list[ET.Element]
    types: list[ET.Element]
    constraints: list[ET.Element]
    last_annotation: int


def tier_elements(
    tiers: Sequence[Tier], constraints: Mapping[str, str], last_annotation: int = 0, last_slot: int = 0
) -> TierElements:
    """Return `tiers` as elements of an ELAN file; see `write_eaf`.

    Args:
        last_annotation, last_slot: the new ids a… and ts… are numbered from the numbers after these.

    Raises:
        ValueError: ELAN cannot store the tiers.
    """
    builder = _TierBuilder(constraints, last_annotation)
    for tier in tiers:
        builder.add(tier)
    return TierElements(
        slots=builder.slots(last_slot),
        tiers=builder.tiers,
        types=[type_element(*item) for item in builder.types.items()],
        constraints=[ET.Element("CONSTRAINT", STEREOTYPE=n, DESCRIPTION=text) for n, text in _CONSTRAINTS.items()],
        last_annotation=builder.last_annotation,
    )


class _TierBuilder:
    """Makes the elements of tiers, parents first.

    Attributes:
        tiers: the TIER elements so far.
        types: linguistic type → its constraint, None for top-level tiers.
        last_annotation: the number in the id of the last annotation.
    """

    def __init__(self, constraints: Mapping[str, str], last_annotation: int):
        self.tiers: list[ET.Element] = []
        self.types: dict[str, str | None] = {}
        self.last_annotation = last_annotation
        self._constraints = constraints
        self._ids: dict[str, dict[tuple[int, int], str]] = {}  # tier → (start, end) → annotation id
        self._references: list[tuple[int, ET.Element, str]] = []  # time, annotation, attribute that names its slot

    def add(self, tier: Tier) -> None:
        constraint = self._constraints.get(tier.linguistic_type)
        _require_possible(tier, constraint, self._ids)
        parent = self._ids[_xml(tier.parent)] if tier.parent else {}
        _require_places(tier, constraint, parent)
        element = ET.Element("TIER", _tier_attributes(tier))
        self.tiers.append(element)
        self.types[element.attrib["LINGUISTIC_TYPE_REF"]] = constraint
        ids = self._ids[_xml(tier.name)] = {}
        for annotation in tier.annotations:
            self.last_annotation += 1
            span = annotation.start_ms, annotation.end_ms
            ids[span] = f"a{self.last_annotation}"
            holder = ET.SubElement(element, "ANNOTATION")
            if constraint == "Symbolic_Association":
                inner = ET.SubElement(holder, "REF_ANNOTATION", ANNOTATION_ID=ids[span], ANNOTATION_REF=parent[span])
            else:
                inner = ET.SubElement(holder, "ALIGNABLE_ANNOTATION", ANNOTATION_ID=ids[span])
                self._references += (span[0], inner, "TIME_SLOT_REF1"), (span[1], inner, "TIME_SLOT_REF2")
            ET.SubElement(inner, "ANNOTATION_VALUE").text = _xml(annotation.value)

    def slots(self, last_slot: int) -> list[ET.Element]:
        """Return the slots in order of time, and write their ids into the annotations."""
        slots = []
        in_order = sorted(self._references, key=lambda reference: reference[0])
        for number, (time_ms, annotation, attribute) in enumerate(in_order, last_slot + 1):
            annotation.set(attribute, f"ts{number}")
            slots.append(ET.Element("TIME_SLOT", TIME_SLOT_ID=f"ts{number}", TIME_VALUE=str(time_ms)))
        return slots


def _tier_attributes(tier: Tier) -> dict[str, str]:
    attributes = {"LINGUISTIC_TYPE_REF": _xml(tier.linguistic_type or "default-lt"), "TIER_ID": _xml(tier.name)}
    optional = {"PARTICIPANT": tier.participant, "ANNOTATOR": tier.annotator, "PARENT_REF": tier.parent}
    return attributes | {key: _xml(value) for key, value in optional.items() if value}


def type_element(name: str, constraint: str | None = None) -> ET.Element:
    """Return the element of a linguistic type; without a constraint, of top-level tiers."""
    alignable = "false" if constraint == "Symbolic_Association" else "true"
    attributes = {"LINGUISTIC_TYPE_ID": name, "GRAPHIC_REFERENCES": "false", "TIME_ALIGNABLE": alignable}
    return ET.Element("LINGUISTIC_TYPE", attributes | ({"CONSTRAINTS": constraint} if constraint else {}))


def _require_possible(tier: Tier, constraint: str | None, written: Mapping[str, object]) -> None:
    """Raise ValueError unless the tier's name, parent and constraint go together with the tiers `written` before it."""
    if _xml(tier.name) in written:
        raise ValueError(f"tier {tier.name!r}: there are two of this name")
    if constraint not in (None, "Included_In", "Symbolic_Association"):
        raise ValueError(f"tier {tier.name!r}: {constraint} tiers are not written")
    if bool(tier.parent) != bool(constraint):
        raise ValueError(f"tier {tier.name!r}: has a parent or a constraint, but not both")
    if tier.parent and _xml(tier.parent) not in written:
        raise ValueError(f"tier {tier.name!r}: its parent {tier.parent!r} is not written before it")


def _require_places(tier: Tier, constraint: str | None, parent: Mapping[tuple[int, int], str]) -> None:
    """Raise ValueError unless the annotations follow each other, and lie in the parent tier as the constraint wants.

    Args:
        parent: (start, end) of the parent tier's annotations, in order of time.
    """
    spans = list(parent)
    previous_end = 0
    for annotation in tier.annotations:
        start, end = annotation.start_ms, annotation.end_ms
        if start >= end or start < previous_end:
            raise ValueError(f"tier {tier.name!r}: {annotation} overlaps the one before or has no length")
        previous_end = end
        if constraint == "Symbolic_Association" and (start, end) not in parent:
            raise ValueError(f"tier {tier.name!r}: {annotation} has not the times of one of {tier.parent!r}")
        before = bisect.bisect(spans, (start, float("inf")))
        if constraint == "Included_In" and not (before and end <= spans[before - 1][1]):
            raise ValueError(f"tier {tier.name!r}: {annotation} is not within one of {tier.parent!r}")


def _media_attributes(media: Path, eaf: Path) -> dict[str, str]:
    """Return the attributes that link a recording; not percent-encoded, because ELAN does not decode ``%20``."""
    media, folder = Path(os.path.abspath(media)), Path(os.path.abspath(eaf)).parent
    attributes = {
        "MEDIA_URL": _xml("file:///" + media.as_posix().lstrip("/")),
        "MIME_TYPE": _MIME_TYPES.get(media.suffix.lower(), "audio/x-wav"),
    }
    if media.anchor == folder.anchor:  # else another drive on Windows: there is no relative path
        relative = Path(os.path.relpath(media, folder)).as_posix()
        attributes["RELATIVE_MEDIA_URL"] = _xml(relative if relative.startswith("../") else f"./{relative}")
    return attributes


def _xml(text: str) -> str:
    """Return `text` with U+FFFD for what XML 1.0 cannot store, and ``\\n`` for every line end."""
    return _NOT_XML.sub("\ufffd", re.sub("\r\n?", "\n", text))
