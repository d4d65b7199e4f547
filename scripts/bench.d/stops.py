"""For how long `dump` stops a process of very many tasks, four coroutines deep, beside one that runs each 10 ms."""
import json
import re

import harness
import ratios

HEAD = ["interpreter", "tasks", "dumps", "stopped", "of these ms stopped", "longest ms", "whole", "ms the command"]
COUNTS = (10_000, 100_000)
_STOPPED = re.compile(r"the process was stopped for ([\d.]+) (ns|µs|us|ms|s) to be read")
_MS = {"ns": 1e-6, "µs": 1e-3, "us": 1e-3, "ms": 1, "s": 1000}


def row(interpreter, count, dumps):
    stopped, seconds, whole = [], [], 0
    with harness.Target(interpreter.path, "many_tasks.py", "--tasks", str(count), "--period", "0.01",
                        lifetime=60 + 20 * dumps, wait=120) as target:
        for _ in range(dumps):
            result = harness.run_tool("dump", "-p", target.pid, "--json", timeout=120)
            if result.status != 0:
                raise RuntimeError(result.stderr.strip())
            seconds.append(result.seconds)
            document = json.loads(result.stdout)
            found = sum(task["coroutine"] == "level_a" for task in document["tasks"])
            whole += document["one_instant"] and found == count
            said = _STOPPED.search(result.stderr)
            if said:
                stopped.append(float(said[1]) * _MS[said[2]])
    return [interpreter.version, "{:,}".format(count), dumps, len(stopped), "%.1f" % ratios.median(stopped) if stopped else "-",
            "%.1f" % max(stopped) if stopped else "-", "%d of %d" % (whole, dumps), "%.0f" % (1000 * ratios.median(seconds))]
