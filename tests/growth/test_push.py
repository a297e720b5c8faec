"""A round with a private repository on the Hub."""

import json

from support import programs
from support.hub_server import running_hub

CODE = """
from pathlib import Path
from u2u_hf.growth.recipes import Recipes
from u2u_hf.project.folder import Project
from u2u_hf.growth.grow import Growth
from u2u_hf.growth.wishes import Wishes
from u2u_hf.growth.rounds import Round
project = Project(Path({folder!r}))
steps = "changes prepare train language_model compare keep test transcribe forecast report".split()
done = Round(project.rounds / "01", 1, dict.fromkeys(steps) | {{"train": {{}}}})
Growth(project, Recipes(project, None, Path("log")), Wishes(push_to="ana/ears"), done).run()
"""


def test_recogniser_and_dataset_are_pushed_private(demo_dataset, random_model, tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "dataset").symlink_to(demo_dataset)
    (tmp_path / "project" / "model").symlink_to(random_model)
    with running_hub(tmp_path / "blobs") as hub:
        environment = hub.environment(tmp_path / "home", "hf_ana_write")
        done = programs.run(["-c", CODE.format(folder=str(tmp_path / "project"))], env=environment)
        assert done.returncode == 0, done.stderr
        assert f"recogniser: {hub.url}/ana/ears" in done.stdout
        assert f"dataset: {hub.url}/datasets/ana/ears-data" in done.stdout
        assert {"model.safetensors", "vocab.json"} <= set(hub.repos["model", "ana/ears"].at("main").files)
        assert "splits.csv" in hub.repos["dataset", "ana/ears-data"].at("main").files
        assert all(repo.private for repo in hub.repos.values())
    state = json.loads((tmp_path / "project" / "rounds" / "01" / "state.json").read_text(encoding="utf-8"))
    assert "push" in state
