"""Fixtures: the static Space, built, served and opened in Chromium."""

import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from support.browser_pages import TEMPLATE, exported_when_sure, served
from support.npm import install, path_with_npm_of
from support.shared import shared_folder
from u2u_hf.publishing.browser_page import build

# As for clicks. On a busy computer a page takes longer than Playwright's 5 seconds to show what it was told.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def exported(trained_model, new_recording, tmp_path_factory):
    def make(folder):
        exported_when_sure(trained_model, new_recording, folder)
        (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")

    return shared_folder(tmp_path_factory, "exported", make)


@pytest.fixture(scope="session")
def npm_packages(tmp_path_factory):
    """A folder with the node_modules of the pages: the session's only `npm ci`."""
    if not shutil.which("npm"):
        pytest.skip("Node.js, with npm, is not installed")
    return shared_folder(tmp_path_factory, "npm", lambda folder: install(TEMPLATE, folder))


@pytest.fixture(scope="session")
def path_with_npm(npm_packages, tmp_path_factory):
    """A PATH for programs that build the page, so that they need no `npm ci` of their own."""
    return path_with_npm_of(npm_packages, tmp_path_factory.mktemp("bin"))


@pytest.fixture(scope="session")
def site(exported, path_with_npm, tmp_path_factory):
    def make(folder):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", path_with_npm)
            build(TEMPLATE, folder, str(exported))

    return shared_folder(tmp_path_factory, "site", make)


@pytest.fixture(scope="module")
def url(site):
    with served(site) as address:
        yield address


@pytest.fixture(scope="module")
def chromium(new_recording):
    """Launch a browser with these arguments; its microphone plays the new recording in a loop."""
    path = shutil.which("chromium")
    if not path:
        pytest.skip("chromium is not installed")
    microphone = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    microphone.append(f"--use-file-for-fake-audio-capture={new_recording}")
    browsers = {}
    with sync_playwright() as p:

        def launched(*arguments):
            if arguments not in browsers:
                settings = {"executable_path": path, "args": ["--no-sandbox", *microphone, *arguments]}
                browsers[arguments] = p.chromium.launch(**settings)
            return browsers[arguments]

        yield launched
        for browser in browsers.values():
            browser.close()


@pytest.fixture
def open_page(chromium):
    """Open a page in a fresh profile; at the end, check that it asked no other host and raised no error."""
    contexts, asked, errors = [], [], []

    def opened(address, *arguments, **settings):
        context = chromium(*arguments).new_context(**{"locale": "en-US", **settings})
        contexts.append(context)
        context.on("request", lambda request: asked.append(request.url))
        context.on("weberror", lambda error: errors.append(str(error.error)))
        page = context.new_page()
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors
    assert {address.split("/")[2].split(":")[0] for address in asked if not address.startswith("data:")} == {
        "127.0.0.1"
    }
