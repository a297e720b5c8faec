"""What the page loads before Gradio's own scripts, and the files of the editor."""

import json
from pathlib import Path

from starlette.responses import FileResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from strings import STRINGS

HERE = Path(__file__).parent
# In a Space it lies in this folder, see u2u_hf/publishing/deploy.py.
EDITOR = next((path for path in (HERE / "editor", HERE.parent / "editor") if path.is_dir()), HERE / "editor")
# Served by name, so that no other path can be asked for.
_MODULES = {
    f"/editor/{path.relative_to(EDITOR).as_posix()}": path
    for path in EDITOR.rglob("*.js")
    if not path.name.endswith(".test.js")
}
_HEAD = b"".join(
    [
        b"<script>",
        (HERE / "language.js").read_bytes().replace(b"LANGUAGES", json.dumps(list(STRINGS)).encode()),
        (HERE / "page.js").read_bytes(),
        b'</script><script type="module" src="editor/editor.js"></script>',
    ]
)


class PageHead:
    """ASGI middleware: put language.js, page.js and the editor into the page's head, before Gradio's own scripts.

    Gradio's `head_paths` runs a script only after its own. Chromium calls a window's listeners in the order in which
    they came, and Gradio's for "beforeunload" ends the connection to the server, with all that runs there, before
    anybody is asked whether to leave.
    """

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (path := _MODULES.get(scope["path"])):
            # With the type that browsers require, which some computers' own tables lack.
            file = FileResponse(path, media_type="text/javascript", headers={"cache-control": "no-cache"})
            await file(scope, receive, send)
            return
        if scope["type"] != "http" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        page = b""

        async def send_whole(message: Message) -> None:
            nonlocal start, page
            if message["type"] == "http.response.start":
                start = message
                return
            page += message.get("body", b"")
            if message.get("more_body"):
                return
            head, mark, rest = page.partition(b"<head>")
            whole = head + mark + (_HEAD + rest if mark else rest)
            kept = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
            await send({**start, "headers": [*kept, (b"content-length", str(len(whole)).encode())]})
            await send({"type": "http.response.body", "body": whole})

        await self._app(scope, receive, send_whole)
