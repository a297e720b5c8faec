"""report.html: nothing that people write can break it, alone and in a real browser."""

import json
import re
import shutil
from pathlib import Path

import pytest
from support.html_pages import harmless
from support.preparations import attacked, prepared, utterance

from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.output_folder import MARKER
from u2u_hf.records import Annotation, Tier
from u2u_hf.reports.digest import digest
from u2u_hf.reports.html_report import html_report
from u2u_hf.written_files import WRITTEN

CHROMIUM = shutil.which("chromium")
ATTACK = "<script>document.title='owned'</script><img src=http://example.org/x.png onerror=alert(1)>"


def test_annotations_cannot_put_anything_into_the_page(tmp_path):
    text = html_report(digest(attacked(), tmp_path))
    found = harmless(text)
    assert set(found.tags) <= set(
        "html head meta title style body h1 h2 h3 p b nav a section div span ul li table thead tbody tr th td "
        "details summary svg line text rect circle".split()
    )
    shown = "".join(found.text)
    assert "<script>alert(1)</script>" in shown  # as text
    assert "‹U+202E›abc" in shown
    assert "\u202e" not in text
    assert "\0" not in text
    assert "\x1b" not in text
    assert "Content-Security-Policy" in text


def test_a_prepared_dataset_has_its_report_as_a_page(demo_folder, recipe, tmp_path):
    result = recipe("prepare.py", "--corpus", demo_folder / "corpus", "--output_dir", tmp_path)
    assert result.returncode == 0, result.stderr
    found = harmless((tmp_path / "report.html").read_text(encoding="utf-8"))
    told = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    utterances = sum(split["utterances"] for split in told["splits"].values())
    assert f"{utterances}utterances" in "".join(found.text)
    assert str(tmp_path.parent) not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert told["rule_examples"]["case: lower"][1].islower()


@pytest.fixture(scope="module")
def hostile(demo_folder, recipe, tmp_path_factory):
    """A corpus whose annotations, tiers and speakers hold markup: its inspection's folder and output."""
    corpus = tmp_path_factory.mktemp("hostile") / "corpus"
    shutil.copytree(demo_folder / "corpus", corpus)
    for index, path in enumerate(sorted((corpus / "elan").glob("*.eaf"))):
        tiers = [t for t in read_eaf(path).tiers if t.linguistic_type == "transcription"]
        annotations = (Annotation(0, 60, "zzz" + "a" * 40), *(a for a in tiers[0].annotations if a.value))
        changed = [Annotation(a.start_ms, a.end_ms, f"{a.value} {ATTACK} {index}") for a in annotations]
        name = f"transcription {ATTACK}"
        tier = Tier(name, tuple(changed), linguistic_type="transcription", participant=f"<b>{ATTACK}")
        audio = next(p for p in (corpus / "audio").iterdir() if p.stem in path.stem)
        write_eaf(path, [tier], [audio])
    (corpus / "elan" / "broken.eaf").write_text("no", encoding="utf-8")
    output = tmp_path_factory.mktemp("inspected")
    rules = output / "keep.yaml"
    rules.write_text("rules: [{punctuation: keep}]\nmax_characters_per_second: 100\n", encoding="utf-8")
    arguments = ("--config", rules, "--corpus", corpus, "--output_dir", output / "out", "--tiers", "transcription*")
    result = recipe("prepare.py", *arguments, "--inspect")
    assert result.returncode == 0, result.stderr
    return output / "out", result.stdout


def test_inspection_prepares_nothing_and_tells_what_there_is(hostile):
    folder, told = hostile
    assert sorted(p.name for p in folder.iterdir()) == [MARKER, WRITTEN, "report.html"]
    assert "5 annotation files, 4 recordings, 4 pairs that can be used" in told
    assert "broken.eaf" in told
    assert "LATIN CAPITAL LETTER Q" in told
    assert "4 shorter than 0.3 s, first in elan/nci_story_01_ed-2025-02-12" in told


def test_the_page_in_a_browser_asks_for_nothing_and_fits_a_phone(hostile):
    if not CHROMIUM:
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    address = (hostile[0] / "report.html").as_uri()
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, scheme in ((1200, "light"), (390, "dark")):
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            asked, said = [], []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on("console", lambda message, said=said: said.append(message.text))
            page.goto(address)
            assert page.title() != "owned"
            assert asked == [address]
            assert said == []
            assert page.locator("script, img, iframe").count() == 0
            assert page.locator("svg").count() >= 2
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()


def test_hours_of_training_and_of_all_splits_are_told_apart():
    splits = {"train": [utterance("a", seconds=1800)], "validation": [utterance("b", seconds=600)], "test": []}
    words = " ".join(harmless(html_report(digest(prepared(splits), Path("nowhere")))).text)
    assert re.search(r"30\.0 min\s+in training, to learn from\s+40\.0 min\s+with validation and test", words)
    undivided = digest(prepared({"undivided": [utterance("a", seconds=600)]}), Path("nowhere"))
    words = " ".join(harmless(html_report(undivided)).text)
    assert re.search(r"10\.0 min\s+to learn from", words)
    assert "in training" not in words


def test_what_was_done_to_sound_is_said():
    remark = "3 × stored at another level, because the utterance is too loud or too quiet for 16 bits"
    cut = prepared({"train": [utterance("a")]}).without([], [remark])
    words = " ".join(harmless(html_report(digest(cut, Path("nowhere")))).text)
    assert re.search(rf"Please note\s+{remark}", words)
