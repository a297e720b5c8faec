"""The floors of the house: imports point up the list in `u2u_hf`'s docstring; its first half runs in a browser too."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

import u2u_hf

LIBRARY = Path(u2u_hf.__file__).parent
FLOORS = [line.split()[0] for line in u2u_hf.__doc__.splitlines() if line.startswith("    ")]
STONES = FLOORS[: FLOORS.index("formats/")]
LIGHT = FLOORS[: FLOORS.index("hub/")]
HEAVY = "numpy torch torchaudio datasets transformers accelerate pandas pyarrow soundfile onnxruntime huggingface_hub"


def modules():
    """Module → its path, such as ``formats.eaf``; packages' own docstring-only modules are left aside."""
    paths = (path for path in LIBRARY.rglob("*.py") if path.name != "__init__.py")
    return {".".join(path.relative_to(LIBRARY).with_suffix("").parts): path for path in paths}


def floor(module):
    """The floor's name as the docstring has it: ``formats/`` for a package, ``records`` for a stone."""
    first, _, rest = module.partition(".")
    return f"{first}/" if rest else first


def imported(path):
    """Modules of ours that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("u2u_hf.")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "u2u_hf":
            assert not node.level
            folder = LIBRARY.joinpath(*node.module.split(".")[1:]).is_dir()
            found |= {f"{node.module}.{alias.name}" for alias in node.names} if folder else {node.module}
    return {name.removeprefix("u2u_hf.") for name in found} - {"__version__"}


def test_every_module_has_its_floor():
    assert {floor(module) for module in modules()} == set(FLOORS)


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_point_up(module):
    here = FLOORS.index(floor(module))
    down = {other for other in imported(modules()[module]) if FLOORS.index(floor(other)) > here}
    assert not down
    if floor(module) in STONES:
        assert not {other for other in imported(modules()[module]) if floor(other) not in STONES}


def test_no_module_imports_itself_by_a_detour():
    after = defaultdict(set, {module: imported(path) for module, path in modules().items()})
    done, open_ = set(), []

    def visit(module):
        assert module not in open_, f"{' → '.join([*open_, module])}"
        if module not in done:
            open_.append(module)
            for other in sorted(after[module]):
                visit(other)
            open_.pop()
            done.add(module)

    for module in sorted(after):
        visit(module)


def test_packages_hold_a_docstring_and_no_code():
    for path in LIBRARY.rglob("__init__.py"):
        if path.parent != LIBRARY:
            [docstring] = ast.parse(path.read_text(encoding="utf-8")).body
            assert isinstance(docstring, ast.Expr), path


def test_recipes_and_pages_import_the_library_and_not_each_other():
    project = LIBRARY.parent
    for path in LIBRARY.rglob("*.py"):
        assert not re.search(r"^\s*(import|from) recipes\b", path.read_text(encoding="utf-8"), re.MULTILINE), path
    recipes = {path.stem for path in (project / "recipes").glob("*.py")}
    for path in (project / "recipes").rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        names = {node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
        assert not names & recipes


def test_the_upper_half_needs_no_heavy_package():
    light = sorted(f"u2u_hf.{module}" for module in modules() if floor(module) in LIGHT)
    code = f"import sys, {', '.join(light)}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "pympi" in loaded
    assert set(light) <= loaded
    assert not set(HEAVY.split()) & loaded
