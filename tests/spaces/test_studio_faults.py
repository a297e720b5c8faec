"""Studio when something breaks: it is told on the page, and nothing is lost."""

import contextlib
import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import psutil
import pytest
import soundfile
from conftest import PROJECT
from playwright.sync_api import expect
from support import studio

from u2u_hf import written_files
from u2u_hf.formats import writers
from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.project import bases, runs, transcripts
from u2u_hf.project.commands import command
from u2u_hf.project.folder import Project
from u2u_hf.project.steps import STEPS
from u2u_hf.records import CORRECTED_TYPE, SEGMENT_TYPE, Annotation, Tier

pytest_plugins = ["support.browser_fixtures"]

LONG_MS = 60_000  # for what a busy computer takes longer over
# Processes of its own: what is stopped, killed or given a full disk must be the program itself.
_OWN = {"U2U_TESTS_DOOR": ""}


class Server:
    """A Studio that can be killed, and started again on its port."""

    def __init__(self, folder):
        self.folder, self.stack, self.running = folder, contextlib.ExitStack(), None

    def start(self):
        port = ("--port", self.running.port) if self.running else ()
        self.running = self.stack.enter_context(studio.running(self.folder, *port, **_OWN))

    def kill(self):
        self.running.process.kill()
        self.running.process.wait()

    def remember(self, project):
        """As a project that was opened in an earlier Studio."""
        importlib.import_module("memory").Memory(self.folder / "state" / "u2u-hf" / "studio.json").add(project.folder)

    def address(self, project, step, **more):
        place = urlencode({"project": str(project.folder), "step": step, **more})
        return f"{self.running.address}&{place}"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROJECT / "spaces" / "studio"))
        found = Server(tmp_path_factory.mktemp("studio"))
        with found.stack:
            found.start()
            yield found


@pytest.fixture
def project(server, tmp_path):
    """A project with a corpus of one recording, and its transcript of three segments."""
    project = Project(tmp_path / "project")
    (tmp_path / "corpus").mkdir()
    project.set_paths(tmp_path / "corpus")
    transcribed(project, tmp_path / "corpus")
    server.remember(project)
    yield project
    for step in STEPS:
        runs.stop(project.folder, step)


def transcribed(project, corpus):
    sound, path = corpus / "a.wav", project.transcripts / "a.eaf"
    soundfile.write(sound, np.full(64_000, 0.1), 16_000)
    project.transcripts.mkdir(parents=True)
    said = tuple(Annotation(1000 * n, 1000 * n + 900, text) for n, text in enumerate(("in", "cihuatl", "axcan")))
    write_eaf(path, [Tier("channel 1", said, SEGMENT_TYPE)], [sound], writers.CONSTRAINTS, spare_types=[CORRECTED_TYPE])
    written_files.note(project.transcripts, path)
    return path


def texts(path):
    return [a.value for tier in read_eaf(path).tiers for a in tier.annotations]


def text(page, row):
    return page.locator("u2u-editor .row textarea").nth(row)


def correcting(open_page, server, project):
    (path,) = transcripts.all_of(project)
    page = open_page(server.address(project, "correct", document=transcripts.key_of(project, path)))
    expect(text(page, 2)).to_have_value("axcan")
    return page, path


def in_second_tab(page):
    other = page.context.new_page()
    other.goto(page.url)
    expect(text(other, 2)).to_be_visible()
    return other


def test_two_tabs_on_one_transcript(server, project, open_page):
    page, path = correcting(open_page, server, project)
    text(page, 0).fill("on")
    expect(page.get_by_text("Saved.")).to_be_visible()
    other = in_second_tab(page)
    expect(text(other, 0)).to_have_value("on")
    text(other, 1).fill("cihuatzin")
    expect(other.get_by_text("Saved.")).to_be_visible()
    page.bring_to_front()
    expect(text(page, 1)).to_have_value("cihuatzin", timeout=LONG_MS)  # seen, with nothing pressed
    expect(page.get_by_text("Shown as it is now")).to_be_visible()

    # Both write before they see each other's.
    page.route("**/transcript/**", lambda route: route.abort() if route.request.method == "HEAD" else route.continue_())
    text(other, 1).fill("cihuapil")
    expect(other.get_by_text("Saved.")).to_be_visible()
    text(page, 2).fill("niman")
    expect(page.get_by_text("was changed by another program or window")).to_be_visible()
    assert texts(path) == ["on", "cihuapil", "axcan"]
    text(page, 0).fill("ye")  # a person may go on
    page.unroute("**/transcript/**")
    page.get_by_role("button", name="Keep what is written here").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert texts(path) == ["ye", "cihuatzin", "niman"]
    assert texts(project.folder / "replaced" / "a-1.eaf") == ["on", "cihuapil", "axcan"]
    other.bring_to_front()
    expect(text(other, 2)).to_have_value("niman", timeout=LONG_MS)
    text(other, 2).fill("quin")
    expect(other.get_by_text("Saved.")).to_be_visible()
    assert texts(path) == ["ye", "cihuatzin", "quin"]


def test_a_page_outlives_its_server(server, project, open_page, elan_schema):
    page, path = correcting(open_page, server, project)
    server.kill()
    text(page, 0).fill("in cihuatl")
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("Not saved yet, and tried again")).to_be_visible()
    assert texts(path) == ["in", "cihuatl", "axcan"]
    with page.expect_navigation(timeout=LONG_MS):  # by itself, once the correction is saved
        server.start()
    assert texts(path) == ["in cihuatl", "cihuatl", "axcan"]
    elan_schema(path)
    expect(text(page, 0)).to_have_value("in cihuatl")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="All transcripts").click()  # the page works again
    expect(page.get_by_role("button", name="a.eaf")).to_be_visible()


@pytest.mark.thorough
def test_a_server_that_stands_still(server, project, open_page):
    """As on a computer that sleeps, or whose memory is full."""
    page, path = correcting(open_page, server, project)
    os.kill(server.running.process.pid, signal.SIGSTOP)
    try:
        text(page, 0).fill("on")
        expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible(timeout=LONG_MS)
    finally:
        os.kill(server.running.process.pid, signal.SIGCONT)
    expect(page.get_by_text("Saved.")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_role("alert")).to_have_count(0, timeout=LONG_MS)
    assert texts(path) == ["on", "cihuatl", "axcan"]


def test_what_is_typed_outlives_a_reload(server, project, open_page):
    page, path = correcting(open_page, server, project)
    page.on("dialog", lambda dialog: dialog.accept())  # whether to leave the page
    page.route("**/transcript/**", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    text(page, 1).fill("tlacatl")
    page.reload()
    page.unroute("**/transcript/**")
    expect(text(page, 1)).to_have_value("tlacatl")
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert texts(path) == ["in", "tlacatl", "axcan"]

    page.locator("#step-project").click()
    field = page.get_by_role("textbox", name="Folder of recordings to transcribe")
    field.fill("/media/stick/rec")
    page.reload()
    expect(field).to_have_value("/media/stick/rec")


def test_texts_do_not_wait_for_the_waveform(server, project, open_page):
    waiting = []
    (path,) = transcripts.all_of(project)
    page = open_page(server.address(project, "correct"))
    page.route("**/peaks/**", lambda route: waiting.append(route))
    page.get_by_role("button", name="a.eaf").click()
    expect(text(page, 2)).to_have_value("axcan")
    text(page, 2).fill("quin")
    expect(page.get_by_text("Saved.")).to_be_visible()
    drawn = "Math.max(...document.querySelector('u2u-editor').wave.surfer.getDecodedData().getChannelData(0))"
    assert page.evaluate(drawn) == 0
    waiting[0].continue_()
    page.wait_for_function(f"{drawn} === 1")
    assert texts(path)[2] == "quin"


def test_folders_that_are_moved(server, project, open_page, tmp_path):
    page = open_page(server.address(project, "correct"))
    corpus, elsewhere = tmp_path / "corpus", tmp_path / "elsewhere"
    corpus.rename(elsewhere)
    page.get_by_role("button", name="a.eaf").click()
    expect(page.get_by_text("its recording is not in the project's folders")).to_be_visible()
    elsewhere.rename(corpus)  # as a stick that is plugged in again
    expect(text(page, 2)).to_have_value("axcan")
    corpus.rename(elsewhere)
    page.locator("#step-project").click()
    expect(page.get_by_role("alert")).to_contain_text("Was it moved or renamed")
    page.get_by_label("Folder of the corpus", exact=True).fill(str(elsewhere))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert project.corpus == elsewhere

    project.folder.rename(tmp_path / "moved")
    expect(page.get_by_role("alert")).to_contain_text("the project is no longer there", timeout=LONG_MS)
    assert not project.folder.exists()
    page.get_by_label("Folder of the project", exact=True).fill(str(tmp_path / "moved"))
    page.get_by_role("button", name="Make the project").click()
    expect(page.locator("h1")).not_to_have_text("Project")
    page.locator("#step-correct").click()
    page.get_by_role("button", name="a.eaf").click()
    expect(text(page, 2)).to_have_value("axcan")
    (tmp_path / "moved").rename(project.folder)


@pytest.fixture
def training(server, project, demo_folder):
    """The project with a dataset, and a training of many steps."""
    project.set_paths(demo_folder / "corpus")
    prepared = runs.start(project.folder, "prepare", command(project, "prepare"))
    until(lambda: runs.find(project.folder, "prepare").state != runs.RUNNING)
    assert runs.find(project.folder, "prepare").state == runs.DONE, prepared.text()
    bases.choose(project, bases.BASES[-1].model)
    short = {"max_steps": 5000, "save_steps": 5, "batch_seconds": 5, "use_cpu": True}
    short |= {"eval_strategy": "no", "eval_steps": 1.0, "load_best_model_at_end": False}
    project.set_settings("train", project.settings("train") | short)
    return project


def until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def recipe_of(project):
    told = json.loads((project.folder / ".studio" / "train.child.json").read_text())
    return psutil.Process(told["pid"])


def checkpoints(project):
    return sorted(int(path.parent.name.split("-")[1]) for path in project.model.glob("checkpoint-*/trainer_state.json"))


@pytest.mark.thorough
def test_a_training_outlives_its_server_and_its_own_death(server, training, open_page):
    page = open_page(server.address(training, "train"))
    page.get_by_role("button", name="Start training", exact=True).click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    until(lambda: checkpoints(training))
    server.kill()
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible(timeout=LONG_MS)
    recipe = recipe_of(training)
    recipe.suspend()  # the computer sleeps
    before = checkpoints(training)
    server.start()
    page.wait_for_url("**step=train**")
    expect(page.get_by_role("alert")).to_have_count(0, timeout=LONG_MS)
    expect(page.get_by_text("Running for")).to_be_visible(timeout=LONG_MS)
    recipe.resume()
    until(lambda: checkpoints(training)[-1] > before[-1])
    recipe.kill()  # as Linux does where memory is short
    expect(page.get_by_text("The system ended it, most often for lack of memory")).to_be_visible(timeout=LONG_MS)
    last = checkpoints(training)[-1]
    page.get_by_role("button", name="Resume training").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    until(lambda: checkpoints(training)[-1] > last)
    for process in [recipe_of(training).parent(), recipe_of(training)]:  # the computer is switched off
        process.kill()
    expect(page.get_by_text("It was ended from outside")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_role("button", name="Resume training")).to_be_visible()


def filled(folder):
    """Write a file until the disk is full → it."""
    path = folder / "filler"
    with open(path, "ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return path


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="name spaces are of Linux")
def test_a_full_disk(open_page, tmp_path, demo_folder):
    """A disk of its own, in a name space that needs no rights."""
    project = Project(tmp_path / "disk")
    project.folder.mkdir()
    mounted = 'mount -t tmpfs -o size=6m tmpfs "$0" && exec "$@"'
    before = ["unshare", "--map-root-user", "--mount", "sh", "-c", mounted, str(project.folder)]
    with studio.running(tmp_path / "server", "--project", project.folder, before=before, **_OWN) as running:
        there = Project(Path(f"/proc/{running.process.pid}/root{project.folder}"))
        page = open_page(running.address)
        page.get_by_label("Folder of the corpus", exact=True).fill(str(demo_folder / "corpus"))
        page.get_by_role("button", name="Make the project").click()
        expect(page.get_by_text("All 8 are certain")).to_be_visible(timeout=LONG_MS)
        (tmp_path / "sound").mkdir()
        eaf = transcribed(there, tmp_path / "sound")
        was = eaf.read_bytes()
        there.set_paths(demo_folder / "corpus", [tmp_path / "sound"])
        settings = (there.folder / "project.yaml").read_bytes()

        filler = filled(there.folder)
        full = f"the disk of {project.folder} is full: make room"
        page.get_by_role("checkbox", name="notes").check()
        expect(page.get_by_role("alert").filter(has_text=full)).to_be_visible()
        assert not there.config("prepare").exists()
        page.locator("#step-project").click()
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("alert").filter(has_text=full)).to_be_visible()
        assert (there.folder / "project.yaml").read_bytes() == settings
        page.locator("#step-prepare").click()
        page.get_by_role("button", name="Prepare the dataset").click()
        expect(page.get_by_role("alert").filter(has_text=full)).to_be_visible()
        os.truncate(filler, filler.stat().st_size - 300_000)  # for the records of a run, not for the dataset
        page.get_by_role("button", name="Prepare the dataset").click()
        expect(page.get_by_text("It ended with an error")).to_contain_text(full, timeout=LONG_MS)
        assert not (there.dataset / "prepare.yaml").exists()
        filled(there.folder)

        page.locator("#step-correct").click()
        page.get_by_role("button", name="a.eaf").click()
        text(page, 0).fill("in cihuatl in tlacatl")
        expect(page.get_by_text("Not saved yet, and tried again")).to_contain_text(full)
        assert eaf.read_bytes() == was
        assert not [path for path in there.folder.rglob("*.part")]
        filler.unlink()
        expect(page.get_by_text("Saved.")).to_be_visible(timeout=LONG_MS)
        assert texts(eaf)[0] == "in cihuatl in tlacatl"
        page.locator("#step-prepare").click()
        page.get_by_role("button", name="Prepare the dataset").click()
        expect(page.get_by_text("Done in")).to_be_visible(timeout=LONG_MS)
