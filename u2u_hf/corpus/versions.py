"""One sound, several annotation files: versions of one transcript, parts of it, or layers by different programs.

Tiers of two files are about the same speech if their texts are at the same times. Of these one is used: ELAN's before
Praat's before a table's, otherwise the newer version. If another format's file has other words and was changed later,
the user is told, because it may have been corrected there. Tiers at other times, or of other speakers, are all used.
"""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from u2u_hf.corpus.pairing import fold
from u2u_hf.corpus.reader import Recording
from u2u_hf.corpus.tier_times import squeezed
from u2u_hf.formats import readers
from u2u_hf.records import MACHINE_ANNOTATOR, MACHINE_TYPES, Skipped, Tier, U2UError

# How much of the shorter tier two tiers of one speaker share if they are versions; parts meet only at their seam.
_SHARED_BY_ONE_SPEAKER = 0.2
# How much of the longer tier is shared if names do not tell: two people rarely speak at once for half of the time.
_SHARED_BY_ANYBODY = 0.5
# Between two files that have more pairs of tiers, each tier is compared with so many of its own speaker's only: files
# with hundreds of tiers are damaged or generated.
_MOST_PAIRS, _MOST_OF_ONE_SPEAKER = 10_000, 20
_COPIED_TOGETHER_S = 60  # copying or unpacking a folder gives files such modification times, whatever their age
_DATE = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})-?(0[1-9]|1[0-2])-?(0[1-9]|[12][0-9]|3[01])(?![0-9])")

ChosenTiers = Mapping[str, Sequence[Tier]]


@dataclass(frozen=True)
class Newest:
    """The recordings and tiers that are used, and what another file replaces."""

    recordings: list[Recording]
    tiers: dict[str, list[Tier]]
    skipped: list[Skipped]


@dataclass(frozen=True)
class _Verdict:
    """One of two files is used in the place of the other; `why` follows its name.

    Attributes:
        doubt: why that may be wrong, and what to do then; empty if it is not.
    """

    used: Recording
    replaced: Recording
    why: str
    doubt: str = ""


def newest(recordings: Sequence[Recording], tiers: ChosenTiers) -> Newest:
    """Return the recordings with those chosen tiers only that no other file of the same sound replaces.

    Args:
        tiers: recording → its chosen tiers.

    Raises:
        U2UError: two files are versions of each other, and which is newer cannot be told.
    """
    lost: dict[str, dict[str, _Verdict]] = defaultdict(dict)  # recording → tier → what replaces it
    speech = {r.name: [_speech(r, tier) for tier in tiers.get(r.name, ())] for r in recordings}
    for one, other in _pairs(recordings, tiers):
        shared = [(a.tier, b.tier) for a, b in _to_compare(speech[one.name], speech[other.name]) if _is_same(a, b)]
        if not shared:
            continue
        ours, theirs = [a for a, _ in shared], [b for _, b in shared]
        verdict = judge(one, other, ours, theirs)
        doubt = _doubt(verdict, ours, theirs) if verdict.used is one else _doubt(verdict, theirs, ours)
        verdict = replace(verdict, doubt=doubt)
        for pair in shared:
            lost[verdict.replaced.name].setdefault(pair[verdict.replaced is other].name, verdict)
    left = {name: [t for t in row if t.name not in lost[name]] for name, row in tiers.items()}
    gone = {name for name, row in left.items() if tiers[name] and not row}
    return Newest(
        recordings=[r for r in recordings if r.name not in gone],
        tiers={name: row for name, row in left.items() if name not in gone},
        skipped=[_skipped(r, lost[r.name], r.name in gone) for r in recordings if lost[r.name]],
    )


def _pairs(recordings: Sequence[Recording], tiers: ChosenTiers) -> list[tuple[Recording, Recording]]:
    """Return each two recordings that have chosen tiers of one sound."""
    by_sound: dict[str, dict[str, Recording]] = defaultdict(dict)
    for recording in recordings:
        for tier in tiers.get(recording.name, ()):
            by_sound[recording.sound_of(tier.name).audio][recording.name] = recording
    pairs = (pair for row in by_sound.values() for pair in itertools.combinations(row.values(), 2))
    return list({(a.name, b.name): (a, b) for a, b in pairs}.values())


@dataclass(frozen=True)
class _Speech:
    """A tier, its sound, and the stretches of the sound that it has text for, in order and without overlaps."""

    tier: Tier
    audio: str
    spans: Sequence[tuple[int, int]]
    length_ms: int


def _speech(recording: Recording, tier: Tier) -> _Speech:
    sound = recording.sound_of(tier.name)
    spans = _spans(tier, sound.origin_ms)
    return _Speech(tier, sound.audio, spans, sum(end - start for start, end in spans))


def _to_compare(ours: Sequence[_Speech], theirs: Sequence[_Speech]) -> Iterable[tuple[_Speech, _Speech]]:
    """Return the pairs of tiers of two files that may be of the same speech: all, unless these are too many."""
    if len(ours) * len(theirs) <= _MOST_PAIRS:
        return itertools.product(ours, theirs)
    called: dict[tuple[str, str], list[_Speech]] = defaultdict(list)
    for one in theirs:
        for name in _names(one.tier):
            called[name].append(one)
    return ((a, b) for a in ours for name in _names(a.tier) for b in called[name][:_MOST_OF_ONE_SPEAKER])


def _names(tier: Tier) -> list[tuple[str, str]]:
    return [("tier", tier.name), *([("participant", tier.participant)] if tier.participant else [])]


def _is_same(one: _Speech, other: _Speech) -> bool:
    """Return whether two tiers annotate the same speech of one sound."""
    if one.audio != other.audio:
        return False
    shared = _shared_ms(one.spans, other.spans)
    a, b = one.tier, other.tier
    if a.name == b.name if not (a.participant and b.participant) else a.participant == b.participant:
        return shared > _SHARED_BY_ONE_SPEAKER * min(one.length_ms, other.length_ms)
    return shared > _SHARED_BY_ANYBODY * max(one.length_ms, other.length_ms)


def _spans(tier: Tier, origin_ms: int) -> list[tuple[int, int]]:
    """Return the stretches of the sound with text, in order and without overlaps."""
    spans: list[tuple[int, int]] = []
    end = -(10**15)
    for annotation in tier.annotations:
        if annotation.value.strip() and annotation.end_ms + origin_ms > end:
            spans.append((max(end, annotation.start_ms + origin_ms), annotation.end_ms + origin_ms))
            end = annotation.end_ms + origin_ms
    return spans


def _shared_ms(spans: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]]) -> int:
    shared = i = j = 0
    while i < len(spans) and j < len(others):
        (start, end), (from_, to) = spans[i], others[j]
        shared += max(0, min(end, to) - max(start, from_))
        i, j = (i + 1, j) if end < to else (i, j + 1)
    return shared


def judge(one: Recording, other: Recording, a: Sequence[Tier] = (), b: Sequence[Tier] = ()) -> _Verdict:
    """Return which of two files of one sound is used.

    An ELAN file is used before a TextGrid before a table. Of two files of one format the newer is used, by the date in
    both files; else the one with the recogniser's tiers, a copy of the other that was made later; else by the edition's
    date in the names; else by the modification times, unless both were copied at one time.

    Args:
        a, b: the tiers of `one` and `other` about the same speech; if their annotations are the same, any will do.

    Raises:
        U2UError: it cannot be told.
    """
    evidence = [
        (_order(_format_rank(one), _format_rank(other)), "annotates the same speech"),
        (_order(_saved(one), _saved(other)), "is a version of it that was saved later"),
        (_order(_has_machine_tiers(one), _has_machine_tiers(other)), "is a later copy, with the recogniser's tiers"),
        (_order(_edition(one, other), _edition(other, one)), "is a later edition, by its name"),
        (_order(_modified(one), _modified(other), _COPIED_TOGETHER_S), "is a version of it that was changed later"),
    ]
    for order, why in evidence:
        if order:
            return _Verdict(one, other, why) if order > 0 else _Verdict(other, one, why)
    if a and [t.annotations for t in a] == [t.annotations for t in b]:
        return _Verdict(one, other, "has the same annotations")
    raise U2UError(
        f"{one.document.path}: {_beside(other, one)} is another version of it, and nothing tells which is newer: "
        "take one of them out"
    )


def _doubt(verdict: _Verdict, ours: Sequence[Tier], theirs: Sequence[Tier]) -> str:
    """Return why the user should look at a verdict, and what to do then, or the empty string.

    Args:
        ours, theirs: the tiers about the same speech, of the file that is used and of the one that is replaced.
    """
    used, replaced = verdict.used, verdict.replaced
    name = _beside(used, replaced)
    # An ELAN file whose recording is missing takes one of its name from another folder: "1.wav" is in many.
    if _lies_beside(replaced) and not _lies_beside(used) and not _largely_agree(ours, theirs):
        return (
            f"that one has other words and does not lie beside this recording: if it is about another, take {name} out"
        )
    if _format_rank(used) == _format_rank(replaced):
        return ""
    if _order(_modified(replaced), _modified(used), _COPIED_TOGETHER_S) <= 0:
        return ""
    if {_wording(tier) for tier in theirs} <= {_wording(tier) for tier in ours} or _words(theirs) <= _words(ours):
        return ""  # an export, of all or of a part, or the words of an aligner
    return f"this file has other words and was changed later: if they are right, take {name} out"


def _lies_beside(recording: Recording) -> bool:
    """Return whether the annotation file is in the folder of its sound."""
    return Path(recording.document.path).parent == Path(recording.audio).parent


def _largely_agree(ours: Sequence[Tier], theirs: Sequence[Tier]) -> bool:
    """Return whether half of the words of the shorter are in the other too, as in versions of one transcript."""
    one, other = _words(ours), _words(theirs)
    return 2 * (one & other).total() >= min(one.total(), other.total())


def _words(tiers: Iterable[Tier]) -> Counter[str]:
    tiers_once = {id(tier): tier for tier in tiers}.values()
    return Counter(word for tier in tiers_once for a in tier.annotations for word in a.value.casefold().split())


def _wording(tier: Tier) -> str:
    return squeezed("".join(annotation.value for annotation in tier.annotations))


def _order(one: float | None, other: float | None, least: float = 0) -> int:
    """Return 1 if the first is greater, -1 if the second, 0 if they differ by `least` at most or one is unknown."""
    if one is None or other is None or abs(one - other) <= least:
        return 0
    return 1 if one > other else -1


def _format_rank(recording: Recording) -> float | None:
    """Return the greater, the earlier the file's format stands in the registry; None if it is unknown."""
    path = Path(recording.document.path)
    ranks = [-rank for rank, reader in enumerate(readers.READERS) if reader.spelled(path)]
    return ranks[0] if ranks else None


def _saved(recording: Recording) -> float | None:
    """Return the date that the file itself gives, in seconds; without a time zone, as UTC."""
    try:
        # Python 3.10 reads neither a Z nor the zone +0200.
        written = re.sub("Z$", "+00:00", recording.document.date.strip())
        written = re.sub(r"([+-][0-9]{2})([0-9]{2})$", r"\1:\2", written)
        date = datetime.fromisoformat(written)
        return (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None


def _has_machine_tiers(recording: Recording) -> bool:
    tiers = recording.document.tiers
    return any(tier.linguistic_type in MACHINE_TYPES or tier.annotator == MACHINE_ANNOTATOR for tier in tiers)


def _edition(recording: Recording, other: Recording) -> float | None:
    """Return the date in the file's name, as YYYYMMDD; 0 for the plain name that the other edition goes on from."""
    stem = fold(Path(recording.document.path).stem)
    if dates := set(_dates(stem)) - set(_dates(fold(Path(recording.audio).stem))):
        return max(dates)
    plain = stem == fold(Path(recording.audio).stem) or fold(Path(other.document.path).stem).startswith(stem)
    return 0 if plain else None


def _dates(name: str) -> list[int]:
    return [int("".join(found)) for found in _DATE.findall(name)]


def _modified(recording: Recording) -> float | None:
    try:
        return os.stat(recording.document.path).st_mtime
    except OSError:
        return None


def _beside(recording: Recording, other: Recording) -> str:
    """Return the path of a recording's annotation file as seen from the other's; no folder above both is named.

    Of files that were not read from one folder it is the name alone: reports of it are pushed.
    """
    path, beside = Path(recording.document.path), Path(other.document.path).parent
    return Path(os.path.relpath(path, beside)).as_posix() if _folder(recording) == _folder(other) else path.name


def _folder(recording: Recording) -> Path | None:
    """Return the folder that a recording was read from: that in which its annotation file has the recording's name."""
    path = Path(recording.document.path)
    outermost_first = reversed(path.parents)
    within = ((folder, path.relative_to(folder).with_suffix("").as_posix()) for folder in outermost_first)
    return next((folder for folder, name in within if recording.name.startswith(name)), None)


def _skipped(recording: Recording, lost: Mapping[str, _Verdict], whole: bool) -> Skipped:
    verdicts = list(lost.values())
    verdict = next((verdict for verdict in verdicts if verdict.doubt), verdicts[-1])
    more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
    tiers = "" if whole else f"tier {', '.join(sorted(lost)[:5])}{more} is not used: "
    reason = f"{tiers}{_beside(verdict.used, recording)} {verdict.why}, and is used"
    doubt = f"; {verdict.doubt}" if verdict.doubt else ""
    return Skipped(recording.document.path, f"{reason}{doubt}", is_problem=bool(doubt))
