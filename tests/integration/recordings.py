"""What the tests of recordings share: reports of a file, as the tool prints them."""
import json
import os
import time

import folded
import harness


def samples(recorder):
    """Whether this recorder has begun: it holds the scheduler's account of some thread open."""
    folder = "/proc/%d/fd" % recorder
    links = []
    try:
        entries = os.listdir(folder)
    except FileNotFoundError:  # it has ended
        return True
    for entry in entries:
        try:
            links.append(os.readlink(os.path.join(folder, entry)))
        except FileNotFoundError:  # closed meanwhile
            pass
    return any(link.endswith("/schedstat") for link in links)


def process_cpu(pid):
    """utime + stime of the whole process, in nanoseconds."""
    with open("/proc/%d/stat" % pid, "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class RecordingTest(harness.ToolTest):

    def record_file(self, target, *args, name="out.ascope", **how):
        """`record -p` into a recording -> (path, Result)."""
        path = self.path(name)
        result = harness.run_tool("record", "-p", target.pid, "-o", path, *args, **how)
        self.assert_done(result)
        return path, result

    def record_scripts(self, scripts, *args):
        """Records a target of each script, side by side -> their recordings."""
        recorders = {}
        for script in scripts:
            path = self.path(script + ".ascope")
            recorders[path] = harness.start_tool("record", "-p", self.target(script, lifetime=30).pid, "-o", path, *args)
            self.addCleanup(harness.end_process, recorders[path])
        for recorder in recorders.values():
            self.assert_done(harness.finish(recorder))
        return list(recorders)

    def wait_for(self, what, condition, within=20):
        end = time.monotonic() + within
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.01)

    def record_until(self, target, condition, *args, within=90, **how):
        """`record -p` until what is awaited of the target has come, however busy the machine is -> its Result. The condition is
        asked for the first time when the recorder has begun to sample."""
        process = harness.start_tool("record", "-p", target.pid, *args, **how)
        try:
            self.wait_for("the recorder did not begin", lambda: process.poll() is not None or samples(process.pid))
            self.wait_for("what the recording was to go on for did not come", condition, within)
        finally:
            harness.send(process)
            result = harness.finish(process)
        self.assert_done(result)
        return result

    def folded_until(self, target, condition, *args):
        """record_until() into folded lines -> (stacks, Result)."""
        output = self.path("until.folded")
        result = self.record_until(target, condition, "-f", "folded", "-o", output, *args)
        with open(output, "rb") as file:
            return folded.parse(file.read()), result

    def report(self, path, *args):
        """`report` -> its data."""
        result = harness.run_tool("report", path, *args)
        self.assert_done(result)
        return result.stdout

    def stacks(self, path, *args):
        return folded.parse(self.report(path, "-f", "folded", *args))

    def info(self, path):
        return json.loads(self.report(path, "-f", "info", "--json"))

    def hot(self, path, *args):
        return json.loads(self.report(path, "-f", "hot", "--json", *args))
