"""The page's languages. To add one, write a module with the keys of `english`."""

from collections.abc import Callable

from english import ENGLISH
from spanish import SPANISH

Say = Callable[..., str]  # (key, **values) → the text in the visitor's language

WORDS = {"en": ENGLISH, "es": SPANISH}


def language(accepted: str) -> str:
    """Return the first of a browser's languages (``es-MX,es;q=0.9``) that `WORDS` has, else English."""
    tags = (tag.split(";")[0].strip().split("-")[0].lower() for tag in accepted.split(","))
    return next((tag for tag in tags if tag in WORDS), "en")


def say_in(language_tag: str) -> Say:
    """Return ``say(key, **values)`` for a language."""
    return lambda key, **values: WORDS[language_tag][key].format(**values)
