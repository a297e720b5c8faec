import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import HubertConfig
from transformers.models.hubert.modeling_hubert import HubertFeatureEncoder

from u2u_hf import frames


@pytest.mark.parametrize(
    ("samples", "count"),
    # (N - 400) // 320 + 1, by hand
    [(0, 0), (399, 0), (400, 1), (719, 1), (720, 2), (16_000, 49), (32_000, 99), (160_000, 499)],
)
def test_frame_count(samples, count):
    assert frames.frame_count(samples) == count


@given(st.integers(400, 4000))
def test_frame_count_is_that_of_the_convolutions(samples):
    length = samples
    for kernel, stride in zip(frames.KERNELS, frames.STRIDES, strict=True):
        length = (length - kernel) // stride + 1
    assert frames.frame_count(samples) == length


def test_frame_count_is_that_of_the_model():
    config = HubertConfig(conv_dim=(2,) * 7, feat_extract_norm="layer")
    assert (tuple(config.conv_kernel), tuple(config.conv_stride)) == (frames.KERNELS, frames.STRIDES)
    encoder = HubertFeatureEncoder(config)
    for samples in (400, 719, 720, 16_000):
        assert encoder(torch.zeros(1, samples)).shape[-1] == frames.frame_count(samples)


@pytest.mark.parametrize(("frame", "start", "end"), [(0, 2, 22), (1, 22, 42), (49, 982, 1002), (50, 1002, 1022)])
def test_frame_times(frame, start, end):
    # Frame i stands for samples 320 i + 40 … 320 i + 360, that is 20 i + 2.5 … 20 i + 22.5 ms.
    assert (frames.frame_start_ms(frame), frames.frame_end_ms(frame)) == (start, end)


@pytest.mark.parametrize(
    ("text", "needed"), [("", 0), ("a", 1), ("ab", 2), ("aa", 3), ("aaa", 5), ("xaab", 5), ("abab", 4)]
)
def test_frames_needed_counts_repeats(text, needed):
    assert frames.frames_needed(text) == needed


@pytest.mark.parametrize(("ms", "count"), [(24, 0), (25, 1), (44, 1), (45, 2), (1000, 49)])
def test_frames_in_ms(ms, count):
    assert frames.frames_in_ms(ms) == count
