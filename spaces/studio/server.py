"""Studio's server: one process on this computer, bound to 127.0.0.1, with a secret in its address."""

import os
import secrets
import socket
import webbrowser
from pathlib import Path

# Read when the libraries are imported: they report no use, and ask no other host for anything.
os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1", ORT_DISABLE_TELEMETRY="1")

import fastapi
import gradio as gr
import uvicorn
from files import add_routes
from guard import Guard
from page import studio_page
from projects import Projects

from u2u_hf.records import U2UError

HERE = Path(__file__).parent
FIRST_PORT, _MOST_PORTS = 7870, 50
THEME = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])


def serve(project: Path | None, port: int | None, browser: bool) -> None:
    """Serve Studio until Ctrl-C, and print its address.

    Args:
        project: the folder to open, or None: the page asks for one.
        port: None for the first free one from 7870.
        browser: whether to open the address.

    Raises:
        U2UError: the port is taken.
    """
    with _listening(port) as listening:
        number = listening.getsockname()[1]
        secret = secrets.token_urlsafe(24)
        address = f"http://127.0.0.1:{number}/?secret={secret}"
        config = uvicorn.Config(
            Guard(_app(Projects(project), number), secret, number),
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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"Studio: {self._address}", flush=True)
        print("Open this address in a browser of this computer. Ctrl-C ends Studio; what runs goes on.", flush=True)
        if self._browser:
            webbrowser.open(self._address)


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


def _listening(port: int | None) -> socket.socket:
    for number in range(FIRST_PORT, FIRST_PORT + _MOST_PORTS) if port is None else [port]:
        listening = socket.socket()
        if os.name != "nt":  # there it would share the port with another program
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", number))
            listening.listen(128)
            return listening
        except (OSError, OverflowError) as error:
            listening.close()
            reason = getattr(error, "strerror", None) or error
    if port is None:
        raise U2UError(f"no port from {FIRST_PORT} to {FIRST_PORT + _MOST_PORTS - 1} is free ({reason}): give --port")
    raise U2UError(f"--port {port}: cannot be used ({reason}): another Studio may run there; give another, or none")
