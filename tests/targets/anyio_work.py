"""anyio on asyncio or uvloop: task groups, worker threads, calls back into the loop, and Starlette's middleware on top of them.

Each burning function is called by one chain of calls only, which `chains` in the ready file names: by construction, its
time is all below these, in this order.
"""
import time

import anyio
import anyio.from_thread
import anyio.to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import truth


def burn(seconds=0.01):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(50))


def burn_in_body():
    burn()


def burn_at_end():
    burn()


def burn_in_thread():
    burn()


def burn_back():
    burn()


def burn_callback():
    burn()


def burn_endpoint():
    burn()


def burn_sync_endpoint():
    burn()


async def body_child(event):
    await anyio.sleep(0)
    burn_in_body()
    event.set()


async def elsewhere(event):
    await event.wait()


async def group_body():
    async with anyio.create_task_group() as group:
        event = anyio.Event()
        group.start_soon(body_child, event)
        await elsewhere(event)


async def end_child():
    await anyio.sleep(0)
    burn_at_end()


async def group_end():
    async with anyio.create_task_group() as group:
        group.start_soon(end_child)


async def back():
    await anyio.sleep(0)
    burn_back()


def in_thread():
    burn_in_thread()
    anyio.from_thread.run(back)
    anyio.from_thread.run_sync(burn_callback)


async def in_worker():
    await anyio.to_thread.run_sync(in_thread)


class Timing(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


async def endpoint(request):
    await anyio.sleep(0)
    burn_endpoint()
    return PlainTextResponse("done")


def sync_endpoint(request):
    burn_sync_endpoint()
    return PlainTextResponse("done")


APP = Starlette(routes=[Route("/async", endpoint), Route("/sync", sync_endpoint)], middleware=[Middleware(Timing)])


async def serve(path):
    """One request, as a server makes it."""
    sent = []

    async def receive():
        if not sent:
            sent.append(0)
            return {"type": "http.request", "body": b"", "more_body": False}
        await anyio.sleep(3600)

    async def send(message):
        sent.append(message.get("status"))
    await APP({"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
               "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [],
               "client": None, "server": None}, receive, send)
    assert 200 in sent, sent


async def request():
    with anyio.fail_after(30):
        await group_body()
        await group_end()
        await in_worker()
        await serve("/async")
        await serve("/sync")


CHAINS = {
    "burn_in_body": ["request", "group_body", "body_child"],
    "burn_at_end": ["request", "group_end", "end_child"],
    "burn_in_thread": ["request", "in_worker", "in_thread"],
    "burn_back": ["request", "in_worker", "in_thread", "back"],
    "burn_callback": ["request", "in_worker", "in_thread"],
    "burn_endpoint": ["request", "serve", "endpoint"],
    "burn_sync_endpoint": ["request", "serve", "sync_endpoint"],
}


async def main(options):
    truth.announce(options, chains=CHAINS, not_in=["elsewhere", "Timing.dispatch"])
    end = time.monotonic() + options.lifetime
    while time.monotonic() < end:
        await request()


if __name__ == "__main__":
    parsed = truth.options(lambda parser: parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio"))
    anyio.run(main, parsed, backend_options={"use_uvloop": parsed.loop == "uvloop"})
