#!/usr/bin/env python3
"""usage: record_shop.py FOLDER FILE

Records the shop of the case studies (tests/targets/case_shop) under a load of its pages, into FILE: for pictures. It runs in FOLDER, from a copy
there, so that the recording has plain names only.
"""
import json
import os
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))

import django_site  # noqa: E402
import harness  # noqa: E402
import interpreters  # noqa: E402

SECONDS = 12
LOADS = (("/catalogue", 1), ("/order", 2))  # and how many connections


def serve(python, folder):
    """-> (the server, what it says of itself)."""
    for package in ("django_site", "case_shop"):
        shutil.copytree(os.path.join(harness.TARGETS, package), os.path.join(folder, package))
    server = subprocess.Popen([python, "django_site/serve.py", "--site", "case_shop", "--lifetime", "90", "--ready", "ready"],
                              cwd=folder, env=dict(os.environ, SHOP_VERSION="before"), stderr=subprocess.DEVNULL)
    ready = os.path.join(folder, "ready")
    end = time.monotonic() + 60
    while not os.path.exists(ready):
        if server.poll() is not None or time.monotonic() > end:
            raise RuntimeError("the shop does not listen")
        time.sleep(0.1)
    with open(ready, encoding="utf-8") as file:
        return server, json.load(file)


def main():
    folder, recording = sys.argv[1:]
    found = interpreters.discover(interpreters.SUPPORTED)
    python = django_site.environment((found.get("3.13") or found[max(found, key=interpreters.age)]).path)
    server, facts = serve(python, folder)
    load = os.path.join(harness.TARGETS, "http_load.py")
    loads = [subprocess.Popen([python, load, "--url-base", "http://127.0.0.1:%d" % facts["port"], "--paths", path, "--connections",
                               str(connections), "--duration", "60"], stdout=subprocess.DEVNULL) for path, connections in LOADS]
    try:
        time.sleep(2)  # the first requests import and connect
        subprocess.run([harness.tool(), "record", "-p", str(server.pid), "-q", "-d", str(SECONDS), "-r", "100", "--max-overhead", "0", "--all-tasks",
                        "-o", recording], check=True)
    finally:
        for process in [*loads, server]:
            process.terminate()
        for process in [*loads, server]:
            process.wait(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
