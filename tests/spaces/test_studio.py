"""Studio in a browser, the whole way with the demo corpus; and who may not speak with it."""

import importlib
import json
import re
import shutil
import socket
import string
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import fastapi
import numpy as np
import pytest
import soundfile
from conftest import PROJECT, RECIPES
from playwright.sync_api import expect
from starlette.testclient import TestClient
from support import studio
from support.html_pages import ATTACKS

from u2u_hf.demo.corpus import make_demo_corpus
from u2u_hf.formats import writers
from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.project import runs, transcripts
from u2u_hf.project.folder import Project
from u2u_hf.project.steps import STEPS, all_steps
from u2u_hf.records import CORRECTED_TYPE, SEGMENT_TYPE, Annotation, Tier

pytest_plugins = ["support.browser_fixtures"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="module")
def running(place, outside):
    with studio.running(place / "server", **outside.environment) as found:
        yield found
    for step in STEPS:  # a run outlives the server
        runs.stop(place / "nahuatl", step)


@pytest.fixture(scope="module")
def corpus(demo_folder, place):
    """The demo corpus, with one annotation that would run scripts if a page let it."""
    folder = place / "corpus"
    shutil.copytree(demo_folder / "corpus", folder)
    path = sorted(folder.rglob("*.eaf"))[0]
    eaf = path.read_text(encoding="utf-8")
    attack = "".join(ATTACKS[1]).replace("<", "&lt;").replace(">", "&gt;")
    changed = re.sub(r"(<ANNOTATION_VALUE>)[^<]+", rf"\1Axcan ’in {attack} ${{alert(1)}} {{{{7}}}}", eaf, count=1)
    assert changed != eaf
    path.write_text(changed, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def new_recordings(place):
    """A recording of which some segments are not corrected."""
    make_demo_corpus(place / "more", recordings=1, new_recordings=1, turns=12)
    return place / "more" / "new_recordings"


def test_the_whole_way(running, place, corpus, new_recordings, open_page, outside, elan_schema):
    page = open_page(running.address, viewport={"width": 1280, "height": 900})
    expect(page.locator("h1")).to_have_text("Project")
    assert "secret" not in page.url
    project = Project(place / "nahuatl")

    # A project: its folder typed, the corpus picked, the recordings typed.
    page.get_by_label("Folder of the project", exact=True).fill(str(project.folder))
    page.get_by_label("Folder of the corpus", exact=True).fill(str(corpus.parent))
    page.get_by_role("button", name="Browse… Folder of the corpus").click()
    page.get_by_role("button", name="📁 corpus").click()
    page.get_by_role("button", name="Choose this folder").click()
    expect(page.get_by_label("Folder of the corpus", exact=True)).to_have_value(str(corpus))
    page.get_by_label("Folder of recordings to transcribe", exact=True).fill(str(new_recordings))
    page.get_by_role("button", name="Make the project").click()

    # The corpus: tiers, a rule with what it does, what an annotation holds shown and not run.
    expect(page.locator("h1")).to_have_text("Corpus")
    expect(page.get_by_text("All 8 are certain")).to_be_visible()
    ticked = page.get_by_role("checkbox", checked=True)
    assert {box.get_attribute("value")[3:] for box in ticked.all()} == {"transcription"}
    field = page.get_by_label("write instead of ’ U+2019")
    expect(page.get_by_text("’").first).to_be_visible()
    field.fill("h")
    expect(page.get_by_text("Changes 1 annotations.")).to_be_visible()
    preview = page.locator(".preview tr").last.locator("td")
    expect(preview.nth(0)).to_contain_text("${alert(1)} {{7}}")
    expect(preview.nth(1)).to_contain_text("axcan ’in")
    expect(preview.nth(2)).to_contain_text("axcan hin")
    page.get_by_role("button", name="Make the rule").first.click()
    expect(page.get_by_text("’ → h")).to_be_visible()
    notes = page.get_by_role("checkbox", name="notes")
    notes.check()
    expect(page.get_by_role("button", name="Choose for me again")).to_be_visible()
    page.get_by_role("button", name="Choose for me again").click()
    expect(notes).not_to_be_checked()
    assert list(project.settings("prepare")) == ["rules"]
    page.get_by_role("button", name="Next: Prepare").click()

    # Prepare, in the page; what a reload shows is what the files say.
    page.get_by_role("button", name="Prepare the dataset").click()
    expect(page.get_by_text("Done in")).to_be_visible(timeout=60_000)
    expect(page.frame_locator("iframe").get_by_role("heading", name="What is in corpus")).to_be_visible()
    assert json.loads((project.dataset / "report.json").read_text())["rules"]["replace: {'’': 'h'}"] == 1
    page.reload()
    expect(page.locator("h1")).to_have_text("Prepare")
    page.get_by_role("button", name="Next: Train").click()

    # Train: a model of this computer downloads nothing, and the button says so.
    page.get_by_label("The tiny demonstration model").check()
    page.get_by_label("Time budget").fill("20s")
    page.get_by_role("button", name="Start training", exact=True).click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    assert project.settings("train")["time_budget"] == "20s"
    second = page.context.new_page()  # a second tab sees the same run
    second.goto(f"http://127.0.0.1:{running.port}/")
    expect(second.locator("h1")).to_have_text("Train")
    expect(second.get_by_role("button", name="Stop")).to_be_visible()
    second.close()
    expect(page.get_by_text("Done in")).to_be_visible(timeout=120_000)  # on a busy computer
    expect(page.get_by_role("heading", name="Sentences of the last evaluation")).to_be_visible()
    expect(page.get_by_role("img", name="Wrong characters on validation")).to_be_visible()
    page.get_by_role("button", name="Next: Scores").click()

    page.get_by_role("button", name="Score the recogniser").click()
    expect(page.get_by_role("paragraph").filter(has_text="For drafts this means")).to_be_visible(timeout=60_000)
    rate = json.loads((project.scores / "metrics.json").read_text())["cer"]
    expect(page.frame_locator("iframe").get_by_text(f"{rate:.1%}").first).to_be_visible()
    page.get_by_role("button", name="Next: Transcribe").click()

    page.get_by_role("button", name="Transcribe the recordings").click()
    expect(page.get_by_text("Done in")).to_be_visible(timeout=60_000)
    (transcript,) = project.transcripts.glob("*.eaf")
    elan_schema(transcript)
    page.get_by_role("button", name="Next: Correct").click()

    # Correct: saved as one types, into the file, of which all else stays.
    before = transcript.read_bytes()
    page.get_by_role("button", name=transcript.name).click()
    page.locator("u2u-editor .row").first.wait_for()
    touched, expected = five_corrections(page)
    expect(page.get_by_text("Saved.")).to_be_visible()
    elan_schema(transcript)
    assert spoken(transcript) == expected
    require_else_unchanged(before, transcript.read_bytes(), touched)
    corrected = transcript.read_bytes()
    page.get_by_role("button", name="All of it is checked").click()
    expect(page.get_by_text("It counts as checked now")).to_be_visible()
    types = [f'LINGUISTIC_TYPE_REF="{name}"'.encode() for name in (SEGMENT_TYPE, CORRECTED_TYPE)]
    assert transcript.read_bytes() == corrected.replace(*types)
    assert corrected.count(types[0]) == len({channel for channel, *_ in expected})
    elan_schema(transcript)
    page.get_by_role("button", name="All transcripts").click()
    expect(page.get_by_role("cell", name="yes")).to_have_count(2)

    # The next round learns from it, and leaves it as it is. How well it learns is for other tests.
    project.set_settings("train", project.settings("train") | {"time_budget": "5s"})
    checked = transcript.read_bytes()
    page.get_by_role("button", name="Learn from the corrections").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_text("Done in")).to_be_visible(timeout=240_000)
    assert transcript.read_bytes() == checked
    (learnt,) = json.loads((project.folder / "growth.json").read_text())
    assert (learnt["round"], learnt["speakers"]["channel 1"] > 0) == (1, True)
    expect(page.get_by_text("Round 1: the new recogniser")).to_contain_text(f"{learnt['cer']:.1%} of the characters")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="All rounds").click()
    expect(opened.value.get_by_role("heading").first).to_be_visible()
    opened.value.close()

    assert outside.asked_for() == ""
    assert running.secret not in running.log.read_text().replace(running.address, "")
    assert not [path for path in project.folder.rglob("*.log") if running.secret in path.read_text()]


def five_corrections(page):
    """Correct a text, drag a border, split, join and delete → the segments concerned, and what there must be then."""
    before = {as_row(s) for s in written(page)}
    one, other = (sorted(row for row in before if row[0] == channel) for channel in (0, 1))
    reworded, split, moved, joined, follower, deleted = touched = [*one[:3], *other[:3]]
    button = page.locator("u2u-editor").get_by_role("button", name=re.compile("^(Split|Join next|Delete)$"))
    region = page.locator("u2u-editor .wave [part~=chosen]")

    text_of(page, reworded).fill("in cihuatl <3")
    for _ in range(3):  # all of the recording is in sight
        page.get_by_role("button", name="Zoom out").click()

    text_of(page, moved).click()
    region.scroll_into_view_if_needed()
    box = region.bounding_box()
    handle = region.locator("[part~=region-handle-right]").bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 12, y, steps=12)
    page.mouse.up()
    (earlier,) = (as_row(s) for s in written(page) if as_row(s)[:2] == moved[:2])
    ms_per_px = (moved[2] - moved[1]) / box["width"]
    assert earlier[2] == pytest.approx(moved[2] - 12 * ms_per_px, abs=2 * ms_per_px)

    text_of(page, split).click()
    region.scroll_into_view_if_needed()
    box = region.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    button.filter(has_text="Split").click()
    halves = sorted(as_row(s) for s in written(page) if s["channel"] == 0 and split[1] <= s["start_ms"] < split[2])
    assert [halves[0][1], halves[0][2], halves[1][2]] == [split[1], halves[1][1], split[2]]
    assert halves[0][2] == pytest.approx((split[1] + split[2]) / 2, abs=2 * ms_per_px)
    assert " ".join(text for *_, text in halves).split() == split[3].split()

    text_of(page, joined).click()
    button.filter(has_text="Join next").click()
    text_of(page, deleted).click()
    button.filter(has_text="Delete").click()
    pair = (1, joined[1], follower[2], f"{joined[3]} {follower[3]}")
    return touched, before - set(touched) | {(*reworded[:3], "in cihuatl <3"), earlier, *halves, pair}


def written(page):
    """The segments as the editor saves them."""
    return page.evaluate("document.querySelector('u2u-editor').written()")


def as_row(segment):
    return segment["channel"], segment["start_ms"], segment["end_ms"], segment["text"]


def text_of(page, row):
    """The field with the text of a segment."""
    place = "([channel, start]) => document.querySelector('u2u-editor').segments.list.findIndex((s) => "
    place += "s.channel === channel && s.start_ms === start)"
    return page.locator("u2u-editor .row").nth(page.evaluate(place, row[:2])).locator("textarea")


def spoken(transcript):
    """What a file says in the tiers of channels."""
    tiers = [tier for tier in read_eaf(transcript).tiers if re.fullmatch(r"channel \d", tier.name)]
    return {(int(tier.name[-1]) - 1, a.start_ms, a.end_ms, a.value) for tier in tiers for a in tier.annotations}


def require_else_unchanged(before, after, touched):
    """Of two states of a file, all bytes are the same but for these segments and what belongs to them."""
    root = ET.fromstring(before)
    times = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")}
    concerned, all_ids = set(), set()
    for tier in root.iter("TIER"):
        channel = int(re.match(r"channel (\d)", tier.get("TIER_ID"))[1]) - 1
        for one in tier.iter("ALIGNABLE_ANNOTATION"):
            start, end = (times[one.get(f"TIME_SLOT_REF{n}")] for n in (1, 2))
            all_ids.add(one.get("ANNOTATION_ID"))
            if any(row[0] == channel and row[1] <= start and end <= row[2] for row in touched):
                concerned.add(one.get("ANNOTATION_ID"))
    for one in root.iter("REF_ANNOTATION"):
        all_ids.add(one.get("ANNOTATION_ID"))
        if one.get("ANNOTATION_REF") in concerned:
            concerned.add(one.get("ANNOTATION_ID"))
    assert 0 < len(concerned) < len(all_ids)
    old, new = (dict(reversed(found) for found in ANNOTATION.findall(text)) for text in (before, after))
    assert {name: text for name, text in old.items() if name.decode() not in concerned} == {
        name: new[name] for name in old if name.decode() not in concerned
    }
    slots, more = (SLOT.findall(text) for text in (before, after))
    assert [slot for slot in more if slot in slots] == slots
    for pattern in (ANNOTATION, SLOT, rb'lastUsedAnnotationId">\d+'):
        before, after = (re.sub(pattern, b"", text) for text in (before, after))
    assert before == after


ANNOTATION = re.compile(rb'([ \t]*<ANNOTATION>\s*<\w+ ANNOTATION_ID="(\w+)".*?</ANNOTATION>\n)', re.DOTALL)
SLOT = re.compile(rb"[ \t]*<TIME_SLOT .*?/>\n")


def test_only_who_has_the_secret_is_let_in(running):
    status, _, body = running.ask("/")
    assert (status, "lacks the secret" in body) == (403, True)
    for path in ("/?secret=wrong", "/config", "/gradio_api/info", "/alive", "/view/0/report", "/theme.css"):
        assert running.ask(path)[0] == 403
    assert running.ask("/", cookie="wrong")[0] == 403
    status, headers, _ = running.ask(f"/?secret={running.secret}&step=train")
    assert (status, headers["Location"]) == (303, "/?step=train")
    kept = json.loads((running.log.parent / "state" / "u2u-hf" / "studio.json").read_text())["secret"]
    assert headers["Set-Cookie"].startswith(f"studio_{running.port}={kept}; HttpOnly; ")
    assert kept != running.secret
    assert running.ask(f"/?secret={kept}")[0] == 403
    assert "SameSite=strict" in headers["Set-Cookie"]
    status, headers, _ = running.ask("/", cookie=running.secret)
    assert status == 200
    for other in ('prefs={"a":1}', "=", "a b=c", 'q="', "studio_1=wrong"):  # of other pages of this computer
        cookies = f"{other}; studio_{running.port}={running.secret}; {other}"
        assert running.ask("/alive", Cookie=cookies)[0] == 204
    assert running.ask("/alive", Cookie=f"studio_{running.port}=")[0] == 403
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'self'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "studio.example"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1.studio.example:7870"},
        {"Origin": "http://studio.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:7870"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_other_pages_and_names_are_refused(running, headers):
    for method in ("GET", "POST"):
        assert running.ask("/", method=method, cookie=running.secret, **headers)[0] == 403
        if "Host" in headers or "Origin" in headers:  # not even to log in
            assert running.ask(f"/?secret={running.secret}", method=method, **headers)[0] == 403


def test_files_outside_are_not_served(running, place):
    secret = place / "secret.txt"
    secret.write_text("private")
    for path in (
        f"/gradio_api/file={secret}",
        "/gradio_api/file=/etc/passwd",
        f"/file={secret}",
        "/view/0/..%2f..%2fsecret.txt",
        "/view/0/%2e%2e",
        "/view/99/report",
        "/view/-1/report",
        "/sound/99/0",
        "/sound/0/99",
        "/sound/0/..%2f..%2fsecret.txt",
        "/transcript/0/-1",
        "/transcript/0/..%2f..%2fsecret.txt",
        "/editor/../studio/server.py",
        "/editor/%2e%2e/studio/server.py",
    ):
        status, _, body = running.ask(path, cookie=running.secret)
        assert status in (403, 404, 422), path
        assert "private" not in body
        assert "root:" not in body
    assert running.ask("/gradio_api/upload", method="POST", cookie=running.secret)[0] >= 400


def test_studio_listens_on_this_computer_only(running):
    with socket.socket() as other:
        other.settimeout(2)
        own = socket.gethostbyname(socket.gethostname())
        assert own == "127.0.0.1" or other.connect_ex((own, running.port)) != 0


def test_a_taken_port_is_told(running):
    command = [sys.executable, str(RECIPES / "studio.py"), "--no_browser", "--port", str(running.port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: --port {running.port}: cannot be used (")
    assert "another Studio may run there" in done.stderr


def test_what_cannot_be_done_is_told(running, place, open_page, tmp_path):
    """A second project in the same Studio, its corpus moved, its settings damaged; a server that ends."""
    project = Project(tmp_path / "second")
    (tmp_path / "corpus").mkdir()
    project.set_paths(tmp_path / "corpus")
    page = open_page(running.address)
    expect(page.locator("h1")).to_be_visible()
    if page.get_by_role("heading", name="Make a project").count() == 0:  # the project of another test
        page.locator("#step-project").click()
        page.get_by_role("button", name="Open another project").click()
    page.get_by_label("Folder of the project", exact=True).fill(str(project.folder))
    page.get_by_role("button", name="Make the project").click()
    expect(page.get_by_role("alert")).to_contain_text("no annotation file")
    (tmp_path / "corpus").rename(tmp_path / "moved")
    project.config("prepare").write_text("tiers: [\n")
    page.locator("#step-project").click()
    expect(page.get_by_role("alert")).to_contain_text("Was it moved or renamed")
    page.locator("#step-corpus").click()
    expect(page.get_by_role("alert").last).to_contain_text("prepare.yaml: cannot be read")
    page.locator("#step-train").click()
    expect(page.get_by_text("First: Prepare.")).to_be_visible()


def test_a_save_says_which_version_it_corrects(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(PROJECT / "spaces" / "studio"))
    project = Project(tmp_path / "project")
    project.set_paths(tmp_path)
    path = project.transcripts / "a.eaf"
    path.parent.mkdir()
    tier = Tier("channel 1", (Annotation(0, 500, "ña"),), SEGMENT_TYPE)
    write_eaf(path, [tier], [], writers.CONSTRAINTS)
    soundfile.write(tmp_path / "a.wav", np.full(16_000, 0.5), 16_000)
    app = fastapi.FastAPI()
    opened = importlib.import_module("projects").Projects(project.folder)
    importlib.import_module("files").add_routes(app, opened)
    client = TestClient(app)
    address = f"/transcript/{opened.key(project)}/{transcripts.key_of(project, path)}"
    opened = client.get(address)
    (segment,) = opened.json()["segments"]
    sent = {"segments": [segment | {"text": "ku"}]}
    before = path.read_bytes()
    assert client.post(address, json=sent).status_code == 428
    assert path.read_bytes() == before
    first = opened.headers["x-version"]
    saved = client.post(address, json=sent, headers={"x-version": first})
    assert saved.status_code == 204
    assert saved.headers["x-version"] == transcripts.version_of(path) != first
    refused = client.post(address, json={"segments": [segment]}, headers={"x-version": first})
    assert (refused.status_code, "was changed by another program" in refused.text) == (409, True)
    again = client.post(address, json={"segments": [segment]}, headers={"x-version": saved.headers["x-version"]})
    assert again.status_code == 204
    (found,) = read_eaf(path).tiers
    assert [a.value for a in found.annotations] == ["ña"]
    assert client.get("/transcript/0/0").status_code == 404


@pytest.fixture
def acts(tmp_path, monkeypatch):
    """The clicks in a tab that shows the training of a project."""
    monkeypatch.syspath_prepend(str(PROJECT / "spaces" / "studio"))
    project = Project(tmp_path / "project")
    project.set_paths(tmp_path)
    opened = importlib.import_module("projects").Projects(project.folder)
    tab = importlib.import_module("parts").Tab(project=str(project.folder), step="train")
    yield importlib.import_module("acts").Acts(opened, tab, importlib.import_module("words").say_in("en")), tab, project
    for step in STEPS:
        runs.stop(project.folder, step)


def test_a_model_is_not_moved_from_under_a_training(acts):
    clicks, tab, project = acts
    project.model.mkdir()
    (project.model / "train.yaml").touch()
    runs.start(project.folder, "train", [sys.executable, "-c", "import time; time.sleep(60)"])
    clicks.do("anew", {"budget": "20s", "base": ""})
    assert (tab.message, tab.is_problem) == ("It is running already: wait for it, or stop it first.", True)
    assert (project.model / "train.yaml").is_file()
    assert not project.config("train").is_file()


def test_a_key_of_no_transcript_shows_the_list(acts):
    clicks, tab, project = acts
    path = project.transcripts / "a.eaf"
    path.parent.mkdir()
    path.touch()
    key = transcripts.key_of(project, path)
    for value, shown in ((key, key), ("none", ""), (key, key), ("0", "")):
        clicks.do("correct", {"value": value})
        assert (tab.document, tab.message) == (shown, "")


def test_an_emptied_field_is_no_corpus(acts):
    clicks, tab, project = acts
    before = (project.folder / "project.yaml").read_bytes()
    for corpus in ("", "  "):
        clicks.do("save_paths", {"corpus": corpus, "recordings": ""})
        assert (tab.message, tab.is_problem) == ("Choose the folder of your corpus.", True)
        assert (project.folder / "project.yaml").read_bytes() == before
    clicks.do("make", {"folder": str(project.folder / "other"), "corpus": " "})
    assert (tab.message, tab.is_problem) == ("Choose the folder of your corpus.", True)
    assert not (project.folder / "other").exists()


def test_a_token_is_kept_nowhere(acts):
    clicks, tab, project = acts
    for act, field in (
        ("draft", "repository"),
        ("share", "space"),
        ("draft", "token_from"),
        ("rented_settings", "rented_repository"),
        ("ask_hardware", "rented_repository"),
    ):
        clicks.do(act, {"value": "push", field: " hf_ana_write"})
        assert tab.is_problem, field
        assert "hf_ana_write" not in str(vars(tab))
    files = [path for path in project.folder.parent.rglob("*") if path.is_file()]
    assert not [path for path in files if b"hf_ana_write" in path.read_bytes()]


def test_before_a_step_comes_the_one_that_is_not_done(acts):
    _, tab, project = acts
    page, parts = importlib.import_module("page"), importlib.import_module("parts")
    opened, say = importlib.import_module("projects").Projects(project.folder), importlib.import_module("words").say_in
    for done, first in ((None, "corpus"), (project.config("prepare"), "prepare")):
        if done:
            done.write_text("tiers: [a]\n")
        for step in ("train", "scores", "correct", "share"):
            tab.step = step
            drawn = page._screen(parts.View(say("en"), "en", tab, opened, project, all_steps(project)))
            assert f"First: {first.capitalize()}." in drawn
            assert re.findall(r'data-act="(\w+)" data-value="(\w+)"', drawn) == [("step", first)]


def test_a_preparation_that_skips_a_file_is_told_as_done(acts, demo_folder, tmp_path):
    clicks, tab, project = acts
    shutil.copytree(demo_folder / "corpus", tmp_path / "corpus")
    (tmp_path / "corpus" / "damaged.eaf").write_text("<ANNOTATION_DOCUMENT")
    project.set_paths(tmp_path / "corpus")
    tab.step = "prepare"
    clicks.do("start", {})
    deadline = time.monotonic() + 120
    while (run := runs.find(project.folder, "prepare")).state == runs.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (run.code, run.state) == (3, runs.SKIPPED)
    parts, say = importlib.import_module("parts"), importlib.import_module("words").say_in("en")
    opened = importlib.import_module("projects").Projects(project.folder)
    view = parts.View(say, "en", tab, opened, project, all_steps(project))
    drawn = importlib.import_module("screen_runs").run_screen(view)
    assert re.search(
        r'<div class="note"><p>Done in [^<]*could be used.</p><ul><li>damaged.eaf: is not XML [^<]*</li></ul>', drawn
    )
    assert "Next: Train" in drawn
    assert "problem" not in drawn


def values(text):
    """The names of the values that are put into a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_languages_have_the_same_words_with_the_same_values(monkeypatch):
    monkeypatch.syspath_prepend(str(PROJECT / "spaces" / "studio"))
    words = importlib.import_module("words")
    english = words.WORDS["en"]
    for other in words.WORDS.values():
        assert other.keys() == english.keys()
        for key, text in other.items():
            assert values(text) == values(english[key]), key
    assert words.language("es-MX,es;q=0.9") == "es"
    assert words.language("xx") == "en"
