"""index.html in a real browser: headless Chromium, opened from a file as people open an artifact."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from rerun_action.core.model import Leaf, Outcome, Report, Verdict
from rerun_action.reports import html
from rerun_action.reports.folder import Folder
from tests.support import pages

Open = Callable[[Report], Chrome]


@contextmanager
def browser(profile: Path, *arguments: str) -> Iterator[Chrome]:
    """A browser of its own that knows nothing and talks to nobody by itself."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        missing = "chromium and chromedriver are needed to look at the page: apt-get install chromium chromium-driver"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    options = ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={profile}",
        *arguments,
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp("profile")) as chrome:
        yield chrome


@pytest.fixture
def opened(chrome: Chrome, tmp_path: Path) -> Iterator[Open]:
    """Opens the page of a report; at the end nothing may have been complained of and nothing asked of anybody."""
    screen(chrome, 1280)
    drain(chrome)
    yield lambda report: show(chrome, report, tmp_path)
    complaints, addresses = drain(chrome)
    assert complaints == []
    assert addresses
    assert {address.partition(":")[0] for address in addresses} <= {"file", "data"}


def drain(chrome: Chrome) -> tuple[list[str], list[str]]:
    """What the console says, and the addresses that were asked for, since the last time."""
    complaints = [entry["message"] for entry in logged(chrome, "browser")]
    events = [json.loads(entry["message"])["message"] for entry in logged(chrome, "performance")]
    return complaints, [
        event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"
    ]


def logged(chrome: Chrome, kind: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = chrome.get_log(kind)  # type: ignore[no-untyped-call] # selenium gives it no types
    return entries


def show(chrome: Chrome, report: Report, directory: Path) -> Chrome:
    Folder(directory).write("index.html", html.render(report))
    chrome.get((directory / "index.html").as_uri())
    return chrome


def screen(chrome: Chrome, width: int, scheme: str = "light") -> None:
    phone = width < 600
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": phone}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def run(chrome: Chrome, script: str) -> Any:
    return chrome.execute_script(script)


def shown(chrome: Chrome) -> list[str]:
    """The cases whose rows can be seen."""
    names: list[str] = run(
        chrome,
        "return Array.from(document.querySelectorAll('#tests tbody tr'))"
        ".filter((row) => row.getClientRects().length).map((row) => row.querySelector('.case').textContent)",
    )
    return names


def says(chrome: Chrome, words: str) -> None:
    """Wait until the live region says this: the search answers with the next frame."""
    WebDriverWait(chrome, 20, 0.02).until(
        lambda chrome: chrome.find_element(By.ID, "shown").text == words,
        f"the live region does not say {words!r}",
    )


def button(chrome: Chrome, verdict: str) -> Any:
    return chrome.find_element(By.CSS_SELECTOR, f"#controls button[value='{verdict}']")


def pressed(chrome: Chrome) -> list[str]:
    return [
        element.text
        for element in chrome.find_elements(By.CSS_SELECTOR, "#controls button")
        if element.get_attribute("aria-pressed") == "true"
    ]


EVERYTHING = ["Pay by invoice", "Log in", "Ship abroad", "Mail", "Log out", "Pay by card"]


def test_what_a_person_sees(opened: Open) -> None:
    chrome = opened(pages.ordinary())
    assert chrome.title == "Failed · execution 41 · Testsigma rerun"
    header = chrome.find_element(By.TAG_NAME, "header").text.splitlines()
    assert header[:4] == ["Testsigma rerun", "failed", "exit code 1", "1 test failed again"]
    counts = chrome.find_elements(By.CSS_SELECTOR, ".counts > div")
    assert [" ".join(count.text.split()) for count in counts] == [
        "failed 1",
        "unresolved 1",
        "flaky 1",
        "quarantined 1",
        "passed 2",
        "rerun 3",
        "total 6",
    ]
    assert shown(chrome) == EVERYTHING
    cells = chrome.find_elements(By.CSS_SELECTOR, "#tests tbody tr:first-child > *")
    assert [cell.text for cell in cells] == [
        "failed",
        "Pay by invoice\nCheckout · Safari",
        "FAILURE again in run 42",
        "Failed",
        "Not run Failed",
        "",
    ]
    says(chrome, "6 tests shown")
    assert pressed(chrome) == ["all 6"]


def test_search(opened: Open) -> None:
    chrome = opened(pages.ordinary())
    search = chrome.find_element(By.ID, "search")
    search.send_keys("SAFARI  pay")
    says(chrome, "1 of 6 tests shown")
    assert shown(chrome) == ["Pay by invoice"]
    for words, found in (
        ("poland", ["Ship abroad"]),
        ("account", ["Log in", "Mail", "Log out"]),
        ("then passed", ["Ship abroad"]),
    ):
        search.clear()
        search.send_keys(words)
        says(chrome, f"{len(found)} of 6 tests shown")
        assert shown(chrome) == found
    search.send_keys("nobody")
    says(chrome, "None of 6 tests shown")
    assert shown(chrome) == []
    search.send_keys(Keys.ENTER)  # sends no form anywhere
    search.send_keys(Keys.ESCAPE)
    says(chrome, "6 tests shown")
    assert shown(chrome) == EVERYTHING


def test_verdict_filter_together_with_the_search(opened: Open) -> None:
    chrome = opened(pages.ordinary())
    button(chrome, "failed").click()
    assert (shown(chrome), pressed(chrome)) == (["Pay by invoice"], ["failed 1"])
    button(chrome, "passed").send_keys(Keys.SPACE)
    assert shown(chrome) == ["Pay by invoice", "Log out", "Pay by card"]
    assert pressed(chrome) == ["failed 1", "passed 2"]
    chrome.find_element(By.ID, "search").send_keys("log")
    says(chrome, "1 of 6 tests shown")
    assert shown(chrome) == ["Log out"]
    chrome.find_element(By.ID, "search").clear()
    says(chrome, "3 of 6 tests shown")
    button(chrome, "failed").click()
    button(chrome, "passed").click()
    assert (shown(chrome), pressed(chrome)) == (EVERYTHING, ["all 6"])
    button(chrome, "flaky").click()
    button(chrome, "").click()
    assert (shown(chrome), pressed(chrome)) == (EVERYTHING, ["all 6"])


def test_by_keyboard(opened: Open) -> None:
    chrome = opened(pages.ordinary())
    body = chrome.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    skip = chrome.switch_to.active_element
    assert (skip.text, skip.rect["y"] >= 0) == ("Skip to the tests", True)
    assert skip.value_of_css_property("outline-style") == "solid"
    skip.send_keys(Keys.ENTER)
    assert chrome.switch_to.active_element.get_attribute("id") == "tests"
    chrome.switch_to.active_element.send_keys("/")
    search = chrome.switch_to.active_element
    assert (search.get_attribute("id"), search.get_attribute("value")) == ("search", "")
    search.send_keys("a/b")
    assert search.get_attribute("value") == "a/b"


def test_names_are_inert(opened: Open) -> None:
    chrome = opened(pages.hostile())
    assert run(chrome, "return typeof window.hacked") == "undefined"
    assert chrome.find_element(By.CSS_SELECTOR, ".message bdi").text == pages.SHOWN
    assert shown(chrome) == [pages.SHOWN, "Case"]
    chrome.find_element(By.ID, "search").send_keys("<script>window.hacked=1 \\u202eevil")
    says(chrome, "1 of 2 tests shown")
    assert shown(chrome) == [pages.SHOWN]


def test_a_script_that_got_in_would_not_run(chrome: Chrome, tmp_path: Path) -> None:
    """The second lock: were the escaping broken, the policy would still hold."""
    text = html.render(pages.ordinary())
    broken = text.replace("</main>", "<script>window.hacked=1</script><img src=x onerror=window.hacked=2></main>")
    (tmp_path / "broken.html").write_text(broken, encoding="utf-8")
    chrome.get((tmp_path / "broken.html").as_uri())
    assert run(chrome, "return typeof window.hacked") == "undefined"
    complaints, _ = drain(chrome)
    assert len([line for line in complaints if "Content Security Policy" in line]) == 3


def test_no_leaves(opened: Open) -> None:
    chrome = opened(Report(Outcome.ERROR, 2, "the configuration has a fault: api-key is missing"))
    assert chrome.find_element(By.TAG_NAME, "body").text.splitlines()[:5] == [
        "Testsigma rerun",
        "error",
        "exit code 2",
        "the configuration has a fault: api-key is missing",
        "There are no test results to show.",
    ]


def test_scripts_off(tmp_path: Path) -> None:
    with browser(tmp_path / "profile", "--blink-settings=scriptEnabled=false") as chrome:
        show(chrome, pages.ordinary(), tmp_path)
        cases = chrome.find_elements(By.CSS_SELECTOR, "#tests tbody .case")
        assert [case.text for case in cases if case.is_displayed()] == EVERYTHING
        assert not chrome.find_element(By.ID, "controls").is_displayed()


def test_ten_thousand_leaves(opened: Open) -> None:
    chrome = opened(pages.big())
    assert len(shown(chrome)) == 10_000
    button(chrome, "flaky").click()
    says(chrome, "1,000 of 10,000 tests shown")
    chrome.find_element(By.ID, "search").send_keys("09990")
    says(chrome, "1 of 10,000 tests shown")
    assert shown(chrome) == ["Case 09990"]
    button(chrome, "").click()
    chrome.find_element(By.ID, "search").clear()
    says(chrome, "10,000 tests shown")


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_screen(opened: Open, chrome: Chrome, width: int, scheme: str) -> None:
    screen(chrome, width, scheme)
    long = pages.leaf(Verdict.FAILED, Leaf("S" * 300, "C" * 300, "M" * 300, "R" * 300), reason="W" * 300)
    for report in (pages.ordinary(), pages.hostile(), Report(Outcome.FAILED, 1, "m" * 300, leaves=(long,))):
        opened(report)
        assert run(chrome, "return document.documentElement.scrollWidth <= window.innerWidth")
        ground = run(chrome, "return getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(250, 249, 247)", "dark": "rgb(21, 20, 19)"}[scheme]


@pytest.mark.parametrize("count", [2, 4, 6, 11])
@pytest.mark.parametrize("width", [800, 1000, 1280, 1920])
def test_each_result_stands_under_its_run(opened: Open, chrome: Chrome, count: int, width: int) -> None:
    screen(chrome, width)
    report = pages.ordinary()
    runs = tuple(replace(report.runs[0], run=replace(report.runs[0].run, id=41 + place)) for place in range(count))
    opened(replace(report, runs=runs))
    rows: list[list[tuple[float, float]]] = run(
        chrome,
        "return Array.from(document.querySelectorAll('#tests tr')).map((row) => Array.from(row.querySelectorAll("
        "'.verdict, .test, .seen')).map((cell) => [cell.getBoundingClientRect().left, cell.offsetTop]))",
    )
    header, *body = rows
    if run(chrome, "return getComputedStyle(document.querySelector('#tests thead')).position") == "absolute":
        assert width < 1280  # too narrow for a grid: cards
        return
    for row in body:
        assert [left for left, _ in row] == pytest.approx([left for left, _ in header], abs=1)
        assert len({top for _, top in row}) == 1


def test_on_a_phone_each_result_says_its_run(opened: Open, chrome: Chrome) -> None:
    screen(chrome, 390)
    opened(pages.ordinary())
    labels = run(
        chrome,
        "return Array.from(document.querySelectorAll('#tests tbody tr:first-child .seen'))"
        ".filter((cell) => cell.getClientRects().length).map((cell) => getComputedStyle(cell, '::before').content)",
    )
    assert labels == ['"41"', '"42"']
