"""Interpreters in other places: another root, another PID namespace, a file that is gone, another program."""
import os
import re
import subprocess

import builds
import checks
import harness
import interpreters

PRIVATE_MOUNTS = ["unshare", "--mount", "--propagation", "private"]


def may_unshare():
    return subprocess.run(["unshare", "-mpf", "true"], stderr=subprocess.DEVNULL).returncode == 0


def child_of(pid):
    """The one child of a process."""
    children = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/stat" % entry, "rb") as file:
                    if int(file.read().rpartition(b")")[2].split()[1]) == pid:
                        children.append(int(entry))
            except (FileNotFoundError, ProcessLookupError):
                pass  # a process that ended since
    assert len(children) == 1, children
    return children[0]


def host_ids(pid):
    """{a thread's id as the process sees it: as the host does}, by the kernel's own account."""
    ids = {}
    for tid in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, tid)) as file:
            numbers = re.search(r"^NSpid:\s+(.*)$", file.read(), re.MULTILINE)[1].split()
        ids[int(numbers[-1])] = int(numbers[0])
    return ids


class Places(checks.Checks, harness.InterpreterTest):
    """What differs between minors here is where a thread's id stands (in the C library's descriptor before 3.11), and how
    the runtime is found: one of each kind, and the newest that this machine's compiler can link (those of scripts/pythons
    are in another root)."""

    minors = ("oldest", "3.11", "3.13", "newest")

    def starter(self, command, environment, **how):
        return lambda script, lifetime: self.target(script, python=command, environment=environment, lifetime=lifetime, **how)

    def test_another_pid_namespace(self):
        if not may_unshare():
            self.skipTest("this user may make no PID namespace")
        command = ["unshare", "-pf", "--kill-child", "--mount-proc", self.python]
        start = self.starter(command, {}, inside=child_of)
        target = start("await_shapes.py", 30)
        self.assertEqual(target.truth["pid"], 1)
        document = self.dump(target)
        ids = host_ids(target.pid)
        self.assertEqual(document["process"]["pid"], target.pid)
        self.assertEqual(sorted([thread["tid"], thread["name"]] for thread in document["threads"]),
                         sorted([ids[tid], name] for tid, name in target.truth["threads"]))
        hops = [task["thread_hop"]["tid"] for task in document["tasks"] if task["thread_hop"] is not None]
        self.assertEqual(hops, [ids[target.truth["hop_tid"]]])
        target.__exit__()
        self.assert_reads_tasks(start)

    def test_another_root(self):
        """The interpreter's files have names that are none here; those of scripts/pythons are like that anyway."""
        if not may_unshare():
            self.skipTest("this user may make no mount namespace")
        if self.interpreter.in_root:
            return self.assert_reads_tasks(self.starter([self.python], {}))
        root = self.path("root")
        os.makedirs(os.path.join(root, "usr"))
        os.makedirs(os.path.join(root, "only_here"))
        for name in ("bin", "lib", "lib64", "sbin"):
            os.symlink("usr/" + name, os.path.join(root, name))
        copy = builds.Copy(self.interpreter, os.path.join(root, "only_here"))
        _, environment = copy.how(folder="/only_here")
        enter = os.path.join(harness.ROOT, "scripts", "lib", "enter_root")
        command = PRIVATE_MOUNTS + ["sh", "-c", 'mount --rbind /usr "$0/usr" && exec "$@"', root,
                                    enter, "--inside", root, "/only_here/" + copy.facts["executable"]]
        return self.assert_reads_tasks(self.starter(command, environment))

    def test_deleted_and_replaced(self):
        """An upgrade while the program runs: its files are gone, others have their names."""
        copy = builds.Copy(self.interpreter, self.folder)
        target = self.starter(*copy.how())("await_shapes.py", 30)
        for path in copy.files():
            with open(path + ".new", "wb") as file:
                file.write(b"\x7fELF of a later version")
            os.replace(path + ".new", path)
        self.assertTrue(os.readlink("/proc/%d/exe" % target.pid).endswith(" (deleted)"))
        document = self.dump(target)
        self.assert_suspended_tasks(target, document)
        self.assertEqual(document["process"]["python"], target.truth["python"])
        stacks, result = self.record(target, "-r", 500, "-d", 1, "--idle")
        self.assertTrue(any(stack.has("main") or stack.root == "thread MainThread" for stack in stacks), result.stderr)

    def test_embedded_in_a_program(self):
        """By linking: the interpreter is in libpython, and the program has another name."""
        copy = builds.Copy(self.interpreter, self.folder)
        library = copy.library
        if library is None or self.interpreter.in_root:
            self.skipTest("no shared libpython that this machine's compiler can link, of %s" % self.interpreter)
        host = self.path("host")
        builds.compile_host("embed.c", host, library)
        self.assert_reads_tasks(self.starter(*copy.how(host)))

    def test_loaded_beside_another_one(self):
        """By dlopen, beside the libpython of another interpreter that is never initialized."""
        copy = builds.Copy(self.interpreter, self.folder)
        if copy.library is None or self.interpreter.in_root:
            self.skipTest("no shared libpython that this machine's loader can load, of %s" % self.interpreter)
        other = self.other_library(copy)
        if other is None:
            self.skipTest("no shared libpython of another interpreter")
        host = self.path("host")
        builds.compile_host("load.c", host, "-ldl")
        for libraries in ([other, copy.library], [copy.library]):
            with self.subTest(libraries=libraries):
                command, environment = copy.how(host)
                start = self.starter(command + libraries + ["--"], environment)
                self.assert_reads_tasks(start)
                target = start("ticking.py", 20)
                self.assertEqual(self.dump(target)["process"]["python"], target.truth["python"])
                target.__exit__()

    def other_library(self, copy):
        """The shared libpython of another minor: of the newest but this one."""
        for minor in sorted(self.found, key=interpreters.age, reverse=True):
            other = self.found[minor]
            if minor != self.interpreter.minor and not other.in_root:
                folder = self.path("other-" + minor)
                os.makedirs(folder)
                library = builds.Copy(other, folder).library
                if library is not None:
                    return library
        return None
