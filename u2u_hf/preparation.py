"""From a folder of annotations to splits of utterances: the decisions of a preparation, before anything is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from u2u_hf import filters
from u2u_hf.audio import audio_info
from u2u_hf.channels import ChannelChoice, assign_channels, channel_rule
from u2u_hf.config import setting
from u2u_hf.corpus import Recording, Skipped, read_corpus, utterances
from u2u_hf.records import Tier, Utterance
from u2u_hf.splits import split
from u2u_hf.text import DEFAULT_RULES, TextRules
from u2u_hf.tiers import choose_tiers


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
    rules: list[dict] = setting(list(DEFAULT_RULES), help="text rules, in a --config file: see u2u_hf/text.py")
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
    allow_repeated_sentences: bool = setting(False, help="let validation and test repeat sentences of training")
    seed: int = setting(0, help="another seed deals recordings otherwise")


@dataclass(frozen=True)
class Preparation:
    """What was found and decided.

    Attributes:
        tiers: recording → its chosen tiers. why: tier name → why it was chosen or not.
        dropped: utterances left out, each with its reason.
        touched: text rule → how many annotations it changed.
        audio_problem: some utterances were dropped because their audio is not to be had.
    """

    recordings: list[Recording]
    skipped: list[Skipped]
    tiers: dict[str, list[Tier]]
    why: dict[str, str]
    splits: dict[str, list[Utterance]]
    dropped: list[tuple[Utterance, str]]
    choices: list[ChannelChoice]
    touched: Counter[str]
    audio_problem: bool


def decide(settings: PreparationSettings) -> Preparation:
    """Read the corpus and decide what becomes of every annotation; audio is listened to, nothing is written.

    Raises:
        U2UError: nothing can be prepared with these settings; see the functions called.
    """
    rules = TextRules(settings.rules)
    recordings, skipped = read_corpus(settings.corpus, lambda path: audio_info(path).duration_ms)
    tiers, why = choose_tiers(recordings, settings.tiers, settings.linguistic_types, settings.participants)
    rule = channel_rule(settings.channels, Path(settings.corpus))
    usable, dropped = filters.apply(utterances(recordings, tiers, rules), _checks(settings))
    usable, doubled = filters.without_duplicates(usable)
    usable, choices, without_audio = assign_channels(usable, rule)
    usable, overlapping = filters.without_overlap(usable, round(settings.max_overlap_seconds * 1000))
    splits, repeated = split(
        usable,
        settings.split_by,
        settings.validation_share,
        settings.test_share,
        settings.seed,
        settings.allow_repeated_sentences,
    )
    dropped += doubled + without_audio + overlapping + repeated
    return Preparation(recordings, skipped, tiers, why, splits, dropped, choices, rules.touched, bool(without_audio))


def _checks(settings: PreparationSettings) -> list[filters.Filter]:
    return [
        filters.empty,
        filters.duration(settings.min_seconds, settings.max_seconds),
        filters.characters(settings.min_characters, settings.max_characters),
        filters.characters_per_second(settings.max_characters_per_second),
        filters.too_few_frames,
    ]
