"""A corpus with every kind of error: the report names each, and the rest of the corpus is prepared."""

import json
import os

import numpy as np
import pytest
import soundfile
from conftest import RECIPES
from formats import test_delimited, test_eaf, test_textgrid
from support import programs
from support.eaf_text import aligned, document, slots, tier

from u2u_hf.data.dataset import load_splits

TEXTS = ("ka ñuu", "ti ña", "na xa", "ndu tu")


def annotations(name, *rows):
    """Return an .eaf of (start, end, text) on a tier that is chosen as transcription."""
    times = {f"ts{i}": t for i, t in enumerate(t for start, end, _ in rows for t in (start, end))}
    made = [aligned(f"a{i}", f"ts{2 * i}", f"ts{2 * i + 1}", text) for i, (_, _, text) in enumerate(rows)]
    media = f'<HEADER><MEDIA_DESCRIPTOR MEDIA_URL="file:///D:/{name}.wav" MIME_TYPE="audio/x-wav"/></HEADER>'
    return document(slots(**times), tier("transcription", *made), header=media)


def sound(path, seconds=4.0, rate=16_000, **settings):
    rng = np.random.default_rng(abs(hash(path.name)) % 2**32)
    soundfile.write(path, rng.standard_normal(round(seconds * rate)) * 0.1, rate, **settings)


def as_text(path):
    path.write_text("I am not a sound.", encoding="utf-8")


def cut_short(path):
    sound(path)
    path.write_bytes(path.read_bytes()[:40_000])


def silent(path):
    soundfile.write(path, np.zeros(64_000), 16_000)


def no_samples(path):
    soundfile.write(path, np.zeros(0), 16_000)


def itself(path):
    path.symlink_to(path.name)


OUTSIDE = "the annotation is not inside the audio: the audio lasts"
ONE = [(500, 1500, "ka")]
# Kind of error → annotations, function that makes the recording, text in the report.
AUDIO = {
    "no recording": (ONE, None, "its audio is not in the corpus folder (looked for no recording.wav"),
    "0 bytes": (ONE, lambda path: path.touch(), "not a sound file that can be read"),
    "text for sound": (ONE, as_text, "not a sound file that can be read"),
    "no samples": (ONE, no_samples, "holds no sound"),
    "a link to itself": (ONE, itself, "its audio is not in the corpus folder"),
    "silence": (ONE, silent, "the recording is silent there"),
    "cut short": ([(500, 900, "ka"), (3000, 3900, "ti")], cut_short, OUTSIDE),
    "past the end": ([(3500, 4500, "ka")], sound, OUTSIDE),
    "far past the end": ([(10**9, 10**9 + 1000, "ka")], sound, OUTSIDE),
    "an end before its start": ([(1500, 500, "ka")], sound, "the annotation ends before it begins"),
    "no length": ([(500, 500, "ka")], sound, "shorter than 0.3 s"),
    "nothing said": ([(500, 1500, "ka"), (2000, 3000, " ")], sound, "the annotation is empty"),
    "nothing on the tier": ([(500, 1500, " ")], sound, "no such tier, or nothing on it"),
    "too fast": ([(500, 900, "ka" * 30)], sound, "characters a second"),
    "an hour": ([(0, 3_600_000, "ka")], sound, "longer than 20 s"),
    "twice": ([(500, 1500, "ka"), (500, 1500, "ka")], sound, "the same annotation is in another file or tier"),
}  # fmt: skip
ESCAPES = ("{outside}/secret.wav", "file://{outside}/secret.wav", "../outside/secret.wav", "..\\outside\\secret.wav",
           "..%2Foutside%2Fsecret.wav", "//server/share/secret.wav")  # fmt: skip


# A file is recognised as a table by its header; without one it is not an annotation file.
TABLES = {name: case for name, case in test_delimited.BAD.items() if case[0].startswith(test_delimited.HEAD.encode())}
CASES = [("eaf", test_eaf.BROKEN), ("TextGrid", test_textgrid.BAD), ("csv", TABLES)]
METADATA = {
    '{"file_name": "../../outside/secret.wav", "text": "a"}': "is not a file in this folder or below it",
    '{"file_name": "nowhere.wav", "text": "a"}': "there is no such file",
    '{"file_name": "text.wav", "text": "a"}': "not a sound file that can be read",
    '{"text": "a"}': "is not a file in this folder or below it",
}
LISTENING = """
import runpy, sys
opened = set()
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        opened.add(arguments[0] if isinstance(arguments[0], str) else arguments[0].decode())
sys.addaudithook(hook)
recipe, listing, *sys.argv[1:] = sys.argv[1:]
try:
    runpy.run_path(recipe, run_name="__main__")
finally:
    with open(listing, "w", encoding="utf-8") as file:
        print(*opened, sep="\\n", file=file)
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Prepare the corpus, and list every file that Python opens meanwhile."""
    here = tmp_path_factory.mktemp("here")
    corpus, outside = here / "corpus", here / "outside"
    corpus.mkdir()
    outside.mkdir()
    sound(outside / "secret.wav")
    for number, text in enumerate(TEXTS):
        (corpus / f"good {number}.eaf").write_text(annotations(f"good {number}", (500, 1500, text)), "utf-8")
        sound(corpus / f"good {number}.wav")
    for name, (rows, make, _) in AUDIO.items():
        rows = [(start, end, f"{text} {name}" if text == "ka" else text) for start, end, text in rows]
        (corpus / f"{name}.eaf").write_text(annotations(name, *rows), "utf-8")
        if make:
            make(corpus / f"{name}.wav")
    for number, way in enumerate(ESCAPES):
        text = annotations("secret", *ONE).replace("file:///D:/secret.wav", way.format(outside=outside))
        (corpus / f"escape {number}.eaf").write_text(text, "utf-8")
    for folder, table in CASES:
        (corpus / folder).mkdir()
        for number, (content, _) in enumerate(table.values()):
            data = content.encode() if isinstance(content, str) else content
            (corpus / folder / f"{number}.{folder}").write_bytes(data)
    (corpus / "metadata").mkdir()
    rows = ['{"file_name": "good.wav", "text": "ñaa"}', *METADATA]
    (corpus / "metadata" / "metadata.jsonl").write_text("\n".join(rows), encoding="utf-8")
    sound(corpus / "metadata" / "good.wav")
    as_text(corpus / "metadata" / "text.wav")
    (corpus / "loop").symlink_to(corpus, target_is_directory=True)
    arguments = [RECIPES / "prepare.py", here / "opened", "--corpus", corpus, "--output_dir", here / "out"]
    done = programs.run(["-c", LISTENING, *arguments])
    assert "Traceback" not in done.stderr, done.stderr
    return done, json.loads((here / "out" / "report.json").read_text(encoding="utf-8")), here


def test_the_rest_is_prepared_and_the_exit_status_says_that_not_all_was(prepared):
    done, _, here = prepared
    assert done.returncode == 3, done.stderr
    rows = [row for split in load_splits(here / "out").values() for row in split]
    assert sorted(row["text"] for row in rows if row["recording"].startswith("good")) == sorted(TEXTS)
    assert {row["recording"] for row in rows} - {f"good {n}" for n in range(4)} == {
        "cut short",
        "twice",
        "nothing said",
        "metadata/metadata/good",
    }


def said(report, name):
    """Return everything that the report says about a file or a recording."""
    files = [row["reason"] for row in report["skipped_files"] if os.path.splitext(row["file"])[0] == name]
    dropped = [
        f"{reason}: {row.get('detail', '')}"
        for reason, rows in report["dropped"].items()
        for row in rows
        if row["recording"] == name
    ]
    untold = ["no such tier, or nothing on it"] * (name in report["recordings_without_transcription"])
    return files + dropped + untold


@pytest.mark.parametrize("name", AUDIO)
def test_each_is_named(prepared, name):
    reasons = said(prepared[1], name)
    assert any(AUDIO[name][2] in reason for reason in reasons), reasons


@pytest.mark.parametrize(("folder", "table"), CASES, ids=["eaf", "textgrid", "csv"])
def test_each_broken_annotation_file_is_named(prepared, folder, table):
    for number, (_, message) in enumerate(table.values()):
        reasons = said(prepared[1], f"{folder}/{number}")
        assert any(message in reason for reason in reasons), (number, message, reasons)
    assert len(AUDIO) + len(ESCAPES) + sum(len(table) for _, table in CASES) > 40


def test_each_bad_row_of_metadata_is_named(prepared):
    reasons = said(prepared[1], "metadata/metadata")
    assert len(reasons) == len(METADATA)
    for line, (reason, message) in enumerate(zip(reasons, METADATA.values(), strict=True), 2):
        assert f"line {line}: " in reason
        assert message in reason


def test_nothing_that_is_pushed_holds_an_absolute_path(prepared):
    here = prepared[2]
    files = [here / "out" / name for name in ("README.md", "prepare.yaml", "report.html", "report.json")]
    assert [path.name for path in files if str(here) in path.read_text(encoding="utf-8")] == []


def test_nothing_outside_the_corpus_is_read(prepared):
    _, report, here = prepared
    for number in range(len(ESCAPES)):
        assert any("its audio is not in the corpus folder" in reason for reason in said(report, f"escape {number}"))
    opened = (here / "opened").read_text(encoding="utf-8").splitlines()
    assert any(path.endswith("good 0.eaf") for path in opened)
    assert not [path for path in opened if "outside" in path or path.endswith("passwd")]
