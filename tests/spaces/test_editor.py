"""The editor alone, in Chromium, on a page of its own (tests/support/editor.html)."""

import json
import shutil

import numpy as np
import pytest
import soundfile
from conftest import PROJECT
from playwright.sync_api import expect
from support.browser_pages import served

pytest_plugins = ["support.browser_fixtures"]

EDITOR = PROJECT / "spaces" / "editor"


def word(text, start_ms, end_ms, confidence=0.99):
    return {"text": text, "start_ms": start_ms, "end_ms": end_ms, "confidence": confidence}


def segment(channel, start_ms, end_ms, text="", confidence=0.99, words=()):
    fields = {"channel": channel, "start_ms": start_ms, "end_ms": end_ms, "text": text}
    return {**fields, "confidence": confidence, "words": list(words)}


FIRST = segment(0, 1000, 3000, "ba ñu", 0.8, [word("ba", 1100, 1600), word("ñu", 2000, 2900, 0.6)])
SECOND = segment(1, 4000, 6000, "wa yi", 0.99, [word("wa", 4100, 4900), word("yi", 5100, 5900)])
THIRD = segment(0, 7000, 8000, "ko", 0.5, [word("ko", 7100, 7900)])
SEGMENTS = [FIRST, SECOND, THIRD]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page with the editor and ten seconds of sound on two channels."""
    folder = tmp_path_factory.mktemp("editor")
    shutil.copytree(EDITOR, folder / "editor")
    shutil.copy(PROJECT / "tests" / "support" / "editor.html", folder / "index.html")
    sound = 0.2 * np.sin(np.arange(10 * 8000) / 5)
    soundfile.write(folder / "sound.wav", np.stack([sound, sound], 1), 8000)
    return folder


@pytest.fixture(scope="module")
def address(folder):
    with served(folder) as address:
        yield address


@pytest.fixture
def editor(folder, address, open_page):
    """Open the editor with these segments → the page."""

    def opened(segments=SEGMENTS, duration_ms=10_000, **settings):
        peaks = [[128] * (duration_ms // 10)] * 2
        recording = {"duration_ms": duration_ms, "channels": 2, "segments": segments, "unsure_below": 0.95}
        (folder / "recording.json").write_text(json.dumps({**recording, "peaks": peaks}), encoding="utf-8")
        page = open_page(address, **{"viewport": {"width": 1280, "height": 800}, **settings})
        page.locator("u2u-editor .row").first.wait_for()
        return page

    return opened


def written(page):
    """The segments as files would hold them, in order of channel, then of time."""
    return page.evaluate("document.querySelector('u2u-editor').written()")


def text_of(page, start):
    return page.get_by_role("textbox", name=f"Text {start}", exact=True)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def centre(box):
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def region(page, place):
    return page.locator("u2u-editor .wave [part~=region]").nth(place)


def drag(page, locator, by_px):
    x, y = centre(locator.bounding_box())
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(x + by_px * step / 10, y)
    page.mouse.up()


def test_untouched_segments_are_written_as_they_were(editor):
    page = editor()
    assert written(page) == [FIRST, THIRD, SECOND]
    assert page.evaluate("corrections") == 0


def test_a_text_is_corrected_undone_and_redone(editor):
    page = editor()
    text_of(page, "0:01.0").fill("ñuu sàví")
    corrected = {**FIRST, "text": "ñuu sàví", "confidence": 1, "words": []}
    assert written(page)[0] == corrected
    assert page.evaluate("corrections") == 1
    page.keyboard.press("Control+z")
    assert written(page)[0] == FIRST
    expect(text_of(page, "0:01.0")).to_have_value("ba ñu")
    page.keyboard.press("Control+y")
    assert written(page)[0] == corrected
    button(page, "Undo").click()
    assert written(page)[0] == FIRST
    expect(button(page, "Undo")).to_be_disabled()


def test_a_dragged_border_stops_at_the_neighbour_of_its_channel(editor):
    """The ten seconds are 960 px wide."""
    page = editor()
    drag(page, region(page, 0).locator("[part~=region-handle-right]"), 96)
    end_ms = written(page)[0]["end_ms"]
    assert end_ms == pytest.approx(4000, abs=11)  # a px
    assert isinstance(end_ms, int)
    drag(page, region(page, 0).locator("[part~=region-handle-right]"), 500)
    assert written(page)[0]["end_ms"] == THIRD["start_ms"]
    page.keyboard.press("Control+z")
    assert written(page)[0]["end_ms"] == end_ms
    drag(page, region(page, 0).locator("[part~=region-handle-left]"), -300)
    assert written(page)[0]["start_ms"] == 0
    assert [s["text"] for s in written(page)] == ["ba ñu", "ko", "wa yi"]


def test_times_are_written_or_moved_by_arrow_keys(editor):
    page = editor()
    text_of(page, "0:04.0").focus()
    start, end = page.get_by_label("Start"), page.get_by_label("End")
    expect(start).to_have_value("0:04.000")
    start.fill("3,9875")
    start.press("Enter")
    assert written(page)[2]["start_ms"] == 3988
    start.press("ArrowUp")
    start.press("Shift+ArrowUp")
    assert written(page)[2]["start_ms"] == 3999
    end.press("ArrowDown")
    assert written(page)[2]["end_ms"] == 5990
    end.fill("later")
    end.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("“later” is not a time")
    assert written(page)[2]["end_ms"] == 5990
    end.fill("9:59")
    end.press("Enter")
    expect(end).to_have_value("0:10.000")  # the recording's end


def test_a_time_half_typed_is_not_lost(editor):
    """While other segments are recognised, and when another row or a key is pressed."""
    page = editor([FIRST, SECOND, {**segment(0, 7000, 8000), "pending": True}])
    text_of(page, "0:01.0").focus()
    start, end = page.get_by_label("Start"), page.get_by_label("End")
    start.fill("0:01.5")
    page.evaluate("document.querySelector('u2u-editor').recognised(3, {text: 'ko', confidence: 1})")
    expect(text_of(page, "0:07.0")).to_have_value("ko")
    expect(start).to_have_value("0:01.5")
    text_of(page, "0:04.0").click()
    assert [(s["start_ms"], s["end_ms"]) for s in written(page)] == [(1500, 3000), (7000, 8000), (4000, 6000)]
    expect(start).to_have_value("0:04.000")
    end.fill("0:05.5")
    page.keyboard.press("Control+Enter")  # checked, and the next one
    expect(start).to_have_value("0:07.000")
    assert [(s["start_ms"], s["end_ms"]) for s in written(page)] == [(1500, 3000), (7000, 8000), (4000, 5500)]
    end.fill("soon")
    text_of(page, "0:04.0").click()
    expect(page.get_by_role("status")).to_contain_text("“soon” is not a time")
    expect(end).to_have_value("0:05.500")
    assert [(s["start_ms"], s["end_ms"]) for s in written(page)] == [(1500, 3000), (7000, 8000), (4000, 5500)]


def test_split_where_the_text_cursor_stands_join_and_delete(editor):
    page = editor()
    text_of(page, "0:01.0").click()
    page.keyboard.press("Home")
    for _ in "ba ":
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+b")
    halves = [(s["start_ms"], s["end_ms"], s["text"]) for s in written(page)[:2]]
    assert halves == [(1000, 1800, "ba"), (1800, 3000, "ñu")]  # the middle of the pause
    page.keyboard.press("Control+j")
    assert written(page)[0] == FIRST
    page.keyboard.press("Control+d")
    assert written(page) == [THIRD, SECOND]
    button(page, "Undo").click()
    button(page, "Undo").click()
    button(page, "Undo").click()
    assert written(page) == [FIRST, THIRD, SECOND]


def test_split_at_the_cursor_of_the_waveform(editor):
    page = editor()
    wave = page.get_by_role("slider")
    box = wave.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.17, box["y"] + 30)  # 1.7 s of ten
    button(page, "Split").click()
    first, second = written(page)[:2]
    assert first["end_ms"] == second["start_ms"] == pytest.approx(1700, abs=15)
    assert (first["text"], second["text"]) == ("ba", "ñu")
    expect(page.get_by_label("Start")).to_have_value("0:01.000")


def test_a_click_beside_the_segments_plays_from_there(editor):
    page = editor()
    text_of(page, "0:04.0").focus()
    box = page.get_by_role("slider").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.65, box["y"] + 30)
    expect(page.get_by_label("Start")).to_have_value("")
    page.keyboard.press("Control+Space")
    at = "document.querySelector('u2u-editor').audio.currentTime"
    page.wait_for_function(f"{at} > 6.5 && {at} < 8")
    button(page, "Pause").click()
    page.get_by_role("slider").press("ArrowRight")
    page.get_by_role("slider").press(" ")  # from the cursor of the waveform, too
    expect(button(page, "Pause")).to_be_visible()


def test_a_new_segment_at_a_double_click_and_at_the_cursor(editor):
    page = editor()
    box = page.get_by_role("slider").bounding_box()
    page.mouse.dblclick(box["x"] + box["width"] * 0.88, box["y"] + box["height"] * 0.75)  # the second channel
    new = written(page)[-1]
    assert (new["channel"], new["text"]) == (1, "")
    assert new["start_ms"] == pytest.approx(8800, abs=15)
    assert new["end_ms"] == new["start_ms"] + 1000
    page.keyboard.type("mi")  # it has the focus
    assert written(page)[-1]["text"] == "mi"
    button(page, "Undo").click()
    button(page, "Undo").click()
    assert len(written(page)) == 3
    text_of(page, "0:01.0").focus()
    page.keyboard.press("Control+i")  # the cursor is in this segment: after it
    assert [s["start_ms"] for s in written(page)] == [1000, 3000, 7000, 4000]


def test_another_channel_only_where_it_is_free(editor):
    page = editor([FIRST, segment(1, 2000, 6000, "wa"), THIRD])
    text_of(page, "0:01.0").focus()
    page.get_by_label("Channel", exact=True).select_option("2")
    expect(page.get_by_role("status")).to_contain_text("The other channel has a segment at this time")
    assert written(page)[0] == FIRST
    text_of(page, "0:07.0").focus()
    page.get_by_label("Channel", exact=True).select_option("2")
    assert [(s["channel"], s["text"]) for s in written(page)] == [(0, "ba ñu"), (1, "wa"), (1, "ko")]


def test_keyboard_alone_checks_unsure_segments_one_after_the_other(editor):
    page = editor()
    text_of(page, "0:04.0").focus()
    page.keyboard.press("Control+u")
    expect(text_of(page, "0:07.0")).to_be_focused()
    page.keyboard.press("Control+u")  # from the end on again from the beginning
    expect(text_of(page, "0:01.0")).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(text_of(page, "0:04.0")).to_be_focused()
    expect(button(page, "✓ checked, check 0:01.0")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("status")).to_have_text("1 of 3 checked")
    page.keyboard.press("Control+u")
    page.keyboard.press("Control+Enter")
    assert [s["confidence"] for s in written(page)] == [1, 1, 0.99]
    page.keyboard.press("Control+u")
    expect(page.get_by_role("status")).to_have_text("No segment is unsure and unchecked.")
    page.keyboard.press("Control+z")
    assert [s["confidence"] for s in written(page)] == [1, 0.5, 0.99]
    page.keyboard.press("Control+ArrowUp")
    expect(text_of(page, "0:04.0")).to_be_focused()


def test_a_segment_is_played_to_its_end_looped_and_slowed(editor):
    page = editor()
    page.evaluate("""() => {
        const { audio } = document.querySelector("u2u-editor");
        window.heard = [];
        audio.addEventListener("pause", () => heard.push(["pause", audio.currentTime]));
        audio.addEventListener("seeking", () => heard.push(["seeking", audio.currentTime]));
    }""")
    text_of(page, "0:07.0").focus()
    page.keyboard.press("Control+Space")
    page.locator("u2u-editor .lit", has_text="ko").wait_for()
    expect(button(page, "Pause")).to_be_visible()
    stopped = page.wait_for_function("heard.find(([kind]) => kind === 'pause')").json_value()
    assert 8 <= stopped[1] < 8.2
    expect(page.locator("u2u-editor .lit")).to_have_count(0)
    page.evaluate("heard.length = 0")
    page.keyboard.press("Control+l")
    page.keyboard.press("Control+,")
    assert page.evaluate("document.querySelector('u2u-editor').audio.playbackRate") == 0.75
    expect(button(page, "Loop")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Control+Space")
    page.wait_for_function("heard.filter(([kind, at]) => kind === 'seeking' && at === 7).length >= 2")  # and again
    page.keyboard.press("Control+Space")
    page.wait_for_function("document.querySelector('u2u-editor').audio.paused")
    assert written(page) == [FIRST, THIRD, SECOND]


def test_unsure_words_and_segments_are_marked(editor):
    page = editor()
    assert page.locator("u2u-editor .mirror .unsure").all_inner_texts() == ["ñu"]
    expect(page.locator("u2u-editor .row.unsure")).to_have_count(2)
    expect(button(page, "⚠ 80 %, check 0:01.0")).to_be_visible()


def test_thousands_of_segments_are_few_elements(editor):
    many = [segment(i % 2, i * 1800, i * 1800 + 1500, f"w{i}") for i in range(2000)]
    page = editor(many, 3_600_000)
    assert page.locator("u2u-editor .row").count() < 60
    assert page.locator("u2u-editor .wave [part~=region]").count() < 60
    page.locator("u2u-editor .list").evaluate("(box) => box.scrollTo(0, box.scrollHeight)")
    last = page.get_by_role("textbox", name="Text 59:58.2", exact=True)
    expect(last).to_have_value("w1999")
    last.fill("the last")
    page.locator("u2u-editor .list").evaluate("(box) => box.scrollTo(0, 0)")
    expect(page.get_by_role("textbox", name="Text 0:00.0")).to_have_value("w0")
    page.keyboard.type("!")  # the focus is where it was, out of sight
    assert [s["text"] for s in written(page)[-1:]] == ["the last!"]
    assert page.locator("u2u-editor .row").count() < 60


def test_the_help_lists_every_key_in_the_language_of_the_page(editor):
    page = editor(locale="es-MX")
    page.get_by_role("textbox", name="Texto 0:01.0").focus()
    page.keyboard.press("F1")
    expect(page.get_by_role("dialog", name="Teclas del editor")).to_contain_text("Dudoso siguiente")
    assert page.locator("u2u-editor dialog kbd").count() == 15
    page.keyboard.press("Control+d")  # no key does anything below the help
    assert len(written(page)) == 3
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_labels_and_contrast_pass_axe(editor, npm_packages, scheme, width):
    page = editor(viewport={"width": width, "height": 800}, color_scheme=scheme)
    button(page, "99 %, check 0:04.0").click()
    text_of(page, "0:01.0").fill("corrected")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(path=npm_packages / "node_modules" / "axe-core" / "axe.min.js")
    for _ in range(2):
        found = page.evaluate("axe.run()")
        assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found["violations"]] == []
        assert "color-contrast" in {rule["id"] for rule in found["passes"]}
        page.keyboard.press("F1")


def test_wavesurfer_is_the_packages(npm_packages):
    """The editor brings it along, so that pages served by Python need no Node.js."""
    package = npm_packages / "node_modules" / "wavesurfer.js"
    for ours, theirs in (("wavesurfer.js", "wavesurfer.esm.js"), ("regions.js", "plugins/regions.esm.js")):
        assert (EDITOR / "vendor" / ours).read_bytes() == (package / "dist" / theirs).read_bytes()
    about = json.loads((package / "package.json").read_text(encoding="utf-8"))
    licence = (EDITOR / "vendor" / "LICENCE.txt").read_text(encoding="utf-8")
    assert licence.startswith(f"{about['name']} {about['version']}: {about['license']}\n")
    assert licence.endswith((package / "LICENSE").read_text(encoding="utf-8"))
