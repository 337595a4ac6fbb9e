"""The exceptions that end a run of this program, and the exit code and `result` word of each.

This is the one table that maps what went wrong to what the process says (interface page, "Result and exit code").
Messages name the input that the user knows, the cause, and the next step.
"""

import enum
import signal
from typing import ClassVar


class ExitCode(enum.IntEnum):
    """What the process ends with."""

    PASSED = 0
    FAILED = 1
    CONFIGURATION = 2
    ERROR = 3
    TIMED_OUT = 4
    DECLINED = 5
    FLAKY = 6
    SIGINT = 130
    SIGTERM = 143


EXIT_CODES = {
    "clean": ExitCode.PASSED,
    "flaky": ExitCode.PASSED,
    "failed": ExitCode.FAILED,
    "declined": ExitCode.DECLINED,
    "dry-run": ExitCode.PASSED,
}
"""The exit code of a story that was told to its end, by its `result`."""

EXIT_CODE_MEANINGS = {
    ExitCode.PASSED: "clean, flaky or dry-run: no leaf that counts had failed, or each was seen to pass in a later run",
    ExitCode.FAILED: "failed: at least one leaf still fails, was left out, or was never seen again",
    ExitCode.CONFIGURATION: "error: the configuration is wrong; nothing was sent",
    ExitCode.ERROR: "error: the platform refused, could not be reached until the deadline, or contradicted itself",
    ExitCode.TIMED_OUT: "timed-out: the deadline passed, or was too near for a rerun",
    ExitCode.DECLINED: "declined: a breaker or the platform's limit of ten reruns refused, nothing was rerun",
    ExitCode.FLAKY: "flaky under fail-on-flaky: every failed leaf was seen to pass in a later run",
    ExitCode.SIGINT: "cancelled by SIGINT",
    ExitCode.SIGTERM: "cancelled by SIGTERM",
}
"""For `--help`."""


class ActionError(Exception):
    """Something ended the story early; the message is for the user."""

    result: ClassVar[str] = "error"
    unanswered = False
    """Whether a trigger was sent, and nobody knows whether it has started a run."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.ERROR) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code


class ConfigurationError(ActionError):
    """The inputs are wrong; nothing was sent. `faults` has one line for each fault."""

    def __init__(self, faults: list[str]) -> None:
        count = f"{len(faults)} faults" if len(faults) > 1 else "a fault"
        super().__init__(f"the configuration has {count}: " + "; ".join(faults), ExitCode.CONFIGURATION)
        self.faults = faults


class Unreachable(ActionError):
    """The platform gave no usable answer until the deadline."""


class DeadlinePassed(ActionError):
    """`timeout-minutes` is over."""

    result = "timed-out"

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.TIMED_OUT)


class Refused(ActionError):
    """The platform answered, and the answer is no."""


class NotFound(Refused):
    """There is no such run."""


class Unclear(ActionError):
    """A trigger was sent and no answer tells whether the platform took it.

    `gateway`: a gateway answered in the platform's place (502, 503, 504), which often means that it did not.
    """

    unanswered = True

    def __init__(self, message: str, *, gateway: bool = False) -> None:
        super().__init__(message)
        self.gateway = gateway


class Contradiction(ActionError):
    """The platform's answers don't agree with each other or with the documentation."""


class InternalError(ActionError):
    """A fault of this program."""


class Cancelled(ActionError):
    """A signal asked this process to end."""

    result = "cancelled"

    def __init__(self, signum: int) -> None:
        name = signal.Signals(signum).name
        super().__init__(f"cancelled by {name}", ExitCode[name])
        self.signum = signum


class EndAtOnce(Exception):
    """A further signal while a cancelled process was still tidying up: no more waiting."""
