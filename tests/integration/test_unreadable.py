"""What cannot be read any more is never taken for what has ended, and what was recorded before is kept."""
import errno
import json
import os
import resource
import shutil
import subprocess
import time
import unittest

import cpusets
import folded
import harness
import recordings
import refused_calls

MINORS = ("3.8", "3.11", "3.13", "3.15")
WITHOUT_PTRACE = ["setpriv", "--bounding-set=-sys_ptrace"]


def can_drop_rights():
    return os.geteuid() == 0 and shutil.which("setpriv") is not None


@unittest.skipUnless(can_drop_rights(), "needs root and setpriv, to have fewer rights than the target")
class Rights(recordings.RecordingTest, harness.InterpreterTest):
    minor_matters = False
    minors = MINORS

    def test_a_target_that_became_undumpable(self):
        target = self.target("hiding.py", python=WITHOUT_PTRACE + [self.python])
        path = self.path("out.ascope")
        process = subprocess.Popen(WITHOUT_PTRACE + [harness.tool(), "record", "-p", str(target.pid), "-d", "60", "-o", path],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(harness.end_process, process)
        self.wait_for("the recorder did not begin", lambda: process.poll() is not None or recordings.samples(process.pid))
        time.sleep(1)  # a hundred ticks, of which some are sampled on any machine
        target.set_counter("hide", 1)
        result = harness.finish(process, timeout=40)
        self.assertTrue(target.counters()["hidden"], "the target is not hidden")
        self.assertEqual(result.status, 3, result.stderr)
        self.assertIn("error: a process that still runs is not sampled any more: not permitted to read process %d" % target.pid,
                      result.stderr)
        self.assertRegex(result.stderr, r"hint: .*CAP_SYS_PTRACE.*%s" % path)
        self.assertTrue(any(stack.has("tick") for stack in self.stacks(path)))
        self.assertFalse(target.ended())

    def test_the_right_to_measure_is_not_the_right_to_read(self):
        """CAP_PERFMON may open the maps of a process whose memory stays closed."""
        target = self.target("ticking.py")
        for command in (["record", "-d", "1", "-f", "folded", "-o", "-"], ["dump"], ["tasks"]):
            done = subprocess.run(WITHOUT_PTRACE + [harness.tool(), *command, "-p", str(target.pid)], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, check=False)
            result = harness.Result(done.returncode, done.stdout, done.stderr, 0)
            self.assert_error(result, 3)
            self.assertIn("CAP_SYS_PTRACE", result.stderr)


@unittest.skipUnless(refused_calls.can_refuse(), "system calls of this machine are not known")
class Errors(recordings.RecordingTest):

    def test_an_error_is_told_by_its_name(self):
        target = self.target("ticking.py")
        for call, error, status, cause in (("process_vm_readv", errno.EIO, 1, "Input/output error"),
                                           ("process_vm_readv", errno.EPERM, 3, "not permitted to read"),
                                           ("pidfd_open", errno.EMFILE, 1, "too many open files"),
                                           ("pidfd_open", errno.ENFILE, 1, "this machine has too many open files")):
            for command in (["record", "-d", "1", "-f", "folded", "-o", "-"], ["dump"], ["tasks"]):
                with self.subTest(call=call, error=error, command=command):
                    result = harness.run_tool(*command, "-p", target.pid, timeout=20,
                                              preexec_fn=refused_calls.refusing(call, error))
                    self.assert_error(result, status)
                    self.assertIn(cause, result.stderr)

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "needs two CPUs")
    def test_a_cpu_that_is_not_allowed(self):
        """As in another cpuset: the kernel refuses to move the recorder to where the target runs."""
        theirs, ours = sorted(os.sched_getaffinity(0))[:2]
        target = self.target("ticking.py")
        os.sched_setaffinity(target.pid, {theirs})
        path = self.path("out.ascope")
        how = {"preexec_fn": refused_calls.refusing("sched_setaffinity", errno.EINVAL, {ours})}
        result = harness.run_tool("record", "-p", target.pid, "-d", 1, "-o", path, "--engine", "preempt", **how)
        self.assert_quiet_end(result)
        self.assertEqual(result.status, 1, result.stderr)
        self.assertIn("error: no sample was taken: the process runs on a CPU that this one may not use", result.stderr)
        self.assertRegex(result.stderr, r"hint: .*cpuset")
        self.assertEqual(self.info(path)["samples"], 0)
        self.assert_progress(target, "ticks")
        self.assert_stopped_instead(harness.run_tool("record", "-p", target.pid, "-d", 1, "-o", path, **how), path)
        self.assert_progress(target, "ticks")

    def assert_stopped_instead(self, result, path):
        self.assert_done(result)
        self.assertIn("engine stop: the process runs on a CPU that this one may not use, so that each sample stops a thread",
                      result.stderr)
        self.assertGreater(self.info(path)["samples"], 0, result.stderr)
        self.assertEqual(self.info(path)["recorder"]["engine"], "stop")


@unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "needs two CPUs")
class CpuSets(recordings.RecordingTest, harness.InterpreterTest):
    """The recorder may not run where the target does."""
    minor_matters = False
    minors = ("3.8", "3.13")

    def cpuset(self, cpu):
        try:
            made = cpusets.CpuSet(cpu)
        except OSError as error:
            self.skipTest("no cpuset can be made here: %s" % error)
        self.addCleanup(made.remove)
        return made

    def setUp(self):
        super().setUp()
        theirs, ours = sorted(os.sched_getaffinity(0))[:2]
        self.theirs, self.ours = self.cpuset(theirs), self.cpuset(ours)

    def run_apart(self, *args, **how):
        return harness.run_tool(*args, preexec_fn=lambda: self.ours.add(os.getpid()), **how)

    def test_a_busy_process(self):
        target = self.target("ticking.py")
        self.theirs.add(target.pid)
        path = self.path("out.ascope")
        result = self.run_apart("record", "-p", target.pid, "-d", 1, "-o", path, "--engine", "preempt")
        self.assert_quiet_end(result)
        self.assertEqual(result.status, 1, result.stderr)
        self.assertIn("error: no sample was taken: the process runs on a CPU that this one may not use", result.stderr)
        self.assertRegex(result.stderr, r"hint: .*cpuset")
        self.assertEqual(self.info(path)["samples"], 0)
        for command in ("dump", "tasks"):
            self.assert_done(self.run_apart(command, "-p", target.pid, timeout=30))
            result = self.run_apart(command, "-p", target.pid, "--engine", "preempt", timeout=30)
            self.assert_quiet_end(result)
            if result.status != 0:  # it waits between its ticks, and can be read then
                self.assert_error(result, 1)
                self.assertIn("cpuset", result.stderr)
        self.assert_progress(target, "ticks")
        result = self.run_apart("record", "-p", target.pid, "-d", 1, "-o", path)
        Errors.assert_stopped_instead(self, result, path)
        self.assert_progress(target, "ticks")

    def test_a_process_that_waits(self):
        target = self.target("many_tasks.py", "--tasks", "100", "--still")
        self.theirs.add(target.pid)
        result = self.run_apart("dump", "-p", target.pid, "--json", timeout=30)
        self.assert_done(result)
        self.assertEqual(len(json.loads(result.stdout)["tasks"]), target.truth["tasks"])


class Descriptors(recordings.RecordingTest):

    def limited(self, *args, soft, hard):
        return harness.run_tool(*args, timeout=90,
                                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)))

    def check(self, threads, limit):
        target = self.target("crowd.py", "--threads", str(threads))
        self.assertEqual(target.truth["threads"], threads + 1)
        dump = self.limited("dump", "--json", "-p", target.pid, soft=limit, hard=limit)
        self.assert_done(dump)
        self.assertEqual(len(json.loads(dump.stdout.decode())["threads"]), threads + 1)
        path = self.path("out.ascope")
        result = self.limited("record", "-p", target.pid, "-d", 4, "--event", "task-clock", "-o", path, soft=limit, hard=limit)
        self.assert_done(result)
        self.assertRegex(result.stderr, r"not counted in [\d,]+ threads \(too few open files")
        waits = folded.total([stack for stack in self.stacks(path) if stack.has("wait_for_ever")])
        # The last tick may be cut short by the end, as may the only one on a machine with much else to do.
        whole = max(0.5, harness.ticks(result.stderr) - 1)
        self.assertGreater(waits, 0.6 * threads * whole, "each waits at each tick: " + result.stderr)

    def test_fewer_than_the_threads_need(self):
        self.check(240, 256)

    def test_fewer_than_the_threads(self):
        self.check(1200, 1024)

    def test_the_soft_limit_is_raised_but_not_the_commands(self):
        said = "import resource, time; time.sleep(0.3); print(resource.getrlimit(resource.RLIMIT_NOFILE))"
        result = self.limited("record", "-f", "folded", "-o", self.path("out.folded"), "--", self.python, "-c", said,
                              soft=256, hard=1024)
        self.assert_done(result)
        self.assertEqual(result.stdout, b"(256, 1024)\n")
        target = self.target("crowd.py", "--threads", "240")
        result = self.limited("record", "-p", target.pid, "-d", 1, "--event", "task-clock", "-o", self.path("out.ascope"),
                              soft=256, hard=4096)
        self.assert_done(result)
        self.assertNotIn("not counted", result.stderr)

    def test_none_left_while_it_records(self):
        target = self.target("ticking.py")
        path = self.path("out.ascope")
        process = harness.start_tool("record", "-p", target.pid, "-d", 60, "-o", path)
        self.addCleanup(harness.end_process, process)
        self.wait_for("the recorder did not begin", lambda: recordings.samples(process.pid))
        before = target.counters()["ticks"]
        self.wait_for("the target does not tick", lambda: target.counters()["ticks"] > before + 100000)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (4, 4))
        result = harness.finish(process, timeout=40)
        self.assertEqual(result.status, 1, result.stderr)
        self.assertRegex(result.stderr, "error: .*too many open files")
        self.assertTrue(any(stack.has("tick") for stack in self.stacks(path)))
