"""Text rules of any kind on texts of any kind, and damaged files of settings."""

import time

from conftest import RECIPES
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from u2u_hf import cli
from u2u_hf.corpus.preparation import PreparationSettings
from u2u_hf.corpus.text_rules import DEFAULT_RULES, TextRules

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates()
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3), max_leaves=5
)
LETTERS = st.sampled_from("aáÄİı'ʼ’‘¹:·-<>/[](){}⟨⟩\\*.?|^$ \n\t\u0303\u200b\u00ad\ue000😀ñ") | st.characters(
    codec="utf-8"
)
TEXTS = st.text(LETTERS, max_size=30) | st.sampled_from(["b<um>ili", "<i>a</i>", "</a><a/>", "%ignore%", "\\ng", "''"])
ACTIONS = st.sampled_from(["keep_text", "drop_text", "drop_utterance"]) | JUNK
PATTERNS = st.sampled_from(
    ["a", "(a)(b)", "[a", "(?P<x>a)", "\\", "(?<=a+)b", "a{9}", "a{99999999999999999999}", "(?i)a", "(", "x*", "(?#"]
) | st.text(LETTERS, max_size=4)
REPLACEMENTS = st.sampled_from(["", r"\1", r"\g<x>", r"\g<9>", "\\", r"\99", r"\q"]) | SCALARS
KNOWN = {
    "unicode": st.sampled_from(["NFC", "NFD", "NFKC", "NFKD", "nfc"]),
    "markup": st.dictionaries(st.sampled_from(["tags", "i", "um", "a"]) | TEXTS, ACTIONS, max_size=3),
    "brackets": st.dictionaries(st.sampled_from(["[]", "()", "''", "⟨⟩", "^]", "\\]", "[[["]), ACTIONS, max_size=3),
    "replace": st.dictionaries(TEXTS | SCALARS, TEXTS | SCALARS, max_size=3),
    "regex": st.dictionaries(PATTERNS, REPLACEMENTS, max_size=2),
    "case": st.sampled_from(["lower", "keep", "lower-tr", "lower-az", "lower-lt", "upper"]),
    "punctuation": st.sampled_from(["drop", "keep", "some"]),
    "alphabet": st.text(max_size=5) | SCALARS,
    "praat_symbols": st.sampled_from(["decode", "keep", "encode"]),
}
RULE = st.one_of(*(st.fixed_dictionaries({name: values}) for name, values in KNOWN.items()))
WRONG = st.one_of(*(st.fixed_dictionaries({name: JUNK}) for name in KNOWN), st.dictionaries(SCALARS, JUNK), JUNK)
RULES = st.lists(RULE, max_size=5) | st.lists(RULE | WRONG, max_size=4) | st.just(list(DEFAULT_RULES))
WORDS = (
    *(b"rules:\n", b"  - ", b"{", b"}", b"[]", b": ", b"&a ", b"*a", b"<<: *a", b"!!python/object:os.system {}"),
    *(b"? ", b"|"),
    *(b"no", b"5e-5", b"2026-11-25", b".nan", b"tiers: 5", b"corpus: x", b"regex", b"'(a'", b"'\\9'", b"unicode: NFX"),
)


def change(rules, texts):
    """Give rules to texts; what comes out must be texts with single spaces, the same ones each time."""
    changing = TextRules(rules)
    changed = changing.of_corpus(texts)
    assert [" ".join(text.split()) for text in changed] == changed
    assert len(changed) == len(texts)
    assert TextRules(rules).of_corpus(texts) == changed
    assert all(0 <= count <= len(texts) for count in changing.touched.values())


def test_any_rules_change_any_texts_or_are_named(findings, seconds, tmp_path):
    def hold(rules, texts):
        findings.hold(lambda: change(rules, texts), repr((rules, texts))[:2000], tmp_path)

    each = given(RULES, st.lists(TEXTS, max_size=4))
    few = settings(max_examples=1000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    end, number = time.monotonic() + seconds, 0
    while not number or time.monotonic() < end:
        seed(number)(few(each(hold)))()
        number += 1
    findings.require_none()


def use(folder, name):
    arguments, *_ = cli.parse(PreparationSettings, argv=["--corpus", str(folder), "--config", str(folder / name)])
    change(arguments.rules, ["<i>colectar</i>ndu¹ xa'¹a⁴", "[ríe] 5", "ba¹⁽⁴⁾ ã", "%ignore%", ""])


def test_a_damaged_file_of_settings_is_read_or_named(fuzz):
    settings_files = sorted(RECIPES.glob("*/prepare.yaml"))
    fuzz(use, {f"{path.parent.name}.yaml": path.read_bytes() for path in settings_files}, words=WORDS, examples=300)
