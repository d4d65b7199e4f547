"""A chat of many idle websockets, recorded with all its tasks: what its dispatches are by its own clock, and by `report -f latency`."""
import json
import os
import subprocess
import tempfile
import time

import django_site
import harness
import serving

HEAD = ["server", "idle", "dispatches/s, of those without", "p50 ms", "seen", "p99 ms without", "with", "ms a scan",
        "tasks, dump answer"]
PACKAGES = "channels[daphne]>=4 websockets>=12"
COMMANDS = {
    "daphne": ("-m", "daphne", "-b", "127.0.0.1", "-p", "{port}", "-v", "0", "app_chat:application"),
    "uvicorn": ("-m", "uvicorn", "--port", "{port}", "--log-level", "error", "--ws-ping-interval", "1000", "app_chat:application"),
}
IDLE = (20, 500, 2000)
WINDOW = 5  # seconds
PIECE = 1.0  # a piece of a window; the median of the pieces is its rate, so that what else the machine does weighs less


def end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def percentile(lengths, share):
    return sorted(lengths)[int(len(lengths) * share)] / 1e6


def median(values):
    return sorted(values)[len(values) // 2]


class Chat:
    """The server with its clients; a context manager. It talks when this is made."""

    def __init__(self, python, server, idle, seconds):
        python = django_site.environment(python, PACKAGES)
        self.folder = tempfile.TemporaryDirectory(prefix="chat-")
        self.log = os.path.join(self.folder.name, "dispatches.json")
        port = serving.free_port()
        environment = dict(os.environ, CHAT_LOG=self.log, PYTHONPATH=serving.HERE)
        command = [part.format(port=port) for part in COMMANDS[server]]
        self.process = subprocess.Popen([python] + command, env=environment, stdout=subprocess.DEVNULL)
        self.clients = None
        try:
            self._wait_for(port)
            self.clients = subprocess.Popen([python, os.path.join(serving.HERE, "chat_clients.py"), str(port), str(idle),
                                             str(seconds)], stdout=subprocess.PIPE, universal_newlines=True)
            if self.clients.stdout.readline() != "ready\n":
                raise RuntimeError("the chat's clients did not connect")
        except BaseException:
            self.__exit__()
            raise
        time.sleep(1)

    def _wait_for(self, port):
        for _ in range(200):
            with serving.socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)
        raise RuntimeError("the chat's server does not listen")

    def dispatches(self):
        """All (start, end) so far, in CLOCK_MONOTONIC nanoseconds."""
        open(self.log + ".wanted", "w").close()
        for _ in range(100):
            if os.path.exists(self.log) and not os.path.exists(self.log + ".wanted"):
                with open(self.log) as file:
                    return json.load(file)
            time.sleep(0.1)
        raise RuntimeError("the chat does not answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self.clients, self.process):
            if process is not None:
                end(process)
        self.folder.cleanup()


def lengths_in(dispatches, window):
    return [after - before for before, after in dispatches if window[0] <= before and after <= window[1]]


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
        pid = chat.process.pid
        path = os.path.join(chat.folder.name, "x.ascope")
        before = wait_a_window()
        result = harness.run_tool("record", "-p", pid, "-r", 100, "-d", WINDOW + 1, "--all-tasks", "-o", path)
        if result.status != 0:
            raise RuntimeError(result.stderr.strip())
        answers = [harness.run_tool(command, "-p", pid).status for command in ("tasks", "dump")]
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
