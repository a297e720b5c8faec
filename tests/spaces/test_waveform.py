import numpy as np
import pytest
import soundfile
from waveform import levels, picture

from u2u_hf.data.audio import audio_info
from u2u_hf.records import Segment, Transcript


def test_the_picture_is_as_high_as_it_is_loud(tmp_path):
    sound = np.repeat([[1.0, 0.0], [0.1, 0.0], [0.0, 0.5], [0.001, 0.0]], 16_000, axis=0)
    soundfile.write(tmp_path / "a.wav", sound * 0.999, 16_000, subtype="FLOAT")
    level = levels(audio_info(tmp_path / "a.wav"))
    assert level.shape == (2, 400)
    # 0, -20 and -60 dB of 60 are all, two thirds and none of the height; -6 dB are nine tenths.
    assert level[:, [50, 150, 250, 350]] == pytest.approx(np.array([[1, 2 / 3, 0, 0], [0, 0, 0.9, 0]]), abs=0.01)
    transcript = Transcript("a.wav", 4000, 2, (Segment(1, 1000, 3000),))
    drawn = picture(level, transcript, "a <wave>")
    assert '<rect x="100" y="60" width="200" height="60" class="speech">' in drawn
    assert drawn.count("<polygon") == 2
    assert 'aria-label="a &lt;wave&gt;"' in drawn
