"""What check-jsonschema says of a text."""

import subprocess
import sys


def by_schema(schema: str, text: str) -> tuple[int, str]:
    """Hold YAML against a schema that check-jsonschema carries, vendor.gitlab-ci for example."""
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, "--default-filetype", "yaml", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
