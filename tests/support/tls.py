"""A simulator behind TLS with a certificate of a company's own, and a proxy that leads to it."""

import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import trustme

_CHUNK = 65536


class Authority:
    """A made-up company's certificate authority; `bundle` is what its machines are given."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA(organization_name="Example Company")
        self.bundle = folder / "company-ca.pem"
        self._ca.cert_pem.write_to_path(self.bundle)

    @contextmanager
    def in_front_of(self, port: int, host: str = "localhost", until: datetime | None = None) -> Iterator[str]:
        """Serve what listens on this port over TLS, by a certificate for `host`; give its address."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(host, not_after=until).configure_cert(context)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=_accept, args=(listener, context, port), daemon=True).start()
            yield f"https://localhost:{listener.getsockname()[1]}"
            listener.shutdown(socket.SHUT_RDWR)  # ends the thread that accepts


def _accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):  # the listener was closed
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection, context, port), daemon=True).start()


def _serve(connection: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError), ExitStack() as stack:
        outer = stack.enter_context(context.wrap_socket(connection, server_side=True))
        inner = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        back = threading.Thread(target=_pump, args=(inner, outer), daemon=True)
        back.start()
        _pump(outer, inner)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(folder: Path, *, user: str | None = None) -> Iterator[tuple[int, Path]]:
    """A real proxy: give its port and its log, which has a line for each tunnel. `user`: name:password it asks for."""
    log, port_file = folder / "proxy.log", folder / "proxy.port"
    options = ["--hostname", "127.0.0.1", "--port", "0", "--port-file", str(port_file), "--log-file", str(log)]
    options += ["--num-workers", "1", "--num-acceptors", "1", *(["--basic-auth", user] if user else [])]
    with subprocess.Popen([sys.executable, "-m", "proxy", *options], stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 20
            while not (port_file.exists() and port_file.read_text(encoding="utf-8").strip()):
                assert process.poll() is None, "the proxy did not start"
                assert time.monotonic() < until, "the proxy does not listen"
                time.sleep(0.02)
            yield int(port_file.read_text(encoding="utf-8").split()[0]), log
        finally:
            process.terminate()
