"""The case studies of docs/case-studies: what the recording predicts, and that the change is a gain."""
import os
import re
import subprocess
import sys

import harness


class CaseStudies(harness.ToolTest):
    timing_sensitive = True

    def study(self, case):
        script = os.path.join(harness.ROOT, "scripts", "case-studies")
        done = subprocess.run([sys.executable, script, "--quick", "--awaitscope", harness.tool(), case], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        gain, predicted = re.search(r"requests/s: .*: ([\d.]+) times better .*predicted ([\d.]+)", done.stdout).groups()
        self.assertGreaterEqual(float(gain), 1.3, done.stdout)
        self.assertGreaterEqual(float(predicted), 1.2, done.stdout)
        return done.stdout

    def test_cpu(self):
        self.assertIn("a query for the brand", self.study("cpu"))

    def test_latency(self):
        self.assertRegex(self.study("latency"), r"it awaits fetch_stock [\d.]+ ms, fetch_carrier")

    def test_cache(self):
        self.assertNotIn("not recommended", self.study("cache"))
