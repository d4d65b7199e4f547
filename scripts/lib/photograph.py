#!/usr/bin/env python3
"""usage: photograph.py PAGE FOLDER

Pictures of an HTML page of awaitscope, light and dark: page.png is what a window shows first, calls.png its calls.
"""
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "tests", "integration"))

import browser  # noqa: E402

READY = "document.querySelector('#functions tbody tr') !== null"


def main():
    page, folder = sys.argv[1:]
    with tempfile.TemporaryDirectory() as profile, browser.Browser(profile) as window:
        for scheme, ending in (("light", ""), ("dark", "-dark")):
            window.shown_as(1280, 800, scheme)
            window.open(os.path.abspath(page), READY)
            window.picture(os.path.join(folder, "page%s.png" % ending))
            window.run("document.getElementById('calls-section').scrollIntoView({block: 'start', behavior: 'instant'})")
            window.picture(os.path.join(folder, "calls%s.png" % ending))
    return 0


if __name__ == "__main__":
    sys.exit(main())
