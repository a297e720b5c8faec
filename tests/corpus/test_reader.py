import functools
from dataclasses import replace
from pathlib import Path

import pytest
from support.corpus_folder import HELLO, make_corpus

from u2u_hf.corpus.reader import Recording, read_corpus, utterances
from u2u_hf.corpus.text_rules import TextRules
from u2u_hf.formats import readers
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.formats.readers import Reader
from u2u_hf.formats.textgrid import write_textgrid
from u2u_hf.records import Annotation, AnnotationDocument, Media, Tier, U2UError

# --- reading a folder ------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """``folder("a.eaf", "audio/a.wav", …)`` makes a corpus of these files."""
    return functools.partial(make_corpus, tmp_path / "corpus")


def test_a_folder_is_read_in_order_of_name(folder):
    root = folder("b/y.eaf", "a.eaf", "b/X.EAF", "sound/a.wav", "sound/x.wav", "sound/y.flac", "notes.txt")
    recordings, skipped = read_corpus(root)
    assert [r.name for r in recordings] == ["a", "b/X", "b/y"]
    assert [r.audio for r in recordings] == [str(root / "sound" / name) for name in ("a.wav", "x.wav", "y.flac")]
    assert skipped == []


def test_bad_files_are_skipped_with_their_reason(folder):
    root = folder("a.eaf", "a.wav", "silent: film.eaf", "folder.eaf/a.txt")
    (root / "cut.eaf").write_bytes(b"<ANN")
    recordings, skipped = read_corpus(str(root))
    assert [r.name for r in recordings] == ["a"]
    assert [s.where for s in skipped] == [str(root / "cut.eaf"), str(root / "silent: film.eaf")]
    assert skipped[0].reason.startswith("is not XML (")
    assert skipped[1].reason.startswith("its audio is not in the corpus folder (looked for silent: film.wav, ")


def test_two_annotation_files_of_one_name(folder):
    root = folder("a.EAF", "a.wav")
    if (root / "a.eaf").exists():
        pytest.skip("this file system takes a.EAF for a.eaf")
    recordings, skipped = read_corpus(folder("a.eaf"))
    assert {r.name: r.document.path for r in recordings} == {"a": str(root / "a.EAF"), "a.eaf": str(root / "a.eaf")}
    assert skipped == []


def test_of_two_files_of_one_name_elans_keeps_it(folder):
    root = folder("a.eaf", "a.wav")
    write_textgrid(root / "a.TextGrid", HELLO, 3000)
    recordings, skipped = read_corpus(root)
    assert {r.name: Path(r.document.path).name for r in recordings} == {"a": "a.eaf", "a.TextGrid": "a.TextGrid"}
    assert skipped == []


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(U2UError, match=r"corpus: there is no such folder: --corpus names the folder with"):
        read_corpus(tmp_path / "corpus")


def test_a_folder_without_annotation_files(folder):
    with pytest.raises(U2UError, match=r"corpus: no annotation file \(.*\.eaf.*\) in this folder or below it"):
        read_corpus(folder("a.wav"))


def test_a_folder_of_which_nothing_can_be_used(folder):
    root = folder("a.eaf", "b.eaf", "c.wav")
    with pytest.raises(U2UError) as error:
        read_corpus(root)
    first = f"{root}: of 2 annotation files not one can be used; the first, {root / 'a.eaf'}: its audio is not in"
    assert str(error.value).startswith(first)


@pytest.mark.parametrize("way", ["{outside}", "file://{outside}", "../secret.wav", "..%2Fsecret.wav", "..\\secret.wav"])
def test_media_urls_lead_nowhere_outside_the_corpus(folder, way):
    root = folder("a.wav")
    outside = root.parent / "secret.wav"
    outside.write_bytes(b"secret")
    path = root / "x.eaf"
    write_eaf(path, HELLO, ["MEDIUM"])
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("./MEDIUM", way.format(outside=outside)).replace("MEDIUM", "secret.wav"), "utf-8")
    with pytest.raises(U2UError, match="its audio is not in the corpus folder"):
        read_corpus(root)


# --- other annotation files ------------------------------------------------------------------------------------


def test_textgrids_tables_and_audio_folders_are_read_beside_elan_files(tmp_path):
    for name in ("a.wav", "b.wav", "one/c.wav", "two/c.wav", "d.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    write_eaf(tmp_path / "a.eaf", HELLO, [tmp_path / "a.wav"])
    write_textgrid(tmp_path / "b.TextGrid", HELLO, 3000)
    rows = "audio\tstart\tend\ttext\tspeaker\none/c.wav\t0.5\t1:02\tuno\tX\ntwo/c.wav\t0\t1\tdos\tX\n"
    (tmp_path / "table.tsv").write_text(rows, encoding="utf-8")
    (tmp_path / "speakers.csv").write_text("name,age\nX,81\n", encoding="utf-8")  # a table of something else
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "d.wav", "text": "tres"}\n', encoding="utf-8")
    recordings, skipped = read_corpus(tmp_path, length_ms=lambda path: 4321)
    assert not skipped
    found = {
        r.name: (Path(r.audio).relative_to(tmp_path).as_posix(), [t.annotations for t in r.document.tiers])
        for r in recordings
    }
    assert found == {
        "a": ("a.wav", [(Annotation(1000, 2000, "Hola."),)]),
        "b": ("b.wav", [(Annotation(1000, 2000, "Hola."),)]),
        "table/one/c": ("one/c.wav", [(Annotation(500, 62_000, "uno"),)]),
        "table/two/c": ("two/c.wav", [(Annotation(0, 1000, "dos"),)]),
        "metadata/d": ("d.wav", [(Annotation(0, 4321, "tres"),)]),
    }
    assert "metadata/d" not in {r.name for r in read_corpus(tmp_path)[0]}


def test_a_made_up_format_is_read_once_it_is_registered(folder, monkeypatch):
    """A format lives in its own module and one line of the registry; no other module names it."""

    def read_chat(path, length_ms):
        if path.stem == "bad":
            raise U2UError(f"{path}: line 1: has no speaker: add one")
        tier = Tier("CHI", (Annotation(0, 900, path.read_text(encoding="utf-8")),))
        documents = [AnnotationDocument(str(path), (Media((name,)),), (tier,)) for name in ("a.wav", "b.wav")]
        return documents, [U2UError(f"{path}: line 9: has no end: add one")]

    root = folder("a.wav", "b.wav", "good.Cha", "bad.cha", "other.cha", "bad.txt")
    with pytest.raises(U2UError, match="no annotation file"):
        read_corpus(root)
    chat = Reader("CHAT", (".cha",), read_chat, lambda path: path.stem != "other", many_recordings=True)
    monkeypatch.setattr(readers, "READERS", [*readers.READERS, chat])
    recordings, skipped = read_corpus(root)
    assert [(r.name, Path(r.audio).name) for r in recordings] == [("good/a", "a.wav"), ("good/b", "b.wav")]
    assert recordings[0].document.tiers[0].annotations == (Annotation(0, 900, "sound"),)
    assert [(Path(s.where).name, s.reason) for s in skipped] == [
        ("bad.cha", "line 1: has no speaker: add one"),
        ("good.Cha", "line 9: has no end: add one"),
    ]
    assert readers.label(root / "good.Cha") == "CHAT (.cha)"
    for path in root.glob("*.[Cc]ha"):
        path.unlink()
    with pytest.raises(U2UError, match=r"no annotation file \(.*, \.cha\)"):
        read_corpus(root)


def test_each_speaker_is_heard_on_a_microphone_of_their_own(folder):
    root = folder("s0_AB.wav", "s0_CD.wav", "s0.mp4", "s0_AB.mp3")
    tiers = [replace(HELLO[0], name=f"tx@{who}", participant=who) for who in ("AB", "CD", "EF")]
    write_eaf(root / "s0.eaf", tiers, [root / name for name in ("s0.mp4", "s0_CD.wav", "s0_AB.wav")])
    [recording], _ = read_corpus(root)
    found = utterances([recording], {"s0": tiers}, TextRules())
    assert [Path(u.audio).name for u in found] == ["s0_AB.wav", "s0_CD.wav", "s0_CD.wav"]
    assert {Path(path).name for path in recording.all_audio} == {"s0_AB.wav", "s0_CD.wav", "s0.mp4", "s0_AB.mp3"}


def test_old_headers_name_the_recording_themselves(folder):
    root = folder("sound/tale.wav")
    write_eaf(root / "x.eaf", HELLO, [])
    text = (root / "x.eaf").read_text(encoding="utf-8")
    text = text.replace('MEDIA_FILE=""', 'MEDIA_FILE="file:///C:/Ana/tale.wav"')
    (root / "x.eaf").write_text(text, encoding="utf-8")
    [recording], _ = read_corpus(root)
    assert Path(recording.audio).name == "tale.wav"


# --- utterances ---------------------------------------------------------------------------------------------------


def test_utterances_are_in_the_time_of_the_audio():
    tier = Tier("AR_tx", (Annotation(0, 900, "<i>Hola</i>."), Annotation(900, 1000, "")), participant="Ana")
    document = AnnotationDocument("c/x.eaf", (), (tier,))
    here = Recording("x", document, "c/a.wav", origin_ms=250)
    first, second = utterances([here], {"x": [tier]}, TextRules())
    assert (first.start_ms, first.end_ms, first.raw_text, first.text) == (250, 1150, "<i>Hola</i>.", "hola")
    assert (first.recording, first.audio, first.tier, first.speaker) == ("x", "c/a.wav", "AR_tx", "Ana")
    assert first.channel is None
    assert (second.start_ms, second.end_ms, second.text) == (1150, 1250, "")


def test_a_tier_without_participant_is_its_own_speaker():
    tier = Tier("AR", (Annotation(0, 1000, "text"),), "default-lt")
    here = Recording("r", AnnotationDocument("r.eaf", (), (tier,)), "r.wav")
    [utterance] = utterances([here], {"r": [tier]}, TextRules())
    assert utterance.speaker == "AR"
