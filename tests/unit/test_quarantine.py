"""The file of known flakes: read strictly, every fault with its line."""

from datetime import date
from pathlib import Path

import pytest

from rerun_action.core.model import QuarantineEntry
from rerun_action.quarantine import MAX_BYTES, QuarantineError, load

GOOD = """\
# known flakes
- case: Pay by card
  owner: team-checkout
  reason: the bank's sandbox is slow
  expires: 2030-12-31
- case: 404
  suite: yes
  machine: "0x10"
  iteration: 007
  owner: team-web
  reason: "#17"
  expires: "2031-01-01"
"""


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "quarantine.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_texts_are_taken_as_they_stand(tmp_path: Path) -> None:
    assert load(write(tmp_path, GOOD)) == (
        QuarantineEntry("Pay by card", "team-checkout", "the bank's sandbox is slow", date(2030, 12, 31), line=2),
        QuarantineEntry("404", "team-web", "#17", date(2031, 1, 1), "yes", "0x10", "007", line=6),
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[]\n", "\ufeff[]"])
def test_an_empty_file_is_an_empty_list(tmp_path: Path, text: str) -> None:
    assert load(write(tmp_path, text)) == ()


ENTRY = "- case: a\n  owner: o\n  reason: r\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("case: a\n", 1, "the file must be a list of entries"),
        ("- just a text\n", 1, "an entry must be a mapping"),
        ("- [a, b]\n", 1, "an entry must be a mapping"),
        (ENTRY, 1, "the entry has no `expires`"),
        ("- case: a\n", 1, "the entry has no `owner` and no `reason` and no `expires`"),
        (ENTRY + "  expires: soon\n", 4, "`expires` must be a date such as 2030-12-31, not 'soon'"),
        (ENTRY + "  expires: 2030-02-30\n", 4, "`expires` must be a date"),
        (ENTRY + "  expires: 20300101\n", 4, "`expires` must be a date"),
        (ENTRY + "  expires: 2030-01-01T00:00:00Z\n", 4, "`expires` must be a date"),
        (ENTRY + "  expires: 2030-01-01\n  colour: red\n", 5, "'colour' is none of case, owner, reason, expires"),
        (ENTRY + "  expires: 2030-01-01\n  owner: p\n", 5, "`owner` stands twice in this entry"),
        (ENTRY + "  expires: 2030-01-01\n  suite:\n", 5, "`suite` is empty"),
        (ENTRY + "  expires: 2030-01-01\n  suite: ~\n", 5, "`suite` is empty"),
        (ENTRY + "  expires: 2030-01-01\n  suite: '  '\n", 5, "`suite` is empty"),
        (ENTRY + "  expires: 2030-01-01\n  suite: [a]\n", 5, "`suite` must be a text"),
        (ENTRY + "  expires: 2030-01-01\n  suite: {a: b}\n", 5, "`suite` must be a text"),
        (ENTRY + "  expires: 2030-01-01\n  suite: !!python/name:os.system x\n", 5, "are not allowed"),
        ("- !!python/object:os.system {case: a}\n", 1, "tags (tag:yaml.org,2002:python/object:os.system) are not"),
        (ENTRY + "  expires: 2030-01-01\n  suite: !!str 404\n", 5, "tags (tag:yaml.org,2002:str) are not allowed"),
        (ENTRY + "  expires: 2030-01-01\n  ? [a]\n  : b\n", 5, "a key must be a text"),
        ("- &a\n  case: a\n- *a\n", 3, "aliases (*a) are not allowed"),
        ("- case: a\n <<: b\n", 2, "not valid YAML"),
        ("- case: 'a\n", 2, "not valid YAML"),
        ("- {case: a\n", 2, "not valid YAML"),
        ("[]\n---\n[]\n", 2, "not valid YAML"),
        ("\t- a\n", 1, "not valid YAML"),
    ],
)
def test_a_fault_has_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(QuarantineError) as caught:
        load(path)
    (fault,) = caught.value.faults
    assert fault.startswith(f"{path}, line {line}: ")
    assert said in fault


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(QuarantineError) as caught:
        load(write(tmp_path, "- case: a\n" + ENTRY + "  expires: x\n- 5\n"))
    assert [fault.split(": ")[0].rpartition(" ")[2] for fault in caught.value.faults] == ["1", "5", "6"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"# " + b"x" * MAX_BYTES, "is larger than 1 MiB"),
        (b"- case: \xff\n", "is not UTF-8"),
        (b"- case: a\x00b\n", "not valid YAML"),
        (b"[" * 100_000, "line 1: nested too deeply"),
        (b"- " * 100_000, "line 1: nested too deeply"),
        (b"{a: " * 100_000, "line 1: nested too deeply"),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(QuarantineError, match=said):
        load(write(tmp_path, content))


def test_a_file_of_just_the_largest_size_is_read(tmp_path: Path) -> None:
    assert load(write(tmp_path, b"#" * MAX_BYTES)) == ()


@pytest.mark.parametrize(("name", "said"), [("missing.yml", "No such file or directory"), ("", "Is a directory")])
def test_a_file_that_can_not_be_read(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(QuarantineError, match=f"can't be read: {said}"):
        load(tmp_path / name)
