"""HuBERT, wav2vec 2.0 and WavLM: samples, seven convolutions, a transformer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers import Wav2Vec2Processor

from u2u_hf.data.inputs import SAMPLES
from u2u_hf.recognition.families.family import SamplesToLogits, rate_problem, set_labels


@dataclass(frozen=True)
class RawFamily:
    """Families that differ for us in their names only: see `ModelFamily`.

    Their convolutions have group norm after the first layer or layer norm after each. Group norm sees the padding, so
    such models are trained without a mask; those with layer norms with one (transformers' documentation of
    Wav2Vec2FeatureExtractor, and the models' own preprocessor_config.json).
    """

    name: str
    examples: str
    model_type: str
    architecture: str
    processor = Wav2Vec2Processor
    inputs = SAMPLES
    head = "lm_head"
    float32_parts = ("/lm_head/", "/feature_extractor/")

    def problem(self, config, extractor) -> str:
        if getattr(config, "add_adapter", False):
            return "its adapter (add_adapter) halves the frame rate"
        return rate_problem(config)

    def configure(self, config, labels, blank, regularisation) -> None:
        set_labels(config, labels, blank)
        for key, value in {"mask_feature_min_masks": 0, **regularisation}.items():  # WavLM's lacks it (5.24)
            setattr(config, key, value)

    def extractor(self, extractor, config):
        extractor.return_attention_mask = config.feat_extract_norm == "layer"
        return extractor

    def blank(self, config) -> int:
        return config.pad_token_id

    def prepare(self, model, regularisation) -> None:
        model.freeze_feature_encoder()

    def below_layers(self, model):
        return model.base_model.feature_projection

    def layers(self, model):
        return model.base_model.encoder.layers

    def above_layers(self, model):
        stable = model.config.do_stable_layer_norm  # otherwise the norm comes before the layers
        return [model.base_model.encoder.layer_norm] if stable else []

    def conv_layers(self, model):
        return model.base_model.feature_extractor.conv_layers

    def replace_convolutions(self, model, encoder) -> None:
        model.base_model.feature_extractor = encoder

    def exportable(self, model) -> torch.nn.Module:
        return SamplesToLogits(model)


FAMILIES = (
    RawFamily("HuBERT", "mHuBERT-147", "hubert", "HubertForCTC"),
    RawFamily("wav2vec 2.0", "XLS-R, MMS", "wav2vec2", "Wav2Vec2ForCTC"),
    RawFamily("WavLM", "", "wavlm", "WavLMForCTC"),
)
