"""Products of 8-bit numbers: exact, or cut at 16 bits."""

import platform
from pathlib import Path

import pytest
from onnx import TensorProto, helper

from u2u_hf.recognition.saturation import PRODUCT, saturates


def test_the_graph_is_one_product():
    def matrix(name, kind, *shape):
        return helper.make_tensor_value_info(name, kind, shape)

    inputs = [matrix("a", TensorProto.UINT8, "m", "k"), matrix("b", TensorProto.INT8, "k", "n")]
    node = helper.make_node("MatMulInteger", ["a", "b"], ["y"])
    graph = helper.make_graph([node], "g", inputs, [matrix("y", TensorProto.INT32, "m", "n")])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 10)], ir_version=8)
    assert made.SerializeToString() == PRODUCT


@pytest.mark.skipif(
    platform.system() != "Linux" or platform.machine() != "x86_64", reason="the processor is known from /proc/cpuinfo"
)
def test_a_processor_saturates_if_it_lacks_vnni():
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("flags", 1)[1].splitlines()[0]
    assert saturates() == ("avx2" in flags and "vnni" not in flags)
