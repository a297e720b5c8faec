import json
import re
import runpy
import sys

import jiwer
import pytest
import yaml
from conftest import PROJECT
from support.programs import run

import u2u_hf
from u2u_hf.evaluation.verdict import verdict

README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
WINDOWS = re.findall(r"```bat\n(.*?)```", README, re.DOTALL)
PICTURES = re.findall(r"!\[([^]]*)\]\((?!https:)([^)]+)\)", README)  # but for badges


def test_there_are_two_commands_to_set_up_and_ci_runs_the_second():
    first, second = (block.strip() for block in BLOCKS[:2])
    assert first == "pip install -e '.[demo]' && python recipes/quickstart.py"
    assert second == "pip install -e '.[test]' && pytest"
    ci = (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert second in ci
    assert sum(line.lstrip().startswith("pip install") for line in ci) == 1


def test_the_first_command_has_a_form_for_windows():
    lines = WINDOWS[0].splitlines()
    assert " && ".join(lines).replace('"', "'") == BLOCKS[0].strip()


def anchors(page):
    """Return the names by which GitHub links to the headings of a page."""
    headings = re.findall(r"^#+ (.*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("page", "at_least"), [("README.md", 30), ("CONTRIBUTING.md", 15), ("CHANGELOG.md", 0)])
def test_every_link_leads_somewhere(page, at_least):
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", (PROJECT / page).read_text(encoding="utf-8"))
    assert len(links) >= at_least
    for link in links:
        path, _, anchor = link.partition("#")
        assert (PROJECT / path).exists(), link
        assert not anchor or anchor in anchors(PROJECT / (path or page)), link


def test_every_picture_is_shown_with_a_description_and_all_are_small():
    folder = PROJECT / "recipes" / "demo" / "pictures"
    assert {link for _, link in PICTURES} == {f"recipes/demo/pictures/{path.name}" for path in folder.iterdir()}
    assert all(len(description) > 60 for description, _ in PICTURES)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 600_000


def test_the_drafts_have_the_error_rates_that_stand_before_them():
    reference = re.search(r"^reference {2,}(.*)$", README, re.MULTILINE)[1]
    drafts = re.findall(r"^CER +(\d+) % +(.*)$", README, re.MULTILINE)
    assert [f"{jiwer.cer(reference, text):.0%}" for _, text in drafts] == [f"{rate}%" for rate, _ in drafts]
    assert len(drafts) == 4


def test_the_worth_of_an_error_rate_is_that_of_the_recipes_verdicts():
    for row, cer in (("under 10 %", 0.09), ("10 to 20 %", 0.1), ("20 to 40 %", 0.2), ("above 40 %", 0.4)):
        assert verdict(cer) in re.search(rf"^\| {row} \| (.*)", README, re.MULTILINE)[1]


def test_every_benchmark_has_its_command():
    named = set(re.findall(r"python (tests/benchmarks/\w+\.py)", README))
    assert len(named) >= 5
    assert [path for path in named if not (PROJECT / path).is_file()] == []


@pytest.mark.parametrize("path", sorted((PROJECT / "tests" / "benchmarks").glob("*.py")), ids=lambda path: path.stem)
def test_every_benchmark_starts(path):
    done = run([path, "--help"])
    assert done.returncode == 0, done.stderr
    assert f"python tests/benchmarks/{path.name}" in done.stdout


def test_the_map_names_every_package_of_the_library():
    packages = {path.parent.name for path in (PROJECT / "u2u_hf").glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+)/` \|", README, re.MULTILINE)) == packages


def test_the_citation_is_complete_and_of_this_version():
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    # What the schema of the Citation File Format 1.2.0 requires, of the file and of a reference.
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert str(citation["version"]) == u2u_hf.__version__
    (paper,) = citation["references"]
    assert {"type", "title", "authors"} <= set(paper)
    assert paper["doi"] in README


NOTEBOOK = json.loads((PROJECT / "recipes" / "colab.ipynb").read_text(encoding="utf-8"))
CELLS = [cell["source"] for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
# The notebook's variables, by name; those that the user fills in become x.
VALUES = dict(re.findall(r'^([A-Z_]+) = "([^"]+)"', "".join("".join(cell) for cell in CELLS), re.MULTILINE))
LINES = [line.strip("! \n") for cell in CELLS for line in cell if re.match(" *!", line) and "recipes/" in line]
FILLED = [re.sub(r"\{(\w+)\}", lambda name: VALUES.get(name[1], "x"), line) for line in LINES]
COMMANDS = [
    line
    for line in "\n".join(BLOCKS[2:] + WINDOWS).splitlines()
    if re.match(r"(python|accelerate launch|torchrun) .*recipes/", line)
]


IN_HELP = [
    line.strip()
    for path in sorted((PROJECT / "recipes").glob("*.py"))
    for line in path.read_text(encoding="utf-8").split('"""')[1].splitlines()
    if line.startswith("    ") and "recipes/" in line
]


def test_the_other_commands_hold_in_bash_cmd_and_powershell():
    for line in [*"".join(BLOCKS[2:] + WINDOWS).splitlines(), *IN_HELP]:
        assert not set("'$`;&|<>^%") & set(line), line
        assert not line.rstrip().endswith("\\"), line
        assert not re.match(r"\w+=", line), line  # a variable of the environment, for bash only


def test_every_command_is_one_of_a_recipe():
    others = {line for line in "\n".join(BLOCKS[2:]).splitlines() if line.strip()} - set(COMMANDS)
    assert others == set()


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
    used = {name for line in re.findall("^ *!.*", text, re.MULTILINE) for name in re.findall(r"\{(\w+)\}", line)}
    assert used <= set(re.findall(r"^ *(\w+) = ", text, re.MULTILINE))
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
        # The others write into the folders of other programs or into a project.
        others = ("elan.py", "grow.py", "praat.py", "studio.py")
        assert ("--output_dir" in told) == (path.name not in others)
