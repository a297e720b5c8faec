"""Every text that visitors read, in each language. To add one, write a module in languages/ with the same keys."""

from collections.abc import Callable

from languages.english import ENGLISH
from languages.french import FRENCH
from languages.indonesian import INDONESIAN
from languages.portuguese import PORTUGUESE
from languages.spanish import SPANISH

from u2u_hf.reports.html import OwnText, filled

Say = Callable[..., OwnText]  # (key, **values) → the text in the visitor's language

STRINGS = {"en": ENGLISH, "es": SPANISH, "fr": FRENCH, "pt": PORTUGUESE, "id": INDONESIAN}


def language(accepted: str, chosen: str = "") -> str:
    """Return the language that was chosen on the page, or the first of a browser's (``es-MX,es;q=0.9``), else English.

    Languages that `STRINGS` lacks are passed over.
    """
    if chosen in STRINGS:
        return chosen
    tags = (tag.split(";")[0].strip().split("-")[0].lower() for tag in accepted.split(","))
    return next((tag for tag in tags if tag in STRINGS), "en")


def say_in(language_tag: str) -> Say:
    """Return ``say(key, **values)`` for a language."""
    return lambda key, **values: filled(STRINGS[language_tag][key], **values)
