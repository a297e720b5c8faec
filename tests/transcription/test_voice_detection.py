import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from u2u_hf.records import U2UError
from u2u_hf.transcription.voice_detection import FRAME_MS, VadSettings, segments

BARE = VadSettings(min_speech_ms=64, min_silence_ms=96, pad_ms=0)


def probabilities(pattern):
    """One frame of 32 ms a character: # is speech, - between the thresholds, . is none."""
    return np.array([{"#": 0.9, "-": 0.4, ".": 0.1}[c] for c in pattern], dtype=np.float32)


@pytest.mark.parametrize(
    ("pattern", "frames"),
    [
        ("......", []),
        ("..##..", [(2, 4)]),
        ("..#...", []),  # 32 ms: shorter than speech
        ("##..##", [(0, 6)]),  # 64 ms of silence: one segment
        ("##...##", [(0, 2), (5, 7)]),
        ("--##--..", [(2, 6)]),  # begins at the upper threshold, ends below the lower one
        ("####", [(0, 4)]),
    ],
)
def test_segments(pattern, frames):
    duration = len(pattern) * FRAME_MS
    assert segments(probabilities(pattern), BARE, duration) == [(a * FRAME_MS, b * FRAME_MS) for a, b in frames]


def test_padding_never_overlaps_or_leaves_the_recording():
    settings = VadSettings(min_speech_ms=64, min_silence_ms=96, pad_ms=60)
    found = segments(probabilities(".##...##."), settings, 9 * FRAME_MS - 5)
    # Speech 32-96 and 192-256 ms in 283 ms: 32 ms before, 48 (half the gap) between, 27 ms after.
    assert found == [(0, 144), (144, 283)]


def test_long_speech_is_cut_where_it_is_least_probable():
    p = probabilities("#" * 100)
    p[40] = 0.6
    found = segments(p, VadSettings(min_speech_ms=64, min_silence_ms=96, pad_ms=0, max_segment_ms=50 * FRAME_MS), 3200)
    assert found[0] == (0, 40 * FRAME_MS)
    assert found[1][0] == 40 * FRAME_MS
    assert found[-1][1] == 3200
    assert all(end - start <= 50 * FRAME_MS for start, end in found)


@settings(max_examples=200)
@given(
    st.lists(st.floats(0, 1, width=32), max_size=300),
    st.integers(0, 300),
    st.integers(100, 3000),
    st.integers(0, 500),
    st.integers(0, 31),
)
def test_segments_are_ordered_apart_inside_and_not_too_long(p, pad, longest, silence, short):
    duration = max(0, len(p) * FRAME_MS - short)
    longest = max(longest, FRAME_MS + 2 * pad)
    setting = VadSettings(pad_ms=pad, max_segment_ms=longest, min_silence_ms=silence)
    found = segments(np.array(p, dtype=np.float32), setting, duration)
    edges = [edge for span in found for edge in span]
    assert edges == sorted(edges)
    assert all(start < end for start, end in found)
    assert not edges or (edges[0] >= 0 and edges[-1] <= duration)
    assert all(end - start <= longest for start, end in found)


@pytest.mark.parametrize(
    "wrong", [{"threshold": 0.0}, {"threshold": 1.5}, {"pad_ms": -1}, {"pad_ms": 120, "max_segment_ms": 271}]
)
def test_settings_that_cannot_be_are_named(wrong):
    with pytest.raises(U2UError, match=f"--{list(wrong)[-1]}|--max_segment_ms"):
        VadSettings(**wrong)
