from types import SimpleNamespace

import numpy as np
import pytest
import torch
from support.families import CONFIGS, save_base

from u2u_hf.recognition.model import start_from
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.regularisation import AFTER_PASSES, GrowingRegularisation, strength

SOUND = np.random.default_rng(0).standard_normal(24_000).astype(np.float32)


def test_there_is_none_in_the_first_passes_and_all_of_it_after_eight():
    assert [strength(passes) for passes in (0, 1, 2, 3.5, 5, 8, 50)] == [0, 0, 0, 0.25, 0.5, 1, 1]


def test_settings_replace_what_is_chosen():
    chosen = CtcTrainingArguments(output_dir="x", mask_time=0.0, dropout=0.3).regularisation()
    assert vars(chosen) == vars(AFTER_PASSES) | {"mask_time": 0.0, "dropout": 0.3}


def started(name, folder, **given):
    settings = CtcTrainingArguments(output_dir="x", use_cpu=True, **given)
    model, processor = start_from(str(save_base(CONFIGS[name](), folder)), ["ab"], settings.regularisation().config())
    growing = GrowingRegularisation(model, vars(settings), lambda epochs: 2 * epochs)
    inputs = processor.feature_extractor(SOUND, sampling_rate=16_000, return_tensors="pt")

    def random() -> bool:
        with torch.no_grad():
            once, *others = (model.train()(**inputs).logits for _ in range(6))
        return any(not torch.equal(once, other) for other in others)

    return model, growing, random


@pytest.mark.parametrize("name", CONFIGS)
def test_in_every_family_nothing_is_random_before_and_it_is_as_made_at_full_strength(tmp_path, name):
    model, growing, random = started(name, tmp_path)
    made = [(type(module), module.p) for module in model.modules() if isinstance(module, torch.nn.Dropout)]
    config = model.config.to_dict()
    assert random()
    growing.on_epoch_begin(None, SimpleNamespace(epoch=1.0), None)  # two passes
    assert not random()
    growing.on_epoch_begin(None, SimpleNamespace(epoch=4.0), None)
    assert [(type(module), module.p) for module in model.modules() if isinstance(module, torch.nn.Dropout)] == made
    assert model.config.to_dict() == config
    assert random()


def test_what_the_user_gave_is_there_from_the_start(tmp_path):
    model, growing, random = started("hubert", tmp_path, layerdrop=0.0, dropout=0.2, mask_time=0.0, mask_feature=0.0)
    growing.on_epoch_begin(None, SimpleNamespace(epoch=0.0), None)
    assert model.config.hidden_dropout == 0.2
    assert random()
    model, growing, random = started("hubert", tmp_path / "other", layerdrop=0.0, dropout=0.0)
    growing.on_epoch_begin(None, SimpleNamespace(epoch=2.5), None)  # int(2.5) epochs are 4 passes: a third
    assert model.config.mask_time_prob == pytest.approx(AFTER_PASSES.mask_time / 3)
    growing.on_train_end(None, None, None)
    assert model.config.mask_time_prob == AFTER_PASSES.mask_time
