"""What is written is for its owner alone, and never goes where another user wants it to go."""
import os
import re
import stat
import subprocess
import time
import unittest

import folded
import harness
import recordings

OTHER = 65534  # nobody
AS_ROOT = unittest.skipUnless(os.geteuid() == 0, "needs root, to give files to another user")
DEFAULT_NAME = re.compile(r"awaitscope-\d+-\d{8}-\d{6}\.ascope")


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class OutputFiles(recordings.RecordingTest):

    def setUp(self):
        super().setUp()
        self.running = self.target("ticking.py")

    def run_into(self, path, *args, **how):
        return harness.run_tool("record", "-p", self.running.pid, "-d", "200ms", "-o", path, *args, **how)

    def assert_refused(self, path, *args):
        """At once, and nothing was written."""
        self.assert_error(self.run_into(path, *args), 1)

    def folder_for_all(self):
        folder = self.path("for-all")
        os.mkdir(folder)
        os.chmod(folder, 0o1777)
        return folder

    def test_a_recording_is_for_its_owner_alone(self):
        self.assert_done(self.run_into(self.path("new.ascope")))
        self.assertEqual(mode_of(self.path("new.ascope")), 0o600)
        with open(self.path("old.ascope"), "w"):
            os.chmod(self.path("old.ascope"), 0o644)
        self.assert_done(self.run_into(self.path("old.ascope")))
        self.assertEqual(mode_of(self.path("old.ascope")), 0o600)
        os.mkdir(self.path("work"))
        self.assert_done(harness.run_tool("record", "-p", self.running.pid, "-d", "200ms", cwd=self.path("work")))
        name, = os.listdir(self.path("work"))
        self.assertRegex(name, DEFAULT_NAME)
        self.assertEqual(mode_of(self.path("work/" + name)), 0o600)
        self.assert_done(self.run_into(self.path("view.folded"), umask=0o022))
        self.assertEqual(mode_of(self.path("view.folded")), 0o644, "a view is as the umask has it")

    def test_the_default_name_takes_nothing_that_is_there(self):
        """Whatever has the name: the second may pass between, so all of the next ones are taken."""
        for kind in ("file", "link"):
            with self.subTest(kind=kind):
                work, victim = self.path(kind), self.path("victim-" + kind)
                os.mkdir(work)
                with open(victim, "w") as file:
                    file.write("precious")
                now = time.time()
                for second in range(-1, 20):
                    name = time.strftime("%Y%m%d-%H%M%S", time.localtime(now + second))
                    path = os.path.join(work, "awaitscope-%d-%s.ascope" % (self.running.pid, name))
                    os.link(victim, path) if kind == "file" else os.symlink(victim, path)
                result = harness.run_tool("record", "-p", self.running.pid, "-d", "200ms", cwd=work)
                self.assert_error(result, 1)
                self.assertIn("-o FILE", result.stderr)
                with open(victim) as file:
                    self.assertEqual(file.read(), "precious")

    @AS_ROOT
    def test_root_follows_no_link_of_another_user(self):
        os.mkdir(self.path("theirs"))
        with open(self.path("victim"), "w") as file:
            file.write("precious")
        os.symlink(self.path("victim"), self.path("theirs/link"))
        os.symlink(self.path("not-there-yet"), self.path("theirs/dangling"))
        os.symlink(self.folder, self.path("theirs/folder"))
        os.symlink(self.path("theirs/link"), self.path("mine"))
        for name in ("link", "dangling", "folder"):
            os.lchown(self.path("theirs/" + name), OTHER, OTHER)
        for path in ("theirs/link", "theirs/dangling", "theirs/folder/victim", "theirs/folder/new", "mine"):
            for kind in ((), ("-f", "folded")):
                with self.subTest(path=path, kind=kind):
                    self.assert_refused(self.path(path), *kind)
        with open(self.path("victim")) as file:
            self.assertEqual(file.read(), "precious")
        self.assertFalse({"new", "not-there-yet"} & set(os.listdir(self.folder)))

    def test_links_of_ones_own_are_followed(self):
        os.makedirs(self.path("data/deep"))
        os.symlink("data", self.path("relative"))
        os.symlink(self.path("relative/deep"), self.path("absolute"))
        os.symlink("../deep/new.ascope", self.path("data/deep/dangling"))
        os.symlink("circle", self.path("circle"))
        self.assert_done(self.run_into(self.path("absolute/x.ascope")))
        self.assert_done(self.run_into(self.path("relative/../relative/deep/dangling")))
        self.assert_done(self.run_into("absolute/./y.ascope", cwd=self.folder))
        self.assertEqual(sorted(os.listdir(self.path("data/deep"))), ["dangling", "new.ascope", "x.ascope", "y.ascope"])
        for path in ("circle", "circle/x.ascope", "new-folder/", "data", "data/deep/x.ascope/y"):
            with self.subTest(path=path):
                self.assert_refused(self.path(path))

    @AS_ROOT
    def test_what_another_user_put_into_a_folder_for_all(self):
        folder = self.folder_for_all()
        for name in ("file", "pipe"):
            path = os.path.join(folder, name)
            os.mkfifo(path) if name == "pipe" else open(path, "w").close()
            os.chmod(path, 0o666)
            os.chown(path, OTHER, OTHER)
            with self.subTest(name=name):
                self.assert_refused(path)
        self.assertEqual(os.stat(os.path.join(folder, "file")).st_size, 0)
        # A file of one's own there, and another user's where only that user writes.
        self.assert_done(self.run_into(os.path.join(folder, "new.ascope")))
        self.assert_done(self.run_into(os.path.join(folder, "new.ascope")))
        os.mkdir(self.path("home"))
        open(self.path("home/x.ascope"), "w").close()
        for path in ("home", "home/x.ascope"):
            os.chown(self.path(path), OTHER, OTHER)
        self.assert_done(self.run_into(self.path("home/x.ascope")))

    def test_a_second_name_of_a_file_in_a_folder_for_all(self):
        with open(self.path("victim"), "w") as file:
            file.write("precious")
        os.link(self.path("victim"), os.path.join(self.folder_for_all(), "x.ascope"))
        self.assert_refused(self.path("for-all/x.ascope"))
        with open(self.path("victim")) as file:
            self.assertEqual(file.read(), "precious")

    def test_streams_and_devices(self):
        before = mode_of("/dev/null")
        for path in ("/dev/stdout", "/proc/self/fd/1", "/dev/fd/1"):
            with self.subTest(path=path):
                result = self.run_into(path, "-f", "folded")
                self.assert_done(result)
                self.assertTrue(folded.parse(result.stdout))
        with open(self.path("printed"), "wb") as printed:
            self.assert_done(self.run_into("/dev/stdout", "-f", "folded", stdout=printed))
        with open(self.path("printed"), "rb") as printed:
            self.assertTrue(folded.parse(printed.read()))
        self.assert_done(self.run_into("/dev/null"))
        os.mkfifo(self.path("pipe"))
        with subprocess.Popen(["cat", self.path("pipe")], stdout=subprocess.PIPE) as reader:
            self.assert_done(self.run_into(self.path("pipe"), "-f", "folded"))
            self.assertTrue(folded.parse(reader.communicate(timeout=20)[0]))
        self.assertEqual(mode_of("/dev/null"), before)


class ReaderLeaves(recordings.RecordingTest):
    """`| head` is no fault of anybody's: silence, and success."""

    def test_of_a_view(self):
        target = self.target("ticking.py")
        path, _ = self.record_file(target, "-d", "300ms")
        views = [["report", path, "-f", name] for name in ("hot", "folded", "info", "speedscope")]
        for command in views + [["dump", "-p", target.pid], ["tasks", "-p", target.pid],
                                ["record", "-p", target.pid, "-d", "200ms", "-f", "folded", "-o", "-"]]:
            with self.subTest(command=command):
                process = harness.start_tool(*command)
                process.stdout.close()
                process.stdout = None
                result = harness.finish(process, timeout=20)
                self.assert_done(result)
                self.assertNotIn("pipe", result.stderr)

    def test_of_a_recording_is_an_error_at_once(self):
        """What was to be recorded cannot be had again."""
        target = self.target("ticking.py")
        process = harness.start_tool("record", "-p", target.pid, "-d", 20, "-o", "-", brief=True)
        process.stdout.close()
        process.stdout = None
        self.assert_error(harness.finish(process, timeout=15), 1)
