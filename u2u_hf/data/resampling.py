"""Resampling with a windowed sinc, equal to `torchaudio.functional.resample` with its default settings.

By hand rather than with torchaudio, which imports torch: that takes seconds, and who only transcribes with an exported
model needs it for nothing else.
"""

from __future__ import annotations

import functools
import math

import numpy as np

_ZERO_CROSSINGS = 6  # of the sinc on each side, torchaudio's lowpass_filter_width
_ROLLOFF = 0.99  # cut-off frequency, as a share of the lower of the two Nyquist frequencies
_ONE_THREAD = 262_144  # multiplications, up to which OpenBLAS takes one thread (interface/gemm.c)
_LEAST_ROW = 96  # samples of a matrix product's rows: fewer are slow for BLAS, more multiply more zeros


def resample(signal: np.ndarray, rate: int, target: int) -> np.ndarray:
    """Return samples at another rate: float32 [C, N] → float32 [C, ceil(N · target / rate)].

    Samples before and after the signal count as 0.

    Args:
        rate, target: Hz. The filter's size is their product by their greatest common divisor squared: gigabytes from
            44,101 to 16,000 Hz.
    """
    divisor = math.gcd(rate, target)
    old, new = rate // divisor, target // divisor
    filters, width = _filters(old, new)
    row, row_out = filters.shape[0] - 2 * width, filters.shape[1]
    before, within, after = filters[:width], filters[width : width + row], filters[width + row :]
    length = signal.shape[1]
    count = -(-length // row)
    resampled = np.empty((len(signal), -(-length * new // old)), dtype=np.float32)
    rows = np.zeros((count + 2, row), dtype=np.float32)  # one of silence before and after
    flat = rows.reshape(-1)
    for channel, found in zip(signal, resampled, strict=True):
        flat[row : row + length] = channel
        # In place of overlapping rows, which numpy would copy: the ends of neighbours.
        products = _product(rows[1:-1], within)
        products += _product(rows[:-2, row - width :], before)
        products += _product(rows[2:, :width], after)
        found[:] = products.reshape(count * row_out)[: len(found)]
    return resampled


def _product(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return ``rows @ matrix``, in parts so small that OpenBLAS computes each in this thread.

    Its other threads would wait for more work with full force, and take a fifth of the recogniser's time from it.
    """
    found = np.empty((len(rows), matrix.shape[1]), dtype=np.float32)
    part = max(1, _ONE_THREAD // matrix.size)
    for begin in range(0, len(rows), part):
        np.matmul(rows[begin : begin + part], matrix, out=found[begin : begin + part])
    return found


@functools.lru_cache(maxsize=4)
def _filters(old: int, new: int) -> tuple[np.ndarray, int]:
    """Return the matrix from a row of samples, with `width` more on each side, to as many samples at the new rate.

    The row has a multiple of `old` samples, and at least `width`.

    Returns:
        float32 [width + row + width, row · new / old], and width.
    """
    lower = min(old, new) * _ROLLOFF
    width = math.ceil(_ZERO_CROSSINGS * old / lower)
    # In float32 as torchaudio computes it: its rounding errors, of 1e-5, are then ours.
    times = np.arange(-width, width + old, dtype=np.float32)[:, None] / old
    phases = np.arange(0, -new, -1, dtype=np.float32) / new
    t = np.clip((phases + times) * lower, -_ZERO_CROSSINGS, _ZERO_CROSSINGS)
    window = np.cos(t * math.pi / _ZERO_CROSSINGS / 2) ** 2
    t *= math.pi
    with np.errstate(invalid="ignore"):
        sinc = np.where(t == 0, np.float32(1), np.sin(t) / t)
    filters = sinc * (window * (lower / old))
    repeats = -(-max(_LEAST_ROW, width) // old)
    matrix = np.zeros((repeats * old + 2 * width, repeats * new), dtype=np.float32)
    for repeat in range(repeats):
        matrix[repeat * old :][: len(filters), repeat * new :][:, :new] = filters
    return matrix, width
