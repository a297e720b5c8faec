"""Very small models with random weights, one of each family, as folders that a base model is loaded from."""

import torch
from transformers import (
    AutoModel,
    AutoModelForCTC,
    HubertConfig,
    OmniASRCTCConfig,
    OmniASRFeatureExtractor,
    SeamlessM4TFeatureExtractor,
    Wav2Vec2BertConfig,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    WavLMConfig,
)

_SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
_CONVOLUTIONS = {"conv_dim": (8,) * 7, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2}
_LAYER_NORMS = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
_RAW = {**_SMALL, **_CONVOLUTIONS, "mask_time_prob": 0.05}
_LAYERS = {**_RAW, **_LAYER_NORMS}

CONFIGS = {
    "hubert": lambda: HubertConfig(**_RAW),
    "wav2vec2": lambda: Wav2Vec2Config(**_RAW),
    "xls-r": lambda: Wav2Vec2Config(**_LAYERS),
    "mms with adapters": lambda: Wav2Vec2Config(**_LAYERS, adapter_attn_dim=4),
    "wavlm": lambda: WavLMConfig(**_RAW),
    "wavlm large": lambda: WavLMConfig(**_LAYERS),
    "wav2vec2-bert": lambda: Wav2Vec2BertConfig(**_SMALL, mask_time_prob=0.05, conv_depthwise_kernel_size=7),
    "omniasr": lambda: OmniASRCTCConfig(
        vocab_size=9, audio_config={"model_type": "omniasr_audio", **_SMALL, **_CONVOLUTIONS}
    ),
}
MASKED = [name for name in CONFIGS if name not in ("hubert", "wav2vec2", "wavlm")]


def extractor_of(config):
    """The feature extractor that models of this config are published with."""
    if config.model_type == "wav2vec2-bert":
        return SeamlessM4TFeatureExtractor()
    if config.model_type == "omniasr_ctc":
        return OmniASRFeatureExtractor()
    return Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=config.feat_extract_norm == "layer")


def save_base(config, folder):
    """Write a base model: an encoder without a head, or of Omnilingual ASR a recogniser, as they are published."""
    torch.manual_seed(0)
    kind = AutoModelForCTC if config.model_type == "omniasr_ctc" else AutoModel
    kind.from_config(config).save_pretrained(folder)
    extractor_of(config).save_pretrained(folder)
    return folder
