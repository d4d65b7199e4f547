"""A recording of millions of samples: read in seconds, in memory that grows with distinct stacks and not with samples."""
import json
import os
import subprocess
import sys

import folded
import harness

SAMPLES = 2_000_000
STACKS = 5000
MEASURE = """
import os, sys
status, usage = os.wait4(os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:]), 0)[1:]
print([usage.ru_utime + usage.ru_stime, usage.ru_maxrss])
sys.exit(status != 0)
"""


class BigRecording(harness.ToolTest):

    def make(self, samples):
        maker = os.path.join(os.path.dirname(harness.tool()), "tests", "recordings", "recording_tool")
        if not os.access(maker, os.X_OK):
            self.skipTest("%s was not built (scripts/build --all)" % maker)
        path = self.path("%d.ascope" % samples)
        subprocess.run([maker, "big", str(samples), str(STACKS), path], check=True, timeout=300)
        return path

    def measured(self, path):
        """`report -f folded` -> (samples, seconds of CPU, kilobytes)."""
        output = self.path("out.folded")
        # Through a small process: a child starts with its parent's peak of memory (getrusage(2), ru_maxrss).
        done = subprocess.run([sys.executable, "-c", MEASURE, harness.tool(), "report", path, "-q", "-f", "folded",
                               "-o", output], stdout=subprocess.PIPE, timeout=120, check=True)
        seconds, kilobytes = json.loads(done.stdout)
        with open(output, "rb") as file:
            stacks = folded.parse(file.read())
        self.assertEqual(len(stacks), STACKS)
        return folded.total(stacks), seconds, kilobytes

    def test_to_folded_lines(self):
        few, _, small = self.measured(self.make(SAMPLES // 20))
        self.assertEqual(few, SAMPLES // 20)
        path = self.make(SAMPLES)
        many, seconds, big = self.measured(path)
        self.assertEqual(many, SAMPLES)
        self.assertLess(seconds, 15 * SAMPLES / 10_000_000, "of CPU: ten million in 15 s, also on a core that others share")
        self.assertLess(big, small + 8 * 1024, "kilobytes; %d for a twentieth of the samples" % small)
        self.assertLess(os.path.getsize(path) / SAMPLES, 8)
