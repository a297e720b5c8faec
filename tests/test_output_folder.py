"""Recipes write into folders that are new, empty or their own, and replace only what they wrote."""

import contextlib
import errno
import hashlib
import json
import os
import runpy
import shutil
import sys
from pathlib import Path

import pytest
from conftest import RECIPES
from support.saving import SAVES, before_call, saved_before

from u2u_hf import model_folder, output_folder, written_files
from u2u_hf.command_line.statuses import FAILED, SKIPPED
from u2u_hf.data.dataset import load_splits
from u2u_hf.data.dataset_writer import write_dataset
from u2u_hf.demo.corpus import make_demo_corpus
from u2u_hf.files import add
from u2u_hf.output_folder import MARKER, claim
from u2u_hf.publishing.browser_page import build as build_site
from u2u_hf.publishing.deploy import DeploySettings, build
from u2u_hf.recognition import language_model
from u2u_hf.records import U2UError
from u2u_hf.training.checkpoints import resume_point
from u2u_hf.written_files import WRITTEN, put_if_same

OWN = (MARKER, WRITTEN)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a recipe in this process: its exit status, and the lines on stderr."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(RECIPES / name), run_name="__main__")
        said = capsys.readouterr()
        code = ended.value.code
        return (1, code.splitlines()) if isinstance(code, str) else (code, (said.out + said.err).splitlines())

    return run


def snapshot(folder):
    """Every file's bytes, and every folder."""
    return {path.relative_to(folder).as_posix(): path.is_file() and path.read_bytes() for path in folder.rglob("*")}


@pytest.fixture
def mine(tmp_path):
    """A person's folder, with files in all the places that recipes write to."""
    folder = tmp_path / "mine"
    names = """
        README.md data/a.wav data/train-00000-of-00001.parquet report.html metrics.json config.json a.eaf queue.tsv
        onnx/model.onnx language_model/weights.json checkpoint-3/optimizer.pt .parts/x .data/x vendor/x.js
        demo/corpus/a.eaf pretraining.json training_curves.png
    """.split()
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"my {name}", encoding="utf-8")
    return folder


ARGUMENTS = {
    "prepare.py": ["--corpus", "{corpus}"],
    "prepare.py --inspect": ["--corpus", "{corpus}", "--inspect"],
    "train.py": ["--dataset", "{dataset}", "--model", "{model}", "--use_cpu"],
    "train.py --resume": ["--dataset", "{dataset}", "--model", "{model}", "--use_cpu", "--resume"],
    "evaluate.py": ["--dataset", "{dataset}", "--model", "{model}"],
    "export.py": ["--model", "{model}"],
    "language_model.py": ["--dataset", "{dataset}", "--model", "{model}"],
    "deploy.py": ["--model", "ana/m", "--dry_run"],
    "deploy.py --kind": ["--model", "ana/m", "--kind", "browser", "--dry_run"],
    "quickstart.py": [],
    "demo/pretrain.py": [],
}


@pytest.fixture
def arguments(demo_folder, demo_dataset, random_model):
    known = {"corpus": demo_folder / "corpus", "dataset": demo_dataset, "model": random_model}
    return lambda name: [word.format(**known) for word in ARGUMENTS[name]]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_persons_folder_is_left_as_it_is(name, arguments, run, mine):
    before = snapshot(mine)
    code, lines = run(name.split()[0], *arguments(name), "--output_dir", mine)
    assert code == 1
    (line,) = lines
    assert f"{mine}: holds something else (" in line
    assert "--output_dir must be a new or empty folder, or one that" in line
    assert len(line.replace(str(mine), "")) < 200
    assert snapshot(mine) == before


@pytest.mark.parametrize("name", ARGUMENTS)
def test_another_recipes_folder_is_left_as_it_is(name, arguments, run, mine):
    (mine / MARKER).write_text('{"made_by": "another.py"}')
    before = snapshot(mine)
    code, lines = run(name.split()[0], *arguments(name), "--output_dir", mine)
    assert code == 1
    assert f"{mine}: was made by another.py" in lines[0]
    assert snapshot(mine) == before


def test_what_is_no_folder_is_said(run, arguments, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, message in (("file", "is a file"), ("link", "a link that leads nowhere"), ("file/below", "cannot be")):
        code, lines = run("evaluate.py", *arguments("evaluate.py"), "--output_dir", tmp_path / name)
        assert code == 1
        assert len(lines) == 1
        assert message in lines[0]
    assert (tmp_path / "file").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


def test_empty_is_empty_whatever_file_managers_leave(tmp_path):
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._.DS_Store", f".{MARKER}.12.part"):
        (tmp_path / name).write_bytes(b"x")
    claim(tmp_path, "prepare.py")
    claim(tmp_path, "train.py")  # prepare.py wrote nothing
    (tmp_path / "checkpoint-1").mkdir()
    claim(tmp_path, "train.py")
    with pytest.raises(U2UError, match=r"was made by train\.py: .* or one that prepare\.py made"):
        claim(tmp_path, "prepare.py")
    for damaged in ("", "{}", "[]", "3", '{"made_by": 1}'):
        (tmp_path / MARKER).write_text(damaged)
        with pytest.raises(U2UError, match="holds something else"):
            claim(tmp_path, "train.py")


def test_recordings_in_a_folder_called_data_stay(demo_folder, run, tmp_path):
    corpus = tmp_path / "corpus"
    shutil.copytree(demo_folder / "corpus" / "audio", corpus / "data")
    shutil.copytree(demo_folder / "corpus" / "elan", corpus / "elan")
    (corpus / "README.md").write_text("about my corpus")
    before = snapshot(tmp_path)
    for output, message in ((corpus, "of --corpus, or holds it"), (tmp_path, "--corpus"), (corpus / "data", "nci_")):
        for more in ([], ["--inspect"]):
            code, (line,) = run("prepare.py", "--corpus", corpus, "--output_dir", output, *more)
            assert code == 1
            assert message in line
    assert snapshot(tmp_path) == before
    # A new folder inside of it is nobody else's.
    code, _ = run("prepare.py", "--corpus", corpus, "--output_dir", corpus / "dataset")
    assert code == 0
    after = snapshot(tmp_path)
    assert {name: after[name] for name in before} == before


def test_prepare_replaces_only_what_it_wrote(demo_folder, run, tmp_path):
    output = tmp_path / "dataset"
    command = ["--corpus", demo_folder / "corpus", "--output_dir", output]
    assert run("prepare.py", *command, "--inspect")[0] == 0
    assert run("prepare.py", *command)[0] == 0
    rows = {name: split.to_list() for name, split in load_splits(output).items()}
    assert not (output / ".parts").exists()
    (output / "data" / "notes.txt").write_text("mine")
    (output / "data" / "sounds").mkdir()
    (output / "data" / "sounds" / "a.wav").write_text("mine")
    (output / "data" / "train-00000-of-00002.parquet").write_text("of a run before")
    (output / "mine.txt").write_text("mine")
    card = (output / "README.md").read_text(encoding="utf-8")
    (output / "README.md").write_text(f"{card}\nedited", encoding="utf-8")
    moved = tmp_path / "moved"
    output.rename(moved)
    code, lines = run("prepare.py", *command[:3], moved)
    assert code == 0
    assert f"! {moved / 'README.md'}: was edited, and is kept as README.edited.md" in lines
    assert (moved / "README.edited.md").read_text(encoding="utf-8") == f"{card}\nedited"
    assert [path.name for path in moved.glob("*.edited*")] == ["README.edited.md"]
    assert (moved / "data" / "notes.txt").read_text() == (moved / "mine.txt").read_text() == "mine"
    assert (moved / "data" / "sounds" / "a.wav").read_text() == "mine"
    assert not (moved / "data" / "train-00000-of-00002.parquet").exists()
    assert {path.name for path in moved.glob(".*")} == set(OWN)
    shutil.rmtree(moved / "data" / "sounds")
    (moved / "data" / "notes.txt").unlink()
    assert {name: split.to_list() for name, split in load_splits(moved).items()} == rows


@pytest.mark.parametrize("killed", ["making → data", "data → before", "a.wav"])
def test_a_kill_between_two_renamings_loses_nothing(killed, tmp_path, monkeypatch):
    splits = {"train": [], "validation": [], "test": []}
    write_dataset(splits, tmp_path)
    (tmp_path / "data" / "a.wav").write_text("mine")
    rename = Path.rename

    def stop(self, target):
        names = {"making → data": ".data", "data → before": "data", "a.wav": "a.wav"}
        if self.name == names[killed]:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", stop)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(splits, tmp_path)
    monkeypatch.undo()
    assert [path.read_text() for path in tmp_path.rglob("a.wav")] == ["mine"]
    write_dataset(splits, tmp_path)
    assert (tmp_path / "data" / "a.wav").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_data_that_is_a_link_is_said(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(U2UError, match="data: is a file or a link"):
        write_dataset({"train": []}, tmp_path)


def test_a_model_folder_is_no_place_for_scores_nor_a_dataset(run, arguments, random_model, demo_folder, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(random_model, model)
    (model / "README.md").write_text("its card")
    before = snapshot(model)
    assert run("evaluate.py", *arguments("evaluate.py"), "--output_dir", model)[0] == 1
    assert run("prepare.py", *arguments("prepare.py"), "--output_dir", model)[0] == 1
    assert snapshot(model) == before
    (model / MARKER).write_text('{"made_by": "train.py"}')
    code, (line,) = run("export.py", "--model", random_model, "--output_dir", model)
    assert code == 1
    assert "was made by train.py" in line


def test_evaluate_writes_into_its_folder_again(run, arguments, tmp_path):
    output = tmp_path / "scores"
    for _ in range(2):
        assert run("evaluate.py", *arguments("evaluate.py"), "--output_dir", output)[0] == 0
        assert {path.name for path in output.iterdir()} - {"mine"} == {
            *OWN, "metrics.json", "pairs.tsv", "evaluation.html"
        }  # fmt: skip
        (output / "mine").write_text("mine")
    (output / "pairs.tsv").write_text("with my notes")
    assert run("evaluate.py", *arguments("evaluate.py"), "--output_dir", output)[0] == 0
    assert (output / "pairs.edited.tsv").read_text() == "with my notes"
    assert (output / "mine").read_text() == "mine"


def test_export_adds_to_a_models_folder_what_it_lacks(run, random_model, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(random_model, model)
    (model / "README.md").write_text("---\nlicense: mit\n---\n\nits card\n")
    (model / "config.json").write_text((model / "config.json").read_text() + "\n")
    before = snapshot(model)
    for _ in range(2):
        code, lines = run("export.py", "--model", model)
        assert code == 0, lines
        (model / "onnx" / "mine.txt").write_text("mine")
    after = snapshot(model)
    assert "its card" in after.pop("README.md").decode()
    assert {name: after[name] for name in before if name != "README.md"} == {
        name: data for name, data in before.items() if name != "README.md"
    }
    assert after["onnx/mine.txt"] == b"mine"
    assert MARKER not in after
    (model / "onnx" / "export.json").unlink()  # then they may be anybody's
    before = snapshot(model)
    code, (line,) = run("export.py", "--model", model)
    assert code == 1
    assert "model.onnx: was not made by export.py" in line
    (model / "language_model").mkdir()
    (model / "language_model" / "weights.json").write_text("mine")
    with pytest.raises(U2UError, match=r"weights\.json: was not made by language_model\.py"):
        language_model.save(language_model.learn(["a"]), model)
    shutil.rmtree(model / "language_model")
    assert snapshot(model) == before


def test_only_files_of_ours_are_removed_from_a_models_folder(tmp_path):
    language_model.save(language_model.learn(["a"]), tmp_path)
    for name in ("onnx/model.onnx", "onnx/mine.onnx", "language_model/mine.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    model_folder.remove(tmp_path, "onnx")
    model_folder.remove(tmp_path, "language_model")
    assert sorted(snapshot(tmp_path)) == ["language_model", "language_model/mine.txt", "onnx", "onnx/mine.onnx"]
    (tmp_path / "onnx" / "mine.onnx").unlink()
    model_folder.remove(tmp_path, "onnx")
    assert not (tmp_path / "onnx").exists()


def test_half_a_checkpoint_of_somebody_else_stays(tmp_path):
    (tmp_path / "checkpoint-3").mkdir()
    (tmp_path / "checkpoint-3" / "weights").write_text("mine")
    before = snapshot(tmp_path)
    assert resume_point(tmp_path, True, {}) is None
    assert snapshot(tmp_path) == before
    (tmp_path / MARKER).write_text('{"made_by": "train.py"}')
    assert resume_point(tmp_path, True, {}) is None
    assert sorted(snapshot(tmp_path)) == [MARKER]


def test_a_page_is_made_anew_around_a_persons_files(tmp_path):
    page = tmp_path / "page"
    settings = DeploySettings(model="ana/open", dry_run=True, output_dir=str(page))
    build(settings, page)
    first = snapshot(page)
    (page / "mine" / "a.txt").parent.mkdir()
    (page / "mine" / "a.txt").write_text("mine")
    (page / "app.py").write_text("mine")
    (page / "old" / "gone.py").parent.mkdir()
    (page / "old" / "gone.py").write_text("ours, of an earlier version")
    written_files.note(page, page / "old" / "gone.py")
    build(settings, page)
    after = snapshot(page)
    assert after.pop("mine/a.txt") == after.pop("app.edited.py") == b"mine"
    assert after.pop("mine") is False
    first.pop(WRITTEN), after.pop(WRITTEN)
    assert after == first


def test_a_site_is_built_into_an_empty_folder_only(mine):
    before = snapshot(mine)
    with pytest.raises(U2UError, match="mine: is not an empty folder"):
        build_site(RECIPES.parent / "spaces" / "browser", mine)
    with pytest.raises(U2UError, match="mine: holds something else"):
        make_demo_corpus(mine)
    assert snapshot(mine) == before


def test_transcribe_replaces_only_what_it_wrote(run, random_model, demo_folder, tmp_path):
    folder = tmp_path / "recordings"
    shutil.copytree(demo_folder / "new_recordings", folder)
    (audio,) = folder.glob("*.wav")
    eaf, text, queue = audio.with_suffix(".eaf"), audio.with_suffix(".txt"), folder / "queue.tsv"
    text.write_text("my notes")
    queue.write_text("my list")
    command = ["--model", random_model, "--output_dir", folder, "--formats", "eaf,txt", audio]
    before = snapshot(folder)
    for more, status in (("--overwrite", SKIPPED), ("--queue", FAILED)):
        assert run("transcribe.py", *command, more)[0] == status
        assert snapshot(folder) == before
    queue.unlink()
    text.unlink()
    assert run("transcribe.py", *command, "--queue")[0] == 0
    first = snapshot(folder)
    assert run("transcribe.py", *command, "--queue", "--overwrite")[0] == 0
    assert snapshot(folder).keys() == first.keys()
    eaf.write_text(corrected := eaf.read_text(encoding="utf-8").replace("<TIER ", "<TIER  ", 1), encoding="utf-8")
    code, lines = run("transcribe.py", *command, "--overwrite")
    assert code == 0
    kept = eaf.with_name(f"{eaf.stem}.edited.eaf")
    assert any(f"{eaf}: was edited, and is kept as {kept.name}" in line for line in lines)
    assert kept.read_text(encoding="utf-8") == corrected
    assert "<TIER  " not in eaf.read_text(encoding="utf-8")
    kept.unlink()
    # The documented way to add tiers to one's own file; it stays the person's.
    own = ["--annotations", folder, "--overwrite"]
    assert run("transcribe.py", *command[:4], *own, audio)[0] == 0
    added = eaf.read_text(encoding="utf-8")
    assert run("transcribe.py", *command, "--overwrite")[0] == 0
    assert kept.read_text(encoding="utf-8") == added


@pytest.mark.parametrize("way", SAVES)
@pytest.mark.parametrize("call", range(1, 7))
def test_what_a_person_saves_at_any_moment_is_kept(tmp_path, monkeypatch, call, way, capsys):
    path, new = tmp_path / "a.eaf", tmp_path / ".new"
    path.write_text("old")
    written_files.note(tmp_path, path)
    new.write_text("new")
    saved = saved_before(monkeypatch, call, path, SAVES[way])
    written_files.put(new, tmp_path, path)
    if not saved():
        assert call > 4
        return
    there = {one.name: one.read_text() for one in tmp_path.glob("*.eaf")}
    assert there.pop("a.eaf") in ("new", "corrected")
    assert there in ({}, {"a.edited.eaf": "corrected"}, {"a.edited-2.eaf": "corrected"})
    assert "corrected" in (path.read_text(), *there.values())
    assert not there or "was edited, and is kept as a.edited" in capsys.readouterr().out
    assert not new.exists()


def test_a_disk_without_links_gets_a_copy(tmp_path, monkeypatch):
    path, new = tmp_path / "a.eaf", tmp_path / ".new"

    def link(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(written_files.os, "link", link)
    new.write_text("new")
    written_files.put(new, tmp_path, path)
    assert path.read_text() == "new"
    path.write_text("corrected")
    new.write_text("newer")
    written_files.put_if_missing(new, tmp_path, path)
    assert path.read_text() == "corrected"
    assert not new.exists()


@pytest.mark.parametrize("way", SAVES)
@pytest.mark.parametrize("call", range(1, 5))
def test_a_persons_own_file_is_replaced_only_as_it_was(tmp_path, monkeypatch, call, way):
    path, new = tmp_path / "a.eaf", tmp_path / ".new"
    path.write_text("mine")
    new.write_text("mine, and a tier")
    saved = saved_before(monkeypatch, call, path, SAVES[way])
    with contextlib.suppress(U2UError):  # it was saved meanwhile, and stays
        written_files.put_if_same(new, path, b"mine")
    assert ("corrected" in {one.read_text() for one in tmp_path.glob("*.eaf")}) == saved()
    if not saved():
        assert path.read_text() == "mine, and a tier"


@pytest.mark.parametrize("call", range(1, 5))
@pytest.mark.parametrize("mine", [False, True])
def test_what_a_killed_run_left_aside_is_put_back(tmp_path, monkeypatch, capsys, call, mine):
    """Before the n-th time that a file gets or loses a name."""
    (tmp_path / "day").mkdir()
    path, new = tmp_path / "day" / "a.eaf", tmp_path / "day" / ".new"
    path.write_text("mine")
    new.write_text("new")

    def killed():
        raise KeyboardInterrupt

    before_call(monkeypatch, call, killed)
    with contextlib.suppress(KeyboardInterrupt):
        if mine:
            written_files.put_if_same(new, path, b"mine")
        else:
            written_files.put(new, tmp_path, path)
    monkeypatch.undo()
    is_missing = not path.exists()
    written_files.put_back(tmp_path)
    there = {one.name: one.read_text() for one in path.parent.glob("*.eaf")}
    told = capsys.readouterr().out
    assert (f"{path}: was moved aside by a run that was killed, and is back" in told) == is_missing
    assert is_missing == (call == 2)
    assert there["a.eaf"] == ("mine" if call < 3 else "new")
    if not mine or (call == 3):
        assert "mine" in there.values()


def test_a_run_that_fails_first_leaves_nothing(run, arguments, tmp_path):
    for name in ("train.py", "evaluate.py"):
        flags = arguments(name)
        flags[1] = tmp_path / "none"
        assert run(name, *flags, "--output_dir", tmp_path / "new" / "out")[0] == 1
    (tmp_path / "empty").mkdir()
    assert run("prepare.py", "--corpus", tmp_path, "--output_dir", tmp_path / "empty")[0] == 1
    assert snapshot(tmp_path) == {"empty": False}


def test_training_begins_again_where_it_failed(run, arguments, tmp_path):
    output = tmp_path / "model"
    claim(output, "train.py")  # all that is left of a run that was killed
    for dataset in (tmp_path / "none", arguments("train.py")[1]):
        model = arguments("train.py")[3]
        steps = ["--max_steps", "1", "--per_device_eval_batch_size", "2"]
        command = ["--dataset", dataset, "--model", model, "--use_cpu", "--output_dir", output, *steps]
        code, lines = run("train.py", *command, "--resume")
    assert code == 0, lines
    assert json.loads((output / MARKER).read_text()) == {"made_by": "train.py"}
    (output / "mine.wav").write_text("mine")
    (output / "README.md").write_text("my card")
    for checkpoint in output.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
    code, lines = run("train.py", *command)
    assert code == 0, lines
    assert (output / "mine.wav").read_text() == "mine"
    assert (output / "README.edited.md").read_text() == "my card"


def test_a_dataset_that_is_none_sends_nobody_into_that_folder(mine, tmp_path):
    (mine / "data" / "train-00000-of-00001.parquet").unlink()
    with pytest.raises(U2UError, match="into a new folder") as said:
        load_splits(mine)
    assert f"--output_dir {mine}" not in str(said.value)


def test_scores_and_exports_in_a_card_are_no_edits(tmp_path, capsys):
    claim(tmp_path, "train.py")
    card = tmp_path / "README.md"
    output_folder.write(card, "card")
    output_folder.amend(card, "card with scores")
    output_folder.write(card, "new card")
    assert not list(tmp_path.glob("*.edited*"))
    card.write_text("mine")
    output_folder.amend(card, "mine with scores")
    for number in ("", "-2"):
        output_folder.write(card, "new card")
        card.write_text(f"mine {number}")
    assert (tmp_path / "README.edited.md").read_text() == "mine with scores"
    assert (tmp_path / "README.edited-2.md").read_text() == "mine "
    lines = (tmp_path / WRITTEN).read_text()
    (tmp_path / WRITTEN).write_text(lines + '["README.md", "cut o')  # by a kill
    written_files.note(tmp_path, card)
    assert written_files.wrote(tmp_path, card)
    assert hashlib.sha256(b"card").hexdigest() in lines


@pytest.fixture
def no_links(monkeypatch):
    """A disk that has no hard links, as those of cameras and recorders."""

    def refuse(source, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("no_links")
def test_without_hard_links_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    new, path = tmp_path / "new", tmp_path / "a.eaf"
    new.write_text("a long new one")
    path.write_text("mine")

    def cut(source, target):
        Path(target).write_text("a lo")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(shutil, "copyfile", cut)
        with pytest.raises(U2UError, match=r"a\.eaf: cannot be written \(the disk of .* is full: make room\)"):
            put_if_same(new, path, b"mine")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"new": "a long new one", "a.eaf": "mine"}
    assert not add(new, path)
    assert path.read_text() == "mine"
    put_if_same(new, path, b"mine")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"a.eaf": "a long new one"}
