"""HuBERT's convolutional encoder as products of matrices: the same numbers, in the form that 8 bits are fast in."""

from __future__ import annotations

import torch
from torch.nn import functional
from transformers import HubertForCTC

_ZERO = 128  # in the middle of 8 bits
_TINY = 1e-30


class FrontEnd(torch.nn.Module):
    """Samples [B, N] → features [B, C, T], as ``model.hubert.feature_extractor`` gives them.

    A convolution of stride 2 takes each pair of frames times a matrix, and for kernel 3 the first frame of the next
    pair times another one. Frames lie in rows, padded at the end so that pairs always come out even. The group
    normalisation of the first layer is worked into its weights: mean and variance of what a linear filter gives follow
    from those of its input.
    """

    def __init__(self, model: HubertForCTC, eight_bits: bool = False):
        """Args: eight_bits: all but the first layer multiply numbers of 8 bits, with a scale for each pair of frames:
        in a model without layer norms a quiet frame is a hundred times smaller than a loud one, and the norm behind the
        encoder makes all equal again."""
        super().__init__()
        first, *rest = model.hubert.feature_extractor.conv_layers
        self.first = _First(first)
        self.rest = torch.nn.ModuleList((_Halving8 if eight_bits else _Halving)(layer) for layer in rest)

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
        halved = self.products(rows.reshape(rows.shape[0], -1, 2 * rows.shape[2]))
        if self.layer.conv.bias is not None:
            halved = halved + self.layer.conv.bias
        norm = getattr(self.layer, "layer_norm", None)
        return self.layer.activation(norm(halved) if norm else halved)

    def products(self, pairs: torch.Tensor) -> torch.Tensor:
        """Pairs of frames [B, R, 2 × C] and what follows them, times the weights → [B, R, D]."""
        halved = pairs @ self.pair
        return halved if self.next is None else halved + _following(pairs, 0) @ self.next


class _Halving8(_Halving):
    """`_Halving` with weights in 8 bits, a scale for each output channel, and pairs in 8 bits, a scale for each."""

    def __init__(self, layer: torch.nn.Module):
        super().__init__(layer)
        weights = [w.detach() for w in (self.pair, self.next) if w is not None]
        self.scale = torch.nn.Parameter(torch.cat(weights).abs().amax(0).clamp(min=_TINY) / 127)
        for name, weight in zip(("pair", "next"), weights, strict=False):
            whole = torch.round(weight / self.scale.detach()).to(torch.int8)
            setattr(self, name, torch.nn.Parameter(whole, requires_grad=False))

    def products(self, pairs: torch.Tensor) -> torch.Tensor:
        largest = pairs.abs().amax(2, keepdim=True).clamp(min=_TINY)
        # Above 0, cutting off is rounding.
        whole, scale = (pairs * (127 / largest) + (_ZERO + 0.5)).to(torch.uint8), largest / 127
        halved = _Product8.apply(whole, self.pair).float() * scale
        if self.next is not None:
            following = _Product8.apply(_following(whole, _ZERO), self.next).float()
            halved = halved + following * functional.pad(scale, (0, 0, -1, 1))
        return halved * self.scale


class _Product8(torch.autograd.Function):
    """uint8 [B, R, K], of which 128 stands for 0, times int8 [K, D] → int32 [B, R, D]; one operation in ONNX."""

    @staticmethod
    def forward(ctx, rows: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return (rows.int() - _ZERO) @ weight.int()

    @staticmethod
    def symbolic(g, rows, weight):
        zero = g.op("Constant", value_t=torch.tensor(_ZERO, dtype=torch.uint8))
        return g.op("MatMulInteger", rows, weight, zero)


def _following(pairs: torch.Tensor, filling: int) -> torch.Tensor:
    """Of the pairs [B, R, 2 × C] the first frame of each one's next [B, R, C]."""
    return functional.pad(pairs, (0, -pairs.shape[2] // 2, -1, 1), value=filling)
