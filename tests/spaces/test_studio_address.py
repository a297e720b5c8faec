"""Studio opens a browser without telling its secret to who lists the computer's processes."""

import json
import os
import stat
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support import studio

pytest_plugins = ["support.browser_fixtures"]

BROWSER = f"""#!{sys.executable}
import json, os, stat, sys, urllib.parse
path = urllib.parse.unquote(urllib.parse.urlsplit(sys.argv[-1]).path)
modes = [stat.S_IMODE(os.stat(place).st_mode) for place in (path, os.path.dirname(path))]
with open(os.environ["TOLD"] + ".part", "w") as told:
    json.dump([sys.argv[1:], modes], told)
os.replace(told.name, os.environ["TOLD"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a browser is chosen by $BROWSER on other systems")
def test_the_secret_is_not_on_a_command_line(tmp_path, chromium):
    browser, told = tmp_path / "browser", tmp_path / "told"
    browser.write_text(BROWSER)
    browser.chmod(0o755)
    with studio.running(tmp_path / "server", "--browser", BROWSER=f"{browser} %s", TOLD=str(told)) as running:
        deadline = time.monotonic() + 60
        while not told.is_file():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        words, modes = json.loads(told.read_text())
        (address,) = words
        assert address.startswith("file:///")
        assert running.secret not in address
        assert modes == [0o600, 0o700]
        assert stat.S_ISREG(os.stat(address.removeprefix("file://")).st_mode)
        page = chromium().new_page()
        page.goto(address)  # from the file to Studio, past the cookie that no other site's page brings
        expect(page.locator("h1")).to_have_text("Project")
        assert page.url.startswith(f"http://127.0.0.1:{running.port}/")
        assert "secret" not in page.url
        page.close()
    assert not Path(address.removeprefix("file://")).exists()
