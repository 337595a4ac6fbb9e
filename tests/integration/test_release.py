"""release.yml: what its scripts do to a repository, a registry and a release, as far as can be seen without GitHub."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support import workflows
from tests.support.needed import program
from tests.support.workflows import RELEASE, run

Git = Callable[..., str]

IMAGE = "ghcr.io/example/testsigma-rerun-action"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
PUBLISHED = f"{IMAGE}:v1.2.3@{DIGEST}"
NOT_PUBLIC = (
    f"::error::{PUBLISHED} can't be run without a login: make the package public, then re-run the failed jobs\n"
)
CHANGELOG = """\
# Changelog

## [Unreleased]

## [1.2.3] - 2030-01-31

### Added

- Something.

## [1.2.2] - 2030-01-01

- Something old.
"""


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Git in a checkout of a repository of its own: main with a version that is ready to be released."""
    checkout, origin = tmp_path / "checkout", tmp_path / "origin.git"
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")

    def call(*arguments: str, at: Path = checkout) -> str:
        command = [program("git"), *identity, *arguments]
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        done = subprocess.run(command, cwd=at, env=environ, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    checkout.mkdir()
    call("init", "--quiet", "--bare", str(origin))
    call("init", "--quiet", "--initial-branch=main")
    (checkout / "rerun_action").mkdir()
    (checkout / "rerun_action" / "__init__.py").write_text('__version__ = "1.2.3"\n', encoding="utf-8")
    (checkout / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    shutil.copy(workflows.ROOT / "action.yml", checkout)
    (checkout / "templates").mkdir()
    shutil.copy(workflows.ROOT / "templates" / "rerun.yml", checkout / "templates")
    call("add", ".")
    call("commit", "--quiet", "--message", "ready")
    call("remote", "add", "origin", str(origin))
    call("push", "--quiet", "origin", "main")
    return call


def check(checkout: Path, **changed: str) -> tuple[int, str, str]:
    """What the job `check` ends with, prints, and gives to the other jobs."""
    output = checkout.parent / "output"
    output.write_text("", encoding="utf-8")
    environ = {
        "VERSION": "1.2.3",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_REF_NAME": "main",
        "GITHUB_REPOSITORY": "Example/Testsigma-Rerun-Action",
        "GITHUB_OUTPUT": str(output),
    }
    code, text = run(workflows.step(RELEASE, "check", id="check"), {**environ, **changed}, checkout)
    return code, text, output.read_text(encoding="utf-8")


def test_a_version_that_is_ready(git: Git, tmp_path: Path) -> None:
    assert git("status", "--short") == ""
    assert check(tmp_path / "checkout") == (0, "", f"tag=v1.2.3\nimage={IMAGE}\n")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"VERSION": "1.2"}, "the version has to be three numbers, like 1.2.3"),
        ({"VERSION": "v1.2.3"}, "the version has to be three numbers, like 1.2.3"),
        ({"VERSION": "1.2.03"}, "the version has to be three numbers, like 1.2.3"),
        ({"VERSION": "1.2.3\n::warning::x"}, "the version has to be three numbers, like 1.2.3"),
        ({"VERSION": "1.2.4"}, "rerun_action/__init__.py names another version than 1.2.4"),
        (
            {"GITHUB_REF": "refs/heads/mine", "GITHUB_REF_NAME": "mine"},
            "a release is made from main, not from mine",
        ),
    ],
)
def test_a_release_that_is_refused(changed: dict[str, str], told: str, git: Git, tmp_path: Path) -> None:
    assert git("status", "--short") == ""
    assert check(tmp_path / "checkout", **changed) == (1, f"::error::{told}\n", "")


def test_a_changelog_without_a_date_is_refused(git: Git, tmp_path: Path) -> None:
    changelog = tmp_path / "checkout" / "CHANGELOG.md"
    changelog.write_text(CHANGELOG.replace(" - 2030-01-31", ""), encoding="utf-8")
    assert check(tmp_path / "checkout") == (1, "::error::CHANGELOG.md has no dated section for 1.2.3\n", "")
    assert git("status", "--short") == "M CHANGELOG.md"


def test_a_tag_is_made_once(git: Git, tmp_path: Path) -> None:
    script = workflows.step(RELEASE, "tag", name="Commit, tag, push the tag")
    environ = {"TAG": "v1.2.3", "IMAGE": PUBLISHED, "GH_TOKEN": "a token"}
    main = git("rev-parse", "main")
    code, text = run(script, environ, tmp_path / "checkout", gh='echo "gh $*"')
    assert (code, text.splitlines()[0]) == (0, "gh auth setup-git"), text

    origin = tmp_path / "origin.git"
    assert git("rev-parse", "main", "v1.2.3^{commit}^", at=origin).splitlines() == [main, main]
    assert git("diff", "--name-only", "main", "v1.2.3", at=origin).splitlines() == ["action.yml", "templates/rerun.yml"]
    ours = (workflows.ROOT / "action.yml").read_text(encoding="utf-8")
    theirs = git("show", "v1.2.3:action.yml", at=origin) + "\n"
    assert theirs == ours.replace("  image: Dockerfile\n", f"  image: docker://{PUBLISHED}\n")
    assert yaml.safe_load(theirs)["runs"] == {"using": "docker", "image": f"docker://{PUBLISHED}"}
    template = next(yaml.safe_load_all(git("show", "v1.2.3:templates/rerun.yml", at=origin)))
    assert template["spec"]["inputs"]["image"]["default"] == PUBLISHED
    assert git("cat-file", "-t", "v1.2.3", at=origin) == "tag"

    # once more with another image: refused by the check, and by git if a tag was pushed in between
    git("checkout", "--quiet", "main")
    assert check(tmp_path / "checkout") == (1, "::error::the tag v1.2.3 exists already\n", "")
    git("tag", "--delete", "v1.2.3")
    before = git("rev-parse", "v1.2.3", at=origin)
    other = {**environ, "IMAGE": PUBLISHED.replace("0", "f")}
    code, text = run(script, other, tmp_path / "checkout", gh="true")
    assert code == 1
    assert "rejected" in text
    assert git("rev-parse", "v1.2.3", at=origin) == before


def test_an_action_yml_that_names_an_image_already_is_refused(git: Git, tmp_path: Path) -> None:
    action = tmp_path / "checkout" / "action.yml"
    action.write_text(action.read_text(encoding="utf-8").replace("Dockerfile", "docker://x"), encoding="utf-8")
    git("commit", "--quiet", "--all", "--message", "wrong")
    assert check(tmp_path / "checkout") == (1, "::error::action.yml on main has to say 'image: Dockerfile'\n", "")
    script = workflows.step(RELEASE, "tag", name="Commit, tag, push the tag")
    code, text = run(script, {"TAG": "v1.2.3", "IMAGE": IMAGE, "GH_TOKEN": "x"}, tmp_path / "checkout", gh="true")
    assert (code, text) == (1, "::error::more or less than one line in each of the two files changed\n")
    assert git("tag", at=tmp_path / "origin.git") == ""


@pytest.mark.parametrize(
    ("docker", "code", "told"),
    [
        ("echo 'Name: it'", 1, f"::error::{IMAGE}:v1.2.3 exists already\n"),
        ("echo 'ERROR: it: not found' >&2; exit 1", 0, ""),
        ("echo 'ERROR: denied: denied' >&2; exit 1", 0, ""),
        (
            "echo 'ERROR: 503 Service Unavailable' >&2; exit 1",
            1,
            f"::error::whether {IMAGE}:v1.2.3 exists could not be seen\nERROR: 503 Service Unavailable\n",
        ),
    ],
)
def test_an_image_is_not_overwritten(docker: str, code: int, told: str, tmp_path: Path) -> None:
    script = workflows.step(RELEASE, "image", name="Refuse to overwrite an image")
    wanted = f'[[ $* == "buildx imagetools inspect {IMAGE}:v1.2.3" ]] || exit 99'
    assert run(script, {"IMAGE": f"{IMAGE}:v1.2.3"}, tmp_path, docker=f"{wanted}\n{docker}") == (code, told)


@pytest.mark.parametrize(
    ("docker", "code", "told"),
    [
        ("echo testsigma-rerun-action 1.2.3", 0, ""),
        ("echo testsigma-rerun-action 1.2.2", 1, "::error::the image says: testsigma-rerun-action 1.2.2\n"),
        ("exit 125", 1, NOT_PUBLIC),
    ],
)
def test_an_image_that_users_can_not_run_gets_no_tag(docker: str, code: int, told: str, tmp_path: Path) -> None:
    script = workflows.step(RELEASE, "tag", name="See that everybody can run the image")
    environ = {"IMAGE": PUBLISHED, "VERSION": "1.2.3"}
    wanted = f'[[ $* == "run --rm {PUBLISHED} --version" ]] || exit 99'
    assert run(script, environ, tmp_path, docker=f"{wanted}\n{docker}") == (code, told)


def test_the_release_notes(git: Git, tmp_path: Path) -> None:
    assert git("status", "--short") == ""
    script = workflows.step(RELEASE, "notes", name="Create the release from the section of the changelog")
    environ = {"TAG": "v1.2.3", "IMAGE": IMAGE, "DIGEST": DIGEST, "RUNNER_TEMP": str(tmp_path),
               "GITHUB_REPOSITORY": "example/testsigma-rerun-action", "GH_TOKEN": "a token"}  # fmt: skip
    code, text = run(script, environ, tmp_path / "checkout", gh='printf "%s\\n" "$@"')
    notes = tmp_path / "notes.md"
    assert (code, text.split("\n")) == (
        0,
        ["release", "create", "v1.2.3", "--verify-tag", "--title", "v1.2.3", "--notes-file", str(notes), ""],
    )
    assert notes.read_text(encoding="utf-8") == (
        "\n### Added\n\n- Something.\n\n"
        f"\n### Image\n\n`{PUBLISHED}`\n\n"
        "`action.yml` of this tag names it by this digest. It carries an SBOM and its provenance:\n\n"
        f"```console\n$ gh attestation verify oci://{IMAGE}@{DIGEST} --repo example/testsigma-rerun-action\n```\n"
    )


def test_nothing_published_has_a_tag_that_moves() -> None:
    build = workflows.step(RELEASE, "image", uses="docker/build-push-action")["with"]
    assert build["tags"] == "${{ needs.check.outputs.image }}:${{ needs.check.outputs.tag }}"
    assert (build["provenance"], build["sbom"]) == ("mode=max", True)
