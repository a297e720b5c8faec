"""The page's languages. To add one, write a module with the keys of `english`."""

import re

from english import ENGLISH
from french import FRENCH
from indonesian import INDONESIAN
from portuguese import PORTUGUESE
from spanish import SPANISH

from u2u_hf.reports.html import OwnText, filled
from u2u_hf.reports.languages import Say, language_of, say_from

WORDS = {"en": ENGLISH, "es": SPANISH, "fr": FRENCH, "pt": PORTUGUESE, "id": INDONESIAN}
# Between thousands: to readers of the others, English 1,234 is a bit more than one.
_THOUSANDS = {"en": ",", "es": "\u202f", "fr": "\u202f", "pt": ".", "id": "."}
# What the library says in English → the key of its words here.
_FOUND = {
    key: re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(text)))
    for key, text in ENGLISH.items()
    if key.startswith("found_")
}


def language(accepted: str, chosen: str = "") -> str:
    """Return the page's language, see `language_of`."""
    return language_of(WORDS, accepted, chosen)


def say_in(language_tag: str) -> Say:
    """Return ``say(key, **values)`` for a language."""
    return say_from(WORDS[language_tag])


def whole(language_tag: str, number: int) -> OwnText:
    """Return a whole number as a language writes it.

    >>> whole("en", 1234), whole("pt", 1234)
    ('1,234', '1.234')
    """
    return OwnText(f"{number:,}".replace(",", _THOUSANDS[language_tag]))


def found_in(language_tag: str, text: str) -> OwnText:
    """Return what the library says of a corpus, in a language; what the catalogues lack stays in English.

    >>> found_in("es", "is below 'tx@AB'; longer than 20 s")
    "depende de 'tx@AB'; dura más de 20 s"
    """
    say = say_in(language_tag)
    parts = []
    for part in text.split("; "):
        matches = ((key, pattern.fullmatch(part)) for key, pattern in _FOUND.items())
        key, match = next(((key, match) for key, match in matches if match), ("", None))
        parts.append(say(key, **match.groupdict()) if match else filled("{part}", part=part))
    return OwnText("; ".join(parts))
