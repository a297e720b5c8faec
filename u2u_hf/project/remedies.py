"""What is wrong in a corpus, where, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from u2u_hf.reports.digest import Digest
from u2u_hf.visible_text import visible


@dataclass(frozen=True)
class Problem:
    """A problem of a corpus.

    Attributes:
        what: what is wrong. count: how many annotations or files have it.
        where: the first file, tier and time.
        remedy: the name of what can be done, one of `REMEDIES`.
    """

    what: str
    count: int
    where: str
    remedy: str


# Beginning of a reason → the name of its remedy: pages have the words for it.
_BY_REASON = {
    "the annotation is empty": "nothing",
    "the annotation is %ignore%": "nothing",
    "nothing is left": "rules",
    "the annotation ends before": "times",
    "shorter than": "limits",
    "longer than": "long",
    "fewer than": "limits",
    "more than": "times",
    "more characters than": "times",
    "the same annotation": "nothing",
    "overlaps another speaker": "overlap",
    "the annotation overlaps": "times",
    "the audio cannot be read": "audio",
    "the annotation is not inside": "other_audio",
    "the audio does not have": "channels",
    "the recording is silent": "channels",
    "in validation, but": "nothing",
    "in test, but": "nothing",
}
REMEDIES = ("file", "alone", "tiers", "pace", "close", "unseen", *dict.fromkeys(_BY_REASON.values()))


def problems(digest: Digest) -> list[Problem]:
    """Return the problems of a corpus, files first, then what most annotations have."""
    return [*_files(digest), *_tiers(digest), *_annotations(digest), *_pace(digest), *_channels(digest)]


def _files(digest: Digest) -> Iterator[Problem]:
    for skipped in digest.skipped:
        if skipped.is_problem:
            yield Problem(visible(skipped.reason), 1, visible(skipped.where), "file")
    if digest.without_annotation:
        first = visible(digest.without_annotation[0])
        yield Problem("no annotation file belongs to it", len(digest.without_annotation), first, "alone")


def _tiers(digest: Digest) -> Iterator[Problem]:
    if digest.untranscribed:
        yield Problem("no tier was chosen", len(digest.untranscribed), visible(digest.untranscribed[0]), "tiers")
    if digest.unseen:
        letters = " ".join(map(visible, digest.unseen))
        yield Problem(f"not in training: {letters}", len(digest.unseen), "", "unseen")


def _annotations(digest: Digest) -> Iterator[Problem]:
    for group in digest.drops:
        first = group.first
        where = visible(f"{first.recording}, {first.tier}, {digest.time(first)}")
        remedy = next((name for begin, name in _BY_REASON.items() if group.reason.startswith(begin)), "nothing")
        yield Problem(visible(group.reason), group.count, where, remedy)


def _pace(digest: Digest) -> Iterator[Problem]:
    for outlier in digest.outliers[:10]:
        one = outlier.utterance
        where = visible(f"{one.recording}, {one.tier}, {digest.time(one)}")
        yield Problem(f"{outlier.characters_per_second:.1f} characters a second", 1, where, "pace")


def _channels(digest: Digest) -> Iterator[Problem]:
    for choice in digest.channels:
        if choice.close:
            what = f"channel {choice.channel + 1} is louder by only {choice.margin_db:.1f} dB"
            yield Problem(what, 1, visible(f"{choice.recording}, {choice.tier}"), "close")
