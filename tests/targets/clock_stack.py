"""Says in its own stack what time it is: at any millisecond it runs in the function at_N, N being CLOCK_MONOTONIC in
milliseconds modulo the number of such functions. A stack tells when it was read, by the target's own clock.

It imports nothing that is not built into every interpreter.
"""
import time

import truth

PERIOD = 4096  # milliseconds
BODY = "def at_%d(now, end):\n    while now() < end:\n        pass\n\n\n"


def main():
    options = truth.options()
    scope = {}
    exec(compile("".join(BODY % number for number in range(PERIOD)), "<clock>", "exec"), scope)
    functions = [scope["at_%d" % number] for number in range(PERIOD)]
    now = time.monotonic
    end = now() + options.lifetime
    truth.announce(options, period_ms=PERIOD)
    moment = now()
    while moment < end:
        milliseconds = int(moment * 1000)
        functions[milliseconds % PERIOD](now, (milliseconds + 1) / 1000)
        moment = now()


main()
