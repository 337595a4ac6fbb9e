"""The file of known flakes (interface page, `quarantine-file`), read strictly: YAML has too many ways to be wrong.

Nothing is constructed from it: the nodes are read as they stand, so that `case: 404` is the text "404" and every fault
has its line. Aliases, duplicate keys and tags are refused.
"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from rerun_action.core.model import QuarantineEntry

MAX_BYTES = 1024 * 1024
_MAX_DEPTH = 5
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is many times faster, where there is one
_REQUIRED = ("case", "owner", "reason", "expires")
_OPTIONAL = ("suite", "machine", "iteration")


class QuarantineError(ValueError):
    """The file can't be used; `faults` has one line for each fault, with its place."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class _Fault(Exception):
    def __init__(self, node: Any, text: str) -> None:
        super().__init__(text)
        self.line: int = node.start_mark.line + 1
        self.text = text


def load(path: Path) -> tuple[QuarantineEntry, ...]:
    """Read the file; raises QuarantineError."""
    try:
        items = list(_items(_compose(path)))
    except _Fault as fault:
        raise QuarantineError([f"{path}, line {fault.line}: {fault.text}"]) from None
    entries: list[QuarantineEntry] = []
    faults: list[str] = []
    for node in items:
        try:
            entries.append(_entry(node))
        except _Fault as fault:
            faults.append(f"{path}, line {fault.line}: {fault.text}")
    if faults:
        raise QuarantineError(faults)
    return tuple(entries)


def _compose(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise QuarantineError([f"{path} is larger than 1 MiB"])
        text = content.decode("utf-8-sig")
        _refuse_tricks(text)
        return yaml.compose(text, Loader=_LOADER)
    except OSError as error:
        raise QuarantineError([f"{path} can't be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise QuarantineError([f"{path} is not UTF-8"]) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise QuarantineError([f"{path}, line {line}: not valid YAML: {error.problem}"]) from None
    except yaml.YAMLError as error:
        raise QuarantineError([f"{path}: not valid YAML: {str(error).splitlines()[0]}"]) from None


def _refuse_tricks(text: str) -> None:
    """Refuse what makes a small file into much work: aliases, and nesting beyond a list of mappings."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise _Fault(event, f"aliases (*{event.anchor}) are not allowed")
        if (tag := getattr(event, "tag", None)) is not None:
            raise _Fault(event, f"tags ({tag}) are not allowed")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise _Fault(event, "nested too deeply: the file is a list of entries of plain texts")


def _items(root: Any) -> Iterator[Any]:
    if root is None:
        return
    if not isinstance(root, yaml.SequenceNode):
        raise _Fault(root, "the file must be a list of entries, each beginning with `- case: …`")
    yield from root.value


def _entry(node: Any) -> QuarantineEntry:
    if not isinstance(node, yaml.MappingNode):
        raise _Fault(node, "an entry must be a mapping such as `case: Pay by card`")
    values: dict[str, str] = {}
    places: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = _text(key_node, "a key")
        if key not in (*_REQUIRED, *_OPTIONAL):
            raise _Fault(key_node, f"{key!r} is none of {', '.join((*_REQUIRED, *_OPTIONAL))}")
        if key in values:
            raise _Fault(key_node, f"`{key}` stands twice in this entry")
        values[key] = _text(value_node, f"`{key}`")
        places[key] = value_node
    missing = [f"`{key}`" for key in _REQUIRED if key not in values]
    if missing:
        raise _Fault(node, f"the entry has no {' and no '.join(missing)}")
    return QuarantineEntry(
        case=values["case"],
        owner=values["owner"],
        reason=values["reason"],
        expires=_date(places["expires"], values["expires"]),
        suite=values.get("suite"),
        machine=values.get("machine"),
        iteration=values.get("iteration"),
        line=node.start_mark.line + 1,
    )


def _text(node: Any, what: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _Fault(node, f"{what} must be a text, not a list or a mapping")
    if node.tag == "tag:yaml.org,2002:null" or not node.value.strip():
        raise _Fault(node, f"{what} is empty; leave it out or give it a value")
    text: str = node.value
    return text


def _date(node: Any, value: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise _Fault(node, f"`expires` must be a date such as 2030-12-31, not {value[:40]!r}")
