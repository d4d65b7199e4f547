"""Works in a module that was found through the working directory: sys.path has '' for it, as under uvicorn.

The module is shop/views.py in --folder, which the target writes, and beside it stands a virtual environment's site-packages with
a module of its own. The truth is the name of each file as an import statement would have it.
"""
import os
import sys
import time

import truth

WORK = "def %s(end, clock):\n    while clock() < end():\n        sum(range(200))\n"


def write(path, function):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(WORK % function)


def main():
    options = truth.options(lambda parser: parser.add_argument("--folder", required=True))
    packages = os.path.join(options.folder, "venv", "lib", "python3.99", "site-packages")
    write(os.path.join(options.folder, "shop", "views.py"), "handle")
    write(os.path.join(packages, "framework", "core.py"), "serve")
    os.chdir(options.folder)
    sys.path[:0] = [""]
    sys.path.append(packages)
    from framework.core import serve
    from shop.views import handle
    truth.announce(options, files={"handle": "shop/views.py", "serve": "framework/core.py"})
    end = time.monotonic() + options.lifetime
    while time.monotonic() < end:
        for function in (handle, serve):
            soon = time.monotonic() + 0.02
            function(lambda: soon, time.monotonic)


if __name__ == "__main__":
    main()
