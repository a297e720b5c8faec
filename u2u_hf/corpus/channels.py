"""The channel of a recording that a speaker is on: given by the user, or the loudest."""

from __future__ import annotations

import csv
import dataclasses
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from u2u_hf.corpus.pairing import before_edit, fold
from u2u_hf.corpus.reader import Recording
from u2u_hf.corpus.tier_evidence import has_text, is_corrected_draft
from u2u_hf.progress_bar import progress_bar
from u2u_hf.records import Dropped, Tier, U2UError, Utterance

CLOSE_DB = 3.0
_MOST_SPANS = 60  # spread over the recording; more do not change the choice
# The sound that was taken from a video may be shorter by a part of its last frame: 1/24 s. A time in a table or a
# TextGrid that is rounded passes the end by a millisecond.
VIDEO_FRAME_MS = 42
_SIDES = {"left": 0, "right": 1}

Span = tuple[int, int]
# (an utterance, the chosen tiers of its audio in the file's order) → its channel from 0, or None: measure loudness.
Rule = Callable[[Utterance, Sequence[str]], "int | None"]


class SoundInfo(Protocol):
    """Number of channels and length of an audio file."""

    @property
    def channels(self) -> int: ...

    @property
    def duration_ms(self) -> int: ...


class Sound(Protocol):
    """A reader of audio files: `u2u_hf.data.audio`, or a browser."""

    def audio_info(self, path: str) -> SoundInfo:
        """Return channels and length of an audio file.

        Raises:
            U2UError: it cannot be read. The message begins with the path and ``: ``.
        """
        ...

    def energy(self, path: str, spans: Sequence[Span]) -> Sequence[float]:
        """Return the energy of each channel in all of `spans` (ms) together, without the DC offset of each span.

        Raises:
            U2UError: the file cannot be decoded there. The message begins with the path and ``: ``.
        """
        ...


@dataclass(frozen=True)
class ChannelChoice:
    """The channel of a tier's speaker.

    Attributes:
        how: ``heard`` (the loudest channel), ``mono`` (the only one), or ``told`` (by --channels).
        margin_db: by how many dB the speaker is louder there than on the next channel; None unless ``heard``.
    """

    recording: str
    tier: str
    channel: int
    how: str
    margin_db: float | None = None

    @property
    def close(self) -> bool:
        """Return whether it is uncertain: one microphone for everybody, or a speaker on both channels."""
        return self.margin_db is not None and self.margin_db < CLOSE_DB


def channel_rule(settings: Sequence[str], corpus: Path) -> Rule:
    """Return the rule that --channels gives.

    - ``auto``: the channel on which the speaker is loudest;
    - ``order``: the first chosen tier of a recording is on the first channel, the second on the second…;
    - ``FILE.csv``, looked up in the corpus folder too: columns recording, speaker on the left, speaker on
      the right; a speaker is found by the tier's participant or name, or by a code made of its initials, and not at
      all if two columns fit equally well;
    - ``TIER=left``, ``'B*=right'``, ``C=3``: tiers by name, wildcards allowed; channels count from 1.

    Speakers that a table or pattern does not cover are treated as for ``auto``.

    Raises:
        U2UError: not one of these, or a table that cannot be read.
    """
    settings = list(settings)
    if settings == ["auto"]:
        return lambda utterance, tiers: None
    if settings == ["order"]:
        return lambda utterance, tiers: tiers.index(utterance.tier) if utterance.tier in tiers else None
    if len(settings) == 1 and settings[0].lower().endswith(".csv"):
        return _from_table(_read_table(settings[0], corpus))
    patterns = []
    for setting in settings:
        pattern, equals, place = setting.rpartition("=")
        if not equals or not (place in _SIDES or (place.isdecimal() and int(place) > 0)):
            raise U2UError(f"--channels {setting}: use auto, order, FILE.csv, or TIER=left TIER=right TIER=3")
        patterns.append((pattern, _SIDES[place] if place in _SIDES else int(place) - 1))

    def by_pattern(utterance: Utterance, tiers: Sequence[str]) -> int | None:
        return next((channel for pattern, channel in patterns if fnmatchcase(utterance.tier, pattern)), None)

    return by_pattern


def _read_table(name: str, corpus: Path) -> dict[str, list[str]]:
    candidates = [Path(name), corpus / name, *sorted(corpus.rglob(Path(name).name))]
    path = next((p for p in candidates if p.is_file()), None)
    if path is None:
        raise U2UError(f"--channels {name}: there is no such file, nor is it in {corpus}: check the name")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            sample = file.read(4096)
            file.seek(0)
            delimiter = max(",;\t", key=sample.count)
            rows = [[cell.strip() for cell in row] for row in csv.reader(file, delimiter=delimiter) if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise U2UError(f"--channels {path}: cannot be read ({error}): save it as CSV in UTF-8") from error
    rows = [row for row in rows if len(row) >= 2]
    if not rows:
        raise U2UError(f"--channels {path}: every line needs recording, speaker on the left, speaker on the right")
    return {_recording_key(row[0]): row[1:] for row in rows}


def _recording_key(name: str) -> str:
    """Return the same key for ``folder/Story_1_ed-2025.eaf``, ``story_1.wav`` and ``STORY_1``."""
    last = re.split(r"[/\\]", name)[-1]
    stem = re.sub(r"\.(wav|flac|mp3|eaf)$", "", last, flags=re.IGNORECASE)
    return fold(before_edit(stem))


def _from_table(table: dict[str, list[str]]) -> Rule:
    def rule(utterance: Utterance, tiers: Sequence[str]) -> int | None:
        keys = [_recording_key(utterance.audio), _recording_key(utterance.recording)]
        # A table may give a part of a recording's name, in whole words: the longest that fits is used.
        found = [key for key in table if key in keys] or [key for key in table if key and _has_part(keys[0], key)]
        return _column(table[max(found, key=len)], utterance) if found else None

    return rule


def _has_part(name: str, part: str) -> bool:
    """Return whether `part` is in `name` and no word or number goes on beside it: story_1 is not in story_10."""
    return re.search(rf"(?<![^\W_]){re.escape(part)}(?![^\W_])", name) is not None


def _column(speakers: Sequence[str], utterance: Utterance) -> int | None:
    """Return the column whose speaker is the utterance's, or None if no column fits, or several fit equally well.

    ``Ana`` and ``Ana López`` are both in ``Ana López-SURFACE``; the longer name is the speaker's.
    """
    levels = [_likeness(name, utterance) for name in speakers]
    best = max(levels, default=0)
    fitting = {i: fold(speakers[i]) for i, level in enumerate(levels) if level and level == best}
    longest = [
        i for i, name in fitting.items() if not any(name != other and name in other for other in fitting.values())
    ]
    return longest[0] if len(longest) == 1 else None


def _likeness(name: str, utterance: Utterance) -> int:
    """Return how surely `name` means the utterance's speaker or tier, 0 to 4.

    4: it is the same; 3: it is one or more whole words of it; 2: it is a code of the initials (RCG500: Rey C. García);
    1: one of its words begins so; 0: it is somebody else.
    """
    name, code = fold(name), "".join(re.findall(r"[^\W\d_]", fold(name)))
    if not name:
        return 0
    best = 0
    for whole in (fold(utterance.speaker), fold(utterance.tier)):
        words = re.findall(r"[^\W\d_]+", whole)
        initials = "".join(word[0] for word in words)
        if name == whole:
            level = 4
        elif _has_part(whole, name):
            level = 3
        elif len(code) > 1 and (code in words or initials.startswith(code)):
            level = 2
        else:
            # Not inside a word: Ana is not Mariana; nor inside a number: S1 is not S10.
            level = int(bool(re.search(rf"(?<![^\W_]){re.escape(name)}(?!(?<=\d)\d)", whole)))
        best = max(best, level)
    return best


Order = Mapping[tuple[str, str], Sequence[str]]


def tier_order(recordings: Iterable[Recording], tiers: Mapping[str, Sequence[Tier]]) -> Order:
    """Return (recording, audio file) → the names of the tiers of its speakers, in the annotation file's order.

    Args:
        tiers: recording → its chosen tiers, all of them: also those that another file replaces, and those of which no
            utterance can be used, have their places in the order. Empty ones have none, nor have corrected drafts,
            which stand after all others: their channels are measured.
    """
    order: dict[tuple[str, str], list[str]] = defaultdict(list)
    for recording in recordings:
        for tier in tiers.get(recording.name, ()):
            if has_text(tier) and not is_corrected_draft(tier):
                order[recording.name, recording.sound_of(tier.name).audio].append(tier.name)
    return order


def assign_channels(
    utterances: Iterable[Utterance], rule: Rule, sound: Sound, order: Order | None = None
) -> tuple[list[Utterance], list[ChannelChoice], list[Dropped]]:
    """Give every utterance its channel: the one that `rule` gives, else the one where its tier is loudest.

    Loudness is measured where no other chosen tier of the recording has an annotation, if there is such a place.

    Args:
        sound: reads the recordings: `u2u_hf.data.audio`, or a browser.
        order: from `tier_order`, for a rule that counts tiers; without it, in the order of the utterances.

    Returns:
        the utterances with channels, the choices, and the utterances dropped because their audio is missing
        (unreadable file, no such channel, annotation past the end). An annotation that passes the end by no more than
        a frame of video is cut there.
    """
    by_recording: dict[tuple[str, str], list[Utterance]] = defaultdict(list)
    for utterance in utterances:
        by_recording[utterance.recording, utterance.audio].append(utterance)
    placed: list[Utterance] = []
    choices: list[ChannelChoice] = []
    dropped: list[Dropped] = []
    single = len(by_recording) == 1  # is done at once: no progress bar
    items = progress_bar(by_recording.items(), desc="finding channels", unit="recording", disable=single)
    for (recording, path), members in items:
        try:
            info = sound.audio_info(path)
            inside, outside = _inside(members, info.duration_ms)
            names = (order or {}).get((recording, path)) or list(dict.fromkeys(u.tier for u in members))
            found = _choices(sound, info.channels, inside, rule, names)
        except U2UError as error:
            problem = str(error).removeprefix(f"{path}: ")
            dropped += [Dropped(u, "the audio cannot be read", problem) for u in members]
            continue
        choices += found.values()
        on_channel, elsewhere = _on_channel(inside, found, info.channels)
        placed += on_channel
        dropped += [*outside, *elsewhere]
    return placed, choices, dropped


def _inside(utterances: Iterable[Utterance], duration_ms: int) -> tuple[list[Utterance], list[Dropped]]:
    """Drop utterances that begin before the audio or end after it; cut those that do so by a frame of video or less."""
    inside, dropped = [], []
    for utterance in utterances:
        start_ms, end_ms = max(0, utterance.start_ms), min(duration_ms, utterance.end_ms)
        outside_ms = max(start_ms - utterance.start_ms, utterance.end_ms - end_ms)
        if not outside_ms:
            inside.append(utterance)
        elif outside_ms <= VIDEO_FRAME_MS and start_ms < end_ms:
            inside.append(dataclasses.replace(utterance, start_ms=start_ms, end_ms=end_ms))
        else:
            lasts = f"the audio lasts {duration_ms / 1000:.1f} s"
            dropped.append(Dropped(utterance, "the annotation is not inside the audio", lasts))
    return inside, dropped


def _on_channel(
    utterances: Iterable[Utterance], choices: Mapping[str, ChannelChoice], channels: int
) -> tuple[list[Utterance], list[Dropped]]:
    """Give utterances the channel of their tier; drop them if the audio has fewer channels."""
    placed, dropped = [], []
    for utterance in utterances:
        channel = choices[utterance.tier].channel
        if channel < channels:
            placed.append(dataclasses.replace(utterance, channel=channel))
        else:
            reason = "the audio does not have the channel that --channels gives the speaker"
            dropped.append(Dropped(utterance, reason, f"channel {channel + 1}, the audio has {channels}"))
    return placed, dropped


def _choices(
    sound: Sound, channels: int, utterances: list[Utterance], rule: Rule, tiers: Sequence[str]
) -> dict[str, ChannelChoice]:
    """Return the channel of each tier, by the tier's name.

    Args:
        tiers: the names of the chosen tiers of the audio, for the rule.
    """
    spans: dict[str, list[Span]] = defaultdict(list)
    for utterance in utterances:
        spans[utterance.tier].append((utterance.start_ms, utterance.end_ms))
    choices = {}
    for utterance in {u.tier: u for u in utterances}.values():
        recording, tier = utterance.recording, utterance.tier
        if channels == 1:
            choices[tier] = ChannelChoice(recording, tier, 0, "mono")
        elif (given := rule(utterance, tiers)) is not None:
            choices[tier] = ChannelChoice(recording, tier, given, "told")
        else:
            channel, margin_db = _loudest(sound.energy(utterance.audio, _some(_apart(tier, spans))))
            choices[tier] = ChannelChoice(recording, tier, channel, "heard", margin_db)
    return choices


def _apart(tier: str, spans: dict[str, list[Span]]) -> list[Span]:
    """Return the tier's spans that overlap no other tier's; all of them if each overlaps one."""
    others = sorted(span for name, row in spans.items() if name != tier for span in row)
    alone, at = [], 0
    for start, end in sorted(spans[tier]):
        while at < len(others) and others[at][1] <= start:
            at += 1
        if at == len(others) or others[at][0] >= end:
            alone.append((start, end))
    return alone or spans[tier]


def _some(spans: list[Span]) -> list[Span]:
    """Return at most `_MOST_SPANS` of the spans, from the whole recording."""
    return spans[:: -(-len(spans) // _MOST_SPANS)]


def _loudest(energy: Sequence[float]) -> tuple[int, float]:
    """Return the channel with most energy, and by how many dB it is above the next one."""
    best, second = sorted(range(len(energy)), key=lambda channel: -energy[channel])[:2]
    return best, 10 * math.log10((energy[best] + 1e-9) / (energy[second] + 1e-9))
