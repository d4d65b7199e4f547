"""What people read on a terminal fits it, at 80, 120 and 200 columns; progress; completions and the manual page."""
import os
import re
import shutil
import subprocess
import unittest

import harness
import recordings

WIDTHS = (80, 120, 200)
COMMANDS = ("record", "report", "dump", "tasks", "caches", "trace", "completion")


def at(width):
    return dict(os.environ, COLUMNS=str(width))


class Fits(recordings.RecordingTest):

    def lines(self, text, width):
        """Of a text that has some, each within the width."""
        lines = text.splitlines()
        self.assertTrue(lines)
        self.assertEqual([line for line in lines if len(line) > width], [])
        return lines

    def summary(self, result):
        """Without warnings: a loaded machine may give cause to them."""
        return self.lines("\n".join(line for line in result.stderr.splitlines() if " warning: " not in line), 80)

    def printed(self, width, *words):
        result = harness.run_tool(*words, env=at(width))
        self.assert_done(result)
        return self.lines(result.stdout.decode("utf-8"), width)

    def test_help(self):
        for command in ((),) + tuple((command,) for command in COMMANDS):
            sizes = []
            for width in WIDTHS:
                with self.subTest(command=command, width=width):
                    lines = self.printed(width, *command, "--help")
                    sizes.append(len(lines))
                    self.assertIn("Examples:", lines)
                    self.assertTrue(any(line.startswith("Usage: awaitscope") for line in lines))
            self.assertEqual(sizes, sorted(sizes, reverse=True), "a wider terminal takes fewer lines")

    def test_help_without_columns_is_that_of_80(self):
        plain = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        self.assertEqual(harness.run_tool("record", "--help", env=plain).stdout, harness.run_tool("record", "--help", env=at(80)).stdout)

    def test_help_is_in_groups(self):
        lines = self.printed(80, "report", "--help")
        groups = [line for line in lines if re.fullmatch(r"[A-Z]\w+:", line)]
        self.assertEqual(groups, ["Target:", "Filters:", "Output:", "Examples:"])
        lines = self.printed(80, "record", "--help")
        groups = [line for line in lines if re.fullmatch(r"[A-Z]\w+:", line)]
        self.assertEqual(groups, ["Target:", "Sampling:", "Filters:", "Output:", "Examples:"])

    def test_summary(self):
        """Three lines: figures, what was written, what to type next."""
        target = self.target("ticking.py")
        for width in WIDTHS:
            result = harness.run_tool("record", target.pid, "-d", "300ms", cwd=self.folder, env=at(width), brief=True)
            self.assert_done(result)
            figures, written, following = self.summary(result)
            name, = (name for name in os.listdir(self.folder) if name.endswith(".ascope"))
            info = self.info(self.path(name))
            lost = sum(info["lost"].values())
            self.assertEqual(self.summary_samples(result), info["samples"])
            self.assertRegex(figures, r"^awaitscope: [\d,]+ samples in \d+\.\d ms, %s %% lost, slow-down (about|under) \d+\.\d %%$"
                             % ("0.0" if lost == 0 else r"(under )?\d+\.\d"))
            self.assertRegex(written, r"^awaitscope: recording, [\d.]+ (bytes|kB) → %s$" % re.escape(name))
            self.assertEqual(following, "awaitscope: next: awaitscope report " + name)
            os.unlink(self.path(name))

    def test_summary_of_a_view(self):
        result = harness.run_tool("record", self.target("ticking.py").pid, "-d", "300ms", "-o", "x.folded", cwd=self.folder, brief=True)
        self.assert_done(result)
        self.assertEqual(self.summary(result)[1:],
                         ["awaitscope: folded stacks, unit samples → x.folded", "awaitscope: next: flamegraph.pl x.folded > flame.svg"])

    def test_tasks_and_dump(self):
        tree, shapes = self.target("task_tree.py"), self.target("await_shapes.py")
        for width in WIDTHS:
            for target in (tree, shapes):
                for words in (["tasks"], ["tasks", "--full"], ["tasks", "--done"], ["dump"], ["dump", "--order", "outermost"]):
                    with self.subTest(width=width, words=words):
                        self.printed(width, *words, target.pid)

    def test_dump_in_both_orders(self):
        target = self.target("await_shapes.py")
        inner, outer = (self.printed(200, "dump", target.pid, "--order", order) for order in ("innermost", "outermost"))
        self.assertEqual(inner, self.printed(200, "dump", target.pid), "the default")
        main = [lines[lines.index('Thread %d "MainThread" (main): idle in epoll_wait' % target.pid) + 1:] for lines in (inner, outer)]
        stacks = [lines[:lines.index("")] for lines in main]
        self.assertEqual(stacks[0], stacks[1][::-1])
        self.assertTrue(stacks[1][0].startswith("    <module> ("), stacks)
        self.assertIn("  GIL: free", inner)
        self.assertTrue(any("await_shapes.py:" in line and "/await_shapes.py:" not in line for line in inner), "short paths")

    def test_idle_threads_that_are_alike_are_one(self):
        target = self.target("crowd.py", "--threads", "40")
        lines = self.printed(80, "dump", target.pid)
        groups = [line for line in lines if re.match(r"\d+ threads \d+ ", line)]
        self.assertEqual(sum(int(line.split()[0]) for line in groups) + sum(line.startswith("Thread ") for line in lines), 41)
        self.assertLess(len(lines), 60)


class Progress(harness.ToolTest):

    def said(self, *words):
        """What a recorder writes to a terminal as its stderr."""
        ours, theirs = os.openpty()
        process = harness.start_tool("record", self.target("ticking.py").pid, "-f", "folded", "-o", self.path("x"), *words,
                                     stderr=theirs, brief=True)
        os.close(theirs)
        said = b""
        stopped = bool(words)  # it ends by itself
        try:
            while chunk := os.read(ours, 4096):
                said += chunk
                if not stopped and b" samples, " in said:
                    harness.send(process)
                    stopped = True
        except OSError:  # the other end is closed
            pass
        finally:
            os.close(ours)
        self.assert_done(harness.finish(process, timeout=20))
        return said.decode("utf-8")

    def test_with_and_without_a_duration(self):
        self.assertRegex(self.said("-d", "1.5s"), r"awaitscope: \d\.\d of 1\.5 s, [\d,]+ samples, \d+\.\d % lost ")
        self.assertRegex(self.said(), r"awaitscope: \d+\.\d s, [\d,]+ samples, ")


class Completion(harness.ToolTest):

    def script(self, shell):
        result = harness.run_tool("completion", shell)
        self.assert_done(result)
        return result.stdout.decode("utf-8")

    def completed(self, *words):
        """What bash offers for the last of these words."""
        program = self.script("bash") + '\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _awaitscope; printf "%s\\n" "${COMPREPLY[@]}"\n'
        done = subprocess.run(["bash", "-c", program, "bash", "awaitscope", *words], cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=20, check=True)
        self.assertEqual(done.stderr, b"")
        return done.stdout.decode().split()

    def test_bash(self):
        self.assertEqual(self.completed("re"), ["record", "report"])
        self.assertEqual(set(COMMANDS) - set(self.completed("")), set())
        self.assertEqual(self.completed("record", "--dur"), ["--duration"])
        self.assertIn("-d", self.completed("record", "-"))
        self.assertNotIn("--until", self.completed("record", "--"))
        self.assertEqual(self.completed("report", "-f", "la"), ["latency"])
        self.assertEqual(self.completed("report", "--metric", "=", "c"), ["cpu"])
        self.assertEqual(self.completed("report", "--metric", "="), ["wall", "cpu", "events", "await"])
        with open(self.path("app.ascope"), "wb"):
            pass
        self.assertEqual(self.completed("report", "ap"), ["app.ascope"])
        self.assertEqual(self.completed("report", "-o", "ap"), ["app.ascope"])
        self.assertIn("true", self.completed("record", "--", "tru"))
        self.assertIn(str(self.target("ticking.py").pid), self.completed("dump", ""))

    def test_bash_knows_every_option_of_the_help(self):
        for command in COMMANDS:
            text = harness.run_tool(command, "--help").stdout.decode("utf-8")
            options = {word for line in re.findall(r"(?m)^  (-.*)$", text) for word in re.findall(r"(?<![\w-])--?[a-z][\w-]*", line.split("  ")[0])}
            self.assertTrue(options)
            self.assertEqual(options, set(self.completed(command, "-")), command)

    def check(self, shell, *command):
        if shutil.which(command[0]) is None:
            raise unittest.SkipTest("%s is not on this machine" % command[0])
        with open(self.path("script"), "w", encoding="utf-8") as file:
            file.write(self.script(shell))
        done = subprocess.run(list(command) + [self.path("script")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b""))

    def test_zsh_parses_its_script(self):
        self.check("zsh", "zsh", "-n")

    def test_fish_parses_its_script(self):
        self.check("fish", "fish", "--no-execute")

    def test_quotes_of_zsh_and_fish_are_balanced(self):
        """Where those shells are missing: sh reads quotes as they do, but for the escapes within fish's."""
        for shell, escape in (("zsh", "'\\''"), ("fish", "\\'")):
            for line in self.script(shell).splitlines():
                if not line.startswith("#"):
                    self.assertEqual(line.replace(escape, "").count("'") % 2, 0, line)

    def test_the_manual_page(self):
        self.check("man", "groff", "-man", "-Tutf8", "-ww", "-z")
        for command in COMMANDS:
            self.assertIn(".SS %s\n" % command, self.script("man"))

    def test_they_are_installed(self):
        build = os.path.dirname(harness.tool())
        if not os.path.exists(os.path.join(build, "cmake_install.cmake")) or shutil.which("cmake") is None:
            self.skipTest("the executable is not in its build tree")
        subprocess.run(["cmake", "--install", build, "--prefix", self.folder], stdout=subprocess.DEVNULL, timeout=60, check=True)
        for shell, name in (("bash", "bash-completion/completions/awaitscope"), ("zsh", "zsh/site-functions/_awaitscope"),
                            ("fish", "fish/vendor_completions.d/awaitscope.fish"), ("man", "man/man1/awaitscope.1")):
            with open(self.path("share/" + name), encoding="utf-8") as file:
                self.assertEqual(file.read(), self.script(shell))
