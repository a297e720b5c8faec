import random
import shutil

import pytest

from u2u_hf.corpus.text_rules import DEFAULT_RULES
from u2u_hf.demo.corpus import sentence
from u2u_hf.hub.model_files import optional_file
from u2u_hf.recognition.character_model import GAP
from u2u_hf.recognition.decoding import Labels
from u2u_hf.records import U2UError
from u2u_hf.training.familiarity import Familiarity, Gain
from u2u_hf.training.outside_text import (
    COPIES,
    HELD_OUT,
    OTHER_CHARACTERS,
    OTHER_LANGUAGE,
    Part,
    choose,
    read_parts,
    rules_of,
)

RANDOM = random.Random(1)
PAIRS = [sentence(RANDOM) for _ in range(120)]
NAHUATL, ENGLISH = [nahuatl for nahuatl, _ in PAIRS], [english for _, english in PAIRS]
TRANSCRIPTS = {"train": NAHUATL[:60], "validation": NAHUATL[60:80], "test": NAHUATL[80:90]}
LETTERS = sorted({*"".join(NAHUATL)} - {" "})
LABELS = Labels(("", "|", *LETTERS))


def chosen(*lines, rules=DEFAULT_RULES, labels=LABELS, transcripts=TRANSCRIPTS, annotations=None):
    parts = [Part("a.txt", "", own) for own in lines]
    return choose(parts, rules, labels, transcripts, annotations or transcripts["train"])


def test_texts_get_the_spelling_of_the_transcripts():
    new = NAHUATL[90]
    found = chosen([f"«{new[0].upper()}{new[1:]}», <b>{NAHUATL[91]}</b>! {NAHUATL[92].upper()}...  [laughs]"])
    assert found.sentences == [f"{new} {NAHUATL[91]}", NAHUATL[92]]
    assert found.words == {"a.txt": sum(len(text.split()) for text in NAHUATL[90:93])}
    assert not found.left_out


def test_a_mark_is_a_letter_where_it_is_one_in_the_transcripts():
    annotations = ["'ala mi'o te'", "te' ka'a", "mi te' ?"]
    texts = {"train": ["'ala mi'o te'", "te' ka'a", "mi te'"] * 5, "validation": ["'ala ka'a te'"]}
    labels = Labels(("", "|", *"'alamiotek"))
    found = chosen(["Mi te' 'ala?", "Te' ala mi’o"], transcripts=texts, annotations=annotations, labels=labels)
    assert found.sentences == ["mi te' 'ala", f"te' ala {GAP}"]
    assert found.characters == {"’": 1}


def test_text_of_another_language_is_refused_whole():
    found = chosen(ENGLISH)
    assert found.sentences == []
    assert set(found.left_out) <= {OTHER_LANGUAGE, OTHER_CHARACTERS}
    assert found.left_out.total() == sum(len(text.split()) for text in ENGLISH)
    assert "0 of 1,0" in found.report() or f"0 of {found.left_out.total():,}" in found.report()
    # Also in the same letters.
    labels = Labels(("", "|", *sorted({*"".join(ENGLISH), *LETTERS} - {" "})))
    found = chosen(ENGLISH, labels=labels)
    assert found.sentences == []
    assert set(found.left_out) == {OTHER_LANGUAGE}
    assert found.examples == {OTHER_LANGUAGE: ENGLISH[0].lower()}


def test_translations_between_the_lines_are_left_out_and_the_rest_is_used():
    lines = [line for pair in PAIRS[90:] for line in pair]
    found = chosen(lines)
    assert {*found.sentences} <= {*NAHUATL[90:]}
    assert len(found.sentences) > 20


def test_words_with_other_characters_are_cut_out_and_sentences_of_them_dropped():
    text = "axcan quicua in cihuatl 1985 tlaxcalli"
    found = chosen([f"{text}.", "ñandé ñandé axcan"])
    assert found.sentences == [f"axcan quicua in cihuatl {GAP} tlaxcalli"]
    assert found.left_out == {OTHER_CHARACTERS: 4}
    assert found.examples == {OTHER_CHARACTERS: text}
    assert found.characters == {"ñ": 2, "é": 2, "d": 2, **dict.fromkeys("1985", 1)}
    assert "ñ (2)" in found.report()


def test_letters_that_an_alphabet_lacks_are_not_dropped_silently():
    alphabet = {"alphabet": "".join(LETTERS) + " "}
    found = chosen(["axcan, quicua in cihuatl dog tlaxcalli."], rules=[{"case": "lower"}, alphabet])
    assert found.sentences == [f"axcan quicua in cihuatl {GAP} tlaxcalli"]


def test_what_validation_and_test_have_is_left_out_and_so_are_copies():
    held, known, new = NAHUATL[85], NAHUATL[5], NAHUATL[90]
    found = chosen(
        [held.capitalize(), f"ohuallaque {NAHUATL[61]}", " ".join(held.split()[:3]), known, new, new, "axcan"]
    )
    assert found.sentences == [new, "axcan"]
    assert found.left_out == {
        HELD_OUT: len(held.split()) + len(NAHUATL[61].split()) + 1 + 3,
        COPIES: len(known.split()) + len(new.split()),
    }


# Validation is one recording: "so ka mi te na" and "lo si pe" follow each other there.
SEGMENTED = {
    "train": ["na lo ka so", "te si na", "mi pe lo", "ka pe so te"] * 5,
    "validation": ["so ka mi te na", "lo si pe"],
}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Pe so ka. Mi te na lo si.", ["pe so ka"]),  # "mi te na" is of validation; of "pe so ka" no three words are
        ("Na lo si te.", []),  # "na lo si" lies across two utterances
        ("So ka mi pe lo.", []),  # three of five words, "so ka mi"
        ("Si te lo so ka mi te.", []),  # four of seven words
        ("Si te lo pe so ka mi.", ["si te lo pe so ka mi"]),  # three of seven words
        ("So ka X te na.", []),  # two of four words: "ka", one that was cut out, "te"
        ("So lo ka X te na.", [f"so lo ka {GAP} te na"]),  # two of five words
        ("Pe ka so na lo. So ka.", ["pe ka so na lo", "so ka"]),  # two words are said again and again
    ],
)
def test_what_is_held_out_is_found_where_a_text_is_segmented_otherwise(text, kept):
    labels = Labels(("", "|", *sorted({*"".join(SEGMENTED["train"])} - {" "})))
    found = chosen([text], labels=labels, transcripts=SEGMENTED)
    assert found.sentences == kept
    assert found.left_out.keys() <= {HELD_OUT, OTHER_CHARACTERS}


def test_what_train_has_too_is_not_held_out():
    texts = {"train": [*SEGMENTED["train"], "pe so ka mi"], "validation": SEGMENTED["validation"]}
    labels = Labels(("", "|", *sorted({*"".join(texts["train"])} - {" "})))
    assert chosen(["So ka mi pe lo."], labels=labels, transcripts=texts).sentences == ["so ka mi pe lo"]


def test_words_of_a_list_begin_and_end_no_sentence():
    found = chosen(["tlaxcalli", "xochitl", "in cihuatl", "cintli"], [NAHUATL[90]])
    assert found.sentences == [
        *(f"{GAP} {w} {GAP}" for w in ("tlaxcalli", "xochitl", "in cihuatl", "cintli")),
        NAHUATL[90],
    ]


def test_short_lines_are_judged_together():
    words = sorted({word for text in NAHUATL for word in text.split()})
    foreign = sorted({word for text in ENGLISH for word in text.split() if {*word} <= {*LETTERS}})
    assert len(chosen(words).sentences) == len(words)
    assert chosen(foreign).sentences == []


def test_familiarity_by_hand():
    """One letter pair only: after "a" always "b". The context makes "ab" more probable than its letters, "ba" less."""
    familiarity = Familiarity(["abab"], ["abab"])
    assert familiarity.is_familiar([familiarity.gain("ababab")])
    assert not familiarity.is_familiar([familiarity.gain("bbaabbaa")])
    assert familiarity.gain(f"a {GAP} b").characters == 5  # a, space, space, b and the end


def test_with_too_little_text_what_is_usual_is_familiar():
    familiarity = Familiarity(["abab"], ["bbaabbaa"])  # at home, the context misleads here
    usual = familiarity.gain("bbaabbaa")
    assert usual.log_ratio < 0
    assert familiarity.is_familiar([usual])
    assert not familiarity.is_familiar([Gain(2 * usual.log_ratio, usual.characters)])
    assert Familiarity(["abab"], []).is_familiar([usual])


def test_folders_are_read_with_what_is_below_them(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "a.txt").write_text("ka mi\n")
    (tmp_path / "below" / "b.csv").write_text("word\nka\n")
    (tmp_path / "c.pdf").write_text("%PDF")
    (tmp_path / "d.docx").write_text("no zip")
    parts, skipped = read_parts([str(tmp_path)])
    assert [(part.path, part.lines) for part in parts] == [
        (str(tmp_path / "a.txt"), ["ka mi", ""]),
        (str(tmp_path / "below" / "b.csv"), ["ka"]),
    ]
    assert [(one.where, one.is_problem) for one in skipped] == [
        (str(tmp_path / "d.docx"), True),
        ("files of other kinds", False),
    ]
    assert "1 × .pdf" in skipped[1].reason
    assert read_parts([]) == ([], [])
    for path, problem in (
        (tmp_path / "none", "there is no such file or folder"),
        (tmp_path / "d.docx", "is not a Word document"),
        (tmp_path / "c.pdf", "is not a kind of text"),
    ):
        with pytest.raises(U2UError, match=problem):
            read_parts([str(path)])
    (tmp_path / "empty").mkdir()
    with pytest.raises(U2UError, match="--texts: no text was found; read are files of the kinds"):
        read_parts([str(tmp_path / "empty")])
    (tmp_path / "damaged").mkdir()
    shutil.copy(tmp_path / "d.docx", tmp_path / "damaged")
    problem = r"--texts: no text was found; .*d\.docx: is not a Word document, or a damaged one: save it again"
    with pytest.raises(U2UError, match=problem):
        read_parts([str(tmp_path / "damaged")])


def test_the_rules_are_those_of_the_dataset(tmp_path, capsys):
    assert rules_of(str(tmp_path)) == list(DEFAULT_RULES)
    said = f"! {tmp_path}: no prepare.yaml is found there: texts are spelled by the default text rules\n"
    assert "".join(capsys.readouterr()) == said
    (tmp_path / "prepare.yaml").write_text("corpus: a\nrules:\n- case: keep\n")
    assert rules_of(str(tmp_path)) == [{"case": "keep"}]
    assert "".join(capsys.readouterr()) == ""
    (tmp_path / "prepare.yaml").write_text("- [")
    with pytest.raises(U2UError, match=r"prepare\.yaml: is damaged: prepare the dataset again"):
        rules_of(str(tmp_path))
    assert optional_file(str(tmp_path), "none.yaml", "dataset") is None
