"""What the annotations of a tier look like: sentences, words, numbers, codes, glosses, one repeated value."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

_MOST_SAMPLES = 400
_FEWEST = 3  # annotations that a verdict on codes or repeated values needs
_MOST = 0.8
_WORDS_PER_SENTENCE = 1.3
_FEW_VALUES_OF = 20  # a closed set of codes shows in this many annotations


class Look(Enum):
    """What annotations look like."""

    NOTHING = "no text"
    SENTENCES = "sentences"
    WORDS = "words"
    NUMBERS = "numbers"
    CODES = "codes"
    GLOSSES = "glosses"
    REPEATED = "one repeated value"


# Looks that no speech has. A tier of them is taken only if its corpus has nothing better.
UNLIKELY = frozenset({Look.CODES, Look.GLOSSES, Look.REPEATED})

_GLOSS = re.compile(r"(?:[-=.:](?:[123])?[A-Z]{2,}|(?<![A-Z])[A-Z]{2,}[-=.:])(?![a-z])|\b[123](?:SG|PL|DU|sg|pl|du)\b")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
# Function words by which a language of translation shows. A word of another language may look like one or two.
_FUNCTION_WORDS = {
    "English": "the of and to is was he she they you it that in for with his her this",
    "Spanish": "el la los las de que y en un una se no su con por es lo para",
    "French": "le la les des de et est que un une il elle en dans pas ce qui du",
    "Portuguese": "o os as de que e do da um uma não em para com se ele ela",
    "German": "der die das und ist ein eine nicht er sie es zu den mit ich",
    "Indonesian": "yang dan di itu ini tidak ada dengan dia ke dari untuk saya sudah",
    "Russian": "и в не на он она что с я как это они его мы у",
}
_FUNCTION_SETS = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}


@dataclass(frozen=True)
class Content:
    """What the annotations of a tier look like.

    Attributes:
        example: one of them, for a reason.
        words: how many words an annotation has in the mean.
        language: a language of translation whose function words they have, or the empty string.
    """

    look: Look
    example: str = ""
    words: float = 0.0
    language: str = ""


def content(values: Sequence[str]) -> Content:
    """Return what annotations look like; empty ones do not count."""
    texts = [text for value in values if (text := " ".join(value.split()))]
    texts = texts[:: -(-len(texts) // _MOST_SAMPLES) or 1]
    if not texts:
        return Content(Look.NOTHING)
    mean = sum(map(_count_words, texts)) / len(texts)
    return Content(_look(texts, mean), texts[0], mean, _language(texts))


def _look(texts: Sequence[str], words: float) -> Look:
    if _are_numbers(texts):
        return Look.NUMBERS
    if len(texts) >= _FEWEST:
        if _share(texts, lambda text: bool(_GLOSS.search(text))) >= 0.5:
            return Look.GLOSSES
        if _are_codes(texts, words):
            return Look.CODES
        if len(set(texts)) == 1:
            return Look.REPEATED
    return Look.SENTENCES if words >= _WORDS_PER_SENTENCE else Look.WORDS


def _are_numbers(texts: Sequence[str]) -> bool:
    """Whether texts are numbers, or references: ``s-1``, ``Story.010``, ``traduction 7``."""
    if all(any(c.isdigit() for c in text) and not any(c.isalpha() for c in text) for text in texts):
        return True
    shapes = Counter(re.sub(r"\d+", "#", text) for text in texts if re.search(r"\d", text) and len(text.split()) < 3)
    return len(texts) > 1 and bool(shapes) and shapes.most_common(1)[0][1] >= _MOST * len(texts)


def _are_codes(texts: Sequence[str], words: float) -> bool:
    """Whether texts are of few capitals (``RS-FULL``, ``N V``), or single words out of a small closed set."""
    capitals = _share(texts, lambda text: text.isupper())
    if capitals >= _MOST and words < _WORDS_PER_SENTENCE:
        return True
    tokens = [token for text in texts for token in text.split()]
    is_few = len(set(tokens)) <= max(2, 0.35 * len(tokens))
    if capitals >= _MOST and is_few and sum(map(len, tokens)) <= 4 * len(tokens):
        return True
    return words < _WORDS_PER_SENTENCE and len(texts) >= _FEW_VALUES_OF and len(set(texts)) <= 0.2 * len(texts)


def _language(texts: Sequence[str]) -> str:
    tokens = [token.strip(".,;:!?¿¡\"'()").casefold() for text in texts for token in text.split()]
    for language, known in _FUNCTION_SETS.items():
        found = [token for token in tokens if token in known]
        if len(set(found)) >= 4 and len(found) >= 0.25 * len(tokens):
            return language
    return ""


def _count_words(text: str) -> float:
    """Return the number of words; scripts without spaces have about one in two characters."""
    return max(len(text.split()), len(_UNSPACED.findall(text)) / 2)


def _share(texts: Sequence[str], check: Callable[[str], bool]) -> float:
    return sum(map(check, texts)) / len(texts)
