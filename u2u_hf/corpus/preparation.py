"""From a folder of annotations to splits of utterances: the decisions of a preparation, before anything is written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from u2u_hf.corpus import filters
from u2u_hf.corpus.channels import ChannelChoice, Sound, assign_channels, channel_rule
from u2u_hf.corpus.reader import Recording, Skipped, read_corpus, utterances
from u2u_hf.corpus.splits import split
from u2u_hf.corpus.text_rules import DEFAULT_RULES, TextRules
from u2u_hf.corpus.tiers import choose_tiers
from u2u_hf.records import Tier, U2UError, Utterance
from u2u_hf.settings import setting


@dataclass
class PreparationSettings:
    """What a user can say about a preparation; the fields' help says what each is."""

    corpus: str = setting(help="folder with the annotation files and the recordings")
    tiers: list[str] = setting([], help="names of the tiers with transcriptions; * and ? are wildcards")
    linguistic_types: list[str] = setting([], help="or their linguistic types; * and ? are wildcards")
    participants: list[str] = setting([], help="only these speakers' tiers; * and ? are wildcards")
    channels: list[str] = setting(
        ["auto"], help="each speaker's channel: auto (heard), order (of tiers), FILE.csv, or TIER=left TIER=right"
    )
    rules: list[dict] = setting(list(DEFAULT_RULES), help="text rules, in a --config file: see corpus/text_rules.py")
    min_seconds: float = setting(0.3, help="shorter utterances are left out")
    max_seconds: float = setting(20.0, help="longer utterances are left out")
    min_characters: int = setting(1, help="shorter texts are left out")
    max_characters: int = setting(400, help="longer texts are left out")
    max_characters_per_second: float = setting(35.0, help="faster ones are left out: wrong times, most often")
    max_overlap_seconds: float = setting(0.25, help="more of somebody else on the same channel is left out")
    split_by: str = setting(
        "recording",
        help="what stays on one side: recording, speaker or utterance",
        choices=["recording", "speaker", "utterance"],
    )
    validation_share: float = setting(0.1, help="of the hours, for choosing the best checkpoint")
    test_share: float = setting(0.1, help="of the hours, for the final scores")
    validation_hours: float | None = setting(None, help="so many hours, in place of the share")
    test_hours: float | None = setting(None, help="so many hours, in place of the share")
    allow_repeated_sentences: bool = setting(False, help="let validation and test repeat sentences of training")
    seed: int = setting(0, help="another seed deals recordings otherwise")
    language: list[str] = setting([], help="for the dataset card: ISO 639-3 or BCP 47 codes, such as xty or es-MX")
    license: str = setting("", help="for the dataset card: as the Hub calls it, such as cc-by-nc-sa-4.0")
    pretty_name: str = setting("", help="for the dataset card: its title; else the name of the corpus folder")
    hide_speakers: bool = setting(False, help="number the speakers in the dataset card; the rows still name them")

    def __post_init__(self):
        # What the Hub would refuse with the whole card, after the work.
        for code in self.language:
            if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", code):
                raise U2UError(f"--language {code}: is not a language code such as xty, es or es-MX")
        if not re.fullmatch(r"[a-z0-9.-]*", self.license):
            raise U2UError(f"--license {self.license}: give it as the Hub does: cc-by-nc-sa-4.0, cc0-1.0, other…")


@dataclass(frozen=True)
class Preparation:
    """What was found and decided.

    Attributes:
        tiers: recording → its chosen tiers. why: tier name → why it was chosen or not.
        dropped: utterances left out, each with its reason.
        touched: text rule → how many annotations it changed. examples: the first one, before and after.
        audio_problem: some utterances were dropped because their audio is not to be had.
        problem: why no dataset can be made of this; the utterances are then all in a split called "undivided".
    """

    recordings: list[Recording]
    skipped: list[Skipped]
    tiers: dict[str, list[Tier]]
    why: dict[str, str]
    splits: dict[str, list[Utterance]]
    dropped: list[tuple[Utterance, str]]
    choices: list[ChannelChoice]
    touched: Counter[str]
    examples: dict[str, tuple[str, str]]
    audio_problem: bool
    problem: U2UError | None = None

    def without(self, lost: Sequence[tuple[Utterance, str]]) -> Preparation:
        """Less utterances whose audio could not be cut after all, with the reason: they are among the dropped."""
        gone = {utterance for utterance, _ in lost}
        return replace(
            self,
            splits={name: [u for u in row if u not in gone] for name, row in self.splits.items()},
            dropped=[*self.dropped, *lost],
            audio_problem=self.audio_problem or bool(lost),
        )


def decide(settings: PreparationSettings, sound: Sound) -> Preparation:
    """Read the corpus and decide what becomes of every annotation; audio is listened to, nothing is written.

    Raises:
        U2UError: nothing can be prepared with these settings; see the functions called.
    """
    preparation = inspect(settings, sound)
    if preparation.problem:
        raise preparation.problem
    return preparation


def inspect(settings: PreparationSettings, sound: Sound) -> Preparation:
    """As `decide`, but tiers that cannot be chosen and splits that cannot be made are its `problem`, not an error.

    Args:
        sound: reads the recordings: `u2u_hf.data.audio`, or a browser.

    Raises:
        U2UError: there is no corpus to look at, or a setting that cannot be.
    """
    problem = None
    rules = TextRules(settings.rules)
    recordings, skipped = read_corpus(settings.corpus, lambda path: sound.audio_info(str(path)).duration_ms)
    try:
        tiers, why = choose_tiers(recordings, settings.tiers, settings.linguistic_types, settings.participants)
    except U2UError as error:
        tiers, why, problem = {}, {}, error
    rule = channel_rule(settings.channels, Path(settings.corpus))
    usable, dropped = filters.apply(utterances(recordings, tiers, rules), _checks(settings))
    usable, doubled = filters.without_duplicates(usable)
    usable, choices, without_audio = assign_channels(usable, rule, sound)
    usable, overlapping = filters.without_overlap(usable, round(settings.max_overlap_seconds * 1000))
    try:
        splits, repeated = split(
            usable,
            settings.split_by,
            settings.validation_share,
            settings.test_share,
            settings.seed,
            settings.allow_repeated_sentences,
            settings.validation_hours,
            settings.test_hours,
        )
    except U2UError as error:
        splits, repeated, problem = {"undivided": usable}, [], problem or error
    return Preparation(
        recordings=recordings,
        skipped=skipped,
        tiers=tiers,
        why=why,
        splits=splits,
        dropped=[*dropped, *doubled, *without_audio, *overlapping, *repeated],
        choices=choices,
        touched=rules.touched,
        examples=rules.examples,
        audio_problem=bool(without_audio),
        problem=problem,
    )


def _checks(settings: PreparationSettings) -> list[filters.Filter]:
    return [
        filters.empty,
        filters.duration(settings.min_seconds, settings.max_seconds),
        filters.characters(settings.min_characters, settings.max_characters),
        filters.characters_per_second(settings.max_characters_per_second),
        filters.too_few_frames,
    ]
