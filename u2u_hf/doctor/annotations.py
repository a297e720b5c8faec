"""The annotations that are examined: those that a preparation would take, and the copies and overlaps that it drops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from u2u_hf.corpus import filters
from u2u_hf.corpus.channels import Sound, assign_channels, channel_rule, tier_order
from u2u_hf.corpus.preparation import PreparationSettings
from u2u_hf.corpus.reader import Recording, read_corpus, utterances
from u2u_hf.corpus.text_rules import TextRules
from u2u_hf.corpus.tiers import choose_tiers
from u2u_hf.corpus.versions import newest
from u2u_hf.records import Dropped, Skipped, Tier, U2UError, Utterance

Key = tuple[str, str, int, int]


def key_of(utterance: Utterance) -> Key:
    """Return what identifies an utterance in its corpus: recording, tier, start and end in ms."""
    return utterance.recording, utterance.tier, utterance.start_ms, utterance.end_ms


@dataclass(frozen=True)
class Corpus:
    """A corpus as it is examined.

    Attributes:
        recordings: by name.
        tiers: recording → its tiers with transcriptions.
        utterances: in order of recording, then of time; times are those of the audio.
        skipped: files that could not be used.
        dropped: utterances that cannot be examined: without text or audio, too short or too long.
    """

    recordings: dict[str, Recording]
    tiers: dict[str, list[Tier]]
    utterances: Sequence[Utterance]
    skipped: Sequence[Skipped]
    dropped: Sequence[Dropped]

    def tier_of(self, utterance: Utterance) -> Tier:
        return next(tier for tier in self.tiers[utterance.recording] if tier.name == utterance.tier)

    def origin_ms(self, recording: str, tier: str) -> int:
        """Return what to add to a time in a tier to get the time in its audio."""
        return self.recordings[recording].sound_of(tier).origin_ms


def read(settings: PreparationSettings, sound: Sound) -> Corpus:
    """Return what there is to examine.

    Args:
        sound: reads the recordings: `u2u_hf.data.audio`.

    Raises:
        U2UError: there is no corpus, no tier can be chosen, or nothing in them can be examined.
    """
    rules = TextRules(settings.rules)
    recordings, skipped = read_corpus(settings.corpus, lambda path: sound.audio_info(str(path)).duration_ms)
    tiers, _ = choose_tiers(recordings, settings.tiers, settings.linguistic_types, settings.participants)
    left = newest(recordings, tiers)
    limits = filters.from_limits(settings)
    usable, filtered = filters.apply(utterances(left.recordings, left.tiers, rules), limits)
    channel_of = channel_rule(settings.channels, Path(settings.corpus))
    usable, _, without_audio = assign_channels(usable, channel_of, sound, tier_order(recordings, tiers))
    usable, cut_short = filters.apply(usable, limits)
    dropped = [*filtered, *without_audio, *cut_short]
    if not usable:
        reason = f", the first because {dropped[0].reason}" if dropped else ""
        raise U2UError(f"{settings.corpus}: no annotation can be examined{reason}: see prepare.py --inspect")
    usable = sorted(usable, key=lambda u: (u.recording, u.start_ms, u.end_ms, u.tier))
    by_name = {recording.name: recording for recording in left.recordings}
    return Corpus(by_name, left.tiers, usable, [*skipped, *left.skipped], dropped)
