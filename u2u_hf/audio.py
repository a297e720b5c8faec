"""Sound files in, 16 kHz float32 out. Files are read by seeking, never whole."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import soundfile
import torch
import torchaudio

from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.records import U2UError

# Read around a stretch so that the resampling filter sees what lies beyond its ends.
_MARGIN_MS = 20


@dataclass(frozen=True)
class AudioInfo:
    """What a sound file's header says; `frames` counts samples per channel at `sampling_rate` Hz."""

    path: str
    sampling_rate: int
    channels: int
    frames: int

    @property
    def duration_ms(self) -> int:
        return self.frames * 1000 // self.sampling_rate


def audio_info(path: str | os.PathLike[str]) -> AudioInfo:
    """Read a sound file's header.

    Raises:
        U2UError: missing, not a sound file, or without a single sample.
    """
    if not os.path.exists(path):
        raise U2UError(f"{path}: there is no such file")
    try:
        info = soundfile.info(str(path))
    except (soundfile.SoundFileError, OSError) as error:
        raise U2UError(f"{path}: not a sound file that can be read ({error}): convert it to WAV") from error
    if info.frames < 1:
        raise U2UError(f"{path}: holds no sound (0 samples)")
    return AudioInfo(str(path), info.samplerate, info.channels, info.frames)


def read_audio(
    info: AudioInfo, start_ms: int = 0, end_ms: int | None = None, channels: Sequence[int] | None = None
) -> np.ndarray:
    """Read a stretch at 16 kHz.

    Args:
        end_ms: None for the end of the file; a stretch beyond the end is cut there.
        channels: from 0; None for all.

    Returns:
        float32 [C, N], N = 16 samples a ms.

    Raises:
        U2UError: the file cannot be decoded there, or has no such channel.
    """
    end_ms = info.duration_ms if end_ms is None else min(end_ms, info.duration_ms)
    first = max(0, start_ms - _MARGIN_MS)
    begin, stop = (t * info.sampling_rate // 1000 for t in (first, end_ms + _MARGIN_MS))
    try:
        samples, _ = soundfile.read(
            info.path, start=begin, stop=min(stop, info.frames), dtype="float32", always_2d=True
        )
    except (soundfile.SoundFileError, OSError) as error:
        raise U2UError(f"{info.path}: cannot be read at {start_ms / 1000:.1f} s ({error})") from error
    if channels is not None:
        if max(channels) >= info.channels:
            raise U2UError(
                f"{info.path}: has {info.channels} channel(s), and channel {max(channels)} (from 0) is asked for"
            )
        samples = samples[:, list(channels)]
    signal = torch.from_numpy(np.ascontiguousarray(samples.T))
    if info.sampling_rate != SAMPLING_RATE:
        signal = torchaudio.functional.resample(signal, info.sampling_rate, SAMPLING_RATE)
    per_ms = SAMPLING_RATE // 1000
    lead = (start_ms - first) * per_ms
    return signal[:, lead : lead + max(0, end_ms - start_ms) * per_ms].numpy()


def blocks(info: AudioInfo, seconds: int = 60) -> Iterator[tuple[int, np.ndarray]]:
    """The whole file in turn: (start in ms, float32 [C, N]) of `seconds` each, the last one shorter."""
    for start_ms in range(0, info.duration_ms, seconds * 1000):
        yield start_ms, read_audio(info, start_ms, start_ms + seconds * 1000)


def flac_bytes(samples: np.ndarray) -> bytes:
    """16-bit FLAC of mono float samples [N] at 16 kHz; what exceeds -1…1 is clipped."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1, 1), SAMPLING_RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def decode_mono(data: bytes, where: str = "audio") -> np.ndarray:
    """float32 samples [N] of a mono 16 kHz sound file held in memory.

    Raises:
        U2UError: not a sound file, or not mono at 16 kHz.
    """
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    except soundfile.SoundFileError as error:
        raise U2UError(f"{where}: its audio cannot be decoded ({error})") from error
    if rate != SAMPLING_RATE or samples.ndim != 1:
        raise U2UError(f"{where}: its audio is not mono at 16 kHz: prepare the dataset with recipes/prepare.py")
    return samples
