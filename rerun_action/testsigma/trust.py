"""Which certificate authorities vouch for the server: those of certifi, or a company's own bundle."""

import ssl
from collections.abc import Mapping
from pathlib import Path

VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""The variables that name a bundle, the first that is set wins. requests itself does not know SSL_CERT_FILE."""


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
        if not path.is_dir():  # a folder holds hashed names, which are looked up one by one
            ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        reason = "holds no certificate in PEM form"
    except (OSError, ValueError) as error:
        reason = f"can't be read: {(error.strerror if isinstance(error, OSError) else None) or 'not a path'}"
    else:
        return []
    return [f"{name}: {environ[name]} {reason}; in a container the file has to be mounted at this path"]
