"""The language of a page with catalogues: language tag → key → text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from u2u_hf.reports.html import OwnText, filled

Say = Callable[..., OwnText]  # (key, **values) → the text in the visitor's language


def language_of(catalogues: Mapping[str, object], accepted: str, chosen: str = "") -> str:
    """Return the language that was chosen on the page, or the first of a browser's (``es-MX,es;q=0.9``), else English.

    Languages without a catalogue are passed over.

    >>> language_of({"en": {}, "es": {}}, "de,es-MX;q=0.9")
    'es'
    """
    if chosen in catalogues:
        return chosen
    tags = (tag.split(";")[0].strip().split("-")[0].lower() for tag in accepted.split(","))
    return next((tag for tag in tags if tag in catalogues), "en")


def say_from(catalogue: Mapping[str, str]) -> Say:
    """Return ``say(key, **values)`` for a catalogue."""
    return lambda key, **values: filled(catalogue[key], **values)
