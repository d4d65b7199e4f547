#!/usr/bin/env python3
"""Runs clang-tidy over a build's own sources in parallel, and remembers by content which of them were clean.

A clean source leaves an empty file in the cache, named by a hash of everything that its verdict depends on: the tool,
.clang-tidy, the compile command, the source and every header of the repository that it includes, however indirectly.

--changed leaves out what did not change since the base: where HEAD left origin/main, or else the last commit that is a day
older than HEAD. A header that changed is checked with one source that includes it. Everything is checked if there is no
base, or if .clang-tidy changed.

--minutes ends it early: what changed last is checked first, and what is left is said. A later run goes on from there.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)
KEEP_DAYS = 30
DAY = 86400
# gcc's options that clang does not know are no finding.
EXTRA_ARGUMENTS = ["--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-ignored-optimization-argument"]


def own_headers(source: Path, include_directories: list[Path]) -> list[Path]:
    """The source and every file of the repository or its build that it includes."""
    found: list[Path] = []
    waiting = [source]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.append(path)
        for name in INCLUDE.findall(path.read_bytes()):
            for directory in [path.parent, *include_directories]:
                candidate = (directory / os.fsdecode(name)).resolve()
                if candidate.is_file() and candidate.is_relative_to(ROOT):
                    waiting.append(candidate)
                    break
    return sorted(found)


def read_files(entry: dict[str, str]) -> list[Path]:
    """The source of a compile command and the headers of the repository that it includes."""
    found = re.findall(r"(?:-I|-isystem|-iquote) ?(\S+)", entry["command"])
    return own_headers(Path(entry["file"]).resolve(), [(Path(entry["directory"]) / path).resolve() for path in found])


def fingerprint(entry: dict[str, str], paths: list[Path], tool: bytes) -> str:
    digest = hashlib.sha256(tool)
    digest.update((ROOT / ".clang-tidy").read_bytes())
    digest.update(entry["command"].replace(str(ROOT), "").encode())
    for path in paths:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def own_sources(build: Path) -> list[dict[str, str]]:
    entries = json.loads((build / "compile_commands.json").read_text())
    unique = {entry["file"]: entry for entry in entries if Path(entry["file"]).resolve().is_relative_to(ROOT)}
    return [
        entry for _, entry in sorted(unique.items()) if not Path(entry["file"]).resolve().is_relative_to(build.resolve())
    ]


def git(*words: str) -> str:
    """What git prints; nothing where it fails."""
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True).stdout.strip()


def base_commit() -> str:
    """The commit that HEAD is compared with; empty if there is none."""
    head = git("rev-parse", "HEAD")
    base = git("merge-base", "HEAD", "origin/main")
    if base and base != head:
        return base
    # The date of HEAD itself, so that the same commit is always compared with the same base.
    committed = git("log", "-1", "--format=%ct")
    return git("rev-list", "-1", f"--before={int(committed) - DAY}", "HEAD") if committed else ""


def changed_since(base: str) -> set[Path]:
    """The files that differ from a commit, and those that git does not track yet."""
    names = git("diff", "--name-only", base) + "\n" + git("ls-files", "--others", "--exclude-standard")
    return {ROOT / name for name in names.splitlines() if name}


def touched(read_by: dict[str, list[Path]], changed: set[Path]) -> list[str]:
    """The sources that changed, and one for each changed header that none of them includes. `read_by` has what each source reads."""
    chosen = [source for source in read_by if Path(source).resolve() in changed]
    seen = {path for source in chosen for path in read_by[source]}
    for header in sorted(changed - seen):
        readers = [source for source, paths in read_by.items() if header in paths]
        if readers:
            # The source of the same name, or else the one that reads the least.
            best = min(readers, key=lambda source: (Path(source).stem != header.stem, len(read_by[source])))
            chosen.append(best)
            seen.update(read_by[best])
    return sorted(set(chosen))


def check(command: list[str], build: Path, source: str) -> tuple[int, str]:
    run = subprocess.run(
        [*command, "--quiet", "-p", str(build), *EXTRA_ARGUMENTS, source],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
    counted = re.compile(r"^\d+ warnings?( and \d+ errors?)? generated\.$|^\d+ warnings? treated as errors?$")
    return run.returncode, "\n".join(line for line in run.stdout.splitlines() if not counted.match(line))


def newest_first(sources: list[str]) -> list[str]:
    """In the order of the last commits that changed them; before all others, what is not committed yet."""
    order: dict[Path, int] = {ROOT / name: -1 for name in git("diff", "--name-only", "HEAD").splitlines()}
    for name in git("log", "--format=", "--name-only").splitlines():
        order.setdefault(ROOT / name, len(order))
    return sorted(sources, key=lambda source: order.get(Path(source).resolve(), -1))


def new_findings(text: str, shown: set[str]) -> str:
    """What was not shown before: a finding in a header comes with every source that includes it."""
    findings = re.split(r"\n(?=\S[^\n]*: (?:error|warning): )", "\n" + text)
    fresh = [finding for finding in findings if finding.strip() and finding not in shown]
    shown.update(fresh)
    return "\n".join(finding.strip("\n") for finding in fresh)


def drop_old(cache: Path) -> None:
    limit = time.time() - KEEP_DAYS * 86400
    for mark in cache.iterdir():
        if mark.stat().st_mtime < limit:
            mark.unlink(missing_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clang-tidy", default="clang-tidy")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--changed", action="store_true")
    parser.add_argument("--analyze", action="store_true", help="with Clang's static analyzer")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no further source after so many")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()

    arguments.cache.mkdir(parents=True, exist_ok=True)
    drop_old(arguments.cache)
    command = [arguments.clang_tidy, *(["--checks=clang-analyzer-*"] if arguments.analyze else [])]
    tool = " ".join(command[1:]).encode() + subprocess.run([command[0], "--version"], capture_output=True, check=True).stdout
    entries = own_sources(arguments.build)
    read_by = {entry["file"]: read_files(entry) for entry in entries}
    marks = {entry["file"]: arguments.cache / fingerprint(entry, read_by[entry["file"]], tool) for entry in entries}
    wanted = list(marks)
    base = base_commit() if arguments.changed else ""
    if base:
        changed = changed_since(base)
        if ROOT / ".clang-tidy" not in changed:
            wanted = touched(read_by, changed)
    unknown = newest_first([source for source in wanted if not marks[source].exists()])
    since = f", {len(wanted)} of them to check since {base[:12]}" if base else ""
    print(f"{len(marks)} sources{since}, {len(wanted) - len(unknown)} known to be clean", flush=True)

    until = time.monotonic() + 60 * arguments.minutes

    def check_in_time(source: str) -> tuple[int, str] | None:
        return check(command, arguments.build, source) if time.monotonic() < until else None

    found = left = 0
    shown: set[str] = set()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        runs = {pool.submit(check_in_time, source): source for source in unknown}
        for run in concurrent.futures.as_completed(runs):
            result = run.result()
            if result is None:
                left += 1
                continue
            status, text = result
            if status == 0:
                marks[runs[run]].touch()
            else:
                found += 1
                print(new_findings(text, shown) if text else f"{runs[run]}: clang-tidy: status {status}", flush=True)
    if left:
        print(f"{left} of {len(wanted)} sources are left after {arguments.minutes:g} minutes", flush=True)
    if found:
        print(f"clang-tidy: {found} of {len(wanted)} sources have findings", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
