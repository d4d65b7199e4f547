"""Two threads that never wait but for the GIL: one holds it for milliseconds at a time, in a call that does not give it away, the
other gives it away whenever it is asked. What they wait, the kernel's counts of each thread say."""
import threading
import time

import truth

LONG = 400000


def add_up():
    return sum(range(LONG))


def count():
    total = 0
    for i in range(2000):
        total += i & 7
    return total


def work(function, end):
    while time.monotonic() < end:
        function()


def main():
    options = truth.options()
    end = time.monotonic() + options.lifetime
    threads = {name: threading.Thread(target=work, args=(function, end), name=name, daemon=True)
               for name, function in (("greedy", add_up), ("modest", count))}
    for thread in threads.values():
        thread.start()
    truth.announce(options, tids={name: thread.native_id for name, thread in threads.items()})
    time.sleep(options.lifetime)


if __name__ == "__main__":
    main()
