"""record --args and report -f cache: what a cache would hit and save, against what a program says that it did."""
import ctypes
import ctypes.util
import json
import stat
import struct
import os

import django_site
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

    def log(self, target):
        """-> {function: [key of each call]}, {function: CPU time in nanoseconds}, {function: [that of each call]}"""
        with open(target.truth["log"], encoding="ascii") as file:
            log = json.load(file)
        return log["keys"], log["cpu_ns"], log["each_ns"]


class Streams(CacheTest, harness.InterpreterTest):
    """Of keys that repeat in known ways, one recording for all."""
    minor_matters = False
    timing_sensitive = True

    def test_hit_rates_and_savings(self):
        target, path = self.record_target("streams")
        rows = self.rows(path)
        keys, cpu_ns, each_ns = self.log(target)
        for name in keys:
            if name in rows and name != "overwriting":
                self.check_rate(name, rows[name], keys[name], each_ns[name])
        self.check_choice(rows)
        for name in ("dear_zipf", "dear_uniform", "dear_bursts", "cheap_uniform"):
            # What a cache really saved, of the same calls at the same time.
            saved = cpu_ns[name] - cpu_ns["kept_" + name]
            self.assertEqual(keys[name], keys["kept_" + name])
            self.assertLessEqual(abs(rows[name]["saving_ns"] - saved), 0.20 * saved,
                                 "%s: %d saved of %d; %s" % (name, saved, cpu_ns[name], rows[name]))

    def check_rate(self, name, row, calls, each_ns):
        """A rate is a lower bound, and near the truth where calls are long: the part of the time that is not in first calls."""
        first_ns = {}
        for key, length_ns in zip(calls, each_ns):
            first_ns.setdefault(key, length_ns)
        keys = set(calls)
        true_rate = 1 - sum(first_ns.values()) / sum(each_ns)
        said = "%s: %s; truly %.3f of %d calls" % (name, row, true_rate, len(calls))
        self.assertEqual(row["hit_rate_kind"], "at_least", said)
        self.assertLessEqual(row["hit_rate"], true_rate + 0.02, said)
        if name.startswith("dear"):
            self.assertGreaterEqual(row["calls_seen"], 300, said)
            self.assertGreaterEqual(row["hit_rate"], true_rate - 0.10, said)
            self.assertLessEqual(row["distinct_args"], len(keys), said)
        # Of a cache of bounded size samples say nothing: any number of keys may come between two samples.
        self.assertEqual([size["hit_rate"] for size in row["by_maxsize"]], [None, None, row["hit_rate"]], said)
        self.assertIs(row["confirmed"], None)

    def check_choice(self, rows):
        self.assertTrue(rows["dear_uniform"]["recommended"], rows["dear_uniform"])
        self.assertFalse(rows["dear_unique"]["recommended"], rows["dear_unique"])
        self.assertFalse(rows["overwriting"]["recommended"], rows["overwriting"])
        self.assertIn("sets its own arguments", " ".join(rows["overwriting"]["reasons"]))
        method = rows["price"]  # of few objects and of many
        self.assertGreaterEqual(method["selves"], 100, method)
        self.assertGreaterEqual(method["hit_rate_without_self"], 0.9, method)
        self.assertLess(method["hit_rate"], 0.55, method)


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
        for name in ("undefined", "undefined_decimal"):  # one nan equals no other one
            self.assertEqual(rows[name]["hit_rate"], 0, rows[name])


class Models(CacheTest, harness.InterpreterTest):

    def setUp(self):
        super().setUp()
        self.python = django_site.environment(self.python)

    def test_keys_are_class_and_primary_key(self):
        _, path = self.record_target("models")
        rows = self.rows(path)
        expected = {"renamed": 1, "two_classes": 2}
        for name in "automatic renamed by_text by_uuid inherited one_to_one two_classes deferred in_tuple priced".split():
            self.assertEqual(rows[name]["distinct_args"], expected.get(name, 3), "%s: %s" % (name, rows[name]))
            self.assertTrue(rows[name]["hashable"], rows[name])
            self.assertFalse([reason for reason in rows[name]["reasons"] if "identity" in reason], rows[name])
        self.assertEqual(rows["priced"]["selves"], 3)
        self.assertEqual(rows["drafts"]["distinct_args"], 3, rows["drafts"])  # not saved, so that each is another one
        self.assertTrue([reason for reason in rows["drafts"]["reasons"] if "identity" in reason], rows["drafts"])


class Odd(CacheTest, harness.InterpreterTest):

    def test_functions_that_are_no_plain_ones(self):
        _, path = self.record_target("odd")
        rows = self.rows(path)
        expected = {"decorated": 3, "<lambda>": 6, "of_class": 3, "of_none": 3, "positional": 3, "frozen_dict": 3, "redefined": 6,
                    "number": 1}
        for name, distinct in expected.items():
            self.assertEqual(rows[name]["distinct_args"], distinct, rows[name])
            self.assertTrue(rows[name]["hashable"], rows[name])
        fit = ("decorated", "<lambda>", "of_class", "of_none", "positional", "patterned", "itemised", "number", "importing",
               "tupled")
        self.assertEqual([rows[name] for name in fit if not rows[name]["recommended"]], [])
        self.assertEqual(rows["steady"]["selves"], 3)
        for name in ("temporary", "steady"):  # one address may be two objects
            self.assertEqual(rows[name]["hit_rate"], 0, rows[name])
        self.assertGreater(rows["steady"]["hit_rate_if_same_objects"], 0.5, rows["steady"])
        unfit = {"moving": "changes", "derived": "changes", "iterated": "another object each time", "worth": "cached_property",
                 "temporary": "awaitscope trace can", "steady": "awaitscope trace can", "frozen_dict": "awaitscope trace can",
                 "touching": "calls touch, which sets the attribute value", "timed": "reads the time",
                 "touching_below": "calls touch, which sets the attribute value", "threaded": "depends on the thread",
                 "touching_in_class": "sets the attribute value", "contextual": "context",
                 "configured": "reads Config.rate, which is no argument, and changes",
                 "scaled": "calls factor, which reads FACTOR, which changes", "aliased": "sets TABLE[]",
                 "aliased_twice": "sets TABLE[]", "appending": "changes an object that lives on (LISTS[].append)",
                 "set_by_method": "changes an object that lives on (TABLE.__setitem__)",
                 "calling": "__call__, which sets the attribute value",
                 "looked_up": "reads PRICES, which is no argument, and changes", "split": "returns a new list",
                 "one_shot": "returns a new map", "of": "unhashable", "redefined": "reads the time", "wrapper": "reads the outer variable function"}
        if self.interpreter.has_qualname:  # 3.11+; before that, what is called is not told from what is loaded
            self.assertTrue(rows["collected"]["recommended"], rows["collected"])
        for name, reason in unfit.items():
            self.assertFalse(rows[name]["recommended"], rows[name])
            self.assertIn(reason, " ".join(rows[name]["reasons"]), rows[name])
        self.assertFalse([name for name in rows if name in ("<module>", "<genexpr>") and rows[name]["recommended"]])
        document = json.loads(self.report(path, "-f", "cache", "--json"))
        named_so = [row for row in document["functions"] if row["function"].rpartition(".")[2] == "same_name"]
        self.assertEqual(sorted(row["distinct_args"] for row in named_so), [1, 3], named_so)
        for row in named_so if self.interpreter.has_qualname else []:
            self.assertIn("is defined inside a function", " ".join(row["reasons"]))


class Launched(CacheTest, harness.InterpreterTest):
    """Recorded from its first line on: what functions call is found once their module is there."""

    SCRIPT = """
import itertools, random, time
def chance(n):
    return burn_some() + CHANCE.triangular(0, n + 1)
def counted(n):
    return burn_some() + next(COUNTER) + n
def noted(n):
    NOTES.take(n)
    return burn_some() + n
def fit(n):
    return burn_some() + n
def burn_some():
    return add_up(ROUNDS)
def add_up(rounds):
    total = 0
    for i in range(rounds):
        total += i
    return total
def rounds_of(seconds):
    begun, rounds = time.thread_time(), 0
    while time.thread_time() < begun + 0.1:
        add_up(1000)
        rounds += 1000
    return int(rounds * seconds / 0.1)
class Notes:
    def take(self, n):
        self.last = n
time.sleep(0.5)
NOTES, CHANCE, COUNTER = Notes(), random.Random(), itertools.count()
ROUNDS = rounds_of(0.004)
for n in range(90):
    for function in (chance, counted, noted, fit):
        function(n % 3)
"""

    def test_what_is_called_is_found(self):
        script, path = self.path("script.py"), self.path("launched.ascope")
        with open(script, "w", encoding="utf-8") as file:
            file.write(self.SCRIPT)
        self.assert_done(harness.run_tool("record", "--args", "-r", RATE, "-o", path, "--", self.python, script))
        rows = self.rows(path)
        unfit = {"chance": "random", "counted": "uses up an iterator", "noted": "take, which sets the attribute last"}
        for name, reason in unfit.items():
            self.assertFalse(rows[name]["recommended"], rows[name])
            self.assertIn(reason, " ".join(rows[name]["reasons"]), rows[name])
        self.assertTrue(rows["fit"]["recommended"], rows["fit"])


class Unfit(CacheTest, harness.InterpreterTest):
    minors = MINORS

    def test_none_is_recommended(self):
        _, path = self.record_target("unfit")
        rows = self.rows(path)
        for name in ("clock chance counting keyed given_list generated awaited fresh comprehended closed written attribute").split():
            self.assertFalse(rows[name]["recommended"], rows[name])
            self.assertTrue(rows[name]["reasons"], rows[name])
            self.assertIsNot(rows[name]["confirmed"], True)
        reasons = {name: " ".join(row["reasons"]) for name, row in rows.items()}
        self.assertIn("reads the time", reasons["clock"])
        self.assertIn("random", reasons["chance"])
        self.assertIn("COUNTS", reasons["counting"])
        self.assertIn("sets KEYED[]", reasons["keyed"])
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

    def record_chosen(self, pattern):
        target = self.target("cached_calls.py", "--what", "streams", "--cheap", "10", "--dear", "60", lifetime=60)
        path = self.path("chosen.ascope")
        target.set_counter("go", 1)
        result = harness.run_tool("record", "-p", target.pid, "-d", 1, "-r", RATE, "-o", path, "--args=" + pattern)
        self.assert_done(result)
        return path, result

    def test_choice(self):
        path, _ = self.record_chosen("burn")
        self.assertEqual(set(self.rows(path)), {"burn"})

    def test_a_pattern_that_fits_nothing(self):
        _, result = self.record_chosen("absent.py")
        self.assertIn("--args fits no function that was sampled", result.stderr)
        self.assertIn("main (cached_calls.py)", result.stderr)

    def test_what_has_no_effect_is_refused(self):
        self.assert_error(harness.run_tool("record", "-p", "1", "--show-args"), 2)
        self.assert_error(harness.run_tool("record", "-p", "1", "--args", "-f", "folded"), 2)

    def test_a_recording_without(self):
        target = self.target("steady.py", lifetime=30)
        path, _ = self.record_file(target, "-d", 1)
        self.assert_error(harness.run_tool("report", path, "-f", "cache"), 1)
