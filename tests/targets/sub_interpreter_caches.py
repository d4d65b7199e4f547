"""An interpreter beside the main one, each with caches of its own. The truth: [name, interpreter, hits, misses, maxsize] of each."""
import functools
import time

import truth

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

SOURCE = """
import functools

@functools.lru_cache(maxsize=77)
def in_sub(x):
    return x

class Methods:
    @functools.lru_cache(maxsize=78)
    def method(self):
        return 1

for x in (1, 1, 2):
    in_sub(x)
Methods().method()
"""


@functools.lru_cache(maxsize=76)
def in_main(x):
    return x


def main():
    options = truth.options()
    number = interpreters.create()
    (interpreters.exec if hasattr(interpreters, "exec") else interpreters.run_string)(number, SOURCE)
    in_main(1)
    truth.announce(options, caches=[["Methods.method", int(number), 0, 1, 78], ["in_main", 0, 0, 1, 76],
                                    ["in_sub", int(number), 1, 2, 77]])
    time.sleep(options.lifetime)


if __name__ == "__main__":
    main()
