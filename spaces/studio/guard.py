"""Who may speak with Studio's server: the browser that was given its address, and no other page or computer."""

import hmac
import html
from urllib.parse import parse_qs, urlencode

from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The page loads nothing from elsewhere and is shown in no other page. Gradio's own scripts need eval and inline styles.
_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' data: blob:; "
    "frame-ancestors 'self'; base-uri 'self'; form-action 'self'; object-src 'none'"
)
_ANYWHERE = {
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "cache-control": "no-store",
}
_NO_SECRET = (
    "This address lacks the secret of this Studio, or has one of an earlier start: open the whole address that "
    "studio.py printed."
)
_NOT_HERE = "Studio answers only to pages of its own address on this computer."
_ONWARDS = '<!doctype html><meta http-equiv="refresh" content="0; url={place}"><title>Studio</title>'


class Guard:
    """ASGI middleware.

    The secret comes in the address once and then as a cookie, as with notebooks. Cookies know no ports, so the name
    has it: two Studios on one computer do not log each other out. A page of another site that has a name of its own
    resolve to 127.0.0.1 (DNS rebinding) is refused by its Host; one that sends requests here, by its Origin.
    """

    def __init__(self, app: ASGIApp, secret: str, port: int, kept: str = ""):
        """Take the secret of the address, and of the cookie, which pages keep over starts of Studio."""
        self._app, self._secret, self._kept = app, secret, kept or secret
        self._cookie = f"studio_{port}"
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError("Studio has no web sockets")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        answer = self._refusal(headers) or self._login(scope, headers)
        if answer:
            await answer(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                # What a route says of itself is stricter, and stays.
                own = {name.lower() for name, _ in message["headers"]}
                more = [(n.encode(), v.encode()) for n, v in _ANYWHERE.items() if n.encode() not in own]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _refusal(self, headers: dict[str, str]) -> PlainTextResponse | None:
        origin = headers.get("origin")
        if headers.get("host") not in self._hosts or (origin and origin.removeprefix("http://") not in self._hosts):
            return PlainTextResponse(_NOT_HERE, 403)
        return None

    def _login(self, scope: Scope, headers: dict[str, str]) -> Response | None:
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = query.pop("secret", [""])[0]
        if given:
            if not _is_same(given, self._secret):
                return PlainTextResponse(_NO_SECRET, 403)
            rest = urlencode(query, doseq=True)
            place = f"{scope['path']}{'?' if rest else ''}{rest}"
            answer: Response = RedirectResponse(place, 303)
            if not _is_from_here(headers):
                # From the file that `server` opens a browser with: until a page of this address asks, a browser takes
                # all for another site's, redirects too, and sends no strict cookie.
                answer = HTMLResponse(_ONWARDS.format(place=html.escape(place)))
            answer.set_cookie(self._cookie, self._kept, httponly=True, samesite="strict")
            answer.headers["referrer-policy"] = "no-referrer"
            return answer
        cookies = cookie_parser(headers.get("cookie", ""))  # of other pages here too, some in no valid form
        own = cookies.get(self._cookie, "")
        if not _is_same(own, self._kept) and not _is_same(own, self._secret):
            return PlainTextResponse(_NO_SECRET, 403)
        # Another site cannot read this, but might show it or start a download: browsers say where a request is from.
        if not _is_from_here(headers):
            return PlainTextResponse(_NOT_HERE, 403)
        return None


def _is_same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())


def _is_from_here(headers: dict[str, str]) -> bool:
    """Return whether a request is of the browser's user or of a page of ours, as far as the browser says."""
    return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
