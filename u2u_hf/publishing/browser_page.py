"""The static Space of spaces/browser as it is served: its pages, their libraries, and our own Python."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from u2u_hf.model_folder import (
    ARPA_WEIGHTS,
    BROWSER_FILES,
    BROWSER_WEIGHTS,
    CALIBRATION,
    CARD,
    LANGUAGE_MODEL,
    MADE_OF_MODEL,
    ONNX,
)
from u2u_hf.records import U2UError
from u2u_hf.transcription import silero

# npm package → its files that pages load.
_LIBRARIES = {
    "@huggingface/blake3-jit": ["dist/esm/*.js"],
    "@huggingface/hub": ["dist/browser/*.mjs"],
    "@huggingface/xetchunk-wasm": ["dist/esm/*.js"],
    "client-zip": ["index.js"],
    "gearhash-jit": ["dist/esm/*.js"],
    "hyparquet": ["src/*.js"],
    "hyparquet-writer": ["src/*.js"],
    "mediabunny": ["dist/bundles/mediabunny.min.mjs"],
    "onnxruntime-web": [
        "dist/ort.wasm.min.mjs",
        "dist/ort-wasm-simd-threaded.mjs",
        "dist/ort-wasm-simd-threaded.wasm",
        "dist/ort.webgpu.min.mjs",
        "dist/ort-wasm-simd-threaded.asyncify.mjs",
        "dist/ort-wasm-simd-threaded.asyncify.wasm",
    ],
    "pyodide": ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip"],
}
_PYTHON = {"pympi": "pympi-ling", "tqdm": "tqdm"}  # module → package, of what `u2u_hf.browser` imports
_EDITOR = "editor"  # a folder beside the template, which brings its own library along
_LANGUAGES = "languages"  # a folder of the template
_NOT_SERVED = shutil.ignore_patterns(
    "*.test.js", "node_modules", "package*.json", "eslint.config.js", "*.py", "__pycache__"
)
_FOR_GRAPHICS = re.compile("webgpu|asyncify")  # only browsers with WebGPU load these
# Prints the name and file of every module that importing `u2u_hf.browser` imports.
_LIST_MODULES = """
import json, sys, u2u_hf.browser
print(json.dumps({name: m.__file__ for name, m in sys.modules.items() if getattr(m, "__file__", None)}))
"""


def build(template: Path, folder: Path, model: str = "") -> None:
    """Write the folder that is served, with all that its pages need: they load nothing from elsewhere.

    Args:
        template: spaces/browser of this project.
        folder: new or empty.
        model: OWNER/NAME on the Hub, which the page loads first; or a trained model's folder with its onnx/, which is
            copied; or empty, for the visitor to choose.

    Raises:
        U2UError: the folder is not empty, npm is missing or fails, or the model has not been exported.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise U2UError(f"{folder}: is not an empty folder: choose another one for the page")
    shutil.copytree(template, folder, ignore=_NOT_SERVED, dirs_exist_ok=True)
    shutil.copytree(template.parent / _EDITOR, folder / _EDITOR, ignore=_NOT_SERVED)
    own = Path(model) if model and Path(model).is_dir() else None
    if own:
        _copy_model(own, folder / "model")
    vendor = folder / "vendor"
    with tempfile.TemporaryDirectory() as temporary:
        _install(template, Path(temporary))
        licences = [
            _vendored(Path(temporary, "node_modules", name), files, vendor / name) for name, files in _LIBRARIES.items()
        ]
    write_python(vendor / "python.zip")
    licences += [_licence(name) for name in (*_PYTHON.values(), "silero-vad")]
    licences.append((folder / _EDITOR / "vendor" / "LICENCE.txt").read_text(encoding="utf-8"))
    (vendor / "LICENCES.txt").write_text("\n\n".join(licences) + "\n", encoding="utf-8")
    shutil.copy(silero.network(), vendor)
    served = [
        path
        for place in ("*.*", f"{_LANGUAGES}/*.*", f"{_EDITOR}/**/*.*", "vendor/**/*.*")
        for path in folder.glob(place)
        if path.suffix != ".md"
    ]
    files = sorted(path.relative_to(folder).as_posix() for path in served)
    settings = {
        "model": "" if own else model,
        "own": bool(own),
        "calibration": (folder / "model" / CALIBRATION).is_file(),
        "language_model": (folder / "model" / LANGUAGE_MODEL / ARPA_WEIGHTS).is_file(),
        "hub": "https://huggingface.co",
        "files": ["space.json", *(name for name in files if not _FOR_GRAPHICS.search(name))],
        "graphics_files": [name for name in files if _FOR_GRAPHICS.search(name)],
    }
    (folder / "space.json").write_text(json.dumps(settings) + "\n", encoding="utf-8")


def write_python(path: Path) -> None:
    """Write a .zip of the modules that `u2u_hf.browser` imports, of ours and of the packages in `_PYTHON`.

    Other modules would only make the page slower to load. Which ones are imported is asked in a process of its own,
    because this one has imported much more.
    """
    run = subprocess.run([sys.executable, "-c", _LIST_MODULES], capture_output=True, text=True, check=True)
    modules: dict[str, str] = json.loads(run.stdout)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, file in sorted(modules.items()):
            if name.partition(".")[0] in ("u2u_hf", *_PYTHON):
                place = name.replace(".", "/")
                archive.write(file, f"{place}/__init__.py" if Path(file).name == "__init__.py" else f"{place}.py")


def _install(template: Path, folder: Path) -> None:
    npm = shutil.which("npm")
    if not npm:
        raise U2UError("npm is needed to fetch the libraries of the page: install Node.js 20 or newer (nodejs.org)")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(template / name, folder)
    # --ignore-scripts: the install script of onnxruntime-web would download more.
    command = [npm, "ci", "--ignore-scripts", "--omit=dev", "--prefer-offline", "--no-audit", "--no-fund"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if run.returncode:
        raise U2UError(f"npm could not fetch the libraries of the page: {run.stderr.strip().splitlines()[-1]}")


def _vendored(package: Path, patterns: list[str], target: Path) -> str:
    """Copy a package's files, and return its licence."""
    about = json.loads((package / "package.json").read_text(encoding="utf-8"))
    target.mkdir(parents=True)
    for path in (path for pattern in patterns for path in package.glob(pattern)):
        if (
            path.name.startswith("ort") and path.suffix == ".wasm"
        ):  # runtime.js unpacks it; it has a quarter of the size
            (target / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        else:
            shutil.copy(path, target)
    texts = [path.read_text(encoding="utf-8") for path in package.iterdir() if re.match("licen[cs]e", path.name, re.I)]
    return "\n\n".join([f"{about['name']} {about['version']}: {about['license']}", about.get("homepage", ""), *texts])


def _licence(name: str) -> str:
    found = distribution(name)
    about = found.metadata
    classified = [line.split(" :: ")[-1] for line in about.get_all("Classifier", ()) if line.startswith("License")]
    licence = about.get("License-Expression") or about.get("License") or ", ".join(classified)
    paths = [path.locate() for path in found.files or () if "licen" in path.name.lower()]
    return "\n\n".join([f"{name} {found.version}: {licence}", *(Path(p).read_text(encoding="utf-8") for p in paths)])


def _copy_model(model: Path, target: Path) -> None:
    (target / ONNX).mkdir(parents=True)
    weights = [name for name in BROWSER_WEIGHTS if (model / name).is_file()]
    for name in (*BROWSER_FILES, *(weights or BROWSER_WEIGHTS)):
        try:
            shutil.copy(model / name, target / name)
        except OSError as error:
            raise U2UError(f"{model / name}: is needed by the page: run recipes/export.py --model {model}") from error
    for name in MADE_OF_MODEL[LANGUAGE_MODEL]:
        if (source := model / LANGUAGE_MODEL / name).is_file():
            (target / LANGUAGE_MODEL).mkdir(exist_ok=True)
            shutil.copy(source, target / LANGUAGE_MODEL)
    for name in (CARD, CALIBRATION):  # the page shows the licence that the card names
        if (model / name).is_file():
            shutil.copy(model / name, target / name)


def headers(template: Path) -> dict[str, str]:
    """Return the HTTP headers that the Space sets in its README: with them a page may use several threads."""
    block = re.search(r"custom_headers:\n((?:  .+\n)+)", (template / "README.md").read_text(encoding="utf-8"))
    return dict(line.strip().split(": ") for line in block[1].splitlines())
