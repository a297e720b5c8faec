"""Random changes of training audio. To add one: a class here, in `AUGMENTATIONS`, and its training setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
import torchaudio

from u2u_hf.frames import RECEPTIVE_FIELD, SAMPLING_RATE


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


# Training setting → the augmentation that it controls. They are applied in this order.
AUGMENTATIONS: dict[str, type[Augmentation]] = {
    "speed_perturbation": SpeedPerturbation,
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
    spectrum = torch.fft.rfft(torch.randn(length))
    return torch.fft.irfft(spectrum / torch.arange(1, len(spectrum) + 1).sqrt(), n=length)
