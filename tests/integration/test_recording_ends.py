"""However a recording ends, what was written is there: the recorder is killed at random moments, or the disk is full."""
import concurrent.futures
import os
import random
import resource
import signal
import subprocess
import time
import unittest

import folded
import harness
import recordings
from test_kill import KILLS

RATE = 250
SIDE_BY_SIDE = 4
OLDEST = 1.0  # seconds that a kill may cost


class Killed(recordings.RecordingTest):
    timing_sensitive = True

    def kill_one(self, target, number, moment):
        """A recorder that is killed after `moment` seconds -> what is wrong with its file, or None."""
        path = self.path("killed-%d.ascope" % number)
        process = harness.start_tool("record", "-p", target.pid, "-r", RATE, "-o", path)
        time.sleep(moment)
        if process.poll() is not None:
            return "the recorder ended before it was killed: %r" % process.communicate()[1]
        killed = time.monotonic()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        result = harness.run_tool("report", path, "-f", "folded")
        self.assert_quiet_end(result)
        if result.status != 0:
            self.assert_error(result, 1)
            return None if moment < OLDEST else "killed after %.3f s: %s" % (moment, result.stderr)
        info = self.info(path)
        shown = folded.total(folded.parse(result.stdout))
        seen = (info["start_monotonic_ns"] + info["last_sample_ns"]) / 1e9
        covered = info["last_sample_ns"] / 1e9
        wrong = []
        if killed - seen > OLDEST and moment > OLDEST:
            wrong.append("the last sample is %.3f s old" % (killed - seen))
        if shown != info["samples"] or shown < 0.6 * RATE * covered - 5:
            wrong.append("%d samples in %.3f s, info says %d" % (shown, covered, info["samples"]))
        if info["ending"] not in ("open", "torn"):
            wrong.append("it ends as %s" % info["ending"])
        return "killed after %.3f s: %s" % (moment, "; ".join(wrong)) if wrong else None

    def test_at_random_moments(self):
        target = self.target("planted_graph.py", lifetime=KILLS * 3 / SIDE_BY_SIDE + 60)
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        kills = [(number, moments.uniform(0.0, 3.0)) for number in range(KILLS // 2)]  # test_kill has twice as many, on two interpreters
        with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            wrong = list(pool.map(lambda kill: self.kill_one(target, *kill), kills))
        self.assertEqual([told for told in wrong if told], [], "seed %d" % seed)
        self.assert_progress(target, "cycles")


class FullDisk(recordings.RecordingTest):

    def check_full(self, path, **how):
        target = self.target("planted_graph.py", lifetime=40)
        started = time.monotonic()
        result = harness.run_tool("record", "-p", target.pid, "-r", 1000, "-d", 20, "-o", path, timeout=30, brief=True, **how)
        self.assert_error(result, 1)
        self.assertLess(time.monotonic() - started, 18, "the recording went on for nothing")
        self.assertIn("awaitscope report " + path, result.stderr)
        info = self.info(path)
        self.assertEqual(info["ending"], "open", "no frame is left in part")
        self.assertGreater(info["samples"], 300)
        self.assertGreater(folded.total(self.stacks(path)), 300)
        self.assert_progress(target, "cycles")

    def test_limit_on_the_size_of_files(self):
        self.check_full(self.path("limited.ascope"),
                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000)))

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to mount a small file system")
    def test_full_file_system(self):
        disk = self.path("disk")
        os.mkdir(disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", disk], stderr=subprocess.PIPE)
        if mounted.returncode != 0:
            self.skipTest("no file system may be mounted here: %s" % mounted.stderr.decode().strip())
        try:
            self.check_full(os.path.join(disk, "full.ascope"))
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_a_launched_command_is_not_hurt_by_the_limits_signal(self):
        """The recorder ignores SIGXFSZ for itself, not for the command."""
        code = "import signal; print(signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN)"
        alone = subprocess.run([self.python, "-c", code], stdout=subprocess.PIPE, check=True).stdout
        result = harness.run_tool("record", "-o", self.path("x.ascope"), "--", self.python, "-c",
                                  code + "; import time; time.sleep(0.3)")
        self.assert_done(result)
        self.assertEqual(result.stdout, alone)
