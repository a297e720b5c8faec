"""What becomes of a recogniser, started from Studio's page: export, the menus of ELAN and Praat, the loopback Hub."""

import json
import shutil

import pytest
from playwright.sync_api import expect
from support import studio
from support.hub_server import running_hub

from u2u_hf import output_folder
from u2u_hf.integrations.elan.extension import MARKER
from u2u_hf.integrations.praat.plugin import installed
from u2u_hf.project.folder import Project

pytest_plugins = ["support.browser_fixtures"]
LOGIN, OF_THE_PAGE = "hf_ana_write", "hf_ana_read"


@pytest.fixture
def project(tmp_path, demo_folder, demo_dataset, trained_model):
    """A project with a finished recogniser, whose settings the project's own train.yaml does not have any more."""
    project = Project(tmp_path / "project")
    project.set_paths(demo_folder / "corpus")
    project.set_settings("prepare", {})
    project.set_settings("train", {"max_steps": 100_000, "learning_rate": 1e-3})
    shutil.copytree(demo_dataset, project.dataset)
    shutil.copytree(trained_model, project.model)
    (project.model / output_folder.MARKER).write_text(json.dumps({"made_by": "train.py"}))
    (project.model / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    (project.model / "train.yaml").write_text("dataset: dataset\nmax_steps: 300\n")
    return project


@pytest.mark.thorough
def test_a_recogniser_is_shared_from_the_page(project, tmp_path, path_with_npm, open_page):
    home = tmp_path / "home"
    (home / "hf").mkdir(parents=True)
    (home / "ELAN_7-0" / "app" / "extensions").mkdir(parents=True)
    (home / ".praat-dir").mkdir()
    (home / "hf" / "token").write_text(LOGIN)
    with running_hub(tmp_path / "hub") as hub:
        environment = {name: value for name, value in hub.environment(home / "hf").items() if name.startswith("HF_")}
        environment |= {"HF_HUB_OFFLINE": "0", "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
        environment |= {"PATH": path_with_npm, "PAGE_TOKEN": OF_THE_PAGE}
        with studio.running(tmp_path / "server", "--project", project.folder, **environment) as running:
            page = open_page(running.address, viewport={"width": 1280, "height": 900})
            page.locator("#step-share").click()

            def press(heading, button):
                """Press a button of a section and wait for the end of what it starts."""
                part = page.locator("section").filter(has=page.get_by_role("heading", name=heading))
                part.get_by_role("button", name=button).click()
                expect(part.get_by_text("It is running")).to_be_visible()
                expect(part.get_by_text("Done in")).to_be_visible(timeout=120_000)

            expect(page.get_by_text("First: Make it fast without a graphics card.")).to_have_count(3)
            press("Make it fast", "Make it fast")
            assert (project.model / "onnx" / "model_quantized.onnx").is_file()
            press("ELAN’s menu", "Put it into ELAN’s menu")
            assert len(list((home / "ELAN_7-0").rglob(MARKER))) == 1
            press("Praat’s menu", "Put it into Praat’s menu")
            (plugin,) = installed(home / ".praat-dir").values()
            assert plugin.folder == str(project.model)
            assert not hub.log

            page.get_by_role("button", name="Upload to huggingface.co, private").click()
            expect(page.get_by_role("alert")).to_contain_text("Write the name first")
            page.get_by_label("Repository of the recogniser").fill("ana/ears")
            page.get_by_label("Repository of the recogniser").press("Tab")
            press("Upload to huggingface.co", "Upload the recogniser to ana/ears at huggingface.co, private")
            pushed = hub.repos["model", "ana/ears"]
            assert pushed.private
            weights = project.model / "model.safetensors"
            assert hub.content(pushed.at("main").files["model.safetensors"]) == weights.read_bytes()
            assert not list(project.model.glob("checkpoint-*"))  # nothing was trained

            page.get_by_label("Name of the page").fill("ana/page")
            page.get_by_label("Name of the page").press("Tab")
            press("Upload a page", "Upload the page to ana/page at huggingface.co, private")
            space = hub.repos["space", "ana/page"]
            assert (space.private, space.sdk) == (True, "static")

            # A page that computes on the Hub reads the private recogniser with a token of its own, named and not typed.
            page.get_by_role("radio", name="on the Hub").check()
            page.get_by_label("Environment variable with a token").fill(OF_THE_PAGE)
            page.get_by_label("Environment variable with a token").press("Tab")
            expect(page.get_by_role("alert")).to_contain_text("That looks like a token")
            page.get_by_label("Environment variable with a token").fill("PAGE_TOKEN")
            page.get_by_label("Name of the page").fill("ana/other")
            page.get_by_label("Name of the page").press("Tab")
            press("Upload a page", "Upload the page to ana/other at huggingface.co, private")
            space = hub.repos["space", "ana/other"]
            assert (space.private, space.sdk) == (True, "gradio")
            assert space.settings["secrets"]["HF_TOKEN"]["value"] == OF_THE_PAGE
            assert not any(token in page.content() for token in (LOGIN, OF_THE_PAGE))
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path != home / "hf" / "token"]
    assert not [path for path in files if any(token.encode() in path.read_bytes() for token in (LOGIN, OF_THE_PAGE))]
