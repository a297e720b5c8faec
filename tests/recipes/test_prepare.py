"""The preparation as a whole, in real processes: killed, divided over processes, with settings."""

import itertools
import os
import random
import shutil
import time

import pytest
from conftest import RECIPES
from support import programs

from u2u_hf.data.dataset import load_splits
from u2u_hf.output_folder import MARKER
from u2u_hf.written_files import WRITTEN


def rows(folder):
    return {name: split.to_list() for name, split in load_splits(folder).items()}


@pytest.fixture(scope="module")
def prepared(demo_dataset):
    return rows(demo_dataset)


def test_two_processes_make_the_same_dataset(demo_folder, prepared, tmp_path):
    arguments = [RECIPES / "prepare.py", "--corpus", demo_folder / "corpus", "--output_dir", tmp_path]
    result = programs.divided(arguments, 2)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("dataset: ") == 1
    assert rows(tmp_path) == prepared
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.endswith((".html", ".md"))) == [
        MARKER,
        WRITTEN,
        "data",
        "prepare.yaml",
        "report.json",
        "splits.csv",
    ]


def test_killed_at_any_moment_and_run_again_it_is_the_same(demo_folder, prepared, recipe, tmp_path):
    """SIGKILL after random waits, most of them while audio is cut; then one run to the end."""
    corpus, output = tmp_path / "corpus", tmp_path / "out"
    shutil.copytree(demo_folder / "corpus", corpus)
    # The same recordings under many names, so that there is something to be killed in.
    for copy in range(8):
        for path in (demo_folder / "corpus" / "audio").glob("*.wav"):
            os.link(path, corpus / "audio" / f"{path.stem}_{copy}.wav")
            eaf = next((demo_folder / "corpus" / "elan").glob(f"{path.stem}*"))
            shutil.copy(eaf, corpus / "elan" / f"{path.stem}_{copy}.eaf")
            written = (corpus / "elan" / f"{path.stem}_{copy}.eaf").read_text(encoding="utf-8")
            for name in (f"{path.stem}_original.WAV", f"{path.stem}.wav"):
                written = written.replace(name, f"{path.stem}_{copy}.wav")
            (corpus / "elan" / f"{path.stem}_{copy}.eaf").write_text(written, encoding="utf-8")
    arguments = ("--corpus", corpus, "--output_dir", output, "--allow_repeated_sentences")
    rng = random.Random(0)
    finished = []
    for _ in range(3):
        process = programs.start([RECIPES / "prepare.py", *arguments], os.devnull, os.devnull)
        begun = time.monotonic()
        known = set(output.glob(".parts/*.parquet"))
        while set(output.glob(".parts/*.parquet")) == known and time.monotonic() - begun < 60:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        process.join()
        finished.append({p.name: p.stat().st_mtime_ns for p in output.glob(".parts/*.parquet")})
    assert finished[0]  # it was killed in the middle
    for before, after in itertools.pairwise(finished):
        assert before.items() <= after.items()  # what was finished was not made again
    result = recipe("prepare.py", *arguments)
    assert result.returncode == 0, result.stderr
    again = rows(output)
    whole = tmp_path / "whole"
    result = recipe("prepare.py", "--corpus", corpus, "--output_dir", whole, "--allow_repeated_sentences")
    assert result.returncode == 0, result.stderr
    assert again == rows(whole)
    count = sum(map(len, again.values()))
    assert count == 9 * sum(map(len, prepared.values()))
    assert len({(r["recording"], r["tier"], r["start_ms"]) for split in again.values() for r in split}) == count
    assert not (output / ".parts").exists()


def test_channels_are_where_the_user_says(demo_folder, recipe, tmp_path):
    result = recipe("prepare.py", "--corpus", demo_folder / "corpus", "--output_dir", tmp_path, "--channels", "*=right")
    assert result.returncode == 0, result.stderr
    assert f"recipes/train.py --dataset {tmp_path} --output_dir {tmp_path}_model" in result.stdout
    assert {r["channel"] for split in rows(tmp_path).values() for r in split} == {1}
