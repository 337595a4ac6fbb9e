"""The README in parts: what it has in code blocks, what its tables quote, where its links lead."""

import re
import textwrap
from pathlib import Path

from tests.support.surface import ROOT

README = ROOT / "README.md"
PAGES = [README, *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "tests/README.md"))]


def text() -> str:
    return README.read_text(encoding="utf-8")


def section(heading: str) -> str:
    """A section, up to the next heading of the same or a higher level."""
    level = heading.partition(" ")[0]
    (found,) = re.findall(
        rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", text(), re.MULTILINE | re.DOTALL
    )
    return str(found)


def blocks(language: str, part: str | None = None) -> list[str]:
    """The code blocks in a language, in order; those that stand in a list, too."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", part or text(), re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for _, block in found]


def rows(part: str) -> list[list[str]]:
    """The cells of a section's tables, without their heads."""
    lines = re.findall(r"^\| (.*) \|$", part, re.MULTILINE)
    heads = {head for head, _ in re.findall(r"^\| (.*) \|\n(\|-.*)$", part, re.MULTILINE)}
    return [line.split(" | ") for line in lines if line not in heads]


def spans(cell: str) -> list[str]:
    """What a cell quotes."""
    return re.findall(r"`([^`]+)`", cell)


def anchors(page: Path) -> set[str]:
    """What can stand behind a # in a link to a page (GitHub's rule for headings)."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> set[str]:
    """Where a page's links lead, those to other hosts left out."""
    found = re.findall(r"\]\(([^)\s]+)\)|(?:href|src)=\"([^\"]+)\"", page.read_text(encoding="utf-8"))
    return {target for pair in found for target in pair if target and not target.startswith("https://")}
