"""The environment → Settings, with all faults at once (interface page, "Inputs").

`with: execution-id:` arrives as `INPUT_EXECUTION-ID` on GitHub; everywhere else it is `TESTSIGMA_EXECUTION_ID`.
"""

import ipaddress
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from rerun_action.core.filters import pattern_of
from rerun_action.core.model import (
    FAILING,
    FreshRun,
    Iterations,
    OnEnd,
    Pattern,
    Policy,
    QuarantineEntry,
    Result,
)
from rerun_action.errors import ConfigurationError

_MAX_MINUTES = 43_200.0  # 30 days: longer than any CI system lets a job run
_MAX_DIGITS = 18
DEFAULT_REPORT_DIR = "testsigma-rerun"
NEW = "new"
_LINES = frozenset({"include", "exclude", "runtime_data"})
"""Inputs in which a newline at the end means something."""
_SYNONYMS = {"run": "execution", "token": "key"}
"""Words that people use for those in the inputs' names."""


class LogLevel(StrEnum):
    """How much the account tells."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"


# --- what a value has to be: each returns the value, or says what is wrong with it ------------------------------------


def _refuse_a_name(value: str) -> None:
    if re.fullmatch(r"\$\{?\w+\}?|\$\{\{.*", value):
        raise ValueError("holds the name of a variable instead of its value: the CI system knows no such variable here")


def _api_key(value: str) -> SecretStr:
    _refuse_a_name(value)
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(
            "holds white space or characters that no key has (it is not printed here); copy the key again, whole"
        )
    return SecretStr(value)


def _execution(value: str) -> int | str:
    if value == NEW:
        return NEW
    _refuse_a_name(value)
    if address := re.fullmatch(rf"https?://.*/runs/([0-9]{{1,{_MAX_DIGITS}}})([/?#].*)?", value):
        raise ValueError(f"holds a run's whole address: give only {address[1]}")
    if not re.fullmatch(rf"[0-9]{{1,{_MAX_DIGITS}}}", value) or int(value) == 0:
        raise ValueError(
            f"must be a number such as 986, the one at the end of …/ui/td/runs/986, or new for a fresh run, "
            f"not {_shown(value)}"
        )
    return int(value)


def _plan_id(value: str) -> int:
    if not re.fullmatch(rf"[0-9]{{1,{_MAX_DIGITS}}}", value) or int(value) == 0:
        raise ValueError(f"must be a number, the id of the test plan, not {_shown(value)}")
    return int(value)


def _server_url(value: str) -> str:
    wanted = "must be scheme, host and, if need be, port, such as https://app.testsigma.com"
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        raise ValueError(f"{wanted}, not {_shown(value)}") from None
    host = url.hostname or ""
    if "@" in value:
        raise ValueError(f"{wanted}; user info is not allowed in it")  # not printed: it may be a password
    if url.scheme not in ("http", "https") or not re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", host):
        raise ValueError(f"{wanted}, not {_shown(value)}")
    if url.scheme == "http" and not _is_loopback(host):
        raise ValueError(f"{wanted}; http is for loopback addresses only, because the key travels with it")
    if url.path not in ("", "/") or "?" in value or "#" in value:
        raise ValueError(f"{wanted}, nothing more, not {_shown(value)}")
    shown_host = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{shown_host}" + (f":{port}" if port is not None else "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _results(value: str) -> frozenset[Result]:
    words = [word.strip() for word in re.split(r"[,\n]", value) if word.strip()]
    wrong = [word for word in words if Result.of(word) not in FAILING]
    if wrong or not words:
        allowed = ", ".join(result for result in Result if result in FAILING)
        raise ValueError(f"may hold {allowed}, separated by commas, not {_shown(', '.join(wrong) or value)}")
    return frozenset(Result.of(word) for word in words)


def _number(least: float, most: float) -> Callable[[str], float]:
    def read(value: str) -> float:
        number = float(value) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{0,9})?|\.[0-9]{1,9}", value) else math.nan
        if not least <= number <= most:
            raise ValueError(f"must be a number from {least:g} to {most:g}, not {_shown(value)}")
        return number

    return read


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, not {_shown(value)}")
        return int(value)

    return read


def _flag(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise ValueError(f"must be true or false, not {_shown(value)}")
    return value.lower() == "true"


def _patterns(value: str) -> tuple[Pattern, ...]:
    parts = value.splitlines() if "\n" in value else value.split(",")
    return tuple(pattern_of(part.strip()) for part in parts if part.strip())


def _runtime_data(value: str) -> dict[str, str]:
    data: dict[str, str] = {}
    for number, line in enumerate(value.splitlines(), start=1):
        name, equals, text = line.partition("=")
        if not line.strip():
            continue
        if not equals or not name.strip():
            raise ValueError(f"must be lines of name=value; line {number} is none")  # it may be a secret: not shown
        if name.strip() in data:
            raise ValueError(f"gives {_shown(name.strip())} twice")
        data[name.strip()] = text.strip()
    return data


def _word(words: type[StrEnum]) -> Callable[[str], StrEnum]:
    def read(value: str) -> StrEnum:
        try:
            return words(value.lower())
        except ValueError:
            raise ValueError(f"must be {' or '.join(words)}, not {_shown(value)}") from None

    return read


def _path(value: str) -> Path:
    if "\0" in value:
        raise ValueError("holds a NUL character")
    return Path(value)


def _shown(value: str) -> str:
    return repr(value if len(value) <= 60 else value[:60] + "…")  # noqa: PLR2004 - a line's worth


# --- the inputs -------------------------------------------------------------------------------------------------------


class Settings(BaseSettings):
    """All inputs. A field's name is the input's with underscores; its description is the one that `--help` prints."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, validate_default=False)

    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load` passes in, and nothing from the process's own environment."""
        return (sources["init_settings"],)

    api_key: Annotated[SecretStr, BeforeValidator(_api_key)] = Field(
        description="Testsigma API key. Secret: sent to server-url only, never logged or written to a report."
    )
    execution_id: Annotated[int | str, BeforeValidator(_execution)] = Field(
        description="The execution (run) whose failures are rerun: the number at the end of a run's address. `new`: "
        "start a fresh run of test-plan-id first. Also accepted as TESTSIGMA_EXECUTION_RESULT_ID."
    )
    test_plan_id: Annotated[int | None, BeforeValidator(_plan_id)] = Field(
        None,
        description="The test plan that the execution must belong to; another one: exit 3, nothing triggered. "
        "Required with `execution-id: new`.",
    )
    build_no: str | None = Field(None, description="For `execution-id: new`: the build number of the fresh run.")
    runtime_data: Annotated[dict[str, str], BeforeValidator(_runtime_data)] = Field(
        default_factory=dict,
        description="For `execution-id: new`: runtime data of the fresh run, as lines of name=value.",
    )
    server_url: Annotated[str, BeforeValidator(_server_url)] = Field(
        "https://app.testsigma.com",
        description="Scheme, host and port of Testsigma, nothing more; http only for loopback.",
    )
    rerun_results: Annotated[frozenset[Result], BeforeValidator(_results)] = Field(
        FAILING, description="Which results are worth a rerun, separated by commas."
    )
    iterations: Annotated[Iterations, BeforeValidator(_word(Iterations))] = Field(
        Iterations.FAILED,
        description="`failed`: only the failed data rows of a data-driven case; `all`: the whole case.",
    )
    include: Annotated[tuple[Pattern, ...], BeforeValidator(_patterns)] = Field(
        (),
        description="Rerun only what these patterns name: `case:…`, `suite:…`, `machine:…`, by comma or, better, one "
        "a line; without a prefix a case name. Only `*` and `?` are special. What is left out stays failed.",
    )
    exclude: Annotated[tuple[Pattern, ...], BeforeValidator(_patterns)] = Field(
        (), description="Never rerun what these patterns name, written like include; exclude wins."
    )
    max_reruns: Annotated[int, BeforeValidator(_whole(1, 10))] = Field(
        1, description="How often a leaf is rerun until it passes, 1 to 10; each round reruns only what still fails."
    )
    max_failures: Annotated[int | None, BeforeValidator(_whole(0, 999_999_999))] = Field(
        None, description="Rerun nothing (exit 5) when more leaves than this failed: a broken build, not a flake."
    )
    max_failure_percent: Annotated[float | None, BeforeValidator(_number(0.0, 100.0))] = Field(
        None, description="The same as a share of all leaves of the execution, 0 to 100."
    )
    rerun_delay_seconds: Annotated[float, BeforeValidator(_number(0.0, 86_400.0))] = Field(
        0.0, description="Wait this long before each rerun."
    )
    fail_on_flaky: Annotated[bool, BeforeValidator(_flag)] = Field(
        False, description="`true`: exit 6 when a leaf passed only on rerun."
    )
    quarantine_file: Annotated[Path | None, BeforeValidator(_path)] = Field(
        None,
        description="YAML list of known flakes with owner, reason and expiry date; neither rerun nor counted.",
    )
    timeout_minutes: Annotated[float, BeforeValidator(_number(0.001, _MAX_MINUTES))] = Field(
        60.0, description="Overall deadline in minutes, decimals allowed."
    )
    on_timeout: Annotated[OnEnd, BeforeValidator(_word(OnEnd))] = Field(
        OnEnd.STOP, description="At the deadline: `stop` the rerun that this step started, or `leave` it running."
    )
    on_cancel: Annotated[OnEnd, BeforeValidator(_word(OnEnd))] = Field(
        OnEnd.STOP, description="On SIGINT or SIGTERM: `stop` the rerun that this step started, or `leave` it running."
    )
    poll_interval_seconds: Annotated[float, BeforeValidator(_number(0.1, 86_400.0))] = Field(
        60.0, description="The longest pause between two looks at a run, decimals allowed, 0.1 at least."
    )
    report_dir: Annotated[Path, BeforeValidator(_path)] = Field(
        Path(DEFAULT_REPORT_DIR), description="Folder for the reports; it is created."
    )
    dry_run: Annotated[bool, BeforeValidator(_flag)] = Field(
        False,
        description="`true`: print the decision for each leaf and the exact payload; trigger and wait for nothing.",
    )
    log_level: Annotated[LogLevel, BeforeValidator(_word(LogLevel))] = Field(
        LogLevel.INFO, description="`debug`, `info` or `warning`; RUNNER_DEBUG=1 means debug."
    )

    @model_validator(mode="after")
    def _new_needs_a_plan(self) -> Self:
        if self.execution_id == NEW and self.test_plan_id is None:
            raise PydanticCustomError("needs_plan", "is required with execution-id: new")
        return self

    def policy(self, quarantine: tuple[QuarantineEntry, ...], today: date) -> Policy:
        """Return the part that decides what happens; `quarantine` is what quarantine-file holds."""
        return Policy(
            rerun_results=self.rerun_results,
            iterations=self.iterations,
            include=self.include,
            exclude=self.exclude,
            max_reruns=self.max_reruns,
            max_failures=self.max_failures,
            max_failure_percent=self.max_failure_percent,
            rerun_delay_seconds=self.rerun_delay_seconds,
            fail_on_flaky=self.fail_on_flaky,
            quarantine_file=None if self.quarantine_file is None else str(self.quarantine_file),
            timeout_minutes=self.timeout_minutes,
            on_timeout=self.on_timeout,
            on_cancel=self.on_cancel,
            poll_interval_seconds=self.poll_interval_seconds,
            dry_run=self.dry_run,
            quarantine=quarantine,
            today=today,
        )

    def fresh_run(self) -> FreshRun | None:
        """Return the run to start first, None if an execution was given."""
        if self.execution_id != NEW or self.test_plan_id is None:
            return None
        return FreshRun(self.test_plan_id, self.build_no, self.runtime_data)


@dataclass(frozen=True, slots=True)
class Input:
    """One input as the user knows it; `default` is what a pipeline would have to write to get it."""

    name: str
    variables: tuple[str, ...]
    required: bool
    default: str
    description: str


def inputs() -> tuple[Input, ...]:
    """Return all inputs in the order of the interface page."""
    return tuple(
        Input(
            name=field_name.replace("_", "-"),
            variables=_variables(field_name),
            required=field.is_required(),
            default=""
            if field.is_required()
            else _as_input(field.get_default(call_default_factory=True, validated_data={})),
            description=field.description or "",
        )
        for field_name, field in Settings.model_fields.items()
    )


def _as_input(default: object) -> str:
    if isinstance(default, frozenset):
        return ",".join(result for result in Result if result in default)
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return f"{default:g}"
    return str(default) if default not in (None, (), {}) else ""


def _variables(field_name: str) -> tuple[str, ...]:
    """Return the variables of an input, the first that is not empty wins."""
    upper = field_name.upper()
    names = (f"INPUT_{upper.replace('_', '-')}", f"TESTSIGMA_{upper}")
    return (*names, "TESTSIGMA_EXECUTION_RESULT_ID") if field_name == "execution_id" else names


def raw(environ: Mapping[str, str], field_name: str) -> str | None:
    """Return an input as it was given, without surrounding white space; None if it was not."""
    given = (environ.get(variable, "") for variable in _variables(field_name))
    value = next((value for value in given if value.strip()), None)
    return value if value is None or field_name in _LINES else value.strip()


def load(environ: Mapping[str, str]) -> Settings:
    """Read the inputs; raises ConfigurationError with every fault."""
    values = {name: raw(environ, name) for name in Settings.model_fields}
    if environ.get("RUNNER_DEBUG") == "1":
        values["log_level"] = LogLevel.DEBUG.value
    given: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise ConfigurationError(list(_faults(error, environ))) from None


def _faults(error: ValidationError, environ: Mapping[str, str]) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False):
        field_name = str(fault["loc"][0]) if fault["loc"] else "test_plan_id"  # the one fault of the whole
        if fault["type"] == "missing":
            yield f"{label(field_name, environ)} is required" + _missing_hint(field_name, environ)
        else:
            yield f"{label(field_name, environ)} {fault['msg'].removeprefix('Value error, ')}"


def _missing_hint(field_name: str, environ: Mapping[str, str]) -> str:
    if field_name != "api_key":
        return " and was empty or not given: if it comes from a step before, look whether that step gave it"
    if environ.get("GITHUB_EVENT_NAME") == "pull_request":
        return (
            " and is empty. GitHub gives no secrets to pull requests from forks and from Dependabot: skip this step "
            "there (README, Security, has the `if:`). On a branch of your own, look whether the secret exists by this "
            "name"
        )
    if environ.get("GITHUB_ACTIONS") == "true":
        return " and is empty: look whether the secret exists by this name, in this repository or its environment"
    if environ.get("GITLAB_CI") == "true":
        return (
            " and is empty: a protected CI/CD variable reaches protected branches and tags only, and a fork's pipeline "
            "gets none of yours"
        )
    return ": a key of Testsigma's settings, kept as a secret of the CI system"


def given_execution(environ: Mapping[str, str]) -> int | str | None:
    """Return the execution that was given, None if it is none."""
    try:
        return _execution(raw(environ, "execution_id") or "")
    except ValueError:
        return None


def suspects(environ: Mapping[str, str]) -> Iterator[str]:
    """Say which variables look like misspelt inputs."""
    known = {variable for field_name in Settings.model_fields for variable in _variables(field_name)[1:]}
    # on GitLab, outputs.env of an earlier step comes as variables: they are no misspelt inputs
    handed_on = "TESTSIGMA_RERUN_" if "TESTSIGMA_RERUN_EXIT_CODE" in environ else "?"
    for name in sorted(environ):
        if name.startswith("TESTSIGMA_") and name not in known and not name.startswith(handed_on):
            meant = _meant(name, environ)
            if meant is not None:
                yield f"{name} is not an input and has no effect; {_variables(meant)[1]} is one"


def _meant(name: str, environ: Mapping[str, str]) -> str | None:
    """Return the one input that a variable seems to be meant for."""
    import difflib  # noqa: PLC0415 - for those who misspell

    text = name.removeprefix("TESTSIGMA_").lower()
    spellings = {
        variable.removeprefix("TESTSIGMA_").lower().replace("_", ""): field_name
        for field_name in Settings.model_fields
        for variable in _variables(field_name)[1:]
    }
    for spelling in difflib.get_close_matches(text.replace("_", ""), spellings, n=1, cutoff=0.8):
        return spellings[spelling]
    words = {_SYNONYMS.get(word, word) for word in text.split("_")}
    longer = [field_name for field_name in Settings.model_fields if words <= set(field_name.split("_"))]
    # a part of a name may well be somebody else's variable where the input itself is given
    return longer[0] if len(longer) == 1 and raw(environ, longer[0]) is None else None


def label(field_name: str, environ: Mapping[str, str]) -> str:
    """Name an input as this user wrote it: as an input on GitHub, by its variable elsewhere."""
    name = field_name.replace("_", "-")
    as_input, variable, *others = _variables(field_name)
    if environ.get("GITHUB_ACTIONS") == "true" or environ.get(as_input, "").strip():
        return f"{name}:"
    given = next((other for other in others if environ.get(other) and not environ.get(variable)), variable)
    return f"{name} ({given}):"
