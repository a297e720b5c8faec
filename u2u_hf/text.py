"""From what linguists write to what a recogniser learns: ordered, named, counted rules.

Rules come as plain data, one mapping each, applied in order::

    - unicode: NFC
    - markup: {tags: keep_text, foreign: drop_text, unk: drop_utterance}   # "tags" is every other tag
    - brackets: {"[]": drop_text, "()": keep_text}
    - replace: {"’": "ʼ", "1": "¹"}
    - regex: {"\\\\s*\\\\*": ""}
    - case: lower
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
_WITHIN_WORDS = "'’ʼ‘`´-‐‑·"
_TAG = re.compile(r"</?\s*([^\s<>/]+)[^<>]*>")


def _unicode(form: str) -> Rule:
    if form not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise U2UError(f"rule unicode: {form!r} is no Unicode form; use NFC, NFD, NFKC or NFKD")
    return lambda text: unicodedata.normalize(form, text)


def _case(how: str) -> Rule:
    if how not in ("lower", "keep"):
        raise U2UError(f"rule case: {how!r}; use lower or keep")
    return str.lower if how == "lower" else lambda text: text


def _replace(table: Mapping[str, str]) -> Rule:
    longest_first = sorted(map(str, table), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
    return lambda text: pattern.sub(lambda match: str(table.get(match[0], "")), text)


def _regex(table: Mapping[str, str]) -> Rule:
    compiled = []
    for pattern, replacement in table.items():
        try:
            compiled.append((re.compile(pattern), str(replacement)))
        except re.error as error:
            raise U2UError(f"rule regex: {pattern!r} is not a regular expression ({error})") from error

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
        kept: list[str] = []
        dropping: list[str] = []  # names of the open tags whose text is dropped, outermost first
        at = 0
        for match in _TAG.finditer(text):
            if not dropping:
                kept.append(text[at : match.start()])
            at = match.end()
            name, closing, single = match[1], match[0].startswith("</"), match[0].endswith("/>")
            action = table.get(name, table.get("tags", "keep_text"))
            if action == "drop_utterance":
                return None
            if action == "drop_text":
                if closing and name in dropping:
                    del dropping[len(dropping) - 1 - dropping[::-1].index(name) :]
                # A tag that is never closed drops itself alone, not the rest of the utterance.
                elif not closing and not single and re.search(rf"</\s*{re.escape(name)}\s*>", text[at:]):
                    dropping.append(name)
        if not dropping:
            kept.append(text[at:])
        return "".join(kept)

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

    def apply(text: str) -> str:
        return "".join(
            " "
            if unicodedata.category(c)[0] in "PSC"
            and unicodedata.category(c) != "Sk"  # modifier symbols: tone letters ˥˩, caron ˇ
            and not (c in _WITHIN_WORDS and letter(text, i - 1) and letter(text, i + 1))
            else c
            for i, c in enumerate(text)
        )

    return apply if how == "drop" else lambda text: text


def _alphabet(characters: str) -> Rule:
    allowed = set(characters) | {" "}
    return lambda text: "".join(c for c in text if c in allowed)


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

    def __call__(self, raw: str) -> str:
        """The training text for `raw`: words parted by single spaces; empty if a rule drops the utterance."""
        text: str | None = raw
        for name, rule in self._rules:
            before, text = text, rule(text)
            self.touched[name] += text != before
            if text is None:
                return ""
        return " ".join(text.split())
