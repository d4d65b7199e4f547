"""A Python that is newer than every known one: read by its own _Py_DebugOffsets, with a warning, or refused."""
import json
import os
import re

import builds
import checks
import harness
import interpreters
import recordings

NEWEST = interpreters.SUPPORTED[-1]
UNKNOWN = 16
WARNING = re.compile(r"^awaitscope: warning: Python 3\.%d\.\d+ is newer than those that are known: " % UNKNOWN, re.MULTILINE)
WORDS = os.path.join(harness.ROOT, "src", "cpython", "offsets", NEWEST.replace(".", "_") + "_debug.inc")


def word_of(field):
    """Which word of the newest minor's _Py_DebugOffsets tells a field, as the minor's own headers have it."""
    with open(WORDS, encoding="utf-8") as file:
        return int(re.search(r"\{(\d+), &Layout::%s\}" % field, file.read())[1])


class UnknownMinor(checks.Checks, recordings.RecordingTest):
    """Copies of the newest Python that say to be a newer one, as that one may well be laid out."""

    def starter(self, minor=NEWEST, words=(), change=None):
        if minor not in self.found:
            self.skipTest("Python %s is not on this machine" % minor)
        copy = builds.Copy(self.found[minor], self.folder)
        self.assertEqual([builds.pretend(path, UNKNOWN, words) for path in copy.files()].count(True), 1)
        for path in copy.files() if change else ():
            change(path)
        command, environment = copy.how()
        return lambda script, lifetime: self.target(script, python=command, environment=environment, lifetime=lifetime)

    def assert_warned(self, result):
        self.assert_done(result)
        self.assertEqual(len(WARNING.findall(result.stderr)), 1, result.stderr)

    def test_is_read_whole_with_a_warning(self):
        start = self.starter()
        self.assert_reads_tasks(start)
        target = start("await_shapes.py", 30)
        document = harness.run_tool("dump", "-p", target.pid, "--json")
        self.assert_warned(document)
        self.assertTrue(json.loads(document.stdout.decode())["process"]["python"].startswith("3.%d." % UNKNOWN))
        self.assert_warned(harness.run_tool("tasks", "-p", target.pid))
        path, result = self.record_file(target, "-d", "200ms")
        self.assert_warned(result)
        self.assertIs(self.info(path)["process"]["python_presumed"], True)
        for quiet in (["dump", "-q", "-p", target.pid], ["record", "-q", "-p", target.pid, "-d", "100ms", "-o", path]):
            result = harness.run_tool(*quiet)
            self.assert_done(result)
            self.assertEqual(result.stderr, "")

    def test_is_read_without_symbols(self):
        self.assert_reads_tasks(self.starter(change=lambda path: [builds.strip(path), builds.drop_section_headers(path)]))

    def check_refused(self, start, *commands):
        target = start("ticking.py", 20)
        for command in commands:
            result = harness.run_tool(*command, "-p", target.pid)
            self.assert_error(result, 4)
            self.assertRegex(result.stderr, r"Python 3\.%d\.\d+ lays out its memory in a way that is not known" % UNKNOWN)
            self.assertEqual(result.stdout, b"")
        self.assert_progress(target, "ticks")
        target.__exit__()

    def test_is_refused_where_its_offsets_cannot_be(self):
        record = ["record", "-d", "1", "-f", "folded"]
        self.check_refused(self.starter(words=[(word_of("is_modules"), 1 << 40)]), ["dump"], ["tasks"], record)

    def test_is_refused_where_its_offsets_lead_to_nonsense(self):
        """Each is a sane number: only what lies there tells."""
        for field in ("tp_name", "ts_frame", "co_filename"):
            with self.subTest(field=field):
                self.check_refused(self.starter(words=[(word_of(field), 56)]), ["dump"])

    def test_is_refused_where_its_words_are_in_another_order(self):
        self.check_refused(self.starter(minor=interpreters.SUPPORTED[-2]), ["dump"])
