"""Resampling against torchaudio, whose filter it is."""

import numpy as np
import pytest
import torch
import torchaudio

from u2u_hf.data.resampling import resample


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 1_000_000])
@pytest.mark.parametrize("length", [0, 1, 95, 1_000, 44_101])
def test_samples_are_those_of_torchaudio(rate, length):
    signal = np.random.default_rng(length).uniform(-1, 1, (2, length)).astype(np.float32)
    found = resample(signal, rate, 16_000)
    assert found.dtype == np.float32
    assert found.shape == (2, -(-length * 16_000 // rate))
    if length:
        theirs = torchaudio.functional.resample(torch.from_numpy(signal), rate, 16_000).numpy()
        np.testing.assert_allclose(found, theirs, rtol=0, atol=1e-6)


def test_a_tone_stays_itself_and_one_above_the_new_range_goes():
    t = np.arange(48_000) / 48_000
    low, high = (np.sin(2 * np.pi * hertz * t, dtype=np.float32)[None] for hertz in (1_000, 12_000))
    expected = np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000)
    inside = slice(100, -100)  # beyond the ends there is silence
    np.testing.assert_allclose(resample(low, 48_000, 16_000)[0, inside], expected[inside], atol=2e-3)
    assert np.abs(resample(high, 48_000, 16_000)[0, inside]).max() < 3e-3  # -50 dB


def test_samples_in_any_order_of_memory_are_taken():
    signal = np.asfortranarray(np.random.default_rng(0).uniform(-1, 1, (2, 500)).astype(np.float32))
    assert np.array_equal(resample(signal, 44_100, 16_000), resample(signal.copy("C"), 44_100, 16_000))
