import pytest

from u2u_hf.growth.keep import error_rate, replace_model
from u2u_hf.records import U2UError


def model(folder, name):
    folder.mkdir()
    (folder / "config.json").write_text(name, encoding="utf-8")
    return folder


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_better_model_takes_the_place_whole_and_the_earlier_one_is_kept(tmp_path, monkeypatch, call):
    """Also where the run is killed before its n-th rename, and is done again."""
    from u2u_hf.growth import keep

    used, better, earlier = model(tmp_path / "model", "old"), model(tmp_path / "better", "new"), tmp_path / "earlier"
    (better / "checkpoint-3").mkdir()
    calls, rename = [], keep.os.rename

    def killed(*paths):
        calls.append(paths)
        if len(calls) == call:
            raise KeyboardInterrupt
        rename(*paths)

    monkeypatch.setattr(keep.os, "rename", killed)
    try:
        replace_model(used, better, earlier)
    except KeyboardInterrupt:
        replace_model(used, better, earlier)
    replace_model(used, better, earlier)  # killed before this was noted
    assert (used / "config.json").read_text(encoding="utf-8") == "new"
    assert (earlier / "config.json").read_text(encoding="utf-8") == "old"
    assert not (used / "checkpoint-3").exists()


def test_missing_scores_are_told(tmp_path):
    with pytest.raises(U2UError, match=r"metrics\.json: is missing or damaged: remove its folder"):
        error_rate(tmp_path)
