"""Files over HTTP on this computer, with Range as OpenSLR has it, and with the faults a test asks for."""

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer(ThreadingHTTPServer):
    """Serves ``files`` by name.

    Attributes:
        ranges: answer Range requests.
        etag, date: which state of the files this is; empty for a server that does not say.
        heeds_if_range: False for a server that sends the part of whatever file it has now.
        breaks: for each answer to come, after how many bytes of it the connection breaks; None for never.
        longer: how many bytes more than it has the server announces.
        statuses: answer the next requests with these errors.
        log: (name, Range, If-Range, status) of each request.
    """

    def __init__(self, **files):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.ranges, self.etag, self.date, self.heeds_if_range = True, '"one"', "", True
        self.breaks, self.longer, self.statuses, self.log = [], 0, [], []
        self.stalled = threading.Event()  # a connection that is to break with "stall" waits for it

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, name = self.server, self.path.strip("/")
        wanted, condition = self.headers["Range"], self.headers["If-Range"]
        data = server.files.get(name)
        start, status = 0, 200
        unchanged = condition in (None, server.etag, server.date) or not server.heeds_if_range
        if wanted and server.ranges and unchanged:
            start, status = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]), 206
        if data is None:
            status = 404
        elif start >= len(data) > 0:
            status = 416
        if server.statuses:
            status = server.statuses.pop(0)
        server.log.append((name, wanted, condition, status))
        if status >= 400:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            if status == 416:
                self.send_header("Content-Range", f"bytes */{len(data)}")
            self.end_headers()
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(data) - start + server.longer))
        for key, value in (("ETag", server.etag), ("Last-Modified", server.date)):
            if value:
                self.send_header(key, value)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        cut = server.breaks.pop(0) if server.breaks else None
        if cut == "stall":
            self.wfile.write(data[start : start + 3000])
            self.wfile.flush()
            server.stalled.wait(60)
        else:
            self.wfile.write(data[start:] if cut is None else data[start : start + cut])
        self.close_connection = True

    def log_message(self, *arguments):
        pass


@contextmanager
def serve(**files):
    """A running FileServer; names with dots are given as ``**{"a.tgz": data}``."""
    with FileServer(**files) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.stalled.set()
            server.shutdown()
            thread.join()
