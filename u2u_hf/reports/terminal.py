"""What a corpus holds, as a person reads it in a terminal before anything is made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from u2u_hf.records import Utterance
from u2u_hf.reports.characters import PLAIN_MARKS, Character, code_point, excerpt, shown, visible
from u2u_hf.reports.survey import Survey, hours_by, length, reasons

_MOST_LINES = 30  # of what report.html lists in full


def in_words(survey: Survey, report: dict[str, Any]) -> str:
    """The summary of ``--inspect``.

    Args:
        report: from `report.preparation_report`.
    """
    parts = [
        ("FILES", _files(survey)),
        ("TIERS", _tiers(survey)),
        ("CHARACTERS", _characters(survey)),
        ("TEXT RULES", _rules(report)),
        ("LEFT OUT", _left_out(survey)),
        ("CHARACTERS A SECOND", _outliers(survey)),
        ("WHAT WOULD BE PREPARED", _prepared(survey, report)),
    ]
    return "\n\n".join("\n".join([title, *(f"  {line}" for line in lines)]) for title, lines in parts)


def _files(survey: Survey) -> Iterator[str]:
    yield (
        f"{survey.annotation_files} annotation files, {survey.audio_files} recordings, "
        f"{len(survey.recordings)} pairs that can be used"
    )
    yield from _some([f"! {visible(name)}: {visible(reason)}" for name, reason in survey.unusable])
    yield from _some([f"! {visible(name)}: no annotation file belongs to it" for name in survey.without_annotation])


def _tiers(survey: Survey) -> Iterator[str]:
    for tier in survey.tiers:
        verdict = "+" if tier.chosen else "-"
        some = f"chosen in {tier.chosen} of {tier.files} files: " if 0 < tier.chosen < tier.files else ""
        yield visible(f"{verdict} {tier.name}: {some}{tier.why or 'not chosen'}")
        kinds = [f"type {', '.join(tier.linguistic_types)}"] if tier.linguistic_types else []
        kinds += [f"participant {', '.join(tier.participants)}"] if tier.participants else []
        yield visible(
            f"    {', '.join([*kinds, f'{tier.annotations} annotations', length(tier.hours)])}, "
            f"{tier.files} file{'s' * (tier.files != 1)}"
        )
        for sample in tier.samples:
            yield f"    «{visible(excerpt(sample, '', 90))}»"


def _characters(survey: Survey) -> Iterator[str]:
    found = survey.characters
    yield f"{found.total} in all, {len(found.characters)} different, after the text rules"
    for character in found.characters:
        yield from _lines(survey, character, lambda u: u.text)
    for group in found.look_alikes:
        yield f"! look alike: {', '.join(f'{shown(c.character)} {c.code_point} ({c.count} ×)' for c in group)}"
    for group in survey.written.mixed_forms:
        ways = ", ".join(f"{visible(w.text)} as {' '.join(map(code_point, w.text))} ({w.count} ×)" for w in group)
        yield f"! one letter in several spellings, in the annotations: {ways}"
    if found.sequences:
        yield f"with combining marks: {'  '.join(f'{visible(s.text)} ({s.count} ×)' for s in found.sequences)}"
    if survey.removed:
        yield "in the annotations, not in the text:"
        for character in survey.removed:
            yield from _lines(survey, character, lambda u: u.raw_text)


def _lines(survey: Survey, found: Character, text_of: Callable[[Utterance], str]) -> Iterator[str]:
    example = visible(excerpt(text_of(found.example), found.character, 30))
    plain, odd = ([m for m in found.marks if (m in PLAIN_MARKS) == known] for known in (True, False))
    name = f"{found.name} ({', '.join(plain)})" if plain else found.name
    yield f"{found.count:>7} {shown(found.character):<2} {found.code_point:<7} {name:<44} «{example}»"
    if odd:
        yield f"{'':>8}! {'; '.join(odd)}, first in {_where(survey, found.example)}"


def _rules(report: dict[str, Any]) -> Iterator[str]:
    for rule, count in report["rules"].items():
        yield f"{count:>7} annotations changed by {visible(rule)}"
        if rule in report["rule_examples"]:
            before, after = (visible(excerpt(text, "", 60)) for text in report["rule_examples"][rule])
            yield f"        «{before}» → «{after}»"


def _left_out(survey: Survey) -> Iterator[str]:
    for reason, (count, first) in reasons(survey.left_out).items():
        yield visible(f"{count:>7} {reason}, first in {_where(survey, first)}")
    if not survey.left_out:
        yield "nothing"


def _outliers(survey: Survey) -> Iterator[str]:
    lines = [
        f"{o.characters_per_second:>7.1f} in {_where(survey, o.utterance)}: "
        f"«{visible(excerpt(o.utterance.text, '', 40))}»"
        for o in survey.outliers
    ]
    yield from _some(lines) if lines else ["no utterance is far faster or slower than the others"]


def _prepared(survey: Survey, report: dict[str, Any]) -> Iterator[str]:
    if report["problem"]:
        yield f"! nothing yet: {visible(report['problem'])}"
    for name, split in report["splits"].items():
        yield (
            f"{name}: {split['utterances']} utterances, {length(split['hours'])}, "
            f"{len(split['recordings'])} recordings, {len(split['speakers'])} speakers"
        )
    speakers = hours_by(survey.kept, lambda u: u.speaker)
    yield from _some([f"    {length(hours)} of {visible(name)}" for name, hours in speakers.items()])
    if unseen := report["characters_unseen_in_training"]:
        yield f"! characters that training never shows: {' '.join(map(shown, unseen))}"


def _where(survey: Survey, utterance: Utterance) -> str:
    return visible(f"{utterance.recording}, tier {utterance.tier}, at {survey.time(utterance)}")


def _some(lines: Sequence[str]) -> Iterable[str]:
    rest = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], *([f"… and {rest} more: see report.html"] if rest > 0 else [])]
