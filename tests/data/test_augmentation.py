import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from u2u_hf.data.augmentation import AUGMENTATIONS, PinkNoise, SpeedPerturbation, augmented, chosen
from u2u_hf.training.arguments import CtcTrainingArguments


def test_every_augmentation_is_off_by_default_and_has_a_training_setting(tmp_path):
    assert not chosen(CtcTrainingArguments(output_dir=str(tmp_path), use_cpu=True))
    settings = CtcTrainingArguments(output_dir=str(tmp_path), use_cpu=True, **dict.fromkeys(AUGMENTATIONS, 0.5))
    assert [type(item) for item in chosen(settings)] == list(AUGMENTATIONS.values())


def test_noise_at_0_db_is_not_off():
    assert chosen(SimpleNamespace(speed_perturbation=0.0, noise_snr_db=0.0)) == [PinkNoise(0.0)]


def test_augmentations_are_applied_in_turn():
    torch.manual_seed(0)
    speech = torch.sin(torch.arange(16_000) / 20)
    both = [augmented(speech, [SpeedPerturbation(0.1), PinkNoise(10)]) for _ in range(30)]
    assert {len(samples) for samples in both} == {14_546, 16_000, 17_778}
    assert not any(torch.equal(samples, speech) for samples in both)
    assert torch.equal(augmented(speech, []), speech)


def test_augmented_speech_is_a_little_faster_slower_or_noisier():
    torch.manual_seed(0)
    speech = torch.sin(torch.arange(16_000) / 20)
    lengths = {len(SpeedPerturbation(0.1)(speech)) for _ in range(30)}
    assert lengths == {14546, 16_000, 17_778}  # 16,000 / 1.1, 1 and 0.9
    noisy = PinkNoise(10)(speech)
    snr = 10 * torch.log10(speech.square().sum() / (noisy - speech).square().sum())
    assert 10 <= snr <= 30
    spectrum = torch.fft.rfft(noisy - speech).abs().square()
    octaves = [spectrum[2**k : 2 ** (k + 1)].mean() for k in range(4, 12)]
    drops = [10 * torch.log10(a / b).item() for a, b in itertools.pairwise(octaves)]
    assert np.mean(drops) == pytest.approx(3, abs=0.5)
