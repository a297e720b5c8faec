"""HuBERT's convolutional encoder as products of matrices: the same numbers, in the form that 8 bits are fast in."""

from __future__ import annotations

import torch
from torch.nn import functional
from transformers import HubertForCTC


class FrontEnd(torch.nn.Module):
    """Samples [B, N] → features [B, C, T], as ``model.hubert.feature_extractor`` gives them.

    A convolution of stride 2 takes each pair of frames times a matrix, and for kernel 3 the first frame of the next
    pair times another one. Frames lie in rows, padded at the end so that pairs always come out even. The group
    normalisation of the first layer is worked into its weights: mean and variance of what a linear filter gives follow
    from those of its input.
    """

    def __init__(self, model: HubertForCTC):
        super().__init__()
        first, *rest = model.hubert.feature_extractor.conv_layers
        self.first = _First(first)
        self.rest = torch.nn.ModuleList(_Halving(layer) for layer in rest)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        rows, frames = self.first(samples, 2 ** len(self.rest))
        for layer in self.rest:
            rows, frames = layer(rows), (frames - layer.kernel) // 2 + 1
        return rows[:, :frames].transpose(1, 2)


def fits(model: HubertForCTC) -> bool:
    """Whether its convolutional encoder has the shape that `FrontEnd` knows: that of every published HuBERT."""
    first, *rest = (layer.conv for layer in model.hubert.feature_extractor.conv_layers)
    pairs = all((conv.stride, conv.kernel_size) in (((2,), (2,)), ((2,), (3,))) for conv in rest)
    return pairs and first.kernel_size[0] == 2 * first.stride[0]


class _First(torch.nn.Module):
    """Samples [B, N] → rows [B, R, C], of which the first `frames` are real, R a multiple of `multiple`."""

    def __init__(self, layer: torch.nn.Module):
        super().__init__()
        self.layer, self.stride = layer, layer.conv.stride[0]
        self.weight = torch.nn.Parameter(layer.conv.weight.detach()[:, 0].T.contiguous())  # [2 × stride, C]

    def forward(self, samples: torch.Tensor, multiple: int) -> tuple[torch.Tensor, int]:
        frames = samples.shape[1] // self.stride - 1
        count = (frames + multiple - 1) // multiple * multiple
        filled = torch.cat([samples, samples.new_zeros(samples.shape[0], self.stride * (multiple + 1))], 1)
        hops = filled[:, : self.stride * (count + 1)].reshape(-1, count + 1, self.stride)
        windows = torch.cat([hops[:, :-1], hops[:, 1:]], 2)  # [B, R, 2 × stride]
        norm = getattr(self.layer, "layer_norm", None)
        if isinstance(norm, torch.nn.GroupNorm):
            weight, bias = self._normalised(windows[:, :frames], norm)
            # The bias as the weight of an input that is always 1: one pass over the rows less.
            rows = torch.cat([windows, torch.ones_like(windows[:, :, :1])], 2) @ torch.cat([weight, bias[:, None]], 1)
            return self.layer.activation(rows), frames
        rows = windows @ self.weight
        rows = rows if self.layer.conv.bias is None else rows + self.layer.conv.bias
        return self.layer.activation(norm(rows) if norm else rows), frames

    def _normalised(self, windows: torch.Tensor, norm: torch.nn.GroupNorm) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight [B, K, C] and bias [B, C] that normalise over time each channel of windows [B, T, K] times the weight.

        In float64: neighbouring samples are so alike that float32 would lose the variance of the high frequencies.
        """
        exact, weight = windows.double(), self.weight.double()
        mean = exact.mean(1, keepdim=True)
        covariance = exact.transpose(1, 2) @ exact / exact.shape[1] - mean.transpose(1, 2) @ mean
        variance = (weight * (covariance @ weight)).sum(1)
        scale = norm.weight / torch.sqrt(variance + norm.eps)
        bias = norm.bias - (mean @ weight)[:, 0] * scale  # a bias of the convolution itself is gone with the mean
        return (weight * scale[:, None]).float(), bias.float()


class _Halving(torch.nn.Module):
    """Rows [B, R, C] → rows [B, R / 2, D]; the last is not real where the kernel reaches beyond it."""

    def __init__(self, layer: torch.nn.Module):
        super().__init__()
        self.layer, self.kernel = layer, layer.conv.kernel_size[0]
        weight = layer.conv.weight.detach().permute(2, 1, 0)  # [K, C, D]
        self.pair = torch.nn.Parameter(weight[:2].reshape(-1, weight.shape[2]).contiguous())
        self.next = torch.nn.Parameter(weight[2].contiguous()) if self.kernel == 3 else None

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        channels = rows.shape[2]
        pairs = rows.reshape(rows.shape[0], -1, 2 * channels)
        halved = pairs @ self.pair
        if self.next is not None:
            halved = halved + functional.pad(pairs, (0, -channels, -1, 1)) @ self.next
        if self.layer.conv.bias is not None:
            halved = halved + self.layer.conv.bias
        norm = getattr(self.layer, "layer_norm", None)
        return self.layer.activation(norm(halved) if norm else halved)
