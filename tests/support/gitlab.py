"""The GitLab component, put together as GitLab does it."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[2] / "templates/rerun.yml"


def parts() -> tuple[str, str]:
    """Return the component's header and its jobs, as text."""
    header, jobs = TEMPLATE.read_text(encoding="utf-8").split("\n---\n")
    return header, jobs


def spec() -> dict[str, dict[str, Any]]:
    inputs: dict[str, dict[str, Any]] = yaml.safe_load(parts()[0])["spec"]["inputs"]
    return inputs


def pasted(**inputs: object) -> str:
    """Paste the inputs into the text: a string as it is, anything else as JSON (GitLab's TextTemplate)."""
    defaults = {name: entry["default"] for name, entry in spec().items() if "default" in entry}

    def value(match: re.Match[str]) -> str:
        given = {**defaults, **inputs}[match[1]]
        return given if isinstance(given, str) else json.dumps(given)

    return re.sub(r"\$\[\[ inputs\.([a-z-]+) ]]", value, parts()[1])


def component(**inputs: object) -> dict[str, dict[str, Any]]:
    """Return the jobs that a pipeline gets of the component."""
    jobs: dict[str, dict[str, Any]] = yaml.safe_load(pasted(**inputs))
    return jobs
