"""The registry of annotation formats that can be read."""

from pathlib import Path

import pytest

from u2u_hf.formats import readers
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.records import AnnotationDocument, Media

TABLE = "audio,start,end,text\na.wav,0,1,x\n"


@pytest.mark.parametrize(
    ("name", "content", "label", "many"),
    [
        ("a.eaf", "", "ELAN (.eaf)", False),
        ("a.EAF", "", "ELAN (.eaf)", False),
        ("a.TextGrid", "", "Praat (.TextGrid)", False),
        ("a.textgrid", "", "Praat (.TextGrid)", False),
        ("a.csv", TABLE, "table (.csv)", True),
        ("a.tsv", TABLE.replace(",", "\t"), "table (.tsv)", True),
        ("metadata.csv", "file_name,text\n", "table (.csv)", True),
        ("Metadata.JSONL", "", "table (.jsonl)", True),
    ],
)
def test_files_are_known_by_suffix_and_header(tmp_path, name, content, label, many):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    reader = readers.reader_of(path)
    assert reader.many_recordings == many
    assert reader.needs_length == name.lower().startswith("metadata")
    assert readers.label(path) == label


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.wav", "sound"),
        ("eaf", ""),
        ("speakers.csv", "name,age\nX,81\n"),
        ("rows.jsonl", '{"file_name": "a.wav", "text": "x"}\n'),
        ("metadata.tsv", "file_name\ttext\n"),
        ("a.eaf.bak", ""),
    ],
)
def test_other_files_have_no_reader(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert readers.reader_of(path) is None


def test_the_metadata_of_an_audio_folder_is_not_read_as_a_table(tmp_path):
    (tmp_path / "metadata.csv").write_text(TABLE, encoding="utf-8")
    assert readers.reader_of(tmp_path / "metadata.csv").needs_length


def test_labels_of_unknown_suffixes_are_the_suffix():
    assert readers.label(Path("nowhere/a.CHA")) == ".cha"


def test_recordings_are_named_by_the_annotation_file_and_in_tables_by_the_audio_too(tmp_path):
    corpus = Path("corpus")
    document = AnnotationDocument("corpus/one/a.b.eaf", (Media(("file:///D:/x.wav",)),), ())
    assert readers.ELAN.recording_name(document, corpus) == "one/a.b"
    table = next(reader for reader in readers.READERS if reader.many_recordings)
    document = AnnotationDocument("corpus/t.csv", (Media(("two\\c.d.wav",)),), ())
    assert table.recording_name(document, corpus) == "t/two/c.d"


def test_reading_gives_documents_and_what_could_not_be_read(tmp_path):
    write_eaf(tmp_path / "a.eaf", [], [])
    [document], problems = readers.ELAN.read(tmp_path / "a.eaf", len)
    assert (document.path, problems) == (str(tmp_path / "a.eaf"), [])
    rows = '{"file_name": "a.wav", "text": "x"}\n{"text": "y"}\n'
    (tmp_path / "metadata.jsonl").write_text(rows, encoding="utf-8")
    path = tmp_path / "metadata.jsonl"
    [document], [problem] = readers.reader_of(path).read(path, lambda audio: 1234)
    assert document.tiers[0].annotations[0].end_ms == 1234
    assert str(problem).startswith(f"{path}: line 2: ")


def test_suffixes_are_listed_once_as_they_are_spelled():
    assert readers.suffixes() == [".eaf", ".TextGrid", ".csv", ".jsonl", ".tsv"]
