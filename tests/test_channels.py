import numpy as np
import pytest
import soundfile

from u2u_hf.channels import assign_channels
from u2u_hf.records import Utterance


def utterance(path, tier, start, end):
    return Utterance("r", str(path), tier, tier, None, start, end, "a", "a")


@pytest.fixture
def conversation(tmp_path):
    """2 s at 8 kHz: A speaks on the right (0-800 ms), B on the left (1000-1800 ms); each leaks, 20 dB down."""
    rng = np.random.default_rng(0)
    a, b = np.zeros(16_000), np.zeros(16_000)
    a[:6400] = rng.standard_normal(6400) * 0.1
    b[8000:14_400] = rng.standard_normal(6400) * 0.02  # a soft speaker
    path = tmp_path / "r.wav"
    soundfile.write(path, np.stack([b + 0.1 * a, a + 0.1 * b], 1) + 0.3, 8000, subtype="FLOAT")  # and a DC offset
    return path


def test_each_speaker_is_found_on_the_louder_channel(conversation):
    rows = [utterance(conversation, "A", 0, 800), utterance(conversation, "B", 1000, 1800)]
    placed, choices, dropped = assign_channels(rows)
    assert [(u.tier, u.channel) for u in placed] == [("A", 1), ("B", 0)]
    assert [c.margin_db for c in choices] == pytest.approx([20, 20], abs=0.5)
    assert not any(c.close for c in choices)
    assert not dropped


def test_overlap_does_not_count_where_the_speaker_is_also_alone(conversation):
    # B's second annotation lies where A speaks, ten times as loud: only the first one is listened to.
    rows = [
        utterance(conversation, "A", 0, 800),
        utterance(conversation, "B", 1000, 1800),
        utterance(conversation, "B", 100, 700),
    ]
    placed, _, _ = assign_channels(rows)
    assert {(u.tier, u.channel) for u in placed} == {("A", 1), ("B", 0)}


def test_mono_and_one_microphone(tmp_path):
    noise = np.random.default_rng(0).standard_normal(8000) * 0.1
    soundfile.write(tmp_path / "mono.wav", noise, 8000)
    soundfile.write(tmp_path / "same.wav", np.stack([noise, noise], 1), 8000)
    (mono,), (choice,), _ = assign_channels([utterance(tmp_path / "mono.wav", "A", 0, 500)])
    assert (mono.channel, choice.margin_db, choice.close) == (0, float("inf"), False)
    _, (choice,), _ = assign_channels([utterance(tmp_path / "same.wav", "A", 0, 500)])
    assert choice.close


def test_what_has_no_audio_is_dropped_with_its_reason(conversation, tmp_path):
    rows = [
        utterance(conversation, "A", 0, 800),
        utterance(conversation, "A", 1900, 2001),
        utterance(tmp_path / "gone.wav", "A", 0, 800),
    ]
    placed, _, dropped = assign_channels(rows)
    assert placed[0].start_ms == 0
    assert len(placed) == 1
    assert [(u.start_ms, reason) for u, reason in dropped] == [
        (1900, "the annotation ends after the audio, which lasts 2.0 s"),
        (0, f"{tmp_path / 'gone.wav'}: there is no such file"),
    ]
