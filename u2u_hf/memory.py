"""Errors for lack of memory, which each library raises in a class of its own, told apart from damaged files."""

from __future__ import annotations

import errno
import re

from u2u_hf.records import U2UError

NOT_ENOUGH = "there is not enough memory: close other programs, or use a computer with more memory"
_NOT_ENOUGH_ON_GPU = "the GPU has not enough free memory: end other programs that use it, or use a larger one"
# Of torch on CPUs, cuBLAS and cuDNN, onnxruntime and safetensors, which raise it in the class of all their errors.
_WORDS = re.compile(
    r"(can't|cannot|failed to|unable to) allocate memory|bad_alloc|bad allocation|out of memory|STATUS_ALLOC_FAILED",
    re.IGNORECASE,
)
_PAGING_FILE_TOO_SMALL = 1455  # of Windows


def memory_problem(error: BaseException | None) -> str:
    """Return what to do if an error, or the one that it was raised from, is for lack of memory; else an empty string.

    >>> memory_problem(MemoryError()).partition(":")[0], memory_problem(ValueError("damaged"))
    ('there is not enough memory', '')
    """
    while error is not None:
        if type(error).__name__ == "OutOfMemoryError":  # torch's, of a GPU; torch is not imported for it
            return _NOT_ENOUGH_ON_GPU
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return NOT_ENOUGH
        if getattr(error, "winerror", None) == _PAGING_FILE_TOO_SMALL:
            return NOT_ENOUGH
        if not isinstance(error, (OSError, U2UError)) and _WORDS.search(str(error)):  # their text may be a file's name
            return NOT_ENOUGH
        error = error.__cause__ or error.__context__
    return ""
