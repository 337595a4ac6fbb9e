"""summary.md."""

import re

from rerun_action.core.model import Outcome, Report, Verdict
from rerun_action.reports import markdown
from tests.support.reports import HOSTILE, MIXED, F, leaf, report


def test_the_whole_summary() -> None:
    assert markdown.render(MIXED) == (
        "## ❌ Testsigma rerun: failed (exit code 1)\n"
        "\n"
        "m\n"
        "\n"
        "| total | passed | flaky | failed | unresolved | quarantined | rerun |\n"
        "|---:|---:|---:|---:|---:|---:|---:|\n"
        "| 5 | 1 | 1 | 1 | 1 | 1 | 3 |\n"
        "\n"
        "- [run 100](https://t.example/ui/td/runs/100) (execution): FAILURE\n"
        "- [run 101](https://t.example/ui/td/runs/101) (triggered, 3 tests): FAILURE\n"
        "\n"
        "| verdict | test | run 100 | run 101 | why |\n"
        "|---|---|---|---|---|\n"
        "| failed | Suite / case 3 on Chrome | FAILURE | FAILURE | because 3 |\n"
        "| unresolved | Suite / case 4 &#91;row 4&#93; on Chrome | FAILURE |  | because 4 |\n"
        "| flaky | Suite / case 2 &#91;row 2&#93; on Chrome | FAILURE | SUCCESS | because 2 |\n"
        "| quarantined | Suite / case 5 on Chrome | FAILURE |  | because 5 |\n"
    )


def test_a_report_without_leaves() -> None:
    text = markdown.render(Report(Outcome.ERROR, 2, "the configuration has a fault"))
    assert text == "## ❗ Testsigma rerun: error (exit code 2)\n\nthe configuration has a fault\n"


def test_names_are_text_and_nothing_else() -> None:
    text = markdown.render(report(leaf(1, Verdict.FAILED, F, name=HOSTILE), message=HOSTILE))
    (row,) = [line for line in text.splitlines() if line.startswith("| failed")]
    assert row.count("|") == 6
    for mark in ("<script", "](", "`", "*b*", "\x1b", "\u202e", "::error", "##[", "@f", "]]>"):
        assert mark not in text.replace("[run 10", "").replace("](https://t.example", ""), mark
    assert text.encode("utf-8")


def test_it_is_cut_with_a_note_well_under_a_mebibyte() -> None:
    text = markdown.render(report(*(leaf(n, Verdict.FAILED, F, name="é" * 3000) for n in range(5000))))
    assert len(text.encode()) <= markdown.MAX_BYTES
    shown = sum(line.startswith("| failed") for line in text.splitlines())
    (rest,) = re.findall(r"\.\.\. and ([0-9]+) tests more: the reports have all of them", text)
    assert shown + int(rest) == 5000
