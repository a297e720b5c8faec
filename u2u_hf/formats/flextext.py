"""Interlinear texts of FieldWorks (FLEx), as it exports them: ``.flextext``, an XML file."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path

from u2u_hf.formats import eaf_xml
from u2u_hf.records import U2UError


def read_flextext(path: Path) -> dict[str, list[str]]:
    """Return the baseline of each phrase, by the code of its writing system.

    It is the phrase's own text or, in exports that have none, its words. Where the file says which languages are
    vernacular, others are not read.

    Raises:
        U2UError: the file cannot be read, is not XML or not a FLEx text, or has no baseline.
    """
    root = eaf_xml.parsed(path, "FLEx")
    if root.tag != "document" or root.find("interlinear-text") is None:
        raise U2UError(f"{path}: is XML but not a text of FLEx: export it again as FLEXTEXT (Interlinear > Export)")
    vernacular = {language.get("lang") for language in root.iter("language") if language.get("vernacular") == "true"}
    found: dict[str, list[str]] = defaultdict(list)
    for phrase in root.iter("phrase"):
        for language, text in (_own(phrase) or _words(phrase)).items():
            if text and (not vernacular or language in vernacular):
                found[language].append(text)
    if not found:
        raise U2UError(f"{path}: has no baseline (items of type txt): export it again as FLEXTEXT from FLEx")
    return dict(found)


def _own(phrase: ET.Element) -> dict[str, str]:
    items = phrase.findall("item[@type='txt']")
    return {item.get("lang", ""): " ".join((item.text or "").split()) for item in items if (item.text or "").strip()}


def _words(phrase: ET.Element) -> dict[str, str]:
    """Return the words of a phrase; punctuation is left to the text rules."""
    words: dict[str, list[str]] = defaultdict(list)
    for item in phrase.findall("words/word/item"):
        if item.get("type") in ("txt", "punct") and item.text:
            words[item.get("lang", "")].append(item.text)
    return {language: " ".join(" ".join(own).split()) for language, own in words.items()}
