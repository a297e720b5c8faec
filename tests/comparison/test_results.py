import json

import numpy as np
import pytest
from support.compared import result
from support.scored_pairs import PAIRS

from u2u_hf.comparison.bases import bases, fetch
from u2u_hf.comparison.results import as_rows, best_first, result_of
from u2u_hf.evaluation.scoring import as_tsv
from u2u_hf.records import U2UError


@pytest.fixture
def base(tmp_path):
    """A model with the files that train.py and evaluate.py leave, as far as they are read."""
    (base,) = bases(["m"], tmp_path)
    for step in (90, 300):
        folder = base.trained / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        state = {"global_step": step, "epoch": step / 100, "log_history": [{"step": step, "seconds": 5.0}]}
        (folder / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
    (base.trained / "model.safetensors").write_bytes(bytes(4000))
    (base.trained / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n", encoding="utf-8")
    base.scores.mkdir()
    (base.scores / "pairs.tsv").write_text(as_tsv(PAIRS), encoding="utf-8")
    return base


def test_what_was_written_is_read(base):
    found = result_of(base)
    assert (found.steps, found.passes, found.seconds, found.parameters) == (300, 3.0, 5.0, 1000)
    assert (found.licence, found.speed, found.peak_bytes) == ("cc-by-nc-4.0", None, None)
    assert found.recordings == ("story", "talk")
    # By hand: 0 and 1 errors of 6 and 6 characters; 4 and 2 of 2 and 40. 0 and 1 of 2 and 2 words; 2 and 1 of 1 and 1.
    assert found.counts["cer"].tolist() == [[1, 12], [6, 42]]
    assert found.counts["wer"].tolist() == [[1, 4], [3, 2]]


def test_an_empty_hypothesis_counts_and_a_model_without_checkpoints_is_read(base):
    for state in base.trained.glob("checkpoint-*/trainer_state.json"):
        state.unlink()
    (base.trained / "README.md").write_text("---\n[", encoding="utf-8")
    lines = (base.scores / "pairs.tsv").read_text(encoding="utf-8").splitlines()
    lines[4] = lines[4].rpartition("\t")[0] + "\t"
    (base.scores / "pairs.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = result_of(base)
    assert found.counts["cer"].tolist() == [[1, 12], [44, 42]]
    assert (found.steps, found.passes, found.licence, found.curve) == (None, None, "", [])


def test_damaged_files_are_named(base):
    (base.scores / "pairs.tsv").write_text("recording\ttier\na\n", encoding="utf-8")
    with pytest.raises(U2UError, match=r"m: is damaged .*: remove this folder, and run the command again"):
        result_of(base)


def test_the_rows_of_the_record():
    results = best_first([result("B", [15, 15, 16, 16]), result("A", [10, 10, 10, 10])])
    a, b, failed = as_rows(results, {"C": "gone"})
    assert (a["model"], a["cer"], a["cer_interval"], a["difference"]) == ("A", 0.1, (0.1, 0.1), None)
    assert (b["model"], b["difference"]) == ("B", 0.055)
    assert b["difference_interval"] == pytest.approx((0.0458, 0.0642), abs=1e-4)
    assert (b["seconds"], b["peak_bytes"], b["audio_seconds_per_second"]) == (330.0, 3 * 2**30, 40.0)
    assert b["recordings"]["story 3"] == {"errors": 16, "characters": 100}
    assert failed == {"model": "C", "problem": "gone"}
    assert json.loads(json.dumps([a, b, failed]))[1]["steps"] == 300


def test_pairing_takes_out_what_makes_a_recording_hard_for_all():
    hard = np.array([5, 40, 10, 60])
    one, other = result("one", hard), result("other", hard + 3)
    (low, high), gap = one.rates["cer"].interval, other.above(one)
    assert high - low > 0.5
    assert gap.interval == pytest.approx((0.03, 0.03))


def test_what_cannot_be_trained_is_told_before_any_training(random_base, tmp_path):
    assert fetch(str(random_base)) == ""
    assert fetch(str(tmp_path)).startswith(f"{tmp_path}: holds no model (config.json)")
    (tmp_path / "config.json").write_text('{"model_type": "whisper"}', encoding="utf-8")
    assert "whisper" in fetch(str(tmp_path))
