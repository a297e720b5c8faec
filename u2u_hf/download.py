"""Large archives from the web: taken up again where they broke off, checked, and unpacked without trust."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import shutil
import sys
import tarfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from u2u_hf import output_folder
from u2u_hf.files import write_text
from u2u_hf.records import U2UError

CHUNK = 1 << 20
TIMEOUT = 60  # seconds without a byte
WAITS = (1, 5, 20, 60, 120)  # seconds before the next try; counted anew after a try that brought something


class _NotFromHere(Exception):
    """This server does not give the file; another may."""


def get_archive(name: str, servers: Sequence[str], folder: Path, keep: bool = False) -> Path:
    """Download ``SERVER/name`` and unpack it. Run again after a break, it goes on; what is done is left alone.

    Args:
        name: of a .tgz file.
        servers: addresses of folders with the same file; the next is asked when one fails.
        folder: the archive comes here, and its content into a folder of its own.
        keep: leave the archive there when it is unpacked, as one is that was not downloaded by this.

    Returns:
        the folder with the content: ``folder/a`` for ``a.tgz``.

    Raises:
        U2UError: no server gives it, it is damaged or not to be trusted, or the disk is full.
    """
    target, archive = folder / name.removesuffix(".tgz"), folder / name
    if not target.is_dir():
        downloaded = not archive.is_file()
        if downloaded:
            download([f"{server.rstrip('/')}/{name}" for server in servers], archive)
            if output_folder.made_by(folder):  # for the next run, should this one be stopped while it unpacks
                output_folder.note(folder, archive)
        unpack(archive, target)
        if not keep and (downloaded or output_folder.wrote(folder, archive)):
            archive.unlink()
    return target


def download(urls: Sequence[str], path: Path) -> None:
    """Download a file that all of `urls` lead to; `path` is there when it is whole, as the server counts.

    What an earlier run left in ``.NAME.part`` is kept if the server says (If-Range: its ETag, or else its
    date) that the file is still the same, and begun anew otherwise.

    Raises:
        U2UError: no server gives it, or the disk is full.
    """
    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise U2UError(f"{url}: is no address of the form https://…")
    part = _Part(path)
    problems = []
    for url in sorted(urls, key=lambda url: url != part.url):  # one that gave a part can go on with it
        try:
            _from_one_server(url, part)
            with _local(path):
                part.path.replace(path)
                part.note.unlink(missing_ok=True)
            return
        except _NotFromHere as problem:
            problems.append(f"{url} {problem}")
    kept = f" ({part.size / 1e6:.0f} MB are here: the same command goes on from there)" if part.size else ""
    raise U2UError(f"{path.name}: cannot be downloaded: {'; '.join(problems)}{kept}")


class _Part:
    """The beginning of a file, and of which state of it at which address."""

    def __init__(self, whole: Path):
        self.name = whole.name
        self.path = whole.with_name(f".{whole.name}.part")
        self.note = whole.with_name(f".{whole.name}.part.json")
        try:
            self.url, self.state = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.url = self.state = ""

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def begin(self, url: str, state: str) -> None:
        """Empty it first, note afterwards: a kill between them must not leave old bytes with a new note."""
        with _local(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_bytes(b"")
        self.url, self.state = url, state
        write_text(self.note, json.dumps([url, state]))


def _from_one_server(url: str, part: _Part) -> None:
    """Try until `part` is whole, or nothing more comes.

    Raises:
        _NotFromHere: with the reason.
    """
    waits: Iterator[int] = iter(WAITS if part.size else WAITS[:1])
    while True:
        before = part.size
        try:
            total = _one_try(url, part)
            if total in (None, part.size):
                return
            problem = f"sent {part.size} of {total} bytes"
        except urllib.error.HTTPError as error:
            problem = f"answers {error.code} {error.reason}"
            if error.code < 500 and error.code not in (408, 416, 429):
                raise _NotFromHere(problem) from error
        except urllib.error.URLError as error:
            problem = f"cannot be reached ({error.reason}): is there a connection to the Internet?"
        except (OSError, http.client.HTTPException) as error:
            problem = f"broke off ({error or type(error).__name__})"
        if part.size > before:
            waits = iter(WAITS)
        wait = next(waits, None)
        if wait is None:
            raise _NotFromHere(problem)
        tqdm.write(f"{part.name}: {url} {problem}; next try in {wait} s", file=sys.stderr)
        time.sleep(wait)


def _one_try(url: str, part: _Part) -> int | None:
    """Append what the server gives; the size the whole file should have, None if the server does not say."""
    request = urllib.request.Request(url, headers={"User-Agent": "u2u-hf"})
    start = part.size if part.state else 0
    if start:
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", part.state)
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing follows: it is whole, or no part of this file
            if error.headers.get("Content-Range") == f"bytes */{start}":
                return start
            part.begin(url, "")
        raise
    with response:
        state = _state(response.headers)
        if response.status == 206:
            if state != part.state or not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                part.begin(url, "")
                raise http.client.HTTPException("it sent another part than asked for")
        else:
            if start:
                tqdm.write(f"{part.name}: begins anew: the server has another file, or cannot go on", file=sys.stderr)
            start = 0
            part.begin(url, state)
        length = response.headers.get("Content-Length")
        total = start + int(length) if length else None
        _require_space(part.path, int(length or 0))
        bar = tqdm(total=total, initial=start, desc=part.name, unit="B", unit_scale=True, unit_divisor=1000)
        with bar, _opened(part.path) as file:
            while block := response.read(CHUNK):
                bar.update(len(block))
                left = memoryview(block)
                while left:  # a nearly full disk takes a part
                    with _local(part.path):
                        left = left[file.write(left) :]
    return total


def _state(headers: http.client.HTTPMessage) -> str:
    """What tells one state of a file from another; a weak ETag (W/…) does not."""
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') else headers.get("Last-Modified", "")


@contextlib.contextmanager
def _local(path: Path) -> Iterator[None]:
    """What goes wrong here is the disk's fault, not the network's."""
    try:
        yield
    except OSError as error:
        raise U2UError(f"{path}: cannot be written ({error.strerror or error})") from error


def _opened(path: Path):
    with _local(path):
        return open(path, "ab", buffering=0)


def _require_space(path: Path, wanted: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < wanted:
        raise U2UError(f"{path.parent}: {wanted / 1e9:.1f} GB more are needed on this disk, {free / 1e9:.1f} are free")


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a .tgz file to `folder`, whole or not at all.

    Only files and folders are taken, and only below `folder` (tarfile's ``data`` filter: no owners, no odd
    permissions); anything else in the archive stops it. Read to the end, so that gzip's checksum is checked.

    Raises:
        U2UError: damaged, not to be trusted, or the disk is full.
    """
    temporary = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(temporary, ignore_errors=True)  # of a run that was killed
    size = archive.stat().st_size
    _require_space(folder, size)  # it will be more, but this is known before an hour's work
    bar = tqdm(total=size, desc=f"unpacking {archive.name}", unit="B", unit_scale=True, unit_divisor=1000)
    try:
        temporary.mkdir()
        with (
            bar,
            open(archive, "rb") as packed,
            gzip.open(packed) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            for member in tar:
                if not (member.isfile() or member.isdir()):
                    raise U2UError(f"{archive}: {member.name} is a link or the like: not unpacked, do not trust it")
                tar.extract(member, temporary, filter="data")
                bar.update(packed.tell() - bar.n)
            while stream.read(CHUNK):
                pass
        temporary.rename(folder)
    except tarfile.FilterError as error:
        raise U2UError(f"{archive}: not unpacked, do not trust it ({error})") from error
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError) as error:
        raise U2UError(f"{archive}: is damaged or cut off ({error}): delete it and run the command again") from error
    except OSError as error:
        raise U2UError(f"{archive}: cannot be unpacked to {folder} ({error.strerror or error})") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
