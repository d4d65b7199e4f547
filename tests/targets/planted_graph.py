"""One busy thread in a call graph whose every possible stack is known: 42 Python frames from `<module>` to the leaf.

The list of paths is not written by hand: a child of the same interpreter (--describe) runs two cycles under
sys.setprofile and prints every stack that it saw. The measured process itself is never traced. The two branches of
`fork` are timed by the target's own clock, into counters that a test reads before and after a recording.
"""
import json
import subprocess
import sys
import time

import planted_calls
import truth


def add_options(parser):
    parser.add_argument("--hot", type=int, default=10, help="loops of the hot branch")
    parser.add_argument("--cold", type=int, default=3, help="loops of the cold branch")
    parser.add_argument("--syscall", action="store_true", help="one system call in each cycle, outside both branches")
    parser.add_argument("--describe", action="store_true", help="print every possible stack as JSON, and end")


def describe(paths, frame):
    """Adds the stack that ends in `frame` to `paths`."""
    path = []
    while frame is not None:
        path.append(tuple(truth.frame_fact(frame.f_code)))
        frame = frame.f_back
    paths.add(tuple(reversed(path)))


def run(options):
    if options.describe:
        paths = set()
        sys.setprofile(lambda frame, event, _: describe(paths, frame) if event == "call" else None)
    end = time.monotonic() + options.lifetime
    n = 0
    while time.monotonic() < end:
        n = planted_calls.cycle(n)
        if options.describe and planted_calls.words[planted_calls.CYCLES] >= 2:
            sys.setprofile(None)
            print(json.dumps(sorted(paths)))
            return


def main():
    options = truth.options(add_options)
    planted_calls.shape.update(hot=options.hot, cold=options.cold, syscall=options.syscall)
    if not options.describe:
        shared = truth.counters(options, planted_calls.NAMES)
        planted_calls.words = shared.words
        described = subprocess.run([sys.executable] + sys.argv + ["--describe"], check=True, stdout=subprocess.PIPE)
        paths = json.loads(described.stdout.decode())
        edges = {(json.dumps(a), json.dumps(b)) for path in paths for a, b in zip(path, path[1:])}
        truth.announce(options, shared, thread="MainThread", paths=paths, depth=max(map(len, paths)),
                       edges=[[json.loads(a), json.loads(b)] for a, b in sorted(edges)])
    run(options)


main()
