"""record --request-paths and --request-id: what the recording has of a request is what the client has sent, and nothing else of it."""
import http.client
import json
import re
import threading

import django_site
import harness
import recordings
from test_cache import decompressed

REQUESTS = 40


class Client(threading.Thread):
    """Asks for a path of its own each time, with an id of its own, until it is stopped."""

    def __init__(self, port, path):
        super().__init__(daemon=True)
        self.port, self.path = port, path
        self.over = threading.Event()
        self.sent = {}  # path by id

    def run(self):
        while not self.over.is_set():
            number = len(self.sent)
            path, name = self.path % number, "id-%d-of-a-client" % number
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            connection.request("GET", path + "?query-secret=1", headers={"X-Request-Id": name, "X-Other": "header-secret"})
            connection.getresponse().read()
            connection.close()
            self.sent[name] = path


class DetailsTest(recordings.RecordingTest):

    def record_client(self, site, path, *args):
        self.file = self.path("requests.ascope")
        client = Client(site.truth["port"], path)
        client.start()
        self.addCleanup(client.join)
        self.addCleanup(client.over.set)
        self.wait_for("no request was served", lambda: len(client.sent) > 3)
        before = len(client.sent)
        self.record_until(site, lambda: len(client.sent) > before + REQUESTS, "-r", 500, "-o", self.file, *args)
        client.over.set()
        client.join()
        return client.sent

    def check_details(self, sent, routes):
        """Of each request that is found by its id the path is the right one."""
        found = 0
        for name, path in sent.items():
            result = harness.run_tool("report", self.file, "-f", "request", "--id", name, "--json")
            if result.status != 0:
                self.assertIn("the recording has no request " + name, result.stderr)
                continue
            request = json.loads(result.stdout)
            self.assertEqual((request["path"], request["request_id"]), (path, name))
            if request["route"] == "unresolved":  # it was seen in middleware alone
                continue
            self.assertIn(request["route"], routes)
            self.assertGreater(len(request["steps"]), 0)
            by_number = json.loads(self.report(self.file, "-f", "request", "--id", str(request["id"]), "--json"))
            self.assertEqual(by_number, request)
            text = self.report(self.file, "-f", "request", "--id", name).decode()
            self.assertIn("path %s, id %s" % (path, name), re.sub(r"\s+", " ", text))
            found += 1
        self.assertGreater(found, REQUESTS // 2)
        content = decompressed(self.file)
        for secret in (b"query-secret", b"header-secret", b"planted-key"):
            self.assertNotIn(secret, content)


class Django(DetailsTest, harness.InterpreterTest):
    minors = ("3.8", "3.11", "3.13", "3.15")

    def django(self, server):
        return self.target("request_site.py", "--log", self.path("truth.log"), "--server", server, lifetime=120, wait=40,
                           python=django_site.environment(self.python))

    def test_gunicorn(self):
        sent = self.record_client(self.django("sync"), "/plain/path-%d/", "--request-paths", "--request-id", "X-Request-Id")
        self.check_details(sent, ["plain/<str:token>/"])

    def test_uvicorn(self):
        sent = self.record_client(self.django("uvicorn"), "/plain/path-%d/", "--request-paths", "--request-id", "x-request-id",
                                  "--all-tasks")
        self.check_details(sent, ["plain/<str:token>/"])

    def test_only_what_was_asked_for(self):
        sent = self.record_client(self.django("sync"), "/plain/path-%d/")
        content = decompressed(self.file)
        for name, path in sent.items():
            self.assertNotIn(name.encode(), content)
            self.assertNotIn(path.encode(), content)
        newest = json.loads(self.report(self.file, "-f", "request", "--json"))
        self.assertEqual((newest["path"], newest["request_id"]), (None, None))


class Starlette(DetailsTest, harness.InterpreterTest):
    minor_matters = False

    def test_uvicorn(self):
        site = self.target("asgi_site.py", "--framework", "starlette", lifetime=60, wait=40,
                           python=django_site.environment(self.python, "starlette>=0.40"))
        sent = self.record_client(site, "/orders/%d", "--request-paths", "--request-id", "X-Request-Id", "--all-tasks")
        self.check_details(sent, ["/orders/{number}", "__main__.order"])
