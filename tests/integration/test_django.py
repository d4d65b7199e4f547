"""Django under uvicorn and load: what a view's tasks do stands under the view, and the view under Django."""
import sys
import time

import django_site
import folded
import harness
import recordings

ENOUGH_NS = 0.1e9  # that each leaf can run meanwhile, however long that takes on a busy machine
PATHS = ["/gather=2", "/async=1", "/sync=1", "/mixed=1"]
ASGI = "django/core/handlers/asgi.py"
FETCHES = ("fetch_profile", "fetch_orders", "fetch_news")


class Django(recordings.RecordingTest, harness.InterpreterTest):

    def record_site(self, loop):
        """-> (stacks, {leaf's chain: how long it ran or waited for a CPU, by the site's own count})."""
        with django_site.Site(self.python, loop) as site:
            self.assertEqual(site.truth["loop"], loop)
            self.lacks.update(site.truth["lacks"])
            paths = PATHS if "taskgroup_view" in self.lacks else PATHS + ["/taskgroup=1"]
            with django_site.Load(sys.executable, site, ",".join(paths)) as load:
                # Connections, caches and imports of the first requests.
                self.wait_for("not every view was served", lambda: len(site.stats()["requests"]) >= len(paths))
                time.sleep(0.5)
                marks = []
                stacks, self.result = self.folded_until(site, lambda: self.worked(site, marks), "-r", 1000)
            self.assertEqual(load.report["errors"], 0, load.report["first_errors"])
            self.assertFalse(site.ended())
        before, after = marks[0], marks[-1]
        spent = {key: after[key] - before.get(key, 0) for key in after}
        return stacks, spent

    def worked(self, site, marks):
        """Adds to the site's own counts while it is recorded -> whether each leaf was at work for long enough meanwhile."""
        marks.append(site.stats()["leaf_runnable_ns"])
        time.sleep(0.5)  # the loop that answers is the one that is measured
        return min(marks[-1][key] - marks[0].get(key, 0) for key in marks[-1]) > ENOUGH_NS

    def assert_under(self, stacks, picked, chain, share):
        """At least `share` of the samples of `picked` stacks have `chain` in them, in order."""
        total = folded.total(picked)
        self.assertGreater(total, 50, "hardly any sample: %s" % self.result.stderr)
        wrong = [stack for stack in picked if not stack.in_order(chain)]
        example = " > ".join(wrong[0].names) if wrong else ""
        self.assertLessEqual(folded.total(wrong), (1 - share) * total,
                             "%d of %d not under %s: %s" % (folded.total(wrong), total, chain, example))

    def check_site(self, loop):
        under_django = self.named("ASGIHandler.__call__")
        stacks, spent = self.record_site(loop)
        in_fetches = [stack for stack in stacks if any(map(stack.has, FETCHES)) or stack.has("render_fragment")]
        self.assert_under(stacks, in_fetches, [under_django, "gather_view"], 0.97)
        rendering = [stack for stack in in_fetches if stack.has("render_fragment")]
        counts = {}
        for fetch in FETCHES:
            chain = [under_django, "gather_view", fetch, "render_fragment"]
            counts[fetch] = sum(stack.count for stack in rendering if stack.in_order(chain))
        self.assertGreaterEqual(sum(counts.values()), 0.97 * folded.total(rendering), counts)
        truth = {fetch: spent["gather_view/%s/render_fragment" % fetch] for fetch in FETCHES}
        due = sum(truth.values()) / 1e9 * harness.ticks_a_second(self.result.stderr)
        self.assertGreaterEqual(sum(counts.values()), 0.6 * due, self.result.stderr)
        for fetch in FETCHES:
            seen, true = (count[fetch] / sum(count.values()) for count in (counts, truth))
            # The recording has some requests more: it begins before the site's figures, and ends after them.
            chance = 4 * (true * (1 - true) / sum(counts.values())) ** 0.5  # of as many samples drawn at random
            self.assertLessEqual(abs(seen - true), max(0.08, chance), "%s; truth %s" % (counts, truth))
        for leaf, chain in (("score_report", ["async_view", "load_report"]), ("price_quote", ["taskgroup_view"])):
            if chain[0] in self.lacks:
                continue
            picked = [stack for stack in stacks if stack.has(leaf)]
            self.assert_under(stacks, picked, [under_django] + chain + [leaf], 0.97)
        # Through a worker thread, and back to the loop.
        for leaf, chain in (("rank_products", ["sync_view"]), ("query_prices", []),
                            ("write_notice", ["mixed_view", "update_prices", "notify"])):
            picked = [stack for stack in stacks if stack.has(leaf)]
            self.assert_under(stacks, picked, [under_django] + chain + [leaf], 0.97)
        unreadable = sum(stack.count for stack in stacks if stack.unreadable)
        self.assertLessEqual(unreadable, 0.01 * folded.total(stacks), self.result.stderr)
        files = {frame.file for stack in stacks for frame in stack.frames if frame.name == under_django}
        self.assertIn(ASGI, files)

    def test_asyncio_loop(self):
        self.check_site("asyncio")

    def test_uvloop(self):
        if django_site.lacks_uvloop(self.python):
            self.skipTest("pip has no uvloop for %s" % self.interpreter)
        self.check_site("uvloop")
