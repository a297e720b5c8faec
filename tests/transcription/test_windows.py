import numpy as np
import pytest

from u2u_hf.data.audio import audio_info, read_audio
from u2u_hf.evaluation.metrics import error_rates
from u2u_hf.frames import frame_count
from u2u_hf.recognition.decoding import collapse
from u2u_hf.transcription.windows import Windows, log_probs_in_windows


def test_long_stretches_are_joined_from_windows_frame_by_frame():
    """Each frame's own number comes out once, in order, and from the window it is farther from the edge of."""
    seen = []

    def numbers(samples):
        seen.append((int(samples[0]), len(samples)))
        return samples[: frame_count(len(samples)) * 320 : 320, None]

    for length in (0, 399, 400, 31_999, 32_000, 32_001, 47_999, 48_000, 48_001, 100_000):
        seen.clear()
        samples = np.arange(length, dtype=np.float32)
        if length < 400:
            assert log_probs_in_windows(lambda s: np.zeros((0, 1), np.float32), samples, 2, 1).shape == (0, 1)
            continue
        rows = log_probs_in_windows(numbers, samples, window_s=2, overlap_s=1)
        assert rows[:, 0].tolist() == [320 * frame for frame in range(frame_count(length))]
        assert all(count <= 32_000 for _, count in seen)
        assert seen[-1][0] + seen[-1][1] == length


def test_windows_hear_what_the_whole_hears(new_recording, recognizer):
    samples = read_audio(audio_info(new_recording), 0, 12_000, [1])[0]
    whole = recognizer.log_probs(samples)
    joined = log_probs_in_windows(recognizer.log_probs, samples, window_s=6)
    assert whole.shape == joined.shape
    # Not the same: each window is normalised by its own mean and variance.
    texts = [collapse(rows.argmax(1), recognizer.labels) for rows in (joined, whole)]
    assert error_rates(texts[:1], texts[1:])["cer"] < 0.2


@pytest.mark.parametrize("block", [1000, 16_000, 31_999, 32_000, 100_000])
def test_the_windows_are_the_same_in_blocks_of_any_length(block):
    samples = np.arange(100_000, dtype=np.float32)

    def cut(block):
        windows = Windows(window_s=2, overlap_s=1)
        found = [part for i in range(0, len(samples), block) for part in windows.add(samples[i : i + block])]
        return [(window.tolist(), kept) for window, kept in [*found, windows.end()]]

    assert cut(block) == cut(len(samples))
