"""What tests of trace share."""
import json
import os
import struct
import time

import harness

FUNCTIONS = ["plain", "fib", "fails", "outer", "inner", "Shop.total", "Shop.of", "Shop.rate", "numbers", "fetch",
             "make.<locals>.add", "wrapped", "threaded", "takes"]


def named(functions):
    return [word for function in functions for word in ("-m", "__main__:" + function)]


class TraceTest(harness.InterpreterTest):

    def setUp(self):
        super().setUp()
        self.recording = self.path("calls.ascope")

    def report(self, view, *args):
        result = harness.run_tool("report", self.recording, "-f", view, "--json", *args)
        self.assert_done(result)
        return {row["function"]: row for row in json.loads(result.stdout)["functions"]}

    def launch(self, *args, script="traced_calls.py", more=(), python=None, **how):
        """trace ARGS -o FILE -- PYTHON SCRIPT --work -> its Result; the program's counters are in self.truth"""
        ready = self.path("ready.json")
        command = [python or self.python, os.path.join(harness.TARGETS, script), "--ready", ready, *more]
        result = harness.run_tool("trace", "-o", self.recording, *args, "--", *command, **how)
        self.truth = {}
        if os.path.exists(ready):
            with open(ready, encoding="utf-8") as file:
                counters = json.load(file)["counters"]
            with open(counters["path"], "rb") as file:
                self.truth = dict(zip(counters["names"], struct.unpack("%dQ" % len(counters["names"]), file.read())))
        return result

    def assert_counts(self, truth, functions=FUNCTIONS):
        calls = self.report("hot")
        for name in functions:
            self.assertGreater(truth[name], 0, name)
            self.assertEqual(calls[name]["calls"], truth[name], name)

    def wait_for(self, what, within=20.0):
        end = time.monotonic() + within
        while not what():
            self.assertLess(time.monotonic(), end, "it did not happen in time")
            time.sleep(0.005)
