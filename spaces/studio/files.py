"""The files of opened projects that the page shows: reports that recipes wrote, by name; nothing else."""

from pathlib import Path

import fastapi
from projects import Projects
from starlette.responses import FileResponse, PlainTextResponse, Response

# They have no script. Even if one were smuggled in, it would not run, and nothing would be loaded or sent.
_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; media-src data:; img-src data: 'self'"
SHOWN = {
    "report": "dataset/report.html",
    "evaluation": "scores/evaluation.html",
    "curves": "model/training_curves.png",
}


def add_routes(app: fastapi.FastAPI, projects: Projects) -> None:
    """Add the addresses of files, and one that says that the server runs."""

    @app.get("/alive")
    def alive() -> Response:
        return Response(status_code=204)

    @app.get("/view/{number}/{name}")
    def view(number: int, name: str) -> Response:
        project = projects.at(number)
        path = project.folder / SHOWN[name] if project and name in SHOWN else None
        if not path or not path.is_file() or not _is_below(path, project.folder):
            return PlainTextResponse("There is no such file.", 404)
        return FileResponse(path, headers={"content-security-policy": _POLICY, "cache-control": "no-cache"})


def _is_below(path: Path, folder: Path) -> bool:
    """Return whether a path, links followed, lies in a folder."""
    return path.resolve().is_relative_to(folder.resolve())
