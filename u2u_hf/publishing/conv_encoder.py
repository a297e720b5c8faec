"""Convolutional encoders as matrix products: the same numbers, in the form in which 8 bits are fast.

onnxruntime has fast 8-bit kernels for matrix products (MatMulInteger) and slow ones for convolutions (ConvInteger).
A convolution of stride 2 is a matrix product of pairs of frames, here with kernel [1, 10, 100] and one channel:

    frames    1  2  3  4  5  6     kernel 3, stride 2: 1·1 + 2·10 + 3·100 = 321, 3·1 + 4·10 + 5·100 = 543
    pairs     [1 2] [3 4] [5 6]    × [1 10]                  = 21   43   65
    followed by  3     5     –     × [100]                   = 300 500    0
    sum                                                        321 543   65

The last sum is padding: its kernel reaches beyond the frames. With C input and D output channels, a pair is a row of
2 × C numbers, [1 10] a matrix [2 × C, D], and [100] a matrix [C, D].
"""

from __future__ import annotations

import torch
from torch.nn import functional
from transformers import PreTrainedModel

from u2u_hf.recognition.families.registry import family_of

_ZERO_POINT = 128  # of uint8
_TINY = 1e-30


class MatrixConvEncoder(torch.nn.Module):
    """Samples [B, N] → features [B, C, T], equal to those of the model's own encoder.

    Between the layers, frames are rows [B, R, C], of which the first T are real and the rest is padding, so that the
    number of rows stays even.
    """

    def __init__(self, model: PreTrainedModel, eight_bits: bool = False):
        """Copy the weights of a model that `is_supported`.

        Args:
            eight_bits: multiply 8-bit numbers in all layers but the first, with a scale for each pair of frames. In a
                model without layer norms a quiet frame is a hundred times smaller than a loud one, and the norm behind
                the encoder makes all frames equal again, so one scale for all would lose the quiet ones.
        """
        super().__init__()
        first, *rest = family_of(model).conv_layers(model)
        self.first = _FirstConv(first)
        self.rest = torch.nn.ModuleList((_Stride2ConvInt8 if eight_bits else _Stride2Conv)(layer) for layer in rest)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        rows, frames = self.first(samples, 2 ** len(self.rest))
        for layer in self.rest:
            rows, frames = layer(rows), (frames - layer.kernel) // 2 + 1
        return rows[:, :frames].transpose(1, 2)


def is_supported(model: PreTrainedModel) -> bool:
    """Return whether the model has convolutions with the kernels and strides of every published HuBERT.

    The first layer's kernel is twice its stride, the others have stride 2 and kernel 2 or 3.
    """
    layers = family_of(model).conv_layers(model)
    if layers is None:
        return False
    first, *rest = (layer.conv for layer in layers)
    stride_2 = all((conv.stride, conv.kernel_size) in (((2,), (2,)), ((2,), (3,))) for conv in rest)
    return stride_2 and first.kernel_size[0] == 2 * first.stride[0]


class _FirstConv(torch.nn.Module):
    """The first layer, of one input channel: samples [B, N] → rows [B, R, C] and the number of real frames."""

    def __init__(self, layer: torch.nn.Module):
        super().__init__()
        self.layer, self.stride = layer, layer.conv.stride[0]
        self.weight = torch.nn.Parameter(layer.conv.weight.detach()[:, 0].T.contiguous())  # [kernel, C]

    def forward(self, samples: torch.Tensor, multiple: int) -> tuple[torch.Tensor, int]:
        """Convolve, with padding to a number of rows that is a multiple of `multiple`."""
        frames = samples.shape[1] // self.stride - 1
        count = (frames + multiple - 1) // multiple * multiple
        padded = torch.cat([samples, samples.new_zeros(samples.shape[0], self.stride * (multiple + 1))], 1)
        strides = padded[:, : self.stride * (count + 1)].reshape(-1, count + 1, self.stride)
        windows = torch.cat([strides[:, :-1], strides[:, 1:]], 2)  # [B, R, kernel], since the kernel is two strides
        norm = getattr(self.layer, "layer_norm", None)
        if isinstance(norm, torch.nn.GroupNorm):
            weight, bias = self._with_group_norm(windows[:, :frames], norm)
            # The bias is the weight of an input that is always 1, which saves one pass over the rows.
            rows = torch.cat([windows, torch.ones_like(windows[:, :, :1])], 2) @ torch.cat([weight, bias[:, None]], 1)
            return self.layer.activation(rows), frames
        rows = windows @ self.weight
        rows = rows if self.layer.conv.bias is None else rows + self.layer.conv.bias
        return self.layer.activation(norm(rows) if norm else rows), frames

    def _with_group_norm(self, windows: torch.Tensor, norm: torch.nn.GroupNorm) -> tuple[torch.Tensor, torch.Tensor]:
        """Return weight [B, K, C] and bias [B, C] that convolve windows [B, T, K] and apply the group norm at once.

        The group norm has one group per channel: it normalises each channel over time. The mean and variance of a
        linear filter's output follow from those of its input: w·mean and w·covariance·w.

        Computed in float64: neighbouring samples are so alike that float32 would lose the variance of the high
        frequencies.
        """
        exact, weight = windows.double(), self.weight.double()
        mean = exact.mean(1, keepdim=True)
        covariance = exact.transpose(1, 2) @ exact / exact.shape[1] - mean.transpose(1, 2) @ mean
        variance = (weight * (covariance @ weight)).sum(1)
        scale = norm.weight / torch.sqrt(variance + norm.eps)
        bias = norm.bias - (mean @ weight)[:, 0] * scale  # the convolution's own bias is subtracted with the mean
        return (weight * scale[:, None]).float(), bias.float()


class _Stride2Conv(torch.nn.Module):
    """A layer of stride 2 and kernel 2 or 3: rows [B, R, C] → rows [B, R / 2, D]."""

    def __init__(self, layer: torch.nn.Module):
        super().__init__()
        self.layer, self.kernel = layer, layer.conv.kernel_size[0]
        weight = layer.conv.weight.detach().permute(2, 1, 0)  # [kernel, C, D]
        self.pair = torch.nn.Parameter(weight[:2].reshape(-1, weight.shape[2]).contiguous())
        self.next = torch.nn.Parameter(weight[2].contiguous()) if self.kernel == 3 else None

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        convolved = self.products(rows.reshape(rows.shape[0], -1, 2 * rows.shape[2]))
        if self.layer.conv.bias is not None:
            convolved = convolved + self.layer.conv.bias
        norm = getattr(self.layer, "layer_norm", None)
        return self.layer.activation(norm(convolved) if norm else convolved)

    def products(self, pairs: torch.Tensor) -> torch.Tensor:
        """Convolve pairs of frames [B, R, 2 × C] without bias, norm and activation → [B, R, D]."""
        convolved = pairs @ self.pair
        return convolved if self.next is None else convolved + _first_of_next_pair(pairs, 0) @ self.next


class _Stride2ConvInt8(_Stride2Conv):
    """`_Stride2Conv` of int8 weights, with a scale for each output channel, and uint8 frames, one for each pair."""

    def __init__(self, layer: torch.nn.Module):
        super().__init__(layer)
        weights = [w.detach() for w in (self.pair, self.next) if w is not None]
        self.scale = torch.nn.Parameter(torch.cat(weights).abs().amax(0).clamp(min=_TINY) / 127)
        for name, weight in zip(("pair", "next"), weights, strict=False):
            quantized = torch.round(weight / self.scale.detach()).to(torch.int8)
            setattr(self, name, torch.nn.Parameter(quantized, requires_grad=False))

    def products(self, pairs: torch.Tensor) -> torch.Tensor:
        largest = pairs.abs().amax(2, keepdim=True).clamp(min=_TINY)
        scale = largest / 127
        # The cast to uint8 cuts off decimals; with 0.5 added it rounds.
        quantized = (pairs * (127 / largest) + (_ZERO_POINT + 0.5)).to(torch.uint8)
        convolved = _Int8Product.apply(quantized, self.pair).float() * scale
        if self.next is not None:
            following = _Int8Product.apply(_first_of_next_pair(quantized, _ZERO_POINT), self.next).float()
            convolved = convolved + following * functional.pad(scale, (0, 0, -1, 1))
        return convolved * self.scale


class _Int8Product(torch.autograd.Function):
    """uint8 [B, R, K] with zero point 128, times int8 [K, D] → int32 [B, R, D]; one operation in ONNX."""

    @staticmethod
    def forward(ctx, rows: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return (rows.int() - _ZERO_POINT) @ weight.int()

    @staticmethod
    def symbolic(g, rows, weight):
        zero_point = g.op("Constant", value_t=torch.tensor(_ZERO_POINT, dtype=torch.uint8))
        return g.op("MatMulInteger", rows, weight, zero_point)


def _first_of_next_pair(pairs: torch.Tensor, padding: int) -> torch.Tensor:
    """Return the frame [B, R, C] that follows each of the pairs [B, R, 2 × C]."""
    return functional.pad(pairs, (0, -pairs.shape[2] // 2, -1, 1), value=padding)
