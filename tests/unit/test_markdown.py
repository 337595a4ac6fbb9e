"""summary.md."""

import re
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rerun_action.core.model import Outcome, Report, Verdict
from rerun_action.core.text import one_line
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


def test_faults_of_the_configuration_are_a_list() -> None:
    faults = ("api-key: is required", "max-reruns: must be a whole number from 1 to 10, not '0'")
    text = markdown.render(Report(Outcome.ERROR, 2, "the configuration has 2 faults: ...", faults=faults))
    assert text == (
        "## ❗ Testsigma rerun: error (exit code 2)\n"
        "\n"
        "The configuration is wrong, nothing was sent:\n"
        "\n"
        "- api-key: is required\n"
        "- max-reruns: must be a whole number from 1 to 10, not '0'\n"
    )


def test_a_run_that_goes_on_is_told_in_words() -> None:
    going = replace(MIXED.runs[1], run=replace(MIXED.runs[1].run, status="STATUS_IN_PROGRESS", result=None))
    text = markdown.render(replace(MIXED, runs=(MIXED.runs[0], going)))
    assert "- [run 101](https://t.example/ui/td/runs/101) (triggered, 3 tests): in progress\n" in text


def as_read(text: str) -> tuple[str, set[str]]:
    """What a reader of GitHub's kind of Markdown sees of a page, and the kinds of what it holds."""
    tokens = [*MarkdownIt("gfm-like", {"linkify": False}).parse(text)]
    inner = [child for token in tokens for child in token.children or () if child.content != "<!-- -->"]
    return "".join(child.content for child in inner), {token.type for token in (*tokens, *inner)}


def seen_in_a_cell(name: str) -> str:
    """The name as it is read in the table of a report."""
    text = markdown.render(report(leaf(1, Verdict.FAILED, F, name=name)))
    row = "| verdict | test |\n|---|---|\n" + next(line for line in text.splitlines() if line.startswith("| failed"))
    shown, kinds = as_read(row)
    assert kinds <= {"inline", "text", *(f"{part}_{end}" for part in TABLE for end in ("open", "close"))}, kinds
    return shown.removeprefix("verdicttestfailedSuite / ").removesuffix(" on Chrome")


TABLE = ("table", "thead", "tbody", "tr", "th", "td")
SPECIAL = st.text(st.sampled_from("ab1 \t\n\\`*_{}[]<>()#+!|~&@:.-=$%/\"';\u00e9"), min_size=1, max_size=40)


@given(SPECIAL | st.text(min_size=1, max_size=40))
@example(HOSTILE)
@example("<script>")
@example("&amp;")
def test_names_are_text_and_nothing_else(name: str) -> None:
    assert seen_in_a_cell(name).split() == one_line(name).split()


@given(SPECIAL)
@example("- a list")
@example("    code")
@example("a | b")
def test_the_message_is_text_and_nothing_else(message: str) -> None:
    assume(message.strip())
    shown, kinds = as_read(markdown.render(Report(Outcome.ERROR, 3, message)).split("\n\n", 1)[1])
    assert kinds <= {"paragraph_open", "inline", "text", "paragraph_close"}, kinds
    assert shown.split() == one_line(message).split()


@pytest.mark.parametrize(
    ("name", "written"),
    # what GitHub and GitLab add to Markdown, and look for when entities have become characters
    [
        ("http://a.example", "http:<!-- -->//a.example"),
        ("www.a.example", "www.<!-- -->a.example"),
        ("WWW.a.example", "WWW.<!-- -->a.example"),
        ("qa@a.example", "qa@<!-- -->a.example"),
        ("mailto:x", "mailto:<!-- -->x"),
        (":tada:", ":<!-- -->tada:"),
        ("@somebody", "@<!-- -->somebody"),
        ("#12", "#<!-- -->12"),
        ("GH-12", "GH-<!-- -->12"),
        ("gh-12", "gh-<!-- -->12"),
        ("!12", "!<!-- -->12"),
        ("%1", "%<!-- -->1"),
        ('%"1"', '%<!-- -->"1"'),
        ("$x$", "&#36;<!-- -->x&#36;"),
        ("~bug", "&#126;<!-- -->bug"),
        ("&12", "&#38;<!-- -->12"),
    ],
)
def test_nothing_turns_into_a_link_or_a_sign(name: str, written: str) -> None:
    rendered = markdown.render(Report(Outcome.ERROR, 3, f"see {name} there"))
    assert rendered.endswith(f"\nsee {written} there\n")


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ("1. a", "&#49;&#46; a"),
        ("# a", "&#35; a"),
        ("- a", "&#45; a"),
        ("= a", "&#61; a"),
        ("+ a", "&#43; a"),
        ("_a_b_ c__d", "&#95;a_b&#95; c&#95;&#95;d"),
    ],
)
def test_nothing_turns_into_a_block_or_emphasis(message: str, written: str) -> None:
    assert markdown.render(Report(Outcome.ERROR, 3, message)).endswith(f"\n{written}\n")


def test_a_state_that_nobody_knows_is_text_too() -> None:
    going = replace(MIXED.runs[1], run=replace(MIXED.runs[1].run, status="<b>*", result=None))
    text = markdown.render(replace(MIXED, runs=(MIXED.runs[0], going)))
    assert "(triggered, 3 tests): &#60;b&#62;&#42;\n" in text


def test_plain_names_stay_as_they_are() -> None:
    name = "Pay (by card): 12.50 - 3 + 4, 50 % off; it's 10.30"
    assert f"| Suite / {name} on Chrome |" in markdown.render(report(leaf(1, Verdict.FAILED, F, name=name)))


def test_it_is_cut_with_a_note_well_under_a_mebibyte() -> None:
    text = markdown.render(report(*(leaf(n, Verdict.FAILED, F, name="é" * 3000) for n in range(5000))))
    assert len(text.encode()) <= markdown.MAX_BYTES
    shown = sum(line.startswith("| failed") for line in text.splitlines())
    (rest,) = re.findall(r"\.\.\. and ([0-9]+) tests more: the reports have all of them", text)
    assert shown + int(rest) == 5000
