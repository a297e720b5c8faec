import pytest

from u2u_hf.hub.model_files import optional_file
from u2u_hf.records import U2UError


def test_a_file_of_a_folder_is_where_it_lies(tmp_path):
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").touch()
    assert optional_file(str(tmp_path), "onnx/model.onnx") == tmp_path / "onnx" / "model.onnx"
    assert optional_file(str(tmp_path), "vocab.json") is None
    assert optional_file(str(tmp_path), "onnx") is None  # a folder is no file


def test_what_is_no_model_is_named(tmp_path):
    with pytest.raises(U2UError, match="nowhere: there is no such model folder"):
        optional_file(str(tmp_path / "nowhere"), "vocab.json")
    with pytest.raises(U2UError, match=r"a--b/c: cannot be loaded: is not a name of the form OWNER/NAME"):
        optional_file("a--b/c", "vocab.json")


def test_without_a_way_to_the_hub_a_file_is_missing():
    assert optional_file("ana/ears", "vocab.json") is None  # conftest.py has set HF_HUB_OFFLINE
