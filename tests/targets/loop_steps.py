"""Calls of known length in one task, one behind the other, in a loop that is otherwise idle, busy, or busy in bursts.

Truth: `log`, a file with a line for each call that ended: function, monotonic nanoseconds of its beginning and its end.
`before` is a call that began before anything is recorded, and lasts. `short` is a call of 2 ms, made again at once,
always from the same line with the same arguments.
"""
import asyncio
import sys
import time

import truth

BURST = 0.004
clock = time.monotonic_ns


def burn(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


async def long_step():
    await asyncio.sleep(0.15)


async def step():
    await asyncio.sleep(0.06)


async def working_step():
    await asyncio.sleep(0.08)
    burn(0.03)


async def before(forever):
    await forever.wait()


async def short():
    await asyncio.sleep(0.002)


async def shorts(end):
    while time.monotonic() < end:
        await short()


async def busy(end):
    """Half of the time, a little at a time."""
    while time.monotonic() < end:
        burn(BURST)
        await asyncio.sleep(BURST)


async def bursts(end):
    """A tenth of a second with many callbacks, and one without any."""
    while time.monotonic() < end:
        until = time.monotonic() + 0.1
        while time.monotonic() < until:
            burn(BURST / 8)
            await asyncio.sleep(BURST / 4)
        await asyncio.sleep(0.1)


async def serve(options):
    shared = truth.counters(options, ["rounds"])
    end = time.monotonic() + options.lifetime
    beside = [asyncio.ensure_future(before(asyncio.Event()))]
    beside += [asyncio.ensure_future(kind(end)) for kind in (busy, bursts, shorts) if kind.__name__ == options.beside]
    await asyncio.sleep(0.1)
    with open(options.ready + ".calls", "wb", buffering=0) as log:
        truth.announce(options, shared, log=log.name)
        while time.monotonic() < end:
            for kind in (step, long_step, working_step):
                begun = clock()
                await kind()
                log.write(b"%s %d %d\n" % (kind.__name__.encode(), begun, clock()))
            shared.words[0] += 1
    for task in beside:
        task.cancel()


def more(parser):
    parser.add_argument("--beside", choices=["nothing", "busy", "bursts", "shorts"], default="nothing")
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")


if __name__ == "__main__":
    parsed = truth.options(more)
    if parsed.loop == "uvloop":
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    sys.exit(asyncio.run(serve(parsed)))
