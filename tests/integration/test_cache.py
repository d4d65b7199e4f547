"""record --args and report -f cache: what a cache would hit and save, against what a program says that it did."""
import ctypes
import ctypes.util
import json
import stat
import struct
import os

import harness
import recordings

RATE = 1000
MINORS = ("3.8", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")


def decompressed(path):
    """All blocks of a recording: behind its head, each frame's data is a part of one zstd stream (recording/format.hpp)."""
    with open(path, "rb") as file:
        content = file.read()
    data = b""
    at = 16
    while at + 16 <= len(content):
        length, _ = struct.unpack_from("<II", content, at)
        data += content[at + 16:at + 16 + length]
        at += 16 + length
    library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")

    class Buffer(ctypes.Structure):
        _fields_ = [("bytes", ctypes.c_void_p), ("size", ctypes.c_size_t), ("at", ctypes.c_size_t)]

    library.ZSTD_createDStream.restype = ctypes.c_void_p
    library.ZSTD_decompressStream.restype = ctypes.c_size_t
    stream = ctypes.c_void_p(library.ZSTD_createDStream())
    source = ctypes.create_string_buffer(data, len(data))
    taken = Buffer(ctypes.addressof(source), len(data), 0)
    text = b""
    while taken.at < len(data):
        room = ctypes.create_string_buffer(1 << 17)
        given = Buffer(ctypes.addressof(room), len(room), 0)
        if library.ZSTD_isError(library.ZSTD_decompressStream(stream, ctypes.byref(given), ctypes.byref(taken))):
            raise AssertionError("no zstd stream")
        text += room.raw[:given.at]
    return text


class CacheTest(recordings.RecordingTest):

    def record_target(self, what, *args, options=("--args",)):
        """-> (target, recording), of all that the target does."""
        target = self.target("cached_calls.py", "--what", what, *map(str, args), lifetime=230)
        path = self.path(what + ".ascope")
        target_done = lambda: target.counters()["done"]

        def begun_and_done():
            if not target.counters()["go"]:
                target.set_counter("go", 1)
            return target_done()

        self.record_until(target, begun_and_done, "-r", RATE, "-o", path, *options, within=200)
        return target, path

    def rows(self, path, *args):
        document = json.loads(self.report(path, "-f", "cache", "--json", *args))
        self.assertEqual(document["schema"], 1)
        rows = document["functions"]
        self.assertEqual(rows, sorted(rows, key=lambda row: -row["saving_ns"]))
        return {row["function"].rpartition(".")[2]: row for row in rows}

    def calls(self, target):
        """{function: [(begin, CPU time, key), …]}"""
        calls = {}
        with open(target.truth["log"], encoding="ascii") as file:
            for line in file:
                name, begun, _, cpu_ns, key = line.split()
                calls.setdefault(name, []).append((int(begun), int(cpu_ns), int(key)))
        return calls


class Streams(CacheTest, harness.InterpreterTest):
    minors = ("3.8", "3.11", "3.13", "3.15")
    timing_sensitive = True

    def test_hit_rates(self):
        """Of keys that repeat in known ways: a rate is a lower bound, and near the truth where calls are long."""
        target, path = self.record_target("streams")
        rows = self.rows(path)
        for name, calls in self.calls(target).items():
            if name in ("overwriting", "few", "many"):
                continue
            row = rows[name]
            true_rate = 1 - len({key for _, _, key in calls}) / len(calls)
            said = "%s: %s; truly %.3f of %d calls" % (name, row, true_rate, len(calls))
            self.assertEqual(row["hit_rate_kind"], "at_least", said)
            self.assertLessEqual(row["hit_rate"], true_rate + 0.02, said)
            if name.startswith("dear"):
                self.assertGreaterEqual(row["hit_rate"], true_rate - 0.10, said)
                self.assertLessEqual(row["distinct_args"], len({key for _, _, key in calls}), said)
            for smaller, larger in zip(row["by_maxsize"], row["by_maxsize"][1:]):
                self.assertLessEqual(smaller["hit_rate"], larger["hit_rate"] + 1e-9, said)
            self.assertIs(row["confirmed"], None)
        self.assertTrue(rows["dear_uniform"]["recommended"], rows["dear_uniform"])
        self.assertFalse(rows["dear_unique"]["recommended"], rows["dear_unique"])
        self.assertFalse(rows["overwriting"]["recommended"], rows["overwriting"])
        self.assertIn("sets its own arguments", " ".join(rows["overwriting"]["reasons"]))
        method = rows["price"]  # of few objects and of many
        self.assertGreaterEqual(method["selves"], 100, method)
        self.assertGreaterEqual(method["hit_rate_without_self"], 0.9, method)
        self.assertLess(method["hit_rate"], 0.55, method)

    def test_savings(self):
        """What the calls cost, by their own clocks, that do no work when the program really caches."""
        target, path = self.record_target("streams", "--dear", 300, "--cheap", 4000)
        rows = self.rows(path)
        cached = self.target("cached_calls.py", "--what", "streams", "--cached", "--dear", "300", "--cheap", "4000",
                             "--rounds", str(target.truth["rounds"]), lifetime=60)
        cached.set_counter("go", 1)
        self.wait_for("the cached program did not end", lambda: cached.counters()["done"], 60)
        with_cache = self.calls(cached)
        for name, calls in self.calls(target).items():
            if name not in ("dear_zipf", "dear_uniform", "cheap_uniform", "dear_bursts"):
                continue
            # Not the difference of what both programs used: the machine's speed is another by then.
            usual = sorted(cpu for _, cpu, _ in calls)[len(calls) // 2]
            hits = [cpu < usual / 2 for _, cpu, _ in with_cache[name]]
            self.assertEqual(len(hits), len(calls))
            saved = sum(cpu for (_, cpu, _), hit in zip(calls, hits) if hit)
            predicted = rows[name]["saving_ns"]
            self.assertLessEqual(abs(predicted - saved), 0.20 * saved,
                                 "%s: %d predicted, %d saved; %s" % (name, predicted, saved, rows[name]))


class Kinds(CacheTest, harness.InterpreterTest):
    minors = MINORS

    def test_equal_values_are_told_to_be(self):
        target, path = self.record_target("kinds")
        rows = self.rows(path)
        del target
        expected = {"truth": 2, "none": 1}
        names = ("small large negative real imaginary truth none ascii latin wide widest long bytes_ decimal_ date moment naive "
                 "clock delta uuid_ colour nested frozen class_ star keywords keyword_only default celled").split()
        for name in names:
            self.assertEqual(rows[name]["distinct_args"], expected.get(name, 3), "%s: %s" % (name, rows[name]))
            self.assertTrue(rows[name]["hashable"], rows[name])
            self.assertFalse([reason for reason in rows[name]["reasons"] if "identity" in reason], rows[name])


class Unfit(CacheTest, harness.InterpreterTest):
    minors = MINORS

    def test_none_is_recommended(self):
        _, path = self.record_target("unfit")
        rows = self.rows(path)
        for name in ("clock chance counting given_list generated awaited fresh comprehended closed written attribute").split():
            self.assertFalse(rows[name]["recommended"], rows[name])
            self.assertTrue(rows[name]["reasons"], rows[name])
            self.assertIsNot(rows[name]["confirmed"], True)
        reasons = {name: " ".join(row["reasons"]) for name, row in rows.items()}
        self.assertIn("reads the time", reasons["clock"])
        self.assertIn("random", reasons["chance"])
        self.assertIn("COUNTS", reasons["counting"])
        self.assertFalse(rows["given_list"]["hashable"])
        self.assertIn("generator", reasons["generated"])
        self.assertIn("coroutine", reasons["awaited"])
        self.assertIn("list", reasons["fresh"])
        self.assertIn("dict", reasons["comprehended"])
        self.assertIn("counter", reasons["closed"])
        self.assertIn("I/O", reasons["written"])
        self.assertIn("changes", reasons["attribute"])


class Values(CacheTest, harness.EndsTest):

    def test_none_is_recorded(self):
        """Nothing of an argument is in the file, unless it was asked for; then it is for its owner alone."""
        target, path = self.record_target("secrets")
        text, number = target.truth["secrets"]
        content = decompressed(path)
        self.assertIn(b"keep", content)  # it is what was recorded
        for secret in (text.encode(), str(number).encode(), number.to_bytes(8, "little")):
            self.assertNotIn(secret, content)
        self.assertGreater(self.rows(path)["keep"]["calls_seen"], 10)
        shown_target, shown = self.record_target("secrets", options=("--args", "--show-args"))
        self.assertIn(shown_target.truth["secrets"][0].encode(), decompressed(shown))
        self.assertEqual(stat.S_IMODE(os.stat(shown).st_mode), 0o600)
        self.assertTrue(self.rows(shown)["keep"]["examples"])


class Options(CacheTest, harness.ToolTest):

    def test_choice(self):
        target = self.target("cached_calls.py", "--what", "streams", "--cheap", "10", "--dear", "60", lifetime=60)
        path = self.path("chosen.ascope")
        target.set_counter("go", 1)
        result = harness.run_tool("record", "-p", target.pid, "-d", 1, "-r", RATE, "-o", path, "--args=burn")
        self.assert_done(result)
        self.assertEqual(set(self.rows(path)), {"burn"})

    def test_what_has_no_effect_is_refused(self):
        self.assert_error(harness.run_tool("record", "-p", "1", "--show-args"), 2)
        self.assert_error(harness.run_tool("record", "-p", "1", "--args", "-f", "folded"), 2)

    def test_a_recording_without(self):
        target = self.target("steady.py", lifetime=30)
        path, _ = self.record_file(target, "-d", 1)
        self.assert_error(harness.run_tool("report", path, "-f", "cache"), 1)
