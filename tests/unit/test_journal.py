"""What was asked and what came back, and how much may still be asked."""

import pytest

from rerun_action.testsigma.journal import BudgetSpent, Exchange, Journal

LISTING = "/api/v1/execution_results/302/test_case_results"


def reply(path: str, body: bytes = b"{}", status: int = 200) -> Exchange:
    return Exchange(path, status, "application/json", None, body)


def test_a_request_too_many_is_refused_before_it_is_counted() -> None:
    journal = Journal(2)
    journal.ask("/302")
    journal.ask("/302")
    assert (journal.sent, journal.budget, journal.spent) == (2, 0, False)
    with pytest.raises(BudgetSpent) as caught:
        journal.ask("/303")
    assert caught.value.message == "no more requests may be sent"
    assert (journal.sent, journal.budget, journal.spent) == (2, 0, True)


@pytest.mark.parametrize(
    ("path", "budget"),
    [
        (LISTING, 4),
        (f"{LISTING}?page=1", 4),  # whether there is one is a question of its own
        (f"{LISTING}?page=1&size=50", 5),
        (f"{LISTING}?size=50", 5),
    ],
)
def test_the_further_pages_of_a_listing_are_sent_on_top(path: str, budget: int) -> None:
    journal = Journal(5)
    journal.ask(path)
    assert (journal.sent, journal.budget) == (1, budget)


def test_a_listing_that_has_begun_is_read_to_its_end() -> None:
    journal = Journal(0)
    journal.ask(f"{LISTING}?page=1&size=50")
    assert (journal.sent, journal.spent) == (1, False)


def test_the_last_reply_to_a_path() -> None:
    journal = Journal(9, exchanges=[reply("/302", b"1"), reply("/303", b"2"), reply("/302", b"3"), reply("/3", b"4")])
    assert journal.last("/302") == reply("/302", b"3")
    assert journal.last("/30") is None


def test_the_pages_of_a_listing_are_the_last_good_replies_in_the_order_of_the_first_look() -> None:
    taken = [
        reply(LISTING, b"busy", 503),
        reply(LISTING, b"0"),
        reply("/302", b"run"),
        reply(f"{LISTING}?page=1&size=2", b"1"),
        reply(f"{LISTING}?page=1", b"a question"),
        reply(f"{LISTING}?page=2&size=2", b"gone", 404),
        reply("/other?page=1&size=2", b"another's"),
        reply(f"{LISTING}?page=1&size=2", b"1 again"),
        reply(LISTING, b"0 again"),
    ]
    assert [page.body for page in Journal(9, exchanges=taken).pages(LISTING)] == [b"0 again", b"1 again"]
