"""Text rules: from the annotation to the text that a recogniser learns.

The module is long because every rule and their registry stand here: a new rule touches this file alone.

Rules are plain data, one mapping each, applied in order::

    - unicode: NFC
    - markup: {tags: keep_text, foreign: drop_text, unk: drop_utterance}   # "tags" is every other tag
    - brackets: {"[]": drop_text, "()": keep_text}
    - replace: {"’": "ʼ", "1": "¹"}
    - regex: {"\\\\s*\\\\*": ""}
    - case: lower                       # lower-tr, lower-az, lower-lt: as Turkish, Azerbaijani, Lithuanian write
    - punctuation: drop
    - alphabet: "aábcd… "
    - praat_symbols: decode

A character is punctuation by its Unicode category, so superscript tones, modifier letters (ʼ, ꞌ), combining
diacritics and digits stay unless a rule names them. So do apostrophes, hyphens and length marks (``mi:ko``, ``mi·ko``)
between letters. Apostrophes at word edges are letters too, except where they are quotation marks in that corpus, and
length marks at word ends, and ``?``, where that corpus has them inside words: `edge_marks` has the rule. Therefore the
texts of a corpus are given to the rules together.

An infix keeps its letters: ``b<um>ili`` and ``b⟨um⟩ili`` become ``bumili``. ``praat_symbols: decode`` makes ``ŋ`` of
Praat's ``\\ng``, for text that left Praat by another program; TextGrids are decoded when they are read.

To add a rule, write a function from its settings to a `Rule` and add it to `_RULES`.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from u2u_hf.corpus.edge_marks import is_letter, letters_at_edges
from u2u_hf.formats import praat_symbols
from u2u_hf.records import U2UError, trimmed

# The texts of a corpus, in their order → each as it becomes; None drops the utterance.
Rule = Callable[[Sequence[str]], "list[str | None]"]

DEFAULT_RULES: tuple[Mapping[str, Any], ...] = (
    {"unicode": "NFC"},
    {"markup": {"tags": "keep_text"}},
    {"brackets": {"[]": "drop_text"}},
    {"case": "lower"},
    {"punctuation": "drop"},
)

# SayMore writes this into a segment that is not to be transcribed.
_IGNORED = "%ignore%"
# Between letters these are letters of many orthographies (glottal stop, compound), and are kept, as are the marks of
# `edge_marks`. The last two are the invisible joiners of Indic and Arabic scripts.
_WITHIN_WORDS = "`´-‐‑\u200c\u200d"
_UNSURE = re.compile(r"[^\w ]|_")  # the rest are letters, digits and spaces
_INFIX_BRACKETS = "⟨⟩"
_TAG = re.compile(r"</?\s*([^\s<>/]+)(?:[\s/][^<>]*)?>")
_EMPTY_TAGS = ("br", "hr", "p", "wbr")  # HTML's, which need not be closed


def is_ignored(raw: str) -> bool:
    """Return whether the annotation is SayMore's mark for a segment that is not to be transcribed."""
    return raw.strip().casefold() == _IGNORED


def _each(change: Callable[[str], str | None]) -> Rule:
    """Return the rule that changes each text by itself."""
    return lambda texts: [change(text) for text in texts]


def _unicode(form: Any) -> Rule:
    if form not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise U2UError(f"rule unicode: {trimmed(form)} is not a Unicode form; use NFC, NFD, NFKC or NFKD")
    return _each(lambda text: unicodedata.normalize(form, text))


# Languages with a lower case of their own: Unicode's SpecialCasing.txt.
_TURKIC = ((re.compile("İ|I\u0307"), "i"), (re.compile("I"), "ı"))
_LITHUANIAN = (
    (re.compile("([ÌÍĨ])"), lambda m: f"i\u0307{unicodedata.normalize('NFD', m[1])[1]}"),
    # i, j and į keep their dot below an accent.
    (re.compile("([IJĮ])(?=([\u0300-\u036f]+))"), lambda m: m[1].lower() + ("\u0307" if _accented(m[2]) else "")),
)
_LOWER = {"lower": (), "lower-tr": _TURKIC, "lower-az": _TURKIC, "lower-lt": _LITHUANIAN}


def _accented(marks: str) -> bool:
    return any(unicodedata.combining(mark) == 230 for mark in marks)  # above the letter


def _case(how: str) -> Rule:
    if how == "keep":
        return _each(lambda text: text)
    if how not in _LOWER:
        raise U2UError(f"rule case: {trimmed(how)}; use keep or one of {', '.join(_LOWER)}")

    def apply(text: str) -> str:
        for pattern, replacement in _LOWER[how]:
            text = pattern.sub(replacement, text)
        return text.lower()

    return _each(apply)


def _written(name: str, table: Mapping[Any, Any]) -> dict[str, str]:
    """Return the table as text: YAML reads ``1:`` as a number, ``no:`` as false, and nothing as null."""
    for value in (*table, *table.values()):
        if isinstance(value, bool):
            raise U2UError(f"rule {name}: {value} is not text: write yes, no, on, off and the like in quotes")
    if "" in table:
        raise U2UError(f"rule {name}: the empty text matches everywhere: write what to look for")
    return {str(key): "" if value is None else str(value) for key, value in table.items()}


def _replace(table: Mapping[str, str]) -> Rule:
    table = _written("replace", table)
    longest_first = sorted(table, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
    return _each(lambda text: pattern.sub(lambda match: table[match[0]], text))


def _regex(table: Mapping[str, str]) -> Rule:
    compiled = []
    for pattern, replacement in _written("regex", table).items():
        try:
            compiled.append((re.compile(pattern), replacement))
            re.sub(pattern, replacement, "")  # raises for a group that the pattern lacks
        except (re.error, IndexError, OverflowError, RecursionError) as error:
            what = f"{trimmed(pattern)}: {trimmed(replacement)} is not a regular expression ({str(error)[:80]})"
            raise U2UError(f"rule regex: {what}") from error

    def apply(text: str) -> str:
        for pattern, replacement in compiled:
            text = pattern.sub(replacement, text)
        return text

    return _each(apply)


_ACTIONS = ("keep_text", "drop_text", "drop_utterance")


def _checked(name: str, table: Mapping[str, str]) -> Mapping[str, str]:
    for key, action in table.items():
        if action not in _ACTIONS:
            raise U2UError(f"rule {name}: {trimmed(key)}: {trimmed(action)}; use one of {', '.join(_ACTIONS)}")
    return table


def _markup(table: Mapping[str, str]) -> Rule:
    """Match tags as XML does, by name and nesting; text between two dropped spans is kept.

    A name inside a word, which no tag closes and the table does not have, is an infix: b<um>ili.
    """
    _checked("markup", table)

    def apply(text: str) -> str | None:
        opened: list[re.Match[str]] = []  # tags whose text is dropped if they are closed, outermost first
        dropped: list[tuple[int, int]] = []
        closed = {tag[1] for tag in _TAG.finditer(text) if tag[0].startswith("</")}
        for tag in _TAG.finditer(text):
            action = table.get(tag[1], table.get("tags", "keep_text"))
            if action == "drop_utterance":
                return None
            if tag[1] not in table and tag[1] not in closed and _is_infix(tag):
                dropped += [(tag.start(), tag.start(1)), (tag.end(1), tag.end())]
                continue
            dropped.append(tag.span())
            if action == "keep_text" or tag[0].endswith("/>"):
                continue
            if not tag[0].startswith("</"):
                opened.append(tag)
            elif own := [i for i, opening in enumerate(opened) if opening[1] == tag[1]]:
                # A tag that is never closed drops itself alone, not the rest of the utterance.
                dropped.append((opened[own[-1]].start(), tag.end()))
                del opened[own[-1] :]
        kept, at = [], 0
        for start, end in sorted(dropped):
            kept.append(text[at:start])  # empty where this span lies in the one before
            at = max(at, end)
        return "".join((*kept, text[at:]))

    return _each(apply)


def _is_infix(tag: re.Match[str]) -> bool:
    """Return whether it stands inside a word, as in ``b<um>ili``; a tag would be closed somewhere."""
    text = tag.string
    inside = is_letter(text, tag.start() - 1) and is_letter(text, tag.end())
    # A second infix may follow the first one: k<um><in>ain.
    inside = inside or (text[tag.start() - 1 : tag.start()] == ">" and is_letter(text, tag.end()))
    inside = inside or (is_letter(text, tag.start() - 1) and text[tag.end() : tag.end() + 1] == "<")
    return inside and tag[0] == f"<{tag[1]}>" and tag[1].lower() not in _EMPTY_TAGS


def _brackets(table: Mapping[str, str]) -> Rule:
    _checked("brackets", table)
    patterns = []
    for pair, action in table.items():
        if len(pair) != 2:
            raise U2UError(f"rule brackets: {trimmed(pair)} is not an opening and a closing character")
        opening, closing = map(re.escape, pair)
        patterns.append((re.compile(f"{opening}([^{opening}{closing}]*){closing}"), action))

    def apply(text: str) -> str | None:
        for pattern, action in patterns:
            if action == "drop_utterance" and pattern.search(text):
                return None
            while (changed := pattern.sub(r"\1" if action == "keep_text" else " ", text)) != text:
                text = changed
        return text

    return _each(apply)


def _punctuation(how: str) -> Rule:
    if how not in ("drop", "keep"):
        raise U2UError(f"rule punctuation: {trimmed(how)}; use drop or keep")

    if how == "keep":
        return _each(lambda text: text)
    return lambda texts: [
        _UNSURE.sub(functools.partial(_without_punctuation, letters=letters), text)
        for text, letters in zip(texts, letters_at_edges(texts), strict=True)
    ]


def _without_punctuation(found: re.Match[str], letters: Container[int]) -> str:
    """Return what becomes of a character: itself, a space, or nothing."""
    text, index, c = found.string, found.start(), found[0]
    if index in letters:
        return c
    if c in _WITHIN_WORDS and is_letter(text, index - 1) and is_letter(text, index + 1):
        return c
    category = unicodedata.category(c)
    if category == "Co" or (category == "Sk" and c <= "\uffff"):  # letters of old fonts; tone letters ˥˩, caron ˇ
        return c
    if (category == "Cf" and c != "\u200b") or "\ufe00" <= c <= "\ufe0f":  # soft hyphen, direction, emoji style
        return ""
    if c in _INFIX_BRACKETS and is_letter(text, index - 1) and is_letter(text, index + 1):
        return ""
    return " " if category[0] in "PSC" else c


def _praat_symbols(how: str) -> Rule:
    if how not in ("decode", "keep"):
        raise U2UError(f"rule praat_symbols: {trimmed(how)}; use decode or keep")
    return _each(praat_symbols.decoded if how == "decode" else lambda text: text)


def _alphabet(characters: str) -> Rule:
    if not isinstance(characters, str):
        raise U2UError(f"rule alphabet: {trimmed(characters)} is not text: write all its letters in one pair of quotes")
    allowed = set(characters)
    return _each(lambda text: "".join(c for c in text if c in allowed or c.isspace()))


_RULES: dict[str, Callable[[Any], Rule]] = {
    "unicode": _unicode,
    "markup": _markup,
    "brackets": _brackets,
    "replace": _replace,
    "regex": _regex,
    "case": _case,
    "punctuation": _punctuation,
    "alphabet": _alphabet,
    "praat_symbols": _praat_symbols,
}


class TextRules:
    """Ordered rules from raw text to training text.

    Attributes:
        touched: how many texts each rule changed so far, by the rule as it was written.
        examples: the first text that each rule changed, before and after.
    """

    def __init__(self, rules: Iterable[Mapping[str, Any]] = DEFAULT_RULES):
        """Compile the rules.

        Raises:
            U2UError: a rule is unknown, or its settings are invalid.
        """
        self._rules: list[tuple[str, Rule]] = []
        for index, rule in enumerate(rules, 1):
            if not isinstance(rule, Mapping) or len(rule) != 1:
                raise U2UError(f"rules: number {index} is not one name with its settings: {trimmed(rule)}")
            [(name, settings)] = rule.items()
            if name not in _RULES:
                raise U2UError(
                    f"rules: number {index}: no rule is called {trimmed(name)}; there are {', '.join(_RULES)}"
                )
            try:
                written = f"{name}: {settings}"
                again = f" (again, as number {index})" if written in dict(self._rules) else ""
                self._rules.append((f"{written}{again}", _RULES[name](settings)))
            except (AttributeError, TypeError) as error:
                raise U2UError(f"rules: number {index}: {name} cannot have the settings {trimmed(settings)}") from error
        self.touched: Counter[str] = Counter({name: 0 for name, _ in self._rules})
        self.examples: dict[str, tuple[str, str]] = {}

    def __call__(self, raw: str) -> str:
        """Return the training text of a text by itself; of a corpus, `of_corpus` knows more."""
        return self.of_corpus([raw])[0]

    def of_corpus(self, raws: Sequence[str]) -> list[str]:
        """Return the training text of each of a corpus's texts, with single spaces between words.

        It is empty if a rule drops the utterance, and for SayMore's ``%ignore%``.

        Args:
            raws: the annotations as the files have them, in their order.
        """
        texts: list[str | None] = [None if is_ignored(raw) else raw for raw in raws]
        for name, rule in self._rules:
            numbers = [number for number, text in enumerate(texts) if text is not None]
            before = [text for text in texts if text is not None]
            for number, text, changed in zip(numbers, before, rule(before), strict=True):
                if changed != text:
                    self.touched[name] += 1
                    self.examples.setdefault(name, (text, changed or ""))
                    texts[number] = changed
        return [" ".join((text or "").split()) for text in texts]
