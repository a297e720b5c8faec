"""Who is contacted: each recipe runs once, and every connection that it makes is written down.

Python tells an audit hook of each address, in all processes; what native libraries ask for goes to `outside`, if they
heed the proxy variables. Xet is off: the Hub here stores files itself.
"""

import json
import os
import re
import subprocess
import sys

import pytest
from conftest import RECIPES
from support.hub_server import running_hub

WATCH = """
import json, os, socket, sys
_file = os.open(os.environ["CONNECTIONS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
_asked = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname")
def _hook(event, arguments):
    if event in _asked:
        if isinstance(arguments[0], socket.socket):
            if arguments[0].family not in (socket.AF_INET, socket.AF_INET6):
                return  # within this computer
            arguments = arguments[1:]
        host, port = arguments[0] if isinstance(arguments[0], tuple) else (*arguments, None)[:2]
        who = os.path.basename((getattr(sys, "argv", None) or ["?"])[0])
        os.write(_file, (json.dumps([who, str(host), str(port)]) + "\\n").encode())
sys.addaudithook(_hook)
"""
# One process for all recipes: importing the libraries is what takes the time.
RUN = """
import faulthandler, json, runpy, sys
faulthandler.dump_traceback_later(240, exit=True)  # who waits for an answer from elsewhere, waits for long
for recipe, *arguments in json.loads(sys.argv[1]):
    sys.argv = [recipe, *arguments]
    try:
        runpy.run_path(recipe, run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
"""
SET_BY_US = ("DISABLE_SAFETENSORS_CONVERSION", "GRADIO_ANALYTICS_ENABLED", "ORT_DISABLE_TELEMETRY")
SET_BY_US += ("HF_HUB_DISABLE_TELEMETRY", "HF_UPDATE_DOWNLOAD_COUNTS", "HF_HUB_DISABLE_UPDATE_CHECK")
TRAINING = "--use_cpu --max_steps 1 --eval_steps 1 --save_steps 1 --batch_seconds 8".split()


@pytest.fixture(scope="module")
def hub(random_base, tmp_path_factory):
    """A Hub with the private base model ana/base, whose weights are a pytorch_model.bin alone."""
    import torch
    from safetensors.torch import load_file

    folder = tmp_path_factory.mktemp("hub")
    torch.save(load_file(random_base / "model.safetensors"), folder / "pytorch_model.bin")
    files = [
        *(random_base / name for name in ("config.json", "preprocessor_config.json")),
        folder / "pytorch_model.bin",
    ]
    with running_hub(folder / "blobs") as hub:
        hub.add("model", "ana/base", True, {path.name: path.read_bytes() for path in files})
        yield hub


@pytest.fixture(scope="module")
def watched(hub, outside, tmp_path_factory):
    """Run code in a process without the settings of the tests; return which program asked for which address."""

    def run(code, *arguments):
        folder = tmp_path_factory.mktemp("watched")
        (folder / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
        environment = hub.environment(folder / "home", "hf_ana_write") | outside.environment
        environment = {name: value for name, value in environment.items() if name not in SET_BY_US}
        environment |= {"PYTHONPATH": str(folder), "CONNECTIONS": str(folder / "connections")}
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        lines = (folder / "connections").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    return run


def commands(corpus, recordings, folder, base, dataset="", model="", push=False):
    """Return the command of each recipe; with names of repos for dataset and model, these are pushed to and loaded."""

    def pushed(name):
        return ["--push_to", name] if push else []

    prepared, trained = folder / "dataset", folder / "model"
    dataset, model = dataset or prepared, model or trained
    rows = [
        ["prepare.py", "--corpus", corpus, "--output_dir", prepared, *pushed(dataset)],
        ["train.py", "--dataset", dataset, "--model", base, "--output_dir", trained, *TRAINING, *pushed(model)],
        ["language_model.py", "--model", trained, "--dataset", dataset, *pushed(model)],
        ["export.py", "--model", trained, "--dataset", dataset, *pushed(model)],
        ["evaluate.py", "--model", model, "--dataset", dataset, "--output_dir", folder / "scores"],
        ["transcribe.py", "--model", model, "--output_dir", folder / "transcripts", recordings],
    ]
    if push:
        rows.append(["deploy.py", "--model", model, "--dry_run", "--output_dir", folder / "page"])
    return json.dumps([[str(RECIPES / name), *map(str, arguments)] for name, *arguments in rows])


def test_the_watch_sees_who_calls(watched, outside):
    code = """
import subprocess, sys, socket, urllib.request
try:
    urllib.request.urlopen("https://elsewhere.example/", timeout=2)
except OSError:
    pass
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9))
subprocess.run([sys.executable, "-c", "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"], check=True)
"""
    found = [address for _, *address in watched(code)]
    assert found.count(["127.0.0.1", "9"]) == 2
    assert len(found) > 2  # the proxy
    assert "elsewhere.example" in outside.asked_for()


def test_folders_alone_need_nobody(watched, outside, demo_folder, random_base, tmp_path):
    rows = commands(demo_folder / "corpus", demo_folder / "new_recordings", tmp_path, random_base)
    assert not watched(RUN, rows)
    assert not outside.asked_for()


def test_with_the_hub_only_its_own_repos_are_asked_for(watched, hub, outside, demo_folder, tmp_path):
    hub.log.clear()
    there = ("ana/base", "ana/d", "ana/m", True)
    rows = commands(demo_folder / "corpus", demo_folder / "new_recordings", tmp_path, *there)
    found = watched(RUN, rows)
    port = re.search(r"\d+$", hub.url)[0]
    assert {tuple(address) for _, *address in found} == {("127.0.0.1", port)}
    assert not outside.asked_for()
    assert all(asked.user == "ana" for asked in hub.log if not asked.path.startswith("/lfs/"))
    known = r"/api/(whoami-v2|repos/create|validate-yaml)|/lfs/\w+"
    known += r"|(/api/models)?/ana/(base|m)(\.git)?(/.*)?|(/api/datasets|/datasets)/ana/d(\.git)?(/.*)?"
    paths = {asked.path for asked in hub.log}
    assert not [path for path in paths if not re.fullmatch(known, path)]
    # What transformers' conversion begins with, and the Hub's own copy of a dataset.
    assert not [
        path for path in paths if re.search("discussions|refs/|/commits/|parquet$", path) and "/data/" not in path
    ]
    for fetched in ("/ana/base/resolve/.*bin", "/ana/m/resolve/.*vocab.json", "/datasets/ana/d/resolve/.*parquet"):
        assert any(re.fullmatch(fetched, path) for path in paths), fetched
    assert {"model.safetensors", "onnx/model.onnx", "train.yaml"} <= set(hub.repos["model", "ana/m"].at("main").files)
    if "language_model" in os.listdir(tmp_path / "model"):
        assert "language_model/weights.json" in hub.repos["model", "ana/m"].at("main").files
