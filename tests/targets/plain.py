"""Burns at the end of a known stack, with nothing imported that is not built into every interpreter.

For programs that embed CPython and can load no extension module. The truth is the stack that the burning function saw.
"""
import sys
import time

import truth


def stack():
    frames, frame = [], sys._getframe(1)
    while frame is not None:
        frames.append(truth.frame_fact(frame.f_code))
        frame = frame.f_back
    return frames[::-1]


def burn(options):
    end = time.monotonic() + options.lifetime
    truth.announce(options, path=stack())
    while time.monotonic() < end:
        for _ in range(1000):
            pass


class Outer:
    def method(self, options):
        burn(options)


def main():
    Outer().method(truth.options())


main()
