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
