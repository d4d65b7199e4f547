"""Requests of Starlette and FastAPI: each function that one route alone calls stands in that route."""
import json
import sys

import django_site
import folded
import harness
import recordings

PATHS = "/orders/17=2,/report=1,/admin/user/planted-secret?query-secret=1"
ENOUGH = 20  # samples


class AsgiRequests(recordings.RecordingTest, harness.InterpreterTest):
    minor_matters = False
    timing_sensitive = True

    def check(self, framework, requirement, patterns):
        """`patterns`: of routes, by the leaf that they alone call; the name of the endpoint where the framework keeps no pattern."""
        site = self.target("asgi_site.py", "--framework", framework, lifetime=60, wait=40,
                           python=django_site.environment(self.python, requirement))
        site.url = lambda path="": "http://127.0.0.1:%d%s" % (site.truth["port"], path)
        with django_site.Load(sys.executable, site, PATHS, connections=4, duration=40):
            path, result = self.record_file(site, "-d", 4)
        everything = self.stacks(path)
        for leaf, names in patterns.items():
            of_leaf = folded.total(stack for stack in everything if stack.has(leaf))
            routes = [row["route"] for row in json.loads(self.report(path, "-f", "requests", "--json"))["routes"]]
            route, = [route for route in routes if route in names]
            stacks = self.stacks(path, "--route", route)
            inside = folded.total(stack for stack in stacks if stack.has(leaf))
            others = [stack.line for stack in stacks if any(stack.has(other) for other in patterns if other != leaf)]
            self.assertGreater(of_leaf, ENOUGH, "%s: %s" % (leaf, result.stderr))
            self.assertGreaterEqual(inside, 0.99 * of_leaf, "%s: %d of %d" % (route, inside, of_leaf))
            self.assertEqual(others, [], route)
        early = folded.total(stack for stack in everything if stack.has("burn_early"))  # before the URL is resolved
        of_requests = folded.total(stack for stack in self.stacks(path, "--route", "*") if stack.has("burn_early"))
        self.assertGreater(early, ENOUGH)
        self.assertGreaterEqual(of_requests, 0.97 * early)
        for view in ("requests", "hot", "latency", "info"):
            said = self.report(path, "-f", view, "--json").decode()
            self.assertNotIn("planted-secret", said)
            self.assertNotIn("query-secret", said)

    def test_starlette(self):
        self.check("starlette", "starlette>=0.40", {"burn_order": ("/orders/{number}", "__main__.order"),
                                                    "burn_report": ("/report", "__main__.report"),
                                                    "burn_user": ("/user/{name}", "__main__.user")})

    def test_fastapi(self):
        self.check("fastapi", "fastapi", {"burn_order": ("/orders/{number}",), "burn_report": ("/report",),
                                          "burn_user": ("/admin/user/{name}",)})
