"""Random changes of training audio. To add one: a class here, in `AUGMENTATIONS`, and its training setting.

None of loudness: the models that are fine-tuned here get every utterance at the same loudness.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
import torchaudio

from u2u_hf.frames import RECEPTIVE_FIELD, SAMPLING_RATE

_ROOM = 4800  # samples of an echo: 0.3 s
_KNOTS = 9  # of a microphone's response, from 0 to 8 kHz


class Augmentation(Protocol):
    """A random change, made from the value of its setting; no change if the setting has the value `OFF`."""

    OFF: ClassVar[Any]

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        """Return changed samples: float32 [N] at 16 kHz → float32 [N'], with torch's random numbers."""


@dataclass(frozen=True)
class SpeedPerturbation:
    """Play a third of the utterances faster by this share, and a third slower (0.1: Ko et al. 2015)."""

    share: float
    OFF: ClassVar[Any] = 0.0

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        factor = 1 + self.share * (int(torch.randint(3, ())) - 1)
        if factor == 1 or len(samples) < 2 * RECEPTIVE_FIELD:
            return samples
        return torchaudio.functional.speed(samples, SAMPLING_RATE, round(factor, 3))[0]


@dataclass(frozen=True)
class PinkNoise:
    """Add noise at a random level: `snr_db` to `snr_db` + 20 dB below the speech."""

    snr_db: float
    OFF: ClassVar[Any] = None

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        if not samples.any():
            return samples
        snr = torch.tensor(self.snr_db + 20 * torch.rand(()).item())
        return torchaudio.functional.add_noise(samples, _pink(len(samples)), snr)


@dataclass(frozen=True)
class Room:
    """Give this share of the utterances the echo of a small room: noise that fades out within 10 to 60 ms (by 1/e)."""

    share: float
    OFF: ClassVar[Any] = 0.0

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        if torch.rand(()).item() >= self.share:
            return samples
        fading, echo = 0.01 + 0.05 * torch.rand(()).item(), 0.7 * torch.rand(()).item()
        response = torch.randn(_ROOM) * torch.exp(-torch.arange(_ROOM) / (SAMPLING_RATE * fading))
        response *= echo / response.norm()
        response[0] = 1.0  # the direct sound
        size = _fast_length(len(samples) + _ROOM)
        return torch.fft.irfft(torch.fft.rfft(samples, size) * torch.fft.rfft(response, size), size)[: len(samples)]


@dataclass(frozen=True)
class Microphone:
    """Filter with a smooth random response that rises and falls by up to so many dB, as microphones differ."""

    db: float
    OFF: ClassVar[Any] = 0.0

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        size = _fast_length(len(samples) + SAMPLING_RATE // 100)  # so that no end reaches round to the beginning
        spectrum = torch.fft.rfft(samples, size)
        knots = (2 * torch.rand(1, 1, _KNOTS) - 1) * self.db * torch.rand(())
        curve = torch.nn.functional.interpolate(knots, size=len(spectrum), mode="linear", align_corners=True)[0, 0]
        return torch.fft.irfft(spectrum * 10 ** (curve / 20), size)[: len(samples)]


# Training setting → the augmentation that it controls. They are applied in this order.
AUGMENTATIONS: dict[str, type[Augmentation]] = {
    "speed_perturbation": SpeedPerturbation,
    "room": Room,
    "microphone_db": Microphone,
    "noise_snr_db": PinkNoise,
}


def chosen(settings: object) -> list[Augmentation]:
    """Return the augmentations that the training settings turn on."""
    values = {name: getattr(settings, name) for name in AUGMENTATIONS}
    return [kind(values[name]) for name, kind in AUGMENTATIONS.items() if values[name] != kind.OFF]


def augmented(samples: torch.Tensor, augmentations: Sequence[Augmentation]) -> torch.Tensor:
    """Return samples changed by one augmentation after another: float32 [N] at 16 kHz → float32 [N']."""
    for augmentation in augmentations:
        samples = augmentation(samples)
    return samples


def _pink(length: int) -> torch.Tensor:
    """Return noise [N] whose power falls by 3 dB an octave, about as that of wind, motors and crowds does."""
    size = _fast_length(length)
    spectrum = torch.fft.rfft(torch.randn(size))
    return torch.fft.irfft(spectrum / torch.arange(1, len(spectrum) + 1).sqrt(), n=size)[:length]


def _fast_length(length: int) -> int:
    """Return a length, a little longer at most, whose Fourier transform is fast: 2 to a power, times 1, 3, 5 or 9."""
    return min(odd * 2 ** max(0, math.ceil(math.log2(length / odd))) for odd in (1, 3, 5, 9))
