"""What can stand between the client and a server: TLS, a proxy, something that is no server at all."""

import base64
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import trustme


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port on loopback; `serve` gets each connection in a thread of its own."""
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

    def handle(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            serve(connection)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@contextmanager
def tls_in_front_of(url: str, certificate: trustme.LeafCert) -> Iterator[str]:
    """The same server at an https address on `localhost`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    target = urlsplit(url)

    def serve(connection: socket.socket) -> None:
        with (
            context.wrap_socket(connection, server_side=True) as inner,
            socket.create_connection((target.hostname, target.port)) as outer,
        ):
            _relay(inner, outer)

    with listening(serve) as port:
        yield f"https://localhost:{port}"


@contextmanager
def proxy(asked: list[str], *, password: str | None = None, refusal: str | None = None) -> Iterator[str]:
    """A proxy that takes CONNECT; `asked` gets the hosts. With a password it wants `user:<password>`."""
    wanted = None if password is None else base64.b64encode(f"user:{password}".encode()).decode()

    def serve(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        host, port = head.split()[1].decode().rsplit(":", 1)
        asked.append(host)
        if wanted is not None and f"Basic {wanted}".encode() not in head:
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif refusal is not None:
            connection.sendall(f"HTTP/1.1 {refusal}\r\nContent-Length: 0\r\n\r\n".encode())
        else:
            with socket.create_connection((host, int(port))) as outer:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _relay(connection, outer)

    with listening(serve) as port:
        yield f"http://127.0.0.1:{port}"


def closes_at_once(connection: socket.socket) -> None:
    """No server: it listens, and hangs up."""
    connection.recv(4096)


def answers_plainly(connection: socket.socket) -> None:
    """A server that knows no TLS."""
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes both ways until one side ends; in one thread, because TLS does not share its state."""
    while True:
        for source in select.select([one, other], [], [])[0]:
            data = source.recv(65536)
            while isinstance(source, ssl.SSLSocket) and source.pending():
                data += source.recv(65536)
            if not data:
                return
            (other if source is one else one).sendall(data)
