"""What a target can make the recorder keep or read has bounds: its memory and its descriptors stay what they are."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import time

import harness
import recordings
from test_big_recording import MEASURE

MEGABYTE = 1 << 20
SOAK_SECONDS = int(os.environ.get("AWAITSCOPE_SOAK_SECONDS", "8"))
VIEWS = [("folded",), ("folded", "--lines", "--loop-frames"), ("folded", "--metric", "await"), ("hot",), ("hot", "--json"), ("info",),
         ("latency",), ("latency", "--json"), ("speedscope",), ("speedscope", "--metric", "cpu"), ("speedscope", "--metric", "await"),
         ("html",), ("svg",)]
MOST_OF_VIEWS = 200 * MEGABYTE


def resident(pid):
    with open("/proc/%d/statm" % pid) as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Truncated(recordings.RecordingTest, harness.InterpreterTest):
    minor_matters = False
    minors = ("3.8", "3.13")

    def test_a_child_that_truncates_what_it_maps(self):
        target = self.target("truncated_library.py", "--folder", self.path(""), lifetime=30)
        process = harness.start_tool("record", "-p", target.pid, "--subprocesses", "-r", 100, "-o", self.path("out.ascope"))
        try:
            self.wait_for("the recorder did not begin", lambda: process.poll() is not None or recordings.samples(process.pid))
            target.set_counter("go", 1)
            self.wait_for("the children did not come", lambda: target.counters()["children"] > 40)
            self.assertIsNone(process.poll(), "the recorder ended")
        finally:
            harness.send(process)
            result = harness.finish(process)
        self.assert_done(result)
        self.assertGreater(self.summary_samples(result), 0)


class Memory(recordings.RecordingTest, harness.InterpreterTest):
    minors = ("3.8", "3.11", "3.13", "3.15")

    def watch(self, target, seconds, *args):
        """Records, and samples the recorder -> [(bytes, descriptors)], after each fortieth of the time."""
        process = harness.start_tool("record", "-p", target.pid, "-r", 1000, "-o", self.path("out.ascope"), *args)
        seen = []
        try:
            self.wait_for("the recorder did not begin", lambda: process.poll() is not None or recordings.samples(process.pid))
            for _ in range(40):
                time.sleep(seconds / 40)
                seen.append((resident(process.pid), len(os.listdir("/proc/%d/fd" % process.pid))))
        finally:
            harness.send(process)
            self.assert_done(harness.finish(process))
        return seen

    def test_line_tables_of_megabytes(self):
        target = self.target("line_tables.py", lifetime=30)
        seen = self.watch(target, 4)
        self.assertGreater(target.counters()["made"], 20)
        self.assertLess(max(memory for memory, _ in seen), 200 * MEGABYTE)

    def test_soak(self):
        """Code, threads and tasks that come and go: nothing of them stays, but the names of threads."""
        target = self.target("lasting_churn.py", lifetime=SOAK_SECONDS + 30)
        seen = self.watch(target, SOAK_SECONDS, "--event", "page-faults")
        self.assertGreater(min(target.counters().values()), SOAK_SECONDS)
        early = seen[8:16]  # from a fifth of the time on: two minutes of ten
        late = seen[32:]
        self.assertLess(max(memory for memory, _ in late), max(memory for memory, _ in early) + 8 * MEGABYTE, seen)
        self.assertLess(max(count for _, count in late), max(count for _, count in early) + 20, seen)


class SlowOutput(recordings.RecordingTest, harness.InterpreterTest):
    """A pipe that nobody reads for a while: what does not fit into memory is lost, and counted."""
    minor_matters = False
    minors = ("3.8", "3.13")

    def test_what_the_output_does_not_take_is_counted_as_lost(self):
        target = self.target("long_names.py", lifetime=60)
        pipe, path = self.path("pipe"), self.path("out.ascope")
        os.mkfifo(pipe)
        process = harness.start_tool("record", "-p", target.pid, "-r", 1000, "--max-overhead", 0, "-f", "recording", "-o", pipe)
        self.addCleanup(harness.end_process, process)
        with open(pipe, "rb") as reader, open(path, "wb") as file:
            self.wait_for("the recorder did not begin", lambda: process.poll() is not None or recordings.samples(process.pid))
            called = target.counters()["called"]
            self.wait_for("the target did not get on", lambda: target.counters()["called"] > called + 1_500, within=60)
            most = resident(process.pid)
            harness.send(process)
            time.sleep(2.5)
            self.assertIsNone(process.poll(), "it waits for the pipe")
            shutil.copyfileobj(reader, file)
        result = harness.finish(process)
        self.assert_done(result)
        self.assertLess(most, 200 * MEGABYTE)
        self.assertIn("waiting until %s takes the rest" % pipe, result.stderr)
        lost = int(re.search(r"([\d,]+) output too slow", result.stderr)[1].replace(",", ""))
        info = self.info(path)
        self.assertEqual((info["ending"], info["lost"]["output too slow"]), ("whole", lost))
        self.assertGreater(info["samples"], 100)
        self.assertGreater(lost, 100)


class Crafted(harness.ToolTest):

    def test_a_recording_that_was_made_to_take_memory(self):
        maker = os.path.join(os.path.dirname(harness.tool()), "tests", "recordings", "recording_tool")
        if not os.access(maker, os.X_OK):
            self.skipTest("%s was not built (scripts/build --all)" % maker)
        subprocess.run([maker, "crafted", self.path("")], check=True, timeout=60)
        made = sorted(glob.glob(self.path("*.ascope")))
        self.assertGreater(len(made), 3)
        for path in made:
            for view in VIEWS:
                done = subprocess.run([sys.executable, "-c", MEASURE, harness.tool(), "report", path, "-f", *view,
                                       "-o", self.path("out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
                said = "%s as %s: %s" % (path, view, done.stderr.decode())
                seconds, kilobytes = json.loads(done.stdout)
                self.assertIn(done.returncode, (0, 1), said)
                if not os.path.basename(path).startswith("alternating") and done.returncode == 0:
                    self.assertIn("damaged", done.stderr.decode(), said)
                self.assertLess(kilobytes << 10, MOST_OF_VIEWS, said)
                self.assertLess(seconds, 2, said)  # of CPU; one on a core of its own
