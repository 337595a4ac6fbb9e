"""What a user is told of a refusal, to the letter: the input, the cause, the next step."""

import pytest

from rerun_action.testsigma import refusals
from rerun_action.testsigma.refusals import Answer
from rerun_action.testsigma.trouble import NoConnection, Trouble

PROXY_UNUSABLE = (
    "all_proxy: not the address of a proxy that can be used here; give http://host:port, or name the host of "
    "server-url in NO_PROXY"
)


@pytest.mark.parametrize(("said", "quoted"), [("", ""), ("No such plan", ' It said: "No such plan".')])
def test_an_answer_is_quoted_as_a_sentence_of_its_own(said: str, quoted: str) -> None:
    answer = Answer(400, said)
    assert answer.quoted == quoted
    assert str(answer) == f"(400, {said!r})"


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (
            401,
            "Bad key",
            (
                'api-key: the platform does not accept the key (401). It said: "Bad key". Check that it is complete '
                "and not revoked."
            ),
        ),
        (401, "", "api-key: the platform does not accept the key (401). Check that it is complete and not revoked."),
        (
            403,
            "Not yours",
            (
                'api-key: the key may not do this (403). It said: "Not yours". Use a key of a user who can run the '
                "test plan."
            ),
        ),
        (
            302,
            "Moved",  # by whom is not known: not quoted
            (
                "server-url: the server redirects elsewhere (302); redirects are not followed, because the key is for "
                "this host alone. Give the address that it redirects to, if you trust it."
            ),
        ),
        (
            399,
            "",
            (
                "server-url: the server redirects elsewhere (399); redirects are not followed, because the key is for "
                "this host alone. Give the address that it redirects to, if you trust it."
            ),
        ),
        (400, "No such result", 'the platform refused the request (400). It said: "No such result".'),
        (400, "", "the platform refused the request (400)."),
        (500, "Boom", 'the platform refused the request (500). It said: "Boom".'),
    ],
)
def test_why_a_request_was_refused(status: int, said: str, expected: str) -> None:
    assert refusals.of_request(Answer(status, said)) == expected


@pytest.mark.parametrize(
    ("what", "status", "said", "expected"),
    [
        (
            "rerun",
            500,
            "The specified Test Plan is CURRENTLY running. Wait",
            (
                'the test plan is busy: "The specified Test Plan is CURRENTLY running. Wait". Testsigma allows one '
                "live run per plan: let the other run end, or keep jobs of the same plan from running side by side "
                "(`concurrency:` on GitHub)."
            ),
        ),
        (
            "rerun",
            400,
            "No such result",
            (
                'the rerun was not triggered: the platform refused the request (400). It said: "No such result". '
                "Nothing was started: look at the test plan in Testsigma."
            ),
        ),
        (
            "run",
            500,
            "",
            (
                "the run was not triggered: the platform refused the request (500). Nothing was started: check "
                "test-plan-id."
            ),
        ),
        (
            "run",
            403,
            "",
            (
                "the run was not triggered: api-key: the key may not do this (403). Use a key of a user who can run "
                "the test plan."
            ),
        ),
    ],
)
def test_why_nothing_was_started(what: str, status: int, said: str, expected: str) -> None:
    assert refusals.of_trigger(what, Answer(status, said)) == expected


CONNECTIONS: list[tuple[Trouble, str, str | None, str | None]] = [
    # trouble, its detail, the variable of the proxy in use, what is said
    (
        Trouble.UNKNOWN_CA,
        "",
        None,
        (
            "server-url: the server's certificate is not trusted here; if your company uses a CA of its own, name its "
            "bundle (a PEM file) in REQUESTS_CA_BUNDLE"
        ),
    ),
    (
        Trouble.PROXY_UNKNOWN_CA,
        "",
        "https_proxy",
        (
            "https_proxy: the proxy's certificate is not trusted here; if your company uses a CA of its own, name its "
            "bundle (a PEM file) in REQUESTS_CA_BUNDLE"
        ),
    ),
    (
        Trouble.OTHER_NAME,
        "",
        "https_proxy",
        "server-url: the server's certificate is for another host; check the address",
    ),
    (
        Trouble.PROXY_OTHER_NAME,
        "",
        "ALL_PROXY",
        "ALL_PROXY: the proxy's certificate is for another host; check the address",
    ),
    (
        Trouble.EXPIRED,
        "",
        None,
        (
            "server-url: the server's certificate (or one that vouches for it) has expired or is not valid yet; check "
            "it and this machine's clock"
        ),
    ),
    (
        Trouble.PROXY_EXPIRED,
        "",
        None,
        (
            "HTTPS_PROXY: the proxy's certificate (or one that vouches for it) has expired or is not valid yet; check "
            "it and this machine's clock"
        ),
    ),
    (
        Trouble.PROXY_NOT_TLS,
        "",
        "HTTPS_PROXY",
        "HTTPS_PROXY: the proxy does not speak TLS; write its address with http://",
    ),
    (
        Trouble.PROXY_REFUSES,
        "407",
        "https_proxy",
        "https_proxy: the proxy wants a user name and password (407); give http://user:password@host:port",
    ),
    (
        Trouble.PROXY_REFUSES,
        "403",
        "https_proxy",
        (
            "https_proxy: the proxy refuses to connect to server-url (403); have the host allowed there, or name it in "
            "NO_PROXY"
        ),
    ),
    (Trouble.CA_FILE, "", None, "server-url: the bundle of certificates can't be used"),
    (Trouble.ADDRESS, "", None, "server-url: not an address that can be used here"),
    (Trouble.ADDRESS, "", "all_proxy", PROXY_UNUSABLE),  # the libraries don't say whose address they stumble over
    (Trouble.PROXY_ADDRESS, "", "all_proxy", PROXY_UNUSABLE),
    # what may be gone at the next try
    (Trouble.PROXY_REFUSES, "502", "https_proxy", None),
    (Trouble.PROXY_UNRESOLVED, "", "https_proxy", None),
    (Trouble.PROXY_UNREACHABLE, "", "https_proxy", None),
    (Trouble.UNRESOLVED, "", None, None),
    (Trouble.REFUSED, "", None, None),
    (Trouble.NO_ROUTE, "", None, None),
    (Trouble.SILENT, "", None, None),
    (Trouble.CLOSED, "", None, None),
    (Trouble.NOT_TLS, "", None, None),
    (Trouble.TLS_BROKE, "", None, None),
    (Trouble.OTHER, "ContentDecodingError", None, None),
]


@pytest.fixture
def bundles(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that names no bundle."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.usefixtures("bundles")
@pytest.mark.parametrize(("trouble", "detail", "proxy", "expected"), CONNECTIONS)
def test_why_no_further_try_could_connect(
    trouble: Trouble, detail: str, proxy: str | None, expected: str | None
) -> None:
    assert refusals.of_connection(NoConnection(trouble, detail), proxy) == expected


def test_every_trouble_has_its_row() -> None:
    assert {trouble for trouble, *_ in CONNECTIONS} == {*Trouble}


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (
            Trouble.UNKNOWN_CA,
            (
                "server-url: the server's certificate is not trusted: no authority in SSL_CERT_FILE's bundle vouches "
                "for it; add your company's CA to it"
            ),
        ),
        (Trouble.CA_FILE, "SSL_CERT_FILE: the bundle of certificates can't be used"),
    ],
)
def test_a_bundle_that_is_named_is_the_one_to_mend(
    bundles: pytest.MonkeyPatch, trouble: Trouble, expected: str
) -> None:
    bundles.setenv("SSL_CERT_FILE", "company-ca.pem")
    assert refusals.of_connection(NoConnection(trouble), None) == expected
