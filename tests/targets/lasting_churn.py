"""Makes and drops code objects, threads and tasks for as long as it lives: each code object is new, with the names of some other
and lines of its own, as a template engine makes them. The counters say how many."""
import asyncio
import threading
import time

import truth

options = truth.options()
counted = truth.counters(options, ["codes", "threads", "tasks"])
NAMES = 50


def busy(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def template(number):
    source = "\n" * (number % NAMES) + "def render_%d(busy):\n" % (number % NAMES)
    source += "".join("    x = %d\n%s" % (number, "\n" * (number >> shift & 1)) for shift in range(12)) + "    busy(0.001)\n"
    names = {}
    exec(compile(source, "/srv/app/page_%d.html" % (number % NAMES), "exec"), names)
    return names["render_%d" % (number % NAMES)]


async def request(number):
    await asyncio.sleep(0)
    template(number)(busy)
    counted.words[0] += 1
    counted.words[2] += 1


def thread():
    busy(0.003)
    counted.words[1] += 1


async def main():
    end = time.monotonic() + options.lifetime
    number = 0
    while time.monotonic() < end:
        threads = [threading.Thread(target=thread) for _ in range(3)]
        for one in threads:
            one.start()
        await asyncio.gather(*[request(number + i) for i in range(5)])
        number += 5
        for one in threads:
            one.join()


truth.announce(options, counted)
asyncio.run(main())
