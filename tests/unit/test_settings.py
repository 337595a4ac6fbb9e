"""The environment → Settings."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from rerun_action import settings
from rerun_action.core.model import FAILING, Iterations, OnEnd, Policy, Result
from rerun_action.errors import ConfigurationError, ExitCode
from rerun_action.settings import LogLevel, Settings

NEEDED = {"TESTSIGMA_API_KEY": "made-up-key", "TESTSIGMA_EXECUTION_ID": "986"}


def load(**variables: str) -> Settings:
    return settings.load({**NEEDED, **variables})


def faults(environ: Mapping[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        settings.load(environ)
    assert caught.value.exit_code is ExitCode.CONFIGURATION
    return caught.value.faults


def test_the_defaults_are_those_of_the_interface_page() -> None:
    given = load()
    assert given.api_key.get_secret_value() == "made-up-key"
    assert (given.execution_id, given.test_plan_id, given.server_url) == (986, None, "https://app.testsigma.com")
    assert given.report_dir == Path("testsigma-rerun")
    assert given.log_level is LogLevel.INFO
    assert given.policy((), date(2030, 1, 2)) == Policy(
        today=date(2030, 1, 2),
        rerun_results=FAILING,
        iterations=Iterations.FAILED,
        timeout_minutes=60.0,
        on_timeout=OnEnd.STOP,
        on_cancel=OnEnd.STOP,
        poll_interval_seconds=60.0,
    )


def test_input_wins_and_an_empty_one_is_not_given() -> None:
    assert load(**{"INPUT_EXECUTION-ID": "7"}).execution_id == 7
    assert load(**{"INPUT_EXECUTION-ID": ""}).execution_id == 986
    assert load(**{"INPUT_EXECUTION-ID": "  \n"}).execution_id == 986
    assert load(TESTSIGMA_ITERATIONS="").iterations is Iterations.FAILED


def test_the_execution_has_a_second_variable() -> None:
    environ = {"TESTSIGMA_API_KEY": "k", "TESTSIGMA_EXECUTION_RESULT_ID": "12"}
    assert settings.load(environ).execution_id == 12
    assert settings.load({**environ, "TESTSIGMA_EXECUTION_ID": "13"}).execution_id == 13


def test_surrounding_white_space_of_the_key_is_stripped() -> None:
    assert load(TESTSIGMA_API_KEY=" \tmade-up\r\n").api_key.get_secret_value() == "made-up"


@pytest.mark.parametrize("key", ["two words", "two\nlines", "tab\tbed", "schlüssel", "bell\x07", "\u200bhidden"])
def test_a_key_that_can_be_none_is_refused_and_not_shown(key: str) -> None:
    (fault,) = faults({**NEEDED, "TESTSIGMA_API_KEY": key})
    assert fault.startswith("api-key (TESTSIGMA_API_KEY): holds white space or characters that no key has")
    assert key not in fault


@pytest.mark.parametrize("key", ["$TESTSIGMA_KEY", "${TESTSIGMA_KEY}", "${{ secrets.TESTSIGMA_KEY }}"])
def test_a_variable_that_was_not_expanded_is_no_key(key: str) -> None:
    assert faults({**NEEDED, "TESTSIGMA_API_KEY": key}) == [
        (
            "api-key (TESTSIGMA_API_KEY): holds the name of a variable instead of its value: the CI system knows no "
            "such variable here"
        )
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            "986x",
            "must be a number such as 986, the one at the end of …/ui/td/runs/986, or new for a fresh run, not '986x'",
        ),
        *(
            (
                name,
                "holds the name of a variable instead of its value: the CI system knows no such variable here",
            )
            for name in ("$RUN_ID", "${RUN_ID}", "${{ steps.tests.outputs.run-id }}")
        ),
        ("https://app.testsigma.com/ui/td/runs/1001", "holds a run's whole address: give only 1001"),
        ("https://app.testsigma.com/ui/td/runs/1001/?tab=2#x", "holds a run's whole address: give only 1001"),
    ],
)
def test_what_is_no_execution_is_explained(value: str, said: str) -> None:
    assert faults({**NEEDED, "TESTSIGMA_EXECUTION_ID": value}) == [f"execution-id (TESTSIGMA_EXECUTION_ID): {said}"]


FORK = (
    " and is empty. GitHub gives no secrets to pull requests from forks and from Dependabot: skip this step there "
    "(README, Security, has the `if:`). On a branch of your own, look whether the secret exists by this name"
)
NO_SECRET = " and is empty: look whether the secret exists by this name, in this repository or its environment"
PROTECTED = (
    " and is empty: a protected CI/CD variable reaches protected branches and tags only, and a fork's pipeline gets "
    "none of yours"
)


@pytest.mark.parametrize(
    ("host", "name", "hint"),
    [
        ({}, "api-key (TESTSIGMA_API_KEY)", ": a key of Testsigma's settings, kept as a secret of the CI system"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push"}, "api-key", NO_SECRET),
        ({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request"}, "api-key", FORK),
        ({"GITLAB_CI": "true"}, "api-key (TESTSIGMA_API_KEY)", PROTECTED),
    ],
)
def test_an_empty_key_is_explained_by_what_empties_it_there(host: dict[str, str], name: str, hint: str) -> None:
    environ = {"TESTSIGMA_EXECUTION_ID": "986", "TESTSIGMA_API_KEY": "", **host}
    assert faults(environ) == [f"{name}: is required{hint}"]


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "9e3", "١٢", "New", "12 13", "#986", "9" * 19, "0x10"])
def test_ids_are_positive_numbers(value: str) -> None:
    assert len(faults({**NEEDED, "TESTSIGMA_EXECUTION_ID": value, "TESTSIGMA_TEST_PLAN_ID": value})) == 2


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("https://app.testsigma.com/", "https://app.testsigma.com"),
        ("https://testsigma.example:8443", "https://testsigma.example:8443"),
        ("HTTPS://Testsigma.Example", "https://testsigma.example"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://[::1]:81", "http://[::1]:81"),
    ],
)
def test_server_urls(value: str, url: str) -> None:
    assert load(TESTSIGMA_SERVER_URL=value).server_url == url


@pytest.mark.parametrize(
    "value",
    [
        "app.testsigma.com",
        "ftp://app.testsigma.com",
        "http://app.testsigma.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example",
        "https://user:secret@app.testsigma.com",
        "https://app.testsigma.com/api",
        "https://app.testsigma.com?",
        "https://app.testsigma.com#",
        "https://app.testsigma.com:x",
        "https://app.testsigma.com:99999",
        "https://",
        "https://[::1",
        "https://a b",
        "https://app\\.testsigma.com",
    ],
)
def test_server_urls_that_are_refused(value: str) -> None:
    (fault,) = faults({**NEEDED, "TESTSIGMA_SERVER_URL": value})
    assert fault.startswith("server-url (TESTSIGMA_SERVER_URL): must ")
    assert "secret" not in fault


@pytest.mark.parametrize(
    ("value", "results"),
    [
        ("FAILURE", {Result.FAILURE}),
        ("failed, Aborted", {Result.FAILURE, Result.ABORTED}),
        ("not_executed\nSTOPPED\n", {Result.NOT_EXECUTED, Result.STOPPED}),
    ],
)
def test_results_that_are_worth_a_rerun(value: str, results: set[Result]) -> None:
    assert load(TESTSIGMA_RERUN_RESULTS=value).rerun_results == results


@pytest.mark.parametrize("value", ["SUCCESS", "passed", "QUEUED", "RUNNING", "UNKNOWN", "FAILURE;ABORTED", ","])
def test_results_that_are_not(value: str) -> None:
    (fault,) = faults({**NEEDED, "TESTSIGMA_RERUN_RESULTS": value})
    assert "may hold FAILURE, ABORTED, NOT_EXECUTED, STOPPED, separated by commas" in fault


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e3", "1_0", "0x1", "43201", "1,5", "9" * 400, "."])
def test_minutes_that_are_none(value: str) -> None:
    (fault,) = faults({**NEEDED, "TESTSIGMA_TIMEOUT_MINUTES": value})
    assert "must be a number from 0.001 to 43200" in fault


@pytest.mark.parametrize(("value", "number"), [("1", 1.0), ("0.05", 0.05), (".5", 0.5), ("90.", 90.0)])
def test_minutes(value: str, number: float) -> None:
    assert load(TESTSIGMA_TIMEOUT_MINUTES=value).timeout_minutes == number


def test_words_are_taken_in_any_case() -> None:
    given = load(TESTSIGMA_ITERATIONS="All", TESTSIGMA_ON_CANCEL="LEAVE", TESTSIGMA_LOG_LEVEL="Warning")
    assert (given.iterations, given.on_cancel, given.log_level) == (Iterations.ALL, OnEnd.LEAVE, LogLevel.WARNING)


def test_runner_debug_means_debug() -> None:
    assert load(RUNNER_DEBUG="1", TESTSIGMA_LOG_LEVEL="warning").log_level is LogLevel.DEBUG
    assert load(RUNNER_DEBUG="0").log_level is LogLevel.INFO


def test_what_is_missing_is_named_as_the_user_knows_it() -> None:
    assert [fault.split(" is required")[0] for fault in faults({})] == [
        "api-key (TESTSIGMA_API_KEY):",
        "execution-id (TESTSIGMA_EXECUTION_ID):",
    ]
    assert [fault.split(" is required")[0] for fault in faults({"GITHUB_ACTIONS": "true"})] == [
        "api-key:",
        "execution-id:",
    ]


def test_a_fault_names_the_variable_that_holds_it() -> None:
    environ = {"TESTSIGMA_API_KEY": "k", "TESTSIGMA_EXECUTION_RESULT_ID": "x"}
    assert faults(environ)[0].startswith("execution-id (TESTSIGMA_EXECUTION_RESULT_ID): must be a number")
    assert faults({**NEEDED, "INPUT_ITERATIONS": "x"})[0].startswith("iterations: must be failed or all, not 'x'")


def test_a_long_value_is_cut_in_the_message() -> None:
    (fault,) = faults({**NEEDED, "TESTSIGMA_EXECUTION_ID": "9" * 100_000})
    assert len(fault) < 300


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MAX_RERUN", "MAX_RERUNS"),
        ("MAXRERUNS", "MAX_RERUNS"),
        ("EXECUTIONID", "EXECUTION_ID"),
        ("EXECUTION_RESULTID", "EXECUTION_ID"),
        ("EXECUTION", "EXECUTION_ID"),
        ("RUN_ID", "EXECUTION_ID"),
        ("RUN", "EXECUTION_ID"),
        ("APIKEY", "API_KEY"),
        ("KEY", "API_KEY"),
        ("API_TOKEN", "API_KEY"),
        ("URL", "SERVER_URL"),
        ("PLAN_ID", "TEST_PLAN_ID"),
    ],
)
def test_a_misspelt_input_is_recognised(name: str, meant: str) -> None:
    assert list(settings.suspects({f"TESTSIGMA_{name}": "x"})) == [
        f"TESTSIGMA_{name} is not an input and has no effect; TESTSIGMA_{meant} is one"
    ]


@pytest.mark.parametrize(
    "name",
    ["ID", "MAX", "USERNAME", "PASSWORD", "PROJECT_ID", "TEST_SUITE_ID", "ENVIRONMENT", "VERSION", "REPORT_URL", ""],
)
def test_a_variable_of_another_purpose_is_none(name: str) -> None:
    assert list(settings.suspects({f"TESTSIGMA_{name}": "x"})) == []


def test_a_part_of_a_name_is_no_suspect_where_the_input_is_given() -> None:
    assert list(settings.suspects({"TESTSIGMA_KEY": "x", "TESTSIGMA_URL": "x", "INPUT_API-KEY": "k"})) == [
        "TESTSIGMA_URL is not an input and has no effect; TESTSIGMA_SERVER_URL is one"
    ]
