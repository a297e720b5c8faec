"""python.zip of the browser page, alone in a clean interpreter."""

import json
import subprocess
import sys
import zipfile

import pytest

from u2u_hf.corpus.text_rules import DEFAULT_RULES
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.publishing.browser_page import write_python
from u2u_hf.records import Annotation, Tier

# Without site-packages (-S): beside the archive there is only the standard library, as in Pyodide.
ALONE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import pympi, tqdm
from u2u_hf import browser

segment = {"channel": 0, "start_ms": 0, "end_ms": 900, "text": "a", "words": [], "confidence": 1.0}
transcript = {"audio": "a.wav", "duration_ms": 1000, "channels": 1, "segments": [segment]}
asked = [json.dumps({"transcript": transcript, "format": name}) for name in ("eaf", "textgrid", "srt")]
files = [browser.transcript_file(question) for question in asked]
asked = {"settings": {"corpus": sys.argv[2]}, "energies": {}}
asked["files"] = {"a.wav": {"channels": 1, "duration_ms": 9000}}
prepared = json.loads(browser.prepare(json.dumps(asked)))
places = {m.__file__ for name, m in sys.modules.items() if name.split(".")[0] in ("u2u_hf", "pympi", "tqdm")}
assert all(place.startswith(sys.argv[1]) for place in places), places
print(json.dumps({"files": len(files), "rules": json.loads(browser.default_rules("")), "prepared": sorted(prepared)}))
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "python.zip"
    write_python(path)
    return path


def test_it_does_all_that_the_page_asks_for(archive, tmp_path):
    spoken = tuple(Annotation(1000 * n, 1000 * n + 900, f"word {chr(97 + n)}") for n in range(8))
    write_eaf(tmp_path / "a.eaf", [Tier("A", spoken, "transcription")], [tmp_path / "a.wav"], {})
    (tmp_path / "a.wav").touch()
    command = [sys.executable, "-I", "-S", "-c", ALONE, str(archive), str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["files"] == 3
    assert found["rules"] == list(DEFAULT_RULES)
    assert {"html", "report", "splits"} <= set(found["prepared"])


def test_it_holds_nothing_else(archive):
    names = zipfile.ZipFile(archive).namelist()
    assert {name.split("/")[0] for name in names} == {"u2u_hf", "pympi", "tqdm"}
    assert not [name for name in names if name.startswith(("u2u_hf/data", "u2u_hf/training", "u2u_hf/recognition"))]
    assert all(name.endswith(".py") for name in names)
