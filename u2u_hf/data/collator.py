"""Rows of a prepared dataset to padded batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import Wav2Vec2Processor

from u2u_hf.data.audio import decode_mono
from u2u_hf.data.augmentation import Augmentation, augmented
from u2u_hf.frames import RECEPTIVE_FIELD, SAMPLING_RATE, STRIDE, frame_count

# Masking in transformers needs at least 10 frames.
_MIN_SAMPLES = 9 * STRIDE + RECEPTIVE_FIELD


@dataclass
class CtcCollator:
    """Rows of a prepared dataset to one padded batch.

    A batch has ``input_values`` float32 [B, N], ``labels`` int64 [B, L] padded with -100, ``frames`` int64 [B]
    (frames without padding), and ``attention_mask`` [B, N] if the model was pre-trained with one.

    Raises:
        U2UError: an utterance's audio cannot be decoded, is not mono at 16 kHz, or holds NaN.
    """

    processor: Wav2Vec2Processor
    augmentations: Sequence[Augmentation] = ()

    def __call__(self, rows: Sequence[dict]) -> dict[str, torch.Tensor]:
        signals = [augmented(self._samples(row), self.augmentations) for row in rows]
        batch = dict(
            self.processor(
                audio=[signal.numpy() for signal in signals],
                sampling_rate=SAMPLING_RATE,
                padding="max_length",
                max_length=max(_MIN_SAMPLES, *map(len, signals)),
                return_tensors="pt",
            )
        )
        labels = [torch.tensor(self.processor.tokenizer(row["text"]).input_ids) for row in rows]
        batch["labels"] = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=-100)
        batch["frames"] = torch.tensor([frame_count(len(signal)) for signal in signals])
        return batch

    @staticmethod
    def _samples(row: dict) -> torch.Tensor:
        return torch.from_numpy(decode_mono(row["audio"]["bytes"], row["audio"]["path"] or "audio"))
