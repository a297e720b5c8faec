"""What a reader of files must not do: open other files, connect, or start programs."""

import os
import select
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import u2u_hf

_REACHING = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind")
_STARTING = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile")


class Guard:
    """Notes what this process opens, connects to or starts while `watching`.

    Python has no way to take an audit hook away: one guard serves the whole process, and is silent otherwise. Hooks
    do not see what libraries in C do, for which there is `Bait`.
    """

    def __init__(self):
        # Libraries open their own files, and the kernel's.
        own = (sys.prefix, sys.base_prefix, Path(u2u_hf.__file__).parent.parent, *filter(None, sys.path))
        self._own = (*(os.path.join(os.path.realpath(folder), "") for folder in own), "/proc/", "/sys/", "/dev/")
        self._allowed: tuple[str, ...] | None = None
        self._seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple) -> None:
        if self._allowed is None:
            return
        if event in _REACHING or event in _STARTING:
            self._seen.append(f"{event} {arguments}")
        elif event == "open" and isinstance(arguments[0], (str, bytes)):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            writes = arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if not path.startswith(self._allowed if writes else (*self._allowed, *self._own)):
                self._seen.append(f"open {path}")

    @contextmanager
    def watching(self, *folders: str | os.PathLike[str]) -> Iterator[list[str]]:
        """Yield the list of what is done outside of `folders`; it grows."""
        self._seen = []
        self._allowed = tuple(os.path.join(os.path.realpath(folder), "") for folder in folders)
        try:
            yield self._seen
        finally:
            self._allowed = None


class Bait:
    """A file and a server for damaged files to name: whoever reads or asks them is noticed, also by libraries in C.

    Attributes:
        words: names of both, as files and addresses.
    """

    def __init__(self, folder: Path):
        self._file = folder / "secret.wav"
        self._file.write_bytes(b"secret")
        self._server = socket.create_server(("127.0.0.1", 0))
        address = f"127.0.0.1:{self._server.getsockname()[1]}/secret.wav"
        self.words = tuple(
            word.encode()
            for word in (
                *(str(self._file), f"file://{self._file}", f"../{folder.name}/secret.wav", f"|cat {self._file}"),
                *(f"http://{address}", f"//{address}", f"tcp://{address}", f"concat:{self._file}"),
            )
        )
        self.reset()

    def reset(self) -> None:
        os.utime(self._file, (0, 1))  # older than the change: whoever reads the file sets it anew

    def taken(self) -> str:
        """Return what somebody did with the bait, or the empty string."""
        if self._file.stat().st_atime or self._file.stat().st_mtime != 1:
            return f"read {self._file}"
        if select.select([self._server], [], [], 0)[0]:
            self._server.accept()[0].close()
            return "connected to the server"
        return ""

    def close(self) -> None:
        self._server.close()
