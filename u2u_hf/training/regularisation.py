"""Regularisation of a model while it is trained: the more passes over the same speech, the more of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from transformers import PreTrainedModel, TrainerCallback

# Passes over the training speech before which there is none, and after which there is all of it. In the first passes
# everything is new, and regularisation only slows the learning down: on 3 hours, seen three times, it cost 5 points of
# CER; on 15 minutes, seen 14 times without it, the CER was 5 % on the training speech and 61 % on validation.
_FREE, _FULL = 2, 8


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


# Between transformers' default (mask 0.05 of the frames) and fairseq's fine-tuning of wav2vec 2.0 on 10 minutes to 10
# hours (0.65, over many more steps).
AFTER_PASSES = Regularisation(mask_time=0.3, mask_feature=0.1, dropout=0.1, layerdrop=0.1)

# Where models keep each of them: in their config, which they read at each step, or in modules.
_ATTRIBUTES = {
    "mask_time": ("mask_time_prob",),
    "mask_feature": ("mask_feature_prob",),
    "dropout": ("p", "dropout", "attention_dropout", "hidden_dropout"),
    "layerdrop": ("layerdrop",),
}


def strength(passes: float) -> float:
    """Return the share, 0 to 1, of the regularisation that comes after so many passes over the training speech.

    >>> strength(0), strength(5), strength(30)
    (0.0, 0.5, 1.0)
    """
    return min(1.0, max(0.0, (passes - _FREE) / (_FULL - _FREE)))


def regularisation(given: Mapping[str, Any]) -> Regularisation:
    """Return the regularisation at full strength.

    Args:
        given: values that replace the chosen ones, unless they are None; keys as `Regularisation`'s attributes.
    """
    return replace(AFTER_PASSES, **{name: given[name] for name in vars(AFTER_PASSES) if given.get(name) is not None})


class GrowingRegularisation(TrainerCallback):
    """Sets the regularisation of a model at the beginning of each pass; what the user gave stays as it is.

    It changes the model in its place.

    Args:
        model: made with the regularisation at full strength.
        given: values that the user gave; keys as `Regularisation`'s attributes.
        passes: epochs → passes over the training speech.
    """

    def __init__(self, model: PreTrainedModel, given: Mapping[str, Any], passes: Callable[[float], float]):
        self._passes = passes
        grows = {name for name in vars(AFTER_PASSES) if given.get(name) is None}
        things = [model.config, getattr(model.config, "audio_config", None), *model.modules()]
        self._places = [
            (thing, attribute)
            for thing in things
            for name in sorted(grows)
            for attribute in _ATTRIBUTES[name]
            if isinstance(getattr(thing, attribute, None), float)
        ]
        self._full = [getattr(thing, name) for thing, name in self._places]

    def on_epoch_begin(self, args, state, control, **kwargs):
        self.set(strength(self._passes(int((state.epoch or 0) + 1e-6))))

    def on_train_end(self, args, state, control, **kwargs):
        self.set(1.0)  # so that the model's config says what there was

    def set(self, share: float) -> None:
        """Set the regularisation to this share of its full strength."""
        for (thing, name), full in zip(self._places, self._full, strict=True):
            setattr(thing, name, share * full)
