"""The catalogues of the pages and the editor, in each language, against the English ones."""

import importlib.util
import json
import os
import re
import subprocess
import sys

import pytest
from conftest import PROJECT

from u2u_hf.project import remedies

LANGUAGES = {"en": "english", "es": "spanish", "fr": "french", "pt": "portuguese", "id": "indonesian"}
OTHERS = [language for language in LANGUAGES if language != "en"]
SPACES = PROJECT / "spaces"
FOLDERS = {
    "studio": SPACES / "studio",
    "transcribe": SPACES / "transcribe" / "languages",
    "browser": SPACES / "browser" / "languages",
    "editor": SPACES / "editor" / "languages",
}
# Of a text in English with so many characters, how many times as long a translation may be: the expansion to expect
# and to leave room for (IBM's table, in the W3C's “Text size in translation”). Longer ones are cut or break the line.
ROOM = ((10, 3.0), (20, 2.0), (30, 1.8), (50, 1.6), (70, 1.7), (10_000, 1.5))
# What is the same in English. Keys of texts without a letter, or with nothing but a value, need not stand here.
SAME = {
    ("studio", "es"): "title step_corpus found_invisible",
    ("studio", "fr"): "title step_corpus type participant annotations found_rare found_invisible",
    ("studio", "pt"): "title step_corpus",
    ("studio", "id"): "title tier",
    ("transcribe", "es"): "",
    ("transcribe", "fr"): "about_license options",
    ("transcribe", "pt"): "",
    ("transcribe", "id"): "about_model",
    ("browser", "es"): "",
    ("browser", "fr"): "",
    ("browser", "pt"): "",
    ("browser", "id"): "model",
    ("editor", "es"): "",
    ("editor", "fr"): "segments pause",
    ("editor", "pt"): "",
    ("editor", "id"): "",
}
BOTH = pytest.mark.parametrize(("page", "language"), SAME)


def catalogue(page, language):
    """The texts of a page by their names."""
    name = LANGUAGES[language]
    (path,) = FOLDERS[page].glob(f"{name}.*")
    if path.suffix == ".py":
        found = importlib.util.spec_from_file_location(f"{page}_{name}", path)
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        return getattr(module, name.upper())
    script = f"import({json.dumps(path.as_uri())}).then((m) => console.log(JSON.stringify(m.{name.upper()})))"
    run = subprocess.run(["node", "-e", script], capture_output=True, check=True)
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def words():
    return {page: {language: catalogue(page, language) for language in LANGUAGES} for page in FOLDERS}


def values(text):
    return sorted(re.findall(r"\{[^}]*\}", text))


def letters(text):
    return re.sub(r"\{[^}]*\}|[\W\d_]", "", text)


@BOTH
def test_a_language_has_all_texts_with_the_same_values(words, page, language):
    english, own = words[page]["en"], words[page][language]
    assert list(own) == list(english)
    assert [key for key in english if values(own[key]) != values(english[key])] == []


@BOTH
def test_nothing_is_left_in_english(words, page, language):
    english, own = words[page]["en"], words[page][language]
    same = [key for key in english if own[key] == english[key] and letters(own[key])]
    assert same == SAME[page, language].split()


@BOTH
def test_texts_have_room_on_the_page(words, page, language):
    english, own = words[page]["en"], words[page][language]
    long = {}
    for key, text in english.items():
        times = next(times for characters, times in ROOM if len(text) <= characters)
        if len(own[key]) > times * len(text):
            long[key] = own[key]
    assert long == {}


@BOTH
def test_sentences_end_as_in_english(words, page, language):
    """What is a sentence there is one here: nothing was left out at its end."""
    english, own = words[page]["en"], words[page][language]
    end = re.compile(r"[.…:?]?$")
    assert {k: own[k] for k in english if end.search(own[k])[0] != end.search(english[k])[0]} == {}


@BOTH
def test_typography(words, page, language):
    """Straight quotes and three full stops are of the keyboard; French has no-break spaces at its marks."""
    for key, text in words[page][language].items():
        assert not re.search(r"['\"]|\.\.\.|  | $", text), key
        assert text.startswith(" ") == words[page]["en"][key].startswith(" "), key
        if language == "fr":
            assert not re.search(r" [:;?!%»]|« |[^\s\d:h][;?!»](?!\w)|«[^\xa0]", text), key


@pytest.mark.parametrize("page", FOLDERS)
def test_every_catalogue_is_offered(page):
    """Also to people whose browser prefers one of a region: pt-BR, id-ID."""
    if page in ("studio", "transcribe"):
        module, folder = ("words", "studio") if page == "studio" else ("strings", "transcribe")
        script = (
            f"import json, {module} as m; tags = json.loads(__import__('sys').argv[1]);"
            "print(json.dumps([m.language(f'xx,{tag}-BR;q=0.9,en;q=0.8') for tag in tags]"
            "+ [m.language('es', tag) for tag in tags] + [m.language('es', 'xx'), m.language('')]))"
        )
        command = [sys.executable, "-c", script, json.dumps(list(LANGUAGES))]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        run = subprocess.run(command, cwd=SPACES / folder, env=environment, capture_output=True, check=True)
        assert json.loads(run.stdout) == [*LANGUAGES, *LANGUAGES, "es", "en"]
    else:
        file, table = ("messages.js", "MESSAGES") if page == "browser" else ("words.js", "WORDS")
        address = json.dumps((SPACES / page / file).as_uri())
        script = f"import({address}).then((m) => console.log(JSON.stringify(Object.keys(m.{table}))))"
        run = subprocess.run(["node", "-e", script], capture_output=True, check=True)
        assert json.loads(run.stdout) == list(LANGUAGES)


def test_every_reason_of_the_library_to_drop_an_annotation_has_words(words):
    """In English they are the library's own; a page recognises them by it."""
    own = [re.sub(r"\{\w+\}", "train", text) for key, text in words["studio"]["en"].items() if key.startswith("found_")]
    begins = [begin.replace("validation", "train").replace("in test", "in train") for begin in remedies._BY_REASON]
    assert [begin for begin in begins if not any(text.startswith(begin) for text in own)] == []


def test_what_the_library_says_is_put_into_other_languages():
    said = ["is below 'tx'; longer than 20 s", "not in training: a\u00a0b", "something new: 5"]
    script = (
        "import json, sys, words; said = json.loads(sys.argv[1]);"
        "print(json.dumps([words.found_in('fr', text) for text in said]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-c", script, json.dumps(said)]
    run = subprocess.run(command, cwd=SPACES / "studio", env=environment, capture_output=True, check=True)
    found = ["dépend de 'tx'; dure plus de 20 s", "absents de l’entraînement\u00a0: a‹U+00A0›b", "something new: 5"]
    assert json.loads(run.stdout) == found
