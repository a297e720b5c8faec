"""Which channel of a recording a speaker is on: heard, not guessed."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm.auto import tqdm

from u2u_hf.audio import AudioInfo, audio_info, read_audio
from u2u_hf.records import U2UError, Utterance

CLOSE_DB = 3.0
_MOST_SPANS = 60  # spread over the recording; more tell nothing new

Span = tuple[int, int]


@dataclass(frozen=True)
class ChannelChoice:
    """The channel on which a tier's speaker is loudest, and by how many dB over the next one.

    The margin is infinite where there is one channel only.
    """

    recording: str
    tier: str
    channel: int
    margin_db: float

    @property
    def close(self) -> bool:
        """Too close to be sure: one microphone for everybody, or the speaker is on both channels."""
        return self.margin_db < CLOSE_DB


def assign_channels(
    utterances: Iterable[Utterance],
) -> tuple[list[Utterance], list[ChannelChoice], list[tuple[Utterance, str]]]:
    """Give every utterance the channel on which its tier is loudest in its recording.

    Loudness is measured where no other chosen tier of the recording has an annotation, if there is
    such a place.

    Returns:
        the utterances with channels, the choices, and the utterances whose audio is not to be had
        (unreadable file, annotation past the end) with the reason.
    """
    by_recording: dict[tuple[str, str], list[Utterance]] = defaultdict(list)
    for utterance in utterances:
        by_recording[utterance.recording, utterance.audio].append(utterance)
    placed, choices, dropped = [], [], []
    for (recording, path), members in tqdm(by_recording.items(), desc="finding channels", unit="recording"):
        try:
            info = audio_info(path)
        except U2UError as error:
            dropped += [(u, str(error)) for u in members]
            continue
        inside = [u for u in members if u.end_ms <= info.duration_ms]
        length = f"the annotation ends after the audio, which lasts {info.duration_ms / 1000:.1f} s"
        dropped += [(u, length) for u in members if u.end_ms > info.duration_ms]
        spans: dict[str, list[Span]] = defaultdict(list)
        for utterance in inside:
            spans[utterance.tier].append((utterance.start_ms, utterance.end_ms))
        try:
            found = {tier: _loudest(info, _apart(tier, spans)) for tier in spans}
        except U2UError as error:
            dropped += [(u, str(error)) for u in inside]
            continue
        choices += [ChannelChoice(recording, tier, *choice) for tier, choice in found.items()]
        placed += [dataclasses.replace(u, channel=found[u.tier][0]) for u in inside]
    return placed, choices, dropped


def _apart(tier: str, spans: dict[str, list[Span]]) -> list[Span]:
    others = [span for name, row in spans.items() if name != tier for span in row]
    alone = [s for s in spans[tier] if not any(s[0] < end and start < s[1] for start, end in others)]
    return alone or spans[tier]


def _loudest(info: AudioInfo, spans: Sequence[Span]) -> tuple[int, float]:
    if info.channels == 1:
        return 0, float("inf")
    energy = np.zeros(info.channels)
    for start_ms, end_ms in spans[:: -(-len(spans) // _MOST_SPANS)]:
        samples = read_audio(info, start_ms, end_ms)
        energy += np.square(samples - samples.mean(1, keepdims=True)).sum(1)
    best, second = np.argsort(-energy, kind="stable")[:2]
    return int(best), float(10 * np.log10((energy[best] + 1e-9) / (energy[second] + 1e-9)))
