"""Build the pages and serve them on this computer, with the headers that allow several threads.

python spaces/browser/serve.py --model my_model
"""

import argparse
import sys
import tempfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from u2u_hf.publishing.browser_page import build, headers
from u2u_hf.records import U2UError

TEMPLATE = Path(__file__).parent


class Handler(SimpleHTTPRequestHandler):
    extra = headers(TEMPLATE)

    def end_headers(self):
        for name, value in self.extra.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *arguments):
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="", help="folder of a trained and exported model, or OWNER/NAME on the Hub")
    parser.add_argument("--port", type=int, default=8000, help="0: any free port")
    args = parser.parse_args()
    # The port comes before the build, which takes a minute: one that is taken is named at once.
    with tempfile.TemporaryDirectory() as folder, _server(args.port, Path(folder, "site")) as server:
        build(TEMPLATE, Path(folder, "site"), args.model)
        print(f"http://127.0.0.1:{server.server_port} (stop with Ctrl-C)", flush=True)
        server.serve_forever()


def _server(port: int, site: Path) -> ThreadingHTTPServer:
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(site)))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise U2UError(f"--port {port}: cannot be used ({reason}): give another one, or 0 for any free port") from error


if __name__ == "__main__":
    try:
        main()
    except U2UError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        pass
