"""A very small trainer on noise."""

import datasets
import numpy as np
import pytest

from u2u_hf.data.audio import flac_bytes
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.trainer_setup import build_trainer


def rows(texts, seconds, seed=0):
    rng = np.random.default_rng(seed)
    return datasets.Dataset.from_dict(
        {
            "audio": [
                {"bytes": flac_bytes(rng.standard_normal(round(s * 16_000)) * 0.1), "path": f"{i}.flac"}
                for i, s in enumerate(seconds)
            ],
            "text": texts,
            "duration": seconds,
        }
    )


SPLITS = {"train": (["ab", "ba a", "b"], [1.0, 0.5, 0.8]), "validation": (["ab", "a"], [1, 0.4])}
PLAIN = {"mask_time": 0, "mask_feature": 0, "dropout": 0, "layerdrop": 0, "bf16": False}


@pytest.fixture
def make(random_base, tmp_path):
    """Build a trainer of a very small model; settings as on the command line."""

    def make(splits=SPLITS, **settings):
        settings = {
            "learning_rate": 1e-2,
            "head_learning_rate": 1e-3,
            "hold_encoder": 0.5,
            "max_steps": 8,
            "eval_strategy": "no",
        } | settings
        settings = {"save_strategy": "no", "load_best_model_at_end": False, "disable_tqdm": True} | settings
        args = CtcTrainingArguments(output_dir=str(tmp_path / "run"), per_device_eval_batch_size=2, **settings)
        made = datasets.DatasetDict({name: rows(*split) for name, split in splits.items()})
        return build_trainer(str(random_base), made, "made", args)[0]

    return make


@pytest.fixture
def trainer(make):
    return make()
