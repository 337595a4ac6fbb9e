"""index.html as text: its structure, what stands in it, and that no name breaks out of its place."""

import base64
import hashlib
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from lxml.html import document_fromstring

from rerun_action.core.model import Leaf, Origin, Outcome, Report, Result, Run, RunReport, Verdict
from rerun_action.reports import html
from tests.support import pages

Page = Any
"""A parsed page; the stubs can't tell what an XPath gives."""


def parse(text: str) -> Page:
    return document_fromstring(text)


def texts(page: Page, path: str) -> list[str]:
    return [" ".join(str(node.text_content()).split()) for node in page.xpath(path)]


@pytest.fixture(scope="module")
def ordinary() -> Page:
    return parse(html.render(pages.ordinary()))


def rows(page: Page, table: str) -> list[list[str]]:
    return [
        [" ".join(str(cell.text_content()).split()) for cell in row]
        for row in page.xpath(f"//table[@id='{table}']//tr")
    ]


def test_the_headline(ordinary: Page) -> None:
    assert texts(ordinary, "//title") == ["Failed · execution 41 · Testsigma rerun"]
    assert texts(ordinary, "//h1") == ["failed"]
    assert texts(ordinary, "//*[@class='code']") == ["exit code 1"]
    assert texts(ordinary, "//*[@class='message']") == ["1 test failed again"]
    assert ordinary.xpath("//header")[0].get("class") == "failed"
    assert texts(ordinary, "//dl[@class='facts']/div") == [
        "Execution41",
        "Test plan336",
        "Newest run42",
        "Serverhttps://app.testsigma.com",
        "Stop of run 42not confirmed",
    ]


@pytest.mark.parametrize(
    ("outcome", "tone"),
    [
        (Outcome.CLEAN, "passed"),
        (Outcome.FLAKY, "flaky"),
        (Outcome.FAILED, "failed"),
        (Outcome.DECLINED, "flaky"),
        (Outcome.TIMED_OUT, "failed"),
        (Outcome.CANCELLED, "quarantined"),
        (Outcome.ERROR, "failed"),
        (Outcome.DRY_RUN, "unresolved"),
    ],
)
def test_each_outcome_has_its_word_and_its_colour(outcome: Outcome, tone: str) -> None:
    page = parse(html.render(Report(outcome, 0, "message")))
    assert texts(page, "//h1") == [outcome.value]
    assert page.xpath("//header")[0].get("class") == tone


def test_the_counts_are_those_of_the_report(ordinary: Page) -> None:
    shown = dict(
        zip(
            texts(ordinary, "//dl[@class='counts']//dt"),
            map(int, texts(ordinary, "//dl[@class='counts']//dd")),
            strict=True,
        )
    )
    assert shown == pages.ordinary().counts()
    assert texts(ordinary, "//form[@id='controls']//button") == [
        "all 6",
        "failed 1",
        "unresolved 1",
        "flaky 1",
        "quarantined 1",
        "passed 2",
    ]
    widths = [float(str(part.get("width")).rstrip("%")) for part in ordinary.xpath("//*[@class='share']/rect")]
    assert widths == pytest.approx([16.667, 16.667, 16.667, 16.667, 33.333])


def test_the_runs_in_the_order_of_the_chain(ordinary: Page) -> None:
    assert rows(ordinary, "runs") == [
        ["Run", "Origin", "Asked for", "Status", "Result", "Started (UTC)", "Ended (UTC)", "Took"],
        [
            "41",
            "execution · was there before",
            "—",
            "finished",
            "Failed",
            "2026-11-23 23:10:03",
            "2026-11-24 00:12:05",
            "1 h 02 min",
        ],
        ["42", "triggered · rerun by this step", "3 tests", "in progress", "—", "2026-11-24 00:13:00", "—", "—"],
    ]
    assert {link.get("href") for link in ordinary.xpath("//a") if link.get("class") != "skip"} == {
        "https://app.testsigma.com/ui/td/runs/41",
        "https://app.testsigma.com/ui/td/runs/42",
    }


@pytest.mark.parametrize(
    ("server_url", "links"),
    [
        ("http://127.0.0.1:8080", 5),
        ("https://[", 5),  # not an address, yet no reason to fail
        ("javascript:alert(1)//", 0),
        ("data:text/html,", 0),
        (None, 0),
    ],
)
def test_only_addresses_of_the_web_are_links(server_url: str | None, links: int) -> None:
    page = parse(html.render(replace(pages.ordinary(), server_url=server_url)))
    assert len(page.xpath("//a[not(@class)]")) == links


@pytest.mark.parametrize(
    ("started", "ended", "shown"),
    [
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:59Z", "59 s"),
        ("2026-11-23T10:00:00", "2026-11-23T11:01:05+01:00", "1 min 05 s"),
        ("2026-11-23T10:00:00Z", "2026-11-23T09:59:59Z", "—"),
        ("2026-11-23T10:00:00Z", "soon", "—"),
    ],
)
def test_how_long_a_run_took(started: str, ended: str, shown: str) -> None:
    run = Run(1, 1, "STATUS_COMPLETED", Result.SUCCESS, started_at=started, ended_at=ended)
    report = replace(pages.ordinary(), runs=(RunReport(run, Origin.EXECUTION, None, 1),))
    assert rows(parse(html.render(report)), "runs")[1][-1] == shown


def test_one_row_for_each_leaf_and_one_cell_for_each_run_worst_first(ordinary: Page) -> None:
    assert rows(ordinary, "tests") == [
        ["Verdict", "Test", "Why", "Run 41", "Run 42", "Run not known"],
        ["failed", "Pay by invoice Checkout · Safari", "FAILURE again in run 42", "Failed", "Not run Failed", ""],
        ["unresolved", "Log in Account · Safari", "why", "", "", "Unknown"],
        [
            "flaky",
            "Ship abroad Poland Checkout · Chrome",
            "ABORTED in run 41, then passed in run 42",
            "Aborted",
            "Passed",
            "",
        ],
        ["quarantined", "Mail Account · Safari", "why", "Stopped", "", ""],
        ["passed", "Log out Account · Chrome", "why", "Passed", "", ""],
        ["passed", "Pay by card Checkout · Chrome", "why", "Passed", "", ""],
    ]
    tags = [
        tag.get("class") for tag in ordinary.xpath("//*[@id='tests']/tbody/tr[1]//span[starts-with(@class, 'tag ')]")
    ]
    assert tags == ["tag failed", "tag failure", "tag not_executed", "tag failure"]


def test_the_last_column_is_there_only_if_a_run_is_not_known() -> None:
    report = pages.ordinary()
    known = replace(report, leaves=tuple(entry for entry in report.leaves if entry.verdict is not Verdict.UNRESOLVED))
    assert rows(parse(html.render(known)), "tests")[0][3:] == ["Run 41", "Run 42"]
    stray = replace(known, leaves=(pages.leaf(Verdict.FAILED, Leaf("s", "c", "m"), (99, Result.FAILURE)),))
    assert rows(parse(html.render(stray)), "tests")[1][3:] == ["", "", "Failed"]


def test_every_result_has_a_word_and_a_colour() -> None:
    name = Leaf("s", "c", "m")
    leaves = tuple(pages.leaf(Verdict.FAILED, name, (41, result)) for result in Result)
    text = html.render(replace(pages.ordinary(), leaves=leaves))
    page = parse(text)
    assert texts(page, "//td[@class='seen']/span") == [
        "Passed",
        "Failed",
        "Aborted",
        "Not run",
        "Stopped",
        "Queued",
        "Running",
        "Unknown",
    ]
    for result in Result:
        assert re.search(rf"\.{result.lower()}\b[^{{]*{{\s*--ink:", text), result


def test_a_screen_reader_is_told_what_things_are(ordinary: Page) -> None:
    assert ordinary.get("lang") == "en"
    assert len(ordinary.xpath("//h1")) == len(ordinary.xpath("//main")) == len(ordinary.xpath("//header")) == 1
    for table in ordinary.xpath("//table"):
        assert len(table.xpath("./caption")) == 1
        assert {cell.get("scope") for cell in table.xpath("./thead//th")} == {"col"}
        assert {cell.get("scope") for cell in table.xpath("./tbody//th")} == {"row"}
        assert not table.xpath(".//*[self::tr or self::td or self::th or self::tbody or self::thead][not(@role)]")
    assert ordinary.get_element_by_id(ordinary.xpath("//a[@class='skip']")[0].get("href", "")[1:]).tag == "table"
    assert ordinary.xpath("//label")[0].get("for") == ordinary.xpath("//input")[0].get("id")
    assert ordinary.get_element_by_id("shown").get("role") == "status"
    ids = ordinary.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_without_scripts_all_rows_are_there_and_no_control(ordinary: Page) -> None:
    assert ordinary.xpath("//*[@hidden]/@id") == ["controls"]
    controls = ordinary.get_element_by_id("controls")
    assert set(ordinary.xpath("//button | //input")) <= set(controls.iterdescendants())


@pytest.mark.parametrize("report", [pages.ordinary(), pages.hostile()], ids=["ordinary", "hostile"])
def test_nothing_is_asked_of_anybody_and_only_our_style_and_script_count(report: Report) -> None:
    text = html.render(report)
    page = parse(text)

    def digest(tag: str) -> str:
        (element,) = page.xpath(f"//{tag}")
        return base64.b64encode(hashlib.sha256(str(element.text).encode()).digest()).decode()

    (policy,) = page.xpath("//meta[@http-equiv]")
    assert policy.get("content") == (
        f"default-src 'none'; style-src 'sha256-{digest('style')}'; script-src 'sha256-{digest('script')}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert page.xpath("//@src | //@style | //@*[starts-with(name(), 'on')]") == []
    assert [link.get("href", "")[:19] for link in page.xpath("//link")] == ["data:image/svg+xml,"]
    assert "url(" not in text
    assert "@import" not in text


def test_names_are_text_and_nothing_in_them_hides() -> None:
    text = html.render(pages.hostile())
    page = parse(text)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\u2066\ud800]", text)
    assert texts(page, "//title") == [f"Error · execution {pages.SHOWN} · Testsigma rerun"]
    assert texts(page, "//*[@class='message']/bdi") == [pages.SHOWN]
    assert rows(page, "runs")[1] == [
        "41",
        "found · found in flight",
        "—",
        pages.SHOWN.lower(),
        "—",
        pages.SHOWN,
        pages.SHOWN,
        "—",
    ]
    assert texts(page, "//*[@id='tests']/tbody/tr[1]//bdi") == [pages.SHOWN] * 5
    assert [link.get("href") for link in page.xpath("//a")] == ["#tests"]
    assert len(page.xpath("//script")) == len(page.xpath("//style")) == 1
    assert page.xpath("//img") == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\tb\r\nc\u2028d", r"a\tb\r\nc\u2028d"),
        ("soft\xadhy\ufeffphen\U000e0041", r"soft\xadhy\ufeffphen\U000e0041"),
        ("नमस्ते 👩‍💻 مرحبا می‌خواهم", "नमस्ते 👩‍💻 مرحبا می‌خواهم"),
        ("", ""),
    ],
)
def test_visible(name: str, shown: str) -> None:
    assert html.visible(name) == shown


@pytest.mark.parametrize(
    "report",
    [
        Report(Outcome.ERROR, 2, "the configuration has a fault"),
        Report(Outcome.CANCELLED, 143, "cancelled by SIGTERM", execution_id=41, server_url="https://app.testsigma.com"),
    ],
)
def test_without_leaves_the_message_stands_alone(report: Report) -> None:
    page = parse(html.render(report))
    assert texts(page, "//*[@class='message']") == [report.message]
    assert texts(page, "//main") == ["There are no test results to show."]
    assert page.xpath("//table | //script | //form | //dl[not(*)]") == []
    assert "script-src 'none'" in (page.xpath("//meta[@http-equiv]")[0].get("content") or "")
    assert page.xpath("//a[@class='skip']")[0].get("href") == "#main"


def test_faults_of_the_configuration_are_a_list() -> None:
    faults = ("api-key: is required", "server-url: <b>no</b>")
    page = parse(html.render(Report(Outcome.ERROR, 2, "the configuration has 2 faults: ...", faults=faults)))
    assert texts(page, "//*[@class='message']") == ["The configuration is wrong, nothing was sent:"]
    assert texts(page, "//ul[@class='faults']/li") == [*faults]


def test_runs_without_leaves() -> None:
    page = parse(html.render(replace(pages.ordinary(), leaves=())))
    assert [row[0] for row in rows(page, "runs")] == ["Run", "41", "42"]
    assert len(page.xpath("//table")) == 1


def test_the_same_report_gives_the_same_page() -> None:
    assert html.render(pages.ordinary()) == html.render(pages.ordinary())


def test_ten_thousand_leaves() -> None:
    page = parse(html.render(pages.big()))
    names = texts(page, "//*[@id='tests']/tbody//*[@class='case']")
    assert len(names) == 10_000
    assert names[:2] == ["Case 00000", "Case 00010"]
    assert names[999:1002] == ["Case 09990", "Case 00001", "Case 00002"]
    assert texts(page, "//dl[@class='counts']/*[@class='flaky']/dd") == ["1,000"]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read_on_its_ground(theme: int) -> None:
    """WCAG 2 AA: 4.5 to 1 for text, 3 to 1 for the border of a control."""
    style = parse(html.render(pages.ordinary())).xpath("//style")[0].text or ""
    themes = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.+?)\}", style, re.S)
    ]
    colours: dict[str, str] = themes[theme]
    assert colours.keys() == themes[0].keys()
    for ground in ("page", "surface"):
        for ink in ("text", "muted", "link", *Verdict):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        assert contrast(colours["strong"], colours[ground]) >= 3
        assert contrast(colours["focus"], colours[ground]) >= 3
    for verdict in Verdict:
        assert contrast(colours[verdict], colours[f"{verdict}-soft"]) >= 4.5, verdict


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[start:end], 16) / 255 for start, end in pairwise((1, 3, 5, 7))]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
