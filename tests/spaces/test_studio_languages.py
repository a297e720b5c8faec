"""Studio in each language: the choice of one, and labels, contrast and width of every step."""

import json
import shutil

import pytest
from playwright.sync_api import expect
from support import axe, studio

from u2u_hf.formats import writers
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.project.folder import Project
from u2u_hf.project.steps import STEPS
from u2u_hf.records import SEGMENT_TYPE, Annotation, Tier

pytest_plugins = ["support.browser_fixtures"]

SCREENS = ("new", *STEPS, "editor")


@pytest.fixture(scope="module")
def project(demo_folder, new_recording, tmp_path_factory):
    """A project of which every step is done, by the files that tell so."""
    folder = tmp_path_factory.mktemp("studio")
    shutil.copytree(demo_folder / "corpus", folder / "corpus")
    shutil.copytree(new_recording.parent, folder / "recordings")
    project = Project(folder / "nahuatl")
    project.set_paths(folder / "corpus", [folder / "recordings"])
    for path in (project.dataset / "prepare.yaml", project.model / "train.yaml", project.scores / "evaluation.html"):
        path.parent.mkdir()
        path.touch()
    (project.dataset / "report.json").write_text(json.dumps({"splits": {"train": {"hours": 0.2}}}))
    (project.dataset / "report.html").write_text("<!doctype html><html lang=en><title>Report</title><h1>Report</h1>")
    scores = {"cer": 0.123, "wer": 0.4, "utterances": 1234}
    (project.scores / "metrics.json").write_text(json.dumps(scores))
    project.transcripts.mkdir()
    tier = Tier("channel 1", (Annotation(0, 500, "ña"),), SEGMENT_TYPE)
    write_eaf(project.transcripts / f"{new_recording.stem}.eaf", [tier], [], writers.CONSTRAINTS)
    return project


@pytest.fixture(scope="module")
def running(project, outside):
    with studio.running(project.folder.parent / "server", "--project", project.folder, **outside.environment) as found:
        yield found


def shows(page, screen):
    """Go to a step, or on from there: to the form of a new project, to the editor of the first transcript."""
    page.locator(
        "#step-correct" if screen == "editor" else "#step-project" if screen == "new" else f"#step-{screen}"
    ).click()
    expect(page.locator(".screen")).to_have_attribute(
        "data-step", {"new": "project", "editor": "correct"}.get(screen, screen)
    )
    if screen == "new":
        page.locator("[data-act=another]").click()
        page.locator("#field-folder").wait_for()
    elif screen == "editor":
        page.locator("#screen table [data-act=correct]").click()
        page.locator("u2u-editor .row").first.wait_for()
    elif screen == "corpus":
        page.locator("#screen .tiers").wait_for()


def test_a_language_is_chosen_on_the_page(running, open_page):
    """It also stays on later visits, and what was typed stays in its field."""
    page = open_page(running.address, locale="de-DE")
    expect(page.locator("#step-train")).to_contain_text("Train")  # no German: English
    page.locator("#step-share").click()
    page.get_by_label("Repository of the recogniser").fill("ana/nahuatl")
    for tag, label, heading in (("fr", "Langue", "Partager"), ("id", "Bahasa", "Bagikan")):
        page.locator("#language").select_option(tag)
        expect(page.locator("h1")).to_have_text(heading)
        expect(page.get_by_label(label)).to_have_value(tag)
        expect(page.locator("#field-repository")).to_have_value("ana/nahuatl")
        assert page.evaluate("document.documentElement.lang") == tag
    page.reload()
    expect(page.locator("h1")).to_have_text("Bagikan")


def test_a_browser_of_brazil_gets_portuguese(running, open_page):
    page = open_page(running.address, locale="pt-BR")
    expect(page.locator("#step-train")).to_contain_text("Treinar")
    shows(page, "scores")
    expect(page.locator(".numbers")).to_contain_text("1.234")


def test_spaces_of_french_are_no_odd_characters(running, open_page, project):
    page = open_page(running.address, locale="fr-FR")
    shows(page, "share")
    page.get_by_role("button", name="Envoyer sur huggingface.co").click()
    expect(page.get_by_role("alert")).to_contain_text("Écrivez d’abord le nom, sous")
    expect(page.get_by_role("alert")).to_contain_text("seulement\u00a0; pour")
    shows(page, "scores")
    expect(page.locator(".numbers")).to_contain_text("1\u202f234")
    shows(page, "project")
    expect(page.locator("#screen")).to_contain_text(f"Dossier du projet\u00a0: {project.folder}")
    page.get_by_label("Dossier du corpus", exact=True).fill("/nowhere\u00a0here")
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("/nowhere‹U+00A0›here\u00a0: ce dossier n’existe pas.")


def test_what_the_library_finds_is_said_in_the_language(running, open_page):
    page = open_page(running.address, locale="id-ID")
    shows(page, "corpus")
    tiers = page.locator("#screen .tiers")
    expect(tiers.get_by_text("bernama seperti transkripsi").first).to_be_visible()
    expect(tiers.get_by_text("tampaknya hal lain ('notes' pada nama atau tipenya)")).to_be_visible()
    assert "looks like" not in tiers.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_step_passes_axe(running, open_page, npm_packages, scheme):
    page = open_page(running.address, locale="fr-FR", color_scheme=scheme, viewport={"width": 1280, "height": 900})
    for screen in (*SCREENS[1:], "new"):
        shows(page, screen)
        assert (screen, axe.findings(page, npm_packages)) == (screen, [])


@pytest.mark.parametrize("language", ["en-US", "es-MX", "fr-FR", "pt-BR", "id-ID"])
def test_no_step_is_wider_than_the_window(running, open_page, language):
    page = open_page(running.address, locale=language, viewport={"width": 1280, "height": 900})
    for screen in (*SCREENS[1:], "new"):
        shows(page, screen)
        for width in (1280, 800, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (screen, width)
            cut = "[...document.querySelectorAll('#studio .button')].filter((b) => b.scrollWidth > b.clientWidth + 1)"
            assert page.evaluate(f"{cut}.map((b) => b.textContent)") == [], (screen, width)
        page.set_viewport_size({"width": 1280, "height": 900})
