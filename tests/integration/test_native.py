"""dump --native: functions of machine code stand where the program's own structure has them, among the Python frames."""
import json
import os
import shutil
import subprocess
import unittest

import checks
import dump_schema
import harness
import interpreters


def build_extension(interpreter, folder):
    """native_calls.c for this interpreter, as importable from that folder."""
    compiler = shutil.which("cc")
    include = interpreters.include_directory(interpreter.path)
    root = os.path.join(os.path.dirname(os.path.dirname(interpreter.path)), "roots", interpreter.minor)
    include = include if not interpreter.in_root else root + include
    if compiler is None or not os.path.exists(os.path.join(include, "Python.h")):
        raise unittest.SkipTest("no C compiler, or no headers of %s" % interpreter)
    # Debian's pyconfig.h includes another one by its path below /usr/include.
    subprocess.run([compiler, "-O2", "-fomit-frame-pointer", "-shared", "-fPIC", "-I", include, "-idirafter", os.path.dirname(include),
                    "-o", os.path.join(folder, "native_calls.so"), os.path.join(harness.TARGETS, "native_calls.c")], check=True)


class Native(checks.Checks, harness.InterpreterTest):

    def nestings(self):
        build_extension(self.interpreter, self.folder)
        return self.target("native_nestings.py", "--folder", self.folder, lifetime=40)

    def native_dump(self, target, *args):
        result = harness.run_tool("dump", "-p", target.pid, "--native", "--json", *args)
        self.assert_done(result)
        document = json.loads(result.stdout.decode("utf-8"))
        self.assertEqual(dump_schema.problems_of(document), [])
        return document, result

    def assert_stack(self, frames, wanted, where):
        """The frames from the first wanted function on. A native frame without a name may be missing, and more may stand beside it."""
        shown = [(frame["kind"], frame["function"].rpartition(".")[2]) for frame in frames]
        begin = shown.index(("python", wanted[0][1]))
        self.assertNotIn("native unreadable", [kind for kind, _ in shown], where)
        python = [name for kind, name in shown[begin:] if kind == "python"]
        self.assertEqual(python, [name for kind, name in wanted if kind == "P"], where)
        at = begin
        for kind, name in wanted:
            if kind == "n":  # it has no name in a stripped build, and other functions may stand for it
                continue
            found = [i for i in range(at, len(shown)) if shown[i][0] == ("python" if kind == "P" else "native") and
                     (shown[i][1] == name if kind == "P" else name in shown[i][1])]
            self.assertTrue(found, "%s: no %s behind %s in %s" % (where, name, shown[at - 1], shown))
            # Between two Python frames nothing but native ones: the next wanted frame is not beyond the next Python frame.
            self.assertLessEqual([k for k, _ in shown[at:found[0]]].count("python"), 0, where)
            at = found[0] + 1

    def test_calls_through_c(self):
        target = self.nestings()
        for _ in range(5):
            document, result = self.native_dump(target)
            self.assertEqual(document["native"]["lost"], {}, result.stderr)
            threads = {thread["name"]: thread for thread in document["threads"]}
            for name, wanted in target.truth["stacks"].items():
                self.assert_stack(threads[name]["frames"], wanted, name)
        self.assertIn("was stopped for", result.stderr)

    def test_names_of_the_interpreters_own_functions(self):
        """Where the interpreter has a .symtab."""
        target = self.nestings()
        document, _ = self.native_dump(target)
        threads = {thread["name"]: thread["frames"] for thread in document["threads"]}
        named = [frame for frame in threads["keyed"] if frame["kind"] == "native" and "sort" in frame["function"]]
        if not named:
            self.assertTrue(self.interpreter.in_root, "only Debian's are stripped")
            raise unittest.SkipTest("the interpreter is stripped")
        for name, part in (("reduced", "reduce"), ("keyed", "sort"), ("generated", "map_next")):
            between = [frame["function"] for frame in threads[name] if frame["kind"] == "native"]
            self.assertTrue(any(part in function for function in between), "%s: %s" % (name, between))
        functions = {frame["function"] for frames in threads.values() for frame in frames if frame["kind"] == "native"}
        self.assertFalse({name for name in functions if name.startswith(("_PyEval", "PyEval_Eval", "PyObject_Call", "_PyObject_Vectorcall"))},
                         "the interpreter's own frames are folded away")
        document, _ = self.native_dump(target, "--interpreter-frames")
        functions = {frame["function"] for thread in document["threads"] for frame in thread["frames"] if frame["kind"] == "native"}
        self.assertIn("_PyEval_EvalFrameDefault", functions)

    def test_a_running_task_goes_on_into_c(self):
        target = self.nestings()
        deepest = 0
        for _ in range(20):
            document, result = self.native_dump(target)
            self.assertEqual(document["native"]["lost"], {}, result.stderr)
            main = next(thread for thread in document["threads"] if thread["main"])
            running = [task for task in document["tasks"] if task["state"] == "running"]
            if "spin_inner" not in [frame["function"] for frame in main["frames"]]:
                continue  # it is between two steps
            deepest += 1
            self.assertEqual(len(running), 1)
            shown = [frame["function"] for frame in running[0]["frames"]]
            self.assertEqual(shown[-4:], ["awaiting", "spinning", "spin_outer", "spin_inner"])
            self.assertEqual([frame["kind"] for frame in running[0]["frames"]][-4:], ["python", "python", "native", "native"])
        self.assertGreater(deepest, 10, "it spins most of the time")
        self.assertFalse({"T", "t"} & set(target.states()), target.states())

    def test_stopped_anywhere(self):
        """A thread that never rests, stopped in any place of the interpreter: no frame is lost, and the Python frames are right."""
        target = self.target("plain.py", lifetime=40)
        for _ in range(100):
            document, result = self.native_dump(target)
            self.assertEqual(document["native"]["lost"], {}, result.stderr)

    def test_text(self):
        target = self.nestings()
        result = harness.run_tool("dump", "-p", target.pid, "--native", "--order", "outermost")
        self.assert_done(result)
        self.assertRegex(result.stdout.decode(), r"(?m)^    call_outer \(native_calls\.so\)\n    call_middle \(native_calls\.so\)\n"
                                                 r"    call_inner \(native_calls\.so\)\n    \S*second \(.*:\d+\)$")

    def test_stripped_extension(self):
        """Its functions are named by the file that was split from it, by the link or by the build ID."""
        tools = [shutil.which(name) for name in ("objcopy", "strip")]
        if None in tools:
            raise unittest.SkipTest("no objcopy")
        build_extension(self.interpreter, self.folder)
        library, debug = (os.path.join(self.folder, name) for name in ("native_calls.so", "native_calls.debug"))
        subprocess.run([tools[0], "--only-keep-debug", library, debug], check=True)
        subprocess.run([tools[1], "--strip-all", library], check=True)
        subprocess.run([tools[0], "--add-gnu-debuglink=" + debug, library], check=True)
        target = self.target("native_nestings.py", "--folder", self.folder, lifetime=40)
        document, _ = self.native_dump(target)
        functions = [frame["function"] for thread in document["threads"] for frame in thread["frames"]]
        self.assertIn("call_middle", functions)
        os.remove(debug)
        document, _ = self.native_dump(target)
        functions = [frame["function"] for thread in document["threads"] for frame in thread["frames"]]
        self.assertNotIn("call_middle", functions)
        self.assertTrue(any(name.startswith("0x") for name in functions))

    def test_deleted_extension(self):
        target = self.nestings()
        os.remove(os.path.join(self.folder, "native_calls.so"))
        document, _ = self.native_dump(target)
        functions = [frame["function"] for thread in document["threads"] for frame in thread["frames"]]
        self.assertIn("call_middle", functions)


class NativeUsage(harness.EndsTest):

    def test_options_without_effect(self):
        for args in (("--interpreter-frames",), ("--native", "--engine", "preempt")):
            self.assert_error(harness.run_tool("dump", "-p", os.getpid(), *args), 2)
