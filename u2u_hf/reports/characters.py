"""The characters of a corpus's text: how frequent they are, where they occur, and which look odd.

A recogniser learns to write code points, so these are counted, not letters as they look. Odd is not wrong: Greek θ is
a letter of many Latin orthographies. The marks say where to look.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from u2u_hf.records import Utterance
from u2u_hf.visible_text import code_point, invisible, visible

PLAIN_MARKS = ("combining", "digit")  # worth knowing, but not odd

# Characters that are confused on paper and on keyboards: one family a line, the most usual first.
_FAMILIES = [
    "'’ʼ‘`´ꞌʻʽʾʿˈ′ʹˊˋ＇",
    "-‐‑‒–—―−⁃－",
    '"“”„ˮʺ″＂',
    ":ː꞉：",
    "·•∙⋅・‧",
    "~˜∼～",
    *(
        plain + raised + lowered
        for plain, raised, lowered in zip("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉", strict=True)
    ),
    # Latin, Greek, Cyrillic, IPA
    *"aаɑα eе cсϲ oоο pрρ xхχ yуү iіι jј sѕ hһ dԁ qԛ wԝ vν uυ gɡ kкκ lǀ| tт mм".split(),
    *"əǝә ɛεє ɣγ ŋƞη βꞵß θɵө ðđ ɩıι ʃ∫ ʔɁɂˀ ǃ! ǁ‖ łɫ şș ţț ɸφ λƛ ʊᴜ æӕ ïї øө".split(),
    *"AАΑ BВΒ CС EЕΕ HНΗ IІΙ KКΚ MМΜ NΝ OОΟ PРΡ SЅ TТΤ XХΧ YУΥ ZΖ JЈ".split(),
    "\u0327\u0328\u0322",  # cedilla, ogonek, retroflex hook
    "\u0331\u0332\u0320",  # macron, line and minus below
    "\u0301\u030b\u0315",  # acute, double acute, comma above right
    "\u0306\u030c\u0311",  # breve, caron, inverted breve
]
_FAMILIES_OF: Mapping[str, list[str]] = defaultdict(
    list, {c: [f for f in _FAMILIES if c in f] for c in {c for family in _FAMILIES for c in family}}
)
_CONTROLS = {"\t": "CHARACTER TABULATION", "\n": "LINE FEED", "\r": "CARRIAGE RETURN", "\0": "NULL"}
# These are one writing system in Japanese and others.
_EAST_ASIAN = {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO"}
_SCRIPTLESS = ("MODIFIER LETTER", "SUPERSCRIPT", "SUBSCRIPT", "FEMININE ORDINAL", "MASCULINE ORDINAL", "IDEOGRAPHIC")


@dataclass(frozen=True)
class Character:
    """A code point, its count in the text, the first utterance with it, and what is odd about it."""

    character: str
    count: int
    example: Utterance
    marks: tuple[str, ...] = ()

    @property
    def code_point(self) -> str:
        return code_point(self.character)

    @property
    def name(self) -> str:
        """Return the Unicode name, or the kind of characters without a name: controls, private use."""
        kinds = {"Cc": "control character", "Co": "private use character", "Cs": "half a surrogate pair"}
        kind = kinds.get(unicodedata.category(self.character), "unassigned character")
        return _CONTROLS.get(self.character, unicodedata.name(self.character, f"<{kind}>"))


@dataclass(frozen=True)
class Spelling:
    """A way to write a letter, its count, and the first utterance with it."""

    text: str
    count: int
    example: Utterance


@dataclass(frozen=True)
class Inventory:
    """The characters of a text.

    Attributes:
        characters: most frequent first.
        sequences: letters with combining marks, most frequent first.
        mixed_forms: for letters that are written in several ways, these ways (é as one code point, e and ´ as two).
        look_alikes: characters that are easily confused, if several of a family occur.
    """

    characters: tuple[Character, ...]
    sequences: tuple[Spelling, ...]
    mixed_forms: tuple[tuple[Spelling, ...], ...]
    look_alikes: tuple[tuple[Character, ...], ...]

    @property
    def total(self) -> int:
        """Return the number of characters in all."""
        return sum(c.count for c in self.characters)


def take_inventory(
    utterances: Iterable[Utterance], text_of: Callable[[Utterance], str] = lambda utterance: utterance.text
) -> Inventory:
    """Count the characters of `utterances` and mark the odd ones.

    Args:
        text_of: the text to count; ``lambda u: u.raw_text`` counts the annotations as they stand in the file.
    """
    words: Counter[str] = Counter()
    first: dict[str, Utterance] = {}
    for utterance in utterances:
        # Split at plain spaces only: every other kind of space is to be reported.
        for word in re.split("( )", text_of(utterance)):
            words[word] += 1
            first.setdefault(word, utterance)
    # Each different word is analysed once, because texts repeat their words.
    letters, letter_first = _spread(words, first, lambda word: word)
    clusters, cluster_first = _spread(words, first, _clusters)
    mixed = _mixed_scripts(words)
    # A recogniser hardly learns rarer ones, and in a large corpus they are typing errors more often than letters.
    rare = max(5, letters.total() / 20_000)
    characters = [
        Character(c, count, letter_first[c], tuple(_marks(c, letters, rare, mixed)))
        for c, count in letters.most_common()
    ]
    by_character = {c.character: c for c in characters}
    spellings = [Spelling(text, count, cluster_first[text]) for text, count in clusters.most_common()]
    same: dict[str, list[Spelling]] = defaultdict(list)
    for spelling in spellings:
        same[unicodedata.normalize("NFC", spelling.text)].append(spelling)
    return Inventory(
        characters=tuple(characters),
        sequences=tuple(s for s in spellings if len(s.text) > 1),
        mixed_forms=tuple(tuple(ways) for ways in same.values() if len(ways) > 1),
        look_alikes=tuple(
            tuple(by_character[c] for c in family if c in letters)
            for family in _FAMILIES
            if sum(c in letters for c in family) > 1
        ),
    )


def shown(character: str) -> str:
    """Return a visible form of a single character: a combining mark on a circle, a space as ␣."""
    if character == " ":
        return "␣"
    if unicodedata.category(character)[0] == "M" and not invisible(character):
        return f"◌{character}"
    return visible(character)


def excerpt(text: str, part: str, width: int = 48) -> str:
    """Return `text`, or if it is longer the `width` characters around the first `part` in it."""
    at = max(0, min(text.find(part) - width // 2, len(text) - width))
    return ("…" if at else "") + text[at : at + width] + ("…" if at + width < len(text) else "")


def _spread(
    words: Counter[str], first: dict[str, Utterance], parts: Callable[[str], Iterable[str]]
) -> tuple[Counter[str], dict[str, Utterance]]:
    """Return the count of each part of counted words, and the first utterance with it."""
    counts: Counter[str] = Counter()
    where: dict[str, Utterance] = {}
    for word, count in words.items():
        for part in parts(word):
            counts[part] += count
            where.setdefault(part, first[word])
    return counts, where


def _clusters(word: str) -> Iterator[str]:
    """Yield each base character with its combining marks; marks without a base by themselves."""
    start = 0
    for index in range(1, len(word) + 1):
        if index == len(word) or unicodedata.category(word[index])[0] != "M":
            yield word[start:index]
            start = index


def _script(character: str) -> str:
    """Return LATIN, CYRILLIC …; empty for characters of no script or of all: digits, marks, modifier letters."""
    name = unicodedata.name(character, "") if character.isalpha() else ""
    if name.startswith(_SCRIPTLESS):
        return ""
    script = name.split(" ")[0]
    return "EAST ASIAN" if script in _EAST_ASIAN else script


def _mixed_scripts(words: Mapping[str, int]) -> dict[str, Counter[str]]:
    """Return letters in words that are mostly of another script: letter → the other script → count.

    A word of one letter, such as the Cyrillic ``а`` in ``ni а ku``, is compared with the whole corpus, and counts if
    less than 5 % of the letters there are of its script. No word is of a script that is lent to the corpus's main one,
    as Greek is in Mboshi (``bέε``): more than half of its letters are in words with letters of the main one.
    """
    scripts = {c: _script(c) for word in words for c in word}
    whole: Counter[str] = Counter()
    for word, count in words.items():
        for c in word:
            if scripts[c]:
                whole[scripts[c]] += count
    main = max(whole, key=whole.__getitem__, default="")
    beside: Counter[str] = Counter()  # letters in words with letters of the main script
    for word, count in words.items():
        if main in (found := [scripts[c] for c in word if scripts[c]]):
            beside.update({script: found.count(script) * count for script in set(found)})
    lent = {script for script in whole if script != main and beside[script] > whole[script] / 2}
    mixed: dict[str, Counter[str]] = defaultdict(Counter)
    for word, count in words.items():
        own = Counter(scripts[c] for c in word if scripts[c])
        home = max(own, key=lambda script: (own[script], whole[script]), default="")
        if home in lent or (own.total() == 1 and whole[home] < 0.05 * whole.total()):
            home = main
        for c in word:
            if scripts[c] not in ("", home):
                mixed[c][home] += count
    return mixed


def _marks(character: str, counts: Mapping[str, int], rare: float, mixed: Mapping[str, Counter[str]]) -> Iterator[str]:
    """Yield what is odd or worth knowing about a character."""
    category = unicodedata.category(character)
    if counts[character] < rare:
        yield "rare"
    for script, count in mixed.get(character, {}).items():
        yield f"{_script(character)} among {script} ({count} ×)"
    if invisible(character):
        yield "invisible"
    elif category[0] == "M":
        yield "combining"
    if category[0] == "N":
        yield "digit"
    if category == "Co":
        yield "private use: seen in one font only"
    if character == "\ufffd":
        yield "damaged text"
    if not unicodedata.is_normalized("NFC", character):
        yield f"not in NFC: {code_point(unicodedata.normalize('NFC', character)[0])} is"
    alike = dict.fromkeys(c for family in _FAMILIES_OF.get(character, []) for c in family)
    for other in alike:
        # Only the less frequent of two gets the mark.
        if other != character and counts.get(other, 0) >= counts[character]:
            yield f"looks like {shown(other)} {code_point(other)} ({counts[other]} ×)"
