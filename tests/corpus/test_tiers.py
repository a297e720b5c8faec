"""Which tiers are chosen as transcriptions."""

import unicodedata

import pytest

from u2u_hf.corpus.reader import Recording, read_corpus
from u2u_hf.corpus.tiers import choose_tiers
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.records import Annotation, AnnotationDocument, Tier, U2UError


def recording(*tiers, name="r"):
    return Recording(name, AnnotationDocument(f"{name}.eaf", (), tuple(tiers)), f"{name}.wav")


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
        "AR": f"is the same speech as {name!r}, which is used",
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
        "no tier looks like a transcription; transcribe.py wrote 'transcript': correct it in ELAN and give it the type "
        "'corrected transcript' (Tier > Change Tier Attributes), or name it with --tiers"
    )
    corrected = texts("transcript", "corrected transcript"), texts("transcript words", "u2u-hf word", "transcript")
    assert chosen(*corrected)[0] == ["transcript"]


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
