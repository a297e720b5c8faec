"""Rows of a prepared dataset → padded batches, changed a little each time in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torchaudio
from transformers import Wav2Vec2Processor

from u2u_hf.data.audio import decode_mono
from u2u_hf.frames import RECEPTIVE_FIELD, SAMPLING_RATE, STRIDE, frame_count

# Transformers' masking wants 10 frames.
_SHORTEST = 9 * STRIDE + RECEPTIVE_FIELD


@dataclass(frozen=True)
class Augmentation:
    """Random changes of training audio.

    Attributes:
        speed: a third of the utterances is this share faster, a third slower (0.1: Ko et al. 2015); 0 for none.
        noise_snr_db: noise is added, at a random level that is at least so many dB below the speech; None for none.
    """

    speed: float = 0.0
    noise_snr_db: float | None = None

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        """float32 [N] at 16 kHz → float32 [N'], with torch's random numbers."""
        factor = 1 + self.speed * (int(torch.randint(3, ())) - 1)
        if factor != 1 and len(samples) >= 2 * RECEPTIVE_FIELD:
            samples = torchaudio.functional.speed(samples, SAMPLING_RATE, round(factor, 3))[0]
        if self.noise_snr_db is not None and samples.any():
            snr = torch.tensor(self.noise_snr_db + 20 * torch.rand(()).item())
            samples = torchaudio.functional.add_noise(samples, _pink(len(samples)), snr)
        return samples


def _pink(length: int) -> torch.Tensor:
    """Noise [N] that falls by 3 dB an octave, as wind, motors and crowds roughly do."""
    spectrum = torch.fft.rfft(torch.randn(length))
    return torch.fft.irfft(spectrum / torch.arange(1, len(spectrum) + 1).sqrt(), n=length)


@dataclass
class CtcCollator:
    """Rows of a prepared dataset → one padded batch.

    Returns ``input_values`` float32 [B, N], ``labels`` int64 [B, L] padded with -100, ``frames`` int64 [B]
    (frames that hold audio), and ``attention_mask`` [B, N] where the model was pre-trained with one.

    Raises:
        U2UError: an utterance's audio cannot be decoded, is not mono at 16 kHz, or holds values that are no numbers.
    """

    processor: Wav2Vec2Processor
    augmentation: Augmentation | None = None

    def __call__(self, rows: Sequence[dict]) -> dict[str, torch.Tensor]:
        signals = [
            torch.from_numpy(decode_mono(row["audio"]["bytes"], row["audio"]["path"] or "audio")) for row in rows
        ]
        if self.augmentation:
            signals = [self.augmentation(signal) for signal in signals]
        longest = max(_SHORTEST, *map(len, signals))
        batch = dict(
            self.processor(
                audio=[signal.numpy() for signal in signals],
                sampling_rate=SAMPLING_RATE,
                padding="max_length",
                max_length=longest,
                return_tensors="pt",
            )
        )
        labels = [torch.tensor(self.processor.tokenizer(row["text"]).input_ids) for row in rows]
        batch["labels"] = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=-100)
        batch["frames"] = torch.tensor([frame_count(len(signal)) for signal in signals])
        return batch
