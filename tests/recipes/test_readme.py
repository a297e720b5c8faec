import json
import re
import runpy
import sys

import pytest
from conftest import PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


def test_there_are_two_commands_to_set_up_and_ci_runs_the_second():
    first, second = (block.strip() for block in BLOCKS[:2])
    assert first == "pip install -e '.[demo]' && python recipes/quickstart.py"
    assert second == "pip install -e '.[test]' && pytest"
    ci = (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert second in ci
    assert sum(line.lstrip().startswith("pip install") for line in ci) == 1


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", README)
    assert len(links) > 8
    assert [link for link in links if not (PROJECT / link).exists()] == []


NOTEBOOK = json.loads((PROJECT / "recipes" / "colab.ipynb").read_text(encoding="utf-8"))
CELLS = [cell["source"] for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
# Of the notebook, with its variables filled in; those that are left to the user with x.
VALUES = dict(re.findall(r'^([A-Z_]+) = "([^"]+)"', "".join("".join(cell) for cell in CELLS), re.MULTILINE))
LINES = [line.strip("!\n") for cell in CELLS for line in cell if line.startswith("!") and "recipes/" in line]
FILLED = [re.sub(r"\{(\w+)\}", lambda name: VALUES.get(name[1], "x"), line) for line in LINES]
COMMANDS = [line for block in BLOCKS[2:] for line in block.splitlines() if line.strip()]


IN_HELP = [
    line.strip()
    for path in sorted((PROJECT / "recipes").glob("*.py"))
    for line in path.read_text(encoding="utf-8").split('"""')[1].splitlines()
    if line.startswith("    ") and "recipes/" in line
]


@pytest.mark.parametrize("command", COMMANDS + FILLED + IN_HELP)
def test_every_command_is_understood_by_its_recipe(command, understood):
    understood(command)


def test_the_notebook_goes_the_whole_way_and_defines_what_it_uses():
    text = "\n".join("".join(cell) for cell in CELLS)
    assert [re.search(r"recipes/(\w+)", line)[1] for line in FILLED] == [
        "prepare",
        "prepare",
        "train",
        "evaluate",
        "export",
        "transcribe",
    ]
    used = {name for line in re.findall("^!.*", text, re.MULTILINE) for name in re.findall(r"\{(\w+)\}", line)}
    assert used == set(re.findall(r"^([A-Z_]+) = ", text, re.MULTILINE))
    assert not any(cell.get("outputs") for cell in NOTEBOOK["cells"])  # of nobody's run


def test_every_recipe_is_in_the_table_and_its_help_teaches(monkeypatch, capsys):
    for path in sorted((PROJECT / "recipes").glob("*.py")):
        assert f"[{path.name}](recipes/{path.name})" in README
        monkeypatch.setattr(sys, "argv", [str(path), "--help"])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(path), run_name="__main__")
        assert ended.value.code == 0
        told = capsys.readouterr().out
        assert f"recipes/{path.name} " in told or f"recipes/{path.name}\n" in told
        assert "--output_dir" in told
