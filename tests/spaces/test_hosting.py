import shutil

import numpy as np
import pytest
import soundfile
from hosting import Hosting, admit, facts, fetch, from_environment
from waveform import levels, picture

from u2u_hf.data.audio import audio_info
from u2u_hf.data.dataset import load_splits
from u2u_hf.publishing.cards.model import write_model_card
from u2u_hf.records import Segment, Transcript, U2UError


def test_the_variables_of_a_space():
    given = {"MODEL_ID": " ana/ears ", "MODEL_REVISION": "v2", "APP_PASSWORD": "x y", "MAX_MINUTES": "7.5"}
    assert from_environment(given) == Hosting("ana/ears", "v2", "x y", 7.5)
    assert from_environment({}, "ana/ears").model == "ana/ears"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "MODEL_ID is not set"),
        ({"MODEL_ID": "ears"}, "MODEL_ID is 'ears': it must be OWNER/NAME"),
        ({"MODEL_ID": "ana/ears", "MAX_MINUTES": "long"}, "MAX_MINUTES is 'long': it must be a number above 0"),
        ({"MODEL_ID": "ana/ears", "MAX_FILE_MB": "0"}, "MAX_FILE_MB is '0'"),
        ({"MODEL_ID": "ana/ears", "MAX_FILE_MB": "nan"}, "MAX_FILE_MB is 'nan'"),
    ],
)
def test_a_wrong_variable_is_named(given, message):
    with pytest.raises(U2UError, match=message):
        from_environment(given)


def test_a_model_that_cannot_be_had_is_named():
    with pytest.raises(U2UError, match="the Hugging Face Hub is not asked"):
        fetch(Hosting("ana/ears"))


def test_what_the_card_tells(random_model, demo_dataset, tmp_path):
    folder = tmp_path / "ears"
    shutil.copytree(random_model, folder)
    assert facts(folder, Hosting(str(folder))) == {"model": "ears"}
    write_model_card(folder, base_model="base", dataset=str(demo_dataset), splits=load_splits(demo_dataset),
                     scores={"wer": 0.5, "cer": 0.123}, settings={}, steps=1, seconds=1.0)  # fmt: skip
    assert facts(folder, Hosting(str(folder)))["cer"].startswith("12.3%")
    snapshot = folder.rename(tmp_path / ("ab12" * 10))
    assert facts(snapshot, Hosting("ana/ears", "main"))["revision"] == "main ab12ab12"


def test_only_so_much_is_let_in(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((16_000 * 3, 2)), 16_000)
    assert admit(str(path), Hosting("m")).channels == 2
    with pytest.raises(U2UError, match=r"a\.wav: is 0\.1 minutes long, and 0\.01 are let in: cut it"):
        admit(str(path), Hosting("m", max_minutes=0.01))
    with pytest.raises(U2UError, match=r"a.wav: has 0 MB, and 0.1 are let in"):
        admit(str(path), Hosting("m", max_file_mb=0.1))
    soundfile.write(path, np.zeros((1600, 9)), 16_000)
    with pytest.raises(U2UError, match=r"a\.wav: has 9 channels, and 8 are let in"):
        admit(str(path), Hosting("m"))
    path.write_bytes(b"RIFF")
    with pytest.raises(U2UError, match=r"a\.wav: not a sound file"):
        admit(str(path), Hosting("m"))


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
