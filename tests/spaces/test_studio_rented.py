"""Training on rented hardware from Studio: the page with the loopback Hub, whose jobs really run."""

import html
import importlib
import re
import shutil
import time

import pytest
from conftest import PROJECT
from playwright.sync_api import expect
from support import studio
from support.hub_server import running_hub

from u2u_hf.model_folder import SETTINGS
from u2u_hf.project import rented, runs
from u2u_hf.project.folder import Project
from u2u_hf.project.steps import FINISHED, TRAIN, state_of

pytest_plugins = ["support.browser_fixtures"]
LOGIN = "hf_ana_write"
SHORT = {"max_steps": 4, "eval_steps": 2, "save_steps": 2, "logging_steps": 1, "batch_seconds": 8, "use_cpu": True}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("rented")


@pytest.fixture(scope="module")
def hub(place, random_base):
    with running_hub(place / "hub") as hub:
        base = {path.name: path.read_bytes() for path in random_base.iterdir()}
        hub.add("model", "utter-project/mHuBERT-147", False, base)
        hub.add("dataset", "ben/ears-data", True, {"README.md": b"nothing"})
        yield hub


@pytest.fixture(scope="module")
def environment(hub, place):
    """That of a computer on which nobody is logged in yet."""
    (place / "home").mkdir()
    own = hub.environment(place / "home")
    return {name: own[name] for name in own if name.startswith(("HF_", "PATH"))} | {"HF_HUB_OFFLINE": "0"}


@pytest.fixture
def project(place, demo_folder, demo_dataset, request):
    project = Project(place / request.node.name)
    project.set_paths(demo_folder / "corpus")
    project.set_settings("train", SHORT | {"time_budget": "20h"})
    project.set_settings("prepare", {})
    shutil.copytree(demo_dataset, project.dataset)
    yield project
    for name in (TRAIN, *rented.RUNS):
        runs.stop(project.folder, name)


def require_no_token(place, *shown):
    """The token lies only where `hf auth login` has put it: in no other file, log, record of a command, or page."""
    files = [path for path in place.rglob("*") if path.is_file() and path != place / "home" / "token"]
    assert any(path.suffix == ".log" for path in files)
    assert not [path for path in files if LOGIN.encode() in path.read_bytes()]
    assert not [text for text in shown if LOGIN in text]


@pytest.mark.thorough
def test_a_training_on_rented_hardware_by_clicking(place, hub, environment, project, open_page):
    with studio.running(place / "server", "--project", project.folder, **environment) as running:
        page = open_page(running.address, viewport={"width": 1280, "height": 900})
        page.locator("#step-train").click()
        page.get_by_text("Train on rented hardware").click()
        expect(page.get_by_text("Nobody is logged in")).to_be_visible()
        assert not hub.log
        (place / "home" / "token").write_text(LOGIN)  # as `hf auth login` does
        expect(page.get_by_text("login of this computer is used")).to_be_visible()

        page.get_by_label("Repository of the recogniser").fill(LOGIN)  # pasted into the wrong field: it is not kept
        page.get_by_role("button", name="Ask the Hub for its hardware").click()
        expect(page.get_by_text("Write the repository as OWNER/NAME")).to_be_visible()
        page.get_by_label("Repository of the recogniser").fill("ana/ears")
        page.get_by_label("Longest time to pay for").fill("10m")
        assert not hub.log
        page.get_by_role("button", name="Ask the Hub for its hardware").click()
        row = page.get_by_role("row").filter(has_text="t4-small")
        expect(row).to_contain_text("1 × Nvidia T4, 16 GB; 4 vCPU; 15 GB", timeout=60_000)
        expect(row).to_contain_text("$0.40")
        page.get_by_role("radio", name="t4-small").check()
        assert {asked.path for asked in hub.log} == {"/api/jobs/hardware"}

        page.get_by_role("button", name="Upload the dataset to ana/ears-data, private").click()
        form = page.locator("#rented-form")
        expect(form.get_by_text("Done in")).to_have_count(2, timeout=60_000)
        assert hub.repos["dataset", "ana/ears-data"].private
        assert "data/train-00000-of-00001.parquet" in hub.repos["dataset", "ana/ears-data"].at("main").files

        # The price; only the consent starts anything. Its time ends twice, so that it is not resumed by itself.
        hub.runner.stopped_at |= {0: "step 2: validation", 1: "installing the packages"}
        page.get_by_role("button", name="Ask the Hub what it would cost").click()
        consent = page.get_by_role("button", name="Agree, and rent it for at most $0.07")
        expect(consent).to_be_visible(timeout=60_000)
        expect(page.get_by_text("at most $0.07: 10m at $0.40 an hour")).to_be_visible()
        expect(page.get_by_text("to ana/u2u-hf-code (private). No recording and no annotation")).to_be_visible()
        assert not hub.runner.jobs
        assert ("model", "ana/ears") not in hub.repos
        consent.click()
        expect(page.get_by_text("It runs on rented hardware")).to_be_visible(timeout=60_000)
        expect(page.get_by_text("It goes on while this page")).to_be_visible()
        seen = [page.content()]
        expect(page.get_by_text("its time was over, or its computer was lost")).to_be_visible(timeout=120_000)
        assert len(hub.runner.jobs) == 2

        # The same buttons resume it.
        page.get_by_role("button", name="Ask the Hub what it would cost").click()
        expect(page.get_by_text(re.compile("at step [23], from the checkpoint in ana/ears"))).to_be_visible(
            timeout=60_000
        )
        seen.append(page.content())
        consent.click()
        expect(page.get_by_text("The job is finished. The recogniser is in ana/ears, private.")).to_be_visible(
            timeout=120_000
        )
        assert [job.stage for job in hub.runner.jobs.values()] == ["ERROR", "ERROR", "COMPLETED"]
        assert "step 2: validation" not in [*hub.runner.jobs.values()][2].text
        expect(page.get_by_role("img", name="Wrong characters on validation")).to_be_visible()
        expect(page.get_by_role("heading", name="Sentences of the last evaluation")).to_be_visible()
        assert state_of(project, TRAIN) != FINISHED

        page.get_by_role("button", name="Download the recogniser to this computer").click()
        expect(page.get_by_role("button", name="Next: Scores")).to_be_visible(timeout=60_000)
        assert (project.model / SETTINGS).is_file()
        assert (project.model / "model.safetensors").is_file()
        seen.append(page.content())
    assert hub.repos["model", "ana/ears"].private
    require_no_token(place, *seen)


@pytest.fixture
def clicks(project, hub, environment, monkeypatch):
    """Click in a tab that shows the training of a project, wait, and return what the page says then."""
    from huggingface_hub import constants

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", f"{environment['HF_HOME']}/token")
    monkeypatch.syspath_prepend(str(PROJECT / "spaces" / "studio"))
    (Project(project.folder.parent).folder / "home" / "token").write_text(LOGIN)
    parts, screen = importlib.import_module("parts"), importlib.import_module("screen_runs")
    projects = importlib.import_module("projects").Projects(project.folder)
    say = importlib.import_module("words").say_in("en")
    tab = parts.Tab(project=str(project.folder), step="train")
    acts = importlib.import_module("acts").Acts(projects, tab, say)
    steps = importlib.import_module("u2u_hf.project.steps")

    def shown():
        drawn = screen.run_screen(parts.View(say, "en", tab, projects, project, steps.all_steps(project)))
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", drawn)))

    def click(act, until, value="", **values):
        acts.do(act, {"value": value, **values})
        deadline = time.monotonic() + 100
        while until not in (text := f"{tab.message} {shown()}"):
            assert time.monotonic() < deadline, text
            time.sleep(0.1)
        return text

    return click


@pytest.mark.thorough
def test_what_can_go_wrong_is_told(clicks, hub, project, place, demo_dataset):
    files = {str(p.relative_to(demo_dataset)): p.read_bytes() for p in demo_dataset.rglob("*") if p.is_file()}
    hub.add("dataset", "ana/other-data", True, files)
    jobs = len(hub.runner.jobs)
    form = {"rented_repository": "ben/ears", "rented_budget": "10m", "flavor": "t4-small"}
    assert "no rented" not in clicks("rent", "ask again what it would cost", "$0.07", **form)  # nobody has asked
    clicks("ask_price", "--dataset ben/ears-data: is not on the Hub, or is private and the token of your login", **form)

    form["rented_repository"] = "ana/other"
    clicks("ask_price", "Agree, and rent it for at most $0.07", **form)
    clicks("rent", "ask again what it would cost", "$0.06", **form)  # what stood on another button
    clicks("rent", "ask again what it would cost", "$0.07", **form | {"rented_budget": "20m"})
    assert len(hub.runner.jobs) == jobs

    form["rented_budget"] = "10m"
    hub.without_credit.add("ana")
    refused = clicks("rent", "The Hub did not do it", "$0.07", **form)
    assert "Pre-paid credit balance is insufficient): buy credit, or see what your plan includes at" in refused
    hub.without_credit.clear()
    assert len(hub.runner.jobs) == jobs

    # Cancelled, which is a run of its own: the job's own tells how it ended.
    clicks("rent", "Cancel the job: it costs nothing after that", "$0.07", **form)
    (job,) = [*hub.runner.jobs.values()][jobs:]
    clicks("cancel_job", "The job was cancelled, and costs nothing more.")
    assert job.stage == "CANCELED"

    # The recipe's own error, from the rented computer.
    hub.add("dataset", "ana/other-data", True, {"README.md": b"nothing"})
    failed = clicks("rent", "The training ended with an error, and the job costs nothing more", "$0.07", **form)
    assert "any data files" in failed
    assert [*hub.runner.jobs.values()][-1].message.startswith("Job failed with exit code: 1")
    assert not project.model.exists()
    require_no_token(place, refused, failed)
