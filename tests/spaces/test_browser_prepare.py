"""The page that prepares, in Chromium; its datasets against the recipe's."""

import io
import json
import shutil
import zipfile

import numpy as np
import soundfile
from datasets import load_from_disk
from support import programs
from support.browser_pages import hub_and_page, saved, served, wait_for

from u2u_hf.data.dataset import load_splits

pytest_plugins = ["support.browser_fixtures"]


def assert_same_dataset(ours, theirs):
    assert set(ours) == set(theirs)
    for name, split in theirs.items():
        columns = [column for column in split.column_names if column != "audio"]
        assert ours[name].select_columns(columns).to_list() == split.select_columns(columns).to_list()
        for one, other in zip(ours[name], split, strict=True):
            one, other = (soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="int16")[0] for row in (one, other))
            assert np.abs(one.astype(int) - other).max() <= 1  # of 65,536 steps: rounding


def preview(page, demo_folder):
    page.set_input_files("#folder", demo_folder / "corpus")
    page.get_by_role("button", name="Preview").click()
    wait_for(page, "#summary", "WHAT WOULD BE PREPARED")


def send(page, name, token):
    if not page.get_by_label("Name of the dataset").is_visible():
        page.get_by_text("Or upload it to a private dataset").click()
    page.get_by_label("Name of the dataset").fill(name)
    page.get_by_label("Token with write permission").fill(token)
    page.get_by_role("button", name="Upload", exact=True).click()


# Counts the answers of the page's Python to whole previews.
COUNT_PREVIEWS = """
    window.previews = 0;
    window.Worker = class extends Worker {
        constructor(...all) {
            super(...all);
            this.addEventListener("message", ({ data }) => (window.previews += Boolean(data.answer?.report)));
        }
    };
"""


def test_a_prepared_dataset_is_what_the_recipe_makes_and_trains(
    url, open_page, demo_folder, demo_dataset, recipe, random_base, tmp_path
):
    page = open_page("about:blank")
    page.add_init_script(COUNT_PREVIEWS)
    page.goto(f"{url}/prepare.html")
    # Other files are chosen while the first ones are previewed: what becomes of those is not shown.
    page.set_input_files("#folder", demo_folder / "corpus")
    page.get_by_role("button", name="Preview").click()
    page.set_input_files("#files", next((demo_folder / "corpus").rglob("*.eaf")))
    page.wait_for_function("window.previews === 1")
    assert page.evaluate("new Promise((resolve) => setTimeout(() => resolve(document.body.innerText), 100))").count(
        "Files chosen: 1"
    )
    assert page.locator("#result").is_hidden()
    preview(page, demo_folder)
    make = page.get_by_role("button", name="Make the dataset")
    with zipfile.ZipFile(saved(page, make, tmp_path)) as archive:
        archive.extractall(tmp_path / "dataset")
    ours, theirs = load_splits(tmp_path / "dataset"), load_splits(demo_dataset)
    assert_same_dataset(ours, theirs)
    report = json.loads((tmp_path / "dataset" / "report.json").read_text(encoding="utf-8"))
    assert report["splits"] == json.loads((demo_dataset / "report.json").read_text(encoding="utf-8"))["splits"]
    arguments = ["--dataset", tmp_path / "dataset", "--model", random_base, "--output_dir", tmp_path / "model"]
    done = recipe("train.py", *arguments, "--use_cpu", "--max_steps", 2, "--eval_steps", 2, "--save_steps", 2)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "model" / "model.safetensors").is_file()


def test_a_dataset_goes_to_the_hub_private_and_is_what_the_recipe_makes(
    site, open_page, demo_folder, demo_dataset, tmp_path
):
    with hub_and_page(site, tmp_path) as (hub, address):
        hub.add("dataset", "ana/open", private=False)
        hub.add("dataset", "ana/words", True, {"data/train-00000-of-00002.parquet": b"old", "README.md": b"mine"})
        page = open_page(f"{address}/prepare.html")
        preview(page, demo_folder)
        send(page, "ana/open", "hf_ana_write")
        wait_for(page, "#problem", "ana/open is public: everybody can read it")
        send(page, "ana/new", "hf_nobodys")
        wait_for(page, "#problem", "ana/new: the Hub does not accept the token (401)")
        send(page, "ana/new", "hf_ana_read")
        wait_for(page, "#problem", "ana/new: the token has no write permission there (403)")
        assert not hub.uploads()
        for name in ("ana/new", "ana/words"):
            send(page, name, "hf_ana_write")
            wait_for(page, "#state", f"The private dataset {name} is on the Hub")
        assert "hf_ana" not in page.evaluate("JSON.stringify([localStorage, sessionStorage, location.href])")
        beside = {"prepare.yaml", "report.json", "report.html"}
        data = {f"data/{split}-00000-of-00001.parquet" for split in ("train", "validation", "test")}
        for name, kept in (("ana/new", set()), ("ana/words", {"README.md"})):
            assert hub.repos["dataset", name].private
            assert set(hub.repos["dataset", name].at("main").files) == data | beside | kept
        code = (
            "import sys; from u2u_hf.data.dataset import load_splits as load; load('ana/new').save_to_disk(sys.argv[1])"
        )
        environment = hub.environment(tmp_path / "home", "hf_ana_read")
        done = programs.run(["-c", code, tmp_path / "loaded"], env=environment)
        assert done.returncode == 0, done.stderr
    ours, theirs = load_from_disk(tmp_path / "loaded"), load_splits(demo_dataset)
    assert {name: split.features for name, split in ours.items()} == {n: s.features for n, s in theirs.items()}
    assert_same_dataset(ours, theirs)


def test_a_dataset_that_becomes_public_on_the_way_gets_no_commit(site, open_page, demo_folder, tmp_path):
    """Its owner makes it public just after the page has seen that it is private; or during the upload."""
    with hub_and_page(site, tmp_path) as (hub, address):
        repo = hub.add("dataset", "ana/words", True, {"README.md": b"mine"})
        page = open_page(f"{address}/prepare.html", service_workers="block")
        preview(page, demo_folder)

        def publish_after(route):
            route.fulfill(response=route.fetch())
            repo.private = False

        def publish_before(route):
            repo.private = False
            route.continue_()

        first_check, upload = "**/api/datasets/ana/words/revision/main*", "**/lfs/*"
        for request, publish, uploaded in ((first_check, publish_after, False), (upload, publish_before, True)):
            repo.private = True
            page.route(request, publish, times=1)
            send(page, "ana/words", "hf_ana_write")
            wait_for(page, "#problem", "ana/words is public: everybody can read it")
            assert bool(hub.uploads()) == uploaded
            assert [commit.title for commit in repo.commits] == ["initial commit"]


def test_preview_waits_for_python(site, open_page, demo_folder):
    held = []
    with served(site) as address:
        page = open_page("about:blank", service_workers="block")
        page.set_default_timeout(120_000)
        page.context.route("**/pyodide.mjs", lambda route: held.append(route))
        page.goto(f"{address}/prepare.html")
        wait_for(page, "#state", "Starting Python")
        page.set_input_files("#folder", demo_folder / "corpus")
        button = page.get_by_role("button", name="Preview")
        while not held:
            page.wait_for_timeout(50)
        assert button.is_disabled()
        held[0].continue_()
        wait_for(page, "#state", "Files chosen: ")
        assert button.is_enabled()
        assert page.locator("#problem").is_hidden()


def test_python_that_does_not_start_is_a_problem_on_the_page(site, open_page, demo_folder):
    with served(site) as address:
        page = open_page("about:blank", service_workers="block")
        page.context.route("**/pyodide.mjs", lambda route: route.abort())
        page.goto(f"{address}/prepare.html")
        wait_for(page, "#problem", "Python did not start. Check the network connection, then reload the page.")
        page.set_input_files("#folder", demo_folder / "corpus")
        assert page.get_by_role("button", name="Preview").is_disabled()


def test_missing_tiers_are_named(url, open_page, demo_folder):
    page = open_page(f"{url}/prepare.html")
    page.set_input_files("#folder", demo_folder / "corpus")
    page.get_by_label("Tiers with transcriptions").fill("*SURFACE*")
    page.get_by_role("button", name="Preview").click()
    wait_for(page, "#problem", "*SURFACE*: no tier of any file matches; there are: ")


def test_a_recording_that_cannot_be_read_is_named_with_the_reason(url, open_page, demo_folder, tmp_path):
    eaf = next((demo_folder / "corpus").rglob("*.eaf"))
    shutil.copy(eaf, tmp_path)
    ogg = tmp_path / "joined.ogg"
    soundfile.write(ogg, np.zeros(16_000), 16_000)
    (tmp_path / f"{eaf.stem}.wav").write_bytes(ogg.read_bytes() * 2)
    page = open_page(f"{url}/prepare.html")
    page.set_input_files("#files", [tmp_path / eaf.name, tmp_path / f"{eaf.stem}.wav"])
    page.get_by_role("button", name="Preview").click()
    wait_for(page, "#summary", "several Ogg recordings were joined into this file")
