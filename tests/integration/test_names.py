"""Awkward names: every line parses, every name is whole but for what could break a line."""
import json
import os
import re
import unicodedata

import folded
import harness
import recordings


def hides(char):
    """Controls, invisible and bidirectional characters, separators of lines, surrogates."""
    return unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs")


def printed(name):
    """A pattern of how a name may be printed: what could break a line or hides is replaced, all else stands as it is."""
    parts = ["[^;]{1,10}?" if char == ";" or hides(char) else re.escape(char) for char in name]
    return re.compile("".join(parts), re.DOTALL)


class Names(recordings.RecordingTest, harness.InterpreterTest):

    def test_every_name_is_printed_whole(self):
        target = self.target("names.py", lifetime=30)
        met = []

        def each_had_a_turn():
            """Twice since recording began, for the first one may have been the end of a turn."""
            now = target.counters()
            if not met or all(count > met[-1][name] for name, count in now.items()):
                met.append(now)
            return len(met) == 3
        stacks, _ = self.folded_until(target, each_had_a_turn, "-r", 1000, "--full-paths")
        leaves = [stack.frames[-1] for stack in stacks if stack.frames and stack.has("take_turns")]
        missing = []
        for name, file, _ in target.truth["functions"]:
            name_pattern, file_pattern = printed(name), printed(file)
            if not any(name_pattern.fullmatch(leaf.name) and file_pattern.fullmatch(leaf.file) for leaf in leaves):
                missing.append((name, file))
        self.assertEqual(missing, [], [leaf.text for leaf in leaves])
        root = printed("thread " + target.truth["thread"])
        self.assertTrue(all(root.fullmatch(s.root) for s in stacks if s.has("take_turns")), {s.root for s in stacks})
        self.assertFalse([stack.line for stack in stacks if any(map(hides, stack.line))])
        # A sample of everything at once: the text hides nothing, and what JSON means is the name itself.
        for command in (["dump"], ["dump", "--json"]):
            result = harness.run_tool(*command, "-p", target.pid)
            self.assert_done(result)
            text = result.stdout.decode("utf-8")
            self.assertFalse([char for char in set(text) - {"\n"} if hides(char)])
        self.assertIn(target.truth["thread"], [thread["name"] for thread in json.loads(text)["threads"]])

    def test_code_that_no_file_holds(self):
        """exec, eval, and modules that the frozen importlib runs: every stack is one that the target itself saw."""
        target = self.target("made_code.py", lifetime=30)
        before = target.counters()
        stacks, result = self.folded_until(
            target, lambda: all(count > before[name] + 6 for name, count in target.counters().items()),
            "-r", 1000, "--full-paths")
        after = target.counters()
        burning = [stack for stack in stacks if stack.has("burn")]
        wrong = set(stack.line for stack in burning)
        for kind, path in target.truth["paths"].items():
            right = [stack for stack in burning if [[f.name, f.file, f.line] for f in stack.frames] == path]
            wrong -= {stack.line for stack in right}
            rounds = after[kind] - before[kind]
            self.assertGreater(folded.total(right), rounds * 5, "%s: 20 ms each: %s" % (kind, result.stderr))
        self.assertEqual(wrong, set())
        self.assertTrue(any(file.startswith("<frozen importlib") for _, file, _ in target.truth["paths"]["import"]))


class NumberedThreads(harness.InterpreterTest):
    """What equal threads do is one line, whoever numbered them; a name that the program gave whole stays."""

    minors = ("3.8", "3.11", "3.13", "3.15")

    def test_equal_work_has_one_root(self):
        target = self.target("numbered_threads.py", lifetime=20)
        names = target.truth["names"]
        for name in ("db_0", "db_1", "shard_0", "shard_1"):
            self.assertIn(name, names, "the target is not what it should be")
        stacks, _ = self.record(target, "-r", 200, "-d", 2)
        roots = {}
        for stack in stacks:
            for kind in ("pool", "named_pool", "plain", "timer", "loop_pool", "foreign", "given"):
                if stack.has(kind):
                    roots.setdefault(kind, set()).add(stack.root)
        # From 3.10 on a thread that is given no name has that of its function (Lib/threading.py, Thread.__init__).
        plain = "thread Thread (plain)" if any(" (" in name for name in names) else "thread Thread"
        loop_pool = roots.pop("loop_pool")
        self.assertEqual(roots, {"pool": {"thread ThreadPoolExecutor"}, "named_pool": {"thread db"}, "plain": {plain},
                                 "timer": {"thread Thread"}, "foreign": {"thread Dummy"},
                                 "given": {"thread shard_0", "thread shard_1"}})
        # Before 3.9 the loop's pool has no name of its own (Lib/asyncio/base_events.py, run_in_executor()).
        loops = "thread asyncio" if "asyncio_0" in names else "thread ThreadPoolExecutor"
        self.assertLessEqual(loop_pool, {loops, "task main"}, "nobody awaits it")


class FilesOfAnApplication(harness.InterpreterTest):
    """A file is named as one would import it, whichever entry of sys.path it was found through."""

    minors = ("3.8", "3.11", "3.13", "3.15")

    def test_working_directory(self):
        project = self.path("project")
        os.mkdir(project)
        # An unrelated entry that holds the project's folder as well.
        target = self.target("own_folder.py", "--folder", project, lifetime=20, environment={"PYTHONPATH": self.folder})
        stacks, _ = self.record(target, "-r", 200, "-d", 1)
        files = {frame.name: frame.file for stack in stacks for frame in stack.frames if frame.name in target.truth["files"]}
        self.assertEqual(files, target.truth["files"])
