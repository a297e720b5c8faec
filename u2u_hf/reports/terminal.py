"""The reports that are printed: what a corpus holds, what a preparation did, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from u2u_hf.records import Utterance
from u2u_hf.reports.characters import PLAIN_MARKS, Character, excerpt, shown
from u2u_hf.reports.digest import Digest, hours, hours_by
from u2u_hf.reports.quantities import length
from u2u_hf.settings import quoted
from u2u_hf.visible_text import code_point, visible

_MOST_LINES = 30  # of what report.html lists in full


def inspection(digest: Digest) -> str:
    """Return what ``--inspect`` prints."""
    parts = [
        ("FILES", _files(digest)),
        ("TIERS", _tiers(digest)),
        ("CHARACTERS", _characters(digest)),
        ("TEXT RULES", _rules(digest)),
        ("DROPPED", _dropped(digest, "{:>7}") if digest.drops else ["nothing"]),
        ("CHARACTERS A SECOND", _outliers(digest)),
        ("WHAT WOULD BE PREPARED", _prepared(digest)),
    ]
    return "\n\n".join("\n".join([title, *(f"  {line}" for line in lines)]) for title, lines in parts)


def summary(digest: Digest) -> str:
    """Return what is printed after a preparation."""
    return "\n".join(
        [
            "tiers:",
            *(f"  {visible(name)}: {visible(reason)}" for name, reason in digest.why.items()),
            *_untranscribed(digest.untranscribed),
            *_uncertain_channels(digest),
            *_splits(digest),
            *_unseen(digest),
            *_dropped(digest, "dropped: {} ×"),
            *(f"! skipped {visible(s.where)}: {visible(s.reason)}" for s in digest.skipped),
        ]
    )


def after_inspection(digest: Digest) -> str:
    """Return what to do after ``--inspect``."""
    if digest.problem:
        return "Nothing was prepared. Fix the problem above, then run the same command again."
    return "Nothing was prepared. To prepare the dataset, run the same command without --inspect."


def after_preparation(digest: Digest, dataset: Path) -> str:
    """Return a verdict on the dataset in a folder, and the next command."""
    training = hours(digest.splits["train"].utterances)
    speakers = len({u.speaker for u in digest.kept})
    verdict = (
        "An hour or more is a beginning; every further hour makes the recogniser better."
        if training >= 1
        else "That is enough to try every step. A useful recogniser needs more: at least an hour is a beginning."
    )
    return f"""
Prepared {length(hours(digest.kept))} of speech: {len(digest.kept):,} utterances of {speakers} \
speaker{"s" * (speakers != 1)}; training has {length(training)}.
{verdict}

Next, train a recogniser on it (a GPU helps):

  accelerate launch --quiet recipes/train.py --dataset {quoted(dataset)} --output_dir {quoted(f"{dataset}_model")}
"""


def _files(digest: Digest) -> Iterator[str]:
    yield (
        f"{digest.annotation_files} annotation files, {digest.audio_files} recordings, "
        f"{len(digest.sources)} pairs that can be used"
    )
    yield from _some([f"! {visible(s.where)}: {visible(s.reason)}" for s in digest.skipped])
    yield from _some([f"! {visible(name)}: no annotation file belongs to it" for name in digest.without_annotation])


def _tiers(digest: Digest) -> Iterator[str]:
    for tier in digest.tiers:
        sign = "+" if tier.chosen else "-"
        some = f"chosen in {tier.chosen} of {tier.files} files: " if 0 < tier.chosen < tier.files else ""
        yield visible(f"{sign} {tier.name}: {some}{tier.why or 'not chosen'}")
        kinds = [f"type {', '.join(tier.linguistic_types)}"] if tier.linguistic_types else []
        kinds += [f"participant {', '.join(tier.participants)}"] if tier.participants else []
        yield visible(
            f"    {', '.join([*kinds, f'{tier.annotations} annotations', length(tier.hours)])}, "
            f"{tier.files} file{'s' * (tier.files != 1)}"
        )
        for sample in tier.samples:
            yield f"    «{visible(excerpt(sample, '', 90))}»"


def _untranscribed(names: Sequence[str]) -> Iterator[str]:
    if names:
        more = f" and {len(names) - 5} more recordings" if len(names) > 5 else ""
        yield visible(f"  ! no tier was chosen in {', '.join(names[:5])}{more}")


def _uncertain_channels(digest: Digest) -> Iterator[str]:
    for choice in digest.channels:
        if choice.close:
            yield visible(
                f"  ! {choice.recording}, tier {choice.tier}: channel {choice.channel + 1} is louder by only "
                f"{choice.margin_db:.1f} dB: one microphone for everybody, or the speaker is on both channels"
            )


def _characters(digest: Digest) -> Iterator[str]:
    found = digest.characters
    yield f"{found.total} in all, {len(found.characters)} different, after the text rules"
    for character in found.characters:
        yield from _lines(digest, character, lambda u: u.text)
    for group in found.look_alikes:
        yield f"! look alike: {', '.join(f'{shown(c.character)} {c.code_point} ({c.count} ×)' for c in group)}"
    for spellings in digest.written.mixed_forms:
        ways = ", ".join(f"{visible(w.text)} as {' '.join(map(code_point, w.text))} ({w.count} ×)" for w in spellings)
        yield f"! one letter in several spellings, in the annotations: {ways}"
    if found.sequences:
        yield f"with combining marks: {'  '.join(f'{visible(s.text)} ({s.count} ×)' for s in found.sequences)}"
    if digest.removed:
        yield "removed or replaced by text rules, somewhere or everywhere:"
        for character in digest.removed:
            yield from _lines(digest, character, lambda u: u.raw_text)


def _lines(digest: Digest, found: Character, text_of: Callable[[Utterance], str]) -> Iterator[str]:
    example = visible(excerpt(text_of(found.example), found.character, 30))
    plain, odd = ([m for m in found.marks if (m in PLAIN_MARKS) == known] for known in (True, False))
    name = f"{found.name} ({', '.join(plain)})" if plain else found.name
    yield f"{found.count:>7} {shown(found.character):<2} {found.code_point:<7} {name:<44} «{example}»"
    if odd:
        yield f"{'':>8}! {'; '.join(odd)}, first in {_where(digest, found.example)}"


def _rules(digest: Digest) -> Iterator[str]:
    for rule, count in digest.rules.items():
        yield f"{count:>7} annotations changed by {visible(rule)}"
        if rule in digest.rule_examples:
            before, after = (visible(excerpt(text, "", 60)) for text in digest.rule_examples[rule])
            yield f"        «{before}» → «{after}»"


def _dropped(digest: Digest, count: str) -> Iterator[str]:
    """Yield a line for each reason, and one for each audio file and detail.

    Args:
        count: the format of the number that begins the line.
    """
    for group in digest.drops:
        yield visible(f"{count.format(group.count)} {group.reason}, first in {_where(digest, group.first)}")
        yield from _some([visible(f"{'':>8}{n} in {audio}: {detail}") for (audio, detail), n in group.details.items()])


def _outliers(digest: Digest) -> Iterator[str]:
    lines = [
        f"{o.characters_per_second:>7.1f} in {_where(digest, o.utterance)}: "
        f"«{visible(excerpt(o.utterance.text, '', 40))}»"
        for o in digest.outliers
    ]
    yield from _some(lines) if lines else ["no utterance is far faster or slower than the others"]


def _prepared(digest: Digest) -> Iterator[str]:
    if digest.problem:
        yield f"! nothing yet: {visible(digest.problem)}"
    yield from _splits(digest)
    speakers = hours_by(digest.kept, lambda u: u.speaker)
    yield from _some([f"    {length(spoken)} of {visible(name)}" for name, spoken in speakers.items()])
    yield from _unseen(digest)


def _splits(digest: Digest) -> Iterator[str]:
    for name, split in digest.splits.items():
        yield (
            f"{name}: {len(split.utterances)} utterances, {length(split.hours)}, "
            f"{len(split.recordings)} recordings, {len(split.speakers)} speakers"
        )
    yield from (f"! {visible(remark)}" for remark in digest.remarks)


def _unseen(digest: Digest) -> Iterator[str]:
    if digest.unseen:
        yield f"! characters that are not in training: {' '.join(map(shown, digest.unseen))}"


def _where(digest: Digest, utterance: Utterance) -> str:
    return visible(f"{utterance.recording}, tier {utterance.tier}, at {digest.time(utterance)}")


def _some(lines: Sequence[str]) -> Iterable[str]:
    rest = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], *([f"… and {rest} more: see report.html"] if rest > 0 else [])]
