"""A task that spends its time in two functions of an extension, three to two, and measures both."""
import asyncio
import sys
import time

import truth


def first(native, shared):
    begin = time.thread_time_ns()
    native.spend(600000)
    shared.words[0] += time.thread_time_ns() - begin


def second(native, shared):
    begin = time.thread_time_ns()
    native.spend(-400000)
    shared.words[1] += time.thread_time_ns() - begin


async def work(native, shared):
    while True:
        for _ in range(10):
            first(native, shared)
            second(native, shared)
        await asyncio.sleep(0)


async def serve(native, shared):
    await work(native, shared)


def main():
    options = truth.options(lambda parser: parser.add_argument("--folder", required=True))
    sys.path.insert(0, options.folder)
    import native_calls
    shared = truth.counters(options, ["first", "second"])
    truth.announce(options, shared)
    loop = asyncio.new_event_loop()
    loop.call_later(options.lifetime, loop.stop)
    task = loop.create_task(serve(native_calls, shared))
    loop.run_forever()
    task.cancel()


if __name__ == "__main__":
    main()
