#!/usr/bin/env python3
"""Serves the site, or another one beside it (--site), with uvicorn in this one process, on loopback, for a limited time.

Needs Django and uvicorn (scripts/venv makes an environment that has them). Ends by itself after --lifetime seconds, and
at SIGTERM or SIGINT. Writes --ready, as one JSON object, once it listens: {"pid", "port", "python",
"loop", "lacks": views that this Python is too old for}.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import platform
import signal
import socket
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # django_site is imported as a package, wherever this is run

import uvicorn  # noqa: E402

GRACE_SECONDS = 5  # for requests that are being served at the end


class Server(uvicorn.Server):
    """uvicorn's server, that says when it listens and ends when its lifetime does."""

    def __init__(self, config: uvicorn.Config, ready: Path | None, lifetime: float, lacks: list[str]) -> None:
        super().__init__(config)
        self.lacks = lacks
        self.ready = ready
        self.lifetime = lifetime

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        loop = asyncio.get_running_loop()
        loop.call_later(self.lifetime, setattr, self, "should_exit", True)
        if self.ready is not None and sockets:
            write_whole(
                self.ready,
                {
                    "pid": os.getpid(),
                    "port": sockets[0].getsockname()[1],
                    "python": platform.python_version(),
                    "lacks": self.lacks,
                    "loop": type(loop).__module__.partition(".")[0],
                },
            )


def write_whole(path: Path, document: dict[str, object]) -> None:
    """A reader sees the whole document or none."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(document) + "\n")
    partial.replace(path)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0, the default, is any free port")
    parser.add_argument("--site", default="django_site", help="the package beside this one that is served")
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    parser.add_argument("--lifetime", type=float, default=120, metavar="SECONDS")
    parser.add_argument("--ready", type=Path, metavar="FILE")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    # The loop ends the server; the kernel does if the loop cannot.
    signal.alarm(max(1, int(arguments.lifetime)) + 2 * GRACE_SECONDS)

    application = importlib.import_module(arguments.site + ".asgi").application
    importlib.import_module(arguments.site + ".models").create_and_fill()
    lacks = importlib.import_module(arguments.site + ".views").LACKS
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", arguments.port))
        config = uvicorn.Config(
            application,
            loop=arguments.loop,
            lifespan="off",
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        Server(config, arguments.ready, arguments.lifetime, lacks).run(sockets=[listener])


if __name__ == "__main__":
    main()
