"""Pushing and loading back, with the real clients in processes of their own, against a Hub on this computer."""

import hashlib
import inspect
import itertools
import json
import shutil

import pytest
import soundfile
from conftest import RECIPES
from huggingface_hub.errors import OfflineModeIsEnabled
from support import programs
from support.hub_server import TOKENS, running_hub

from u2u_hf.data.dataset import load_splits
from u2u_hf.data.dataset_writer import write_dataset
from u2u_hf.hub.problems import hub_problem
from u2u_hf.hub.push import Push, _later
from u2u_hf.records import U2UError, Utterance
from u2u_hf.training.arguments import CtcTrainingArguments


@pytest.fixture
def hub(tmp_path):
    with running_hub(tmp_path / "blobs") as hub:
        yield hub


@pytest.fixture
def client(hub, tmp_path):
    """Run Python as a user of the Hub, logged in with a token or not; gives what its last line says, as JSON."""
    homes = itertools.count()

    def run(code, token=None):
        environment = hub.environment(tmp_path / f"home{next(homes)}", token)
        code = "import json, os\nfrom u2u_hf.records import U2UError\n" + code
        done = programs.run(["-c", code], env=environment)
        assert done.returncode == 0, done.stderr
        assert not any(token in done.stdout + done.stderr for token in TOKENS)
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture
def dataset(tmp_path):
    """A prepared dataset of four utterances."""
    path = tmp_path / "r.wav"
    soundfile.write(path, [((i * i) % 97) / 200 for i in range(16_000)], 16_000)
    texts = {"train": ["ab", "ña"], "validation": ["ba"], "test": ["a¹"]}
    splits = {
        split: [Utterance(t, str(path), "T", "A", 0, 250 * i, 250 * i + 700, t, t) for i, t in enumerate(members)]
        for split, members in texts.items()
    }
    write_dataset(splits, tmp_path / "dataset")
    (tmp_path / "dataset" / "report.json").write_text("{}")
    return tmp_path / "dataset"


def contents(splits):
    """What a dataset holds: text, and a digest of the audio's bytes."""
    return {
        name: [[row["text"], hashlib.sha256(row["audio"]["bytes"]).hexdigest()] for row in split]
        for name, split in splits.items()
    }


def push(folder, repo_id, kind, public=False):
    return f"""
from u2u_hf.hub.push import push_folder
try:
    print(json.dumps(push_folder({str(folder)!r}, {repo_id!r}, {kind!r}, public={public})))
except U2UError as error:
    print(json.dumps("U2UError " + str(error)))
"""


def refusals(calls, tokens):
    """Make each call with each token; gives a row of messages for each call."""
    return f"""
def message(call, token):
    os.environ.pop("HF_TOKEN", None)
    if token:
        os.environ["HF_TOKEN"] = token
    try:
        return str(eval(call))
    except U2UError as error:
        return "U2UError " + str(error)
print(json.dumps([[message(call, token) for token in {tokens!r}] for call in {calls!r}]))
"""


def test_the_libraries_take_this_for_the_hub(hub, client):
    code = """
import datasets
from huggingface_hub import HfApi, snapshot_download
api = HfApi()
datasets.Dataset.from_dict({"text": ["a", "ñ"]}).push_to_hub("ana/d", private=True)
api.create_repo("ana/s", repo_type="space", space_sdk="gradio", private=True)
api.add_space_secret("ana/s", "KEY", "value")
api.duplicate_repo("ana/s", "ana/s2", repo_type="space", private=True)
api.delete_repo("ana/s2", repo_type="space")
folder = snapshot_download("ana/d", repo_type="dataset")
print(json.dumps([
    datasets.load_dataset("ana/d")["train"]["text"][:], sorted(os.listdir(folder)),
    [c.title for c in api.list_repo_commits("ana/d", repo_type="dataset")], list(api.get_space_secrets("ana/s")),
    api.get_space_runtime("ana/s").stage,
]))
"""
    texts, files, commits, secrets, stage = client(code, "hf_ana_write")
    assert (texts, files) == (["a", "ñ"], ["README.md", "data"])
    assert (commits, secrets, stage) == (["Upload dataset", "initial commit"], ["KEY"], "RUNNING")
    assert set(hub.repos) == {("dataset", "ana/d"), ("space", "ana/s")}


def test_a_dataset_is_pushed_private_and_comes_back_equal(hub, client, dataset):
    assert client(push(dataset, "ana/words", "dataset"), "hf_ana_write") == f"{hub.url}/datasets/ana/words"
    assert [asked.visibility for asked in hub.log if asked.path == "/api/repos/create"] == ["private"]
    repo = hub.repos["dataset", "ana/words"]
    assert repo.private
    assert [commit.title for commit in repo.commits] == ["initial commit", "Upload with u2u-hf"]
    code = f"""
import hashlib
from u2u_hf.data.dataset import load_splits
{inspect.getsource(contents)}
print(json.dumps(contents(load_splits("ana/words"))))
"""
    assert client(code, "hf_ana_read") == contents(load_splits(dataset))


def test_a_second_push_replaces_the_first_and_sends_only_what_is_new(hub, client, dataset):
    old = {"data/train-00000-of-00002.parquet": b"old", "data/train-00001-of-00002.parquet": b"old", "README.md": b"hi"}
    hub.add("dataset", "ana/words", True, old)
    client(push(dataset, "ana/words", "dataset"), "hf_ana_write")
    assert set(hub.repos["dataset", "ana/words"].at("main").files) == {
        "README.md", "report.json", *(f"data/{s}-00000-of-00001.parquet" for s in ("train", "validation", "test")),
    }  # fmt: skip
    hub.log.clear()
    (dataset / "report.json").write_text('{"new": 1}')
    client(push(dataset, "ana/words", "dataset"), "hf_ana_write")
    assert [asked.sent for asked in hub.log if asked.method == "PUT" or "/commit/" in asked.path] == [10]


def test_a_model_is_pushed_without_checkpoints_and_transformers_loads_it(hub, client, random_model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(random_model, folder)
    for name in ("checkpoint-5/optimizer.pt", ".cache/x", "onnx/.model.onnx.7.part", "training_args.bin"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"not to be pushed")
    assert client(push(folder, "ana/ears", "model"), "hf_ana_write") == f"{hub.url}/ana/ears"
    pushed = hub.repos["model", "ana/ears"]
    assert pushed.private
    assert set(pushed.at("main").files) == {path.name for path in random_model.iterdir()}
    code = f"""
import torch
from transformers import pipeline
from u2u_hf.recognition.model import load_trained
there, here = (load_trained(source)[0].state_dict() for source in ("ana/ears", {str(folder)!r}))
recognizer = pipeline("automatic-speech-recognition", "ana/ears")
print(json.dumps([all(torch.equal(there[k], here[k]) for k in here), type(recognizer.model).__name__]))
"""
    assert client(code, "hf_ana_read") == [True, "HubertForCTC"]


def test_what_was_made_of_a_model_goes_beside_it(hub, client, tmp_path):
    weights, onnx, small = "model.safetensors", "onnx/model.onnx", "onnx/model_quantized.onnx"
    pushes = [
        ([weights, onnx, small], {weights, onnx, small}),
        ([onnx], {weights, onnx}),  # an export without 8-bit numbers; the weights that it was made from stay
        (["language_model/weights.json"], {weights, onnx, "language_model/weights.json"}),
        ([weights], {weights}),  # the others would be those of another model
    ]
    for number, (names, expected) in enumerate(pushes):
        for name in names:
            (tmp_path / str(number) / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / str(number) / name).write_text(f"{number}")
        client(push(tmp_path / str(number), "ana/ears", "model"), "hf_ana_write")
        assert set(hub.repos["model", "ana/ears"].at("main").files) == expected


def test_an_upload_that_breaks_off_says_how_to_send_it_later(hub, client, tmp_path):
    folder = tmp_path / "my model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    breaking = """
import huggingface_hub._commit_api as api, httpx2
def broken(**settings):
    raise RuntimeError("Error while uploading") from httpx2.ConnectError("Network is unreachable")
api._upload_lfs_files = broken
"""
    message = client(breaking + push(folder, "ana/ears", "model"), "hf_ana_write")
    assert f"{hub.url} cannot be reached: check the internet connection and try again; the result is in" in message
    command = message.split("to push it later: ")[1]
    (folder / "checkpoint-5").mkdir()
    (folder / "checkpoint-5" / "optimizer.pt").write_bytes(b"not to be pushed")
    client(f"import subprocess; subprocess.run({command!r}, shell=True, check=True); print(1)", "hf_ana_write")
    assert set(hub.repos["model", "ana/ears"].at("main").files) == {"model.safetensors"}


SECRET = b"a secret that nobody may read"
STRANGERS = ("passwords.txt", "corpus/a.eaf", "corpus/audio/a.wav", "model.safetensors.bak", "onnx/notes.txt",
             "data/other.parquet", "data/train-00000-of-00001 (2).parquet", "my/config.json")  # fmt: skip


def add_strangers(folder, elsewhere):
    """Put what is no part of a dataset or model into the folder, and links to it that look as if they were."""
    for name in STRANGERS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(SECRET)
    elsewhere.mkdir()
    for name in ("model.onnx", "weights.json", "test-00000-of-00009.parquet", "tokenizer.json"):
        (elsewhere / name).write_bytes(SECRET)
    links = {
        "onnx/model.onnx": elsewhere / "model.onnx",
        "language_model": elsewhere,
        "tokenizer.json": folder / "passwords.txt",
    }
    links |= {
        "data/test-00000-of-00009.parquet": elsewhere / "test-00000-of-00009.parquet",
        "report.html": elsewhere / "weights.json",
    }
    links |= {"README.md": folder / "passwords.txt", "nowhere": elsewhere / "nothing"}
    for name, target in links.items():
        (folder / name).symlink_to(target, target_is_directory=target.is_dir())


def everything_sent(hub):
    return [path.read_bytes() for path in hub._blobs.iterdir()]


@pytest.mark.parametrize("kind", ["dataset", "model"])
def test_only_what_belongs_to_it_is_sent_and_later_too(hub, client, dataset, random_model, tmp_path, kind):
    folder = tmp_path / "my own folder"
    shutil.copytree(dataset if kind == "dataset" else random_model, folder)
    belonging = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    add_strangers(folder, tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)  # the user names the folder by it
    told = client(
        f"""
import tqdm
told = []
tqdm.tqdm.write = told.append
from u2u_hf.hub.push import push_folder
push_folder({str(tmp_path / "link")!r}, "ana/it", {kind!r})
print(json.dumps(told))
""",
        "hf_ana_write",
    )
    assert set(hub.repos[kind, "ana/it"].at("main").files) == belonging
    assert SECRET not in everything_sent(hub)
    (line,) = told
    count = len(STRANGERS) + 7
    assert f"not pushed, because links or not part of a {kind}: {count} (README.md, corpus/a.eaf, " in line

    del hub.repos[kind, "ana/it"]
    broken = """
from huggingface_hub import HfApi
def broken(*arguments, **settings):
    raise ConnectionError("reset")
HfApi.preupload_lfs_files = broken
"""
    command = client(broken + push(folder, "ana/it", kind), "hf_ana_write").split("to push it later: ")[1]
    assert SECRET not in everything_sent(hub)
    del hub.repos[kind, "ana/it"]  # made again by `hf`, and private again
    client(f"import subprocess; subprocess.run({command!r}, shell=True, check=True); print(1)", "hf_ana_write")
    assert set(hub.repos[kind, "ana/it"].at("main").files) == belonging
    assert hub.repos[kind, "ana/it"].private
    assert SECRET not in everything_sent(hub)


def test_many_shards_are_one_pattern_of_the_later_line(tmp_path):
    names = [f"data/train-{number:05d}-of-00300.parquet" for number in range(300)]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert '"--include=data/train-*-of-00300.parquet" "--delete=data/*"' in _later(
        tmp_path, "ana/d", "dataset", False, names, ["data/*"]
    )
    (tmp_path / "data" / "train-my-of-00300.parquet").touch()
    assert "train-*" not in (line := _later(tmp_path, "ana/d", "dataset", False, names, []))
    assert line.count("--include=") == 300


def test_a_space_is_what_was_built(hub, client, tmp_path):
    hub.add("space", "ana/page", True)
    code = """
from pathlib import Path
from u2u_hf import output_folder
page, made = (Path(NAME, folder) for folder in ("page", "made"))
(made / "assets").mkdir(parents=True)
for name in ("app.py", "assets/style.css"):
    (made / name).write_text(name)
output_folder.claim(page, "deploy.py")
output_folder.replace_all(made, page)
(page / "passwords.txt").write_text("secret")
(page / "link.py").symlink_to(page / "passwords.txt")
""".replace("NAME", repr(str(tmp_path)))
    client(code + push(tmp_path / "page", "ana/page", "space"), "hf_ana_write")
    assert set(hub.repos["space", "ana/page"].at("main").files) == {"app.py", "assets/style.css"}


def test_an_empty_push_is_refused(hub, client, tmp_path):
    hub.add("model", "ana/m", True, {"model.safetensors": b"weights", "onnx/model.onnx": b"onnx"})
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "notes.txt").write_text("notes")
    assert "holds no file of a model" in client(push(tmp_path / "m", "ana/m", "model"), "hf_ana_write")
    assert len(hub.repos["model", "ana/m"].commits) == 1


MEANWHILE = """
from huggingface_hub import HfApi
uploading, times = HfApi.preupload_lfs_files, []
def preupload(self, repo_id, *arguments, **settings):
    uploading(self, repo_id, *arguments, **settings)
    if not times:
        times.append(1)
        HfApi.preupload_lfs_files = uploading
        {action}
        HfApi.preupload_lfs_files = preupload
HfApi.preupload_lfs_files = preupload
"""
OPENED = MEANWHILE.format(
    action="self.update_repo_settings(repo_id, visibility='public', repo_type=settings['repo_type'])"
)


@pytest.mark.parametrize("kind", ["dataset", "model"])
def test_a_repo_made_public_during_the_upload_gets_no_commit(hub, client, dataset, random_model, kind):
    folder = dataset if kind == "dataset" else random_model
    message = client(OPENED + push(folder, "ana/it", kind), "hf_ana_write")
    assert message.startswith(f"U2UError ana/it: this {kind} is public")
    assert "hf upload" not in message
    assert [commit.title for commit in hub.repos[kind, "ana/it"].commits] == ["initial commit"]
    assert not hub.repos[kind, "ana/it"].at("main").files
    assert client(OPENED + push(folder, "ana/it2", kind, public=True), "hf_ana_write").endswith("ana/it2")


def test_what_others_commit_meanwhile_is_built_upon(hub, client, dataset):
    hub.add("dataset", "ana/it", True, {"README.md": b"hi"})
    theirs = (
        "self.create_commit(repo_id, [Add('data/x.parquet', b'x'), Add('notes.txt', b'n'), Add('report.json', b'')], "
    )
    theirs += "commit_message='theirs', repo_type='dataset')"
    code = "from huggingface_hub import CommitOperationAdd as Add\n" + MEANWHILE.format(action=theirs)
    client(code + push(dataset, "ana/it", "dataset"), "hf_ana_write")
    repo = hub.repos["dataset", "ana/it"]
    assert [commit.title for commit in repo.commits] == ["initial commit", "theirs", "Upload with u2u-hf"]
    files = repo.at("main").files
    assert {"notes.txt", "README.md", "data/train-00000-of-00001.parquet"} <= set(files)
    assert "data/x.parquet" not in files  # would be read together with ours
    assert hub.content(files["report.json"]) == b"{}"  # was the same before theirs


def test_a_stopped_push_sends_no_file_twice(hub, client, dataset):
    stopping = """
from huggingface_hub import HfApi
def stop(*arguments, **settings):
    raise ConnectionError("reset")
HfApi.create_commit = stop
"""
    assert "to push it later" in client(stopping + push(dataset, "ana/it", "dataset"), "hf_ana_write")
    assert len([asked for asked in hub.log if asked.method == "PUT"]) == 3
    hub.log.clear()
    client(push(dataset, "ana/it", "dataset"), "hf_ana_write")
    assert not [asked for asked in hub.log if asked.method == "PUT"]
    assert len(hub.repos["dataset", "ana/it"].at("main").files) == 4


def test_a_checkpoint_does_not_go_to_a_repo_made_public(hub, client, tmp_path):
    hub.add("model", "ana/m", True)
    code = f"""
from pathlib import Path
from types import SimpleNamespace
import tqdm
told = []
tqdm.tqdm.write = told.append
from huggingface_hub import HfApi
from u2u_hf.training.checkpoints import HubCheckpoints
api, here = HfApi(), Path({str(tmp_path)!r}, "run")
def save(step, sending):
    folder = here / f"checkpoint-{{step}}"
    folder.mkdir(parents=True)
    for name in ("model.safetensors", "optimizer.pt", "rng_state_1.pth", "training_args.bin", "passwords.txt"):
        (folder / name).write_text(f"of {{step}}")
    (folder / "trainer_state.json").write_text("{{}}")
    (folder / "vocab.json").symlink_to(folder / "passwords.txt")
    state = dict(global_step=step, best_model_checkpoint=str(folder))
    sending.on_save(SimpleNamespace(output_dir=here), SimpleNamespace(is_world_process_zero=True, **state), None)
    sending._finish()
    return [len(api.list_repo_commits("ana/m")), *told]
sending = HubCheckpoints("ana/m")
first = save(1, sending)
api.update_repo_settings("ana/m", visibility="public")
found = [first, save(2, sending), save(3, HubCheckpoints("ana/m", public=True))[:1]]
api.update_repo_settings("ana/m", visibility="private")
{OPENED}
told.clear()
print(json.dumps([*found, save(4, sending), sorted(api.list_repo_files("ana/m"))]))
"""
    refusal = (
        "! the checkpoint could not be pushed to ana/m: ana/m: this model is public, everybody could read what is "
    )
    refusal += "pushed: give another name, make it private on its page, or give --public"
    *found, files = client(code, "hf_ana_write")
    assert found == [[2], [2, refusal], [3], [3, refusal]]
    names = ("model.safetensors", "optimizer.pt", "rng_state_1.pth", "trainer_state.json")
    assert files == [f"last-checkpoint/{name}" for name in names]


def test_nothing_goes_to_a_public_repo_unless_asked(hub, client, dataset):
    hub.add("dataset", "ana/open", private=False)
    message = client(push(dataset, "ana/open", "dataset"), "hf_ana_write")
    assert message.startswith("U2UError ana/open: this dataset is public")
    assert "--public" in message
    assert hub.uploads() == []
    assert client(push(dataset, "ana/open", "dataset", public=True), "hf_ana_write").endswith("ana/open")
    assert "report.json" in hub.repos["dataset", "ana/open"].at("main").files
    assert not hub.repos["dataset", "ana/open"].private


def test_a_private_repo_stays_private_when_public_is_asked_for(hub, client, dataset):
    hub.add("dataset", "ana/closed", private=True)
    client(push(dataset, "ana/closed", "dataset", public=True), "hf_ana_write")
    assert hub.uploads()
    assert hub.repos["dataset", "ana/closed"].private
    client(push(dataset, "ana/world", "dataset", public=True), "hf_ana_write")
    assert not hub.repos["dataset", "ana/world"].private


def test_who_may_not_push_is_told_what_to_do(hub, client, dataset):
    hub.add("dataset", "ana/there", private=True)
    code = "from u2u_hf.hub.push import check_push, push_folder\n"
    repo_ids = ("ana/there", "ana/new")
    calls = [f"push_folder({str(dataset)!r}, {repo_id!r}, 'dataset')" for repo_id in repo_ids]
    rows = client(code + refusals(calls, [None, "hf_nobodys", "hf_ñ", "hf_ana_read", "hf_ben_write"]))
    for repo_id, (nobody, wrong, odd, read, other) in zip(repo_ids, rows, strict=True):
        for message in (nobody, wrong, odd, read, other):
            assert message.startswith(f"U2UError {repo_id}: cannot be pushed to: ")
            assert f"make a token with write access at {hub.url}/settings/tokens and run `hf auth login`" in message
            assert "\n" not in message
            assert "hf_n" not in message
            assert "hf_ñ" not in message
        assert "nobody is logged in" in nobody
        assert wrong == odd
        assert "does not accept the token: unset HF_TOKEN" in wrong
        assert "the token may only read" in read
        assert f"you are ben there: push to ben/{repo_id[4:]}" in other
    names = ["check_push('a b/c', 'dataset')", "check_push('c', 'dataset')"]
    assert all("OWNER/NAME" in message for (message,) in client(code + refusals(names, ["hf_ana_write"])))
    assert hub.uploads() == []
    assert set(hub.repos) == {("dataset", "ana/there")}


def test_who_may_not_load_is_told_what_to_do(hub, client, dataset, random_model):
    model = {p.name: p.read_bytes() for p in random_model.iterdir()}
    hub.add("dataset", "ana/words", True, {p.name: p.read_bytes() for p in (dataset / "data").iterdir()})
    hub.add("model", "ana/ears", True, model)
    hub.add("model", "ana/base", False, model)
    hub.gated = {"ana/base"}
    code = "from u2u_hf.data.dataset import load_splits\nfrom u2u_hf.recognition.recognizer import Recognizer\n"
    code += "from u2u_hf.recognition.model import load_trained, start_from\n"
    calls = ["load_splits('ana/words')", "load_trained('ana/ears')", "Recognizer('ana/ears')"]
    calls.append("start_from('ana/base', ['ab'])")
    *private, (nobody, _, other) = client(code + refusals(calls, [None, "hf_nobodys", "hf_ben_read"]))
    consent = "U2UError ana/base: cannot be loaded: its owners ask for consent: agree on its page, then "
    token = f"make a token with read access at {hub.url}/settings/tokens and run `hf auth login`"
    assert (nobody, other) == (consent + token, f"{consent}try again")
    for nobody, wrong, other in private:
        for message in (nobody, wrong, other):
            assert message.startswith("U2UError ana/")
            assert "make a token with read access" in message
            assert "`hf auth login`" in message
            assert "\n" not in message
        assert "nobody is logged in" in nobody
        assert "does not accept the token" in wrong
        assert "your account may not read it" in other


def test_what_the_hub_says_is_told(hub, client, dataset):
    hub.refusals = {
        "ana/full": (403, "Private repository storage limit reached, please upgrade your plan"),
        "ana/unpaid": (402, "Payment required"),
    }
    hub.portal = {"ana/portal"}
    hub.add("dataset", "ana/words", True)
    hub.add("model", "ana/ears", True)
    code = f"""
from u2u_hf.data.dataset import load_splits
from u2u_hf.hub.push import push_folder
from u2u_hf.recognition.model import load_trained
calls = [lambda name=name: push_folder({str(dataset)!r}, name, "dataset") for name in {[*hub.refusals, *hub.portal]}]
calls += [lambda: load_trained("ana/portal"), lambda: load_trained("ana/words"), lambda: load_splits("ana/ears")]
said = []
for call in calls:
    try:
        call()
    except U2UError as error:
        said.append(str(error))
print(json.dumps(said))
"""
    full, unpaid, push_portal, load_portal, dataset_as_model, model_as_dataset = client(code, "hf_ana_write")
    assert "ana/full: cannot be pushed to: the Hugging Face Hub refuses (HTTP 403: Private repository storage " in full
    assert "limit reached, please upgrade your plan): delete what you do not need there, or see your plan at" in full
    assert "(HTTP 402: Payment required): buy credit, or see what your plan includes at" in unpaid
    for message in (push_portal, load_portal):
        assert message.startswith("ana/portal: cannot be ")
        assert f"another page answers in place of {hub.url}, such as the login page of a network" in message
    assert "is a dataset, not a model: give the folder of a model, or its name on the Hub" in dataset_as_model
    assert "is a model, not a dataset: give the folder of a dataset, or its name on the Hub" in model_as_dataset


def test_the_recipes_check_before_they_work(hub, recipe, tmp_path, random_base):
    def refused(name, token, **more):
        arguments = {
            "prepare.py": ["--corpus", tmp_path, "--output_dir", tmp_path / "out"],
            "train.py": ["--dataset", tmp_path, "--model", random_base, "--output_dir", tmp_path / "out", "--use_cpu"],
        }[name]
        environment = {**hub.environment(tmp_path / "home", token), **more}
        done = recipe(name, *arguments, "--push_to", "ana/new", env=environment)
        assert done.returncode == 1
        assert not (tmp_path / "out").exists()
        (line,) = done.stderr.splitlines()
        return line

    assert "error: ana/new: cannot be pushed to: the token may only read" in refused("train.py", "hf_ana_read")
    unreachable = refused("prepare.py", "hf_ana_write", HF_ENDPOINT="http://127.0.0.1:9")
    assert "http://127.0.0.1:9 cannot be reached: check the internet connection" in unreachable


def test_from_corpus_to_model_by_way_of_the_hub(hub, recipe, demo_folder, random_base, tmp_path):
    environment = hub.environment(tmp_path / "home", "hf_ana_write")
    prepared, model = tmp_path / "prepared", tmp_path / "model"
    arguments = ["--corpus", demo_folder / "corpus", "--output_dir", prepared, "--push_to", "ana/d"]
    done = recipe("prepare.py", *arguments, env=environment)
    assert done.returncode == 0, done.stderr
    assert f"on the Hub: {hub.url}/datasets/ana/d" in done.stdout
    assert {"prepare.yaml", "splits.csv"} <= set(hub.repos["dataset", "ana/d"].at("main").files)
    assert "push_to" not in (prepared / "prepare.yaml").read_text(encoding="utf-8")
    arguments = ["--dataset", "ana/d", "--model", random_base, "--output_dir", model, "--push_to", "ana/m"]
    steps = ["--use_cpu", "--max_steps", 2, "--eval_steps", 2, "--save_steps", 2]
    done = recipe("train.py", *arguments, *steps, env=environment)
    assert done.returncode == 0, done.stderr
    assert (model / "checkpoint-2").is_dir()
    files = set(hub.repos["model", "ana/m"].at("main").files)
    assert {"model.safetensors", "config.json", "vocab.json", "train.yaml"} <= files
    assert not any(name.startswith("checkpoint") for name in files)
    assert all(repo.private for repo in hub.repos.values())


def test_a_run_goes_on_on_another_computer(hub, recipe, demo_dataset, random_base, tmp_path):
    """The first one breaks off after its second checkpoint; the second has nothing but the name of the repo."""
    first, second = tmp_path / "first", tmp_path / "second"
    steps = "--use_cpu --max_steps 8 --eval_steps 2 --save_steps 2 --resume --batch_seconds 8".split()
    arguments = ["--dataset", demo_dataset, "--model", random_base, "--push_to", "ana/m", *steps]
    environment = hub.environment(tmp_path / "home", "hf_ana_write")
    code = f"""
import os, runpy, time
from huggingface_hub import file_exists
from transformers import Trainer
saved = Trainer._save_checkpoint
def save(self, *arguments):
    saved(self, *arguments)
    if self.state.global_step == 6:
        while not file_exists("ana/m", "last-checkpoint/trainer_state.json"):  # uploads run beside the training
            time.sleep(0.1)
        os._exit(9)
Trainer._save_checkpoint = save
runpy.run_path({str(RECIPES / "train.py")!r}, run_name="__main__")
"""
    done = programs.run(["-c", code, *arguments, "--output_dir", first], env=environment)
    assert done.returncode == 9, done.stderr
    files = hub.repos["model", "ana/m"].at("main").files
    there = json.loads(hub.content(files["last-checkpoint/trainer_state.json"]))["global_step"]
    assert there in (2, 4)  # what comes while an upload is on its way is not sent
    assert {"last-checkpoint/optimizer.pt", "last-checkpoint/model.safetensors"} <= set(files)
    assert not any("training_args" in name for name in files)

    environment = hub.environment(tmp_path / "home2", "hf_ana_write")
    done = recipe("train.py", *arguments, "--output_dir", second, env=environment)
    assert done.returncode == 0, done.stderr
    state = json.loads((second / "checkpoint-8" / "trainer_state.json").read_text(encoding="utf-8"))
    assert state["global_step"] == 8
    assert [row["step"] for row in state["log_history"] if "eval_cer" in row] == [2, 4, 6, 8]
    files = set(hub.repos["model", "ana/m"].at("main").files)
    assert "model.safetensors" in files
    assert not any("checkpoint" in name for name in files)  # the finished model takes their place
    assert all(repo.private for repo in hub.repos.values())


def test_the_best_checkpoint_goes_along(hub, client, tmp_path):
    hub.add("model", "ana/m", True)
    code = f"""
from pathlib import Path
from types import SimpleNamespace
from huggingface_hub import HfApi
from u2u_hf.training.checkpoints import HubCheckpoints, resume_point
here, *others = (Path({str(tmp_path)!r}, name) for name in ("here", "there", "elsewhere"))
sending = HubCheckpoints("ana/m")
for step, best in ((100, 100), (200, 200), (300, 200), (400, 200), (500, 500), (600, 500)):
    folder = here / f"checkpoint-{{step}}"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_text(f"of {{step}}")
    (folder / "vocab.json").write_text("{{}}")
    state = dict(global_step=step, best_global_step=best, best_metric=0.5)
    state["best_model_checkpoint"] = str(here / f"checkpoint-{{best}}")
    (folder / "trainer_state.json").write_text(json.dumps(state))
    sending.on_save(SimpleNamespace(output_dir=here), SimpleNamespace(is_world_process_zero=True, **state), None)
    sending._finish()
found = []
for there in others:
    there.mkdir()
    last = resume_point(there, True, {{}}, "ana/m")
    weights = {{path.parent.name: path.read_text() for path in there.rglob("*.safetensors")}}
    state = json.loads((last / "trainer_state.json").read_text())
    found.append([last.name, weights, state["best_global_step"], state["best_metric"]])
    of_another_moment = b'{{"global_step": 200}}'
    name = "best-checkpoint/trainer_state.json"
    HfApi().upload_file(path_or_fileobj=of_another_moment, path_in_repo=name, repo_id="ana/m")
print(json.dumps(found))
"""
    last = {"checkpoint-600": "of 600"}
    assert client(code, "hf_ana_write") == [
        ["checkpoint-600", last | {"checkpoint-500": "of 500"}, 500, 0.5],
        ["checkpoint-600", last, None, None],
    ]


def test_public_needs_somewhere_to_push():
    with pytest.raises(U2UError, match="--push_to OWNER/NAME"):
        Push(public=True)


def test_the_push_of_transformers_is_refused():
    with pytest.raises(U2UError, match="--push_to_hub: give --push_to OWNER/NAME"):
        CtcTrainingArguments(output_dir="x", push_to_hub=True, use_cpu=True)


def test_problems_are_one_line_without_the_token(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert hub_problem(ValueError("Illegal header value b'Bearer hf_secret'\nmore")) == (
        "Illegal header value b'Bearer …'"
    )
    assert "unset it" in hub_problem(OfflineModeIsEnabled("offline"))
    wrapped = RuntimeError("Error while uploading 'x' to the Hub.")
    wrapped.__cause__ = ConnectionResetError("reset")
    assert "cannot be reached" in hub_problem(wrapped)
