"""Reports of large executions are written piece by piece: none of them is in memory as a whole."""

import io
import json
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from rerun_action.core.model import Outcome, Report, Result, Verdict
from rerun_action.hosts.console import Console
from rerun_action.publisher import Publisher
from rerun_action.reports import html, json_report, junit
from rerun_action.reports.folder import Folder
from tests.support.reports import leaf, report

F, P = Result.FAILURE, Result.SUCCESS
LARGE = report(*(leaf(n, Verdict.PASSED if n % 3 else Verdict.FLAKY, F, P) for n in range(2_000)))
PIECES: dict[str, Callable[[Report], Iterator[str]]] = {
    "report.json": json_report.pieces,
    "junit.xml": junit.pieces,
    "index.html": html.pieces,
}


@pytest.mark.parametrize("name", PIECES)
def test_no_piece_is_large(name: str) -> None:
    sizes = [len(piece) for piece in PIECES[name](LARGE)]
    assert sum(sizes) > 190_000
    assert max(sizes) < 32_000


@pytest.mark.parametrize("name", ["report.json", "index.html"])  # junit.xml has to know all names of a suite
def test_what_was_written_is_not_kept(name: str) -> None:
    size = sum(map(len, PIECES[name](LARGE)))
    tracemalloc.start()
    try:
        deque(PIECES[name](LARGE), maxlen=0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size / 3


def test_a_leaf_is_a_line_of_report_json() -> None:
    text = json_report.render(report(leaf(1, Verdict.FAILED, F), leaf(2, Verdict.FLAKY, F, P)))
    head, first, last, *tail = text.split("\n")[-6:]
    assert head == '  "leaves": ['
    assert json.loads(first.removesuffix(","))["verdict"] == "failed"
    assert json.loads(last)["verdict"] == "flaky"
    assert tail == ["  ]", "}", ""]


class Seen(Folder):
    """A folder that looks at what it is given before it writes it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.whole: list[str] = []

    def write(self, name: str, text: str | Iterable[str]) -> None:
        if isinstance(text, str):
            self.whole.append(name)
        super().write(name, text)


def test_the_publisher_hands_them_on_piece_by_piece_without_the_key(tmp_path: Path) -> None:
    folder = Seen(tmp_path)
    told = report(leaf(1, Verdict.FAILED, F, name="holds made-up-key"), outcome=Outcome.FAILED)
    Publisher(folder, Console(io.StringIO(), secret="made-up-key"), {}).publish(told)
    assert folder.whole == ["outputs.env", "summary.md"]  # the one is short, the other is kept under a limit
    for name in PIECES:
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "holds ***" in text
        assert "made-up-key" not in text
