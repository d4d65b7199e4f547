"""The rules, tried on small examples of what they must and must not find."""

import unittest

from check_layers import check_file


def findings(path: str, text: str) -> list[str]:
    return list(check_file(path, text))


class Includes(unittest.TestCase):
    def test_right_way(self) -> None:
        self.assertEqual(findings("src/asyncio/a.cpp", '#include "awaitscope/cpython/x.hpp"\n#include <vector>\n'), [])
        self.assertEqual(findings("include/awaitscope/tools/a.hpp", '#include "awaitscope/export/x.hpp"\n'), [])
        self.assertEqual(findings("tools/awaitscope/a.cpp", '#include "awaitscope/export/x.hpp"\n'), [])
        self.assertEqual(findings("tests/unit/a.cpp", '#include "awaitscope/tools/x.hpp"\n'), [])

    def test_wrong_way(self) -> None:
        for path, line in [
            ("src/model/a.cpp", '#include "awaitscope/process/x.hpp"'),
            ("include/awaitscope/stitch/a.hpp", "#include <awaitscope/cpython/x.hpp>"),
            ("src/stitch/a.cpp", '#include "../asyncio/x.hpp"'),
            ("src/native/a.cpp", '# include "cpython/x.hpp"'),
            ("src/sampler/a.cpp", '#include "awaitscope/recording/x.hpp"'),
            ("src/report/a.cpp", "#include <sys/ptrace.h>"),
            ("src/other/a.cpp", ""),
        ]:
            with self.subTest(path=path, line=line):
                self.assertEqual(len(findings(path, line + "\n")), 1)


class Versions(unittest.TestCase):
    def test_comparisons(self) -> None:
        for line in ["if (v.minor >= 12) {", "x = 11 < version.minor;", "switch (v.minor) {", "#if PY_VERSION_HEX"]:
            with self.subTest(line=line):
                self.assertEqual(len(findings("src/cpython/frames.cpp", line + "\n")), 1)
                self.assertEqual(findings("src/cpython/layout_table.cpp", line + "\n"), [])

    def test_no_comparisons(self) -> None:
        for line in [
            'fmt::format("{}.{}", v.major, v.minor);',
            "out << version.minor;",
            "minor = parse(text);",
            "// minor >= 12 has it",
            'say("minor > 3");',
            "array<int, minor> a;",
            "const auto minor = found->minor;",
        ]:
            with self.subTest(line=line):
                self.assertEqual(findings("src/cpython/frames.cpp", line + "\n"), [])


class Text(unittest.TestCase):
    def test_length(self) -> None:
        self.assertEqual(findings("scripts/a.py", "x\n" * 500), [])
        self.assertEqual(len(findings("scripts/a.py", "x\n" * 501)), 1)

    def test_machine(self) -> None:
        own = "/" + "work/main"
        self.assertEqual(len(findings("README.md", f"see {own} for it\n")), 1)
        other = "/proc/PID/" + "root/usr"
        self.assertEqual(findings("README.md", f"{other} and the framework/main\n"), [])


if __name__ == "__main__":
    unittest.main()
