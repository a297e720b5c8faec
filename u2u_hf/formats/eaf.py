"""ELAN annotation files: read through pympi, written against ELAN's schema EAFv3.0."""

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

# The descriptions are ELAN's own, word for word.
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

    Every annotation gets a time: that of its slots; between timed slots an untimed one lies at its equal
    share of the way (Time_Subdivision); an annotation that refers to a parent has the parent's time
    (Symbolic_Association) or its equal share of it (Symbolic_Subdivision). Times that make no sense (an end
    before its start) are given as they stand.

    Raises:
        U2UError: not readable, not XML, not an ELAN file, or with references that lead nowhere.
    """
    eaf = eaf_tree.load(path)
    times = eaf_tree.times(eaf, path)
    tiers = []
    for name, (aligned, referring, attributes, _) in eaf.tiers.items():
        values = {key: row[2] for key, row in aligned.items()} | {key: row[1] for key, row in referring.items()}
        annotations = [Annotation(*times[key], value) for key, value in values.items()]
        tiers.append(
            Tier(
                name=name,
                annotations=tuple(sorted(annotations, key=lambda a: (a.start_ms, a.end_ms))),
                linguistic_type=attributes.get("LINGUISTIC_TYPE_REF", ""),
                participant=attributes.get("PARTICIPANT", "").strip(),
                annotator=attributes.get("ANNOTATOR", ""),
                language=attributes.get("LANG_REF", ""),
                parent=attributes.get("PARENT_REF", ""),
            )
        )
    media = tuple(
        Media(
            urls=tuple(url for key in ("MEDIA_URL", "RELATIVE_MEDIA_URL") if (url := row.get(key))),
            origin_ms=int(row.get("TIME_ORIGIN") or 0),
        )
        for row in eaf.media_descriptors
    )
    return AnnotationDocument(path=str(path), media=media, tiers=tuple(tiers))


def write_eaf(
    path: str | os.PathLike[str],
    tiers: Sequence[Tier],
    media: Sequence[str | os.PathLike[str]],
    constraints: Mapping[str, str] | None = None,
    author: str = "",
) -> None:
    """Write a new ELAN file, whole or not at all, valid against EAFv3.0.xsd.

    What XML cannot hold (control characters, lone surrogates) becomes U+FFFD, every line end a newline.
    The tiers' `language` is not written.

    Args:
        tiers: parents before children. Annotations of one tier may not overlap, as in ELAN.
        media: paths of the recordings; linked by absolute URL and relative to the .eaf.
        constraints: linguistic type → ``Included_In`` (annotations within one of the parent tier) or
            ``Symbolic_Association`` (with the very times of one of the parent tier), for types of child
            tiers; a type that is not named is of top-level, time-aligned tiers.
        author: who or what made the annotations.

    Raises:
        ValueError: ELAN could not hold the tiers: annotations overlap, a child lies outside its parent…
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
    root.extend([*elements.tiers, *elements.types, *elements.constraints])
    ET.indent(root, "    ")
    with replacing(path) as temporary:
        ET.ElementTree(root).write(temporary, encoding="UTF-8", xml_declaration=True)


@dataclass(frozen=True)
class TierElements:
    """Tiers as the elements of an ELAN file, each kind for its own place there.

    Attributes:
        slots: in order of time.
        types: the linguistic types that the tiers are of.
        constraints: the four that ELAN knows.
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
    """The elements that say what `tiers` say; see `write_eaf`.

    Args:
        last_annotation, last_slot: annotations are called a…, slots ts…, by the numbers after these.

    Raises:
        ValueError: ELAN could not hold the tiers.
    """
    elements: list[ET.Element] = []
    number = last_annotation
    slots: list[tuple[int, ET.Element, str]] = []
    types: dict[str, str | None] = {}
    written: dict[str, dict[tuple[int, int], str]] = {}  # tier → (start, end) → annotation id
    for tier in tiers:
        constraint = constraints.get(tier.linguistic_type)
        _require_possible(tier, constraint, written)
        optional = {"PARTICIPANT": tier.participant, "ANNOTATOR": tier.annotator, "PARENT_REF": tier.parent}
        attributes = {"LINGUISTIC_TYPE_REF": _xml(tier.linguistic_type or "default-lt"), "TIER_ID": _xml(tier.name)}
        attributes |= {key: _xml(value) for key, value in optional.items() if value}
        types[attributes["LINGUISTIC_TYPE_REF"]] = constraint
        elements.append(element := ET.Element("TIER", attributes))
        ids = written[_xml(tier.name)] = {}
        for annotation in tier.annotations:
            number += 1
            span = annotation.start_ms, annotation.end_ms
            ids[span] = f"a{number}"
            holder = ET.SubElement(element, "ANNOTATION")
            if constraint == "Symbolic_Association":
                parent = written[_xml(tier.parent)][span]
                inner = ET.SubElement(holder, "REF_ANNOTATION", ANNOTATION_ID=ids[span], ANNOTATION_REF=parent)
            else:
                inner = ET.SubElement(holder, "ALIGNABLE_ANNOTATION", ANNOTATION_ID=ids[span])
                slots += (span[0], inner, "TIME_SLOT_REF1"), (span[1], inner, "TIME_SLOT_REF2")
            ET.SubElement(inner, "ANNOTATION_VALUE").text = _xml(annotation.value)
    in_order = sorted(slots, key=lambda row: row[0])
    for index, (_, element, attribute) in enumerate(in_order, last_slot + 1):
        element.set(attribute, f"ts{index}")
    return TierElements(
        [
            ET.Element("TIME_SLOT", TIME_SLOT_ID=f"ts{index}", TIME_VALUE=str(time))
            for index, (time, *_) in enumerate(in_order, last_slot + 1)
        ],
        elements,
        [_type_element(*item) for item in types.items()],
        [ET.Element("CONSTRAINT", STEREOTYPE=name, DESCRIPTION=text) for name, text in _CONSTRAINTS.items()],
        number,
    )


def _type_element(name: str, constraint: str | None) -> ET.Element:
    alignable = "false" if constraint == "Symbolic_Association" else "true"
    attributes = {"LINGUISTIC_TYPE_ID": name, "GRAPHIC_REFERENCES": "false", "TIME_ALIGNABLE": alignable}
    return ET.Element("LINGUISTIC_TYPE", attributes | ({"CONSTRAINTS": constraint} if constraint else {}))


def _require_possible(tier: Tier, constraint: str | None, written: Mapping[str, Mapping[tuple[int, int], str]]) -> None:
    if _xml(tier.name) in written:
        raise ValueError(f"tier {tier.name!r}: there are two of this name")
    if constraint not in (None, "Included_In", "Symbolic_Association"):
        raise ValueError(f"tier {tier.name!r}: {constraint} tiers are not written")
    if bool(tier.parent) != bool(constraint):
        raise ValueError(f"tier {tier.name!r}: has a parent or a constraint, but not both")
    if tier.parent and _xml(tier.parent) not in written:
        raise ValueError(f"tier {tier.name!r}: its parent {tier.parent!r} is not written before it")
    parent = written[_xml(tier.parent)] if tier.parent else {}
    spans = list(parent)
    end = 0
    for annotation in tier.annotations:
        if annotation.start_ms >= annotation.end_ms or annotation.start_ms < end:
            raise ValueError(f"tier {tier.name!r}: {annotation} overlaps the one before or has no length")
        start, end = annotation.start_ms, annotation.end_ms
        before = bisect.bisect(spans, (start, float("inf")))
        if constraint == "Symbolic_Association" and (start, end) not in parent:
            raise ValueError(f"tier {tier.name!r}: {annotation} has not the times of one of {tier.parent!r}")
        if constraint == "Included_In" and not (before and end <= spans[before - 1][1]):
            raise ValueError(f"tier {tier.name!r}: {annotation} is not within one of {tier.parent!r}")


def _media_attributes(media: Path, eaf: Path) -> dict[str, str]:
    """Spaces and letters of all scripts stand as they are: ELAN neither writes nor decodes ``%20``."""
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
    """`text` as XML 1.0 can hold it."""
    return _NOT_XML.sub("\ufffd", re.sub("\r\n?", "\n", text))
