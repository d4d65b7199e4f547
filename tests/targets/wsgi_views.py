"""A WSGI view under gunicorn, one worker, by --worker sync or gthread (four threads).

The view computes a little and then waits, for a time that the request names. Truth: `port`; `log`, a file with a line for each call
of the view that ended: function, monotonic nanoseconds of its beginning and its end.
"""
import os
import signal
import socket
import time

import gunicorn.app.base

import truth

SHARE = 0.3  # of a call: on the CPU


def compute(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(200))


def view(environ, start_response):
    begun = time.monotonic_ns()
    seconds = int(environ["PATH_INFO"].rpartition("/")[2]) / 1000
    compute(seconds * SHARE)
    time.sleep(seconds * (1 - SHARE))
    start_response("200 OK", [("Content-Length", "2"), ("Content-Type", "text/plain")])
    os.write(LOG, b"view %d %d\n" % (begun, time.monotonic_ns()))
    return [b"ok"]


class Server(gunicorn.app.base.BaseApplication):

    def __init__(self, settings):
        self.settings = settings
        super().__init__()

    def load_config(self):
        for name, value in self.settings.items():
            self.cfg.set(name, value)

    def load(self):
        return view


def main():
    parsed = truth.options(lambda parser: parser.add_argument("--worker", choices=("sync", "gthread"), required=True))
    log = parsed.ready + ".calls"
    global LOG
    LOG = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    parent = os.getpid()

    def end_later(worker):
        signal.alarm(int(parsed.lifetime) + 10)

    def announce(worker):
        truth.announce(parsed, port=port, log=log, worker=worker.pid, master=parent)

    Server({"bind": "127.0.0.1:%d" % port, "worker_class": parsed.worker, "threads": 4 if parsed.worker == "gthread" else 1,
            "loglevel": "warning", "post_fork": lambda arbiter, worker: end_later(worker),
            "post_worker_init": announce, "timeout": 0}).run()


if __name__ == "__main__":
    main()
