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
    with tempfile.TemporaryDirectory() as folder:
        build(TEMPLATE, Path(folder, "site"), args.model)
        with ThreadingHTTPServer(("127.0.0.1", args.port), partial(Handler, directory=f"{folder}/site")) as server:
            print(f"http://127.0.0.1:{server.server_port} (stop with Ctrl-C)", flush=True)
            server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except U2UError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        pass
