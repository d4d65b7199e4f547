"""Requests of a Django site, as a recording has them, against what a middleware of the site's own has written down."""
import json
import math
import sys

import django_site
import folded
import harness
import recordings

MINORS = ("3.8", "3.11", "3.13", "3.15")
SECRETS = ("path-secret", "query-secret", "parameter-secret", "planted-key")
LEAF_OF = {"plain/<str:token>/": "burn_plain", "shop/orders/<int:number>/": "burn_order", "async/": "burn_async",
           "gather/": "burn_branch"}
PATHS = ("/plain/path-secret/?query-secret=3,/shop/orders/17/=2,/shop/page/=1,/rare/=2,/stream/=1,/async/=2,"
         "/gather/=2")
REQUESTS = 250
PERIOD_NS = 10_000_000
UNRESOLVED = "unresolved"


def percentile(lengths, part):
    return sorted(lengths)[math.ceil(part * len(lengths)) - 1]


class RequestTest(recordings.RecordingTest):

    def serve(self, *args):
        self.log = self.path("truth.log")
        site = self.target("request_site.py", "--log", self.log, *args, lifetime=120, wait=40,
                           python=django_site.environment(self.python))
        site.url = lambda path="": "http://127.0.0.1:%d%s" % (site.truth["port"], path)
        return site

    def truth(self):
        with open(self.log, "rb") as file:
            whole, _, _ = file.read().rpartition(b"\n")  # it is being written
        return [json.loads(line) for line in whole.splitlines()]

    def record_site(self, *args, server, requests=REQUESTS, connections=4):
        """-> the recording. What the site has written of requests within it is `self.within`."""
        site = self.serve("--server", server)
        self.file = self.path("requests.ascope")
        with django_site.Load(sys.executable, site, PATHS, connections=connections, duration=90):
            self.wait_for("no request was served", lambda: len(self.truth()) > 5)
            before = len(self.truth())
            self.result = self.record_until(site, lambda: len(self.truth()) > before + requests, "-o", self.file, *args)
        info = self.info(self.file)
        begin = info["start_monotonic_ns"]
        end = begin + info["elapsed_ns"]
        self.within = [fact for fact in self.truth() if fact["begin"] >= begin and fact["end"] <= end]
        return self.file

    def routes(self, *args):
        document = json.loads(self.report(self.file, "-f", "requests", "--json", *args))
        return {row["route"]: row for row in document["routes"]}, document

    def check_leaves(self):
        """Where a route's own leaf is, the sample is of that route, and of no other."""
        everything = self.stacks(self.file)
        for route, leaf in LEAF_OF.items():
            of_leaf = folded.total(stack for stack in everything if stack.names[-1:] == [leaf])
            stacks = self.stacks(self.file, "--route", route)
            inside = folded.total(stack for stack in stacks if stack.names[-1:] == [leaf])
            others = [stack.line for stack in stacks if stack.names[-1:] != [leaf] and stack.names[-1] in LEAF_OF.values()]
            self.assertGreater(of_leaf, 10, "samples of %s: %s" % (leaf, self.result.stderr))
            if leaf != "burn_plain":  # which two other views call as well
                self.assertGreaterEqual(inside, 0.99 * of_leaf, "%s: %d of %d" % (route, inside, of_leaf))
            self.assertEqual(others, [], route)

    def check_secrets(self):
        """Nothing of a request is in the recording, but its route: of what it says, all is in some view."""
        for view in ("requests", "hot", "latency", "info"):
            said = self.report(self.file, "-f", view, "--json").decode()
            for secret in SECRETS:
                self.assertNotIn(secret, said)

    def check_cpu(self):
        """Of requests that one thread handles, the thread's own clock has the truth."""
        rows, _ = self.routes()
        truth = {}
        for fact in self.within:
            truth[fact["route"]] = truth.get(fact["route"], 0) + fact["cpu_ns"]
        routes = ("plain/<str:token>/", "shop/orders/<int:number>/", "shop/page/")  # the others' work is elsewhere
        all_true, all_found = sum(truth[route] for route in routes), sum(rows[route]["cpu_ns"] for route in routes)
        for route in routes:
            found, true = rows[route]["cpu_ns"] / all_found, truth[route] / all_true
            self.assertLessEqual(abs(found - true), 0.04, "%s: %.3f, truly %.3f" % (route, found, true))
        sql = rows["shop/orders/<int:number>/"]
        self.assertGreater(sql["sql_samples"], 0)
        self.assertGreater(rows["shop/page/"]["template_samples"], 0.7 * rows["shop/page/"]["samples"])
        self.assertEqual(rows["plain/<str:token>/"]["sql_samples"], 0)

    def check_slow(self, alone=True):
        """The slow requests are those with the planted cause, and are under it; unless others wait for these: not `alone`."""
        slow = [fact for fact in self.within if fact["planted"]]
        self.assertGreater(len(slow), 0)
        rows, _ = self.routes("--slower", "350ms", "--route", "rare/")
        found = rows["rare/"]["requests"]
        self.assertGreaterEqual(found, len(slow))
        if not alone:
            return
        self.assertLessEqual(found, len(slow) + 3)  # those that the recording cuts
        stacks = self.stacks(self.file, "--slower", "350ms", "--route", "rare/")
        under = folded.total(stack for stack in stacks if stack.has("planted_cause"))
        self.assertGreaterEqual(under, 0.9 * folded.total(stacks))

    def check_lengths(self, routes):
        rows, _ = self.routes()
        for route in routes:
            lengths = [fact["end"] - fact["begin"] for fact in self.within if fact["route"] == route]
            true = percentile(lengths, 0.95)
            found = rows[route]["p95_ns"]
            self.assertLessEqual(abs(found - true), max(3 * PERIOD_NS, 0.1 * true),
                                 "%s: %.1f ms, truly %.1f ms of %d" % (route, found / 1e6, true / 1e6, len(lengths)))


class OneThread(RequestTest, harness.InterpreterTest):
    minors = MINORS
    timing_sensitive = True

    def test_gunicorn_sync(self):
        self.record_site(server="sync", connections=2)
        self.check_leaves()
        self.check_secrets()
        self.check_cpu()
        self.check_slow()
        self.check_lengths(["plain/<str:token>/", "shop/orders/<int:number>/"])


class Requests(RequestTest, harness.InterpreterTest):
    minors = MINORS

    def test_gunicorn_gthread(self):
        self.record_site(server="gthread")
        self.check_leaves()
        self.check_slow(alone=False)

    def test_uvicorn(self):
        self.record_site("--all-tasks", server="uvicorn")
        self.check_leaves()
        self.check_slow(alone=False)

    def test_one_request(self):
        self.record_site(server="sync", requests=60, connections=2)
        slowest = json.loads(self.report(self.file, "-f", "request", "--json"))
        again = json.loads(self.report(self.file, "-f", "request", "--json", "--id", slowest["id"]))
        self.assertEqual(slowest, again)
        times = [(step["from_ns"], step["to_ns"]) for step in slowest["steps"]]
        self.assertEqual(times, sorted(times))
        self.assertGreaterEqual(times[0][0], slowest["from_ns"])
        text = self.report(self.file, "-f", "request", "--id", slowest["id"]).decode()
        self.assertIn(slowest["route"], text)
