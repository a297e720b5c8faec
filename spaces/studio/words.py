"""The page's languages. To add one, write a module with the keys of `english`."""

from collections.abc import Callable

from english import ENGLISH
from french import FRENCH
from indonesian import INDONESIAN
from portuguese import PORTUGUESE
from spanish import SPANISH

from u2u_hf.reports.html import OwnText, filled

Say = Callable[..., OwnText]  # (key, **values) → the text in the visitor's language

WORDS = {"en": ENGLISH, "es": SPANISH, "fr": FRENCH, "pt": PORTUGUESE, "id": INDONESIAN}


def language(accepted: str, chosen: str = "") -> str:
    """Return the language that was chosen on the page, or the first of a browser's (``es-MX,es;q=0.9``), else English.

    Languages that `WORDS` lacks are passed over.
    """
    if chosen in WORDS:
        return chosen
    tags = (tag.split(";")[0].strip().split("-")[0].lower() for tag in accepted.split(","))
    return next((tag for tag in tags if tag in WORDS), "en")


def say_in(language_tag: str) -> Say:
    """Return ``say(key, **values)`` for a language."""
    return lambda key, **values: filled(WORDS[language_tag][key], **values)
