import time

import pytest

from u2u_hf.corpus.text_rules import DEFAULT_RULES, TextRules
from u2u_hf.records import U2UError

DROP = {"foreign": "drop_text", "unk": "drop_utterance"}

# name, settings, raw text, text: worked out by hand
CASES = [
    ("unicode", "NFC", "e\u0301", "\u00e9"),
    ("unicode", "NFD", "\u00e9", "e\u0301"),
    ("unicode", "NFC", "a¹ ǹ\u0303", "a¹ ǹ\u0303"),  # a grave n with a tilde has no letter of its own
    ("unicode", "NFKC", "ka¹", "ka1"),
    ("markup", {"tags": "keep_text"}, "<i>xa</i>no <b>tu</b>", "xano tu"),
    ("markup", {"tags": "keep_text"}, '<foreign lang="es">pero</foreign> a<br/>b', "pero ab"),
    ("markup", {"tags": "drop_text"}, "a <i>b</i> c", "a c"),
    ("markup", {}, "a <i>b</i> c", "a b c"),
    ("markup", DROP, "<foreign>uno</foreign> in <foreign>dos</foreign> atl", "in atl"),  # never greedy
    ("markup", DROP, "a <foreign>b <i>c</i> d</foreign> e", "a e"),
    ("markup", DROP, "a <foreign>b <foreign>c</foreign> d</foreign> e", "a e"),
    ("markup", DROP, "a <i>b <foreign>c</i> d</foreign> e", "a b e"),  # crossing
    ("markup", DROP, "a <foreign>b c", "a b c"),  # never closed: only the tag goes
    ("markup", DROP, "a <foreign>b <foreign>c</foreign> d", "a b d"),  # closes the nearest
    ("markup", DROP, "a</foreign> b", "a b"),  # never opened
    ("markup", DROP, "a <foreign/> b", "a b"),
    ("markup", DROP, "a </foreign> b <foreign> c", "a b c"),
    ("markup", DROP, "a <unk/> b", ""),
    ("markup", DROP, "a <unk>b</unk>", ""),
    ("markup", DROP, "a <unknown>b</unknown>", "a b"),  # another name
    ("markup", DROP, "a < b", "a < b"),
    ("markup", {"tags": "keep_text"}, "b<um>ili k<in><um>ain s<i>apa", "bumili kinumain siapa"),  # infixes
    ("markup", {"tags": "drop_text"}, "b<um>ili", "bumili"),
    ("markup", {"tags": "drop_utterance"}, "b<um>ili", ""),
    ("markup", {"um": "keep_text"}, "b<um>ili", "bili"),  # a tag of one's own
    ("markup", {}, "k<i>a</i>pa ka<br>ta b<um >ili ka<um> <um>ka", "kapa kata bili ka ka"),
    ("markup", {"tags": "drop_utterance", "i": "keep_text"}, "<i>a</i>", "a"),
    ("markup", {"tags": "drop_utterance", "i": "keep_text"}, "<i>a</i> <b>b</b>", ""),
    ("brackets", {"[]": "drop_text"}, "a [risas] b", "a b"),
    ("brackets", {"[]": "drop_text"}, "a[x]b", "a b"),
    ("brackets", {"[]": "drop_text"}, "a [b [c] d] e", "a e"),
    ("brackets", {"[]": "drop_text"}, "a [b] c [d] e", "a c e"),
    ("brackets", {"[]": "drop_text"}, "a [b c", "a [b c"),
    ("brackets", {"[]": "drop_text"}, "a] b [c", "a] b [c"),
    ("brackets", {"()": "keep_text"}, "a (b (c)) d", "a b c d"),
    ("brackets", {"[]": "drop_text", "()": "keep_text"}, "a (b [c]) d", "a b d"),
    ("brackets", {"[]": "drop_utterance"}, "a [b] c", ""),
    ("brackets", {"[]": "drop_utterance"}, "a [b c", "a [b c"),
    ("brackets", {"**": "drop_text"}, "a *b* c *d* e", "a c e"),
    ("brackets", {"^]": "drop_text"}, "a ^b] c", "a c"),
    ("replace", {"a": "1", "aa": "2", "aaa": "3"}, "aaaa aa a", "31 2 1"),
    ("replace", {"a": "b", "b": "a"}, "abba", "baab"),  # at once, not one after another
    ("replace", {"’": "ʼ", ".": ""}, "ka’a.x", "kaʼax"),
    ("replace", {1: "¹", 2: "²"}, "ka12", "ka¹²"),  # YAML reads the keys as numbers
    ("replace", {"x": None}, "axb", "ab"),
    ("replace", {}, "ab", "ab"),
    ("regex", {r"\s*\*": ""}, "a * b*", "a b"),
    ("regex", {r"(\w)\1": r"\1ː", "ː": ":"}, "aab", "a:b"),  # one after another
    ("regex", {"^x": ""}, "xax", "ax"),
    ("case", "lower", "ÑUU Ɂa Ā", "ñuu ɂa ā"),
    ("case", "keep", "Ñuu", "Ñuu"),
    ("case", "lower", "ΟΔΟΣ ΣΑΣ", "οδος σας"),  # sigma at the end of a word
    # As Unicode's SpecialCasing.txt has it.
    ("case", "lower-tr", "DIŞARI İSTANBUL I\u0307", "dışarı istanbul i"),
    ("case", "lower-az", "QIZIL İL", "qızıl il"),
    ("case", "lower-lt", "ÌÍĨ IŠ", "i\u0307\u0300i\u0307\u0301i\u0307\u0303 iš"),
    ("case", "lower-lt", "J\u0301 Į\u0303 I", "j\u0307\u0301 į\u0307\u0303 i"),
    ("punctuation", "drop", "¿Ka¹, tu³⁴! ... (ndi) «xa» — \"a\"; b: c/d", "Ka¹ tu³⁴ ndi xa a b c d"),
    ("punctuation", "drop", "¹²³⁴ a1", "¹²³⁴ a1"),
    ("punctuation", "drop", "ʼa kaʼ ꞌa kaꞌ aˀ", "ʼa kaʼ ꞌa kaꞌ aˀ"),
    ("punctuation", "drop", "a\u0331\u0301 ma˥˩ sǎˇ", "a\u0331\u0301 ma˥˩ sǎˇ"),
    ("punctuation", "drop", "ka'a, 'ka' ka-a -ka ka- ka·a a¹'a", "ka'a ka ka-a ka ka ka·a a¹'a"),
    ("punctuation", "drop", "a\u0301'a", "a\u0301'a"),  # after a combining mark, too
    ("punctuation", "drop", "'ala, mi'o 'te! ’ua ’ka, ma‘ ′oki ＇a", "'ala mi'o 'te ’ua ’ka ma‘ ′oki ＇a"),
    ("punctuation", "drop", "ka ' ta ’ ' .", "ka ta"),
    ("punctuation", "drop", "mi:ko mi·ko mi:: mi•ko mi‧ko", "mi:ko mi·ko mi:: mi•ko mi‧ko"),
    ("punctuation", "drop", "dijo: ka: 10:30 :a a :", "dijo ka 10 30 a a"),  # without a length mark inside a word
    ("punctuation", "drop", "b⟨um⟩ili ⟨ka⟩", "bumili ka"),
    ("punctuation", "drop", "می\u200cروم", "می\u200cروم"),  # the joiner that Persian writes within words
    ("punctuation", "drop", "ka\u00adta \u200ekata\ufeff", "kata kata"),
    ("punctuation", "drop", "ក\u200bខ", "ក ខ"),  # the space that Khmer does not show
    ("punctuation", "drop", "a ❤\ufe0f👍🏽 b", "a b"),
    ("punctuation", "drop", "\ue000a", "\ue000a"),  # a letter of an old font
    ("punctuation", "drop", "a=b a_b a\x00b", "a b a b a b"),
    ("punctuation", "keep", "a, b!", "a, b!"),
    ("alphabet", "abñ ", "añb xa", "añb a"),
    ("praat_symbols", "decode", r"sa\ngi tu\gf\:f n\0v", "saŋi tuɣː n\u0325"),
    ("praat_symbols", "keep", r"sa\ngi", r"sa\ngi"),
    ("alphabet", "ab", "a b\na", "a b a"),  # spaces part words even if the alphabet has none
]  # fmt: skip


@pytest.mark.parametrize(("name", "settings", "raw", "text"), CASES)
def test_rule(name, settings, raw, text):
    assert TextRules([{name: settings}])(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  Nehua\t<i>ni</i>quitta \n [risas] in TLAXCALLI. ", "nehua niquitta in tlaxcalli"),
        ("Cafe\u0301!", "caf\u00e9"),
        ("[risas] ...", ""),
        ("", ""),
    ],
)
def test_default_rules(raw, text):
    assert TextRules(DEFAULT_RULES)(raw) == text


def test_saymores_mark_is_no_text():
    rules = TextRules([{"case": "lower"}])
    assert rules.of_corpus(["%ignore%", " %IGNORE%\n", "a %ignore% b"]) == ["", "", "a %ignore% b"]
    assert rules.touched == {"case: lower": 0}


def test_the_texts_of_a_corpus_are_known_together():
    rules = TextRules([{"brackets": {"[]": "drop_utterance"}}, {"punctuation": "drop"}])
    texts = ["'oki te'", "[x] 'ka", "ma' ka", "'ka", ""]
    assert rules.of_corpus(texts) == ["'oki te'", "", "ma' ka", "'ka", ""]
    assert rules("'oki te'") == "oki te"  # by itself, it looks like a quotation
    assert list(rules.touched.values()) == [1, 1]


def test_order_of_rules_counts():
    assert TextRules([{"replace": {"A": "b"}}, {"case": "lower"}])("Aa") == "ba"
    assert TextRules([{"case": "lower"}, {"replace": {"A": "b"}}])("Aa") == "aa"


def test_no_rules_leave_the_words():
    assert TextRules([])(" A  b!") == "A b!"


def test_how_many_texts_each_rule_changed():
    rules = TextRules([{"markup": {"unk": "drop_utterance"}}, {"case": "lower"}, {"punctuation": "drop"}])
    for raw in ("A", "b.", "A.", "<unk/> A.", "c"):
        rules(raw)
    counts = {"markup: {'unk': 'drop_utterance'}": 1, "case: lower": 2, "punctuation: drop": 2}
    assert dict(rules.touched) == counts


def test_a_rule_that_stands_twice_is_counted_twice():
    rules = TextRules([{"replace": {"A": "AA"}}, {"case": "keep"}, {"replace": {"A": "AA"}}])
    assert rules("A") == "AAAA"
    assert list(rules.touched.items()) == [
        ("replace: {'A': 'AA'}", 1),
        ("case: keep", 0),
        ("replace: {'A': 'AA'} (again, as number 3)", 1),
    ]


def test_a_rule_that_changed_nothing_is_counted_too():
    assert dict(TextRules([{"case": "lower"}]).touched) == {"case: lower": 0}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"lowercase": True}, "rules: number 1: no rule is called 'lowercase'; there are unicode, markup, brackets"),
        ("case", "rules: number 1 is not one name with its settings: 'case'"),
        ({"case": "lower", "unicode": "NFC"}, "rules: number 1 is not one name with its settings"),
        ({"case": "upper"}, "rule case: 'upper'; use keep or one of lower"),
        ({"case": None}, "rule case: None; use keep or one of lower"),
        ({"unicode": "utf8"}, "rule unicode: 'utf8' is not a Unicode form; use NFC, NFD, NFKC or NFKD"),
        ({"punctuation": True}, "rule punctuation: True; use drop or keep"),
        ({"markup": {"i": "drop"}}, "rule markup: 'i': 'drop'; use one of keep_text, drop_text, drop_utterance"),
        ({"markup": ["i"]}, "rules: number 1: markup cannot have the settings ['i']"),
        ({"brackets": {"[": "drop_text"}}, "rule brackets: '[' is not an opening and a closing character"),
        ({"brackets": {"[]": "x"}}, "rule brackets: '[]': 'x'; use one of"),
        ({"brackets": {12: "drop_text"}}, "rules: number 1: brackets cannot have the settings"),
        ({"replace": "ab"}, "rules: number 1: replace cannot have the settings 'ab'"),
        ({"replace": {False: "a"}}, "rule replace: False is not text: write yes, no, on, off and the like in quotes"),
        ({"replace": {"ja": True}}, "rule replace: True is not text: write yes, no, on, off and the like in quotes"),
        ({"replace": {"": "a"}}, "rule replace: the empty text matches everywhere: write what to look for"),
        ({"regex": {"(": ""}}, "rule regex: '(': '' is not a regular expression (missing ), unterminated"),
        ({"regex": {"a": r"\1"}}, r"rule regex: 'a': '\\1' is not a regular expression (invalid group reference 1"),
        ({"regex": {"a": r"\g<b>"}}, r"rule regex: 'a': '\\g<b>' is not a regular expression (unknown group name 'b'"),
        ({"regex": {"a{99999999999999999999}": ""}}, "rule regex: 'a{99999999999999999999}': '' is not a regular"),
        ({"case": ["x" * 100] * 9}, f"rules: number 1: case cannot have the settings ['{'x' * 38}…"),
        ({"praat_symbols": True}, "rule praat_symbols: True; use decode or keep"),
        ({"alphabet": 12}, "rule alphabet: 12 is not text: write all its letters in one pair of quotes"),
        ({"alphabet": ["ch", "a"]}, "rule alphabet: ['ch', 'a'] is not text"),
    ],
)
def test_a_wrong_setting_is_an_error_that_says_what_to_write(rule, message):
    with pytest.raises(U2UError) as error:
        TextRules([rule])
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_markup_that_never_ends_takes_no_long_time():
    text = "<" + "a" * 200_000
    before = time.process_time()
    assert TextRules([{"markup": {}}])(text) == text
    assert time.process_time() - before < 5  # it takes milliseconds; trying every way to read it takes minutes
