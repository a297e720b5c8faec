"""Studio in a browser, the whole way with the demo corpus; and who may not speak with it."""

import importlib
import json
import re
import shutil
import socket
import string
import subprocess
import sys

import fastapi
import numpy as np
import pytest
import soundfile
from conftest import PROJECT, RECIPES
from playwright.sync_api import expect
from starlette.testclient import TestClient
from support import studio
from support.html_pages import ATTACKS

from u2u_hf.formats import writers
from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.project import runs, transcripts
from u2u_hf.project.folder import Project
from u2u_hf.project.steps import STEPS
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


def test_the_whole_way(running, place, corpus, demo_folder, open_page, outside, elan_schema):
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
    page.get_by_label("Folder of recordings to transcribe", exact=True).fill(str(demo_folder / "new_recordings"))
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
    assert "${alert(1)} {{7}}" in preview.nth(0).inner_text()
    assert [text.split("in")[0] for text in preview.all_inner_texts()[1:]] == ["axcan ’", "axcan h"]
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
    expect(page.get_by_role("button", name="Download the base model and start training")).to_be_visible()
    page.get_by_label("The tiny demonstration model").check()
    expect(page.get_by_role("button", name="Start training", exact=True)).to_be_visible()
    page.get_by_label("Time budget").fill("20s")
    page.get_by_label("Time budget").press("Tab")
    page.get_by_role("button", name="Start training", exact=True).click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
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
    assert read_eaf(transcript).tiers
    page.get_by_role("button", name="Next: Correct").click()

    # Correct: saved as one types, into the file, of which all else stays.
    before = transcript.read_text(encoding="utf-8")
    page.get_by_role("button", name=transcript.name).click()
    row = page.locator("u2u-editor .row").first
    row.locator("textarea").fill("in cihuatl <3")
    row.locator("textarea").press("Tab")
    expect(page.get_by_text("Saved.")).to_be_visible()
    elan_schema(transcript)
    texts = [a.value for tier in read_eaf(transcript).tiers for a in tier.annotations]
    assert texts.count("in cihuatl <3") == 1
    kept = [line for line in before.splitlines() if "TIME_SLOT " in line or "MEDIA" in line]
    assert [line for line in transcript.read_text(encoding="utf-8").splitlines() if line in kept] == kept
    page.get_by_role("button", name="All of it is checked").click()
    expect(page.get_by_text("It counts as checked now")).to_be_visible()
    assert CORRECTED_TYPE in {tier.linguistic_type for tier in read_eaf(transcript).tiers}
    elan_schema(transcript)
    page.get_by_role("button", name="All transcripts").click()
    expect(page.get_by_role("cell", name="yes")).to_have_count(2)

    assert outside.asked_for() == ""
    assert running.secret not in running.log.read_text().replace(running.address, "")
    assert not [path for path in project.folder.rglob("*.log") if running.secret in path.read_text()]


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


def test_a_change_that_comes_after_a_later_click_is_left_out(acts):
    """On a busy computer requests overtake each other: the click on Start had the budget already."""
    _, tab, _ = acts
    arrived = [(1, True), (3, False), (2, True), (4, False), (4, True), (None, True), (5, True)]
    assert [tab.is_in_turn(*one) for one in arrived] == [True, True, False, True, True, True, True]
    assert not tab.is_in_turn(4, True)
    assert tab.is_in_turn(4, False)  # a click is always done
