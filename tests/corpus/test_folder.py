"""Which files of a corpus folder are read."""

import functools
import os
import sys

import pytest
from support.corpus_folder import HELLO, make_corpus

from u2u_hf.corpus.reader import read_corpus
from u2u_hf.formats.eaf import write_eaf


@pytest.fixture
def folder(tmp_path):
    """``folder("a.eaf", "audio/a.wav", …)`` makes a corpus of these files."""
    return functools.partial(make_corpus, tmp_path / "corpus")


def test_hidden_files_and_folders_are_not_looked_at(folder):
    recordings, skipped = read_corpus(folder("a.eaf", "a.wav", "._a.eaf", ".trash/b.eaf", ".trash/a.wav"))
    assert [r.name for r in recordings] == ["a"]
    assert skipped == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8_are_named(folder):
    root = folder("a.eaf", "a.wav")
    latin = os.fsdecode("niño".encode("latin-1"))
    (root / f"{latin}.eaf").write_bytes((root / "a.eaf").read_bytes())
    (root / latin).mkdir()
    (root / latin / "b.eaf").write_bytes((root / "a.eaf").read_bytes())
    recordings, skipped = read_corpus(root)
    assert [r.name for r in recordings] == ["a"]
    assert [s.where for s in skipped] == [str(root / "ni?o"), str(root / "ni?o.eaf")]
    assert all("its name is not valid UTF-8: rename it" in s.reason for s in skipped)


def link(path, to):
    try:
        path.symlink_to(to, target_is_directory=True)
    except OSError:
        pytest.skip("this system lets nobody make links")


def test_links_in_circles_end(folder):
    root = folder("a.eaf", "audio/a.wav", "audio/deep/b.eaf", "audio/deep/b.wav")
    link(root / "audio" / "loop", root)
    link(root / "audio" / "deep" / "self", ".")
    link(root / "up", "..")  # where all the user's other files may be
    link(root / "broken", "nowhere")
    link(root / "c.eaf", "c.eaf")
    write_eaf(root.parent / "other.eaf", HELLO, [])
    recordings, skipped = read_corpus(root)
    assert [r.name for r in recordings] == ["a", "audio/deep/b"]
    assert skipped == []


def test_audio_may_lie_on_another_disk(folder, tmp_path):
    root = folder("a.eaf", "b.eaf")
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "a.wav").write_bytes(b"sound")
    (disk / "b.wav").write_bytes(b"sound")
    link(root / "audio", disk)
    recordings, skipped = read_corpus(root)
    assert [r.audio for r in recordings] == [str(root / "audio" / "a.wav"), str(root / "audio" / "b.wav")]
    assert skipped == []


def test_a_folder_that_cannot_be_read_is_named(folder, monkeypatch):
    root = folder("a.eaf", "a.wav", "locked/b.eaf")
    scandir = os.scandir

    def denied(path):
        if str(path).endswith("locked"):  # chmod does not stop root, who runs tests in containers
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    recordings, skipped = read_corpus(root)
    assert [r.name for r in recordings] == ["a"]
    assert [(s.where, s.reason) for s in skipped] == [
        (str(root / "locked"), "the folder cannot be read (Permission denied)")
    ]
