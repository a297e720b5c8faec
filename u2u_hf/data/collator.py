"""Rows of a prepared dataset, or examples made of them, to padded batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import ProcessorMixin

from u2u_hf.data.audio import decode_mono
from u2u_hf.data.augmentation import Augmentation, augmented
from u2u_hf.data.inputs import batch_to_learn_from, inputs_of
from u2u_hf.frames import frame_count


@dataclass
class CtcCollator:
    """Rows of a prepared dataset, or `neighbours.Examples` of them, to one padded batch.

    A batch has the model's inputs (``input_values`` float32 [B, N] for most, see `u2u_hf.data.inputs`), ``labels``
    int64 [B, L] padded with -100, ``frames`` int64 [B] (frames without padding), and a mask, ``attention_mask`` [B, N]
    for most, if the model was pre-trained with one.

    Raises:
        U2UError: an utterance's audio cannot be decoded, is not mono at 16 kHz, or holds NaN.
    """

    processor: ProcessorMixin
    augmentations: Sequence[Augmentation] = ()

    def __call__(self, rows: Sequence[dict]) -> dict[str, torch.Tensor]:
        signals = [augmented(self._samples(row), self.augmentations).numpy() for row in rows]
        extractor = self.processor.feature_extractor
        batch = batch_to_learn_from(extractor, signals)
        labels = [torch.tensor(self.processor.tokenizer(row["text"]).input_ids) for row in rows]
        batch["labels"] = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=-100)
        receptive_field = inputs_of(extractor).receptive_field
        batch["frames"] = torch.tensor([frame_count(len(signal), receptive_field) for signal in signals])
        return batch

    @staticmethod
    def _samples(row: dict) -> torch.Tensor:
        if "samples" in row:
            return torch.from_numpy(row["samples"])
        return torch.from_numpy(decode_mono(row["audio"]["bytes"], row["audio"]["path"] or "audio"))
