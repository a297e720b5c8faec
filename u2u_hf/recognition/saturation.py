"""Whether this processor loses digits in products of 8-bit numbers, as models exported in int8 compute them."""

from __future__ import annotations

import base64
import functools

import numpy as np
import onnxruntime

# A graph of one node, y = MatMulInteger(a, b), with a uint8 [m, k] and b int8 [k, n]; tests/recognition/
# test_saturation.py makes the same with the package `onnx`, which nobody needs for recognition.
PRODUCT = base64.b64decode(
    "CAg6YgoYCgFhCgFiEgF5Ig1NYXRNdWxJbnRlZ2VyEgFnWhUKAWESEAoOCAISCgoDEgFtCgMSAWtaFQoBYhIQCg4IAxIKCgMSAWsKAxIBbmIVCgF5"
    "EhAKDggGEgoKAxIBbQoDEgFuQgQKABAK"
)
_ROWS, _INNER, _COLUMNS = 8, 64, 32


@functools.cache
def saturates() -> bool:
    """Return whether sums of two products are cut at 16 bits: on processors with AVX2 or AVX-512, and no VNNI.

    It is tried, with the largest numbers. onnxruntime tells nothing of it, and a list of processors would grow old.
    """
    numbers = {"a": np.full((_ROWS, _INNER), 255, np.uint8), "b": np.full((_INNER, _COLUMNS), 127, np.int8)}
    session = onnxruntime.InferenceSession(PRODUCT, providers=["CPUExecutionProvider"])
    return bool((session.run(None, numbers)[0] != _INNER * 255 * 127).any())
