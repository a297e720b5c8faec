import json

import pytest
from support.corpus_folder import HELLO

from u2u_hf import output_folder
from u2u_hf.doctor.corrections import Corrected, apply, read_accepted
from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.records import U2UError

ROW = {"name": "n1", "file": "elan/a.eaf", "tier": "transcription", "start_ms": 1000, "end_ms": 2000, "text": "Hola."}
ROW |= {"kind": "text", "edit": {"text": "hola"}}


@pytest.fixture
def folders(tmp_path):
    write_eaf(tmp_path / "corpus" / "elan" / "a.eaf", HELLO, ["a.wav"])
    output_folder.claim(tmp_path / "out", "doctor.py")
    return tmp_path / "corpus", tmp_path / "out"


def test_what_a_person_typed_goes_into_a_copy(folders):
    corpus, out = folders
    before = (corpus / "elan" / "a.eaf").read_bytes()
    assert apply([ROW], {"n1": "Ola."}, corpus, out) == [Corrected("elan/a.eaf", 1)]
    assert (corpus / "elan" / "a.eaf").read_bytes() == before
    assert (out / "corrected" / "elan" / "a.eaf").read_bytes() == before.replace(b"Hola.", b"Ola.")
    apply([ROW], {"n1": None}, corpus, out)
    assert read_eaf(out / "corrected" / "elan" / "a.eaf").tiers[0].annotations[0].value == "hola"


def test_a_corrected_copy_that_was_edited_is_kept(folders):
    corpus, out = folders
    apply([ROW], {"n1": "Ola."}, corpus, out)
    copy = out / "corrected" / "elan" / "a.eaf"
    edited = copy.read_bytes().replace(b"Ola.", b"Mine.")
    copy.write_bytes(edited)
    apply([ROW], {"n1": "Ola."}, corpus, out)
    assert b"Ola." in copy.read_bytes()
    assert (copy.parent / "a.edited.eaf").read_bytes() == edited


def test_what_cannot_be_done_is_told_and_the_rest_is_done(folders):
    corpus, out = folders
    rows = [
        ROW,
        ROW | {"name": "n2", "start_ms": 1001},
        ROW | {"name": "n3", "file": "b.TextGrid"},
        ROW | {"name": "n4", "file": "gone.eaf"},
    ]
    done = apply(rows, dict.fromkeys(("n1", "n2", "n3", "n4")), corpus, out)
    assert [(one.file, one.made) for one in done] == [("b.TextGrid", 0), ("elan/a.eaf", 1), ("gone.eaf", 0)]
    assert done[0].problem == "is not an ELAN file: correct it in its own program"
    assert "tier transcription, 00:00:01.001: the file was changed since" in done[1].refused[0]
    assert done[2].problem.startswith("cannot be read")


def test_files_that_the_page_did_not_save(tmp_path, folders):
    path = tmp_path / "accepted.json"
    for text in ("", "{}", '{"accepted": [1]}', "[]"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(U2UError, match=r"is not what doctor\.html saves"):
            read_accepted(path)
    with pytest.raises(U2UError, match=r"--apply .*gone\.json: cannot be read"):
        read_accepted(tmp_path / "gone.json")
    path.write_text(json.dumps({"accepted": [{"name": "x"}]}), encoding="utf-8-sig")
    with pytest.raises(U2UError, match=r"finding x is not in doctor.json"):
        apply([ROW], read_accepted(path), *folders)
