"""Committed recordings, and exactly what each view makes of them: on any machine, without the target.

A change of output is looked at, and then written by tests/golden/write.
"""
import os
import subprocess
import sys

import harness

GOLDEN = os.path.join(harness.ROOT, "tests", "golden")


class Golden(harness.ToolTest):

    def test_every_view(self):
        done = subprocess.run([sys.executable, os.path.join(GOLDEN, "write"), "--check", harness.tool()],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, universal_newlines=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(?m)^[1-9]\d* views are as they were$")
