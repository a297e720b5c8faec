import numpy as np
import pytest

from u2u_hf.transcription.crosstalk import levels_db, same_on_all_channels, without_crosstalk
from u2u_hf.transcription.voice_detection import VadSettings


def probabilities(pattern):
    """One frame of 32 ms a character: # is speech, . is none."""
    return np.array([{"#": 0.9, ".": 0.1}[c] for c in pattern], dtype=np.float32)


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
