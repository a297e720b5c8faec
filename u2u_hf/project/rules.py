"""Changing a project's text rules one character at a time, with what becomes of real annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from u2u_hf.corpus.text_rules import DEFAULT_RULES, TextRules
from u2u_hf.records import Utterance
from u2u_hf.reports.digest import Digest, in_order

Rules = list[dict[str, Any]]


@dataclass(frozen=True)
class Change:
    """What becomes of an annotation: as the file has it, its text by the rules so far, and by the new ones."""

    utterance: Utterance
    before: str
    after: str


def rules_of(settings: Mapping[str, Any]) -> Rules:
    """Return the rules in the settings of a preparation, or the default ones."""
    return [dict(rule) for rule in settings.get("rules") or DEFAULT_RULES]


def with_replacement(rules: Sequence[Mapping[str, Any]], what: str, by: str) -> Rules:
    """Return the rules with one replacement more: `by` may be empty.

    It comes before the rule for punctuation, which would remove marks that a person writes as letters, and after the
    one for case, so that it need not be written twice.
    """
    found = [dict(rule) for rule in rules]
    at = next((number for number, rule in enumerate(found) if "punctuation" in rule), len(found))
    if at and "replace" in found[at - 1]:
        found[at - 1] = {"replace": {**found[at - 1]["replace"], what: by}}
    else:
        found.insert(at, {"replace": {what: by}})
    return found


def written(rules: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return each rule in words, as a digest names it.

    Raises:
        U2UError: a rule is invalid.
    """
    return list(TextRules(rules).touched)


def without(rules: Sequence[Mapping[str, Any]], rule: str, what: str = "") -> Rules:
    """Return the rules without the one that is written so, or without one replacement of it; all if there is none."""
    found, names = [dict(rule) for rule in rules], written(rules)
    if rule not in names:
        return found
    number = names.index(rule)
    if what:
        replacements = found[number].get("replace", {})
        left = {key: value for key, value in replacements.items() if str(key) != what}
        if left or len(left) == len(replacements):
            return [*found[:number], {"replace": left} if left else found[number], *found[number + 1 :]]
    del found[number]
    return found


def changes(digest: Digest, rules: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Return the annotations whose text these rules change from what it is in the digest, in order of the corpus.

    Raises:
        U2UError: a rule is invalid.
    """
    utterances = in_order([*digest.kept, *(drop.utterance for drop in digest.dropped)])
    after = TextRules(rules).of_corpus([utterance.raw_text for utterance in utterances])
    both = zip(utterances, after, strict=True)
    return [Change(utterance, utterance.text, text) for utterance, text in both if utterance.text != text]
