"""The folded output through a real consumer: no line refused, no sample lost."""
import re
import shutil
import subprocess

import folded
import harness

CONSUMERS = ("inferno-flamegraph", "flamegraph.pl")


class Consumer(harness.ToolTest):

    def test_flame_graph(self):
        found = [path for path in map(shutil.which, CONSUMERS) if path]
        if not found:
            self.skipTest("none of %s is on PATH" % ", ".join(CONSUMERS))
        for script in ("planted_graph.py", "names.py", "gathered_branches.py"):
            target = self.target(script, lifetime=30)
            result = harness.run_tool("record", "-p", target.pid, "-r", 500, "-d", 2, "-f", "folded", "-o", "-")
            self.assert_done(result)
            total = folded.total(folded.parse(result.stdout))
            for consumer in found:
                with self.subTest(script=script, consumer=consumer):
                    drawn = subprocess.run([consumer, "--minwidth", "0"], input=result.stdout, stdout=subprocess.PIPE,
                                           stderr=subprocess.PIPE, timeout=60)
                    self.assertEqual((drawn.returncode, drawn.stderr), (0, b""))
                    root = re.search(rb"<title>all \(([\d,]+) samples", drawn.stdout)
                    self.assertIsNotNone(root, drawn.stdout[:2000])
                    self.assertEqual(int(root[1].replace(b",", b"")), total)
