"""`make mutation`: the program changed in thousands of small ways; how many of them do the unit tests notice?

What is changed, and which tests have to notice, stands in pyproject.toml (`[tool.mutmut]`). It prints a table for
tests/README.md, leaves the changes that nobody noticed in mutants/survivors.txt, and ends with 1 below `LEAST`.
"""

import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

MUTMUT = str(Path(sys.executable).with_name("mutmut"))
LEAST = 90.0
"""Per cent."""
NOTICED = ("killed", "timeout", "segfault")


def mutmut(*arguments: str) -> str:
    """Return what one of mutmut's commands prints."""
    return subprocess.run([MUTMUT, *arguments], capture_output=True, text=True, check=True).stdout


def results() -> dict[str, str]:
    """Return what became of each mutant."""
    lines = (line.strip().rpartition(": ") for line in mutmut("results", "--all", "true").splitlines())
    return {name: result for name, _, result in lines if name}


def module(mutant: str) -> str:
    """Return the module of a mutant, without the package."""
    return mutant.removeprefix("rerun_action.").rpartition(".")[0].replace(".", "/")


def table(found: dict[str, str]) -> list[str]:
    """Return the lines of the table, one for each module and one for all."""
    modules: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for mutant, result in found.items():
        modules[module(mutant)][result] += 1
    lines = ["| module | mutants | noticed | not noticed | no test runs it | score |", "|---|---:|---:|---:|---:|---:|"]
    return lines + [_row(name, modules[name]) for name in sorted(modules)] + [_row("all", Counter(found.values()))]


def _row(name: str, counts: Counter[str]) -> str:
    cells = [str(counts.total()), str(_noticed(counts)), str(counts["survived"] + counts["suspicious"])]
    return f"| {name} | {' | '.join(cells)} | {counts['no tests']} | {score(counts):.1f} % |"


def _noticed(counts: Counter[str]) -> int:
    return sum(counts[result] for result in NOTICED)


def score(counts: Counter[str]) -> float:
    """Return how many were noticed, in per cent; one that no test runs was not."""
    return 100 * _noticed(counts) / counts.total()


def main() -> int:
    """Run, tell, judge."""
    subprocess.run([MUTMUT, "run"], check=True)
    found = results()
    left = [mutant for mutant, result in found.items() if result not in NOTICED]
    Path("mutants/survivors.txt").write_text("\n".join(mutmut("show", mutant) for mutant in left), encoding="utf-8")
    print("", *table(found), sep="\n")  # noqa: T201 - that is what it is for
    return int(score(Counter(found.values())) < LEAST)


if __name__ == "__main__":
    sys.exit(main())
