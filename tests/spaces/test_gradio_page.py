"""The Gradio Space as visitors have it: its server, its own client, a browser."""

import functools
import importlib
import json
import os
import re
import shutil
import socket
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import gradio
import numpy as np
import pytest
import soundfile
from conftest import PROJECT
from gradio.route_utils import delete_files_created_by_app
from gradio_client import Client
from playwright.sync_api import expect, sync_playwright
from support import axe
from support.gradio_page import ask, serving
from upload_folder import delete_broken

from u2u_hf.formats.eaf import read_eaf
from u2u_hf.publishing.space_settings import SpaceVariables

pytest_plugins = ["support.browser_fixtures"]


@pytest.fixture(scope="module")
def server(trained_model, outside, tmp_path_factory):
    folder = tmp_path_factory.mktemp("space")
    with serving(folder, "--model", trained_model, **outside.environment) as found:
        yield found


@pytest.fixture(scope="module")
def address(server):
    return server[0]


@pytest.fixture(scope="module")
def guarded(trained_model, tmp_path_factory):
    """With a password, examples, and little let in."""
    model = tmp_path_factory.mktemp("with_examples") / "model"
    shutil.copytree(trained_model, model)
    (model / "examples").mkdir()
    soundfile.write(model / "examples" / "hello.wav", np.zeros(16_000), 16_000)
    limits = {"MODEL_ID": str(model), "APP_PASSWORD": "otomí", "MAX_MINUTES": "0.05", "MAX_FILE_MB": "1"}
    with serving(tmp_path_factory.mktemp("guarded"), **limits) as (address, _):
        yield address


@pytest.fixture
def connect(tmp_path_factory, monkeypatch):
    """A client of a page: what it downloads, and the empty folder that it leaves for each file, stay with the test."""
    folder = str(tmp_path_factory.mktemp("downloads"))
    monkeypatch.setattr(tempfile, "tempdir", folder)
    return functools.partial(Client, verbose=False, download_files=folder)


def downloads(result):
    """Name → path of the files, which are the last of what a program is answered."""
    return {Path(path).name: Path(path) for path in result[-1]["value"]}


def test_a_recording_becomes_files_for_elan(address, new_recording, elan_schema, tmp_path, connect):
    result = ask(connect(address), new_recording).result(60)
    name = new_recording.stem
    files = downloads(result)
    assert set(files) == {f"{name}{suffix}" for suffix in (".eaf", ".TextGrid", ".srt", ".tsv", ".zip")}
    elan_schema(files[f"{name}.eaf"])
    document = read_eaf(files[f"{name}.eaf"])
    assert document.media[0].urls[-1] == f"./{new_recording.name}"
    assert [tier.name for tier in document.tiers if not tier.parent] == ["channel 1", "channel 2"]
    segments = sum(len(tier.annotations) for tier in document.tiers if not tier.parent)
    assert result[0].startswith(f"{new_recording.name}: {segments} segments, ")


def test_bad_files_are_named_and_the_good_one_is_transcribed(address, new_recording, tmp_path, connect):
    (tmp_path / "notes.wav").write_text("these are notes")
    (tmp_path / "empty.wav").touch()
    soundfile.write(tmp_path / "<b>many.wav", np.zeros((1600, 9)), 16_000)
    bad = [tmp_path / "notes.wav", tmp_path / "empty.wav", tmp_path / "<b>many.wav"]
    result = ask(connect(address), *bad, new_recording).result(60)
    said = result[0].split("\n\n")
    assert [line[0] for line in said] == ["⚠", "⚠", "⚠", new_recording.name[0]]
    assert "notes.wav: not a sound file" in said[0]
    assert "has 9 channels; the limit is 8" in said[2]
    assert "<" not in result[0]
    assert str(Path(new_recording).parent) not in result[0]
    assert "/gradio/" not in result[0]
    assert f"{new_recording.stem}.eaf" in downloads(result)


def test_eight_people_at_once_are_all_served(address, new_recording, connect):
    jobs = [ask(connect(address), new_recording) for _ in range(8)]
    texts = {job.result(120)[0] for job in jobs}
    assert len(texts) == 1
    assert "segments" in texts.pop()


def test_more_than_can_wait_are_told_and_the_rest_is_served(address, new_recording, connect):
    client = connect(address)
    jobs = [ask(client, new_recording) for _ in range(24)]
    said = []
    for job in jobs:
        try:
            said.append(job.result(120)[0])
        except Exception as error:
            said.append(str(error))
    assert sum("queue is full" in text.lower() for text in said) >= 1
    assert sum("segments" in text for text in said) >= 16


def test_what_is_cancelled_stops_and_the_next_is_served(address, new_recording, tmp_path, connect):
    sound, rate = soundfile.read(new_recording, dtype="int16")
    soundfile.write(tmp_path / "long.wav", np.tile(sound, (40, 1)), rate)
    client = connect(address)
    job = ask(client, tmp_path / "long.wav")
    deadline = time.monotonic() + 60
    while not ((progress := job.status().progress_data) and progress[0].progress):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    client.predict(api_name="/cancel")
    assert job.result(30)[0] == "Cancelled."
    assert "segments" in ask(client, new_recording).result(60)[0]


def test_what_is_uploaded_and_made_is_deleted(trained_model, new_recording, tmp_path, monkeypatch, connect):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.syspath_prepend(str(PROJECT / "spaces" / "transcribe"))
    import app

    page = app.load_page(SpaceVariables(model=str(trained_model)), trained_model)
    _, address, _ = page.queue().launch(prevent_thread_lock=True, quiet=True, i18n=page.i18n_words)
    try:
        assert "segments" in ask(connect(address), new_recording).result(60)[0]
        there = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
        assert {".wav", ".eaf", ".TextGrid", ".srt", ".tsv", ".zip"} <= there
        delete_files_created_by_app(page, None)  # what gradio does with those older than `delete_cache` says
        # It leaves an empty file for each upload, of a name that says nothing.
        assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size]
    finally:
        page.close()


def test_what_is_recorded_is_given_on_as_it_is(trained_model, monkeypatch, tmp_path):
    """Gradio would have the system's FFmpeg convert it: one that is given a playlist reads what that names."""
    monkeypatch.syspath_prepend(str(PROJECT / "spaces" / "transcribe"))
    page = importlib.import_module("app").load_page(SpaceVariables(model=str(trained_model)), trained_model)
    (recorded,) = (block for block in page.blocks.values() if isinstance(block, gradio.Audio))
    (tmp_path / "a.m3u8").write_text("#EXTM3U\n#EXTINF:3,\nsecret.wav\n#EXT-X-ENDLIST\n")
    path = str(tmp_path / "a.m3u8")
    assert recorded.preprocess(gradio.FileData(path=path)) == path


def test_the_password_is_asked_for(guarded, connect):
    with pytest.raises(Exception, match=r"(?i)auth|login"):
        connect(guarded)
    with pytest.raises(Exception, match=r"(?i)auth|login"):
        connect(guarded, auth=("ana", "otomi"))
    client = connect(guarded, auth=("anybody", "otomí"))
    assert "hello.wav" in json.dumps(client.config)


def test_what_is_too_long_or_too_large_is_not_begun(guarded, tmp_path, connect):
    client = connect(guarded, auth=("ana", "otomí"))
    soundfile.write(tmp_path / "long.flac", np.zeros(16_000 * 60), 16_000)
    assert ask(client, tmp_path / "long.flac").result(60)[0] == (
        "⚠ long.flac: is 1.0 minutes long; the limit is 0.05: split it"
    )
    soundfile.write(tmp_path / "large.wav", np.zeros(600_000), 16_000)
    with pytest.raises(Exception, match=r"(?i)413|size|large"):
        ask(client, tmp_path / "large.wav").result(60)


def test_what_is_not_set_is_said_on_the_page(tmp_path, connect):
    with serving(tmp_path / "space", MODEL_ID="") as (address, _):
        config = connect(address).config
        shown = " ".join(str(component["props"].get("value", "")) for component in config["components"])
        assert "MODEL_ID is not set" in shown
        assert "setup_how" in shown


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


def transcribed(page, address, new_recording):
    page.goto(address)
    page.locator("#files input[type=file]").set_input_files(new_recording)
    expect(page.locator("#files")).to_contain_text(new_recording.name[:4])
    page.locator("#transcribe").click()
    expect(page.locator("u2u-editor .row").first).to_be_visible(timeout=60_000)


def written(page):
    """The segments as the editor that is shown would have files hold them."""
    return page.evaluate("document.querySelector('section:not([hidden]) > u2u-editor').written()")


def text(page, place):
    return page.locator("section:not([hidden]) .row textarea").nth(place)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def annotations(path):
    """Start, end and value of a file's segments, in order of tier, then of time."""
    tiers = [tier for tier in read_eaf(path).tiers if not tier.parent]
    return [(a.start_ms, a.end_ms, a.value) for tier in tiers for a in tier.annotations]


def test_corrections_are_in_the_download_and_nothing_leaves(
    server, outside, browser, new_recording, elan_schema, tmp_path
):
    """A text, a border, a segment split and two joined. The server can take none until the download is asked for."""
    address, process = server
    page = browser.new_page(locale="en-US")
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    transcribed(page, address, new_recording)
    heard = written(page)
    first, second, *_ = [s for s in heard if s["channel"] == 0]
    typed, *_, last = [s for s in heard if s["channel"] == 1]

    def choose(segment):
        place = sorted(heard, key=lambda s: (s["start_ms"], s["channel"])).index(segment)
        text(page, place).focus()
        return text(page, place)

    page.locator("u2u-editor .row .play").first.click()
    page.wait_for_function("document.querySelector('u2u-editor').audio.currentTime")
    page.route("**/run/**", lambda route: route.fulfill(status=503, json={"error": "busy"}))
    choose(last)
    page.get_by_label("Start", exact=True).focus()
    page.keyboard.press("ArrowUp")
    button(page, "Split").click()  # in the middle of what is 10 ms shorter
    choose(typed).fill("ñuu sàví <&")
    choose(first)
    button(page, "Join next").click()
    expect(page.get_by_text(re.compile("The server did not answer"))).to_be_visible()
    page.unroute("**/run/**")
    with page.expect_download() as download:
        page.locator("#eaf").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == f"{new_recording.stem}.eaf"
    elan_schema(path)
    untouched = [s for s in heard if s not in (first, second, typed, last)]
    expected = {(s["start_ms"], s["end_ms"], s["text"]) for s in untouched}
    expected |= {(typed["start_ms"], typed["end_ms"], "ñuu sàví <&")}
    expected |= {(first["start_ms"], second["end_ms"], f"{first['text']} {second['text']}".strip())}
    found = annotations(path)
    left, right = (annotation for annotation in found if annotation not in expected)
    assert len(found) == len(expected) + 2
    assert (left[0], right[1]) == (last["start_ms"] + 10, last["end_ms"])
    assert left[1] == right[0]
    assert f"{left[2]} {right[2]}".strip() == last["text"]
    assert [(s["start_ms"], s["end_ms"], s["text"]) for s in written(page)] == found
    assert not wrong
    assert {re.match(r"(blob:)?[^/]*//[^/]*", url)[0].removeprefix("blob:") for url in asked} == {address}
    remote = {c.raddr.ip for p in (process, *process.children(True)) for c in p.net_connections() if c.raddr}
    assert remote <= {"127.0.0.1", "::1"}
    assert not outside.asked_for()
    page.close()


def test_a_reload_a_second_transcription_and_a_refusal_lose_nothing(address, browser, new_recording, tmp_path):
    page = browser.new_page(locale="en-US")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    transcribed(page, address, new_recording)
    heard = text(page, 1).input_value()
    link = page.locator("#downloads a").first
    uncorrected = link.get_attribute("href")
    text(page, 1).fill("corrected")
    expect(link).not_to_have_attribute("href", uncorrected)  # soon, also if nobody downloads
    page.evaluate("setTimeout(() => location.reload())")
    page.wait_for_event("dialog")
    page.locator("#transcribe").click()
    expect(page.locator("#cancel")).to_be_visible()
    page.evaluate("setTimeout(() => location.reload())")
    page.wait_for_event("dialog")  # who stays keeps the running transcription
    expect(page.locator("#shown input")).to_have_value(f"{new_recording.name} (2)", timeout=60_000)
    expect(page.locator("#cancel")).to_be_hidden()
    expect(page.locator("#status")).to_contain_text("The corrected transcripts from before are still there")
    expect(text(page, 1)).to_have_value(heard)
    page.locator("#shown input").click()
    page.get_by_role("option", name=new_recording.name, exact=True).click()
    expect(text(page, 1)).to_have_value("corrected")
    button(page, "Undo").click()  # it is known which recording it was
    expect(text(page, 1)).to_have_value(heard)
    button(page, "Redo").click()
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "a.eaf")
    assert "corrected" in [value for *_, value in annotations(tmp_path / "a.eaf")]
    page.reload()  # everything corrected is downloaded: nothing to ask
    assert asked == ["beforeunload", "beforeunload"]
    page.close()


def test_only_the_editors_own_files_are_served_beside_gradio(address):
    served = urllib.request.urlopen(f"{address}/editor/editor.js")
    assert served.headers["content-type"].startswith("text/javascript")
    assert served.read() == (PROJECT / "spaces" / "editor" / "editor.js").read_bytes()
    for path in ("editor/../transcribe/app.py", "editor/%2e%2e/transcribe/app.py", "editor/README.md", "editor/",
                 "editor/segments.test.js", "editor//editor.js", "page.js"):  # fmt: skip
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}/{path}")


def test_an_upload_that_breaks_off_is_deleted(server):
    address, process = server
    (folder,) = Path(process.cwd()).glob("speech-to-elan-*")
    before = set(folder.iterdir())
    host, port = address.removeprefix("http://").split(":")
    part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n' + b"secret" * 20_000
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 1000000\r\n"
        connection.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode() + part)
        deadline = time.monotonic() + 60
        while not any(path.stat().st_size for path in set(folder.iterdir()) - before):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    delete_broken(folder, older_than_s=3600)
    (left,) = (path for path in set(folder.iterdir()) - before if path.is_file())
    os.utime(left, (0, 0))
    delete_broken(folder, older_than_s=3600)
    assert not left.exists()


def test_on_a_phone_in_spanish_in_the_dark(address, browser, new_recording):
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="es-MX", color_scheme="dark")
    page = context.new_page()
    transcribed(page, address, new_recording)
    expect(page.locator("#transcribe")).to_have_text("Transcribir")
    expect(page.locator("#status")).to_contain_text("segmentos")
    expect(page.locator("#about")).to_contain_text("Qué tan bueno es")
    expect(button(page, "Dividir")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert max(dark[:3]) < 64
    editor = page.locator("u2u-editor").bounding_box()
    assert editor["x"] + editor["width"] <= 360
    colour = page.evaluate("getComputedStyle(document.querySelector('u2u-editor')).color.match(/\\d+/g).map(Number)")
    assert min(colour[:3]) > 192
    context.close()


def test_a_language_is_chosen_on_the_page(address, browser):
    """The server speaks it too, and it stays on later visits, in Gradio's own words too."""
    context = browser.new_context(locale="de-DE")
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#transcribe")).to_have_text("Transcribe")  # no German: English
    for tag, label, transcribe, model, own in (
        ("id", "Bahasa", "Transkripsikan", "Mutu", "Klik untuk Mengunggah"),
        ("pt", "Idioma", "Transcrever", "Qualidade", "Clique para fazer upload"),
        ("fr", "Langue", "Transcrire", "Sa qualité", "Cliquez pour"),
    ):
        page.locator("#language select").select_option(tag)
        expect(page.locator("#transcribe")).to_have_text(transcribe)
        expect(page.locator("#about")).to_contain_text(model)
        expect(page.locator("#files")).to_contain_text(own)
        expect(page.get_by_label(label, exact=True)).to_have_value(tag)
    page.goto(address)
    expect(page.locator("#transcribe")).to_have_text("Transcrire")
    expect(page.locator("#about")).to_contain_text("la fiche du modèle")
    assert "‹U+" not in page.locator("#about").inner_text()
    context.close()


@pytest.mark.parametrize(("language", "scheme"), [("fr-FR", "light"), ("id-ID", "dark"), ("pt-BR", "dark")])
def test_labels_and_contrast_pass_axe(address, browser, npm_packages, language, scheme):
    context = browser.new_context(locale=language, color_scheme=scheme, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(address)
    page.locator("#about dd").first.wait_for()
    page.locator(".loading").wait_for(state="detached")
    # Gradio's own elements for files: a button with a button in it, whose name is not its text.
    others = ("nested-interactive", "label-content-name-mismatch")
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert axe.findings(page, npm_packages, *others) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_corrections_do_not_wait_behind_those_who_wait(address, browser, new_recording, tmp_path, connect):
    page = browser.new_page(locale="en-US")
    transcribed(page, address, new_recording)
    sound, rate = soundfile.read(new_recording, dtype="int16")
    soundfile.write(tmp_path / "long.wav", np.tile(sound, (60, 1)), rate)
    first, others = connect(address), connect(address)
    long = ask(first, tmp_path / "long.wav")
    deadline = time.monotonic() + 60
    while not ((progress := long.status().progress_data) and progress[0].progress):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    jobs = [ask(others, new_recording) for _ in range(17)]
    refused = []
    while not refused:  # the queue is full
        assert time.monotonic() < deadline
        refused = [job for job in jobs if job.done()]
    text(page, 0).fill("ñuu sàví")
    with page.expect_download() as download:
        page.locator("#eaf").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert [value for _, _, value in annotations(path)].count("ñuu sàví") == 1
    assert not long.done()  # it is still full
    cancel = json.dumps({"data": [], "session_hash": first.session_hash}).encode()
    asked = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{address}/gradio_api/run/cancel", cancel, asked)).close()
    assert len(refused) == 1
    assert sum("segments" in job.result(120)[0] for job in jobs if job not in refused) == 16
    page.close()
