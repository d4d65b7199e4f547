"""A chat of many idle websockets, recorded with all its tasks: what its dispatches are by its own clock, and by `report -f latency`."""
import json
import os
import time

import harness
from chat_site import COMMANDS as SERVERS, Chat, lengths_in

HEAD = ["server", "idle", "dispatches/s, of those without", "p50 ms", "seen", "p99 ms without", "with", "ms a scan",
        "tasks, dump answer"]
IDLE = (20, 500, 2000)
WINDOW = 5  # seconds
PIECE = 1.0  # a piece of a window; the median of the pieces is its rate, so that what else the machine does weighs less


def percentile(lengths, share):
    return sorted(lengths)[int(len(lengths) * share)] / 1e6


def median(values):
    return sorted(values)[len(values) // 2]


def rate(dispatches, *windows):
    piece = int(PIECE * 1e9)
    pieces = [(at, at + piece) for start, stop in windows for at in range(start, stop - piece + 1, piece)]
    return median([len(lengths_in(dispatches, each)) / PIECE for each in pieces])


def wait_a_window():
    start = time.monotonic_ns()
    time.sleep(WINDOW)
    return start, time.monotonic_ns()


def seen_p50(path):
    rows = json.loads(harness.run_tool("report", path, "-f", "latency", "--json").stdout)["functions"]
    found = [row for row in rows if row["function"] == "Chat.dispatch"]
    if not found:
        return "-"
    bound = {None: "", "shorter": "<", "longer": ">"}.get(found[0]["p50_is"], found[0]["p50_is"])
    return "-" if found[0]["p50_ns"] is None else "%s%.1f" % (bound, found[0]["p50_ns"] / 1e6)


def row(python, server, idle):
    with Chat(python, server, idle, 4 * WINDOW + 8) as chat:
        path = os.path.join(chat.folder.name, "x.ascope")
        before = wait_a_window()
        result = harness.run_tool("record", "-p", chat.pid, "-r", 100, "-d", WINDOW + 1, "--all-tasks", "-o", path)
        if result.status != 0:
            raise RuntimeError(result.stderr.strip())
        answers = [harness.run_tool(command, "-p", chat.pid).status for command in ("tasks", "dump")]
        time.sleep(0.5)
        after = wait_a_window()
        info = json.loads(harness.run_tool("report", path, "-f", "info", "--json").stdout)
        dispatches = chat.dispatches()
        during = info["start_monotonic_ns"], info["start_monotonic_ns"] + info["elapsed_ns"]
        without = rate(dispatches, before, after)
        free = lengths_in(dispatches, before) + lengths_in(dispatches, after)
        recorded = lengths_in(dispatches, during)
        return [server, idle, "%.0f %%" % (100 * rate(dispatches, during) / without), "%.2f" % percentile(recorded, 0.5),
                seen_p50(path),
                "%.1f" % percentile(free, 0.99), "%.1f" % percentile(recorded, 0.99),
                "%.1f" % (info["task_look_ns"] / max(1, info["task_looks"]) / 1e6),
                "yes" if answers == [0, 0] else "no (%d, %d)" % tuple(answers)]
