"""The way to the server: which certificate authorities vouch for it, and which proxy leads to it."""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy
from urllib3.util import parse_url

VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""The variables that name a bundle, the first that is set wins. requests itself does not know SSL_CERT_FILE."""
PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
"""The variables that name a proxy, in the order in which requests takes them."""


def variable(environ: Mapping[str, str]) -> str | None:
    """Return the variable whose bundle is in force, None if it is certifi's."""
    return next((name for name in VARIABLES if environ.get(name)), None)


def ca_bundle(environ: Mapping[str, str]) -> str | None:
    """Return the path of the bundle in force, None if it is certifi's."""
    name = variable(environ)
    return environ[name] if name else None


def faults(environ: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the bundle: without it no connection could be made, however often it is tried."""
    name = variable(environ)
    if name is None:
        return []
    path = Path(environ[name])
    try:
        if not path.is_dir():
            ssl.create_default_context(cafile=path)
            return []
        if any(path.glob("*.0")):  # they are looked up one by one
            return []
        reason = "is a folder without certificates under hashed names, as `openssl rehash` gives them"
    except ssl.SSLError:
        reason = "holds no certificate in PEM form"
    except (OSError, ValueError) as error:
        reason = f"can't be read: {(error.strerror if isinstance(error, OSError) else None) or 'not a path'}"
    return [f"{name}: {environ[name]} {reason}; in a container the file has to be mounted at this path"]


def proxy_variable(server_url: str) -> str | None:
    """Return the variable whose proxy leads to this server, None if none does.

    Plain http is for loopback alone and never goes through one. requests reads the environment of the process itself.
    """
    address = _proxy(server_url)
    return None if address is None else _variable_with(address)


def _proxy(server_url: str) -> str | None:
    return select_proxy(server_url, get_environ_proxies(server_url)) if server_url.startswith("https://") else None


def _variable_with(address: str) -> str:
    return next((name for name in PROXY_VARIABLES if os.environ.get(name) == address), "HTTPS_PROXY")


def proxy_faults(server_url: str) -> list[str]:
    """Return what is wrong with the address of the proxy. It may hold a password, so it is not quoted."""
    given = _proxy(server_url)
    if given is None:
        return []
    try:
        address = given if "://" in given else f"http://{given}"
        HTTPAdapter().proxy_manager_for(address)  # knows the schemes, and whether what SOCKS needs is installed
        usable = bool((parse_url(address).host or "").encode("idna"))
    except ValueError:  # the faults of requests and urllib3 about addresses all are
        usable = False
    return [] if usable else [proxy_unusable(_variable_with(given))]


def proxy_unusable(name: str) -> str:
    """Return what is said of a proxy variable that names none."""
    return (
        f"{name}: not the address of a proxy that can be used here; give http://host:port, or name the host of "
        "server-url in NO_PROXY"
    )
