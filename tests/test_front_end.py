import pytest
import torch
from transformers import HubertConfig, HubertForCTC

from u2u_hf.front_end import FrontEnd, fits

KINDS = {
    "group norm, as mHuBERT-147": {"feat_extract_norm": "group"},
    "group norm and biases": {"feat_extract_norm": "group", "conv_bias": True},
    "layer norms and biases": {"feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True},
}
# One frame and all but two; a last frame of an odd and of an even pair in each layer; some seconds.
LENGTHS = [400, 719, 720, 1039, 1040, 1360, 20_479, 20_480, 53_211]


def model(**settings):
    torch.manual_seed(0)
    small = {"conv_dim": (12,) * 7, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    made = HubertForCTC(HubertConfig(**small, intermediate_size=32, num_conv_pos_embedding_groups=2, **settings)).eval()
    for layer in made.hubert.feature_extractor.conv_layers:  # as after training: no norm is the identity
        for parameter in (*getattr(layer, "layer_norm", torch.nn.Identity()).parameters(), layer.conv.bias):
            if parameter is not None:
                torch.nn.init.normal_(parameter, mean=0.5)
    return made


@pytest.mark.parametrize("settings", KINDS.values(), ids=KINDS)
def test_gives_the_same_features(settings):
    made = model(**settings)
    assert fits(made)
    front = FrontEnd(made)
    with torch.inference_mode():
        for length in LENGTHS:
            samples = torch.randn(2, length)
            expected = made.hubert.feature_extractor(samples)
            assert torch.allclose(front(samples), expected, atol=1e-5), length


def test_group_norm_does_not_lose_the_high_frequencies():
    # A hum, 80 dB above what one filter lets through: in float32 its variance comes out negative.
    made = model(feat_extract_norm="group")
    first = made.hubert.feature_extractor.conv_layers[0]
    with torch.no_grad():
        first.conv.weight[0, 0] = torch.tensor([1.0, -4, 6, -4, 1, 0, 0, 0, 0, 0])  # fourth difference
        samples = torch.sin(torch.arange(48_000) * (2 * torch.pi * 100 / 16_000))[None] + 1e-4 * torch.randn(1, 48_000)
        exact = made.double().hubert.feature_extractor(samples.double()).float()
        found = FrontEnd(made.float())(samples)
    assert torch.allclose(found, exact, atol=1e-5 * exact.abs().max().item())


def test_another_shape_is_known():
    assert not fits(model(conv_kernel=(10, 3, 3, 3, 3, 2, 4)))
    assert not fits(model(conv_stride=(5, 2, 2, 2, 2, 2, 1)))
    assert not fits(model(conv_kernel=(8, 3, 3, 3, 3, 2, 2)))
