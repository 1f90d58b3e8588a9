"""Changes one operator of the core at a time and looks whether the behaviour suite sees it.

    .venv/bin/python tests/harness/mutation.py --count 150 --seed 1

A change that lives is equivalent, which mutation_equivalent.txt says, or shows what no test asks
for. It takes half a minute for each, so it is no part of `make test`.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import tokenize
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = Path(__file__).with_name("mutation_equivalent.txt")
CORE = "usocket_compat/*.py"
# No program of the suite runs these: Wi-Fi needs a board's radio.
WITHOUT = {"wifi.py"}
# A change is seen if one of these fails; the first two in seconds.
TARGETS = ("cpython", "memory", "unix-1.26.1")
# Hosts have tables of their own.
ON_BOARDS, BOARD = {"usocket_compat/fdtable.py"}, ("vboard",)
SECONDS = 600  # for the suite on one target, which a change may make hang

COMMON = "tests/common"
TESTS = "test_*.py"
PYTEST = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
# In a copy of the tree.
PATH = ".mutation/path"
REPORT = ".mutation/report"

OTHER = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==",
    "+": "-", "-": "+", "*": "+", "//": "*", "%": "*", "|": "&", "&": "|", "^": "|",
    "<<": ">>", ">>": "<<", "+=": "-=", "-=": "+=", "|=": "&=", "&=": "|=", "~": "",
    "and": "or", "or": "and", "not": "", "True": "False", "False": "True",
    "break": "continue", "continue": "break",
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One token of a file that becomes another."""

    file: str
    line: int
    column: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.old!r} -> {self.new!r}"

    def key(self, source: str) -> tuple[str, str]:
        """How mutation_equivalent.txt names it: a line may move, and another may be like it."""
        text = source.splitlines()[self.line - 1]
        rest = text[self.column + len(self.old) :]
        return self.file, f"{text[: self.column]}{{{self.old} -> {self.new}}}{rest}".strip()

    def of(self, source: str) -> str:
        lines = source.splitlines(keepends=True)
        text = lines[self.line - 1]
        lines[self.line - 1] = text[: self.column] + self.new + text[self.column + len(self.old) :]
        return "".join(lines)


def changes(file: Path) -> Iterator[Change]:
    """Each change of one operator, or of one number by one, that still compiles."""
    source = file.read_text(encoding="utf-8")
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    for before, token, after in zip(tokens, tokens[1:], tokens[2:]):
        new = OTHER.get(token.string)
        if token.type == tokenize.NUMBER and token.string.isdigit():
            new = str(int(token.string) + 1)
        elif token.string == "is":
            new = "is" if after.string == "not" else "is not"
        elif token.string == "not" and (after.string == "in" or before.string == "is"):
            new = ""
        elif token.string == "in" and before.string != "not":
            new = "not in"
        if new is None or new == token.string:
            continue
        name = str(file.relative_to(ROOT))
        change = Change(name, token.start[0], token.start[1], token.string, new)
        try:
            compile(change.of(source), name, "exec")
        except SyntaxError:
            continue
        yield change


def all_changes() -> list[Change]:
    files = sorted(f for f in ROOT.glob(CORE) if f.name not in WITHOUT)
    return [change for file in files for change in changes(file)]


def keys_of(every: list[Change]) -> dict[Change, tuple[str, str]]:
    return {c: c.key((ROOT / c.file).read_text(encoding="utf-8")) for c in every}


def equivalent(text: str) -> dict[tuple[str, str], str]:
    """(file, line with its change), and why that is none, of mutation_equivalent.txt."""
    found, reason = {}, ""
    for line in text.splitlines():
        if not line.strip():
            reason = ""
        elif line.startswith("#"):
            reason = (reason + line[1:]).strip()
        else:
            file, _, change = line.partition(": ")
            if not reason or not change:
                sys.exit(f"{EQUIVALENT.name}: no reason, or no change: {line}")
            found[file, change.strip()] = reason
    return found


def targets_of(change: Change) -> tuple[str, ...]:
    return BOARD if change.file in ON_BOARDS else TARGETS


def seen_by(change: Change, tree: Path, order: dict[str, list[str]]) -> str | None:
    """A test that fails with it, on whichever target; None when all pass."""
    file = tree / change.file
    source = file.read_text(encoding="utf-8")
    file.write_text(change.of(source), encoding="utf-8")
    try:
        tests = (failing(tree, target, order[target]) for target in targets_of(change))
        return next(filter(None, tests), None)
    finally:
        file.write_text(source, encoding="utf-8")


def failing(tree: Path, target: str, order: list[str]) -> str | None:
    """The first test that fails on the target, with the files of tests in this order."""
    # The tools too are the tree's: they say where MicroPython finds the layer.
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tree / PATH)}
    with subprocess.Popen(
        [*PYTEST, *order, "--target", target, f"--junitxml={tree / REPORT / target}.xml"],
        cwd=tree,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as suite:
        try:
            output, _ = suite.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(suite.pid, signal.SIGKILL)
            return f"no end within {SECONDS} s on {target}"
    if suite.returncode == 0:
        return None
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
    return found[1] if found else f"pytest's status {suite.returncode} on {target}"


def quickest_first(tree: Path, target: str) -> list[str]:
    """The files of tests, given the report of a run: most changes are seen by one of the quick."""
    seconds = dict.fromkeys((f"tests/common/{f.name}" for f in (tree / COMMON).glob(TESTS)), 0.0)
    for case in ElementTree.parse(tree / REPORT / f"{target}.xml").iter("testcase"):
        name = case.get("classname", "").replace(".", "/") + ".py"
        if name in seconds:
            seconds[name] += float(case.get("time", 0))
    return sorted(seconds, key=lambda name: seconds[name])


def copy_tree(to: Path) -> Path:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    (to / PATH).mkdir(parents=True)
    (to / PATH / "usocket_tools").symlink_to(to / "tools")
    return to


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--count", type=int, default=150, help="how many changes (150)")
    parser.add_argument("--seed", type=int, default=1, help="picks them (1)")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (2)")
    parser.add_argument("--verbose", action="store_true", help="what sees each change too")
    parser.add_argument("--list", action="store_true", help="only say which they are")
    args = parser.parse_args()

    every = all_changes()
    chosen = random.Random(args.seed).sample(every, min(args.count, len(every)))
    out = Console(highlight=False)
    if args.list:
        for change in chosen:
            out.print(str(change), markup=False, emoji=False, soft_wrap=True)
        return 0

    known = equivalent(EQUIVALENT.read_text(encoding="utf-8"))
    keys = keys_of(every)
    for key in known.keys() - set(keys.values()):
        sys.exit(f"{EQUIVALENT.name}: no such change: {': '.join(key)}")
    excused = [change for change in chosen if keys[change] in known]
    chosen = [change for change in chosen if keys[change] not in known]
    targets = sorted({target for change in chosen for target in targets_of(change)})

    waiting, survivors, lock = list(chosen), [], threading.Lock()
    with (
        tempfile.TemporaryDirectory(prefix="usocket-mutation-") as folder,
        Progress(console=out) as progress,
    ):
        bar = progress.add_task(f"{len(chosen)} of {len(every)} changes", total=len(chosen))
        unchanged = copy_tree(Path(folder) / "unchanged")
        with ThreadPoolExecutor() as pool:
            for test in pool.map(lambda t: failing(unchanged, t, [COMMON]), targets):
                if test:
                    sys.exit(f"{test} fails as it is: mend that first")
        order = {target: quickest_first(unchanged, target) for target in targets}

        def work(number: int) -> None:
            tree = copy_tree(Path(folder) / str(number))
            while True:
                with lock:
                    if not waiting:
                        return
                    change = waiting.pop(0)
                test = seen_by(change, tree, order)
                with lock:
                    if not test:
                        survivors.append(change)
                        out.print(f"lives: {change}", markup=False, emoji=False, soft_wrap=True)
                    elif args.verbose:
                        out.print(f"{change}: {test}", markup=False, emoji=False, soft_wrap=True)
                    progress.advance(bar)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(args.jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    seen, count = len(chosen) - len(survivors), len(chosen) + len(excused)
    out.print(f"{seen} of {count} changes were seen, {len(excused)} are equivalent")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
