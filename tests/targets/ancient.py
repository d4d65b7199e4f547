"""A busy process for interpreters of long ago: its syntax and its calls are those of Python 2.7 and of every 3.x."""
import json
import os
import sys
import time


def main(ready, lifetime):
    with open(ready + ".part", "w") as file:
        json.dump({"pid": os.getpid(), "python": "%d.%d.%d" % sys.version_info[:3]}, file)
    os.rename(ready + ".part", ready)
    end = time.time() + lifetime
    while time.time() < end:
        sum(range(1000))


if __name__ == "__main__":
    main(sys.argv[sys.argv.index("--ready") + 1], float(sys.argv[sys.argv.index("--lifetime") + 1]))
