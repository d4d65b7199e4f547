"""caches: what is said of every lru_cache equals what cache_info() says in the process."""
import json
import os
import re
import time

import django_site
import harness
import interpreters

FACTS = ("name", "module", "file", "line", "hits", "misses", "maxsize", "currsize", "typed")


class CachesTest(harness.InterpreterTest):
    minors = interpreters.SUPPORTED + interpreters.FREE_THREADED

    def document(self, target, *args):
        result = harness.run_tool("caches", "-p", target.pid, "--json", *args)
        self.assert_done(result)
        document = json.loads(result.stdout.decode())
        self.assertEqual(document["schema"], 1)
        self.assertEqual(document["process"]["pid"], target.pid)
        self.assertTrue(document["complete"])
        ids = [row["id"] for row in document["caches"]]
        self.assertEqual(len(set(ids)), len(ids), "a cache twice")
        return document


class Caches(CachesTest):

    def test_every_cache_is_as_cache_info_says(self):
        target = self.target("lru_caches.py", lifetime=40)
        document = self.document(target, "--interval", "100ms")
        found = {row["id"]: row for row in document["caches"]}
        truth = target.truth["caches"]
        mine = {key: {name: fact[name] for name in FACTS} for key, fact in truth.items() if fact["mine"]}
        self.assertGreaterEqual(len(mine), 60, "the target is not what it should be")
        self.assertEqual({key: mine[key] for key in set(mine) - set(found)}, {}, "caches that were not found")
        wrong = [(fact, found[key]) for key, fact in mine.items() if {name: found[key][name] for name in FACTS} != fact]
        self.assertEqual(wrong, [])
        self.assertEqual(set(found) - set(truth), set(), "caches that the process has not")
        for key in mine:
            calls = mine[key]["hits"] + mine[key]["misses"]
            self.assertEqual(found[key]["calls_per_second"], 0)
            self.assertEqual(found[key]["hit_rate"], round(mine[key]["hits"] / calls, 4) if calls else None)
            self.assertEqual(found[key]["advice"] == "never called", calls == 0, found[key])
        by_name = {row["name"]: row for row in found.values()}
        self.assertRegex(by_name["full"]["advice"], r"\Afull, hit rate [\d.]+ %: enlarge or remove it\Z")
        self.assertRegex(by_name["unbounded"]["advice"], r"\Ahit rate [\d.]+ %: remove it\Z")
        self.assertIsNone(by_name["fibonacci"]["advice"])

    def test_caches_in_use(self):
        target = self.target("lru_caches.py", "--busy", lifetime=40)
        busy = {key: name for name, key in target.truth["busy"].items()}
        counted = {name: 0 for name in busy.values()}
        end = time.monotonic() + 25
        while not all(counted.values()):
            self.assertLess(time.monotonic(), end, "no call was counted between two readings: %s" % counted)
            before = target.counters()
            document = self.document(target, "--interval", "200ms")
            after = target.counters()
            rows = {busy[row["id"]]: row for row in document["caches"] if row["id"] in busy}
            self.assertEqual(set(rows), set(busy.values()), document)
            calls = {name: row["hits"] + row["misses"] for name, row in rows.items()}
            # One call may be counted by the one and not yet by the other; always_hits() was called once before.
            self.assertTrue(before["hits"] <= calls["always_hits"] <= after["hits"] + 2, (before, calls, after))
            self.assertTrue(before["misses"] <= calls["always_misses"] <= after["misses"] + 1, (before, calls, after))
            between = {name: row["calls_per_second"] * document["interval_s"] for name, row in rows.items()}
            self.assertLessEqual(between["always_hits"], (after["hits"] - before["hits"] + 2) * 1.01)
            self.assertLessEqual(between["always_misses"], (after["misses"] - before["misses"] + 2) * 1.01)
            for name, row in rows.items():
                counted[name] += between[name]
                self.assertLessEqual(row["currsize"], row["misses"])
                self.assertLessEqual(row["currsize"], row["maxsize"])
            self.assertEqual(rows["always_hits"]["misses"], 1)
            self.assertIsNone(rows["always_hits"]["advice"])

    def test_table(self):
        target = self.target("lru_caches.py", lifetime=40)
        result = harness.run_tool("caches", "-p", target.pid, "--interval", "0", "--limit", "0")
        self.assert_done(result)
        lines = result.stdout.decode().splitlines()
        self.assertRegex(lines[0], r"\AProcess %d: Python %s, \d+ lru_caches in \d+ modules\Z"
                         % (target.pid, target.truth["python"]))
        self.assertEqual([line for line in lines if len(line) > 80], [])
        wide = harness.run_tool("caches", "-p", target.pid, "--interval", "0", "--limit", "0", env=dict(os.environ, COLUMNS="200"))
        self.assert_done(wide)
        for name in ("full", "fibonacci", "Methods.Nested.method", "make.<locals>.made"):
            self.assertRegex(wide.stdout.decode(), r"(?m)  %s +lru_caches.py:\d+$" % re.escape(name))
        few = harness.run_tool("caches", "-p", target.pid, "--interval", "0", "--limit", "2")
        self.assert_done(few)
        self.assertRegex(few.stdout.decode(), r"\nand \d+ more \(--limit 0 shows all, --json has them all\)\n\Z")


class CachesOfSubInterpreters(CachesTest):
    minors = ("3.8", "3.12", "3.13", "3.15")

    def test_each_interpreter_has_its_own(self):
        target = self.target("sub_interpreter_caches.py", lifetime=20)
        rows = self.document(target, "--interval", "0")["caches"]
        found = [[row[name] for name in ("name", "interpreter", "hits", "misses", "maxsize")] for row in rows
                 if row["module"] == "__main__"]
        self.assertEqual(sorted(found), target.truth["caches"])


class CachesOfDjango(CachesTest):
    minors = ("3.8", "3.11", "3.13", "3.15")

    def test_django(self):
        """A site tells the counts of Django's own caches when asked, and is then left alone."""
        with django_site.Site(self.python, "asyncio") as site:
            site.request("/sync")
            truth = site.request("/lru_caches")
            document = self.document(site, "--interval", "0")
        found = {row["id"]: row for row in document["caches"]}
        django = {key: fact for key, fact in truth.items() if fact["module"].startswith("django.")}
        self.assertGreater(len(django), 10)
        self.assertIn("_get_cached_resolver", [fact["name"] for fact in django.values()])
        missing = {key: fact for key, fact in django.items() if key not in found}
        self.assertEqual(missing, {})
        for key, fact in django.items():
            row = found[key]
            for name in ("name", "module", "maxsize"):
                self.assertEqual(row[name], fact[name], fact)
            # The answer to the request that told the truth may itself have used some.
            calls = fact["hits"] + fact["misses"]
            self.assertTrue(calls <= row["hits"] + row["misses"] <= calls + 50, (fact, row))
            self.assertTrue(fact["currsize"] <= row["currsize"] <= fact["currsize"] + 10, (fact, row))


class CacheErrors(harness.ToolTest):

    def test_usage(self):
        shown = harness.run_tool("caches", "--help")
        self.assert_done(shown)
        self.assertEqual([line for line in shown.stdout.decode().splitlines() if len(line) > 80], [])
        self.assert_error(harness.run_tool("caches"), 2)
        self.assert_error(harness.run_tool("caches", "-p", 1, "--interval", "soon"), 2)
        self.assert_error(harness.run_tool("caches", "-p", 1, "--limit", "-1"), 2)
        self.assert_error(harness.run_tool("caches", "-p", 4194303), 4)
