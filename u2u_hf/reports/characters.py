"""The characters of a corpus's text: how often, where, and which look odd.

What a recogniser learns to write is a set of code points, so these are counted, not what the eye takes for one
letter. Odd is not wrong: a Greek θ is a letter of many Latin orthographies. The marks say where to look.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from u2u_hf.records import Utterance

PLAIN_MARKS = ("combining", "digit")  # worth knowing, not odd

# Characters that are taken for each other on paper and on keyboards, one family a line, the likeliest first.
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
# One writing system with several alphabets, as in Japanese.
_EAST_ASIAN = {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO"}
_SCRIPTLESS = ("MODIFIER LETTER", "SUPERSCRIPT", "SUBSCRIPT", "FEMININE ORDINAL", "MASCULINE ORDINAL", "IDEOGRAPHIC")


@dataclass(frozen=True)
class Character:
    """A code point, how often it stands in the text, the first utterance with it, and what is odd about it."""

    character: str
    count: int
    example: Utterance
    marks: tuple[str, ...] = ()

    @property
    def code_point(self) -> str:
        return code_point(self.character)

    @property
    def name(self) -> str:
        """Its Unicode name; characters without one (controls, private use) are called by their kind."""
        kinds = {"Cc": "control character", "Co": "private use character", "Cs": "half a surrogate pair"}
        kind = kinds.get(unicodedata.category(self.character), "unassigned character")
        return _CONTROLS.get(self.character) or unicodedata.name(self.character, f"<{kind}>")


@dataclass(frozen=True)
class Spelling:
    """A stretch of text, how often it stands there, and the first utterance with it."""

    text: str
    count: int
    example: Utterance


@dataclass(frozen=True)
class Inventory:
    """What `take_inventory` found.

    Attributes:
        characters: most frequent first.
        sequences: letters with combining marks, most frequent first.
        mixed_forms: ways to spell the same letter in code points (é as one, e and ´ as two), where there are several.
        look_alikes: characters that are easily taken for each other, where there are several of a family.
    """

    characters: tuple[Character, ...]
    sequences: tuple[Spelling, ...]
    mixed_forms: tuple[tuple[Spelling, ...], ...]
    look_alikes: tuple[tuple[Character, ...], ...]

    @property
    def total(self) -> int:
        """How many characters there are in all."""
        return sum(c.count for c in self.characters)


def take_inventory(
    utterances: Iterable[Utterance], text_of: Callable[[Utterance], str] = lambda utterance: utterance.text
) -> Inventory:
    """Count the characters of `utterances` and mark the odd ones.

    Args:
        text_of: which text; ``lambda u: u.raw_text`` counts the annotations as they stand in the file.
    """
    words: Counter[str] = Counter()
    first: dict[str, Utterance] = {}
    for utterance in utterances:
        # At plain spaces only: every other kind of space is a find.
        for word in re.split("( )", text_of(utterance)):
            words[word] += 1
            first.setdefault(word, utterance)
    # Texts repeat their words, so each is looked at once.
    letters, letter_first = _spread(words, first, lambda word: word)
    clusters, cluster_first = _spread(words, first, _clusters)
    mixed = _mixed_scripts(words)
    # Fewer are hardly learned, and in a large corpus what is as seldom is a slip more often than a letter.
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


def code_point(character: str) -> str:
    """As Unicode writes it: ``U+0061``."""
    return f"U+{ord(character):04X}"


def invisible(character: str) -> bool:
    """Nothing is seen of it, or less than there is: spaces but the plain one, joiners, soft hyphen, BOM, controls."""
    return (
        (unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn", "Zs", "Zl", "Zp") and character != " ")
        or character in "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
        or "\ufe00" <= character <= "\ufe0f"
    )


def visible(text: str) -> str:
    """`text` with its invisible characters spelled out, safe to print: ``a‹U+200D›b``."""
    return "".join(f"‹{code_point(c)}›" if invisible(c) else c for c in text)


def shown(character: str) -> str:
    """A character by itself, as one can see it: a combining mark on a circle, a space as ␣."""
    if character == " ":
        return "␣"
    if unicodedata.category(character)[0] == "M" and not invisible(character):
        return f"◌{character}"
    return visible(character)


def excerpt(text: str, part: str, width: int = 48) -> str:
    """`text`, or if it is long the `width` characters around the first `part` in it."""
    at = max(0, min(text.find(part) - width // 2, len(text) - width))
    return ("…" if at else "") + text[at : at + width] + ("…" if at + width < len(text) else "")


def _spread(
    words: Counter[str], first: dict[str, Utterance], parts: Callable[[str], Iterable[str]]
) -> tuple[Counter[str], dict[str, Utterance]]:
    """Count the parts of counted words, and find the first utterance of each."""
    counts: Counter[str] = Counter()
    where: dict[str, Utterance] = {}
    for word, count in words.items():
        for part in parts(word):
            counts[part] += count
            where.setdefault(part, first[word])
    return counts, where


def _clusters(word: str) -> Iterator[str]:
    """Each base character with the combining marks on it; marks without a base by themselves."""
    start = 0
    for index in range(1, len(word) + 1):
        if index == len(word) or unicodedata.category(word[index])[0] != "M":
            yield word[start:index]
            start = index


def _script(character: str) -> str:
    """LATIN, CYRILLIC …; empty for what belongs to no script or to all: digits, marks, modifier letters."""
    name = unicodedata.name(character, "") if character.isalpha() else ""
    if name.startswith(_SCRIPTLESS):
        return ""
    script = name.split(" ")[0]
    return "EAST ASIAN" if script in _EAST_ASIAN else script


def _mixed_scripts(words: Mapping[str, int]) -> dict[str, Counter[str]]:
    """Letters in words that are mostly of another script: letter → the other script → how often.

    A word of one letter is held against the whole corpus, where its script is next to nowhere: ``а`` (Cyrillic)
    in ``ni а ku``.
    """
    scripts = {c: _script(c) for word in words for c in word}
    whole: Counter[str] = Counter()
    for word, count in words.items():
        for c in word:
            if scripts[c]:
                whole[scripts[c]] += count
    mixed: dict[str, Counter[str]] = defaultdict(Counter)
    for word, count in words.items():
        own = Counter(scripts[c] for c in word if scripts[c])
        home = max(own, key=lambda script: (own[script], whole[script]), default="")
        if own.total() == 1 and whole[home] < 0.05 * whole.total():
            home = max(whole, key=whole.__getitem__)
        for c in word:
            if scripts[c] not in ("", home):
                mixed[c][home] += count
    return mixed


def _marks(character: str, counts: Mapping[str, int], rare: float, mixed: Mapping[str, Counter[str]]) -> Iterator[str]:
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
        # The less frequent of two is the one to look at.
        if other != character and counts.get(other, 0) >= counts[character]:
            yield f"looks like {shown(other)} {code_point(other)} ({counts[other]} ×)"
