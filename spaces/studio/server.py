"""Studio's server: one process on this computer, bound to 127.0.0.1, with a secret in its address."""

import contextlib
import os
import secrets
import socket
import tempfile
import webbrowser
from pathlib import Path

# Read when the libraries are imported: they report no use, and ask no other host for anything.
os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1", ORT_DISABLE_TELEMETRY="1")

import fastapi
import gradio as gr
import uvicorn
from files import add_routes
from guard import Guard
from memory import Memory
from page import studio_page
from projects import Projects

HERE = Path(__file__).parent
THEME = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])


def serve(project: Path | None, listening: socket.socket, browser: bool) -> None:
    """Serve Studio until Ctrl-C, and print its address.

    Args:
        project: the folder to open, or None: the page asks for one.
        listening: the socket of the page's port.
        browser: whether to open the address.
    """
    with listening:
        number = listening.getsockname()[1]
        secret = secrets.token_urlsafe(24)
        address = f"http://127.0.0.1:{number}/?secret={secret}"
        memory = Memory()
        config = uvicorn.Config(
            Guard(_app(Projects(project, memory), number), secret, number, memory.secret),
            log_level="warning",
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=2,
            server_header=False,
        )
        _Server(config, address, browser).run(sockets=[listening])
    print("\nStudio has ended. What runs goes on: start Studio again to see it.")


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, address: str, browser: bool):
        super().__init__(config)
        self._address, self._browser = address, browser
        self._leading: tempfile.TemporaryDirectory[str] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"Studio: {self._address}", flush=True)
        print("Open this address in a browser of this computer. Ctrl-C ends Studio; what runs goes on.", flush=True)
        if self._browser:
            with contextlib.suppress(OSError):  # a full disk: the address is printed
                self._leading, path = _leading_to(self._address)
                webbrowser.open(path.as_uri())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._leading:  # here, because uvicorn lets the signal that ended it end the process
            self._leading.cleanup()
        await super().shutdown(sockets)


def _leading_to(address: str) -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """Return a new folder and a file in it that leads a browser to an address; only their owner can read them.

    A browser's command line, which every user of a computer can list, then has the file's path and not the secret.
    Jupyter does the same.
    """
    # Browsers that are snaps, as Ubuntu's Firefox, see neither /tmp nor hidden folders of the home folder.
    place = Path.home() if Path("/snap/bin").is_dir() else None
    folder = tempfile.TemporaryDirectory(prefix="studio-", dir=place)
    path = Path(folder.name, "open.html")
    path.touch(mode=0o600)
    path.write_text(f'<!doctype html><meta http-equiv="refresh" content="0; url={address}"><title>Studio</title>')
    return folder, path


def _app(projects: Projects, port: int) -> fastapi.FastAPI:
    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_routes(app, projects)
    return gr.mount_gradio_app(
        app,
        studio_page(projects),
        path="/",
        server_name="127.0.0.1",
        server_port=port,
        footer_links=[],
        run_history=False,
        allowed_paths=[],
        blocked_paths=[str(Path(Path.home().anchor))],
        show_error=False,
        max_file_size=0,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=THEME,
        css_paths=HERE / "style.css",
        head_paths=HERE / "head.html",
    )
