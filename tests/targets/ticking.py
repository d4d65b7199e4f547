"""Ticks without rest, and keeps the biggest gap between two ticks: the proof that nothing ever kept it stopped.

`reset` is written by the test: when it differs from the last value seen, the biggest gap starts again from zero.
"""
import time

import truth

NAMES = ["ticks", "biggest_gap_ns", "reset", "last_ns"]
TICKS, GAP, RESET, LAST = range(len(NAMES))


def ticking(words, lifetime):
    now = time.monotonic_ns
    seen = words[RESET]
    last = now()
    end = last + int(lifetime * 1e9)
    while last < end:
        for _ in range(20):
            tick(words)
        moment = now()
        if words[RESET] != seen:
            seen = words[RESET]
            words[GAP] = 0
        elif moment - last > words[GAP]:
            words[GAP] = moment - last
        last = moment
        words[LAST] = last


def tick(words):
    words[TICKS] += 1


def main():
    options = truth.options()
    shared = truth.counters(options, NAMES)
    truth.announce(options, shared, thread="MainThread")
    ticking(shared.words, options.lifetime)


if __name__ == "__main__":
    main()
