"""What comes from the platform is data, and a reader may go away."""

import io

import pytest

from rerun_action.hosts.console import Console, safe
from rerun_action.hosts.github import mask_command


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Pay by card", "Pay by card"),
        ("naïve → 支付 🧪", "naïve → 支付 🧪"),
        ("a\nb\r\nc\td", "a b  c d"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b31m bell\x07 nul\x00", "\\x9b31m bell\\x07 nul\\x00"),
        ("evil\u202egnp.exe", "evil\\u202egnp.exe"),
        ("line\u2028separator", "line separator"),
        ("half\ud800pair", "half\\ud800pair"),
        ("::error::forged", ": :error::forged"),
        ("  ::set-output name=x::y", "  : :set-output name=x::y"),
        ("a ##[error] b", "a # #[error] b"),
        ("std::vector", "std::vector"),
    ],
)
def test_a_line_is_a_line(text: str, line: str) -> None:
    assert safe(text) == line


def lines_of(level: str) -> list[str]:
    stream = io.StringIO()
    console = Console(stream, level, secret="s3cret")
    console.debug("the s3cret detail")
    console.info("the s3cret account")
    console.warning("beware of s3cret")
    console.result("verdict")
    return stream.getvalue().splitlines()


def test_levels_and_the_secret() -> None:
    assert lines_of("debug") == ["debug: the *** detail", "the *** account", "warning: beware of ***", "verdict"]
    assert lines_of("info") == ["the *** account", "warning: beware of ***", "verdict"]
    assert lines_of("warning") == ["warning: beware of ***", "verdict"]


def test_a_reader_that_has_gone_away_is_no_fault() -> None:
    class Gone(io.StringIO):
        writes = 0

        def write(self, _text: str) -> int:
            self.writes += 1
            raise BrokenPipeError

    stream = Gone()
    console = Console(stream)
    console.info("one")
    console.info("two")
    assert stream.writes == 1


def test_the_mask_is_escaped_like_every_workflow_command() -> None:
    assert mask_command("50%off") == "::add-mask::50%25off"
