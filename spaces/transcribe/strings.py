"""Every text that visitors read, in each language. To add one, write a module in languages/ with the same keys."""

from languages.english import ENGLISH
from languages.french import FRENCH
from languages.indonesian import INDONESIAN
from languages.portuguese import PORTUGUESE
from languages.spanish import SPANISH

from u2u_hf.reports.languages import Say, language_of, say_from

STRINGS = {"en": ENGLISH, "es": SPANISH, "fr": FRENCH, "pt": PORTUGUESE, "id": INDONESIAN}


def language(accepted: str, chosen: str = "") -> str:
    """Return the page's language, see `language_of`."""
    return language_of(STRINGS, accepted, chosen)


def say_in(language_tag: str) -> Say:
    """Return ``say(key, **values)`` for a language."""
    return say_from(STRINGS[language_tag])
