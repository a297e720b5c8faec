"""Pages on the Hub: the real recipe and clients, against a Hub on this computer."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys

import pytest
from conftest import PROJECT
from huggingface_hub.repocard import metadata_load
from support import programs
from support.hub_server import TOKENS, running_hub

from u2u_hf.publishing.deploy import SPACES, DeploySettings, build
from u2u_hf.publishing.deploy import deploy as make_space
from u2u_hf.records import U2UError

pytest_plugins = ["support.browser_fixtures"]


@pytest.fixture
def hub(tmp_path):
    with running_hub(tmp_path / "blobs") as hub:
        hub.add("model", "ana/open", private=False)
        hub.add("model", "ana/ears", private=True)
        yield hub


@pytest.fixture
def deploy(hub, recipe, tmp_path):
    """Run the recipe as ana → its outcome; no token is ever printed."""

    def run(*arguments, model="ana/ears", space="ana/page", **environment):
        environment = hub.environment(tmp_path / "home", "hf_ana_write") | environment
        done = recipe("deploy.py", "--model", model, "--space", space, *arguments, env=environment)
        assert not any(token in done.stdout + done.stderr for token in TOKENS)
        return done

    return run


def values(space, what):
    return {key: item["value"] for key, item in space.settings[what].items()}


def test_a_page_is_made_private_and_updated(hub, deploy, tmp_path):
    done = deploy(model="ana/open")
    assert done.returncode == 0, done.stderr
    assert f"running: {hub.url}/spaces/ana/page" in done.stdout.splitlines()
    assert "The page is private: only you" in done.stdout
    assert done.stdout.splitlines()[-1] == f"  {hub.url}/spaces/ana/page/settings"
    space = hub.repos["space", "ana/page"]
    assert space.private
    assert space.sdk == "gradio"
    assert values(space, "variables") == {"MODEL_ID": "ana/open", "MAX_MINUTES": "60", "MAX_FILE_MB": "1000"}
    assert not space.settings["secrets"]  # least of all ana's own token
    assert len(space.commits) == 2  # that of its making, and one
    files = set(space.at("main").files)
    assert {"app.py", "strings.py", "README.md", "requirements.txt", "u2u_hf/transcription/transcribe.py"} <= files
    assert {"page.js", "editor/editor.js", "editor/vendor/wavesurfer.js", "editor/vendor/LICENCE.txt"} <= files
    assert not any(name.startswith("u2u_hf/demo/") or "__pycache__" in name or ".test." in name for name in files)
    space.commit("by hand", {**space.at("main").files, "u2u_hf/gone.py": space.at("main").files["app.py"]})
    refused = deploy("--revision", "v2", model="ana/open")
    assert "ana/open at v2: has no such branch, tag or commit" in refused.stderr
    hub.repos["model", "ana/open"].refs["v2"] = hub.repos["model", "ana/open"].commits[-1].oid
    done = deploy("--revision", "v2", "--max_minutes", "7.5", model="ana/open")
    assert done.returncode == 0, done.stderr
    assert set(space.at("main").files) == files
    assert values(space, "variables")["MODEL_REVISION"] == "v2"
    assert values(space, "variables")["MAX_MINUTES"] == "7.5"


def test_public_is_said_of_a_page_that_is_public(hub, deploy):
    done = deploy("--public", model="ana/open")
    assert done.returncode == 0, done.stderr
    assert not hub.repos["space", "ana/page"].private
    assert "The page is public: everybody can use it." in done.stdout


def test_a_private_page_stays_private_and_public_is_not_said_of_it(hub, deploy):
    hub.add("space", "ana/page", private=True)
    done = deploy("--public", model="ana/open")
    assert done.returncode == 0, done.stderr
    assert hub.repos["space", "ana/page"].private
    assert "The page is private, as its Space was before: only you" in done.stdout
    assert "public" not in done.stdout
    assert done.stdout.splitlines()[-1] == f"  {hub.url}/spaces/ana/page/settings"


def test_a_private_model_needs_a_token_of_its_own(hub, deploy):
    refused = deploy()
    assert refused.returncode == 1
    assert "ana/ears: is private, and the Space could not read it" in refused.stderr
    assert "--token_from" in refused.stderr
    assert ("space", "ana/page") not in hub.repos
    assert sum(asked.sent for asked in hub.log) == 0
    refused = deploy("--token_from", "MODEL_TOKEN", MODEL_TOKEN="hf_ana_write")
    assert "MODEL_TOKEN: this token may write" in refused.stderr
    refused = deploy("--token_from", "MODEL_TOKEN", MODEL_TOKEN="hf_nobody")
    assert "MODEL_TOKEN: the Hub does not know this token" in refused.stderr
    refused = deploy("--token_from", "MODEL_TOKEN")
    assert "MODEL_TOKEN: this environment variable is empty" in refused.stderr
    assert sum(asked.sent for asked in hub.log) == 0
    arguments = ("--token_from", "MODEL_TOKEN", "--password_from", "WORD")
    done = deploy(*arguments, MODEL_TOKEN="hf_ana_read", WORD="otomí")
    assert done.returncode == 0, done.stderr
    space = hub.repos["space", "ana/page"]
    assert values(space, "secrets") == {"HF_TOKEN": "hf_ana_read", "APP_PASSWORD": "otomí"}
    assert "otomí" not in done.stdout + done.stderr
    again = deploy()  # the Space has its token by now
    assert again.returncode == 0, again.stderr
    assert values(space, "secrets") == {"HF_TOKEN": "hf_ana_read", "APP_PASSWORD": "otomí"}


def test_a_fine_grained_token_is_taken_if_it_may_only_read(hub, deploy):
    for token in ("hf_ana_fine_write", "hf_ana_fine_global"):
        refused = deploy("--token_from", "MODEL_TOKEN", MODEL_TOKEN=token)
        assert refused.returncode == 1
        assert "MODEL_TOKEN: this token may write" in refused.stderr
    assert ("space", "ana/page") not in hub.repos
    done = deploy("--token_from", "MODEL_TOKEN", MODEL_TOKEN="hf_ana_fine_read")
    assert done.returncode == 0, done.stderr
    assert values(hub.repos["space", "ana/page"], "secrets") == {"HF_TOKEN": "hf_ana_fine_read"}


def test_a_page_that_does_not_start_is_said(hub, deploy):
    hub.add("space", "ana/page", private=True).stage = "BUILD_ERROR"
    failed = deploy(model="ana/open")
    assert failed.returncode == 1
    assert "ana/page: does not run (stage BUILD_ERROR): " in failed.stderr


def test_a_model_that_is_not_there_is_named(hub, deploy):
    failed = deploy(model="ana/eyes")
    assert failed.returncode == 1
    assert "ana/eyes: is not on the Hub" in failed.stderr
    assert sum(asked.sent for asked in hub.log) == 0


def test_a_dry_run_asks_nobody(hub, deploy, tmp_path):
    done = deploy("--dry_run", "--output_dir", tmp_path / "page", "--token_from", "MODEL_TOKEN")
    assert done.returncode == 0, done.stderr
    assert not hub.log
    assert "would be the Space ana/page, private" in done.stdout
    assert "variable MODEL_ID = ana/ears" in done.stdout
    assert "secret HF_TOKEN from MODEL_TOKEN" in done.stdout
    again = "python recipes/deploy.py --model ana/ears --space ana/page --token_from MODEL_TOKEN"
    assert sorted(done.stdout.splitlines()[-1].split()) == sorted(again.split())
    assert metadata_load(tmp_path / "page" / "README.md")["models"] == ["ana/ears"]


def test_a_page_for_the_browser(hub, deploy):
    done = deploy("--kind", "browser", model="ana/open")
    assert done.returncode == 0, done.stderr
    space = hub.repos["space", "ana/page"]
    assert space.private
    assert space.sdk == "static"
    assert {"index.html", "prepare.html", "space.json", "vendor/LICENCES.txt"} <= set(space.at("main").files)
    assert space.settings == {"secrets": {}, "variables": {}}


def test_a_copy_takes_no_secret_along(hub, deploy, tmp_path):
    assert deploy("--token_from", "MODEL_TOKEN", MODEL_TOKEN="hf_ana_read").returncode == 0
    code = """
from huggingface_hub import HfApi
HfApi().duplicate_repo("ana/page", "ana/copy", repo_type="space", private=True,
                       space_variables=[{"key": "MODEL_ID", "value": "ana/open"}])
"""
    environment = hub.environment(tmp_path / "home2", "hf_ana_write")
    assert programs.run(["-c", code], env=environment).returncode == 0
    copy = hub.repos["space", "ana/copy"]
    assert copy.private
    assert values(copy, "variables") == {"MODEL_ID": "ana/open"}
    assert not copy.settings["secrets"]
    assert set(copy.at("main").files) == set(hub.repos["space", "ana/page"].at("main").files)


def test_the_page_needs_no_more_than_it_asks_for(tmp_path):
    build(DeploySettings(model="ana/open", dry_run=True, output_dir="x"), tmp_path / "page")
    listed = (tmp_path / "page" / "requirements.txt").read_text().splitlines()
    # pandas, which gradio brings, takes pyarrow where it is installed; the page works without it.
    code = "import sys, json; sys.modules['pyarrow'] = None; import app, u2u_hf\n"
    code += "print(json.dumps([u2u_hf.__file__, *(name for name, module in sys.modules.items() if module)]))"
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "page", capture_output=True, check=True)
    where, *modules = json.loads(run.stdout)
    assert where.startswith(str(tmp_path / "page"))  # the library that was taken along
    loaded = {name.split(".")[0] for name in modules}
    providing = importlib.metadata.packages_distributions()
    used = {package.lower() for name in loaded for package in providing.get(name, ())}
    ours = [line for line in importlib.metadata.requires("u2u-hf") if "extra" not in line]
    missing = [line for line in ours if line not in listed and re.match(r"[\w-]+", line)[0].lower() in used]
    assert not missing
    # Every line is one of the library's own, versions included.
    assert set(listed) <= set(ours)
    tested = metadata_load(tmp_path / "page" / "README.md")["sdk_version"]
    assert tested.split(".")[0] == importlib.metadata.version("gradio").split(".")[0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "web"}, "--kind web: give one of gradio, browser"),
        ({"space": ""}, "--space: give OWNER/NAME"),
        ({"space": "", "dry_run": True}, "--dry_run: also give --output_dir"),
        ({"model": "."}, "is a folder on this computer, and a Gradio Space fetches its model from the Hub: push it"),
        ({"kind": "browser", "token_from": "X"}, "cannot keep a secret"),
        ({"kind": "browser", "revision": "v2"}, "--revision: a page that works in the browser always uses the newest"),
    ],
)
def test_what_cannot_be_is_said_first(given, message):
    with pytest.raises(U2UError, match=message):
        DeploySettings(**{"model": "ana/open", "space": "ana/page"} | given)


def test_another_folder_is_not_written_over(random_model, tmp_path):
    settings = DeploySettings(model="ana/open", dry_run=True, output_dir="x")
    mine = tmp_path / "model"
    shutil.copytree(random_model, mine)
    shutil.copy(SPACES / "transcribe" / "README.md", mine)  # like a page's
    before = sorted(path.name for path in mine.iterdir())
    with pytest.raises(U2UError, match="holds something else"):
        build(settings, mine)
    assert sorted(path.name for path in mine.iterdir()) == before
    for _ in range(2):  # its own is written anew
        build(settings, tmp_path / "page")
    assert (tmp_path / "page" / "app.py").is_file()


def test_a_page_that_cannot_be_made_leaves_the_one_before(path_with_npm, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", path_with_npm)
    settings = DeploySettings(model="ana/open", kind="browser", dry_run=True, output_dir="x")
    build(settings, tmp_path / "page")
    before = sorted((tmp_path / "page").rglob("*"))
    monkeypatch.setenv("PATH", "")  # where npm would be found
    for folder in (tmp_path / "page", tmp_path / "new"):
        with pytest.raises(U2UError, match="npm is needed"):
            build(settings, folder)
    assert sorted((tmp_path / "page").rglob("*")) == before
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_the_page_fetches_its_private_model(hub, tmp_path):
    files = {"config.json": b"{}", "last-checkpoint/optimizer.pt": b"not needed"}
    model = hub.add("model", "ana/voice", private=True, files=files)
    code = """
import json
from model_info import facts, fetch
from u2u_hf.publishing.space_settings import SpaceVariables
from u2u_hf.records import U2UError
settings = SpaceVariables(model="ana/voice", revision="main")
try:
    folder = fetch(settings)
    known = facts(folder, settings)
    there = sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))
    print(json.dumps([there, known.model, known.revision]))
except U2UError as error:
    print(json.dumps(str(error)))
"""
    said = {}
    for token in (None, "hf_ben_read", "hf_ana_read"):
        environment = hub.environment(tmp_path / f"home {token}", token)
        environment["PYTHONPATH"] = str(PROJECT / "spaces" / "transcribe")
        run = programs.run(["-c", code], env=environment)
        said[token] = json.loads(run.stdout.splitlines()[-1])
    assert said["hf_ana_read"] == [["config.json"], "ana/voice", f"main {model.commits[-1].oid[:8]}"]
    assert "ana/voice: is not on the Hub, or is private and nobody is logged in" in said[None]
    assert "ana/voice: is not on the Hub, or is private and your account may not" in said["hf_ben_read"]


def test_a_token_that_nobody_was_asked_about_is_not_called_unknown(monkeypatch, tmp_path):
    monkeypatch.setenv("MODEL_TOKEN", "hf_ana_read")
    settings = DeploySettings(model="ana/ears", space="ana/page", token_from="MODEL_TOKEN")
    with pytest.raises(U2UError, match="MODEL_TOKEN: HF_HUB_OFFLINE is set, so the Hugging Face Hub is not asked"):
        make_space(settings, tmp_path)
