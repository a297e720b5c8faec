"""What stands in the page's head from its first byte."""

from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PLAYER = (Path(__file__).parent / "player.html").read_bytes()


class PlayerInHead:
    """ASGI middleware: put player.html into the page's head, before Gradio's own scripts.

    Gradio's `head_paths` runs a script only after its own. Chromium calls a window's listeners in the order in which
    they came, and Gradio's for "beforeunload" ends the connection to the server, with all that runs there, before
    anybody is asked whether to leave.
    """

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
            whole = head + mark + (PLAYER + rest if mark else rest)
            kept = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
            await send({**start, "headers": [*kept, (b"content-length", str(len(whole)).encode())]})
            await send({"type": "http.response.body", "body": whole})

        await self._app(scope, receive, send_whole)
