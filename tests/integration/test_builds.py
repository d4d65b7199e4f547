"""Interpreters as they are shipped: stripped, without section headers, linked into another program, debug builds."""
import subprocess

import builds
import checks
import harness
import interpreters


class Builds(checks.Checks, harness.InterpreterTest):
    """How the runtime is found, and that the same is read then. Without symbols it is found in three ways: by the interpreters'
    list alone (3.8, 3.9), by a section or that list (3.10 to 3.12), by the cookie of its debug offsets (3.13 on); newest is of
    another linker and another libc. scripts/minors reads each minor stripped."""

    minors = ("oldest", "3.11", "3.13", "newest")

    def starter(self, command, environment):
        return lambda script, lifetime: self.target(script, python=command, environment=environment, lifetime=lifetime)

    def check_copy(self, change):
        """Changes a copy of the executable and its libpython, and sees that it is that which runs."""
        copy = builds.Copy(self.interpreter, self.folder)
        for path in copy.files():
            change(path)
        plain = self.starter(*copy.how())

        def start(script, lifetime):
            target = plain(script, lifetime)
            with open("/proc/%d/maps" % target.pid) as file:
                maps = file.read()
            for path in copy.files():
                self.assertIn(path, maps, "the copy is not what runs")
            return target
        self.assert_reads_tasks(start)

    def test_stripped(self):
        self.check_copy(builds.strip)

    def test_without_section_headers(self):
        self.check_copy(builds.drop_section_headers)

    def check_static(self, *flags):
        """A program with the interpreter in it, and no symbol of it, not even for extension modules."""
        copy = builds.Copy(self.interpreter, self.folder)
        if copy.facts["static"] is None or self.interpreter.in_root:
            self.skipTest("no libpython.a that this machine's compiler can link, of %s" % self.interpreter)
        host = self.path("host")
        builds.compile_host("embed.c", host, *flags, copy.facts["static"], *copy.facts["libraries"], "-lm", "-ldl",
                            "-lpthread", "-lutil")
        builds.strip(host)
        symbols = subprocess.run(["readelf", "-Ws", "--dyn-syms", host], stdout=subprocess.PIPE, check=True).stdout
        self.assertNotIn(b"Py", symbols)
        self.assert_reads_plain(self.starter(*copy.how(host)))
        builds.drop_section_headers(host)
        self.assert_reads_plain(self.starter(*copy.how(host)))

    def test_static_without_symbols(self):
        self.check_static("-no-pie")

    def test_static_pie_without_symbols(self):
        self.check_static("-fPIE", "-pie")


class DebugBuild(checks.Checks, harness.ToolTest):

    def check(self, minor):
        found = interpreters.discover((minor,))
        if minor not in found:
            self.skipTest("Python %s is not on this machine (scripts/pythons --debug)" % minor)
        self.assert_reads_tasks(lambda script, lifetime: self.target(script, python=found[minor].path, lifetime=lifetime))

    def test_3_14(self):
        self.check("3.14d")

    def test_3_15(self):
        self.check("3.15d")
