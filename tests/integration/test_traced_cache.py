"""trace and report -f cache: what is confirmed, and what counts as equal."""
import json
import os

import django_site
import harness
from traces import TraceTest


class Unfit(TraceTest):
    minors = ("3.8", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")

    def test_none_is_confirmed(self):
        """Only what always returned the same for the same arguments, and does nothing else, is."""
        ready = self.path("ready.json")
        script = os.path.join(harness.TARGETS, "unfit_calls.py")
        result = harness.run_tool("trace", "-o", self.recording, "-m", "__main__:*", "--", self.python, script, "--ready",
                                  ready)
        self.assert_done(result)
        with open(ready, encoding="utf-8") as file:
            truth = json.load(file)
        calls = self.report("hot")
        cache = self.report("cache")
        for name in truth["unfit"] + truth["fit"]:
            self.assertEqual(calls[name]["calls"], truth["calls"], name)
        for name in truth["unfit"]:
            self.assertIsNot(cache[name]["confirmed"], True, cache[name])
            self.assertFalse(cache[name]["recommended"], cache[name])
        for name in truth["fit"]:
            self.assertIs(cache[name]["confirmed"], True, cache[name])
            self.assertEqual(cache[name]["hit_rate_kind"], "measured")
            self.assertEqual(cache[name]["calls_seen"], truth["calls"])
            self.assertEqual(cache[name]["distinct_args"], 1)


class Objects(TraceTest):
    minors = ("3.8", "3.11", "3.13", "3.15")

    SCRIPT = """
import collections, decimal, pathlib
class Box:
    pass
Point = collections.namedtuple("Point", "x y")
class Name(str):
    pass
def pointed(point):
    return 1
def named(name):
    return 1
def located(path):
    return 1
def undefined(number):
    return 1
class Slim:
    __slots__ = ()
def temporary(box):
    return 1
def slim(box):
    return 1
def batch(box):
    return 1
def lasting(box):
    return 1
def number(n, m):
    return 1
boxes = [Box() for _ in range(4)]
ids = set()
for n in range(200):
    temporary(Box())
    ids.add(id(Box()))
    slim(Slim())
    lasting(boxes[n % 4])
    number((1, 1.0, True, 1 + 0j)[n % 4], 2)
    pointed(Point(1, n % 2))
    named(Name("a"))
    located(pathlib.PurePosixPath("a"))
    undefined(decimal.Decimal("NaN"))
assert len(ids) < 100  # their addresses are used again
for n in range(20):
    for box in [Box() for _ in range(10)]:
        batch(box)
"""

    def test_another_object_at_an_address_is_another_one(self):
        """What lru_cache would have hit: nothing of the new ones, all but the first of the others."""
        script = self.path("script.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(self.SCRIPT)
        self.assert_done(harness.run_tool("trace", "-o", self.recording, "-m", "__main__:*", "--", self.python, script))
        rows = self.report("cache")
        expected = {"temporary": 0, "slim": 0, "batch": 0, "lasting": 1 - 4 / 200, "number": 1 - 1 / 200,
                    "undefined": 0}
        for name, rate in expected.items():
            self.assertEqual(rows[name]["calls_seen"], 200, rows[name])
            self.assertAlmostEqual(rows[name]["hit_rate"], rate, 9, rows[name])
            # That of an object without weak references may be more: nobody knows whether it is the same one.
            self.assertEqual(rows[name]["hit_rate_kind"], "at_least" if name == "slim" else "measured", rows[name])
        for name in ("pointed", "named", "located"):  # their classes have an __eq__, which the tracer does not call
            self.assertEqual(rows[name]["hit_rate_kind"], "at_least", rows[name])
            self.assertIn("has an __eq__ of its own", " ".join(rows[name]["reasons"]), rows[name])


class Odd(TraceTest):
    minors = ("3.8", "3.13")

    SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import odd_functions
for name, function, args in odd_functions.calls(lambda rounds: sum(range(3000)), 10, 36):
    function(*args)
"""

    def test_functions_that_are_no_plain_ones(self):
        script = self.path("script.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(self.SCRIPT)
        self.assert_done(harness.run_tool("trace", "-o", self.recording, "-m", "odd_functions:*", "--", self.python, script,
                                          harness.TARGETS))
        rows = self.report("cache")
        expected = {"decorated": 3, "<lambda>": 6, "Account.of_class": 3, "Account.of_none": 3, "positional": 3, "frozen_dict": 3,
                    "outer_one.<locals>.same_name": 3, "outer_two.<locals>.same_name": 1, "iterated": 36}
        for name, distinct in expected.items():
            self.assertEqual(rows[name]["calls_seen"], 36, rows[name])
            self.assertEqual(rows[name]["distinct_args"], distinct, rows[name])
            self.assertIs(rows[name]["confirmed"], None if distinct == 36 else True, rows[name])
        self.assertFalse([reason for reason in rows["Account.of_class"]["reasons"] if "identity" in reason])
        self.assertFalse(rows["Account.of"]["hashable"], rows["Account.of"])
        for name in ("Slotted.moving", "More.derived", "iterated", "Report.worth", "Account.of", "make_anew"):
            self.assertFalse(rows[name]["recommended"], rows[name])


class Database(TraceTest):
    minors = ("3.8", "3.13", "3.15")

    SCRIPT = """
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
import django
django.setup()
from django.db import connection, models
class Shop(models.Model):
    name = models.CharField(max_length=10)
    class Meta:
        app_label = "shop"
class Item(models.Model):
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="items")
    class Meta:
        app_label = "shop"
def counted(shop):
    return shop.items.count()
def followed(item):
    return item.shop.name
def below(shop):
    return counted(shop) + 1
def named(shop):
    return shop.name + "!"
with connection.schema_editor() as schema:
    schema.create_model(Shop)
    schema.create_model(Item)
shop = Shop.objects.create(name="a")
Item.objects.create(shop=shop)
for _ in range(40):
    counted(shop)
    below(shop)
    named(shop)
    followed(Item.objects.get(pk=1))
"""

    def test_a_function_that_asks_the_database_is_not_confirmed(self):
        """By whatever names: nothing in its code says so."""
        script = self.path("script.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(self.SCRIPT)
        python = django_site.environment(self.python)
        self.assert_done(harness.run_tool("trace", "-o", self.recording, "-m", "__main__:*", "--", python, script))
        rows = self.report("cache")
        for name in ("counted", "followed", "below"):
            self.assertEqual(rows[name]["calls_seen"], 80 if name == "counted" else 40, rows[name])
            self.assertIsNot(rows[name]["confirmed"], True, rows[name])
            self.assertFalse(rows[name]["recommended"], rows[name])
            self.assertIn("uses the database", " ".join(rows[name]["reasons"]), rows[name])
        self.assertIs(rows["named"]["confirmed"], True, rows["named"])
