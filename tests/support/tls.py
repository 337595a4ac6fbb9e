"""A simulator behind TLS with a certificate of a company's own, and a proxy that leads to it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import trustme

from tests.support.network import tls_in_front_of


class Authority:
    """A made-up company's certificate authority; `bundle` is what its machines are given."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA(organization_name="Example Company")
        self.bundle = folder / "company-ca.pem"
        self._ca.cert_pem.write_to_path(self.bundle)

    @contextmanager
    def in_front_of(self, port: int, host: str = "localhost", until: datetime | None = None) -> Iterator[str]:
        """Serve what listens on this port over TLS, by a certificate for `host`; give its address."""
        certificate = self._ca.issue_cert(host, not_after=until)
        with tls_in_front_of(f"http://127.0.0.1:{port}", certificate) as address:
            yield address


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
