import numpy as np
import pytest
import soundfile
from waveform import levels

from u2u_hf.data.audio import audio_info


def test_a_louder_part_is_a_higher_value(tmp_path):
    sound = np.repeat([[1.0, 0.0], [0.1, 0.0], [0.0, 0.5], [0.001, 0.0]], 16_000, axis=0)
    soundfile.write(tmp_path / "a.wav", sound * 0.999, 16_000, subtype="FLOAT")
    level = levels(audio_info(tmp_path / "a.wav"))
    assert (level.shape, level.dtype) == ((2, 400), np.uint8)
    # 0, -20 and -60 dB of 60 are all, two thirds and none of 255; -6 dB are nine tenths.
    assert level[:, [50, 150, 250, 350]].tolist() == pytest.approx(np.array([[255, 170, 0, 0], [0, 0, 229, 0]]), abs=1)


def test_a_long_recording_has_as_few_values_as_the_browser_needs(tmp_path, monkeypatch):
    monkeypatch.setattr("waveform._MOST_PARTS", 20)
    soundfile.write(tmp_path / "a.wav", np.tile([[0.5, 0.0]], (16_000, 1)), 16_000)
    level = levels(audio_info(tmp_path / "a.wav"))
    assert level.shape == (2, 10)
    assert level[0] == pytest.approx(229, abs=1)
    assert not level[1].any()
