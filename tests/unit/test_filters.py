"""Patterns: only `*` and `?` are special, case-sensitive, NFC."""

from datetime import date

import pytest

from rerun_action.core.filters import first_match, pattern_of, speaks_of
from rerun_action.core.model import Leaf, QuarantineEntry

LEAF = Leaf(suite="Checkout", case="Pay by card", machine="Chrome on Windows 11", iteration="Poland")


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("Pay by card", True),
        ("case:Pay by card", True),
        ("case: Pay by card", True),
        ("pay by card", False),
        ("Pay", False),
        ("Pay*", True),
        ("*card", True),
        ("P?y by c?rd", True),
        ("Pay by card?", False),
        ("*", True),
        ("suite:Check*", True),
        ("suite:Pay*", False),
        ("machine:*Windows*", True),
        ("machine:Safari*", False),
        ("Case:Pay by card", False),
        ("browser:Chrome", False),
        ("[P]ay by card", False),
        (" suite : Check* ", True),
        ("suite", False),
        ("machine", False),
    ],
)
def test_what_a_pattern_names(text: str, matches: bool) -> None:
    assert (first_match([pattern_of(text)])(LEAF) is not None) == matches


@pytest.mark.parametrize(
    ("glob", "name"),
    [
        ("a[b]c", "a[b]c"),
        ("a[!b]", "a[!b]"),
        ("browser:*", "browser:Chrome"),
        ("http://x", "http://x"),
        ("a.b+c$", "a.b+c$"),
        ("a*z", "a\nz"),
        ("cafe\u0301", "caf\u00e9"),
        ("caf\u00e9", "cafe\u0301"),
        ("a\\*", "a\\bc"),
    ],
)
def test_everything_else_is_itself(glob: str, name: str) -> None:
    assert first_match([pattern_of(glob)])(Leaf("", name, ""))


def test_many_stars_take_no_time() -> None:
    assert first_match([pattern_of("*a" * 40 + "b")])(Leaf("", "a" * 5000, "")) is None


@pytest.mark.parametrize("text", ["case:", "suite: ", "machine:"])
def test_a_prefix_alone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="names nothing"):
        pattern_of(text)


@pytest.mark.parametrize(
    ("fields", "matches"),
    [
        ({}, True),
        ({"suite": "Checkout"}, True),
        ({"suite": "checkout"}, False),
        ({"machine": "Chrome*"}, False),
        ({"machine": "Chrome on Windows 11"}, True),
        ({"iteration": "Poland"}, True),
        ({"iteration": "France"}, False),
        ({"case": "Pay by car?"}, False),
    ],
)
def test_a_quarantine_entry_goes_by_exact_names(fields: dict[str, str], matches: bool) -> None:
    entry = QuarantineEntry(**{"case": "Pay by card", "owner": "o", "reason": "r", "expires": date.max, **fields})  # type: ignore[arg-type]
    assert speaks_of(entry, LEAF) == matches
    assert not speaks_of(
        QuarantineEntry("Pay by card", "o", "r", date.max, iteration="Poland"), Leaf("", "Pay by card", "")
    )
