"""Committed recordings, and exactly what each view makes of them: on any machine, without the target.

A change of output is looked at, and then written by tests/golden/write.
"""
import fcntl
import glob
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unicodedata

import harness

GOLDEN = os.path.join(harness.ROOT, "tests", "golden")


def columns_of(text):
    """Of a terminal, by the tables of Python."""
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


class Golden(harness.ToolTest):

    def test_tables_fit(self):
        tables = glob.glob(os.path.join(GOLDEN, "*.txt"))
        self.assertGreater(len(tables), 20)
        for table in tables:
            width = re.search(r"\.(\d+)\.txt$", table)
            with open(table, encoding="utf-8") as file:
                widest = max(map(columns_of, file.read().splitlines()))
            self.assertLessEqual(widest, int(width.group(1)) if width else 80, table)

    def test_a_table_takes_the_width_of_the_terminal(self):
        terminal, end = pty.openpty()
        self.addCleanup(os.close, terminal)
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
        environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        subprocess.run([harness.tool(), "report", "-q", os.path.join(GOLDEN, "site.ascope")], stdout=end, env=environment,
                       timeout=20, check=True)
        os.close(end)
        text = b""
        with open(os.path.join(GOLDEN, "site.hot.120.txt"), "rb") as file:
            expected = file.read().replace(b"\n", b"\r\n")
        while len(text) < len(expected):
            text += os.read(terminal, 65536)
        self.assertEqual(text.decode(), expected.decode())

    def test_every_view(self):
        done = subprocess.run([sys.executable, os.path.join(GOLDEN, "write"), "--check", harness.tool()],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, universal_newlines=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(?m)^[1-9]\d* views are as they were$")
