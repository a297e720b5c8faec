import re

import torch

from u2u_hf.training.peak_memory import peak_bytes, peak_memory

CPU = torch.device("cpu")


def test_the_peak_stays_when_memory_is_released():
    before = peak_bytes(CPU)
    torch.ones(before // 4 + 25_000_000)  # four bytes each: at least as much as there has been, and 100 MB
    assert before + 1e8 < peak_bytes(CPU) < 3 * before + 2e8


def test_the_peak_in_words():
    assert re.fullmatch(r"\d+\.\d GB of memory", peak_memory(CPU))
    assert peak_memory(CPU, processes=2).endswith(" GB of memory in each process")
