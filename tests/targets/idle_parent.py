"""A parent that waits for its two children, which compute, as a server's master process does. Truth: `workers`, their PIDs."""
import os
import sys
import time

import truth


def work(options):
    end = time.monotonic() + options.lifetime
    while time.monotonic() < end:
        sum(range(1000))
    os._exit(0)


def main():
    options = truth.options()
    workers = []
    for _ in range(2):
        worker = os.fork()
        if worker == 0:
            work(options)
        workers.append(worker)
    truth.announce(options, workers=workers)
    for worker in workers:
        os.waitpid(worker, 0)


if __name__ == "__main__":
    sys.exit(main())
