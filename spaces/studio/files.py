"""The files of opened projects that the page shows: reports by name, transcripts and their recordings by key.

Nobody can name another path.
"""

import asyncio
import secrets
from pathlib import Path

import fastapi
from projects import Projects
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response

from u2u_hf.project import transcripts
from u2u_hf.project.folder import Project
from u2u_hf.records import U2UError

# They have no script. Even if one were smuggled in, it would not run, and nothing would be loaded or sent.
_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; media-src data:; img-src data: 'self'"
SHOWN = {
    "report": "dataset/report.html",
    "evaluation": "scores/evaluation.html",
    "curves": "model/training_curves.png",
    "growth": "growth.html",
}


_HERE = Path(__file__).parent
_EDITOR = _HERE.parent / "editor"
_START = {"x-start": secrets.token_hex(8)}  # tells pages that another server answers now
_VERSION = "x-version"  # of a transcript: what is saved must come from what lies there
_REPLACES = "x-replaces"  # said by who saves over the version of another window, of which a copy is kept
_MOST_BYTES = 50_000_000  # of what the editor sends
_MOST_CHANNELS = 1000


class _NotFound(Exception):
    """What was asked for is no file that the page shows."""


def add_routes(app: fastapi.FastAPI, projects: Projects) -> None:
    """Add the addresses of files, and one that says that the server runs."""
    one_at_a_time = asyncio.Lock()

    @app.exception_handler(_NotFound)
    def not_found(request: fastapi.Request, error: _NotFound) -> Response:
        return PlainTextResponse("There is no such file.", 404)

    @app.get("/alive")
    def alive() -> Response:
        return Response(status_code=204, headers=_START)

    @app.get("/view/{folder}/{name}")
    def view(folder: str, name: str) -> Response:
        project = projects.of_key(folder)
        path = project.folder / SHOWN[name] if project and name in SHOWN else None
        if not path or not path.is_file() or not _is_below(path, project.folder):
            raise _NotFound
        return FileResponse(path, headers={"content-security-policy": _POLICY, "cache-control": "no-cache"})

    @app.get("/editor/{name:path}")
    def script(name: str) -> Response:
        known = {path.relative_to(_EDITOR).as_posix(): path for path in _EDITOR.rglob("*.js")}
        known |= {path.name: path for path in _HERE.glob("*.js")}
        if name not in known:
            raise _NotFound
        return FileResponse(known[name], media_type="text/javascript", headers={"cache-control": "no-cache"})

    @app.get("/transcript/{folder}/{key}")
    def transcript(folder: str, key: str) -> Response:
        project, path = _transcript(projects, folder, key)
        try:
            version = transcripts.version_of(path)  # first: what changes meanwhile makes the next save fail
            return JSONResponse(transcripts.opened(project, path), headers={_VERSION: version})
        except (U2UError, OSError) as error:
            return PlainTextResponse(str(error), 422)

    @app.head("/transcript/{folder}/{key}")
    def version(folder: str, key: str) -> Response:
        _, path = _transcript(projects, folder, key)
        return Response(headers={_VERSION: transcripts.version_of(path)})

    @app.get("/peaks/{folder}/{key}/{channels}")
    def peaks(folder: str, key: str, channels: int) -> Response:
        project, path = _transcript(projects, folder, key)
        if not 0 < channels <= _MOST_CHANNELS:
            raise _NotFound
        try:
            rows = transcripts.peaks_of(transcripts.sound_of(project, path), channels)
        except (U2UError, OSError) as error:
            return PlainTextResponse(str(error), 422)
        return Response(b"".join(rows), media_type="application/octet-stream")

    @app.post("/transcript/{folder}/{key}")
    async def correct(folder: str, key: str, request: fastapi.Request) -> Response:
        project, path = _transcript(projects, folder, key)
        if int(request.headers.get("content-length") or _MOST_BYTES) >= _MOST_BYTES:
            return PlainTextResponse("This is too much.", 413)
        version = request.headers.get(_VERSION)
        if not version:
            return PlainTextResponse("This does not say which version it corrects: load the page again.", 428)
        try:
            sent = await request.json()
            async with one_at_a_time:
                checked, replaces = sent.get("checked") is True, request.headers.get(_REPLACES) == version
                if replaces:
                    await asyncio.to_thread(transcripts.keep_copy, project, path)
                await asyncio.to_thread(transcripts.save, path, sent["segments"], version, checked=checked)
                version = transcripts.version_of(path)
        except (ValueError, KeyError, TypeError, AttributeError):
            return PlainTextResponse("This is not what the editor sends.", 422)
        except transcripts.ChangedError as error:
            return PlainTextResponse(str(error), 409)
        except (U2UError, OSError) as error:
            return PlainTextResponse(str(error), 422)
        return Response(status_code=204, headers={_VERSION: version})

    @app.get("/sound/{folder}/{key}")
    def sound(folder: str, key: str) -> Response:
        project, path = _transcript(projects, folder, key)
        try:
            return FileResponse(transcripts.sound_of(project, path), headers={"cache-control": "no-cache"})
        except (U2UError, OSError) as error:
            return PlainTextResponse(str(error), 404)


def _transcript(projects: Projects, folder: str, key: str) -> tuple[Project, Path]:
    """Return a project by its name in addresses, and its transcript by its key."""
    project = projects.of_key(folder)
    path = transcripts.of_key(project, key) if project else None
    if not project or not path or not _is_below(path, project.folder):
        raise _NotFound
    return project, path


def _is_below(path: Path, folder: Path) -> bool:
    """Return whether a path, links followed, lies in a folder."""
    return path.resolve().is_relative_to(folder.resolve())
