"""The recorder dies by SIGKILL at random moments: the target never stays stopped, and nothing is left on it."""
import os
import random
import signal
import time

import harness

KILLS = int(os.environ.get("AWAITSCOPE_KILLS") or 100)
STOPPED = {"T", "t"}
GRACE = 1.0  # seconds, on a busy machine, in which the kernel lets go of what the dead recorder held


class Kill(harness.EndsTest):

    def kill_often(self, engine, kills):
        target = self.target("ticking.py", lifetime=kills * 1.0 + 60)
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        started = 0
        for number in range(kills):
            told = "engine %s, kill %d of seed %d" % (engine, number, seed)
            process = harness.start_tool("record", "-p", target.pid, "-r", 1000, "-d", 30, "--engine", engine,
                                         "-f", "folded", "-o", self.path("out.folded"))
            try:
                time.sleep(moments.uniform(0.0, 0.4))
                self.assertIsNone(process.poll(), told + ": the recorder ended before it was killed")
                started += 1
            finally:
                process.send_signal(signal.SIGKILL)
                process.communicate()
            self.assert_lets_go(target, told)
        self.assertEqual(started, kills)

    def assert_lets_go(self, target, told):
        end = time.monotonic() + GRACE
        while STOPPED & set(target.states()) and time.monotonic() < end:
            time.sleep(0.001)
        self.assertFalse(STOPPED & set(target.states()), told + ": stays stopped")
        with open("/proc/%d/status" % target.pid) as file:
            self.assertIn("TracerPid:\t0\n", file.read(), told + ": still traced")
        self.assert_progress(target, "ticks")

    def test_default_engine(self):
        self.kill_often("auto", KILLS)

    def test_a_recording_never_holds_the_target(self):
        """The target's own biggest gap between two ticks over a whole recording."""
        target = self.target("ticking.py", lifetime=60)
        target.set_counter("reset", target.counters()["reset"] + 1)
        self.record(target, "-r", 1000, "-d", 3)
        gap = target.counters()["biggest_gap_ns"] / 1e6
        self.assertLess(gap, 500, "milliseconds between two ticks")
        self.assert_progress(target, "ticks")
