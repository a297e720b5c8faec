"""README's first command, without the installing: the whole way on the demo, offline."""

import json
import os

import pytest

from u2u_hf.formats.eaf import read_eaf


@pytest.fixture(scope="module")
def quickstart(recipe, outside, tmp_path_factory):
    folder = tmp_path_factory.mktemp("quickstart")
    result = recipe("quickstart.py", "--output_dir", folder, env={**os.environ, **outside.environment})
    assert result.returncode == 0, result.stderr
    return folder, result.stdout


def test_nothing_is_asked_for_elsewhere(quickstart, outside):
    assert not outside.asked_for()


def test_it_learns_the_language(quickstart):
    folder, _ = quickstart
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["cer"] <= 0.05
    assert report["test_cer"] <= 0.05
    assert report["channels_right"] == report["channels"] == 16


def test_no_sentence_of_the_new_recordings_is_in_the_corpus(quickstart):
    folder, _ = quickstart

    def sentences(pattern):
        return {
            a.value.replace("<i>", "").replace("</i>", "").replace("[risas]", "").lower().rstrip(" .!")
            for path in (folder / "demo").glob(pattern)
            for tier in read_eaf(path).tiers
            if tier.linguistic_type == "transcription"
            for a in tier.annotations
            if a.value
        }

    new, known = sentences("reference/*.eaf"), sentences("corpus/elan/*.eaf")
    assert len(new) == 40
    assert len(known) == 160
    assert not new & known


def test_its_transcripts_open_in_elan(quickstart, elan_schema):
    folder, stdout = quickstart
    files = sorted((folder / "transcripts").glob("*.eaf"))
    assert len(files) == 2
    for path in files:
        elan_schema(str(path))
        document = read_eaf(path)
        parts = ("", " words", " unsure")
        assert [t.name for t in document.tiers] == [f"channel {n}{part}" for n in (1, 2) for part in parts]
        assert document.media[0].urls[0] == (folder / "demo" / "new_recordings" / f"{path.stem}.wav").as_uri()
    assert str(folder / "transcripts") in stdout
    assert "python recipes/prepare.py --corpus MY_ELAN_FOLDER" in stdout


def test_run_again_it_goes_on_where_it_was(quickstart, recipe):
    folder, _ = quickstart
    result = recipe("quickstart.py", "--output_dir", folder)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("was done already") == 3
