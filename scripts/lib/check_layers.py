#!/usr/bin/env python3
"""Checks the repository's own rules, those that no compiler knows:

- includes go one way, along the table in ALLOWED, in src/, tools/ and include/awaitscope/ alike;
- what reads recordings includes nothing that reads processes;
- the version of CPython is compared only in the files that fill the layouts;
- no file is over 500 lines;
- no file names a path or a package host of the machine it was written on.

Prints one line a finding: FILE:LINE: what, and what instead. Exit status 1 if there is any.
"""

import posixpath
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 500

ALLOWED: dict[str, set[str]] = {"support": set(), "model": {"support"}}
ALLOWED["process"] = {"support", "model"}
ALLOWED["capture"] = ALLOWED["process"] | {"process"}
ALLOWED["cpython"] = ALLOWED["capture"] | {"capture"}
ALLOWED["integrations"] = {"support", "model"}
ALLOWED["asyncio"] = ALLOWED["cpython"] | {"cpython", "integrations"}
ALLOWED["native"] = ALLOWED["process"] | {"process"}
ALLOWED["stitch"] = {"support", "model"}
ALLOWED["sampler"] = set(ALLOWED)
ALLOWED["recording"] = {"support", "model"}
ALLOWED["report"] = {"support", "model", "integrations", "recording"}
ALLOWED["export"] = {"support", "model", "recording", "report"}
ALLOWED["tools"] = set(ALLOWED)

OFFLINE = {"support", "model", "stitch", "integrations", "recording", "report", "export"}
READS_PROCESSES = re.compile(r"^(sys/ptrace\.h|libunwind.*|elfutils/.*|dwarf\.h|libelf\.h|gelf\.h|linux/bpf.*|bpf/.*)$")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
COMPARED = r"\s(?:==|!=|<=>|<=|>=|<|>)\s"  # as clang-format spaces them
VERSION = re.compile(
    rf"\bminor(?:_|\(\))?{COMPARED}|{COMPARED}[\w.:>-]*\bminor(?:_|\(\))?(?!\w)"
    rf"|\bswitch\s*\([^)]*\bminor\b|\bPY_(?:VERSION|MINOR)|\b[Vv]ersion(?:_|\(\))?{COMPARED}"
)
LAYOUT_FILE = re.compile(r"^(src|include/awaitscope)/cpython/layout")
# Spelt so that they do not match themselves.
MACHINE = re.compile(
    r"(?<![\w.}>)])/(?:[w]ork|[r]oot|[h]ome/\w+)/[\w.]"
    r"|\b(?:deb\.[d]ebian\.org|security\.[d]ebian\.org|[p]ypi\.org|files\.[p]ythonhosted\.org|[c]rates\.io"
    r"|registry\.[n]pmjs\.org|proxy\.[g]olang\.org|repo1?\.[m]aven)"
)


def stage_of(path: str) -> str | None:
    """The stage whose folder a path of the repository lies in."""
    match = re.match(r"(?:src/|include/awaitscope/|(?=tools/))([^/]+)/", path)
    return match.group(1) if match else None


def included_stage(path: str, name: str, quoted: bool) -> str | None:
    """The stage that an include names, by any of the spellings that reach it."""
    if name.startswith("awaitscope/"):
        return stage_of("include/" + name)
    if not quoted:
        return None
    if name.partition("/")[0] in ALLOWED:
        return stage_of("src/" + name)
    return stage_of(posixpath.normpath(posixpath.join(posixpath.dirname(path), name)))


def check_includes(path: str, lines: list[str]) -> Iterator[str]:
    stage = stage_of(path)
    if stage is None:
        return
    if stage not in ALLOWED:
        yield f"{path}:1: {stage} is no stage of DESIGN's table; add it to ALLOWED in {Path(__file__).name}"
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = included_stage(path, match.group(2), match.group(1) == '"')
        if target is not None and target != stage and target not in ALLOWED[stage]:
            may = ", ".join(sorted(ALLOWED[stage])) or "nothing"
            yield f"{path}:{number}: {stage} may not include {target} ({match.group(2)}); it may use {may}"
        if stage in OFFLINE and READS_PROCESSES.match(match.group(2)):
            yield f"{path}:{number}: {stage} works without a target; it may not include {match.group(2)}"


def without_comments(text: str) -> str:
    """The code alone: comments and the insides of strings blanked, line breaks kept."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def check_versions(path: str, text: str) -> Iterator[str]:
    if stage_of(path) is None or LAYOUT_FILE.match(path):
        return
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        if not INCLUDE.match(line) and VERSION.search(line):
            yield f"{path}:{number}: compares a version of CPython; make it a field of Layout, filled in cpython/layout*"


def check_text(path: str, lines: list[str]) -> Iterator[str]:
    if len(lines) > MAX_LINES and not path.startswith(("tests/golden/", "docs/pictures/")):
        yield f"{path}:{MAX_LINES + 1}: {len(lines)} lines, {MAX_LINES} at most; one file, one job"
    for number, line in enumerate(lines, 1):
        match = MACHINE.search(line)
        if match:
            yield f"{path}:{number}: names a path or host of one machine: {match.group().strip()}"


def check_file(path: str, text: str) -> Iterator[str]:
    lines = text.splitlines()
    yield from check_text(path, lines)
    if path.endswith((".cpp", ".hpp", ".h", ".in")):
        yield from check_includes(path, lines)
        yield from check_versions(path, text)


def files_of_tree() -> list[str]:
    """Every file that is, or would be, under version control."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return sorted({name for name in listed.split("\0") if name and (ROOT / name).is_file()})


def main() -> int:
    findings: list[str] = []
    paths = files_of_tree()
    for path in paths:
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            findings += check_file(path, content.decode("utf-8", "replace"))
    for finding in findings:
        print(finding, file=sys.stderr)
    print(f"{len(paths)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
