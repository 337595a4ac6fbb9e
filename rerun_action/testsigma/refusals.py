"""What a refusal is told as: the input that the user knows, the cause, the next step."""

import os
from http import HTTPStatus

from rerun_action.testsigma import trust
from rerun_action.testsigma.trouble import NoConnection, Trouble


class Answer(Exception):
    """A reply with a status that ends a request: 3xx and 4xx, and 500 where it is a refusal."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text

    @property
    def quoted(self) -> str:
        """What the platform said, as a sentence to add; nothing if it said nothing."""
        return f' It said: "{self.text}".' if self.text else ""


def of_request(answer: Answer) -> str:
    """Say why the platform did not do what was asked."""
    status = answer.status
    if status == HTTPStatus.UNAUTHORIZED:
        return (
            f"api-key: the platform does not accept the key (401).{answer.quoted} Check that it is complete and not "
            "revoked."
        )
    if status == HTTPStatus.FORBIDDEN:
        return f"api-key: the key may not do this (403).{answer.quoted} Use a key of a user who can run the test plan."
    if status < HTTPStatus.BAD_REQUEST:
        return (
            f"server-url: the server redirects elsewhere ({status}); redirects are not followed, because the key is "
            "for this host alone. Give the address that it redirects to, if you trust it."
        )
    return f"the platform refused the request ({status}).{answer.quoted}"


def of_trigger(what: str, answer: Answer) -> str:
    """Say why the platform started nothing."""
    if "currently running" in answer.text.lower():
        return (
            f'the test plan is busy: "{answer.text}". Testsigma allows one live run per plan: let the other run end, '
            "or keep jobs of the same plan from running side by side (`concurrency:` on GitHub)."
        )
    said = f"the {what} was not triggered: {of_request(answer)}"
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or answer.status < HTTPStatus.BAD_REQUEST:
        return said  # with the next step
    look = "check test-plan-id" if what == "run" else "look at the test plan in Testsigma"
    return f"{said} Nothing was started: {look}."


def of_connection(fault: NoConnection, proxy: str | None) -> str | None:
    """Say why no further try could connect, None if one could. `proxy` is the variable that names the proxy in use."""
    variable = proxy or "HTTPS_PROXY"
    whose = f"{variable}: the proxy's" if fault.trouble.name.startswith("PROXY_") else "server-url: the server's"
    match fault.trouble:
        case Trouble.UNKNOWN_CA | Trouble.PROXY_UNKNOWN_CA:
            return f"{whose} certificate is not trusted{_no_authority()}"
        case Trouble.OTHER_NAME | Trouble.PROXY_OTHER_NAME:
            return f"{whose} certificate is for another host; check the address"
        case Trouble.EXPIRED | Trouble.PROXY_EXPIRED:
            return (
                f"{whose} certificate (or one that vouches for it) has expired or is not valid yet; check it and this "
                "machine's clock"
            )
        case Trouble.PROXY_NOT_TLS:
            return f"{variable}: the proxy does not speak TLS; write its address with http://"
        case Trouble.PROXY_REFUSES if fault.detail == "407":
            return f"{variable}: the proxy wants a user name and password (407); give http://user:password@host:port"
        case Trouble.PROXY_REFUSES if fault.detail.startswith("4"):
            return (
                f"{variable}: the proxy refuses to connect to server-url ({fault.detail}); have the host allowed "
                "there, or name it in NO_PROXY"
            )
        case Trouble.CA_FILE:
            return f"{trust.variable(os.environ) or 'server-url'}: the bundle of certificates can't be used"
        case Trouble.ADDRESS | Trouble.PROXY_ADDRESS:
            return trust.proxy_unusable(proxy) if proxy else "server-url: not an address that can be used here"
    return None


def _no_authority() -> str:
    if bundle := trust.variable(os.environ):
        return f": no authority in {bundle}'s bundle vouches for it; add your company's CA to it"
    return " here; if your company uses a CA of its own, name its bundle (a PEM file) in REQUESTS_CA_BUNDLE"
