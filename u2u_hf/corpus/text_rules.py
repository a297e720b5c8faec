"""From what linguists write to what a recogniser learns: ordered, named, counted rules.

Rules come as plain data, one mapping each, applied in order::

    - unicode: NFC
    - markup: {tags: keep_text, foreign: drop_text, unk: drop_utterance}   # "tags" is every other tag
    - brackets: {"[]": drop_text, "()": keep_text}
    - replace: {"’": "ʼ", "1": "¹"}
    - regex: {"\\\\s*\\\\*": ""}
    - case: lower                       # lower-tr, lower-az, lower-lt: as Turkish, Azerbaijani, Lithuanian write
    - punctuation: drop
    - alphabet: "aábcd… "

Letters are not noise: a character counts as punctuation by its Unicode category, so superscript tones,
modifier letters (ʼ, ꞌ), combining diacritics and digits stay unless a rule names them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from u2u_hf.records import U2UError

Rule = Callable[[str], "str | None"]

DEFAULT_RULES: tuple[Mapping[str, Any], ...] = (
    {"unicode": "NFC"},
    {"markup": {"tags": "keep_text"}},
    {"brackets": {"[]": "drop_text"}},
    {"case": "lower"},
    {"punctuation": "drop"},
)

# Inside a word these are letters of many orthographies (glottal stop, compound): kept between letters.
# The last two are the invisible joiners of Indic and Arabic scripts.
_WITHIN_WORDS = "'’ʼ‘`´-‐‑·\u200c\u200d"
_TAG = re.compile(r"</?\s*([^\s<>/]+)(?:[\s/][^<>]*)?>")


def _unicode(form: str) -> Rule:
    if form not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise U2UError(f"rule unicode: {form!r} is no Unicode form; use NFC, NFD, NFKC or NFKD")
    return lambda text: unicodedata.normalize(form, text)


# Where lower case is not the same in every language: Unicode's SpecialCasing.txt.
_TURKIC = ((re.compile("İ|I\u0307"), "i"), (re.compile("I"), "ı"))
_LITHUANIAN = (
    (re.compile("([ÌÍĨ])"), lambda m: f"i\u0307{unicodedata.normalize('NFD', m[1])[1]}"),
    # Above i, j and į an accent stands beside the dot.
    (re.compile("([IJĮ])(?=([\u0300-\u036f]+))"), lambda m: m[1].lower() + ("\u0307" if _accented(m[2]) else "")),
)
_LOWER = {"lower": (), "lower-tr": _TURKIC, "lower-az": _TURKIC, "lower-lt": _LITHUANIAN}


def _accented(marks: str) -> bool:
    return any(unicodedata.combining(mark) == 230 for mark in marks)  # above the letter


def _case(how: str) -> Rule:
    if how == "keep":
        return lambda text: text
    if how not in _LOWER:
        raise U2UError(f"rule case: {how!r}; use keep or one of {', '.join(_LOWER)}")

    def apply(text: str) -> str:
        for pattern, replacement in _LOWER[how]:
            text = pattern.sub(replacement, text)
        return text.lower()

    return apply


def _written(name: str, table: Mapping[Any, Any]) -> dict[str, str]:
    """The table as it was meant: YAML takes ``1:`` for a number, ``no:`` for false, nothing for null."""
    for value in (*table, *table.values()):
        if isinstance(value, bool):
            raise U2UError(f"rule {name}: {value} is no text: write yes, no, on, off and the like in quotes")
    if "" in table:
        raise U2UError(f"rule {name}: the empty text stands everywhere: say what to look for")
    return {str(key): "" if value is None else str(value) for key, value in table.items()}


def _replace(table: Mapping[str, str]) -> Rule:
    table = _written("replace", table)
    longest_first = sorted(table, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
    return lambda text: pattern.sub(lambda match: table[match[0]], text)


def _regex(table: Mapping[str, str]) -> Rule:
    compiled = []
    for pattern, replacement in _written("regex", table).items():
        try:
            compiled.append((re.compile(pattern), replacement))
            re.sub(pattern, replacement, "")  # finds groups that are not there
        except (re.error, IndexError) as error:
            raise U2UError(f"rule regex: {pattern!r}: {replacement!r} is not a regular expression ({error})") from error

    def apply(text: str) -> str:
        for pattern, replacement in compiled:
            text = pattern.sub(replacement, text)
        return text

    return apply


_ACTIONS = ("keep_text", "drop_text", "drop_utterance")


def _checked(name: str, table: Mapping[str, str]) -> Mapping[str, str]:
    for key, action in table.items():
        if action not in _ACTIONS:
            raise U2UError(f"rule {name}: {key}: {action!r}; use one of {', '.join(_ACTIONS)}")
    return table


def _markup(table: Mapping[str, str]) -> Rule:
    """Tags as in XML, matched by name and nesting; what stands between two spans is never touched."""
    _checked("markup", table)

    def apply(text: str) -> str | None:
        opened: list[re.Match[str]] = []  # tags whose text is dropped if they are closed, outermost first
        dropped: list[tuple[int, int]] = []
        for tag in _TAG.finditer(text):
            dropped.append(tag.span())
            action = table.get(tag[1], table.get("tags", "keep_text"))
            if action == "drop_utterance":
                return None
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

    return apply


def _brackets(table: Mapping[str, str]) -> Rule:
    _checked("brackets", table)
    patterns = []
    for pair, action in table.items():
        if len(pair) != 2:
            raise U2UError(f"rule brackets: {pair!r} is not an opening and a closing character")
        opening, closing = map(re.escape, pair)
        patterns.append((re.compile(f"{opening}([^{opening}{closing}]*){closing}"), action))

    def apply(text: str) -> str | None:
        for pattern, action in patterns:
            if action == "drop_utterance" and pattern.search(text):
                return None
            while (changed := pattern.sub(r"\1" if action == "keep_text" else " ", text)) != text:
                text = changed
        return text

    return apply


def _punctuation(how: str) -> Rule:
    if how not in ("drop", "keep"):
        raise U2UError(f"rule punctuation: {how!r}; use drop or keep")

    def letter(text: str, index: int) -> bool:
        return 0 <= index < len(text) and unicodedata.category(text[index])[0] in "LMN"

    def kept(text: str, index: int) -> str:
        c = text[index]
        category = unicodedata.category(c)
        if c in _WITHIN_WORDS and letter(text, index - 1) and letter(text, index + 1):
            return c
        if category == "Co" or (category == "Sk" and c <= "\uffff"):  # letters of old fonts; tone letters ˥˩, caron ˇ
            return c
        if (category == "Cf" and c != "\u200b") or "\ufe00" <= c <= "\ufe0f":  # soft hyphen, direction, emoji style
            return ""
        return " " if category[0] in "PSC" else c

    def apply(text: str) -> str:
        return "".join(kept(text, index) for index in range(len(text)))

    return apply if how == "drop" else lambda text: text


def _alphabet(characters: str) -> Rule:
    if not isinstance(characters, str):
        raise U2UError(f"rule alphabet: {characters!r} is not text: write all its letters in one pair of quotes")
    allowed = set(characters)
    return lambda text: "".join(c for c in text if c in allowed or c.isspace())


_RULES: dict[str, Callable[[Any], Rule]] = {
    "unicode": _unicode,
    "markup": _markup,
    "brackets": _brackets,
    "replace": _replace,
    "regex": _regex,
    "case": _case,
    "punctuation": _punctuation,
    "alphabet": _alphabet,
}


class TextRules:
    """Ordered rules from raw text to training text.

    Attributes:
        touched: how many texts each rule changed so far, by the rule as it was written.
        examples: the first text that each rule changed, before and after.
    """

    def __init__(self, rules: Iterable[Mapping[str, Any]] = DEFAULT_RULES):
        """Raises U2UError: an unknown rule, or one with settings it cannot have."""
        self._rules: list[tuple[str, Rule]] = []
        for index, rule in enumerate(rules, 1):
            if not isinstance(rule, Mapping) or len(rule) != 1:
                raise U2UError(f"rules: number {index} is not one name with its settings: {rule!r}")
            [(name, settings)] = rule.items()
            if name not in _RULES:
                raise U2UError(f"rules: number {index}: no rule is called {name!r}; there are {', '.join(_RULES)}")
            try:
                self._rules.append((f"{name}: {settings}", _RULES[name](settings)))
            except (AttributeError, TypeError) as error:
                raise U2UError(f"rules: number {index}: {name} cannot have the settings {settings!r}") from error
        self.touched: Counter[str] = Counter({name: 0 for name, _ in self._rules})
        self.examples: dict[str, tuple[str, str]] = {}

    def __call__(self, raw: str) -> str:
        """The training text for `raw`: words parted by single spaces; empty if a rule drops the utterance."""
        text: str | None = raw
        for name, rule in self._rules:
            before, text = text, rule(text)
            if text != before:
                self.touched[name] += 1
                self.examples.setdefault(name, (before, text or ""))
            if text is None:
                return ""
        return " ".join(text.split())
