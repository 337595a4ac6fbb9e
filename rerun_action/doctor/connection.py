"""How the server is reached, and what is in the way: host, TLS, certificates, proxy."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from rerun_action.doctor.line import Finding, State
from rerun_action.errors import ActionError
from rerun_action.testsigma import trust, wire
from rerun_action.testsigma.journal import Exchange
from rerun_action.testsigma.look import Route
from rerun_action.testsigma.trouble import NoConnection, Trouble

_SPELLING = "check server-url; if this machine gets out through a proxy only, name it in HTTPS_PROXY"
_COMPANY = "if your company uses a CA of its own, name its bundle in REQUESTS_CA_BUNDLE"

_TROUBLES: Mapping[Trouble, tuple[str, str]] = {
    Trouble.UNRESOLVED: ("{host} has no address here (DNS)", _SPELLING),
    Trouble.REFUSED: ("{host} refuses the connection", "check host and port of server-url, and that the server is up"),
    Trouble.NO_ROUTE: ("no connection to {host} comes about; a firewall may be in the way", _SPELLING),
    Trouble.SILENT: (
        "{host} takes the connection and does not answer",
        "try again later; if it stays so, look for a firewall or a gateway that swallows requests",
    ),
    Trouble.CLOSED: ("{host} closes the connection without an answer", "check scheme and port of server-url"),
    Trouble.NOT_TLS: ("{host} answers, but does not speak TLS", "check the port of server-url"),
    Trouble.TLS_BROKE: (
        "the TLS handshake with {host} breaks off",
        "look for a firewall or a proxy that inspects TLS on the way",
    ),
    Trouble.UNKNOWN_CA: ("the certificate of {host} is not trusted here ({ca})", _COMPANY),
    Trouble.OTHER_NAME: (
        "the certificate of {host} is for another name",
        "check the host in server-url; if it is right, somebody else answers in its place",
    ),
    Trouble.EXPIRED: (
        "the certificate of {host} is not valid today",
        "check this machine's clock; if it is right, the certificate has to be renewed",
    ),
    Trouble.CA_FILE: ("the {ca} can't be read", "correct the variable, or take it away"),
    Trouble.PROXY_UNRESOLVED: ("the {proxy} has no address here (DNS)", "correct the variable, or take it away"),
    Trouble.PROXY_UNREACHABLE: ("the {proxy} gives no connection", "check its host and port, and that it is up"),
    Trouble.PROXY_REFUSES: (
        "the {proxy} refuses the way to {host} ({detail})",
        "ask those who run it to let {host} through, or name the host in NO_PROXY if it can be reached without",
    ),
    Trouble.PROXY_NOT_TLS: ("the {proxy} does not speak TLS", "write its address with http://"),
    Trouble.PROXY_UNKNOWN_CA: ("the certificate of the {proxy} is not trusted here ({ca})", _COMPANY),
    Trouble.PROXY_OTHER_NAME: ("the certificate of the {proxy} is for another name", "correct the variable"),
    Trouble.PROXY_EXPIRED: (
        "the certificate of the {proxy} is not valid today",
        "check this machine's clock; if it is right, the certificate has to be renewed",
    ),
    Trouble.ADDRESS: ("{host} makes no sense as an address", "correct server-url"),
    Trouble.PROXY_ADDRESS: ("the address of the proxy makes no sense", "correct HTTPS_PROXY, as http://host:port"),
    Trouble.OTHER: ("the request fails ({detail})", "set log-level: debug and open an issue with what it prints"),
}
_WANTS_PASSWORD = (
    "the {proxy} wants a user name and a password (407)",
    "give them in the variable, as http://user:password@host:port",
)


def host(
    server_url: str,
    route: Route,
    failure: ActionError | None,
    exchanges: Sequence[Exchange],
    environ: Mapping[str, str],
) -> Finding:
    """Say whether the server answers as a server of Testsigma's would, and over which way."""
    name = urlsplit(server_url).netloc
    if not exchanges:
        fault = failure if isinstance(failure, NoConnection) else NoConnection(Trouble.SILENT)
        text, step = _TROUBLES[fault.trouble]
        if fault.trouble is Trouble.PROXY_REFUSES and fault.detail == "407":
            text, step = _WANTS_PASSWORD
        names = {"host": name, "ca": _ca(route, environ), "proxy": _proxy(route, environ), "detail": fault.detail}
        return Finding(State.PROBLEM, text.format(**names), step.format(**names))
    disturbance = disturbed(exchanges[-1])
    if failure is not None and disturbance is not None:
        text, step = disturbance
        return Finding(State.PROBLEM, f"{name} {text}", step)
    if server_url.startswith("http://"):
        return Finding(State.OK, f"{name} answers; plain http and no proxy, as it is loopback")
    return Finding(State.OK, f"{name} answers over TLS; {_ca(route, environ)}; {_proxy(route, environ)}")


def disturbed(exchange: Exchange) -> tuple[str, str] | None:
    """Say what is wrong with a reply that is no answer of Testsigma's, and what to do about it; None if it is one."""
    status = exchange.status
    if status >= 500 or status in (408, 429):  # noqa: PLR2004 - HTTP's own numbers
        return f"answers with HTTP {status}", "it may be an outage of the platform or of a gateway: try again later"
    if status >= 400:  # noqa: PLR2004
        return None
    if status >= 300:  # noqa: PLR2004
        return (
            f"redirects elsewhere (HTTP {status}), which is not followed: the key is for this host alone",
            "give the address that it redirects to as server-url, if you trust it",
        )
    try:
        wire.parse(exchange.body)
    except wire.Garbled as fault:
        return f"answers with {fault}", "check server-url; a proxy or a sign-in page may answer in its place"
    return None


def _ca(route: Route, environ: Mapping[str, str]) -> str:
    if route.ca is None:
        return "certificates from the built-in list (certifi)"
    return f"certificates from {route.ca} ({trust.variable(environ)})"


def _proxy(route: Route, environ: Mapping[str, str]) -> str:
    given = [name for word in ("https_proxy", "all_proxy") for name in (word, word.upper()) if environ.get(name)]
    if route.proxy is None:
        return "no proxy, as NO_PROXY has it" if given else "no proxy"
    variable = next((name for name in given if environ[name] == route.proxy), "")
    return f"proxy {_without_password(route.proxy)}" + (f" ({variable})" if variable else "")


def _without_password(address: str) -> str:
    """Return scheme, host and port of a proxy's address, which may hold more than that."""
    try:
        url = urlsplit(address if "://" in address else f"http://{address}")
        port = url.port
    except ValueError:
        return "with an address that makes no sense"
    return f"{url.scheme}://{url.hostname}" + (f":{port}" if port is not None else "")
