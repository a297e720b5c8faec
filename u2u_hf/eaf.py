"""ELAN annotation files: read through pympi, written against ELAN's schema EAFv3.0.

pympi is made for files of a usual shape, so what it is given is first put into that shape (ids, schema
location), and the times of annotations that have none of their own are worked out here from its tables.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import xml.etree.ElementTree as ET
from collections import defaultdict
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

from pympi import Eaf

from u2u_hf.files import replacing
from u2u_hf.records import Annotation, AnnotationDocument, Media, Tier, U2UError

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA = f"{{{_XSI}}}noNamespaceSchemaLocation"
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
    (Symbolic_Association) or its equal share of it (Symbolic_Subdivision).

    Raises:
        U2UError: not readable, not XML, not an ELAN file, or with references that lead nowhere.
    """
    root = _parse(Path(path))
    _put_into_usual_shape(root, path)
    with tempfile.TemporaryDirectory() as folder:
        usual = Path(folder, "usual.eaf")
        ET.ElementTree(root).write(usual, encoding="UTF-8", xml_declaration=True)
        try:
            eaf = Eaf(usual, suppress_version_warning=True)
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise U2UError(f"{path}: not a valid ELAN file ({error!r}): open and save it in ELAN") from error
    times = _Times(eaf, path)
    tiers = []
    for name, (aligned, referring, attributes, _) in sorted(eaf.tiers.items(), key=lambda item: item[1][3]):
        values = {key: row[2] for key, row in aligned.items()} | {key: row[1] for key, row in referring.items()}
        annotations = [Annotation(*times.of(key), value) for key, value in values.items()]
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


def _parse(path: Path) -> ET.Element:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise U2UError(f"{path}: cannot be read ({error.strerror})") from error
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise U2UError(f"{path}: has a document type declaration, which no ELAN file has: it is not read")
    try:
        root = ET.fromstring(data)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise U2UError(f"{path}: is not XML ({error}): can ELAN open it? Take it out or restore it") from error
    if root.tag != "ANNOTATION_DOCUMENT":
        raise U2UError(f"{path}: is XML but not an ELAN file (it begins with <{root.tag}>)")
    return root


def _put_into_usual_shape(root: ET.Element, path) -> None:
    """Number slots ts1… and annotations a1…, as pympi needs them; say which references lead nowhere."""
    root.attrib.setdefault(_SCHEMA, "http://www.mpi.nl/tools/elan/EAFv3.0.xsd")
    slots = _renumber(root.iterfind("TIME_ORDER/TIME_SLOT"), "TIME_SLOT_ID", "ts", path)
    annotations = [a for tier in root.iterfind("TIER") for holder in tier.iterfind("ANNOTATION") for a in holder]
    ids = _renumber(annotations, "ANNOTATION_ID", "a", path)
    tables = {
        "TIME_SLOT_REF1": slots,
        "TIME_SLOT_REF2": slots,
        "ANNOTATION_REF": ids,
        "PREVIOUS_ANNOTATION": ids,
    }
    for annotation in annotations:
        for attribute, table in tables.items():
            if attribute not in annotation.attrib:
                continue
            old = annotation.attrib[attribute]
            if old not in table:
                raise U2UError(f"{path}: an annotation refers to {old!r}, which the file does not have")
            annotation.attrib[attribute] = table[old]
        value = annotation.find("ANNOTATION_VALUE")
        for child in list(annotation):  # pympi takes the first child for the value
            annotation.remove(child)
        ET.SubElement(annotation, "ANNOTATION_VALUE").text = "" if value is None else "".join(value.itertext())


def _renumber(elements, attribute: str, prefix: str, path) -> dict[str, str]:
    table: dict[str, str] = {}
    for number, element in enumerate(elements, 1):
        old = element.attrib.get(attribute, "")
        if old in table:
            raise U2UError(f"{path}: two elements have the {attribute} {old!r}: open and save it in ELAN")
        table[old] = element.attrib[attribute] = f"{prefix}{number}"
    return table


class _Times:
    """The time of every annotation of a pympi Eaf, in ms."""

    def __init__(self, eaf: Eaf, path):
        self.path = path
        self.slots = eaf.timeslots
        self.tier_of = eaf.annotations
        self.aligned = {key: row for tier in eaf.tiers.values() for key, row in tier[0].items()}
        self.referring = {key: row for tier in eaf.tiers.values() for key, row in tier[1].items()}
        self.after: dict[tuple[str, str], str] = {}  # (tier, slot) → the slot one annotation later
        self.before: dict[tuple[str, str], str] = {}
        for key, (start, end, *_) in self.aligned.items():
            self.after[eaf.annotations[key], start] = end
            self.before[eaf.annotations[key], end] = start
        self.children: dict[tuple[str, str], list[str]] = defaultdict(list)
        for key, (parent, *_) in self.referring.items():
            self.children[eaf.annotations[key], parent].append(key)

    def of(self, key: str, below: tuple[str, ...] = ()) -> tuple[int, int]:
        tier = self.tier_of[key]
        if key in self.aligned:
            start, end, *_ = self.aligned[key]
            return self._slot(tier, start), self._slot(tier, end)
        parent = self.referring[key][0]
        if key in below:
            raise U2UError(f"{self.path}: tier {tier!r}: an annotation is its own ancestor")
        start, end = self.of(parent, (*below, key))
        siblings = self._ordered(self.children[tier, parent])
        index, count = siblings.index(key), len(siblings)
        return start + (end - start) * index // count, start + (end - start) * (index + 1) // count

    def _ordered(self, keys: list[str]) -> list[str]:
        if len(keys) == 1:
            return keys
        following = {self.referring[key][2]: key for key in keys}
        chain: list[str] = []
        key = following.get(None)
        while key is not None and key not in chain:
            chain.append(key)
            key = following.get(key)
        return chain if len(chain) == len(keys) else keys

    def _slot(self, tier: str, slot: str) -> int:
        if self.slots[slot] is not None:
            return self.slots[slot]
        sides = []
        for step in (self.before, self.after):
            distance, at = 0, slot
            while self.slots[at] is None:
                at, distance = step.get((tier, at)), distance + 1
                if at is None or distance > len(self.slots):
                    raise U2UError(f"{self.path}: tier {tier!r}: an annotation has no time, nor have its neighbours")
            sides.append((self.slots[at], distance))
        (left, behind), (right, ahead) = sides
        return left + (right - left) * behind // (behind + ahead)


def write_eaf(
    path: str | os.PathLike[str],
    tiers: list[Tier] | tuple[Tier, ...],
    media: list[str | os.PathLike[str]],
    constraints: dict[str, str] | None = None,
    author: str = "",
) -> None:
    """Write a new ELAN file, whole or not at all, valid against EAFv3.0.xsd.

    Args:
        tiers: parents before children. Annotations of one tier may not overlap, as in ELAN.
        media: paths of the recordings; linked by absolute URL and relative to the .eaf.
        constraints: linguistic type → ELAN stereotype (``Included_In``, ``Symbolic_Association``…) for
            types of child tiers; a type that is not named is of top-level, time-aligned tiers.
        author: who or what made the annotations.

    Raises:
        ValueError: annotations of a tier overlap or have no length.
        U2UError: the file cannot be written.
    """
    constraints = constraints or {}
    root = ET.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": _xml(author),
            "DATE": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            _SCHEMA: "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
        },
    )
    header = ET.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    for item in media:
        ET.SubElement(header, "MEDIA_DESCRIPTOR", _media_attributes(Path(item), Path(path)))
    last = ET.SubElement(header, "PROPERTY", NAME="lastUsedAnnotationId")
    time_order = ET.SubElement(root, "TIME_ORDER")
    number = 0
    slots: list[tuple[int, ET.Element, str]] = []
    parents = {tier.name: tier for tier in tiers}
    written: dict[str, list[tuple[Annotation, str]]] = {}
    for tier in tiers:
        attributes = {"LINGUISTIC_TYPE_REF": tier.linguistic_type or "default-lt", "TIER_ID": _xml(tier.name)}
        optional = {"PARTICIPANT": tier.participant, "ANNOTATOR": tier.annotator, "PARENT_REF": tier.parent}
        attributes |= {key: _xml(value) for key, value in optional.items() if value}
        element = ET.SubElement(root, "TIER", attributes)
        refers = constraints.get(tier.linguistic_type) == "Symbolic_Association"
        if tier.parent and tier.parent not in parents:
            raise ValueError(f"tier {tier.name!r}: its parent {tier.parent!r} is not written")
        end = 0
        written[tier.name] = []
        for annotation in tier.annotations:
            if annotation.start_ms >= annotation.end_ms or annotation.start_ms < end:
                raise ValueError(f"tier {tier.name!r}: {annotation} overlaps the one before or has no length")
            end = annotation.end_ms
            number += 1
            holder = ET.SubElement(element, "ANNOTATION")
            key = {"ANNOTATION_ID": f"a{number}"}
            if refers:
                spans = {(a.start_ms, a.end_ms): i for a, i in written[tier.parent]}
                key["ANNOTATION_REF"] = spans[annotation.start_ms, annotation.end_ms]
                inner = ET.SubElement(holder, "REF_ANNOTATION", key)
            else:
                inner = ET.SubElement(holder, "ALIGNABLE_ANNOTATION", key)
                slots.append((annotation.start_ms, inner, "TIME_SLOT_REF1"))
                slots.append((annotation.end_ms, inner, "TIME_SLOT_REF2"))
            ET.SubElement(inner, "ANNOTATION_VALUE").text = _xml(annotation.value)
            written[tier.name].append((annotation, f"a{number}"))
    for index, (time, element, attribute) in enumerate(sorted(slots, key=lambda row: row[0]), 1):
        ET.SubElement(time_order, "TIME_SLOT", TIME_SLOT_ID=f"ts{index}", TIME_VALUE=str(time))
        element.set(attribute, f"ts{index}")
    last.text = str(number)
    for name in dict.fromkeys(tier.linguistic_type or "default-lt" for tier in tiers):
        constraint = constraints.get(name)
        attributes = {"LINGUISTIC_TYPE_ID": name, "GRAPHIC_REFERENCES": "false"}
        attributes["TIME_ALIGNABLE"] = "false" if (constraint or "").startswith("Symbolic") else "true"
        if constraint:
            attributes["CONSTRAINTS"] = constraint
        ET.SubElement(root, "LINGUISTIC_TYPE", attributes)
    for stereotype, description in _CONSTRAINTS.items():
        ET.SubElement(root, "CONSTRAINT", STEREOTYPE=stereotype, DESCRIPTION=description)
    ET.indent(root, "    ")
    with replacing(Path(path)) as temporary:
        ET.ElementTree(root).write(temporary, encoding="UTF-8", xml_declaration=True)


def _media_attributes(media: Path, eaf: Path) -> dict[str, str]:
    media, folder = media.absolute(), eaf.absolute().parent
    attributes = {"MEDIA_URL": media.as_uri(), "MIME_TYPE": _MIME_TYPES.get(media.suffix.lower(), "audio/x-wav")}
    with contextlib.suppress(ValueError):  # another drive on Windows: there is no relative path
        attributes["RELATIVE_MEDIA_URL"] = "./" + quote(Path(os.path.relpath(media, folder)).as_posix())
    return attributes


def _xml(text: str) -> str:
    """`text` with what XML 1.0 forbids (control characters, lone surrogates) marked by U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)
