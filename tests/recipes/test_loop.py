"""README's loop: transcribe → correct in ELAN → back into the corpus → prepare. Nothing is lost or used twice."""

import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from u2u_hf.data.dataset import load_splits
from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.records import CORRECTED_TYPE, SEGMENT_TYPE, Tier

OWN_TYPE = CORRECTED_TYPE  # transcribe.py leaves it ready in the file


@pytest.fixture
def my_folder(demo_folder, tmp_path):
    """``MY_ELAN_FOLDER`` with ELAN files and recordings, and ``MY_NEW_RECORDINGS``, in an empty folder."""
    shutil.copytree(demo_folder / "corpus", tmp_path / "MY_ELAN_FOLDER")
    shutil.copytree(demo_folder / "new_recordings", tmp_path / "MY_NEW_RECORDINGS")
    return tmp_path


def correct(path, is_corrected, date="", change=lambda text, number: f"{text} nu{'abcdefghij'[number % 10]}"):
    """Edit the texts of tiers and give them a type of one's own, as a person does in ELAN; return the new texts.

    Args:
        date: of saving; ELAN sets it, other programs leave the old one.
    """
    tree = ET.parse(path)
    root, texts = tree.getroot(), []
    types = {element.get("LINGUISTIC_TYPE_ID") for element in root.iter("LINGUISTIC_TYPE")}
    if OWN_TYPE not in types:
        attributes = {"LINGUISTIC_TYPE_ID": OWN_TYPE, "GRAPHIC_REFERENCES": "false", "TIME_ALIGNABLE": "true"}
        root.insert(list(root).index(root.find("LINGUISTIC_TYPE")), ET.Element("LINGUISTIC_TYPE", attributes))
    for tier in root.iter("TIER"):
        if is_corrected(tier):
            tier.set("LINGUISTIC_TYPE_REF", OWN_TYPE)
            for value in tier.iter("ANNOTATION_VALUE"):
                value.text = change(value.text or "kana", len(texts))
                texts.append(value.text)
    if date:
        root.set("DATE", date)
    tree.write(path, encoding="UTF-8", xml_declaration=True)
    return texts


def is_draft(tier):
    return tier.get("LINGUISTIC_TYPE_REF") == SEGMENT_TYPE


def is_transcription(tier):
    return tier.get("LINGUISTIC_TYPE_REF") != SEGMENT_TYPE and tier.get("TIER_ID").endswith("transcription")


def prepared(recipe, folder, *more):
    """Prepare MY_ELAN_FOLDER; return what was printed and the rows."""
    arguments = ("--corpus", "MY_ELAN_FOLDER", "--output_dir", "my_dataset", "--allow_repeated_sentences", *more)
    done = recipe("prepare.py", *arguments, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, [row for split in load_splits(folder / "my_dataset").values() for row in split]


def transcribe(recipe, folder, *arguments):
    done = recipe("transcribe.py", *arguments, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def of_sound(rows, name):
    return sorted(row["raw_text"] for row in rows if Path(row["recording"]).name.startswith(name))


def test_corrected_drafts_of_new_recordings_are_training_data(recipe, my_folder, trained_model):
    _, before = prepared(recipe, my_folder)
    transcribe(
        recipe, my_folder, "--model", trained_model, "--output_dir", "my_transcripts", "--queue", "MY_NEW_RECORDINGS"
    )
    expected = {}
    for draft in sorted((my_folder / "my_transcripts").glob("*.eaf")):
        expected[draft.stem] = correct(draft, is_draft)
        shutil.copy(draft, my_folder / "MY_ELAN_FOLDER")
    assert expected
    for sound in (my_folder / "MY_NEW_RECORDINGS").iterdir():
        shutil.copy(sound, my_folder / "MY_ELAN_FOLDER")
    _, after = prepared(recipe, my_folder)
    for name, texts in expected.items():
        assert of_sound(after, name) == sorted(texts)
    old = [row for row in after if Path(row["recording"]).name not in expected]
    assert sorted(row["raw_text"] for row in old) == sorted(row["raw_text"] for row in before)


@pytest.mark.parametrize("date", ["", "2031-01-01T00:00:00+01:00"])
def test_a_corrected_copy_beside_its_original_is_used_in_its_place(recipe, my_folder, trained_model, date):
    """`--annotations` copies the person's file; the person corrects the copy's own tiers."""
    _, before = prepared(recipe, my_folder)
    transcribe(
        recipe, my_folder, "--model", trained_model, "--output_dir", "my_words", "--annotations", "MY_ELAN_FOLDER",
        "--align", "*transcription", "MY_ELAN_FOLDER/audio",
    )  # fmt: skip
    copies = sorted((my_folder / "my_words").glob("*.eaf"))[:2]
    expected = {}
    for copy in copies:
        expected[copy.stem] = correct(copy, is_transcription, date)
        shutil.copy(copy, my_folder / "MY_ELAN_FOLDER" / "elan")
        assert len(list((my_folder / "MY_ELAN_FOLDER" / "elan").glob(f"{copy.stem}*.eaf"))) == 2
    said, after = prepared(recipe, my_folder)
    for name, texts in expected.items():
        assert of_sound(after, name) == sorted(texts)
        assert f"! skipped elan/{name}_ed-2025-02-12.eaf: {name}.eaf is a " in said
        kept = {row["recording"]: row for row in after if Path(row["recording"]).name.startswith(name)}
        assert list(kept) == [f"elan/{name}"]
    others = [[row["raw_text"] for row in rows if not row["recording"].startswith(tuple(f"elan/{n}" for n in expected))]
              for rows in (before, after)]  # fmt: skip
    assert sorted(others[0]) == sorted(others[1])


def test_drafts_of_segments_made_by_hand(recipe, my_folder, trained_model):
    """The person marked the phrases of one recording, without text, and corrects what is recognised there."""
    path = min((my_folder / "MY_ELAN_FOLDER" / "elan").glob("*.eaf"))
    document, sound = read_eaf(path), my_folder / "MY_ELAN_FOLDER" / "audio" / f"{path.stem.partition('_ed')[0]}.wav"
    phrases = [tier for tier in document.tiers if tier.name.endswith("transcription")]
    empty = [
        Tier(
            f"phrase {number}",
            tuple(type(a)(a.start_ms, a.end_ms, "") for a in tier.annotations),
            "phrase",
            tier.participant,
        )
        for number, tier in enumerate(phrases)
    ]
    write_eaf(path, empty, [sound])
    transcribe(
        recipe, my_folder, "--model", trained_model, "--output_dir", "my_drafts", "--annotations", "MY_ELAN_FOLDER",
        "--segments_from", "phrase*", sound,
    )  # fmt: skip
    draft = my_folder / "my_drafts" / f"{sound.stem}.eaf"
    texts = correct(draft, is_draft)
    assert len(texts) == sum(len(tier.annotations) for tier in phrases)
    shutil.copy(draft, path.parent)
    _, after = prepared(recipe, my_folder)
    assert of_sound(after, sound.stem) == sorted(texts)


def test_splits_are_kept_as_the_corpus_grows_and_is_sorted_into_folders(recipe, my_folder):
    prepared(recipe, my_folder)
    before = (my_folder / "my_dataset" / "splits.csv").read_text(encoding="utf-8").splitlines()
    assert before[0] == "recording,split"
    corpus = my_folder / "MY_ELAN_FOLDER"
    (corpus / "2025").mkdir()
    first = min((corpus / "audio").glob("*.wav"))
    (corpus / "2025" / first.name).write_bytes(first.read_bytes())
    first.unlink()
    for number in range(4):
        shutil.copy(corpus / "2025" / first.name, corpus / "2025" / f"more{number}.wav")
        [eaf] = (corpus / "elan").glob(f"{first.stem}_ed*.eaf")
        sound = corpus / "2025" / f"more{number}.wav"
        write_eaf(sound.with_suffix(".eaf"), read_eaf(eaf).tiers[:1], [sound])
    prepared(recipe, my_folder)
    after = (my_folder / "my_dataset" / "splits.csv").read_text(encoding="utf-8").splitlines()
    assert set(before) < set(after)
    done = recipe(
        "prepare.py", "--corpus", corpus, "--output_dir", my_folder / "again", "--seed", 5,
        "--allow_repeated_sentences", "--splits", my_folder / "my_dataset" / "splits.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (my_folder / "again" / "splits.csv").read_text(encoding="utf-8").splitlines() == after
