import pytest
import torch
from transformers import HubertConfig, HubertForCTC

from u2u_hf.publishing.conv_encoder import MatrixConvEncoder, is_supported

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
    fixed = {"intermediate_size": 32, "num_conv_pos_embedding_groups": 2}
    made = HubertForCTC(HubertConfig(**small | fixed | settings)).eval()
    for layer in made.hubert.feature_extractor.conv_layers:  # as after training: no norm is the identity
        for parameter in (*getattr(layer, "layer_norm", torch.nn.Identity()).parameters(), layer.conv.bias):
            if parameter is not None:
                torch.nn.init.normal_(parameter, mean=0.5)
    return made


@pytest.mark.parametrize("settings", KINDS.values(), ids=KINDS)
def test_gives_the_same_features(settings):
    made = model(**settings)
    assert is_supported(made)
    front = MatrixConvEncoder(made)
    with torch.inference_mode():
        for length in LENGTHS:
            samples = torch.randn(2, length)
            expected = made.hubert.feature_extractor(samples)
            assert torch.allclose(front(samples), expected, atol=1e-5), length


def test_a_convolution_of_stride_2_is_products_of_pairs():
    """The worked example of the module: kernel [1, 10, 100] over six frames of one channel."""
    made = model(feat_extract_norm="group", conv_dim=(1,) * 7)
    made.hubert.feature_extractor.conv_layers[1].conv.weight.data = torch.tensor([[[1.0, 10, 100]]])
    layer = MatrixConvEncoder(made).rest[0]
    with torch.inference_mode():
        convolved = layer.products(torch.tensor([[[1.0, 2], [3, 4], [5, 6]]]))
    assert convolved[0, :, 0].tolist() == [321, 543, 65]  # the last one is padding


@pytest.mark.parametrize("settings", KINDS.values(), ids=KINDS)
def test_in_8_bits_every_frame_keeps_its_own_precision(settings):
    made = model(**settings)
    front = MatrixConvEncoder(made, eight_bits=True)
    with torch.inference_mode():
        for length in LENGTHS:
            samples = torch.randn(2, length) * torch.logspace(0, -4, length)  # the last frames are a whisper
            expected = made.hubert.feature_extractor(samples)
            found = front(samples)
            assert found.shape == expected.shape
            errors = (found - expected).norm(dim=1) / expected.norm(dim=1)
            assert errors.max() < 0.1, length


def test_in_8_bits_the_products_are_exact():
    # Weights and frames that 8 bits hold without rounding, the largest of each pair and each channel being 127.
    made = model(feat_extract_norm="layer", conv_bias=True)
    layer = made.hubert.feature_extractor.conv_layers[1]
    whole = torch.randint(-127, 128, layer.conv.weight.shape).float()
    whole[:, 0, 0] = 127
    layer.conv.weight.data = whole
    rows = torch.randint(-127, 128, (1, 8, 12)).float()
    rows[:, :, 0] = -127
    exact, small = MatrixConvEncoder(made).rest[0], MatrixConvEncoder(made, eight_bits=True).rest[0]
    pairs = rows.reshape(1, 4, 24)
    with torch.inference_mode():
        assert torch.allclose(small.products(pairs), exact.products(pairs), rtol=1e-5, atol=1e-2)
        assert torch.equal(small.products(0 * pairs), 0 * exact.products(pairs))


def test_group_norm_does_not_lose_the_high_frequencies():
    # A hum, 80 dB above what one filter lets through: in float32 its variance comes out negative.
    made = model(feat_extract_norm="group")
    first = made.hubert.feature_extractor.conv_layers[0]
    with torch.no_grad():
        first.conv.weight[0, 0] = torch.tensor([1.0, -4, 6, -4, 1, 0, 0, 0, 0, 0])  # fourth difference
        samples = torch.sin(torch.arange(48_000) * (2 * torch.pi * 100 / 16_000))[None] + 1e-4 * torch.randn(1, 48_000)
        exact = made.double().hubert.feature_extractor(samples.double()).float()
        found = MatrixConvEncoder(made.float())(samples)
    assert torch.allclose(found, exact, atol=1e-5 * exact.abs().max().item())


def test_another_shape_is_known():
    assert not is_supported(model(conv_kernel=(10, 3, 3, 3, 3, 2, 4)))
    assert not is_supported(model(conv_stride=(5, 2, 2, 2, 2, 2, 1)))
    assert not is_supported(model(conv_kernel=(8, 3, 3, 3, 3, 2, 2)))
