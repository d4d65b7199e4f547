#!/usr/bin/env python3
"""A bounded HTTP load from one asyncio process, over keep-alive connections to a server on this machine.

Prints one JSON object: requests done, errors, latency percentiles in milliseconds, and the same for each of --windows
equal parts of the time, with their bounds on CLOCK_MONOTONIC, so that windows can be paired with what else was done
then. Exit status 1 if no request succeeded. Runs on Python 3.8 and later. SIGTERM and SIGINT end it early, with its report.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import random
import signal
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

MAX_CONNECTIONS = 512
MAX_DURATION = 3600.0
REQUEST_TIMEOUT = 10.0
ERROR_PAUSE = 0.05


class BadResponse(Exception):
    """What the server sent is not a successful response of known length."""


@dataclass
class Result:
    began: float = 0.0
    ended: float = 0.0
    done: list[tuple[float, float]] = field(default_factory=list)  # when it ended, how long it took
    failed: list[tuple[float, str]] = field(default_factory=list)


class Pacer:
    """Hands out the moments at which requests may start: at once without a rate, else evenly spaced over all."""

    def __init__(self, rate: float | None) -> None:
        self.interval = 1.0 / rate if rate else 0.0
        self.next_start = time.monotonic()

    async def wait(self) -> None:
        if not self.interval:
            return
        now = time.monotonic()
        start = max(self.next_start, now - 1.0)  # after a stall, catch up on one second at most
        self.next_start = start + self.interval
        if start > now:
            await asyncio.sleep(start - now)


async def read_response(reader: asyncio.StreamReader) -> bool:
    """Reads one response to its end; whether the connection stays open."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = head[0].split(" ", 2)[1]
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if "content-length" not in headers:
        raise BadResponse("response without a length")
    await reader.readexactly(int(headers["content-length"]))
    if not status.startswith("2"):
        raise BadResponse(f"status {status}")
    return headers.get("connection", "").lower() != "close"


async def run_connection(host: str, port: int, choose_path, pacer: Pacer, result: Result) -> None:
    """Requests one after the other, until cancelled; connects again after an error."""
    loop = asyncio.get_running_loop()
    writer = None
    try:
        while True:
            await pacer.wait()
            started = time.monotonic()
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(host, port)
                # Not wait_for(), which makes a task before 3.12: the read ends when the connection does.
                too_late = loop.call_later(REQUEST_TIMEOUT, writer.transport.abort)
                try:
                    writer.write(f"GET {choose_path()} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
                    keep = await read_response(reader)
                finally:
                    too_late.cancel()
                ended = time.monotonic()
                result.done.append((ended, ended - started))
            except (OSError, EOFError, ValueError, IndexError, BadResponse, asyncio.LimitOverrunError) as error:
                keep = False
                result.failed.append((time.monotonic(), f"{type(error).__name__}: {error}"))
                await asyncio.sleep(ERROR_PAUSE)
            if not keep and writer is not None:
                writer.close()
                writer = None
    finally:
        if writer is not None:
            writer.close()


async def run_load(arguments: argparse.Namespace) -> Result:
    address = urlsplit(arguments.url_base)
    paths, weights = zip(*arguments.paths)
    generator = random.Random(arguments.seed)
    result = Result()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    pacer = Pacer(arguments.rate)
    result.began = time.monotonic()
    connections = [
        asyncio.create_task(
            run_connection(
                address.hostname, address.port or 80, lambda: generator.choices(paths, weights)[0], pacer, result
            )
        )
        for _ in range(arguments.connections)
    ]
    try:
        await asyncio.wait_for(stop.wait(), arguments.duration)
    except asyncio.TimeoutError:
        pass
    result.ended = time.monotonic()
    for connection in connections:
        connection.cancel()
    for outcome in await asyncio.gather(*connections, return_exceptions=True):
        if not isinstance(outcome, asyncio.CancelledError):
            raise outcome
    return result


def summarize(began: float, ended: float, result: Result) -> dict[str, object]:
    took = sorted(seconds * 1e3 for when, seconds in result.done if began <= when < ended)
    errors = sum(began <= when < ended for when, _ in result.failed)

    def percentile(share: float) -> float | None:
        return round(took[min(len(took) - 1, int(len(took) * share))], 3) if took else None

    return {
        "start": began,
        "end": ended,
        "requests": len(took),
        "errors": errors,
        "requests_per_second": round(len(took) / (ended - began), 2) if ended > began else 0,
        "latency_ms": {"p50": percentile(0.50), "p90": percentile(0.90), "p95": percentile(0.95), "p99": percentile(0.99), "max": percentile(1)},
    }


def report(result: Result, windows: int) -> dict[str, object]:
    bounds = [result.began + (result.ended - result.began) * i / windows for i in range(windows + 1)]
    document = summarize(result.began, result.ended, result)
    document["windows"] = [summarize(start, end, result) for start, end in zip(bounds, bounds[1:])]
    document["first_errors"] = [text for _, text in result.failed[:5]]
    return document


def loopback_url(text: str) -> str:
    host = urlsplit(text).hostname or ""
    if urlsplit(text).scheme == "http" and (host == "localhost" or ipaddress.ip_address(host).is_loopback):
        return text
    raise argparse.ArgumentTypeError("an http URL of this machine's loopback, as http://127.0.0.1:8000")


def weighted_paths(text: str) -> list[tuple[str, float]]:
    """"/a=3,/b" is /a three times as often as /b."""
    items = [item.partition("=") for item in text.split(",")]
    return [(path, float(weight or 1)) for path, _, weight in items]


def within(kind, low, high):
    def convert(text: str):
        value = kind(text)
        if not low < value <= high:
            raise argparse.ArgumentTypeError(f"must be above {low} and at most {high}")
        return value

    return convert


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url-base", type=loopback_url, required=True, metavar="http://127.0.0.1:PORT")
    parser.add_argument("--paths", type=weighted_paths, default=[("/", 1.0)], metavar="/A=WEIGHT,/B=WEIGHT")
    parser.add_argument("--connections", type=within(int, 0, MAX_CONNECTIONS), default=8)
    parser.add_argument("--duration", type=within(float, 0, MAX_DURATION), default=10.0, metavar="SECONDS")
    parser.add_argument("--rate", type=within(float, 0, 1e6), metavar="PER_SECOND", help="no more than this, over all")
    parser.add_argument("--windows", type=within(int, 0, 10000), default=1, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=argparse.FileType("w"), default=sys.stdout, metavar="FILE")
    arguments = parser.parse_args()

    result = asyncio.run(run_load(arguments))
    json.dump(report(result, arguments.windows), arguments.output, indent=1)
    arguments.output.write("\n")
    return 0 if result.done else 1


if __name__ == "__main__":
    sys.exit(main())
