"""Which sources clang-tidy checks after a change."""

import unittest
from pathlib import Path

import tidy

A, B, C = (tidy.ROOT / "src" / name for name in ("a.cpp", "b.cpp", "c.cpp"))
A_H, COMMON, DEEP = (tidy.ROOT / "include" / name for name in ("a.hpp", "common.hpp", "deep.hpp"))


class Touched(unittest.TestCase):
    read_by = {str(A): [A, A_H, COMMON], str(B): [B, A_H, COMMON, DEEP], str(C): [C, COMMON]}

    def touched(self, *changed: Path) -> list[Path]:
        return [Path(source) for source in tidy.touched(self.read_by, set(changed))]

    def test_a_source(self) -> None:
        self.assertEqual(self.touched(B), [B])

    def test_a_header_is_checked_with_the_source_of_its_name(self) -> None:
        self.assertEqual(self.touched(A_H), [A])

    def test_a_header_without_one_is_checked_with_the_smallest_source(self) -> None:
        self.assertEqual(self.touched(COMMON), [C])
        self.assertEqual(self.touched(DEEP), [B])

    def test_a_header_that_a_changed_source_includes_needs_no_other(self) -> None:
        self.assertEqual(self.touched(B, COMMON, A_H), [B])

    def test_what_no_source_includes(self) -> None:
        self.assertEqual(self.touched(tidy.ROOT / "README.md"), [])


if __name__ == "__main__":
    unittest.main()
