"""What an examination doubts is left out of a training, until it is corrected."""

import json

import pytest
from datasets import Dataset

from u2u_hf.doctor.doubts import without_doubted
from u2u_hf.records import U2UError

ROW = {"recording": "a", "tier": "AR", "start_ms": 1000, "end_ms": 2000, "raw_text": "Axcan."}


def doubt(kind="text", **changed):
    """A row of doctor.json; the file's times are not those of its audio."""
    row = {"name": "0", "file": "a.eaf", "recording": "a", "tier": "AR", "start_ms": 0, "end_ms": 1000, "edit": None}
    return row | {"of_audio_ms": [1000, 2000], "text": "Axcan.", "kind": kind} | changed


def kept(folder, *doubts):
    (folder / "doctor.json").write_text(json.dumps(doubts), encoding="utf-8")
    rows = [ROW, ROW | {"start_ms": 2000, "end_ms": 3000}]
    return without_doubted(Dataset.from_list(rows), folder)["start_ms"][:]


@pytest.mark.parametrize("kind", ["text", "boundaries", "copied", "speaker"])
def test_what_does_not_sound_like_its_text_is_left_out(kind, tmp_path):
    assert kept(tmp_path, doubt(kind)) == [2000]


@pytest.mark.parametrize(
    "other",
    [
        doubt("spelling"),  # is learnt as it is written
        doubt(text="Axcan!"),  # the text was corrected since then
        doubt(of_audio_ms=[1100, 2000]),  # the start was
        doubt(tier="DT"),
        doubt(recording="b"),
    ],
)
def test_all_else_stays(other, tmp_path):
    assert kept(tmp_path, other) == [1000, 2000]


def test_the_folder_is_one_of_doctor(tmp_path):
    with pytest.raises(U2UError, match=r"run doctor\.py"):
        without_doubted(Dataset.from_list([ROW]), tmp_path)
