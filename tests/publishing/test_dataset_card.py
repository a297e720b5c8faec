"""The dataset card: its numbers worked out by hand, every value escaped, and no absolute path."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml
from huggingface_hub import DatasetCard
from markdown_it import MarkdownIt

from u2u_hf.corpus.channels import ChannelChoice
from u2u_hf.corpus.preparation import Preparation, PreparationSettings
from u2u_hf.corpus.reader import Recording
from u2u_hf.data.dataset import load_splits
from u2u_hf.publishing.cards import dataset as cards
from u2u_hf.publishing.cards import markdown
from u2u_hf.records import AnnotationDocument, Dropped, Skipped, U2UError, Utterance
from u2u_hf.reports.digest import digest

CORPUS = "/home/ana/Aldea corpus"
ODD = "C|x*_`<script>alert(1)</script>\n\n# $$x$$ [a](http://b) \\(y\\) {{ 7 * 7 }} &amp;"


def utterance(recording, speaker, start_s, end_s, text):
    audio = f"{CORPUS}/{recording}.wav"
    return Utterance(recording, audio, f"{speaker}_tier", speaker, 0, 1000 * start_s, 1000 * end_s, text.upper(), text)


def preparation(speaker="Cruz"):
    story, talk, song, tale = (
        Recording(n, AnnotationDocument(f"{CORPUS}/{f}", (), ()), f"{CORPUS}/{n}.wav")
        for n, f in {"story": "story.eaf", "talk": "t.TextGrid", "song": "song.eaf", "tale": "tale.eaf"}.items()
    )
    return Preparation(
        recordings=[story, talk, song, tale],
        skipped=[Skipped(f"{CORPUS}/a.eaf", "is not XML"), Skipped(f"{CORPUS}/a.eaf", "no"), Skipped("b", "no")],
        tiers={},
        why={"Ana_tier": "matches --tiers"},
        splits={
            "train": [utterance("story", "Ana", 0, 1800, "ab ña"), utterance("story", "Benito", 0, 3600, "a")],
            "validation": [utterance("talk", "Ana", 0, 360, "b"), utterance("talk", "Ana", 400, 760, "b a")],
            "test": [utterance("song", speaker, 0, 360, "a¹b²"), utterance("song", speaker, 400, 430, "a")],
        },
        dropped=[
            Dropped(utterance("story", "Ana", 5, 6, ""), "the annotation is empty"),
            Dropped(utterance("song", "Ana", 5, 6, ""), "the annotation is empty"),
            Dropped(utterance("tale", "Ana", 5, 6, "a"), "the audio cannot be read", "holds no sound (0 samples)"),
        ],
        choices=[
            ChannelChoice("story", "Ana_tier", 0, "heard", 9.0),
            ChannelChoice("story", "Benito_tier", 1, "heard", 1.0),
            ChannelChoice("talk", "Ana_tier", 0, "mono"),
        ],
        touched=Counter({"unicode: NFC": 0, "replace: {'1': '¹'}": 3}),
        examples={},
        audio_problem=True,
    )


LOST = [Dropped(utterance("song", "Cruz", 400, 430, "a"), "the audio cannot be read", "cannot be read at 401.0 s")]


def card(speaker="Cruz", lost=LOST, **settings):
    found = digest(preparation(speaker).without(lost), Path(CORPUS))
    return cards.dataset_card(PreparationSettings(corpus=CORPUS, **settings), found)


def rows(card, section):
    """The cells of the tables in a section."""
    text = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", f"## Top\n{card.text}", re.DOTALL | re.MULTILINE)[1]
    lines = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_numbers_worked_out_by_hand():
    made = card()
    assert rows(made, "Top") == [
        ["split", "utterances", "length", "recordings", "speakers"],
        ["train", "2", "1.5 h", "1", "2"],
        ["validation", "2", "12.0 min", "1", "1"],
        ["test", "1", "6.0 min", "1", "1"],
    ]
    assert "1.8 h of transcribed speech for speech recognition. Utterances: 5; speakers: 3; recordings: 3." in made.text
    assert rows(made, "Speakers") == [
        ["speaker", "utterances", "length", "train", "validation", "test"],
        ["Benito", "1", "1.0 h", "1.0 h", "–", "–"],
        ["Ana", "3", "42.0 min", "30.0 min", "12.0 min", "–"],
        ["Cruz", "1", "6.0 min", "–", "–", "6.0 min"],
    ]
    assert "Training has 4 different characters (␣ is the space): ␣ a b ñ\n" in made.text
    assert "Not in training, but in the other splits: ¹ ²\n" in made.text
    assert rows(made, "Orthography") == [
        ["character", "code point", "name", "in training"],
        ["a", "U+0061", "LATIN SMALL LETTER A", "3"],
        ["b", "U+0062", "LATIN SMALL LETTER B", "1"],
        ["␣", "U+0020", "SPACE", "1"],
        ["ñ", "U+00F1", "LATIN SMALL LETTER N WITH TILDE", "1"],
        ["rule", "annotations changed"],
        ["unicode: NFC", "0"],
        ["replace: {'1': '¹'}", "3"],
    ]
    assert rows(made, "Dropped utterances")[1:] == [
        ["2", "the annotation is empty", ""],
        ["2", "the audio cannot be read", "holds no sound (0 samples); cannot be read at 401.0 s"],
    ]
    assert "only in part: 2." in made.text
    assert rows(made, "Channels")[1:] == [
        ["2", "the channel on which the speaker is loudest"],
        ["1", "the only channel"],
    ]
    assert "Uncertain, because another channel is almost as loud: 1." in made.text
    assert rows(made, "Source files")[1:] == [
        ["2", "ELAN (.eaf)"],
        ["1", "Praat (.TextGrid)"],
        ["3", "audio (.wav)"],
    ]


def test_the_front_matter_is_what_the_hub_reads():
    made = DatasetCard(str(card(language=["xty", "es-MX", "no"], license="cc-by-nc-sa-4.0", pretty_name="Ña'a: |a|")))
    assert made.data.to_dict() == {
        "language": ["xty", "es", "no"],
        "language_bcp47": ["xty", "es-MX", "no"],
        "license": "cc-by-nc-sa-4.0",
        "pretty_name": "Ña'a: |a|",
        "size_categories": ["n<1K"],
        "task_categories": ["automatic-speech-recognition"],
    }
    assert "speech (xty, es-MX, no) for" in made.text
    bare = DatasetCard(str(card()))
    assert bare.data.pretty_name == "Aldea corpus"
    assert set(bare.data.to_dict()) == {"pretty_name", "size_categories", "task_categories"}
    assert "None is given yet" in bare.text


@pytest.mark.parametrize(
    ("count", "category"),
    [
        (0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (9999, "1K<n<10K"), (10_000, "10K<n<100K"),
        (123_456, "100K<n<1M"), (1_000_000, "1M<n<10M"), (10**9, "1B<n<10B"),
    ],
)  # fmt: skip
def test_size_categories(count, category):
    assert cards.size_category(count) == category


@pytest.mark.parametrize("hide_speakers", [False, True])
def test_nothing_tells_where_it_was_made_nor_who_speaks_if_hidden(hide_speakers):
    settings = {"hide_speakers": hide_speakers, "tiers": ["Ana*"], "participants": ["Benito"], "max_seconds": 9000.0}
    made = str(card(**settings, channels=["Cruz*=left"]))
    assert "/home" not in made
    assert "Aldea corpus/" not in made
    assert ("speaker 1" in made) == hide_speakers
    assert any(name in made for name in ("Ana", "Benito", "Cruz")) != hide_speakers
    code = made[made.index("these settings:") :]
    values = yaml.safe_load("\n".join(line[4:] for line in code.splitlines() if line.startswith("    ")))
    assert values["max_seconds"] == 9000
    assert ("tiers" in values) != hide_speakers


def test_names_and_texts_stay_text():
    """As a reader of Markdown sees it: one cell, and the very characters."""
    made = card(ODD, pretty_name=f"---\nlicense: mit\n---\n{ODD}")
    shown = " ".join(ODD.split())
    assert made.data.pretty_name == f"--- license: mit --- {shown}"
    assert made.data.license is None
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(made.text)
    inline = [token for token in tokens if token.type == "inline"]
    contents = ["".join(child.content for child in token.children) for token in inline]
    assert contents.count(shown) == 1
    assert f"--- license: mit --- {shown}" in contents
    html = [t.content for token in tokens for t in (token, *(token.children or ())) if t.type.startswith("html")]
    assert {re.match(r"</?([\w!-]+)", tag.strip())[1] for tag in html} == {"!--", "details"}
    assert not any(child.type in ("link_open", "em_open") for token in inline for child in token.children)
    assert "$$" not in made.text
    assert len({len(row) for row in rows(made, "Speakers")}) == 1


def test_long_tables_say_where_the_rest_is():
    table = markdown.table(("n", "what"), [(i, "x") for i in range(1000)])
    assert len(table.splitlines()) == 304
    assert table.endswith("\n\n700 more are in report.json.")


def test_the_card_names_no_recording_that_was_added():
    made = str(card(also=["/home/ana/work/Ana tells of her illness.wav"], max_seconds=9.0))
    assert "max_seconds: 9.0" in made
    assert "illness" not in made


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"language": ["Yoloxóchitl Mixtec"]}, "--language Yoloxóchitl Mixtec: is not a language code"),
        ({"license": "CC BY-NC-SA 4.0"}, "--license CC BY-NC-SA 4.0: give it as the Hub does"),
    ],
)
def test_what_the_hub_would_refuse_is_said_first(settings, message):
    with pytest.raises(U2UError, match=re.escape(message)):
        PreparationSettings(corpus="c", **settings)


def test_the_recipe_writes_it_and_the_folder_is_still_a_dataset(demo_folder, recipe, tmp_path):
    corpus, output = tmp_path / "corpus", tmp_path / "out"
    shutil.copytree(demo_folder / "corpus", corpus)
    (corpus / "elan" / "broken.eaf").write_text("no", encoding="utf-8")
    shutil.copy(next((corpus / "elan").glob("*_02*.eaf")), corpus / "elan" / "damaged.eaf")
    damaged = (corpus / "elan" / "damaged.eaf").read_text(encoding="utf-8").replace("_02", "_damaged")
    (corpus / "elan" / "damaged.eaf").write_text(damaged, encoding="utf-8")
    (corpus / "elan" / "damaged.wav").write_bytes(b"RIFF")  # the message of the error names it with its path
    arguments = ["--corpus", corpus, "--output_dir", output, "--language", "xty", "es-MX", "--license", "cc-by-4.0"]
    result = recipe("prepare.py", *arguments)
    assert result.returncode == 3  # for the broken ones
    assert "Traceback" not in result.stderr
    made = DatasetCard.load(output / "README.md")
    assert made.data.language == ["xty", "es"]
    dropped = rows(made, "Dropped utterances")
    assert any(why == "the audio cannot be read" and "not a sound file" in details for _, why, details in dropped)

    # Other files that look like data do not come between.
    for name in ("test.json", "train.csv", "metadata.jsonl", "more/test/validation.json"):
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        (output / name).write_text("[]", encoding="utf-8")
    counts = {name: len(split) for name, split in load_splits(output).items()}
    assert list(counts) == ["train", "validation", "test"]
    assert counts == {row[0]: int(row[1]) for row in rows(made, "Top")[1:]}

    texts = {path.name: path.read_text(encoding="utf-8") for path in output.glob("*.*")}
    assert {"README.md", "prepare.yaml", "report.json", "report.html"} <= set(texts)
    assert [name for name, text in texts.items() if str(tmp_path) in text] == []
    unread = json.loads(texts["report.json"])["dropped"]["the audio cannot be read"]
    assert {row["audio"] for row in unread} == {"elan/damaged.wav"}
    saved = yaml.safe_load(texts["prepare.yaml"])
    assert (saved["corpus"], saved["output_dir"], saved["license"]) == ("corpus", "out", "cc-by-4.0")

    # Made anew, it is the new one that is read, though everything is called as before.
    assert recipe("prepare.py", *arguments, "--max_seconds", 2.5).returncode == 3
    made = DatasetCard.load(output / "README.md")
    again = {name: len(split) for name, split in load_splits(output).items()}
    assert again == {row[0]: int(row[1]) for row in rows(made, "Top")[1:]}
    assert sum(again.values()) < sum(counts.values())
