"""Regularisation of a model while it is trained, chosen by the hours of training speech."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Regularisation:
    """Settings against overfitting; shares, 0 to 1.

    Attributes:
        mask_time: share of frames masked (SpecAugment, Park et al. 2019).
        mask_feature: share of feature channels masked.
        dropout: share of activations dropped, in the encoder and before the head.
        layerdrop: share of encoder layers skipped (Fan et al. 2020).
    """

    mask_time: float
    mask_feature: float
    dropout: float
    layerdrop: float

    def config(self) -> dict[str, float | int | bool]:
        """Return the values as transformers calls them in the configs of most speech models."""
        return {
            "apply_spec_augment": bool(self.mask_time or self.mask_feature),
            "mask_time_prob": self.mask_time,
            "mask_time_min_masks": 0,
            "mask_feature_prob": self.mask_feature,
            "hidden_dropout": self.dropout,
            "activation_dropout": self.dropout,
            "attention_dropout": self.dropout,
            "final_dropout": self.dropout,
            "layerdrop": self.layerdrop,
        }

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:g}" for name, value in vars(self).items())


# By the upper limit of hours of training speech. Between transformers' default for any amount (mask 0.05 of the frames)
# and fairseq's fine-tuning of wav2vec 2.0 on 10 minutes to 10 hours (0.65, over many more steps).
_BY_HOURS = (
    (1, Regularisation(mask_time=0.3, mask_feature=0.1, dropout=0.1, layerdrop=0.1)),
    (10, Regularisation(mask_time=0.15, mask_feature=0.05, dropout=0.1, layerdrop=0.05)),
    (float("inf"), Regularisation(mask_time=0.05, mask_feature=0.0, dropout=0.05, layerdrop=0.05)),
)


def regularisation(hours: float, given: Mapping[str, Any]) -> Regularisation:
    """Return the regularisation for so many hours of training speech.

    Args:
        given: values that replace the chosen ones, unless they are None; keys as `Regularisation`'s attributes.
    """
    chosen = next(row for limit, row in _BY_HOURS if hours < limit)
    return replace(chosen, **{name: given[name] for name in vars(chosen) if given.get(name) is not None})
