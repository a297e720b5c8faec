import os
import sys
import unicodedata
from pathlib import Path

import pytest

from u2u_hf.corpus import reader
from u2u_hf.corpus.reader import find_audio, index_audio, media_names, read_corpus, utterances
from u2u_hf.corpus.text_rules import TextRules
from u2u_hf.corpus.tiers import choose_tiers
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.formats.textgrid import write_textgrid
from u2u_hf.records import Annotation, AnnotationDocument, Media, Tier, U2UError

# --- pairing ----------------------------------------------------------------------------------------------------


def pair(annotations, audio, *media):
    """Which of `audio` belongs to the annotation file; media are a URL or (URLs…, origin_ms)."""
    media = [Media((m,)) if isinstance(m, str) else Media(m[:-1], m[-1]) for m in media]
    document = AnnotationDocument(annotations, tuple(media), ())
    found, origin_ms = find_audio(document, index_audio(map(Path, audio)))
    return found.as_posix(), origin_ms


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("file:///Users/ana/a.wav", ["a.wav"]),
        ("file:///C:/Users/Ana/a.wav", ["a.wav"]),
        ("file:C:\\Users\\Ana\\a.wav", ["a.wav"]),
        ("..\\Grabaciones de campo\\a b.wav", ["a b.wav"]),
        ("./a.wav", ["a.wav"]),
        ("a.wav", ["a.wav"]),
        ("file:///D:/Ana%20L/Grabaci%C3%B3n%201.wav", ["Grabación 1.wav", "Grabaci%C3%B3n%201.wav"]),
        ("file:///D:/Grabación 1.wav", ["Grabación 1.wav"]),
        ("file:///D:/100%.wav", ["100%.wav"]),
        ("file:///D:/a%2Fb.wav", ["b.wav", "a%2Fb.wav"]),
        ("file:///D:/folder/", []),
        ("", []),
    ],
)
def test_names_in_media_urls(url, names):
    assert media_names(url) == names


@pytest.mark.parametrize(
    ("annotations", "audio", "media", "found"),
    [
        ("c/elan/x.eaf", ["c/audio/a.wav", "c/audio/x.wav"], ["file:///D:/a.wav"], "c/audio/a.wav"),
        ("c/x.eaf", ["c/deep/er/a.wav"], ["./a.wav"], "c/deep/er/a.wav"),
        ("c/x.eaf", ["c/a.wav"], ["file:///D:/v.mp4", "file:///D:/a.wav"], "c/a.wav"),
        ("c/x.eaf", ["c/b.wav"], [("file:///D:/a.wav", "./b.wav", 0)], "c/b.wav"),
        ("c/x.eaf", ["c/Grabación 1.wav"], ["file:///D:/Grabaci%C3%B3n%201.wav"], "c/Grabación 1.wav"),
        ("c/x.eaf", ["c/a%20b.wav", "c/a.wav"], ["file:///D:/a%20b.wav"], "c/a%20b.wav"),
        ("c/x.eaf", ["c/A.WAV"], ["file:///D:/a.wav"], "c/A.WAV"),
        ("c/x.eaf", ["c/ÑUU.wav"], ["./ñuu.WAV"], "c/ÑUU.wav"),
        ("c/x.eaf", ["c/n\u0303.wav"], ["./\u00f1.wav"], "c/n\u0303.wav"),  # a Mac's file system took it apart
        ("c/x.eaf", ["c/\u00f1.wav"], ["./n\u0303.wav"], "c/\u00f1.wav"),
        ("c/x.eaf", ["c/a.wav"], ["./a.mp4"], "c/a.wav"),  # the sound of the video
        ("c/x.eaf", ["c/a.flac", "c/x.wav"], ["./a.wav"], "c/a.flac"),  # converted for the archive
        ("c/x.eaf", ["c/x.wav"], [], "c/x.wav"),
        ("c/x.eaf", ["c/y/X.Flac"], ["./renamed.wav"], "c/y/X.Flac"),
        ("c/x.1.eaf", ["c/x.1.wav", "c/x.wav"], [], "c/x.1.wav"),
        ("c/x_ed-2025-02-12.eaf", ["c/x.wav"], [], "c/x.wav"),
        ("c/x_ED.eaf", ["c/x.wav"], [], "c/x.wav"),
        ("c/x_ed.eaf", ["c/x.wav", "c/x_ed.wav"], [], "c/x_ed.wav"),
        ("c/x_eduardo.eaf", ["c/x_eduardo.wav", "c/x.wav"], [], "c/x_eduardo.wav"),
        ("c/1/x.eaf", ["c/1/x.wav", "c/2/x.wav"], ["file:///D:/x.wav"], "c/1/x.wav"),  # the one beside it
    ],
)
def test_pairing(annotations, audio, media, found):
    assert pair(annotations, audio, *media) == (found, 0)


def test_the_origin_is_that_of_the_paired_medium():
    media = [("file:///D:/v.mp4", 7000), ("file:///D:/a.wav", -1500)]
    assert pair("c/x.eaf", ["c/a.wav"], *media) == ("c/a.wav", -1500)
    assert pair("c/x.eaf", ["c/v.wav"], *media) == ("c/v.wav", 7000)
    assert pair("c/x.eaf", ["c/x.wav"], *media) == ("c/x.wav", 7000)  # renamed: the first, ELAN's main one


def test_a_missing_recording_is_named_with_everything_that_was_tried():
    with pytest.raises(U2UError) as error:
        pair("c/x_ed.eaf", ["c/z.wav", "c/x_eduardo.wav"], ("file:///D:/a%20b.wav", "./c.wav", 0), "d.mp4")
    tried = "a b.wav, a%20b.wav, c.wav, d.mp4, a b.*, a%20b.*, c.*, d.*, x_ed.*, x.*"
    assert str(error.value) == f"c/x_ed.eaf: its audio is not in the corpus folder (looked for {tried}): copy it there"


@pytest.mark.parametrize(
    ("audio", "listed"),
    [
        (["c/1/a.wav", "c/2/a.wav", "c/b.wav"], "c/1/a.wav, c/2/a.wav"),
        (["c/a.wav", "c/A.wav", "c/1/a.wav"], "c/a.wav, c/A.wav"),
    ],
)
def test_several_recordings_of_one_name_are_listed(audio, listed):
    with pytest.raises(U2UError) as error:
        pair("c/x.eaf", audio, "file:///D:/elsewhere/a.wav")
    assert str(error.value) == f"c/x.eaf: several recordings could be its audio: {listed}: keep one, or rename"


@pytest.mark.parametrize("written", ["../2/a.wav", "..\\2\\a.wav", "../2/./a.wav"])
def test_of_several_the_one_that_the_relative_path_leads_to_is_taken(written):
    path, _ = pair("c/1/x.eaf", ["c/1/a.wav", "c/2/a.wav"], written)
    assert path == "c/2/a.wav"


# --- reading a folder ------------------------------------------------------------------------------------------

HELLO = [Tier("transcription", (Annotation(1000, 2000, "Hola."),), participant="AR")]


@pytest.fixture
def folder(tmp_path):
    """``folder("a.eaf", "audio/a.wav", …)`` makes a corpus of these files."""

    def make(*names):
        root = tmp_path / "corpus"
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix.lower() == ".eaf":
                write_eaf(path, HELLO, [path.with_suffix(".wav").name])
            else:
                path.write_bytes(b"sound")
        return root

    return make


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


def test_hidden_files_and_folders_are_not_looked_at(folder):
    recordings, skipped = read_corpus(folder("a.eaf", "a.wav", "._a.eaf", ".trash/b.eaf", ".trash/a.wav"))
    assert [r.name for r in recordings] == ["a"]
    assert skipped == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8_are_named(folder):
    root = folder("a.eaf", "a.wav")
    latin = os.fsdecode("niño".encode("latin-1"))
    (root / f"{latin}.eaf").write_bytes((root / "a.eaf").read_bytes())
    (root / latin).mkdir()
    (root / latin / "b.eaf").write_bytes((root / "a.eaf").read_bytes())
    recordings, skipped = read_corpus(root)
    assert [r.name for r in recordings] == ["a"]
    assert [s.where for s in skipped] == [str(root / "ni?o"), str(root / "ni?o.eaf")]
    assert all("not in UTF-8: rename it" in s.reason for s in skipped)


def test_two_annotation_files_of_one_name(folder):
    root = folder("a.EAF", "a.wav")
    if (root / "a.eaf").exists():
        pytest.skip("this file system takes a.EAF for a.eaf")
    recordings, skipped = read_corpus(folder("a.eaf"))
    assert [r.document.path for r in recordings] == [str(root / "a.EAF")]
    [(where, reason)] = [(s.where, s.reason) for s in skipped]
    assert (where, reason) == (str(root / "a.eaf"), f"{root / 'a.EAF'} has the same name and is used: rename one")


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


def link(path, to):
    try:
        path.symlink_to(to, target_is_directory=True)
    except OSError:
        pytest.skip("this system lets nobody make links")


def test_links_in_circles_end(folder):
    root = folder("a.eaf", "audio/a.wav", "audio/deep/b.eaf", "audio/deep/b.wav")
    link(root / "audio" / "loop", root)
    link(root / "audio" / "deep" / "self", ".")
    link(root / "up", "..")  # where all the user's other files may be
    link(root / "broken", "nowhere")
    link(root / "c.eaf", "c.eaf")
    write_eaf(root.parent / "other.eaf", HELLO, [])
    recordings, skipped = read_corpus(root)
    assert [r.name for r in recordings] == ["a", "audio/deep/b"]
    assert skipped == []


def test_audio_may_lie_on_another_disk(folder, tmp_path):
    root = folder("a.eaf", "b.eaf")
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "a.wav").write_bytes(b"sound")
    (disk / "b.wav").write_bytes(b"sound")
    link(root / "audio", disk)
    recordings, skipped = read_corpus(root)
    assert [r.audio for r in recordings] == [str(root / "audio" / "a.wav"), str(root / "audio" / "b.wav")]
    assert skipped == []


def test_a_folder_that_cannot_be_read_is_named(folder, monkeypatch):
    root = folder("a.eaf", "a.wav", "locked/b.eaf")
    scandir = os.scandir

    def denied(path):
        if str(path).endswith("locked"):  # chmod does not stop root, who runs tests in containers
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    recordings, skipped = read_corpus(root)
    assert [r.name for r in recordings] == ["a"]
    assert [(s.where, s.reason) for s in skipped] == [
        (str(root / "locked"), "the folder cannot be read (Permission denied)")
    ]


# --- tiers ------------------------------------------------------------------------------------------------------


def recording(*tiers, name="r"):
    return reader.Recording(name, AnnotationDocument(f"{name}.eaf", (), tuple(tiers)), f"{name}.wav")


def texts(name, kind="default-lt", parent="", value="text"):
    return Tier(name, (Annotation(0, 1000, value),), kind, parent=parent)


def chosen(*tiers, patterns=()):
    picked, why = choose_tiers([recording(*tiers)], patterns)
    return [t.name for t in picked["r"]], why


@pytest.mark.parametrize(
    "other",
    [
        *("translation", "AR_Translation", "free translation", "ft@AR", "Traducción", "traduccion_libre", "tradução"),
        *("traduction", "Übersetzung", "перевод", "terjemahan", "tafsiri", "翻译", "自由翻譯", "日本語訳文", "dịch"),
        *("freeTranslation", "utteranceTranslation", "AR_phrase-gls-en", "AR_phrase-segnum-en", "Translation text"),
        *("notes", "Note", "Notas", "AR-nota", "Notizen", "comments", "Comentarios", "kommentar", "catatan", "备注"),
        *("Transcription notes", "remarks", "observaciones", "примечания"),
        *("gloss", "Glosa", "glosses", "interlinear gloss", "mb@AR", "ge@AR", "POS", "Morphemes", "lemma", "word-txt"),
        *("words", "Palabras", "tokens", "ref@AR", "phonemes"),
        *("English", "AR_eng", "español", "Espan\u0303ol", "Français", "inglés", "Português", "English text"),
    ],
)
def test_tiers_of_something_else_are_left_out(other):
    names, why = chosen(texts("AR"), texts(other))
    assert names == ["AR"]
    assert why[other].startswith("looks like something else ('")
    assert chosen(texts("AR"), texts("BM", kind=other))[0] == ["AR"]


@pytest.mark.parametrize(
    "name",
    [
        *("annotation", "Anotación", "notation", "AR", "A_Speaker", "Maria", "K-Spch", "PS", "GE", "MB", "interview"),
        *("England", "Gloria", "Freeman", "Wordsworth", "Posada", "Engracia"),
    ],
)
def test_tiers_of_any_other_name_are_not(name):
    names, why = chosen(texts(name), texts("translation", parent=name))
    assert names == [name]
    assert why[name] == "has text, and is not below another such tier"


@pytest.mark.parametrize(
    "name",
    [
        *("transcription", "AR_Transcripción", "Transcrição", "Transkription", "транскрипция", "转写", "SURFACE"),
        *(
            "AR-orthography",
            "Ortografía",
            "A_phrase-txt-qaa",
            "utterance",
            "UtteranceText",
            "tx@AR",
            "texto",
            "oración",
        ),
        *("English-speaker transcription", "Transcripción en español"),
    ],
)
def test_tiers_named_like_transcriptions_are_chosen_before_others(name):
    names, why = chosen(texts("AR"), texts(name, parent="AR"))
    assert names == [name]
    assert why == {
        "AR": "another tier is named like a transcription",
        name: "named like a transcription",
    }


def test_the_type_says_it_too():
    assert chosen(texts("AR", "transcription"), texts("AR-x"))[0] == ["AR"]


def test_below_an_unusable_tier_the_next_is_chosen():
    tiers = texts("ref@AR"), texts("AR", parent="ref@AR"), texts("BM", parent="none"), texts("AR-x", parent="AR")
    names, why = chosen(Tier("none", (Annotation(0, 9, " "),)), *tiers)
    assert names == ["AR", "BM"]
    assert why == {
        "none": "has no text",
        "ref@AR": "looks like something else ('ref' in its name or type)",
        "AR": "has text, and is not below another such tier",
        "BM": "has text, and is not below another such tier",
        "AR-x": "is below 'AR'",
    }


def test_what_a_machine_wrote_is_taken_only_when_named():
    machine = texts("transcript", "u2u-hf transcript"), texts("transcript words", "u2u-hf word", "transcript")
    names, why = chosen(texts("AR"), *machine)
    assert names == ["AR"]
    assert why["transcript"] == why["transcript words"] == "written by a machine"
    assert chosen(texts("AR"), *machine, patterns=["transcript"])[0] == ["transcript"]
    names, why = chosen(texts("my transcript"), *machine, patterns=["*transcript*"])
    assert names == ["my transcript"]
    assert why["transcript"] == "written by a machine"
    typed = [recording(texts("AR", "free"), *machine)]
    assert [t.name for t in choose_tiers(typed, (), ["*"])[0]["r"]] == ["AR"]
    assert [t.name for t in choose_tiers(typed, (), ["u2u-hf transcript"])[0]["r"]] == ["transcript"]
    with pytest.raises(U2UError) as error:
        chosen(*machine)
    assert str(error.value) == (
        "no tier looks like a transcription: name yours with --tiers "
        "(transcript: written by a machine; transcript words: written by a machine)"
    )


def test_files_are_judged_one_by_one_and_reasons_are_of_where_it_was_chosen():
    empty = Tier("AR", ())
    picked, why = choose_tiers([recording(empty, texts("BM")), recording(texts("AR"), Tier("BM", ()), name="s")])
    assert {name: [t.name for t in tiers] for name, tiers in picked.items()} == {"r": ["BM"], "s": ["AR"]}
    assert set(why.values()) == {"has text, and is not below another such tier"}


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["*SURFACE*"], ["AR_SURFACE", "BM_SURFACE"]),
        (["AR_*"], ["AR_SURFACE", "AR_notes"]),
        (["AR_notes", "?[!x]_SURFACE"], ["AR_SURFACE", "AR_notes", "BM_SURFACE"]),
        (["a [1]"], ["a [1]"]),  # the name itself, though [1] is a pattern
        (["*ñ*"], ["n\u0303"]),
        (["*"], ["AR_SURFACE", "AR_notes", "BM_SURFACE", "a [1]", "n\u0303"]),
    ],
)
def test_patterns(patterns, names):
    patterns = [unicodedata.normalize("NFC", p) for p in patterns]
    tiers = [texts(name) for name in ("AR_SURFACE", "AR_notes", "BM_SURFACE", "a [1]", "n\u0303")]
    picked, why = chosen(*tiers, patterns=patterns)
    assert picked == names
    assert why == dict.fromkeys(names, "matches --tiers")


def test_a_pattern_that_matches_nothing_lists_the_tiers():
    with pytest.raises(U2UError) as error:
        choose_tiers([recording(texts("b")), recording(texts("a"), texts("b"), name="s")], ["b", "surface*"])
    assert str(error.value) == "--tiers surface*: no tier of any file matches; there are: a, b"


# --- utterances -------------------------------------------------------------------------------------------------


def test_utterances_are_in_the_time_of_the_audio():
    tier = Tier("AR_tx", (Annotation(0, 900, "<i>Hola</i>."), Annotation(900, 1000, "")), participant="Ana")
    document = AnnotationDocument("c/x.eaf", (), (tier,))
    here = reader.Recording("x", document, "c/a.wav", origin_ms=250)
    first, second = utterances([here], {"x": [tier]}, TextRules())
    assert (first.start_ms, first.end_ms, first.raw_text, first.text) == (250, 1150, "<i>Hola</i>.", "hola")
    assert (first.recording, first.audio, first.tier, first.speaker) == ("x", "c/a.wav", "AR_tx", "Ana")
    assert first.channel is None
    assert (second.start_ms, second.end_ms, second.text) == (1150, 1250, "")


def test_a_tier_without_participant_is_its_own_speaker():
    [utterance] = utterances([recording(texts("AR"))], {"r": [texts("AR")]}, TextRules())
    assert utterance.speaker == "AR"


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


def test_tiers_are_chosen_by_linguistic_type_and_participant(tmp_path):
    (tmp_path / "a.wav").touch()
    said = (Annotation(0, 900, "a"),)
    tiers = [
        Tier("one", said, linguistic_type="Surface", participant="AR"),
        Tier("two", said, linguistic_type="Surface", participant="BM"),
        Tier("three", said, linguistic_type="Underlying", participant="AR"),
    ]
    write_eaf(tmp_path / "a.eaf", tiers, [tmp_path / "a.wav"])
    recordings, _ = read_corpus(tmp_path)

    def names(*arguments):
        chosen, _ = choose_tiers(recordings, *arguments)
        return [tier.name for tier in chosen["a"]]

    assert names((), ["Surf*"]) == ["one", "two"]
    assert names(["three"], ["Surf*"]) == ["one", "two", "three"]
    assert names((), ["Surface"], ["B?"]) == ["two"]
    assert names((), (), ["AR"]) == ["one"]  # of AR's, only "Surface" is called like a transcription
    with pytest.raises(
        U2UError, match=r"--linguistic_types Deep: no linguistic type .* there are: Surface, Underlying"
    ):
        names((), ["Deep"])
    with pytest.raises(U2UError, match=r"--participants ZZ: no participant .* there are: AR, BM"):
        names((), (), ["ZZ"])
