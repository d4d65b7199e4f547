"""What scripts/pythons brought runs as the process that was started, in a root of its own, and leaves nothing behind."""
import os

import harness
import interpreters


class Brought(harness.ToolTest):

    def wrappers(self):
        """Those that enter another root; a link leads to an ordinary build."""
        found = [path for path in interpreters.brought() if not os.path.islink(path)]
        if not found:
            self.skipTest("scripts/pythons brought none to this machine")
        return found

    def mounts(self):
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            return sorted(line.split()[4] for line in file)

    def test_is_the_started_process_in_another_root(self):
        before = self.mounts()
        for wrapper in self.wrappers():
            with self.subTest(wrapper=wrapper):
                target = self.target("ticking.py", python=wrapper)
                self.assertEqual(target.pid, target.process.pid, "the target's own pid is the one that was started")
                links = {name: os.readlink("/proc/%d/%s" % (target.pid, name)) for name in ("root", "exe", "ns/mnt")}
                self.assertNotEqual(links["root"], "/")
                self.assertTrue(links["exe"].startswith(links["root"] + "/usr/bin/python3"), links)
                self.assertNotEqual(links["ns/mnt"], os.readlink("/proc/self/ns/mnt"))
                self.assert_progress(target, "ticks")
        self.assertEqual(self.mounts(), before, "a mount got out of its namespace")

    def test_status_folder_and_descriptors_are_the_callers(self):
        program = "import os, sys; print(os.getcwd(), sys.stdin.read(), sys.argv[1:]); sys.exit(7)"
        for wrapper in self.wrappers():
            with self.subTest(wrapper=wrapper):
                process = harness.subprocess.Popen(
                    [wrapper, "-c", program, "two words", ""], cwd=self.folder, stdin=harness.subprocess.PIPE,
                    stdout=harness.subprocess.PIPE)
                stdout, _ = process.communicate(b"through", timeout=20)
                self.assertEqual(process.returncode, 7)
                self.assertEqual(stdout.decode(), "%s through ['two words', '']\n" % self.folder)
