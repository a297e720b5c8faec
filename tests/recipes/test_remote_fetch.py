"""recipes/remote.py --fetch: the model that a job made, in a folder as if it had been trained here."""

from conftest import RECIPES
from support import programs
from support.hub_server import running_hub

from u2u_hf import output_folder


def test_a_model_is_fetched_and_the_one_before_is_kept(tmp_path, random_model):
    files = {path.name: path.read_bytes() for path in random_model.iterdir()}
    folder, mine, home = tmp_path / "model", tmp_path / "mine", tmp_path / "home"
    mine.mkdir()
    home.mkdir()
    (mine / "a.wav").write_bytes(b"sound")
    with running_hub(tmp_path / "hub") as hub:
        environment = hub.environment(home, "hf_ana_write")

        def fetch(repository, to):
            words = [RECIPES / "remote.py", "--fetch", repository, "--output_dir", to]
            return programs.run(words, cwd=tmp_path, env=environment)

        hub.add("model", "ana/begun", True, {"last-checkpoint/trainer_state.json": b"{}"})
        hub.add("model", "ana/ears", True, files | {"train.yaml": b"{}", "last-checkpoint/optimizer.pt": b"much"})
        refused = fetch("ana/begun", folder)
        assert refused.stderr == "error: ana/begun: holds no finished model: let its training end, or resume it\n"
        assert f"{mine}: holds something else (a.wav)" in fetch("ana/ears", mine).stderr
        assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "hub", "mine"]
        for number in (0, 1):
            done = fetch("ana/ears", folder)
            assert done.returncode == 0, done.stderr
            assert (f"the one that was there: {folder}-before-1" in done.stdout) == bool(number)
            assert {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")} == files | {
                "train.yaml": b"{}"
            }
            assert output_folder.made_by(folder) == "train.py"
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["home", "hub", "mine", "model", "model-before-1"]
