"""Which tier is the transcription, in conventions of real corpora."""

import numpy as np
import pytest
import soundfile
from support import eaf_text

from u2u_hf.corpus.preparation import PreparationSettings, inspect
from u2u_hf.corpus.reader import Recording
from u2u_hf.corpus.tier_content import Look, content
from u2u_hf.corpus.tier_names import Role, hint_of
from u2u_hf.corpus.tiers import choose_tiers
from u2u_hf.data import audio
from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.records import Annotation, AnnotationDocument, Tier, U2UError

SAID = ["miko tala reva", "sunu pelo kira ne", "tala sunu", "reva miko pelo", "kira ne tala miko"]
FREE = ["the man went", "she saw the dog", "he slept", "they came to the house", "it rained"]
SUBDIVISION = "Symbolic_Subdivision"


def spans(count=5, length=2500):
    return [(1000 + 3000 * i, 1000 + 3000 * i + length) for i in range(count)]


def tier(name, values=SAID, kind="default-lt", parent="", participant="", constraint=""):
    """A tier with one annotation for each value, at the same times in every tier."""
    rows = tuple(Annotation(*span, value) for span, value in zip(spans(len(values)), values, strict=True))
    return Tier(name, rows, kind, participant, parent=parent, constraint=constraint)


def words(name, kind="default-lt", parent="", participant="", constraint="", values=SAID, step=None):
    """A tier with each word of the sentences: in equal shares of their time, or `step` ms each."""
    rows = []
    for (start, end), value in zip(spans(len(values)), values, strict=True):
        each = value.split()
        length = step or (end - start) // len(each)
        rows += [Annotation(start + length * i, start + length * (i + 1), word) for i, word in enumerate(each)]
    return Tier(name, tuple(rows), kind, participant, parent=parent, constraint=constraint)


def decide(*files):
    """Return the names of the chosen tiers in each file, and why."""
    recordings = [
        Recording(f"r{number}", AnnotationDocument(f"r{number}.eaf", (), tuple(tiers)), f"r{number}.wav")
        for number, tiers in enumerate(files)
    ]
    picked, why = choose_tiers(recordings)
    return [[t.name for t in tiers] for tiers in picked.values()], why


NUMBERS = [f"Story.{i:03d}" for i in range(5)]
CODES = ["N V ADJ", "N V N PRT", "N N", "V N N", "N PRT N N"]
GLOSSES = ["dog-PL go-PST 1SG.POSS", "3SG eat-PST", "man-ERG see-PRS", "go-PST house-LOC", "1PL.EXCL sit"]

DOBES = [
    tier("ref@SP", NUMBERS, "ref"),
    tier("tx@SP", SAID, "tx", "ref@SP"),
    words("mb@SP", "mb", "tx@SP", constraint=SUBDIVISION),
    words("ge@SP", "ge", "mb@SP"),
    words("ps@SP", "ps", "mb@SP", values=CODES),
    tier("ft@SP", FREE, "ft", "ref@SP"),
]


@pytest.mark.parametrize(
    ("tiers", "names"),
    [
        pytest.param(DOBES, ["tx@SP"], id="DoBeS"),
        pytest.param([tier("ref@Ana", NUMBERS, "ref"), tier("t@Ana", SAID, "t", "ref@Ana")], ["t@Ana"], id="unnamed"),
        pytest.param(
            [tier("tx@HH", kind="ref"), words("w@HH", "tx", "tx@HH"), tier("ft@HH", FREE, "fg", "tx@HH")],
            ["tx@HH"],
            id="type says ref",
        ),
        pytest.param(
            [tier("ref@A", NUMBERS), tier("orth@A", parent="ref@A"), tier("orth(old)@A", parent="ref@A")],
            ["orth@A"],
            id="two orthographies",
        ),
        pytest.param([tier("utterance"), tier("ipa", parent="utterance")], ["utterance"], id="IPA below"),
        pytest.param([tier("Maria"), tier("IPA", parent="Maria")], ["Maria"], id="IPA below a speaker"),
        pytest.param(
            [
                tier("IPA", ["mikotalareva", "sunupelokira", "talasunu", "revamiko", "kirane"]),
                tier("x", FREE, parent="IPA"),
            ],
            ["IPA"],
            id="sentences below IPA",
        ),
        pytest.param(
            [tier("Ana", participant="Ana"), tier("Ana translation", FREE, "tr", "Ana", "Ana")],
            ["Ana"],
            id="translation",
        ),
        pytest.param(
            [tier("Ana Gloss", participant="Ana Gloss"), tier("Juan Word", participant="Juan Word", values=SAID[:1])],
            ["Ana Gloss", "Juan Word"],
            id="surnames",
        ),
        pytest.param(
            [tier("Ana Gloss"), tier("Ana Gloss translation", FREE, parent="Ana Gloss")], ["Ana Gloss"], id="surname"
        ),
        pytest.param([tier("A"), tier("B", GLOSSES, parent="A"), tier("C", CODES)], ["A"], id="glosses and codes"),
        pytest.param([tier("Sp"), tier("GLOSSES", GLOSSES)], ["Sp"], id="glosses in capitals"),
        pytest.param([tier("Ana"), tier("Gesture", ["pointing"] * 5)], ["Ana"], id="one value"),
        pytest.param([tier("utt"), words("wd"), words("phones", step=100)], ["utt"], id="Praat layers"),
        pytest.param([tier("one"), words("two", step=600), tier("three", ["LH"] * 5)], ["one"], id="unnamed layers"),
        pytest.param([words("two", step=600), tier("one")], ["one"], id="unnamed layers, words first"),
        pytest.param([tier("Звучащий текст"), tier("Перевод", FREE)], ["Звучащий текст"], id="Russian"),
        pytest.param([tier("原文"), tier("普通话", FREE, parent="原文")], ["原文"], id="Chinese"),
        pytest.param([tier("ujaran"), tier("arti", FREE), tier("keterangan", FREE)], ["ujaran"], id="Indonesian"),
        pytest.param([tier("Énoncé"), tier("mot"), tier("Traduction", FREE)], ["Énoncé"], id="French"),
        pytest.param([tier("Frase"), tier("Palavra"), tier("Tradução livre", FREE)], ["Frase"], id="Portuguese"),
        pytest.param(
            [tier("Ana", participant="Ana"), tier("BM", ["si si", "no ne", "aa"], participant="BM")],
            ["Ana", "BM"],
            id="two speakers at once",
        ),
        pytest.param(
            [tier("ref@A", [f"s{i}{'abcde'[i]}" for i in range(5)], "ref"), words("tx@A", "tx", "ref@A", step=500)],
            ["tx@A"],
            id="Toolbox with words as text",
        ),
        pytest.param([tier("Ana"), tier("Topic", FREE[:4], participant="Ana")], ["Ana"], id="over the speaker"),
        pytest.param([tier("Bahasa Abui"), tier("Bahasa Indonesia", FREE)], ["Bahasa Abui"], id="Bahasa"),
        pytest.param(
            [tier("word", ["miko", "tala", "reva", "sunu", "pelo"]), tier("gloss", FREE), words("phone", step=90)],
            ["word"],
            id="word list",
        ),
        pytest.param([tier("z"), tier("a", FREE)], ["z"], id="two equals, one in English"),
        pytest.param(
            [tier("CHI"), tier("mor@CHI", GLOSSES, parent="CHI"), tier("x@CHI", parent="CHI")], ["CHI"], id="CHAT"
        ),
        pytest.param(
            [tier("sentence"), words("word", step=500), words("phone", step=100)], ["sentence"], id="sentence and word"
        ),
        pytest.param(
            [Tier("Section", (Annotation(0, 60_000, "how they made a canoe"),)), tier("Ana")],
            ["Section", "Ana"],
            id="long",
        ),
    ],
)
def test_conventions(tiers, names):
    chosen, why = decide(tiers, tiers)
    assert chosen == [names, names], why
    assert set(why) == {t.name for t in tiers}


FLEX = [
    tier("A_phrase-segnum-en", ["1", "2", "3", "4", "5"], participant="A"),
    words("A_word-txt-xyz", parent="A_phrase-segnum-en", participant="A", constraint=SUBDIVISION),
    words("A_word-pos-en", parent="A_word-txt-xyz", values=CODES),
    words("A_morph-txt-xyz", parent="A_word-txt-xyz", constraint=SUBDIVISION),
    words("A_morph-gls-en", parent="A_morph-txt-xyz", values=GLOSSES),
    tier("A_phrase-gls-en", FREE, parent="A_phrase-segnum-en"),
]


@pytest.mark.parametrize("values", [["1", "2", "3", "4", "5"], [""] * 5])
def test_words_are_joined_into_phrases_that_have_no_text(values):
    tiers = [tier("A_phrase-segnum-en", values, participant="A"), *FLEX[1:]]
    recording = Recording("r", AnnotationDocument("r.eaf", (), tuple(tiers)), "r.wav")
    picked, why = choose_tiers([recording])
    [joined] = picked["r"]
    assert joined.name == "A_word-txt-xyz"
    assert [(a.start_ms, a.end_ms, a.value) for a in joined.annotations] == [
        (*span, value) for span, value in zip(spans(), SAID, strict=True)
    ]
    assert why["A_word-txt-xyz"] == "its words are joined into the annotations of 'A_phrase-segnum-en'"


def test_words_that_pass_their_phrase_are_said_in_it_and_words_in_none_are_told():
    starts = (1000, 3000, 6000, 9000, 12_000, 15_000, 18_000, 21_000)
    phrases = tuple(Annotation(start, start + 2000, str(n)) for n, start in enumerate(starts))
    said = [
        (a.start_ms + 500 * i, a.start_ms + 500 * (i + 1), f"{first}{vowel}na")
        for a, first in zip(phrases, "bcdfghkl", strict=True)
        for i, vowel in enumerate("aeio")
    ]
    said[3] = (2500, 3200, "late")  # ends 200 ms after its phrase, in the next one
    said[4] = (3200, 3500, "cana")
    said[8] = (5850, 6500, "early")  # begins 150 ms before its phrase
    said.append((24_000, 24_400, "lost"))
    words = Tier("words", tuple(Annotation(*one) for one in said))
    numbers = Tier("segments", phrases)
    recordings = [
        Recording(name, AnnotationDocument(f"{name}.eaf", (), (numbers, words)), f"{name}.wav") for name in "ab"
    ]
    picked, why = choose_tiers(recordings)
    [joined] = picked["a"]
    assert [a.value for a in joined.annotations] == [
        "bana bena bina late",
        "cana cena cina cona",
        "early dena dina dona",
        *(f"{first}ana {first}ena {first}ina {first}ona" for first in "fghkl"),
    ]
    assert why["words"] == (
        "its words are joined into the annotations of 'segments'; 2 words lie in none of these and cannot be used"
    )


def test_a_phrase_with_text_goes_before_its_words():
    tiers = [*FLEX, tier("A_phrase-txt-xyz", SAID, parent="A_phrase-segnum-en")]
    assert decide(tiers)[0] == [["A_phrase-txt-xyz"]]


def test_times_that_nobody_measured_are_named():
    text = tier("AB", participant="Ana")
    shares = words("AB-w", parent="AB", constraint=SUBDIVISION)
    recording = Recording("r", AnnotationDocument("r.eaf", (), (text, shares)), "r.wav")
    picked, why = choose_tiers([recording], ["AB-w"])
    assert picked["r"] == [shares]
    assert why == {"AB-w": "matches --tiers; nobody measured its times: equal shares of those of 'AB'"}
    measured = words("AB-w", parent="AB", constraint="Time_Subdivision", step=611)
    uneven = Tier(measured.name, measured.annotations[:-1], parent="AB", constraint="Time_Subdivision")
    assert decide([text, uneven])[0] == [["AB"]]


@pytest.mark.parametrize("empty", [Tier("Transcription", ()), tier("Transcription", [""] * 5)])
@pytest.mark.parametrize("other", ["Free Translation", "Maria"])
def test_a_translation_is_not_taken_where_the_transcription_is_empty(empty, other):
    with pytest.raises(U2UError, match="no tier looks like a transcription"):
        decide([empty, tier(other, FREE, parent="Transcription")])
    [first, second], _ = decide([tier("Transcription"), tier(other, FREE)], [empty, tier(other, FREE)])
    assert (first, second) == (["Transcription"], [])


def test_where_the_tier_of_other_files_is_empty_the_one_beside_it_is_not_taken():
    old = tier("b@A", participant="A")
    chosen, why = decide([tier("a@A", participant="A"), old], [tier("a@A", [""] * 5, participant="A"), old])
    assert chosen == [["a@A"], []]
    assert why["b@A"] == "is the same speech as 'a@A', which is used"


def test_a_speaker_who_is_silent_in_one_file_takes_nobody_along():
    both = [tier("tx@A"), tier("tx@B")]
    assert decide(both, [tier("tx@A"), Tier("tx@B", ())], [Tier("tx@A", ()), tier("tx@B")])[0][1:] == [
        ["tx@A"],
        ["tx@B"],
    ]


def test_the_tier_that_all_files_have_goes_before_one_of_few():
    both = [tier("utterance", participant="A"), tier("orthography", parent="utterance", participant="A")]
    assert decide(both, *[both[:1]] * 4)[0] == [["utterance"]] * 5


def test_codes_are_taken_if_there_is_nothing_else():
    assert decide([tier("Ana", ["HOLA", "BUENO", "SI", "NO", "YA"])])[0] == [["Ana"]]


def test_thousands_of_tiers_take_no_square_of_time():
    tiers = [tier(f"t{number}") for number in range(3000)]
    assert decide(tiers)[0][0]


def test_the_words_of_a_flex_export_are_joined_as_its_file_orders_them(tmp_path):
    path = tmp_path / "a.eaf"
    types = [
        f'<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="{name}" TIME_ALIGNABLE="{aligned}" {more}/>'
        for name, aligned, more in (("phrase", "true", ""), ("word", "false", f'CONSTRAINTS="{SUBDIVISION}"'))
    ]
    phrases = eaf_text.tier("A_phrase-segnum-en", eaf_text.aligned("a1", "ts1", "ts2", "1"))
    said = [
        eaf_text.referring(f"w{n}", "a1", word, f"w{n - 1}" * (n > 1)) for n, word in enumerate(["bo", "ka", "?"], 1)
    ]
    parts = [
        eaf_text.slots(ts1=500, ts2=2600),
        phrases,
        eaf_text.tier("A_word-txt-x", *said, PARENT_REF="A_phrase-segnum-en"),
    ]
    text = eaf_text.document(*parts, *types).replace('REF="default-lt" TIER_ID="A_word', 'REF="word" TIER_ID="A_word')
    path.write_text(text, encoding="utf-8")
    document = read_eaf(path)
    assert [t.constraint for t in document.tiers] == ["", SUBDIVISION]
    picked, _ = choose_tiers([Recording("a", document, "a.wav")])
    assert [t.annotations for t in picked["a"]] == [(Annotation(500, 2600, "bo ka?"),)]
    assert choose_tiers([Recording("a", document, "a.wav")], ["*word*"])[1]["A_word-txt-x"].startswith(
        "matches --tiers; nobody measured its times"
    )


@pytest.mark.parametrize(
    ("values", "look"),
    [
        (SAID, Look.SENTENCES),
        (["我们去了他们的村子里", "他说那个故事很长"], Look.SENTENCES),
        (["miko", "tala", "sunu"], Look.WORDS),
        (["1", "2.1", ""], Look.NUMBERS),
        (NUMBERS, Look.NUMBERS),
        (["55 21", "33"], Look.NUMBERS),
        (["traduction 7", "traduction 9"], Look.NUMBERS),
        (CODES, Look.CODES),
        (["n", "v", "adj"] * 10, Look.CODES),
        (GLOSSES, Look.GLOSSES),
        (["x"] * 5, Look.REPEATED),
        (["HOLA AMIGO", "VAMOS A LA CASA", "BUENAS TARDES SEÑOR"], Look.SENTENCES),
        (["", " "], Look.NOTHING),
    ],
)
def test_what_annotations_look_like(values, look):
    assert content(values).look is look


def test_a_language_of_translation_is_recognised_by_its_small_words():
    assert content([*FREE, "and the dog was in the house with her"]).language == "English"
    assert not content([*SAID, "a la mesa"]).language


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("tx-lt", Role.TRANSCRIPTION),
        ("orthT", Role.TRANSCRIPTION),
        ("sub-lt", Role.UNKNOWN),
        ("ft-deuT", Role.TRANSLATION),
        ("中文", Role.TRANSLATION),
        ("A_phrase-segnum-en", Role.REFERENCE),
        ("A_word-txt-xyz", Role.WORDS),
        ("Transcripción fonética", Role.PHONETIC),
        ("国际音标", Role.PHONETIC),
        ("Bahasa Indonesia", Role.TRANSLATION),
    ],
)
def test_names(name, role):
    assert hint_of(name).role is role


def test_where_nothing_is_left_the_error_names_the_tiers_and_what_was_dropped(tmp_path):
    rows = tuple(Annotation(1000 * i, 1000 * i + 100, "mm") for i in range(4))
    soundfile.write(tmp_path / "a.wav", np.zeros(80_000, np.float32), 16_000)
    write_eaf(tmp_path / "a.eaf", [Tier("tx@A", rows)], [tmp_path / "a.wav"])
    problem = inspect(PreparationSettings(corpus=str(tmp_path)), audio).problem
    assert str(problem).startswith("no utterance is left of tier tx@A: 4 × shorter than 0.3 s: ")
    assert len(str(problem)) < 200


def test_an_error_of_many_tiers_is_short():
    with pytest.raises(U2UError) as error:
        decide([tier(f"translation {number}", FREE) for number in range(30)])
    assert len(str(error.value)) < 230
    assert str(error.value).endswith(" more, see --inspect)")
