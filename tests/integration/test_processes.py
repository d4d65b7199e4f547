"""Several processes: children that there are and that are born, other programs in a process's place, reused PIDs."""
import json
import os
import re
import shutil
import subprocess
import time

import folded
import harness
import interpreters
import recordings

RATE = 500
SOME_MINORS = ("oldest", "3.11", "newest")
# The CPU time that a child may use before it is attached to: two looks for children (100 ms each), and the attach itself.
# What it did until then is in no sample.
MEETING_NS = 0.4e9
ENOUGH_NS = 0.8e9  # of CPU time, for a child to be measured by


def in_processes(stacks):
    """{pid: its stacks}"""
    found = {}
    for stack in stacks:
        found.setdefault(stack.pid, []).append(stack)
    return found


class ProcessTest(recordings.RecordingTest):

    def finish_recording(self, process):
        result = harness.finish(process)
        self.assert_done(result)
        return result

    def kernel_name(self, pid):
        with open("/proc/%d/comm" % pid) as file:
            return file.read().rstrip("\n")


class FamilyTest(ProcessTest):
    """multiprocessing: two children that exist before the attach, two that are born and end meanwhile."""


    def check_family(self, method):
        target = self.target("family.py", "--method", method, "--youth", str(ENOUGH_NS / 1e9), lifetime=120)
        path = self.path("family.ascope")
        before = target.counters()
        started = time.monotonic()

        def enough():
            if target.counters()["go"] == 0 and time.monotonic() > started + 0.5:
                target.set_counter("go", 1)
            now = target.counters()
            return now["younger_0_ended"] and now["younger_1_ended"] and all(
                now[elder + "_left_ns"] - before[elder + "_left_ns"] > 0.75 * ENOUGH_NS for elder in ("elder_0", "elder_1"))
        result = self.record_until(target, enough, "--subprocesses", "-r", RATE, "-o", path)
        after = target.counters()

        walls = in_processes(self.stacks(path))
        self.assertEqual(sum(folded.total(stacks) for stacks in walls.values()), self.summary_samples(result))
        # multiprocessing's resource tracker is a Python as well. It waits nearly all the time: whether a sample meets it is chance.
        children = {after[child + "_pid"] for child in target.truth["children"]}
        trackers = 1 if method == "spawn" else 0
        processes = 1 + len(children) + trackers
        self.assertLessEqual(len(set(walls) - children - {target.pid}), trackers, sorted(walls))
        self.assertEqual(self.info(path)["processes"], processes)
        self.assertIn("recording of %d processes, " % processes, result.stderr)
        cpu = in_processes(self.stacks(path, "--metric", "cpu"))
        for child in target.truth["children"]:
            pid = after[child + "_pid"]
            self.assertIn(pid, walls, "%s of %s" % (child, sorted(walls)))
            used, left, right = (after[child + word] - before[child + word] for word in ("_cpu_ns", "_left_ns", "_right_ns"))
            self.check_child(child, walls[pid], cpu[pid], {"left": left, "right": right}, used)
        self.assertTrue(any(stack.has("parent_work") for stack in walls[target.pid]))
        self.assertFalse([stack.line for stack in walls[target.pid] if re.search(r"(elder|younger)_\d_", stack.line)])
        self.assertEqual({stack.process for stack in walls[target.pid]}, {"family.py"}, "the script, without its folder")
        for pid in children:
            self.assertEqual({stack.process for stack in walls[pid]},
                             {"multiprocessing.spawn" if method == "spawn" else "family.py"})
        self.assert_progress(target, "parent_ns")
        self.check_views(path, walls)
        self.assertEqual(self.info(path)["processes"], processes)
        return walls

    def check_child(self, child, stacks, cpu, truth, used):
        """Its own functions only, in the shares and to the amount that it measured itself. What it used to start up, which few samples
        are of on a busy machine, may be with them."""
        own = {child + "_left", child + "_right"}
        foreign = [stack.line for stack in stacks for name in stack.names
                   if re.fullmatch(r"((elder|younger)_\d_(left|right)|parent_work)", name) and name not in own]
        self.assertEqual(foreign, [])
        seen = {side: sum(stack.count for stack in cpu if stack.has("%s_%s" % (child, side))) for side in truth}
        due, got = sum(truth.values()), sum(seen.values())
        self.assertLessEqual(got, 1.02 * max(due, used) + 20e6, "%s: %s, truly %s of %d" % (child, seen, truth, used))
        # The last sample is up to one tick before the end.
        self.assertGreaterEqual(got, 0.95 * due - MEETING_NS, "%s: %s, truly %s" % (child, seen, truth))
        share, true = seen["left"] / got, truth["left"] / due
        error = (true * (1 - true) / (RATE * got / 1e9)) ** 0.5  # the standard error of a share of so many samples
        self.assertLessEqual(abs(share - true), 4 * error, "%s: %s, truly %s" % (child, seen, truth))

    def check_views(self, path, walls):
        info = self.info(path)
        self.assertEqual(info["samples"], sum(folded.total(stacks) for stacks in walls.values()))
        hot = {row["function"]: row["total"]["samples"] for row in self.hot(path)["functions"]}
        for name in ("elder_0_left", "elder_1_left", "younger_0_left", "younger_1_left", "parent_work"):
            of_it = sum(folded.total([stack for stack in stacks if stack.has(name)]) for stacks in walls.values())
            self.assertEqual(hot[name], of_it, name)
        self.check_processes_apart(path, walls)

    def check_processes_apart(self, path, walls):
        """A function that several processes run has a row and a profile in each; --process picks one in every view."""
        burning = {pid: folded.total([stack for stack in stacks if stack.has("burn")]) for pid, stacks in walls.items()}
        burning = {pid: count for pid, count in burning.items() if count}
        self.assertGreaterEqual(len(burning), 4)
        rows = [row for row in self.hot(path)["functions"] if row["function"] == "burn"]
        self.assertEqual({row["process"]["pid"]: row["total"]["samples"] for row in rows}, burning)
        profiles = self.speedscope(path)
        for pid, stacks in walls.items():
            name = "process %d %s; " % (pid, stacks[0].process)
            self.assertEqual(sum(sum(profile["weights"]) for profile in profiles if profile["name"].startswith(name)),
                             folded.total(stacks), name)
            self.assertEqual({stack.pid for stack in self.stacks(path, "--process", pid)}, {pid})
        pid = max(burning, key=burning.get)
        for of in ((pid,), (pid, "no-such-*")):
            picked = [word for pattern in of for word in ("--process", pattern)]
            self.assertEqual(folded.total(self.stacks(path, *picked)), folded.total(walls[pid]))
            self.assertEqual({row["process"]["pid"] for row in self.hot(path, *picked)["functions"]}, {pid})
            self.assertEqual({profile["name"].split()[1] for profile in self.speedscope(path, *picked)}, {str(pid)})
        name = walls[pid][0].process
        named = {stack.pid for stack in self.stacks(path, "--process", name[:3] + "*")}
        self.assertEqual(named, {one for one, stacks in walls.items() if stacks[0].process.startswith(name[:3])})
        result = harness.run_tool("report", path, "-f", "folded", "--process", "no-such")
        self.assert_error(result, 1)
        self.assertIn("no process matches --process 'no-such'\nhint: the recording has ", result.stderr)
        self.assertIn("%d %s" % (pid, name), result.stderr)

    def speedscope(self, path, *args):
        return json.loads(self.report(path, "-f", "speedscope", *args))["profiles"]


class Forked(FamilyTest, harness.InterpreterTest):
    minors = SOME_MINORS

    def test_fork(self):
        self.check_family("fork")


class Spawned(FamilyTest, harness.EndsTest):
    """Each child is a program of its own, as any other is on that interpreter."""

    def test_spawn(self):
        self.check_family("spawn")


class FamilyOutput(FamilyTest):
    """What the flag and the format make of it, whatever the interpreter."""

    def test_without_the_flag_no_child_is_in_the_output(self):
        target = self.target("family.py", "--method", "fork", lifetime=30)
        stacks, _ = self.record(target, "-r", 500, "-d", 1)
        self.assertEqual({stack.pid for stack in stacks}, {None})
        self.assertFalse([stack.line for stack in stacks if "elder" in stack.line])
        self.assertTrue(any(stack.has("parent_work") for stack in stacks))

    def test_a_process_is_picked_while_it_is_recorded(self):
        target = self.target("family.py", "--method", "fork", lifetime=30)
        child = target.counters()["elder_0_pid"]
        stacks, _ = self.record(target, "--subprocesses", "-r", 200, "-d", 1, "--process", child)
        self.assertEqual({stack.pid for stack in stacks}, {child})
        result = harness.run_tool("record", "-p", target.pid, "-d", 1, "--process", child, "-f", "folded")
        self.assert_error(result, 2)
        result = harness.run_tool("record", "-p", target.pid, "-d", 1, "--subprocesses", "--process", child, cwd=self.folder)
        self.assert_error(result, 2)

    def test_the_only_process_is_one_too(self):
        target = self.target("family.py", "--method", "fork", lifetime=30)
        path, _ = self.record_file(target, "-r", 200, "-d", 1)
        whole = self.stacks(path)
        for name in (target.pid, "family.py"):
            self.assertEqual(folded.total(self.stacks(path, "--process", name)), folded.total(whole))
        self.assert_error(harness.run_tool("report", path, "-f", "folded", "--process", target.pid + 1), 1)

    def test_folded_at_once_is_what_the_report_prints(self):
        target = self.target("family.py", "--method", "fork", lifetime=30)
        stacks, result = self.record(target, "--subprocesses", "-r", 500, "-d", 2)
        self.assertEqual(folded.total(stacks), self.summary_samples(result))
        path, _ = self.record_file(target, "--subprocesses", "-r", 500, "-d", 2)
        later = self.stacks(path)

        def working(some):
            return {stack.line.rpartition(" ")[0] for stack in some if stack.names[-1] == "burn"}
        self.assertEqual(working(stacks), working(later))
        self.assertEqual(len({stack.pid for stack in stacks}), 3)


class Forking(ProcessTest, harness.InterpreterTest):
    """Forks at full speed, while it is sampled at 1 kHz: children that end while they are met."""

    minors = SOME_MINORS

    def check_paths(self, stacks, allowed):
        for stack in stacks:
            own = [frame.name for frame in stack.frames if os.path.basename(frame.file) == "forking.py"]
            self.assertEqual(own, (["<module>", "main", "turn"] + allowed)[:len(own)], stack.line)
            # What the standard library does at a fork (threading._after_fork) stands right below it.
            if len(own) < len(stack.frames):
                self.assertEqual(own, stack.names[:3], stack.line)

    def test_short_lives(self):
        target = self.target("forking.py", lifetime=120)
        path = self.path("forking.ascope")
        before = target.counters()
        result = self.record_until(target, lambda: target.counters()["forks"] >= before["forks"] + 40,
                                   "--subprocesses", "-r", "1kHz", "-o", path)
        after = target.counters()
        forks = after["forks"] - before["forks"]
        walls = in_processes(self.stacks(path))
        torn = sum(stack.count for stacks in walls.values() for stack in stacks if stack.unreadable)
        self.assertLessEqual(torn, 0.01 * self.summary_samples(result), result.stderr)
        whole = {pid: [stack for stack in stacks if not stack.unreadable and stack.has("main")]
                 for pid, stacks in walls.items()}
        self.check_paths(whole.pop(target.pid), target.truth["paths"]["parent"])
        for stacks in whole.values():
            self.check_paths(stacks, target.truth["paths"]["child"])
        # One child of four lives for 128 ms or longer; a look comes every 100 ms.
        self.assertGreater(len(whole), 0.1 * forks, "%d of %d met" % (len(whole), forks))
        cpu = in_processes(self.stacks(path, "--metric", "cpu"))
        seen = sum(stack.count for stack in cpu[target.pid] if stack.has("parent_work"))
        true = after["parent_ns"] - before["parent_ns"]
        # Forking is CPU time too, of `turn`; a sample carries what was used since the one before it, wherever that was.
        self.assertTrue(0.7 * true < seen < 1.3 * true, "%d ns, truly %d" % (seen, true))
        self.assert_progress(target, "forks")


class NativeIds(ProcessTest, harness.InterpreterTest):

    def test_of_forked_children(self):
        target = self.target("forked.py", lifetime=30)
        children = target.truth["children"]
        self.assertEqual(set(children), {"main thread", "another thread", "C library"})
        for forked_by, pid in children.items():
            with self.subTest(forked_by=forked_by):
                result = harness.run_tool("dump", "--json", "-p", pid)
                self.assert_done(result)
                found = json.loads(result.stdout.decode())["threads"]
                self.assertEqual([thread["tid"] for thread in found], [pid])
                self.assertIn("wait_as_child", [frame["function"] for frame in found[0]["frames"]])


class Executing(ProcessTest, harness.InterpreterTest):
    """The process executes another program: whatever was known of it is void."""

    minors = ("oldest", "3.11", "3.13")

    def setUp(self):
        super().setUp()
        if self.python in interpreters.brought():
            self.skipTest("in a root of its own there is no other program to execute")

    def other_python(self):
        found = interpreters.discover(interpreters.SUPPORTED)
        others = [minor for minor in found if minor != self.interpreter.minor]
        return found[max(others, key=interpreters.age)] if others else self.interpreter

    def record_becoming(self, python, *args):
        """-> (target, with the truth of its second life; stacks; Result)"""
        ready = self.path("second.json")
        script = os.path.join(harness.TARGETS, "becoming.py")
        target = self.target("becoming.py", "--", python, script, "--second", "--ready", ready, "--lifetime", "30",
                             lifetime=20)
        output = self.path("out.folded")
        started = time.monotonic()

        def worked():
            if not os.path.exists(ready):
                if time.monotonic() > started + 1.5:
                    target.set_counter("go", 1)
                return False
            with open(ready) as file:
                target.truth = json.load(file)
            return target.counters()["work_ns"] > ENOUGH_NS
        result = self.record_until(target, worked, "-r", 500, "-f", "folded", "-o", output, *args)
        self.assertEqual(target.truth["pid"], target.pid, "it is the same process")
        with open(output, "rb") as file:
            return target, folded.parse(file.read()), result

    def check_lives(self, python, *args):
        target, stacks, result = self.record_becoming(python, *args)
        lives = {life: folded.total([stack for stack in stacks if stack.has(life)])
                 for life in ("first_life", "second_life")}
        self.assertFalse([stack.line for stack in stacks if stack.has("first_life") and stack.has("second_life")])
        self.assertGreater(lives["first_life"], 50, "%s %s" % (lives, result.stderr))
        # A change of program is looked for each 250 ms; at 500 Hz, on the CPU or waiting for it, that leaves 400 of these.
        self.assertGreater(lives["second_life"], 500 * (ENOUGH_NS - MEETING_NS) / 1e9 * 0.9, "%s %s" % (lives, result.stderr))
        self.assertNotIn("not in the recording", result.stderr)
        self.assertNotIn("cpu not allowed", result.stderr, "what cannot be read behind an execve is lost for that reason")
        self.assert_progress(target, "work_ns")

    def test_another_python(self):
        self.check_lives(self.other_python().path)

    def test_the_same_python(self):
        self.check_lives(self.python, "--subprocesses")


class BecomingNoPython(ProcessTest, harness.InterpreterTest):
    """What is left behind is of no matter: one minor will do, that is in no root of its own."""

    minors = ("3.13",)

    def setUp(self):
        super().setUp()
        if self.interpreter.in_root:
            self.skipTest("in a root of its own there is no other program to execute")

    def test_no_python(self):
        target = self.target("becoming.py", "--", "sleep", "8", lifetime=20)
        process = harness.start_tool("record", "-p", target.pid, "-r", 200, "-d", 3, "-f", "folded",
                                     "-o", self.path("out.folded"))
        time.sleep(1)
        target.set_counter("go", 1)
        result = self.finish_recording(process)
        self.check_told(result, target.pid)
        self.assertEqual(self.kernel_name(target.pid), "sleep", "it goes on")
        self.assertEqual(target.process.wait(20), 0, "and ends as it would")

    def test_no_python_that_ends_by_itself(self):
        target = self.target("becoming.py", "--", "sleep", "1", lifetime=20)
        started = time.monotonic()
        process = harness.start_tool("record", "-p", target.pid, "-r", 200, "-f", "folded", "-o", self.path("out.folded"))
        time.sleep(1)
        target.set_counter("go", 1)
        # Not waited for until the recorder has ended: a corpse is no process either.
        result = self.finish_recording(process)
        self.assertLess(time.monotonic() - started, 10)
        self.check_told(result, target.pid)
        self.assertEqual(target.process.wait(20), 0)

    def check_told(self, result, pid):
        with open(self.path("out.folded"), "rb") as file:
            self.assertTrue(any(stack.has("first_life") for stack in folded.parse(file.read())))
        lines = [line for line in result.stderr.splitlines() if "not in the recording" in line]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertIn("process %d" % pid, lines[0])
        self.assertIn("/sleep", lines[0])


class ReusedPids(ProcessTest):
    """In a PID namespace of its own, where nothing else takes PIDs."""


    def run_inside(self, *command, life):
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            self.skipTest("a PID namespace takes root, and util-linux's unshare")
        script = os.path.join(harness.TARGETS, "reused_pids.py")
        # It runs the tool: one in a root of its own (scripts/pythons) would not find that one's libraries.
        here = {minor: found for minor, found in interpreters.discover(interpreters.SUPPORTED).items()
                if found.path not in interpreters.brought()}
        if not here:
            self.skipTest("no interpreter outside roots of their own")
        python = here[max(here, key=interpreters.age)].path
        done = subprocess.run(["unshare", "-pf", "--mount-proc", "--kill-child", python, script, "--life", str(life), "--",
                               harness.tool(), "record"] + [str(word) for word in command],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=90)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        truth = json.loads(done.stdout.decode())
        self.assertEqual(len(set(truth["pids"])), 1, "the PID was not reused: %s" % truth["pids"])
        self.assertEqual(truth["status"], 0, truth["stderr"])
        self.assertNotIn("awaitscope: error:", truth["stderr"])
        return truth

    def owners(self, stacks):
        """{number: samples or CPU of that owner}; a stack has one of them at most."""
        found = {}
        for stack in stacks:
            here = [int(name[len("owner_"):]) for name in stack.names if name.startswith("owner_")]
            self.assertLessEqual(len(here), 1, stack.line)
            if here:
                found[here[0]] = found.get(here[0], 0) + stack.count
        return found

    def test_a_stranger_is_not_taken_for_the_process_that_ended(self):
        output = self.path("out.folded")
        truth = self.run_inside("-p", "{owner}", "-r", 1000, "-d", 4, "-f", "folded", "-o", output, life=0.7)
        with open(output, "rb") as file:
            self.assertEqual(set(self.owners(folded.parse(file.read()))), {0}, truth["stderr"])

    def test_nor_for_a_child_of_it(self):
        path = self.path("out.ascope")
        truth = self.run_inside("-p", "{owner}", "--subprocesses", "-r", 1000, "-d", 4, "-o", path, life=0.7)
        self.assertEqual(set(self.owners(self.stacks(path))), {0}, truth["stderr"])

    def test_children_that_have_one_pid(self):
        path = self.path("out.ascope")
        truth = self.run_inside("-p", "{parent}", "--subprocesses", "-r", 1000, "-d", 8, "-o", path, life=1)
        found = self.owners(self.stacks(path, "--metric", "cpu"))
        # The last one may live on when the recording ends.
        self.assertLessEqual(set(range(7)), set(found), truth["stderr"])
        for number, seen in found.items():
            true = truth["work_ns"][number]
            noise = 4 * (true * 1e6) ** 0.5  # standard errors of what samples of a millisecond say: they share one account
            self.assertLessEqual(seen, 1.02 * true + 20e6 + noise, "owner %d: %s of %s" % (number, found, truth["work_ns"]))
            if 0 < number < 7:
                self.assertGreaterEqual(seen, 0.9 * true - MEETING_NS - noise, "owner %d: %s of %s" % (number, found, truth))
