import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from u2u_hf.records import U2UError
from u2u_hf.transcription.voice_detection import (
    FRAME_MS,
    SpeechDetector,
    VadSettings,
    levels_db,
    same_on_all_channels,
    segments,
    without_crosstalk,
)

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


def test_crosstalk_is_the_quieter_copy():
    speaking = probabilities("##########..........##########")
    p = np.stack([speaking, speaking])  # the detector hears the first speaker on both channels…
    level = np.full((2, 30), -60, dtype=np.float32)
    level[0, :10] = -20
    level[1, :10] = -45  # …25 dB quieter on the second,
    level[1, 20:] = -32  # and the second speaker, softer and far from a sensitive first microphone,
    level[0, 20:] = -36  # is only 4 dB quieter there than on the second.
    kept = without_crosstalk(p, level, VadSettings()) >= 0.5
    assert kept[0].tolist()[:8] == [True] * 8
    assert not kept[1, :8].any()
    assert kept[1].tolist()[22:] == [True] * 8
    assert not kept[0, 22:].any()


def test_crosstalk_on_a_channel_where_nobody_speaks():
    p = np.stack([probabilities("#" * 20)] * 2)
    level = np.stack([np.full(20, -20), np.full(20, -40)]).astype(np.float32)
    kept = without_crosstalk(p, level, VadSettings()) >= 0.5
    assert kept[0].all()
    assert not kept[1].any()


def test_both_speak_at_once():
    p = np.stack([probabilities("#" * 20)] * 2)
    level = np.stack([np.full(20, -20), np.full(20, -24)]).astype(np.float32)
    assert (without_crosstalk(p, level, VadSettings()) >= 0.5).all()


def test_one_microphone_on_both_channels():
    level = np.random.default_rng(0).normal(-30, 10, 50).astype(np.float32)
    assert same_on_all_channels(np.stack([level, level]))
    assert not same_on_all_channels(np.stack([level, level + 1]))
    assert not same_on_all_channels(level[None])


def test_levels():
    tone = np.sin(2 * np.pi * 1000 * np.arange(1024) / 16_000).astype(np.float32)
    assert levels_db(np.concatenate([tone, np.zeros(10, np.float32)])).tolist() == pytest.approx(
        [-3.01, -3.01, -100], abs=0.01
    )


def test_detector_hears_speech_and_is_the_same_in_blocks(demo_folder):
    path = next((demo_folder / "new_recordings").glob("*.wav"))
    samples = soundfile.read(path, dtype="float32", always_2d=True)[0][::3, 0][: 512 * 400]
    whole = SpeechDetector().probabilities(samples)
    detector = SpeechDetector()
    blocks = np.concatenate([detector.probabilities(samples[i : i + 5120]) for i in range(0, len(samples), 5120)])
    assert whole == pytest.approx(blocks, abs=1e-4)
    assert whole.max() > 0.9
    assert whole[: 512 * 8 // 512].max() < 0.5  # the demo begins with 0.5 s of room noise


def test_detector_is_silero():
    """The same probabilities as the silero-vad package's own wrapper gives."""
    import torch
    from silero_vad import load_silero_vad

    rng = np.random.default_rng(0)
    t = np.arange(512 * 60) / 16_000
    samples = (np.sin(2 * np.pi * 150 * t) * (np.sin(2 * np.pi * 3 * t) > 0) * 0.3).astype(np.float32)
    samples += 0.01 * rng.standard_normal(len(samples), dtype=np.float32)
    theirs = load_silero_vad(onnx=True).audio_forward(torch.from_numpy(samples), 16_000)[0].numpy()
    assert SpeechDetector().probabilities(samples) == pytest.approx(theirs, abs=1e-3)
