import shutil
from dataclasses import replace

import numpy as np
import pytest
from support.html_pages import ATTACKS, Page, harmless
from support.scored_pairs import PAIRS

from u2u_hf.data.audio import flac_bytes
from u2u_hf.evaluation.html_page import confidence_section, evaluation_page, side_by_side
from u2u_hf.evaluation.scoring import Pair, measure
from u2u_hf.reports.html import element

CHROMIUM = shutil.which("chromium")


def test_what_differs_is_marked():
    assert side_by_side("ka na", "kan") == element(
        "div",
        element(
            "span", element("span", "ka", class_="said"), element("span", "ka", element("span", "n", class_="wrong"))
        ),
        element("span", element("span", element("span", "na", class_="wrong"), class_="said"), element("span")),
        class_="side",
        dir="auto",
    )
    # A wrong mark makes its letter wrong, and stays on it.
    assert '<span class="wrong">ɨ\u0301</span>' in side_by_side("tɨ\u0301", "tɨ")
    assert side_by_side("tɨ\u0301", "tɨ").endswith("<span>tɨ</span></span></div>")


@pytest.mark.parametrize("pairs", [PAIRS, PAIRS[:1], [replace(PAIRS[0], hypothesis="")]])
def test_the_page_tells_the_numbers(pairs):
    text = "".join(harmless(evaluation_page(measure(pairs, ["tones"]), "m on test")).text)
    assert "m on test" in text
    if pairs is PAIRS:
        assert "13.0%of characters wrong (CER)" in text
        assert "66.7%of words wrong (WER)" in text
        assert "ignoring tones9.6%" in text
        assert "01:01:01.001" in text
    else:
        assert ("Every utterance is right." in text) == bool(pairs[0].hypothesis)


def hostile():
    texts = [*ATTACKS, "\u202eabc", "שלום עולם", "x" * 300]
    return [Pair(t, t, t, i, i + 900, t, " ".join(texts[i - 1].split())) for i, t in enumerate(texts)]


def test_nothing_breaks_the_page():
    sounds = [flac_bytes(np.zeros(160, dtype=np.float32))] * len(measure(hostile())["worst"])
    html = evaluation_page(measure(hostile()), "<b>", sounds)
    players = [value for tag, key, value in Page(html).attributes if (tag, key) == ("audio", "src")]
    assert len(players) == len(sounds)
    assert all(value.startswith("data:audio/flac;base64,") for value in players)
    harmless(evaluation_page(measure(hostile()), "<b>"))


def test_in_a_browser_it_asks_for_nothing_fits_a_phone_and_can_be_heard(tmp_path):
    if not CHROMIUM:
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    tone = flac_bytes(0.1 * np.sin(np.arange(16_000) / 5).astype(np.float32))
    metrics = measure([*PAIRS, *hostile()], ["tones", "punctuation"])
    path = tmp_path / "evaluation.html"
    path.write_text(evaluation_page(metrics, "m on test", [tone] * len(metrics["worst"])), encoding="utf-8")
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, scheme in ((1200, "light"), (390, "dark")):
            tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            asked, said = [], []
            tab.on("request", lambda request, asked=asked: asked.append(request.url.split(":")[0]))
            tab.on("console", lambda message, said=said: said.append(message.text))
            tab.goto(path.as_uri())
            assert asked == ["file"]
            assert said == []
            assert tab.locator("script, img, iframe").count() == 0
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            heard = "audio => new Promise((yes, no) => { audio.onloadedmetadata = () => yes(audio.duration);"
            heard += " audio.onerror = () => no(audio.error.message); audio.load(); })"
            assert tab.locator("audio").first.evaluate(heard) == pytest.approx(1.0)
        browser.close()


def test_confidence_is_drawn_raw_and_calibrated():
    bins = [{"chance": 0.25, "right": 0.5, "words": 4}, {"chance": 0.75, "right": 1.0, "words": 6}]
    raw = {"words_auc": 0.61, "segments_auc": None, "expected_errors": 2.0, "bins": bins[:1]}
    calibrated = {"words_auc": 0.84, "segments_auc": 0.7, "expected_errors": 1234.4, "bins": bins}
    found = {"words": 10, "wrong_words": 2, "errors": 1200, "raw": raw, "calibrated": calibrated}
    text = str(confidence_section(found))
    assert "2 of 10 words are wrong" in text
    for cells in (("raw", "0.61", "–", "2", "1200"), ("calibrated", "0.84", "0.70", "1,234", "1200")):
        assert all(cell in text for cell in cells)
    assert text.count("<polyline") == 3
    assert "is not calibrated" in str(confidence_section(found | {"calibrated": None}))
