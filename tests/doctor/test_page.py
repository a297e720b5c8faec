import json
import re
import shutil

import numpy as np
import pytest
from support.html_pages import ATTACKS, Page

from u2u_hf.data.audio import flac_bytes
from u2u_hf.doctor.findings import KINDS
from u2u_hf.doctor.page import Summary, doctor_page

SUMMARY = Summary(100, 3, 0.123, ["b.eaf: is damaged"], "python recipes/doctor.py --apply accepted.json", "run 1")


def row(number, kind, edit, **more):
    given = {"recording": "story", "tier": "A", "start_ms": 1000, "end_ms": 2500, "kind": kind, "score": 0.75}
    given |= {"suggestion": "heard: ní", "name": f"n{number}", "text": "ka", "edit": edit, "minutes": 0.2}
    return given | more


def test_texts_cannot_command_the_page():
    rows = [
        row(n, kind, {"text": attack}, recording=attack, tier=attack, suggestion=attack, text=attack)
        for n, (kind, attack) in enumerate(zip([*KINDS] * 2, ATTACKS, strict=False))
    ]
    text = doctor_page(rows, [None] * len(rows), SUMMARY)
    page = Page(text)
    assert page.tags["script"] == 1
    assert not {"img", "iframe", "svg", "link"} & set(page.tags)
    assert not any(key.startswith("on") for _, key, _ in page.attributes)
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='\"", text.replace("&#x27;", "'"))


def test_a_clean_corpus_has_a_page_too():
    assert "None was found." in doctor_page([], [], SUMMARY)


@pytest.mark.slow
def test_what_is_ticked_and_typed_is_saved_and_kept(tmp_path):
    from playwright.sync_api import sync_playwright

    rows = [row(1, "text", {"text": "ní"}), row(2, "copied", {"delete": True}), row(3, "convention", None)]
    (tmp_path / "doctor.html").write_text(
        doctor_page(rows, [flac_bytes(np.zeros(1600, np.float32)), None, None], SUMMARY), encoding="utf-8"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page, said = browser.new_page(), []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((tmp_path / "doctor.html").as_uri())
        assert page.locator("audio").count() == 1
        assert page.locator("input[type=checkbox]").count() == 2
        page.fill("textarea", "nín")  # who types accepts
        page.check("text=annotation copied twice, 75% sure")
        assert page.inner_text("#save") == "Save 2 accepted"
        page.check("text=annotation copied twice (1)")
        assert page.locator(".finding:visible").count() == 1
        page.reload()
        assert page.locator(".finding:visible").count() == 3
        with page.expect_download() as download:
            page.click("#save")
        saved = json.loads(download.value.path().read_text(encoding="utf-8"))
        browser.close()
    assert saved == {"accepted": [{"name": "n1", "text": "nín"}, {"name": "n2"}]}
    assert said == []
