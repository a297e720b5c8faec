"""Omnilingual ASR's CTC models: as wav2vec 2.0 with layer norms, under other names, with a channel dimension."""

from __future__ import annotations

import torch
from transformers import OmniASRCTCProcessor
from transformers.models.wav2vec2.modeling_wav2vec2 import _compute_mask_indices

from u2u_hf.data.inputs import ONE_CHANNEL
from u2u_hf.recognition.families.family import rate_problem, set_labels

_OF_ENCODER = ("hidden_dropout", "activation_dropout", "attention_dropout", "layerdrop")
_MASK_FRAMES = _MASK_CHANNELS = 10  # as in the other families
_TINY = 1e-5  # of OmniASRFeatureExtractor


class OmnilingualFamily:
    """See `ModelFamily`. SpecAugment is ours: transformers (5.24) has none for these models."""

    name = "Omnilingual ASR CTC"
    examples = ""
    model_type = "omniasr_ctc"
    architecture = "OmniASRForCTC"
    processor = OmniASRCTCProcessor
    inputs = ONE_CHANNEL
    head = "ctc_head"
    float32_parts = ("/ctc_head/", "/conv_layers")

    def problem(self, config, extractor) -> str:
        if not extractor.do_normalize:
            return "its feature extractor does not normalise (do_normalize)"
        return rate_problem(config.audio_config)

    def configure(self, config, labels, blank, regularisation) -> None:
        set_labels(config, labels, blank)
        config.blank_token_id = blank
        for key in _OF_ENCODER:
            if key in regularisation:
                setattr(config.audio_config, key, regularisation[key])

    def extractor(self, extractor, config):
        return extractor  # it always gives a mask

    def blank(self, config) -> int:
        return config.blank_token_id

    def prepare(self, model, regularisation) -> None:
        self.conv_layers(model).requires_grad_(False)
        config = model.config.audio_config  # read at each step, as transformers does in the other families
        for key in ("mask_time_prob", "mask_feature_prob"):
            setattr(config, key, regularisation.get(key, 0.0))

        def masked(module, arguments, features: torch.Tensor) -> torch.Tensor:
            if not module.training:
                return features
            utterances, frames, width = features.shape
            features = _zeroed(features, _masks(utterances, frames, config.mask_time_prob, _MASK_FRAMES)[:, :, None])
            channels = _masks(utterances, width, config.mask_feature_prob, _MASK_CHANNELS)
            return _zeroed(features, channels[:, None])

        model.base_model.audio_tower.subsampling.register_forward_hook(masked)

    def below_layers(self, model):
        return model.base_model.audio_tower.subsampling

    def layers(self, model):
        return model.base_model.audio_tower.layers

    def above_layers(self, model):
        return [model.base_model.audio_tower.layer_norm]

    def conv_layers(self, model):
        return model.base_model.audio_tower.subsampling.conv_layers

    def replace_convolutions(self, model, encoder) -> None:
        model.base_model.audio_tower.subsampling.conv_layers = torch.nn.ModuleList([_WithoutChannel(encoder)])

    def exportable(self, model) -> torch.nn.Module:
        return _NormalisedToLogits(model)


def _masks(rows: int, length: int, share: float, span: int) -> torch.Tensor:
    """Return which of `length` places of each row are masked, in spans: bool [rows, length]."""
    if not share:
        return torch.zeros(rows, length, dtype=torch.bool)
    return torch.from_numpy(_compute_mask_indices((rows, length), share, span))


def _zeroed(features: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    return features.masked_fill(masks.to(features.device), 0.0)


class _WithoutChannel(torch.nn.Module):
    """Samples [B, 1, N] for an encoder that takes [B, N]."""

    def __init__(self, encoder: torch.nn.Module):
        super().__init__()
        self.encoder = encoder

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        return self.encoder(samples[:, 0])


class _NormalisedToLogits(torch.nn.Module):
    """Samples [B, N] → logits [B, T, V], normalised as OmniASRFeatureExtractor does."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        centred = samples - samples.mean(1, keepdim=True)
        variance = (centred**2).mean(1, keepdim=True)
        return self.model((centred / torch.sqrt(variance + _TINY))[:, None]).logits


FAMILY = OmnilingualFamily()
