import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from u2u_hf.data.augmentation import (
    AUGMENTATIONS,
    Microphone,
    PinkNoise,
    Room,
    SpeedPerturbation,
    _fast_length,
    augmented,
    chosen,
)
from u2u_hf.training.arguments import CtcTrainingArguments


def test_every_augmentation_is_off_by_default_and_has_a_training_setting(tmp_path):
    assert not chosen(CtcTrainingArguments(output_dir=str(tmp_path), use_cpu=True))
    settings = CtcTrainingArguments(output_dir=str(tmp_path), use_cpu=True, **dict.fromkeys(AUGMENTATIONS, 0.5))
    assert [type(item) for item in chosen(settings)] == list(AUGMENTATIONS.values())


def test_noise_at_0_db_is_not_off():
    assert chosen(SimpleNamespace(speed_perturbation=0.0, room=0.0, microphone_db=0.0, noise_snr_db=0.0)) == [
        PinkNoise(0.0)
    ]


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


def test_a_room_adds_an_echo_to_its_share_of_the_utterances_and_nothing_before_the_sound():
    torch.manual_seed(0)
    click = torch.zeros(16_000)
    click[4_000] = 1.0
    echoes = [Room(1.0)(click) for _ in range(20)]
    for echo in echoes:
        assert echo[:4_000].abs().max() < 1e-6
        assert echo[4_000].item() == pytest.approx(1.0, abs=1e-5)
        assert echo[8_800:].abs().max() < 1e-6  # 0.3 s
        assert 0 <= echo[4_001:].norm() <= 0.7
    assert max(echo[4_001:].norm() for echo in echoes) > 0.3
    rooms = [not torch.equal(Room(0.5)(click), click) for _ in range(200)]
    assert 70 < sum(rooms) < 130


def test_a_microphone_changes_each_frequency_by_its_decibels_at_most_and_smoothly():
    torch.manual_seed(0)
    click = torch.zeros(16_000)
    click[8_000] = 1.0
    gains = [20 * torch.log10(torch.fft.rfft(Microphone(8)(click)).abs()) for _ in range(20)]
    assert max(gain.abs().max() for gain in gains) <= 8.5  # and the cut at the ends
    assert max(gain.abs().max() for gain in gains) > 5
    assert max(gain.diff().abs().max() for gain in gains) < 0.1


def test_lengths_for_fourier_transforms():
    assert [_fast_length(length) for length in (1, 9, 10, 33, 48_000, 60_001)] == [1, 9, 10, 36, 49_152, 65_536]
