"""doctor.py as a user runs it, on a small corpus with known faults: killed, resumed, and what is accepted applied."""

import json
import os
import re
import signal
import time
from collections import Counter

import pytest
from conftest import RECIPES
from support import programs
from support.faults import NAMED, Corpus, is_about

from u2u_hf.data.dataset import load_splits
from u2u_hf.doctor.doubts import without_doubted
from u2u_hf.formats.eaf import read_eaf

PLACE = ["recording", "tier", "start_ms", "end_ms"]
KINDS = ("swapped", "shifted", "speaker", "copied", "deleted")


@pytest.fixture(scope="module")
def faulty(demo_folder, tmp_path_factory):
    """The small demo corpus with one fault of each kind → its folder and the faults."""
    corpus = Corpus(demo_folder / "corpus", tmp_path_factory.mktemp("faulty") / "corpus", ["transcription"], seed=2)
    faults = [fault for kind in KINDS for fault in corpus.inject(kind, 1)]
    words = Counter(re.findall(r"\w{5,}", " ".join(one.value.text.lower() for one in corpus.untouched())))
    word = words.most_common(1)[0][0]
    one = next(one for one in corpus.untouched() if word in one.value.text.lower())
    one.value.text = re.sub(word, word[:2] + word[3:], one.value.text, flags=re.IGNORECASE)
    faults.append(one.fault("spelling", word))
    corpus.save()
    return corpus.folder, faults


@pytest.fixture(scope="module")
def command(faulty, trained_model):
    def command(output_dir, *arguments):
        places = ["--model", trained_model, "--corpus", faulty[0], "--output_dir", output_dir]
        return [RECIPES / "doctor.py", *places, "--leave_out", "nothing", *arguments]

    return command


@pytest.fixture(scope="module")
def examined(command, tmp_path_factory):
    """The folder of a run that was killed once it had read a recording, and was run again."""
    output_dir = tmp_path_factory.mktemp("examined") / "doctor"
    written = [output_dir.parent / name for name in ("stdout", "stderr")]
    process = programs.start(command(output_dir), *written)
    while not list(output_dir.glob(".read/*.jsonl")) and process.is_alive():
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    assert not (output_dir / "doctor.json").exists()
    read = {path: path.stat().st_mtime_ns for path in output_dir.glob(".read/*.jsonl")}
    done = programs.succeeded(command(output_dir))
    assert read
    assert all(path.stat().st_mtime_ns == time for path, time in read.items())
    return output_dir, done.stdout


def test_each_fault_is_found_by_its_name(examined, faulty):
    output_dir, stdout = examined
    rows = json.loads((output_dir / "doctor.json").read_text(encoding="utf-8"))
    for fault in faulty[1]:
        assert NAMED[fault.kind] & {row["kind"] for row in rows if is_about(row, fault)}, fault
    others = [row for row in rows if not any(is_about(row, fault) for fault in faulty[1])]
    assert not others
    needed = {"recording", "tier", "start_ms", "end_ms", "kind", "score", "suggestion"}
    assert all(needed <= row.keys() for row in rows)
    assert f"{len(rows)} probable faults" in stdout
    assert (output_dir / "doctor.html").read_text(encoding="utf-8").count("<audio") == len(rows)


def test_a_training_does_without_what_is_doubted(examined, faulty, recipe, random_base, tmp_path):
    prepared = recipe("prepare.py", "--corpus", faulty[0], "--output_dir", tmp_path / "dataset")
    assert prepared.returncode == 0, prepared.stderr
    train = load_splits(tmp_path / "dataset")["train"]
    kept = without_doubted(train, examined[0]).select_columns(PLACE).to_list()
    gone = [row for row in train.select_columns(PLACE).to_list() if row not in kept]
    assert gone
    faults = [fault for fault in faulty[1] if fault.kind in ("swapped", "shifted", "speaker", "copied")]
    assert all(any(is_about(row | {"kind": ""}, fault) for fault in faults) for row in gone)
    places = ["--dataset", tmp_path / "dataset", "--model", random_base, "--output_dir", tmp_path / "model"]
    trained = recipe("train.py", *places, "--doubts", examined[0], "--max_steps", 1, "--use_cpu")
    assert trained.returncode == 0, trained.stderr
    assert f"{len(gone)} of {len(train)} utterances (" in trained.stdout


def test_what_is_accepted_goes_into_valid_copies(examined, faulty, recipe, elan_schema):
    output_dir, _ = examined
    rows = json.loads((output_dir / "doctor.json").read_text(encoding="utf-8"))
    accepted = output_dir.parent / "accepted.json"
    accepted.write_text(
        json.dumps({"accepted": [{"name": row["name"]} for row in rows if row["edit"]]}), encoding="utf-8"
    )
    before = {path: path.read_bytes() for path in faulty[0].rglob("*.eaf")}
    arguments = ["--corpus", faulty[0], "--output_dir", output_dir, "--apply", accepted]
    done = recipe("doctor.py", *arguments)
    assert done.returncode == 0, done.stderr + done.stdout
    assert {path: path.read_bytes() for path in faulty[0].rglob("*.eaf")} == before
    copies = {path.relative_to(output_dir / "corrected").as_posix(): path for path in output_dir.rglob("*.eaf")}
    assert set(copies) == {row["file"] for row in rows}
    for name, path in copies.items():
        elan_schema(str(path))
        old, new = (
            {line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()}
            for file in (faulty[0] / name, path)
        )
        assert len(old - new) <= 3 * len(rows)  # the rest is as it was
        assert read_eaf(path).tiers
    kinds = {fault.kind: fault for fault in faulty[1]}
    shifted = kinds["shifted"]
    tier = next(t for t in read_eaf(copies[f"{shifted.recording}.eaf"]).tiers if t.name == shifted.tier)
    true_ms = shifted.start_ms + int(shifted.detail)
    assert min(abs(a.start_ms - true_ms) for a in tier.annotations) < 150


def test_the_model_is_asked_for(recipe, faulty, tmp_path):
    done = recipe("doctor.py", "--corpus", faulty[0], "--output_dir", tmp_path / "out")
    assert "error: --model: is missing" in done.stderr
    done = recipe("doctor.py", "--corpus", faulty[0], "--output_dir", tmp_path / "out", "--apply", tmp_path / "x.json")
    assert "x.json: cannot be read" in done.stderr
    assert not (tmp_path / "out").exists()
