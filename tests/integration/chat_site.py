"""A channels chat under daphne or uvicorn with its clients: idle websockets, and four that talk twenty times a second. Both bounded."""
import json
import os
import socket
import subprocess
import tempfile
import time

import django_site
import harness

PACKAGES = {"daphne": "channels[daphne]>=4 websockets>=12", "uvicorn": "channels>=4 websockets>=12"}
COMMANDS = {
    "daphne": ("-m", "daphne", "-b", "127.0.0.1", "-p", "{port}", "-v", "0", "app_chat:application"),
    "uvicorn": ("-m", "uvicorn", "--port", "{port}", "--log-level", "error", "--ws-ping-interval", "1000", "app_chat:application"),
}
HERE = os.path.join(harness.TARGETS, "chat")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Chat:
    """The server, as `pid`, with its clients; a context manager. It talks when this is made, and for so many seconds from then on."""

    def __init__(self, python, server, idle, seconds):
        python = django_site.environment(python, PACKAGES[server])
        self.folder = tempfile.TemporaryDirectory(prefix="chat-")
        self.log = os.path.join(self.folder.name, "dispatches.json")
        port = free_port()
        environment = dict(os.environ, CHAT_LOG=self.log, PYTHONPATH=HERE)
        command = [part.format(port=port) for part in COMMANDS[server]]
        self.process = subprocess.Popen([python] + command, env=environment, stdout=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.clients = None
        try:
            self._wait_for(port)
            self.clients = subprocess.Popen([python, os.path.join(HERE, "chat_clients.py"), str(port), str(idle), str(seconds)],
                                            stdout=subprocess.PIPE, universal_newlines=True)
            if self.clients.stdout.readline() != "ready\n":
                raise RuntimeError("the chat's clients did not connect")
        except BaseException:
            self.__exit__()
            raise
        time.sleep(1)

    def _wait_for(self, port):
        for _ in range(300):
            with socket.socket() as probe:
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
                harness.end_process(process)
        if self.clients is not None:
            self.clients.stdout.close()
        self.folder.cleanup()


def lengths_in(dispatches, window):
    """Of those that began and ended in it, in nanoseconds, in order."""
    return sorted(after - before for before, after in dispatches if window[0] <= before and after <= window[1])
