"""The form for a bug is one that GitHub takes, and asks for what a maintainer needs."""

import subprocess
import sys
from typing import Any

import yaml

from tests.support.surface import ROOT

FORM = ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml"


def test_it_is_a_form_as_github_wants_it() -> None:
    check = "check_jsonschema", "--builtin-schema", "vendor.github-issue-forms", str(FORM)
    done = subprocess.run([sys.executable, "-m", *check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_it_asks_for_what_doctor_prints_and_saves() -> None:
    form: Any = yaml.safe_load(FORM.read_text(encoding="utf-8"))
    required = {part["id"]: part.get("validations", {}).get("required", False) for part in form["body"] if "id" in part}
    assert required == {
        "doctor": True,
        "expected": True,
        "version": True,
        "ci": True,
        "record": False,
        "report": False,
    }
    assert "python entrypoint.py doctor --save record.json" in form["body"][0]["attributes"]["value"]
