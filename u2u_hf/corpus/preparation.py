"""From a folder of annotations to splits of utterances: the decisions of a preparation, before anything is written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from u2u_hf.corpus import filters
from u2u_hf.corpus.channels import ChannelChoice, Sound, assign_channels, channel_rule, tier_order
from u2u_hf.corpus.reader import Recording, read_corpus, utterances
from u2u_hf.corpus.split_table import read_sides
from u2u_hf.corpus.splits import SplitSettings, remarks, sides, split
from u2u_hf.corpus.text_rules import DEFAULT_RULES, TextRules
from u2u_hf.corpus.tier_evidence import is_corrected_draft
from u2u_hf.corpus.tiers import choose_tiers
from u2u_hf.corpus.versions import newest
from u2u_hf.records import Dropped, Skipped, Tier, U2UError, Utterance
from u2u_hf.settings import setting

UNDIVIDED = "undivided"


@dataclass
class PreparationSettings:
    """The settings of a preparation."""

    corpus: str = setting(help="folder with the annotation files and the recordings")
    also: list[str] = setting(
        [], help="more files, and folders, that are read as if they lay in the corpus: corrected transcripts"
    )
    tiers: list[str] = setting([], help="names of the tiers with transcriptions; * and ? are wildcards")
    linguistic_types: list[str] = setting([], help="or their linguistic types; * and ? are wildcards")
    participants: list[str] = setting([], help="use only the tiers of these participants; * and ? are wildcards")
    channels: list[str] = setting(
        ["auto"], help="each speaker's channel: auto (the loudest), order (of tiers), FILE.csv, or TIER=left TIER=right"
    )
    rules: list[dict] = setting(list(DEFAULT_RULES), help="text rules, in a --config file: see corpus/text_rules.py")
    min_seconds: float = setting(0.3, help="drop utterances shorter than this many seconds")
    max_seconds: float = setting(20.0, help="drop utterances longer than this many seconds")
    min_characters: int = setting(1, help="drop texts with fewer characters")
    max_characters: int = setting(400, help="drop texts with more characters")
    max_characters_per_second: float = setting(
        35.0, help="drop utterances with more characters a second: their times are wrong, most often"
    )
    max_overlap_seconds: float = setting(
        0.25,
        help="drop utterances that overlap another speaker on the same channel by more than this many seconds",
    )
    split_by: str = setting(
        "recording",
        help="what stays together in one split: recording, speaker or utterance",
        choices=["recording", "speaker", "utterance"],
    )
    validation_share: float = setting(
        0.1, help="share of the hours, 0 to 1, for choosing the best checkpoint; more leaves less for training"
    )
    test_share: float = setting(
        0.1, help="share of the hours, 0 to 1, for the final scores; more leaves less for training"
    )
    validation_hours: float | None = setting(None, help="hours for validation, in place of the share")
    test_hours: float | None = setting(None, help="hours for test, in place of the share")
    splits: str = setting(
        "", help="table with the columns recording,split (or speaker,split) that pins recordings; prepare writes one"
    )
    allow_repeated_sentences: bool = setting(False, help="keep sentences in validation and test that training has too")
    seed: int = setting(0, help="random seed for the split")
    language: list[str] = setting([], help="for the dataset card: ISO 639-3 or BCP 47 codes, such as xty or es-MX")
    license: str = setting("", help="for the dataset card: as the Hub calls it, such as cc-by-nc-sa-4.0")
    pretty_name: str = setting("", help="for the dataset card: its title; else the name of the corpus folder")
    hide_speakers: bool = setting(False, help="number the speakers in the dataset card; the rows still name them")

    def __post_init__(self) -> None:
        self._check_language()
        self._check_license()

    def _check_language(self) -> None:
        # The Hub would refuse the whole card for this, after the work is done. So also for the licence.
        for code in self.language:
            if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", code):
                raise U2UError(f"--language {code}: is not a language code such as xty, es or es-MX")

    def _check_license(self) -> None:
        if not re.fullmatch(r"[a-z0-9.-]*", self.license):
            raise U2UError(f"--license {self.license}: give it as the Hub does: cc-by-nc-sa-4.0, cc0-1.0, other…")

    @property
    def splitting(self) -> SplitSettings:
        """The settings that `splits.split` needs; `splits` is read, from the corpus folder too.

        Raises:
            U2UError: `splits` cannot be read.
        """
        within = Path(self.corpus) / self.splits
        table = within if self.splits and not Path(self.splits).exists() and within.exists() else Path(self.splits)
        return SplitSettings(
            by=self.split_by,
            validation_share=self.validation_share,
            test_share=self.test_share,
            validation_hours=self.validation_hours,
            test_hours=self.test_hours,
            allow_repeated_sentences=self.allow_repeated_sentences,
            seed=self.seed,
            pinned=read_sides(table, self.split_by) if self.splits else {},
            folders=[str(path if path.is_dir() else path.parent) for path in map(Path, (self.corpus, *self.also))],
        )


@dataclass(frozen=True)
class Preparation:
    """What a preparation found and decided.

    Attributes:
        tiers: recording → its chosen tiers. why: tier name → why it was chosen or not.
        touched: text rule → how many annotations it changed. examples: the first one, before and after.
        audio_problem: some utterances were dropped because their audio is missing.
        problem: why no dataset can be made of this; the utterances are then all in one split, `UNDIVIDED`.
        sides: recording (its sound's own name) or speaker → its split; empty if utterances are divided.
        remarks: what the user should know about the splits, and about sound that was changed.
    """

    recordings: list[Recording]
    skipped: list[Skipped]
    tiers: dict[str, list[Tier]]
    why: dict[str, str]
    splits: dict[str, list[Utterance]]
    dropped: list[Dropped]
    choices: list[ChannelChoice]
    touched: Counter[str]
    examples: dict[str, tuple[str, str]]
    audio_problem: bool
    problem: U2UError | None = None
    sides: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def has_skipped(self) -> bool:
        """Return whether a file was skipped that the user should look at."""
        return any(skipped.is_problem for skipped in self.skipped)

    def without(self, lost: Sequence[Dropped], remarks: Sequence[str] = ()) -> Preparation:
        """Return the preparation without utterances whose audio could not be cut: these are dropped too.

        Args:
            remarks: what the user should know about the sound that was cut.
        """
        gone = {drop.utterance for drop in lost}
        return replace(
            self,
            splits={name: [u for u in row if u not in gone] for name, row in self.splits.items()},
            dropped=[*self.dropped, *lost],
            audio_problem=self.audio_problem or bool(lost),
            remarks=[*self.remarks, *remarks],
        )


def decide(settings: PreparationSettings, sound: Sound) -> Preparation:
    """Read the corpus and decide what becomes of every annotation. Nothing is written.

    Args:
        sound: reads the recordings: `u2u_hf.data.audio`, or a browser.

    Raises:
        U2UError: nothing can be prepared with these settings; see the functions called.
    """
    preparation = inspect(settings, sound)
    if preparation.problem:
        raise preparation.problem
    return preparation


def inspect(settings: PreparationSettings, sound: Sound) -> Preparation:
    """Do the same as `decide`, but if no tier can be chosen or no split made, return that as the `problem`.

    Raises:
        U2UError: there is no corpus to look at, or a setting is invalid.
    """
    rules = TextRules(settings.rules)
    recordings, skipped = read_corpus(
        settings.corpus, lambda path: sound.audio_info(str(path)).duration_ms, settings.also
    )
    tiers, why, no_tiers = _tiers(recordings, settings)
    order = tier_order(recordings, tiers)
    recordings, tiers, replaced, no_newest = _newest(recordings, tiers)
    names = {tier.name for recording in recordings for tier in recording.document.tiers}
    channel_of = channel_rule(settings.channels, Path(settings.corpus))
    usable, filtered = filters.apply(utterances(recordings, tiers, rules), filters.from_limits(settings))
    usable, repeated = filters.without_duplicates(usable)
    usable, choices, without_audio = assign_channels(usable, channel_of, sound, order)
    usable, cut_short = filters.apply(usable, filters.from_limits(settings))  # cut at the end of the audio
    most_ms = round(settings.max_overlap_seconds * 1000)
    corrected = {(name, tier.name) for name, own in tiers.items() for tier in own if is_corrected_draft(tier)}
    usable, drafted = filters.without_drafted(usable, corrected, most_ms)
    usable, overlapping = filters.without_overlap(usable, most_ms)
    splitting = settings.splitting
    splits, leaking, no_splits = _splits(usable, splitting)
    lost = [*filtered, *repeated, *without_audio, *cut_short, *drafted, *overlapping]
    if no_splits and len(lost) > len(usable):
        no_splits = _too_much_dropped(usable, lost, no_splits)
    return Preparation(
        recordings=recordings,
        skipped=[*skipped, *replaced],
        tiers=tiers,
        why={name: reason for name, reason in why.items() if name in names},
        splits=splits,
        dropped=[*lost, *leaking],
        choices=choices,
        touched=rules.touched,
        examples=rules.examples,
        audio_problem=bool(without_audio),
        problem=no_tiers or no_newest or no_splits,
        sides={} if no_splits or splitting.by == "utterance" else sides(usable, splitting),
        remarks=[] if no_splits else remarks(splits, splitting),
    )


def _tiers(
    recordings: Sequence[Recording], settings: PreparationSettings
) -> tuple[dict[str, list[Tier]], dict[str, str], U2UError | None]:
    """Return what `choose_tiers` does, or nothing and its error."""
    try:
        return *choose_tiers(recordings, settings.tiers, settings.linguistic_types, settings.participants), None
    except U2UError as error:
        return {}, {}, error


def _newest(
    recordings: list[Recording], tiers: dict[str, list[Tier]]
) -> tuple[list[Recording], dict[str, list[Tier]], list[Skipped], U2UError | None]:
    """Return what `newest` does, or everything and its error."""
    try:
        left = newest(recordings, tiers)
        return left.recordings, left.tiers, left.skipped, None
    except U2UError as error:
        return recordings, tiers, [], error


def _too_much_dropped(usable: Sequence[Utterance], dropped: Sequence[Dropped], problem: U2UError) -> U2UError:
    """Return the error that names what was dropped and why; other remedies help only if something is left."""
    reasons = Counter(drop.reason for drop in dropped).most_common(2)
    listed = ", ".join(f"{count} × {reason}" for reason, count in reasons)
    if usable:
        return U2UError(f"{problem}; dropped: {listed}")
    tiers = list(dict.fromkeys(drop.utterance.tier[:40] for drop in dropped))
    more = f" and {len(tiers) - 2} more" if len(tiers) > 2 else ""
    names = ", ".join(tiers[:2])
    return U2UError(f"no utterance is left of tier {names}{more}: {listed}: see --inspect, or name others with --tiers")


def _splits(
    usable: list[Utterance], settings: SplitSettings
) -> tuple[dict[str, list[Utterance]], list[Dropped], U2UError | None]:
    """Return what `split` does, or the utterances undivided and its error."""
    try:
        return *split(usable, settings), None
    except U2UError as error:
        return {UNDIVIDED: usable}, [], error
