"""What it takes to look at 10,000 suspended tasks, four coroutines deep each, while their loop runs."""
import json
import os
import tempfile

import folded
import harness

HEAD = ["interpreter", "scans", "ms a scan", "slowest ms", "promised", "recorder, % of a core", "await, of tasks × seconds"]
PROMISED_MS = {8: 30, 9: 30, 10: 30}  # of later minors 15


def row(interpreter, seconds):
    with tempfile.TemporaryDirectory() as folder, \
            harness.Target(interpreter.path, "many_tasks.py", lifetime=seconds + 30) as target:
        path = os.path.join(folder, "x.ascope")
        before = os.times()
        result = harness.run_tool("record", "-p", target.pid, "-r", 100, "-d", seconds, "--all-tasks", "-o", path)
        after = os.times()
        if result.status != 0:
            raise RuntimeError(result.stderr.strip())
        info = json.loads(harness.run_tool("report", path, "-f", "info", "--json").stdout)
        waited = folded.total(folded.parse(harness.run_tool("report", path, "-f", "folded", "--metric", "await").stdout))
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        looks = max(1, info["task_looks"])
        minor = int(interpreter.version.split(".")[1])
        return [interpreter.version, info["task_looks"], "%.1f" % (info["task_look_ns"] / looks / 1e6),
                "%.1f" % (info["longest_task_look_ns"] / 1e6), PROMISED_MS.get(minor, 15),
                "%.1f" % (100 * cpu / result.seconds),
                "%.1f %%" % (100 * waited / (target.truth["tasks"] * info["elapsed_ns"]))]
