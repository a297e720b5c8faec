"""The port of the page. By itself, so that a taken one is told before the seconds that Gradio takes to be imported."""

import os
import socket

from u2u_hf.records import U2UError

FIRST_PORT, _MOST_PORTS = 7870, 50


def listen(port: int | None) -> socket.socket:
    """Return a socket that listens on this computer alone.

    Args:
        port: None for the first free one from `FIRST_PORT`.

    Raises:
        U2UError: the port is taken, or may not be used.
    """
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
