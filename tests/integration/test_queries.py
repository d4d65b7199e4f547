"""report -f queries of a Django site, against what an execute_wrapper of the site's own has written down."""
import json
import re
import sys

import django_site
import harness
import recordings
from test_cache import decompressed

PATHS = "/orders/=2,/report/=2,/summary/=2,/literal/=2"
MINORS = ("3.8", "3.11", "3.13", "3.15")
REQUESTS = 160
RATE = 500
# Also as Django has it in double quotes, and the numbers that stand in the statements alone.
SECRETS = (b"parameter-secret", b"literal-", b"-secret", b"quoted-secret", b"comment-secret", b"777123777", b"planted-key")


class QueryTest(recordings.RecordingTest):

    def record_site(self, server, *args, requests=REQUESTS):
        """-> (what the recording says of queries, {name: (nanoseconds, executions)} of requests within it)."""
        self.log = self.path("truth.log")
        site = self.target("sql_site.py", "--log", self.log, "--server", server, lifetime=120, wait=40,
                           python=django_site.environment(self.python))
        site.url = lambda path="": "http://127.0.0.1:%d%s" % (site.truth["port"], path)
        self.file = self.path("queries.ascope")
        with django_site.Load(sys.executable, site, PATHS, connections=2, duration=90):
            self.wait_for("no request was served", lambda: len(self.truth()) > 5)
            before = len(self.truth())
            self.result = self.record_until(site, lambda: len(self.truth()) > before + requests, "-r", RATE, "-o", self.file,
                                            *args)
        info = self.info(self.file)
        begin = info["start_monotonic_ns"]
        spent = {}
        for fact in self.truth():
            if fact["begin"] >= begin and fact["end"] <= begin + info["elapsed_ns"]:
                for name, (took, calls) in fact["statements"].items():
                    before = spent.get(name, (0, 0))
                    spent[name] = (before[0] + took, before[1] + calls)
        return self.queries(), spent

    def truth(self):
        with open(self.log, "rb") as file:
            whole, _, _ = file.read().rpartition(b"\n")  # it is being written
        return [json.loads(line) for line in whole.splitlines()]

    def queries(self, *args):
        """-> {name of the column: row}"""
        document = json.loads(self.report(self.file, "-f", "queries", "--json", *args))
        return {re.search(r" AS (\w+),", row["statement"]).group(1): row for row in document["queries"]}

    def check_repeated(self, rows):
        """The statement of the loop is marked, with its line; those of the other loop are not, nor any other."""
        self.assertEqual([name for name, row in rows.items() if row["repeated"]], ["item"])
        repeated = rows["item"]["repeated"][0]
        self.assertEqual((repeated["method"], repeated["route"]), ("GET", "orders/"))
        self.assertGreaterEqual(repeated["most_in_one_request"], 6)
        with open(repeated["file"], encoding="utf-8") as file:
            line = file.readlines()[repeated["line"] - 1]
        self.assertIn("cursor.execute(statement", line)


class Times(QueryTest, harness.InterpreterTest):
    minors = MINORS
    timing_sensitive = True

    def test_gunicorn(self):
        rows, spent = self.record_site("sync")
        self.assertEqual(set(rows), set(spent))
        self.assertEqual(len(rows), 16)
        all_true = sum(took for took, _ in spent.values())
        all_found = sum(row["time_ns"] for row in rows.values())
        for name, (took, calls) in spent.items():
            found, true = rows[name]["time_ns"] / all_found, took / all_true
            self.assertLessEqual(abs(found - true), 0.03, "%s: %.3f, truly %.3f" % (name, found, true))
            self.assertLessEqual(rows[name]["calls"], calls * 1.1 + 10, name)
        self.assertEqual([route["route"] for route in rows["heavy"]["routes"]], ["summary/"])
        self.assertEqual(rows["literal"]["statement"],
                         "WITH RECURSIVE c(x) AS (SELECT ? UNION ALL SELECT x + ? FROM c WHERE x < ?) SELECT sum(x) AS literal, "
                         "?, … FROM c WHERE x <> ?")
        self.check_repeated(rows)
        content = decompressed(self.file)
        self.assertIn(b"SELECT sum(x) AS literal", content)
        for secret in SECRETS:
            self.assertNotIn(secret, content)
        self.assertEqual(set(self.queries("--route", "summary/")), {"heavy", "middle"})
        text = self.report(self.file, "-f", "queries").decode()
        self.assertRegex(text, r"N\+1\?\): GET\s+orders/")
        self.assertLessEqual(max(map(len, text.splitlines())), 80)


class Statements(QueryTest, harness.InterpreterTest):
    minors = MINORS

    def test_uvicorn(self):
        rows, spent = self.record_site("uvicorn")
        self.assertEqual(set(rows), set(spent))
        self.check_repeated(rows)
