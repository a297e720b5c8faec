import gzip
import io
import os
import random
import signal
import subprocess
import sys
import tarfile
import time

import pytest
from support.file_server import serve

from u2u_hf import download
from u2u_hf.records import U2UError

DATA = random.Random(0).randbytes(10_000)
OTHER = random.Random(1).randbytes(10_000)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(download, "WAITS", (0, 0, 0))
    monkeypatch.setattr(download, "CHUNK", 1000)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def got(server):
    """Range and status of each request that the server saw."""
    return [(wanted, status) for _, wanted, _, status in server.log]


def test_what_broke_off_is_taken_up_where_it_was(tmp_path, capsys):
    with serve(a=DATA) as server:
        server.breaks = [4000, 2500, None]
        download.download([f"{server.url}/a"], tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == DATA
    assert got(server) == [(None, 200), ("bytes=4000-", 206), ("bytes=6500-", 206)]
    assert {condition for _, wanted, condition, _ in server.log if wanted} == {'"one"'}
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert "sent 4000 of 10000 bytes; next try" in capsys.readouterr().err


@pytest.mark.parametrize(("etag", "date"), [("", "Mon, 01 Jun 2020 00:00:00 GMT"), ('W/"weak"', "a date")])
def test_the_date_serves_where_there_is_no_strong_etag(tmp_path, etag, date):
    with serve(a=DATA) as server:
        server.etag, server.date, server.breaks = etag, date, [4000]
        download.download([f"{server.url}/a"], tmp_path / "a")
    assert [(wanted, condition) for _, wanted, condition, _ in server.log] == [(None, None), ("bytes=4000-", date)]
    assert (tmp_path / "a").read_bytes() == DATA


@pytest.mark.parametrize("missing", ["ranges", "etag"])
def test_it_begins_anew_where_a_server_cannot_go_on(tmp_path, missing):
    with serve(a=DATA) as server:
        setattr(server, missing, "")
        server.breaks = [4000]
        download.download([f"{server.url}/a"], tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == DATA
    assert [status for _, status in got(server)] == [200, 200]


@pytest.mark.parametrize("heeds_if_range", [True, False])
def test_a_file_that_changed_meanwhile_is_begun_anew(tmp_path, heeds_if_range, monkeypatch):
    with serve(a=DATA) as server:
        server.heeds_if_range = heeds_if_range
        server.breaks = [4000, 0, 0, 0]
        with pytest.raises(U2UError, match=r"a: cannot be downloaded: .*sent 4000 of 10000 bytes \(0 MB are here"):
            download.download([f"{server.url}/a"], tmp_path / "a")
        server.files["a"], server.etag = OTHER, '"two"'
        download.download([f"{server.url}/a"], tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == OTHER
    assert got(server)[-1] == ((None if not heeds_if_range else "bytes=4000-"), 200)


def test_a_killed_download_goes_on(tmp_path):
    code = "import sys; from pathlib import Path; from u2u_hf.download import download; "
    code += "download([sys.argv[1]], Path(sys.argv[2]))"
    part = tmp_path / ".a.part"
    with serve(a=DATA) as server:
        server.breaks = ["stall"]
        arguments = [sys.executable, "-c", "import u2u_hf.download as d; d.CHUNK = 1000; " + code]
        process = subprocess.Popen([*arguments, f"{server.url}/a", str(tmp_path / "a")], stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while not (part.is_file() and part.stat().st_size >= 3000) and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "a").exists()
        download.download([f"{server.url}/a"], tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == DATA
    assert got(server) == [(None, 200), ("bytes=3000-", 206)]


def test_killed_between_the_last_byte_and_the_renaming(tmp_path):
    with serve(a=DATA) as server:
        (tmp_path / ".a.part").write_bytes(DATA)
        (tmp_path / ".a.part.json").write_text(f'["{server.url}/a", "\\"one\\""]')
        download.download([f"{server.url}/a"], tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == DATA
    assert got(server) == [("bytes=10000-", 416)]


def test_a_busy_server_is_asked_again_and_one_that_refuses_is_not(tmp_path):
    with serve(a=DATA) as server, serve() as without:
        server.statuses = [503]
        download.download([f"{without.url}/a", f"{server.url}/a"], tmp_path / "a")
    assert got(without) == [(None, 404)]
    assert got(server) == [(None, 503), (None, 200)]
    assert (tmp_path / "a").read_bytes() == DATA


def test_the_server_that_gave_a_part_is_asked_first(tmp_path):
    with serve(a=OTHER) as first, serve(a=DATA) as second:
        (tmp_path / ".a.part").write_bytes(DATA[:7000])
        (tmp_path / ".a.part.json").write_text(f'["{second.url}/a", "\\"one\\""]')
        download.download([f"{first.url}/a", f"{second.url}/a"], tmp_path / "a")
    assert got(first) == []
    assert got(second) == [("bytes=7000-", 206)]
    assert (tmp_path / "a").read_bytes() == DATA


def test_a_disk_that_takes_little_at_a_time_and_then_nothing(tmp_path, monkeypatch):
    class Disk(io.FileIO):
        full = 10_000

        def write(self, data):
            if self.tell() >= self.full:
                raise OSError(28, "No space left on device")
            return super().write(data[:300])

    monkeypatch.setattr(download, "_opened", lambda path: Disk(path, "ab"))
    with serve(a=DATA) as server:
        download.download([f"{server.url}/a"], tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == DATA
        Disk.full = 4000
        with pytest.raises(U2UError, match=r"\.b\.part: cannot be written \(No space left on device\)"):
            download.download([f"{server.url}/a"], tmp_path / "b")
    assert len(server.log) == 2


def test_a_file_shorter_than_announced_is_not_taken(tmp_path):
    with serve(a=DATA) as server:
        server.longer, server.ranges = 7, False
        with pytest.raises(U2UError, match=r"a: cannot be downloaded: .* sent 10000 of 10007 bytes"):
            download.download([f"{server.url}/a"], tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_one_line_says_what_is_wrong(tmp_path, monkeypatch):
    with serve() as server:
        with pytest.raises(U2UError, match=r"^a: cannot be downloaded: http://127\S+/a answers 404 Not Found$"):
            download.download([f"{server.url}/a"], tmp_path / "a")
        url = server.url
    with pytest.raises(U2UError, match=r"/a cannot be reached \(.*refused.*\): is there a connection to the Internet"):
        download.download([f"{url}/a"], tmp_path / "a")
    with pytest.raises(U2UError, match="file:///etc/passwd: is no address"):
        download.download(["file:///etc/passwd"], tmp_path / "a")
    (tmp_path / "file").write_text("")
    with serve(a=DATA) as server:
        with pytest.raises(U2UError, match=r"file/.a.part: cannot be written \("):
            download.download([f"{server.url}/a"], tmp_path / "file" / "a")
        monkeypatch.setattr(download.shutil, "disk_usage", lambda path: type("", (), {"free": 9_999}))
        with pytest.raises(U2UError, match=r"0\.0 GB more are needed on this disk, 0\.0 are free"):
            download.download([f"{server.url}/a"], tmp_path / "a")


def tgz(*members, cut=None):
    """A .tgz of (name, content) or ready TarInfo."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for member in members:
            info, content = (
                (member, b"") if isinstance(member, tarfile.TarInfo) else (tarfile.TarInfo(member[0]), member[1])
            )
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()[:cut]


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def unpacked(tmp_path, data):
    (tmp_path / "a.tgz").write_bytes(data)
    download.unpack(tmp_path / "a.tgz", tmp_path / "a")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("../evil", b"x")], r"not unpacked, do not trust it \(.*evil.*outside"),
        ([("good/../../evil", b"x")], "not unpacked, do not trust it"),
        ([special("link", tarfile.SYMTYPE, "/etc"), ("link/evil", b"x")], "link is a link or the like"),
        ([special("link", tarfile.LNKTYPE, "../../evil")], "link is a link or the like"),
        ([special("device", tarfile.CHRTYPE)], "device is a link or the like"),
        ([special("pipe", tarfile.FIFOTYPE)], "pipe is a link or the like"),
    ],
)
def test_an_archive_that_reaches_out_is_refused(tmp_path, members, message):
    folder = tmp_path / "here"
    folder.mkdir()
    with pytest.raises(U2UError, match=message):
        unpacked(folder, tgz(("good/fine", b"y"), *members))
    assert [p.name for p in tmp_path.rglob("*")] == ["here", "a.tgz"]


def test_absolute_names_stay_below_the_folder(tmp_path):
    unpacked(tmp_path, tgz((f"{tmp_path}/evil", b"x")))
    assert not (tmp_path / "evil").exists()
    assert [p.name for p in (tmp_path / "a").rglob("evil")] == ["evil"]


def test_damage_is_noticed_wherever_it_is(tmp_path):
    whole = tgz(("a/b", DATA), ("a/c", b"x"))
    flipped = bytearray(whole)
    flipped[-6] ^= 1  # in gzip's checksum, behind all files
    for data in (
        b"",
        b"<html>not found</html>",
        whole[:5000],
        whole[:-9],
        whole[:-1],
        bytes(flipped),
        gzip.compress(b"no tar"),
    ):
        with pytest.raises(
            U2UError, match=r"a\.tgz: is damaged or cut off \(.*\): delete it and run the command again"
        ):
            unpacked(tmp_path, data)
        assert not (tmp_path / "a").exists()
    unpacked(tmp_path, whole)
    assert (tmp_path / "a" / "a" / "b").read_bytes() == DATA


def test_an_archive_is_fetched_unpacked_and_left_alone_afterwards(tmp_path, capsys):
    half = tmp_path / ".a.unpacking"  # as a killed run leaves it
    half.mkdir()
    (half / "half").write_text("half")
    with serve(**{"a.tgz": tgz(("top/b", b"x"))}) as server:
        assert download.get_archive("a.tgz", [f"{server.url}/"], tmp_path) == tmp_path / "a"
        assert [str(p.relative_to(tmp_path)) for p in sorted(tmp_path.rglob("*"))] == ["a", "a/top", "a/top/b"]
        download.get_archive("a.tgz", [server.url], tmp_path)
        download.get_archive("a.tgz", [server.url], tmp_path / "second", keep=True)
    assert len(server.log) == 2
    assert (tmp_path / "second" / "a.tgz").is_file()
    assert "unpacking a.tgz: 100%" in capsys.readouterr().err


def test_an_archive_that_is_there_already_is_not_fetched(tmp_path):
    (tmp_path / "a.tgz").write_bytes(tgz(("b", b"x")))
    assert (download.get_archive("a.tgz", ["http://127.0.0.1:1"], tmp_path, keep=True) / "b").read_bytes() == b"x"
