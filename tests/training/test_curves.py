import math
import warnings

import pytest

from u2u_hf.records import U2UError
from u2u_hf.training.curves import curves, training_curves

HISTORY = [
    {"loss": 8.0, "learning_rate": 0.0, "head_learning_rate": 1e-4, "step": 20, "epoch": 0.5},
    {"eval_loss": 6.0, "eval_cer": 0.9, "eval_wer": 1.0, "eval_runtime": 3.0, "step": 20, "epoch": 0.5},
    {"loss": 2.0, "learning_rate": 5e-5, "head_learning_rate": 1e-3, "step": 40, "epoch": 1.0},
    {"eval_loss": 3.0, "eval_cer": 0.25, "eval_wer": 0.5, "step": 40, "epoch": 1.0},
    {"train_runtime": 60.0, "train_loss": 5.0, "step": 40},
]


def drawn(history):
    """Title of each part → its lines' points by their names in the legend."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = curves(history)
        figure.canvas.draw()
    return {
        axes.get_title("left"): {line.get_label(): list(zip(*line.get_data(), strict=True)) for line in axes.lines}
        for axes in figure.axes
    }


def test_every_number_is_where_it_belongs():
    assert drawn(HISTORY) == {
        "loss": {"training": [(20, 8), (40, 2)], "validation": [(20, 6), (40, 3)]},
        "validation error rate": {"words": [(20, 1), (40, 0.5)], "characters": [(20, 0.9), (40, 0.25)]},
        "learning rate": {"encoder": [(20, 0), (40, 5e-5)], "head": [(20, 1e-4), (40, 1e-3)]},
    }


def test_intervals_are_shades():
    history = [{"eval_wer": 0.5, "eval_wer_low": 0.25, "eval_wer_high": 0.75, "step": s} for s in (10, 20)]
    _, rates, _ = curves(history).axes
    corners = rates.collections[0].get_paths()[0].vertices
    assert {tuple(corner) for corner in corners.tolist()} == {(10, 0.25), (10, 0.75), (20, 0.25), (20, 0.75)}
    assert not curves(HISTORY).axes[1].collections


@pytest.mark.parametrize("history", [[], HISTORY[:1], HISTORY[-1:], [{"loss": math.nan, "step": 1}]])
def test_few_points_or_none(history):
    parts = drawn(history)
    assert len(parts) == 3
    assert sum(len(lines) for lines in parts.values()) == sum(
        key in ("loss", "learning_rate", "head_learning_rate") for row in history for key in row
    )


def test_the_picture_is_whole_or_not_there(tmp_path):
    training_curves(HISTORY, tmp_path / "new" / "training_curves.png")
    assert (tmp_path / "new" / "training_curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    (tmp_path / "file").write_text("")
    with pytest.raises(U2UError, match=r"file/curves\.png: cannot be written"):
        training_curves(HISTORY, tmp_path / "file" / "curves.png")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["training_curves.png"]
