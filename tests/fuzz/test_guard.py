"""The guard itself: what it notices, and what it lets pass."""

import socket
import subprocess
import sys

import pytest


def test_files_inside_and_the_librarys_own_are_no_deeds(guard, tmp_path):
    (tmp_path / "inside").mkdir()
    with guard.watching(tmp_path / "inside") as seen:
        (tmp_path / "inside" / "a").write_text("a")
        (tmp_path / "inside" / "a").read_text()
        with open(pytest.__file__):
            pass
    assert seen == []


def test_what_is_outside_is_noticed(guard, tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "b").write_text("b")
    (tmp_path / "inside" / "link").symlink_to(tmp_path / "b")
    with guard.watching(tmp_path / "inside") as seen:
        (tmp_path / "inside" / "link").read_text()
        (tmp_path / "inside" / ".." / "c").write_text("c")
        subprocess.run([sys.executable, "-c", ""], check=True)
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()
    for deed in (f"open {tmp_path / 'b'}", f"open {tmp_path / 'c'}", "subprocess.Popen", "socket.connect"):
        assert any(line.startswith(deed) for line in seen), seen


@pytest.mark.parametrize("how", ["read", "connect"])
def test_bait_that_is_taken_is_noticed(bait, how):
    path, address = bait.words[0].decode(), bait.words[4].decode().split("/")[2]
    assert bait.taken() == ""
    if how == "read":
        with open(path) as file:
            file.read()
    else:
        host, port = address.split(":")
        socket.create_connection((host, int(port))).close()
    assert bait.taken()
