"""The digest of a preparation: what a corpus holds and what was decided, in one record that every report renders.

Nothing here is decided or changed. Paths in it are relative to the corpus folder, because reports and cards are pushed.
The module is long because the record and all that fills it stand together: no other module counts a preparation.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from u2u_hf.corpus.channels import ChannelChoice
from u2u_hf.corpus.folder import files_below, is_audio
from u2u_hf.corpus.preparation import Preparation
from u2u_hf.corpus.reader import Recording
from u2u_hf.corpus.text_rules import is_ignored
from u2u_hf.records import Dropped, Skipped, Tier, Utterance
from u2u_hf.reports.characters import Character, Inventory, take_inventory
from u2u_hf.reports.pace import Outlier, pace_outliers
from u2u_hf.reports.quantities import elan_time


@dataclass(frozen=True)
class Source:
    """A recording that can be used: its annotation file and its audio, as paths in the corpus.

    Attributes:
        origin_ms: subtract it from a time in the audio to get the time that ELAN shows.
        tracks: tier → the audio of its speaker alone, as a path in the corpus, and its origin.
    """

    recording: str
    annotations: str
    audio: str
    origin_ms: int
    tracks: Mapping[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class TierSummary:
    """All tiers of one name.

    Attributes:
        files: how many recordings have it. chosen: in how many of them it was chosen.
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
class SplitSummary:
    """The utterances of one split."""

    utterances: list[Utterance]

    @property
    def hours(self) -> float:
        """Hours of speech."""
        return hours(self.utterances)

    @property
    def recordings(self) -> list[str]:
        """Names of the recordings, sorted."""
        return sorted({u.recording for u in self.utterances})

    @property
    def speakers(self) -> list[str]:
        """Names of the speakers, sorted."""
        return sorted({u.speaker for u in self.utterances})


@dataclass(frozen=True)
class DropGroup:
    """Utterances that were dropped for one reason.

    Attributes:
        first: the first of them in the corpus.
        details: (audio as a path in the corpus, detail) → how many; only of those that have a detail.
    """

    reason: str
    count: int
    first: Utterance
    details: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Digest:
    """What a corpus holds and what was decided.

    Attributes:
        name: the corpus folder's.
        annotation_files, audio_files: how many were found, whether or not they can be used.
        without_annotation: audio that no annotation file belongs to, as paths in the corpus.
        skipped: files that cannot be used, as paths in the corpus, with the reason.
        why: tier name → why it was chosen or not.
        untranscribed: names of recordings in which no tier was chosen.
        channels: the channel of each chosen tier.
        splits: split → its utterances; all in one split if there is a `problem`.
        kept: the utterances of all splits, by recording and time.
        drops: `dropped` by reason, the most frequent first.
        outliers: the farthest first.
        characters: of the chosen tiers' text after the text rules, kept or dropped.
        written: of the same annotations as they stand in the files.
        removed: characters that text rules removed or replaced anywhere, in lower case, with how often; the most
            frequent first. White space between words is not counted.
        unseen: characters of validation and test that training lacks → how often they occur.
        rules: text rule → how many annotations it changed.
        rule_examples: text rule → the first annotation that it changed, before and after.
        problem: why no dataset can be made of this, or the empty string.
        remarks: what the user should know about the splits, and about sound that was changed.
    """

    name: str
    annotation_files: int
    audio_files: int
    without_annotation: list[str]
    skipped: list[Skipped]
    sources: dict[str, Source]
    tiers: list[TierSummary]
    why: dict[str, str]
    untranscribed: list[str]
    channels: list[ChannelChoice]
    splits: dict[str, SplitSummary]
    kept: list[Utterance]
    dropped: list[Dropped]
    drops: list[DropGroup]
    outliers: list[Outlier]
    characters: Inventory
    written: Inventory
    removed: list[Character]
    unseen: dict[str, int]
    rules: dict[str, int]
    rule_examples: dict[str, tuple[str, str]]
    problem: str
    remarks: list[str]

    def time(self, utterance: Utterance) -> str:
        """Return where an utterance begins, as ELAN shows it: ``00:01:02.345``."""
        source = self.sources.get(utterance.recording)
        _, origin_ms = source.tracks.get(utterance.tier, ("", source.origin_ms)) if source else ("", 0)
        return elan_time(utterance.start_ms - origin_ms)

    def audio_of(self, utterance: Utterance) -> str:
        """Return an utterance's audio as a path in the corpus."""
        return _audio_of(utterance, self.sources)


def digest(preparation: Preparation, corpus: Path) -> Digest:
    """Return the digest of a preparation.

    Args:
        corpus: the folder that it was made from.
    """
    kept = in_order(u for row in preparation.splits.values() for u in row)
    everything = in_order([*kept, *(drop.utterance for drop in preparation.dropped)])
    audio = [path for path in files_below(corpus)[0] if is_audio(path)]
    used = {path for recording in preparation.recordings for path in recording.all_audio}
    sources = {r.name: _source(r, corpus) for r in preparation.recordings}
    skipped = [Skipped(within(s.where, corpus), s.reason) for s in preparation.skipped]
    characters = take_inventory(everything)
    written = take_inventory(everything, lambda utterance: utterance.raw_text)
    return Digest(
        name=corpus.resolve().name,
        annotation_files=len({s.annotations for s in sources.values()} | {s.where for s in skipped}),
        audio_files=len(audio),
        without_annotation=[within(path, corpus) for path in audio if str(path) not in used],
        skipped=skipped,
        sources=sources,
        tiers=summarise_tiers(preparation.recordings, preparation.tiers, preparation.why),
        why=preparation.why,
        untranscribed=[r.name for r in preparation.recordings if not preparation.tiers.get(r.name)],
        channels=preparation.choices,
        splits={name: SplitSummary(row) for name, row in preparation.splits.items()},
        kept=kept,
        dropped=preparation.dropped,
        drops=group_drops(preparation.dropped, sources),
        outliers=pace_outliers(kept, preparation.dropped),
        characters=characters,
        written=written,
        removed=_removed(everything, written),
        unseen=_unseen(preparation.splits),
        rules=dict(preparation.touched),
        rule_examples=preparation.examples,
        problem=str(preparation.problem or ""),
        remarks=preparation.remarks,
    )


def _source(recording: Recording, corpus: Path) -> Source:
    return Source(
        recording=recording.name,
        annotations=within(recording.document.path, corpus),
        audio=within(recording.audio, corpus),
        origin_ms=recording.origin_ms,
        tracks={tier: (within(sound.audio, corpus), sound.origin_ms) for tier, sound in recording.tracks},
    )


def _removed(utterances: Iterable[Utterance], written: Inventory) -> list[Character]:
    counts: Counter[str] = Counter()
    first: dict[str, Utterance] = {}
    for utterance in utterances:
        if is_ignored(utterance.raw_text):
            continue
        # As composed letters in lower case, because only these forms differ in most texts.
        raw, text = (unicodedata.normalize("NFC", t).lower() for t in (utterance.raw_text, utterance.text))
        gone: Counter[str] = Counter(raw) - Counter(text) if raw != text else Counter()
        for character in gone:
            if character != " ":
                counts[character] += gone[character]
                first.setdefault(character, utterance)
    marks = {c.character: c.marks for c in written.characters}
    return [Character(c, count, first[c], marks.get(c, ())) for c, count in counts.most_common()]


def _unseen(splits: Mapping[str, Sequence[Utterance]]) -> dict[str, int]:
    train = {c for u in splits.get("train", ()) for c in u.text}
    evaluated = (u for name in ("validation", "test") for u in splits.get(name, ()))
    return dict(Counter(c for u in evaluated for c in u.text if c not in train))


def summarise_tiers(
    recordings: Iterable[Recording], chosen: Mapping[str, Sequence[Tier]], why: Mapping[str, str]
) -> list[TierSummary]:
    """Return one summary for each tier name: the chosen ones first, then by name."""
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


def group_drops(dropped: Iterable[Dropped], sources: Mapping[str, Source]) -> list[DropGroup]:
    """Return dropped utterances by reason, the most frequent reason first."""
    groups: dict[str, list[Dropped]] = defaultdict(list)
    for drop in dropped:
        groups[drop.reason].append(drop)
    return [
        DropGroup(
            reason=reason,
            count=len(group),
            first=in_order(drop.utterance for drop in group)[0],
            details=Counter((_audio_of(drop.utterance, sources), drop.detail) for drop in group if drop.detail),
        )
        for reason, group in sorted(groups.items(), key=lambda item: -len(item[1]))
    ]


def _audio_of(utterance: Utterance, sources: Mapping[str, Source]) -> str:
    source = sources.get(utterance.recording)
    if not source:
        return Path(utterance.audio).name
    return source.tracks.get(utterance.tier, (source.audio, 0))[0]


def hours(utterances: Iterable[Utterance]) -> float:
    """Return the hours of speech in all."""
    return sum(u.duration for u in utterances) / 3600


def hours_by(utterances: Iterable[Utterance], key: Callable[[Utterance], str]) -> dict[str, float]:
    """Return the hours of each value of `key`, such as speaker or recording, the most first."""
    groups: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in utterances:
        groups[key(utterance)].append(utterance)
    summed = {name: hours(group) for name, group in groups.items()}
    return dict(sorted(summed.items(), key=lambda item: (-item[1], item[0])))


def in_order(utterances: Iterable[Utterance]) -> list[Utterance]:
    """Return utterances by recording, then time."""
    return sorted(utterances, key=lambda u: (u.recording, u.start_ms, u.tier))


def within(path: str | Path, corpus: Path) -> str:
    """Return a path relative to the corpus folder; of a path outside it the file name alone."""
    path = Path(path)
    return path.relative_to(corpus).as_posix() if path.is_relative_to(corpus) else path.name


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))


def _spread(values: Sequence[str], count: int) -> tuple[str, ...]:
    """Return up to `count` different values from all parts of `values`."""
    different = list(dict.fromkeys(values))
    step = max(1, len(different) / count)
    return tuple(different[int(step * (i + 0.5))] for i in range(min(count, len(different))))
