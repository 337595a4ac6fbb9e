"""What is shown of names and states."""

import pytest

from rerun_action.core import text
from rerun_action.core.model import Leaf


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("STATUS_CREATED", "created"),
        ("STATUS_QUEUED", "queued"),
        ("QUEUED", "queued"),
        ("STATUS_PRE_FLIGHT", "getting ready"),
        ("STATUS_IN_PROGRESS", "in progress"),
        ("STATUS_COMPLETED", "finished"),
        ("STATUS_BREAKFAST", "STATUS_BREAKFAST"),
        ("", "no status"),
    ],
)
def test_a_state_in_words(status: str, words: str) -> None:
    assert text.state(status) == words


@pytest.mark.parametrize(
    ("leaf", "name"),
    [
        (Leaf("Checkout", "Pay", "Chrome"), "Checkout / Pay on Chrome"),
        (Leaf("Checkout", "Pay", "Chrome", "Poland"), "Checkout / Pay [Poland] on Chrome"),
        (Leaf("", "Pay", "Chrome", ""), "Pay [] on Chrome"),
        (Leaf("Checkout", "Pay", ""), "Checkout / Pay"),
        (Leaf("", "Pay", ""), "Pay"),
    ],
)
def test_the_name_of_a_leaf(leaf: Leaf, name: str) -> None:
    assert text.leaf_name(leaf) == name


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Zażółć gęślą jaźń 日本 🙂", "Zażółć gęślą jaźń 日本 🙂"),
        ("a\nb\tc\r\u2028d\x85e", "a b c  d e"),
        ("\x1b[2K\x00\x7f", r"\x1b[2K\x00\x7f"),
        ("a\u202eb\u2066c", r"a\u202eb\u2066c"),
        ("\ud800", r"\ud800"),
    ],
)
def test_one_line(given: str, shown: str) -> None:
    assert text.one_line(given) == shown


def test_numbers_of_tests() -> None:
    assert [text.tests(number) for number in (0, 1, 2)] == ["0 tests", "1 test", "2 tests"]
