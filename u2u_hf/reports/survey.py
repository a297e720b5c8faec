"""What a corpus holds, told from a preparation: files, tiers, characters, pace. Nothing here is decided or changed."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from u2u_hf.corpus.reader import AUDIO_SUFFIXES, Recording, files_below
from u2u_hf.records import Tier, Utterance
from u2u_hf.reports.characters import Character, Inventory, take_inventory

if TYPE_CHECKING:
    from u2u_hf.corpus.preparation import Preparation

Dropped = Sequence[tuple[Utterance, str]]


@dataclass(frozen=True)
class TierSummary:
    """All tiers of one name.

    Attributes:
        files: recordings that have it; `chosen`: those in which it was chosen.
        samples: up to three annotations, from the beginning, the middle and the end of the corpus.
    """

    name: str
    linguistic_types: tuple[str, ...]
    participants: tuple[str, ...]
    files: int
    chosen: int
    why: str
    annotations: int
    hours: float
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Outlier:
    """An utterance that is spoken much faster or slower than the others; `reason` if it was left out."""

    utterance: Utterance
    characters_per_second: float
    reason: str = ""


@dataclass(frozen=True)
class Survey:
    """What a corpus holds.

    Attributes:
        name: the corpus folder's.
        annotation_files, audio_files: how many were found, whether or not they could be used.
        without_annotation: recordings, as paths in the corpus, that no annotation file belongs to.
        unusable: annotation files without audio, and other files that could not be used, with the reason.
        recordings: name → its audio, as a path in the corpus.
        kept, left_out: the utterances of the chosen tiers.
        characters: of the chosen tiers' text after the rules.
        written: of the same annotations as they stand in the files.
        removed: characters that are in the annotations and no more in the text, neither as small letters.
        origins: recording → what to take from an audio time to get the time that ELAN shows.
    """

    name: str
    annotation_files: int
    audio_files: int
    without_annotation: list[str]
    unusable: list[tuple[str, str]]
    recordings: dict[str, str]
    tiers: list[TierSummary]
    kept: list[Utterance]
    left_out: list[tuple[Utterance, str]]
    characters: Inventory
    written: Inventory
    removed: list[Character]
    outliers: list[Outlier]
    origins: dict[str, int]

    def time(self, utterance: Utterance) -> str:
        """Where an utterance begins, as ELAN shows it: ``00:01:02.345``."""
        return clock(utterance.start_ms - self.origins.get(utterance.recording, 0))


def survey(preparation: Preparation, corpus: Path) -> Survey:
    """Look at everything that a preparation found and decided.

    Args:
        corpus: the folder it was made from.
    """
    kept = [u for row in preparation.splits.values() for u in row]
    everything = in_order([*kept, *(u for u, _ in preparation.dropped)])
    audio = [path for path in files_below(corpus)[0] if path.suffix.lower() in AUDIO_SUFFIXES]
    used = {recording.audio for recording in preparation.recordings}
    characters = take_inventory(everything)
    written = take_inventory(everything, lambda utterance: utterance.raw_text)
    left = {c.character for c in characters.characters}
    return Survey(
        name=corpus.resolve().name,
        annotation_files=len(
            {within(r.document.path, corpus) for r in preparation.recordings}
            | {within(s.where, corpus) for s in preparation.skipped}
        ),
        audio_files=len(audio),
        without_annotation=[within(path, corpus) for path in audio if str(path) not in used],
        unusable=[(within(s.where, corpus), s.reason) for s in preparation.skipped],
        recordings={r.name: within(r.audio, corpus) for r in preparation.recordings},
        tiers=summarise_tiers(preparation.recordings, preparation.tiers, preparation.why),
        kept=in_order(kept),
        left_out=preparation.dropped,
        characters=characters,
        written=written,
        removed=[c for c in written.characters if not {c.character, *c.character.lower()} & left],
        outliers=pace_outliers(kept, preparation.dropped),
        origins={r.name: r.origin_ms for r in preparation.recordings},
    )


def summarise_tiers(
    recordings: Iterable[Recording], chosen: dict[str, list[Tier]], why: dict[str, str]
) -> list[TierSummary]:
    """Tiers of the same name taken together: the chosen ones first, then by name."""
    tiers: dict[str, list[Tier]] = defaultdict(list)
    picked: dict[str, int] = defaultdict(int)
    for recording in recordings:
        for tier in recording.document.tiers:
            tiers[tier.name].append(tier)
        for tier in chosen.get(recording.name, ()):
            picked[tier.name] += 1
    summaries = [
        TierSummary(
            name=name,
            linguistic_types=_distinct(tier.linguistic_type for tier in group),
            participants=_distinct(tier.participant for tier in group),
            files=len(group),
            chosen=picked[name],
            why=why.get(name, ""),
            annotations=sum(len(tier.annotations) for tier in group),
            hours=sum(a.end_ms - a.start_ms for tier in group for a in tier.annotations) / 3_600_000,
            samples=_spread([a.value for tier in group for a in tier.annotations if a.value.strip()], 3),
        )
        for name, group in tiers.items()
    ]
    return sorted(summaries, key=lambda tier: (not tier.chosen, tier.name))


def characters_per_second(utterance: Utterance) -> float | None:
    """Of the text after the rules; None where there is no text or no time."""
    if not utterance.text or utterance.duration <= 0:
        return None
    return len(utterance.text) / utterance.duration


def pace_outliers(kept: Sequence[Utterance], left_out: Dropped, fewest: int = 20) -> list[Outlier]:
    """Utterances far faster or slower than the rest: wrong times or text, most often. The farthest first.

    Far is a modified z-score above 3.5 (Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers), of the
    logarithm, since half and double the usual pace are equally strange. Fewer than `fewest` utterances tell
    nothing of what is usual.
    """
    paces = [(u, pace, "") for u in kept if (pace := characters_per_second(u))]
    paces += [(u, pace, reason) for u, reason in left_out if (pace := characters_per_second(u))]
    if len(paces) < fewest:
        return []
    middle = statistics.median(math.log(pace) for _, pace, _ in paces)
    far = [abs(math.log(pace) - middle) for _, pace, _ in paces]
    spread = max(statistics.median(far), 0.05)  # texts read by a metronome are all alike
    ranked = sorted(zip(far, paces, strict=True), key=lambda item: -item[0])
    return [Outlier(*row) for distance, row in ranked if 0.6745 * distance > 3.5 * spread]


def hours_by(utterances: Iterable[Utterance], key: Callable[[Utterance], str]) -> dict[str, float]:
    """Hours of each speaker, recording or what `key` tells, the most first."""
    hours: dict[str, float] = defaultdict(float)
    for utterance in utterances:
        hours[key(utterance)] += utterance.duration / 3600
    return dict(sorted(hours.items(), key=lambda item: (-item[1], item[0])))


def reasons(left_out: Dropped) -> dict[str, tuple[int, Utterance]]:
    """Why utterances are left out: reason → how many, and the first one. The most frequent first."""
    groups: dict[str, list[Utterance]] = defaultdict(list)
    for utterance, reason in left_out:
        groups[reason].append(utterance)
    ranked = sorted(groups.items(), key=lambda item: -len(item[1]))
    return {reason: (len(group), in_order(group)[0]) for reason, group in ranked}


def in_order(utterances: Iterable[Utterance]) -> list[Utterance]:
    """By recording, then time."""
    return sorted(utterances, key=lambda u: (u.recording, u.start_ms, u.tier))


def within(path: str | Path, corpus: Path) -> str:
    """A path as seen from the corpus folder."""
    path = Path(path)
    return path.relative_to(corpus).as_posix() if path.is_relative_to(corpus) else str(path)


def length(hours: float) -> str:
    """``4.2 min``, ``3.1 h``."""
    return f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.1f} min"


def clock(ms: int) -> str:
    """``00:01:02.345``, as in ELAN; negative before the beginning."""
    seconds, rest = divmod(abs(ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{'-' * (ms < 0)}{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.{rest:03d}"


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))


def _spread(values: Sequence[str], count: int) -> tuple[str, ...]:
    """Up to `count` different values from all parts of `values`."""
    different = list(dict.fromkeys(values))
    step = max(1, len(different) / count)
    return tuple(different[int(step * (i + 0.5))] for i in range(min(count, len(different))))
