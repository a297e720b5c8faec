import pytest

from u2u_hf.hub.source import require_source
from u2u_hf.records import U2UError


def test_folders_and_names_on_the_hub_are_sources(tmp_path):
    for source in (str(tmp_path), "ana/my_model", "gpt2"):
        require_source(source, "model")


@pytest.mark.parametrize("source", ["", "./gone", "/gone", "~/gone", "gone\\model", "a/b/c", "{file}"])
def test_what_is_neither_is_named(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    source = source.format(file="file")
    with pytest.raises(U2UError, match="there is no such dataset folder, and it is not a Hub name"):
        require_source(source, "dataset")


@pytest.mark.parametrize(
    ("files", "is_a", "wanted"),
    [
        (["data/train-00000-of-00001.parquet", "README.md"], "dataset", "model"),
        (["train.parquet"], "dataset", "model"),
        (["config.json", "model.safetensors"], "model", "dataset"),
        (["config.json", "model-00001-of-00002.safetensors"], "model", "dataset"),
        (["config.json", "pytorch_model.bin"], "model", "dataset"),
    ],
)
def test_the_other_kind_of_folder_is_named(files, is_a, wanted, tmp_path):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    require_source(str(tmp_path), is_a)
    with pytest.raises(U2UError, match=f"is a {is_a}, not a {wanted}: give the folder of a {wanted}, or its name on"):
        require_source(str(tmp_path), wanted)


@pytest.mark.parametrize("files", [[], ["config.json"], ["config.json", "model.safetensors", "data/a.parquet"]])
def test_a_folder_that_may_be_either_is_a_source(files, tmp_path):
    (tmp_path / "data").mkdir()
    for name in files:
        (tmp_path / name).touch()
    require_source(str(tmp_path), "model")
    require_source(str(tmp_path), "dataset")
