"""Wav2Vec2-BERT: log-mel input, a conformer."""

from __future__ import annotations

import numpy as np
import torch
from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertProcessor

from u2u_hf.data.inputs import LOG_MEL
from u2u_hf.recognition.families.family import set_labels

_MELS, _PAIR = 80, 2
_WINDOW, _HOP, _POINTS = 400, 160, 512
_PREEMPHASIS, _FULL_SCALE, _FLOOR, _TINY = 0.97, 2.0**15, 2.0**-23, 1e-7


class LogMelFamily:
    """See `ModelFamily`. Nothing is frozen: there are no convolutions below the encoder."""

    name = "Wav2Vec2-BERT"
    examples = ""
    model_type = "wav2vec2-bert"
    architecture = "Wav2Vec2BertForCTC"
    processor = Wav2Vec2BertProcessor
    inputs = LOG_MEL
    head = "lm_head"
    float32_parts = ("/lm_head/",)

    def problem(self, config, extractor) -> str:
        if config.add_adapter:
            return "its adapter (add_adapter) halves the frame rate"
        if (extractor.num_mel_bins, extractor.stride) != (_MELS, _PAIR):
            return f"its input is {extractor.stride} × {extractor.num_mel_bins} log-mels, not {_PAIR} × {_MELS}"
        return ""

    def configure(self, config, labels, blank, regularisation) -> None:
        set_labels(config, labels, blank)
        for key, value in regularisation.items():
            setattr(config, key, value)
        if "hidden_dropout" in regularisation:
            config.conformer_conv_dropout = regularisation["hidden_dropout"]

    def extractor(self, extractor, config):
        return extractor  # it always gives a mask

    def blank(self, config) -> int:
        return config.pad_token_id

    def prepare(self, model, regularisation) -> None:
        pass

    def below_layers(self, model):
        return model.base_model.feature_projection

    def layers(self, model):
        return model.base_model.encoder.layers

    def above_layers(self, model):
        feed_forward = model.base_model.intermediate_ffn
        return [feed_forward] if feed_forward else []

    def conv_layers(self, model):
        return None

    def replace_convolutions(self, model, encoder) -> None:
        raise NotImplementedError  # there are none

    def exportable(self, model) -> torch.nn.Module:
        return _LogMelToLogits(model)


class _LogMelToLogits(torch.nn.Module):
    """Samples [B, N] → logits [B, T, V], with the features of SeamlessM4TFeatureExtractor in between.

    They are here because neither ONNX runtime of ours has that extractor. What it does to a frame x before its power
    spectrum is linear: subtract the mean m, pre-emphasise, multiply by a window that is 0 at the first sample, Fourier
    transform. So it is one convolution of two channels: y[n] = x[n] - 0.97 x[n-1], of which the pre-emphasised mean
    0.03 m is subtracted, as 0.03 / 400 of each sample of x. To difference first keeps hum from drowning weak
    frequencies in float32. All is convolutions, because matrix products become int8.
    """

    def __init__(self, model):
        super().__init__()
        self.model = model
        extractor = SeamlessM4TFeatureExtractor()
        spectra = np.fft.rfft(np.diag(extractor.window), _POINTS)  # of each sample of a frame: [400, 257]
        means = np.broadcast_to((_PREEMPHASIS - 1) / _WINDOW * spectra.sum(0), spectra.shape)
        kernels = np.stack([spectra, means], 1) * _FULL_SCALE  # [400, 2, 257]
        kernels = np.concatenate([kernels.real, kernels.imag], 2).T  # [514, 2, 400]
        self.register_buffer("kernels", torch.from_numpy(kernels).float())
        self.register_buffer("mels", torch.from_numpy(extractor.mel_filters.T[:, :, None]).float())

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        emphasised = samples[:, 1:] - _PREEMPHASIS * samples[:, :-1]
        signals = torch.stack([torch.cat([samples[:, :1], emphasised], 1), samples], 1)
        real, imaginary = torch.nn.functional.conv1d(signals, self.kernels, stride=_HOP).chunk(2, 1)
        power = torch.nn.functional.conv1d(real**2 + imaginary**2, self.mels)
        mels = torch.log(torch.clamp(power, min=_FLOOR))  # [B, 80, frames]
        centred = mels - mels.mean(2, keepdim=True)
        variance = (centred**2).sum(2, keepdim=True) / (mels.shape[2] - 1)
        frames = (centred / torch.sqrt(variance + _TINY)).transpose(1, 2)
        pairs = frames.shape[1] // _PAIR
        features = frames[:, : pairs * _PAIR].reshape(samples.shape[0], pairs, _PAIR * _MELS)
        return self.model(features).logits


FAMILY = LogMelFamily()
