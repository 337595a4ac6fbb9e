"""What each CI system gets beside the files."""

import html
import io
from pathlib import Path

import pytest

from rerun_action.core.model import Origin, Outcome, Progress, Report, Run, Verdict
from rerun_action.hosts import github, gitlab
from rerun_action.hosts.account import Account
from rerun_action.hosts.console import Console
from rerun_action.publisher import Publisher
from rerun_action.reports import dotenv
from rerun_action.reports.folder import Folder
from tests.support.reports import HOSTILE, MIXED, F, P, leaf, report


def test_the_outputs_of_a_github_step() -> None:
    assert github.outputs(MIXED, Path("testsigma-rerun")) == (
        "result=failed\n"
        "exit-code=1\n"
        "run-id=101\n"
        "rerun-ids=101\n"
        "total-count=5\n"
        "passed-count=1\n"
        "flaky-count=1\n"
        "failed-count=1\n"
        "unresolved-count=1\n"
        "rerun-count=3\n"
        "report-dir=testsigma-rerun\n"
        "run-url=https://t.example/ui/td/runs/101\n"
    )
    names = [line.split("=")[0] for line in github.outputs(MIXED, Path()).splitlines()]
    assert names == list(github.OUTPUTS)


def test_an_output_can_not_forge_another() -> None:
    text = github.outputs(Report(Outcome.ERROR, 3, "m"), Path("a\nresult=clean"))
    lines = text.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("report-dir<<"))
    end = lines[start].split("<<")[1]
    assert lines[start : start + 4] == [f"report-dir<<{end}", "a", "result=clean", end]
    assert lines[0] == "result=error"


def test_the_dotenv_of_gitlab() -> None:
    assert dotenv.render(MIXED) == (
        "TESTSIGMA_RERUN_RESULT=failed\n"
        "TESTSIGMA_RERUN_EXIT_CODE=1\n"
        "TESTSIGMA_RERUN_EXECUTION_ID=100\n"
        "TESTSIGMA_RERUN_RUN_ID=101\n"
        "TESTSIGMA_RERUN_TOTAL=5\n"
        "TESTSIGMA_RERUN_PASSED=1\n"
        "TESTSIGMA_RERUN_FLAKY=1\n"
        "TESTSIGMA_RERUN_FAILED=1\n"
        "TESTSIGMA_RERUN_UNRESOLVED=1\n"
        "TESTSIGMA_RERUN_RUN_URL=https://t.example/ui/td/runs/101\n"
    )


def test_annotations_begin_with_the_verdict_and_the_worst() -> None:
    assert list(github.annotations(MIXED)) == [
        "::error title=Testsigma rerun%3A failed::m",
        "::error title=failed%3A Suite / case 3 on Chrome::because 3",
        "::error title=unresolved%3A Suite / case 4 [row 4] on Chrome::because 4",
        "::warning title=flaky%3A Suite / case 2 [row 2] on Chrome::because 2",
    ]


def test_there_are_ten_annotations_of_a_kind_at_most() -> None:
    leaves = [leaf(n, Verdict.FAILED, F, F) for n in range(50)] + [leaf(n, Verdict.FLAKY, F, P) for n in range(50)]
    commands = list(github.annotations(report(*leaves)))
    errors = [command for command in commands if command.startswith("::error")]
    warnings = [command for command in commands if command.startswith("::warning")]
    assert (len(errors), len(warnings)) == (10, 10)
    assert errors[-1] == "::error title=more::and 42 tests more: see the job summary and the reports"
    assert warnings[-1] == "::warning title=more::and 41 tests more: see the job summary and the reports"


def test_an_annotation_is_one_command_whatever_the_name_holds() -> None:
    (verdict, command) = github.annotations(report(leaf(1, Verdict.FAILED, F, name=HOSTILE), message=HOSTILE))
    for line in (verdict, command):
        assert not set("\n\r\x1b\u202e") & set(line)
        assert "##[" not in line
        title = line.split("title=")[1].split("::")[0]
        assert "," not in title
        assert ":" not in title


@pytest.mark.parametrize("outcome", [Outcome.CLEAN, Outcome.DRY_RUN])
def test_nothing_wrong_is_no_annotation(outcome: Outcome) -> None:
    assert list(github.annotations(report(leaf(1, Verdict.PASSED, P), outcome=outcome, exit_code=0))) == []


def test_groups() -> None:
    assert github.group("Round 1: 100%") == ("::group::Round 1: 100%25", "::endgroup::")
    assert gitlab.group("Round 1", 3, 1_900_000_000.7) == (
        "\x1b[0Ksection_start:1900000000:testsigma_rerun_3[collapsed=true]\r\x1b[0KRound 1",
        "\x1b[0Ksection_end:1900000000:testsigma_rerun_3\r\x1b[0K",
    )
    stream = io.StringIO()
    console = Console(stream, group=github.group)
    with console.group("a\n::error::b"):
        console.info("inside")
    assert stream.getvalue() == "::group::a ::error::b\ninside\n::endgroup::\n"


@pytest.mark.parametrize(
    ("status", "done", "remaining", "said"),
    [
        ("STATUS_CREATED", 0, 600.0, "created"),
        ("STATUS_QUEUED", 0, 600.0, "queued"),
        ("STATUS_QUEUED", 2, 600.0, "queued, 2 of 7 done, about 10 min left"),
        ("STATUS_IN_PROGRESS", 0, 600.0, "in progress, about 10 min left"),
        ("STATUS_IN_PROGRESS", 2, 99.0, "in progress, 2 of 7 done, about 99 s left"),
        ("STATUS_IN_PROGRESS", 2, 10.0, "in progress, 2 of 7 done, about 10 s left"),
        ("STATUS_IN_PROGRESS", 2, 9.9, "in progress, 2 of 7 done"),
        ("STATUS_IN_PROGRESS", 2, None, "in progress, 2 of 7 done"),
    ],
)
def test_an_estimate_is_given_where_there_is_something_to_estimate(
    status: str, done: int, remaining: float | None, said: str
) -> None:
    stream = io.StringIO()
    run = Run(101, 7, status, None, progress=Progress(7, done, 0))
    Account(Console(stream)).state(run, Origin.TRIGGERED, remaining)
    assert stream.getvalue() == f"rerun 101: {said}\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_current_line_is_rewritten() -> None:
    stream = Terminal()
    console = Console(stream)
    console.current("one")
    console.current("two")
    console.info("three")
    assert stream.getvalue() == "\r\x1b[2Kone\r\x1b[2Ktwo\r\x1b[2Kthree\n"


def test_elsewhere_it_is_a_line_like_any_other() -> None:
    stream = io.StringIO()
    console = Console(stream)
    console.current("one")
    console.current("two")
    assert stream.getvalue() == "one\ntwo\n"


def test_a_report_that_is_published_again_replaces_what_was_appended(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("before=1\n")
    (tmp_path / "summary").write_text("# before\n")
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    folder = Folder(tmp_path / "reports")
    folder.prepare()
    publisher = Publisher(folder, Console(io.StringIO()), environ)
    publisher.publish(report(*(leaf(n, Verdict.FAILED, F) for n in range(100))))
    publisher.publish(MIXED)
    assert (tmp_path / "output").read_text() == f"before=1\n{github.outputs(MIXED, folder.path)}"
    summary = (tmp_path / "summary").read_text()
    assert summary.startswith("# before\n## ❌ Testsigma rerun: failed")
    assert summary.count("Testsigma rerun") == 1
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "index.html",
        "junit.xml",
        "outputs.env",
        "report.json",
        "summary.md",
    ]


def test_a_host_file_that_can_not_be_written_is_a_warning(tmp_path: Path) -> None:
    stream = io.StringIO()
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(tmp_path / "missing" / "output")}
    Publisher(Folder(tmp_path), Console(stream), environ).publish(MIXED)
    assert stream.getvalue() == (
        f"warning: {tmp_path / 'missing' / 'output'} could not be written: No such file or directory\n"
    )
    assert (tmp_path / "report.json").exists()


KEY = 'eyJ-hb_Gci"%&<>:,.x'


@pytest.mark.parametrize("name", [f"Pay with {KEY}", "x" * 1995 + KEY, f"{KEY}{KEY}"])
def test_a_name_that_quotes_the_key_gets_it_into_no_report(tmp_path: Path, name: str) -> None:
    for told in (
        report(leaf(1, Verdict.FAILED, F, name=name), message=f"said {KEY}"),
        Report(Outcome.ERROR, 2, f"a fault: {name}", faults=(f"max-reruns: not {KEY}",)),
    ):
        publish_and_look(told, tmp_path)


def publish_and_look(told: Report, tmp_path: Path) -> None:
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    folder = Folder(tmp_path / "reports")
    folder.prepare()
    Publisher(folder, Console(io.StringIO(), secret=KEY), environ).publish(told)
    texts = {path.name: path.read_text(encoding="utf-8") for path in (*folder.path.iterdir(), tmp_path / "summary")}
    assert len(texts) == 6
    for file, text in texts.items():
        plain = html.unescape(text).replace("\\", "")
        assert "eyJ" not in plain, file
        assert "***" in plain or file == "outputs.env", file


def test_without_a_folder_the_host_still_gets_its_own(tmp_path: Path) -> None:
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(tmp_path / "output")}
    Publisher(None, Console(io.StringIO()), environ).publish(MIXED)
    assert "result=failed\n" in (tmp_path / "output").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["output"]
