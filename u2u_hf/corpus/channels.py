"""Which channel of a recording a speaker is on: told by the user, or heard."""

from __future__ import annotations

import csv
import dataclasses
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from tqdm.auto import tqdm

from u2u_hf.files import before_edit, fold
from u2u_hf.records import U2UError, Utterance

CLOSE_DB = 3.0
_MOST_SPANS = 60  # spread over the recording; more tell nothing new
_SIDES = {"left": 0, "right": 1}

Span = tuple[int, int]
# (an utterance, the tiers of its recording in the file's order) → its channel from 0, or None: listen.
Rule = Callable[[Utterance, Sequence[str]], "int | None"]


class SoundInfo(Protocol):
    """What must be known of a sound file: its channels, and how long it is."""

    @property
    def channels(self) -> int: ...

    @property
    def duration_ms(self) -> int: ...


class Sound(Protocol):
    """What listens to sound files: `u2u_hf.data.audio`, or a browser."""

    def audio_info(self, path: str) -> SoundInfo:
        """Raises U2UError: it cannot be read."""

    def energy(self, path: str, spans: Sequence[Span]) -> Sequence[float]:
        """Energy of each channel in all of `spans` (ms) together, each span's offset taken off.

        Raises:
            U2UError: the file cannot be decoded there.
        """


@dataclass(frozen=True)
class ChannelChoice:
    """The channel of a tier's speaker.

    Attributes:
        how: ``heard``, ``mono``, or ``told`` (by --channels).
        margin_db: by how many dB the speaker is louder there than on the next channel; None unless heard.
    """

    recording: str
    tier: str
    channel: int
    how: str
    margin_db: float | None = None

    @property
    def close(self) -> bool:
        """Too close to be sure: one microphone for everybody, or the speaker is on both channels."""
        return self.margin_db is not None and self.margin_db < CLOSE_DB


def channel_rule(settings: Sequence[str], corpus: Path) -> Rule:
    """What --channels says.

    - ``auto``: the channel on which the speaker is loudest;
    - ``order``: the first chosen tier of a recording is on the first channel, the second on the second…;
    - ``FILE.csv``, looked up in the corpus folder too: columns recording, speaker on the left, speaker on
      the right; a speaker is found by the tier's participant or in its name, or by a code of its initials;
    - ``TIER=left``, ``'B*=right'``, ``C=3``: tiers by name, wildcards allowed; channels count from 1.

    What a table or pattern does not cover is heard, as for ``auto``.

    Raises:
        U2UError: none of these, or a table that cannot be read.
    """
    settings = list(settings)
    if settings == ["auto"]:
        return lambda utterance, tiers: None
    if settings == ["order"]:
        return lambda utterance, tiers: tiers.index(utterance.tier)
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
        raise U2UError(f"--channels {name}: there is no such file, nor in {corpus}")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            sample = file.read(4096)
            file.seek(0)
            delimiter = max(",;\t", key=sample.count)
            rows = [[cell.strip() for cell in row] for row in csv.reader(file, delimiter=delimiter) if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise U2UError(f"--channels {path}: cannot be read ({error})") from error
    rows = [row for row in rows if len(row) >= 2]
    if not rows:
        raise U2UError(f"--channels {path}: every line needs a recording, the speaker on the left, and on the right")
    return {_recording_key(row[0]): row[1:] for row in rows}


def _recording_key(name: str) -> str:
    """``folder/Story_1_ed-2025.eaf``, ``story_1.wav`` and ``STORY_1`` are one recording."""
    last = re.split(r"[/\\]", name)[-1]
    stem = re.sub(r"\.(wav|flac|mp3|eaf)$", "", last, flags=re.IGNORECASE)
    return fold(before_edit(stem))


def _from_table(table: dict[str, list[str]]) -> Rule:
    def rule(utterance: Utterance, tiers: Sequence[str]) -> int | None:
        keys = [_recording_key(utterance.audio), _recording_key(utterance.recording)]
        # A table may name recordings by a part of their names: of those it names, the longest.
        found = [key for key in table if key in keys] or [key for key in table if key and key in keys[0]]
        speakers = table[max(found, key=len)] if found else []
        return next((i for i, name in enumerate(speakers) if _same_speaker(name, utterance)), None)

    return rule


def _same_speaker(name: str, utterance: Utterance) -> bool:
    """Is it the participant's or tier's name, or a code from its initials (RCG500, Rey Castillo García SURFACE)?"""
    name, code = fold(name), "".join(re.findall(r"[^\W\d_]", fold(name)))
    for whole in (fold(utterance.speaker), fold(utterance.tier)):
        words = re.findall(r"[^\W\d_]+", whole)
        initials = "".join(word[0] for word in words)
        if (name and name in whole) or (len(code) > 1 and (code in words or initials.startswith(code))):
            return True
    return False


def assign_channels(
    utterances: Iterable[Utterance], rule: Rule, sound: Sound
) -> tuple[list[Utterance], list[ChannelChoice], list[tuple[Utterance, str]]]:
    """Give every utterance its channel: the one `rule` says, else the one where its tier is loudest.

    Loudness is measured where no other chosen tier of the recording has an annotation, if there is
    such a place.

    Args:
        sound: reads the recordings: `u2u_hf.data.audio`, or a browser.

    Returns:
        the utterances with channels, the choices, and the utterances whose audio is not to be had
        (unreadable file, no such channel, annotation past the end) with the reason.
    """
    by_recording: dict[tuple[str, str], list[Utterance]] = defaultdict(list)
    for utterance in utterances:
        by_recording[utterance.recording, utterance.audio].append(utterance)
    placed, choices, dropped = [], [], []
    one = len(by_recording) == 1  # is done at once
    for (_, path), members in tqdm(by_recording.items(), desc="finding channels", unit="recording", disable=one):
        try:
            info = sound.audio_info(path)
            inside = []
            for utterance in members:
                if utterance.start_ms >= 0 and utterance.end_ms <= info.duration_ms:
                    inside.append(utterance)
                else:
                    lasts = f"which lasts {info.duration_ms / 1000:.1f} s"
                    dropped.append((utterance, f"the annotation is not inside the audio, {lasts}"))
            found = _choices(sound, info.channels, inside, rule)
        except U2UError as error:
            dropped += [(u, str(error)) for u in members]
            continue
        choices += found.values()
        for utterance in inside:
            channel = found[utterance.tier].channel
            if channel < info.channels:
                placed.append(dataclasses.replace(utterance, channel=channel))
            else:
                reason = f"--channels puts the speaker on channel {channel + 1}, the audio has {info.channels}"
                dropped.append((utterance, reason))
    return placed, choices, dropped


def _choices(sound: Sound, channels: int, utterances: list[Utterance], rule: Rule) -> dict[str, ChannelChoice]:
    spans: dict[str, list[Span]] = defaultdict(list)
    for utterance in utterances:
        spans[utterance.tier].append((utterance.start_ms, utterance.end_ms))
    choices = {}
    for utterance in {u.tier: u for u in utterances}.values():
        recording, tier = utterance.recording, utterance.tier
        if channels == 1:
            choices[tier] = ChannelChoice(recording, tier, 0, "mono")
        elif (told := rule(utterance, list(spans))) is not None:
            choices[tier] = ChannelChoice(recording, tier, told, "told")
        else:
            channel, margin_db = _loudest(sound.energy(utterance.audio, _some(_apart(tier, spans))))
            choices[tier] = ChannelChoice(recording, tier, channel, "heard", margin_db)
    return choices


def _apart(tier: str, spans: dict[str, list[Span]]) -> list[Span]:
    """The tier's spans that no other tier's overlap; all of them if none is free."""
    others = sorted(span for name, row in spans.items() if name != tier for span in row)
    alone, at = [], 0
    for start, end in sorted(spans[tier]):
        while at < len(others) and others[at][1] <= start:
            at += 1
        if at == len(others) or others[at][0] >= end:
            alone.append((start, end))
    return alone or spans[tier]


def _some(spans: list[Span]) -> list[Span]:
    return spans[:: -(-len(spans) // _MOST_SPANS)]


def _loudest(energy: Sequence[float]) -> tuple[int, float]:
    """The channel with most energy, and by how many dB over the next one."""
    best, second = sorted(range(len(energy)), key=lambda channel: -energy[channel])[:2]
    return best, 10 * math.log10((energy[best] + 1e-9) / (energy[second] + 1e-9))
