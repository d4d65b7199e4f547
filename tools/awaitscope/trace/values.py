"""Hashes of values."""


# Only types that are exactly these are read: a subclass may define anything. By id, since a metaclass may define __hash__.
SCALARS = frozenset(map(id, (int, float, complex, bool, type(None), str, bytes)))
SIMPLE = frozenset(map(id, (int, type(None), str, bytes)))  # of these, those that equal nothing of another type
MUTABLE = frozenset(map(id, (list, dict, set, bytearray)))
DEEPEST = 8


def encode_datetime(value):
    zone = value.tzinfo
    fixed = attributes(sys.modules["datetime"]).get("timezone")
    if zone is not None:
        zone = zone.utcoffset(None).total_seconds() if type(zone) is fixed else number_of(zone)
    return value.replace(tzinfo=None).isoformat(), value.fold, zone


MOST_OBJECTS = 1 << 16  # that are known at a time
OBJECTS = {}  # by their ids: a weak reference, and a number that no other object has
NUMBERS = count(1)


def number_of(value):
    """Tells objects apart, also one that was made at the address of another one that has died. Those that no weak reference can be
    made of get another number each time, which is negative."""
    known = OBJECTS.get(id(value))
    if known is not None and known[0]() is value:
        return known[1]
    number = next(NUMBERS)
    try:
        reference = weak_reference(value)
    except TypeError:
        return -number
    if len(OBJECTS) >= MOST_OBJECTS:
        OBJECTS.clear()
    OBJECTS[id(value)] = reference, number
    return number


ENCODERS = {}  # by the type's id
TO_LEARN = {  # once the program has imported them
    "decimal": [("Decimal", lambda value: next(NUMBERS) if value.is_nan() else str(value))],  # a nan equals no other one
    "datetime": [("datetime", encode_datetime), ("time", encode_datetime), ("date", lambda value: value.isoformat()),
                 ("timedelta", lambda value: (value.days, value.seconds, value.microseconds))],
    "uuid": [("UUID", lambda value: value.int)],
}
KNOWN_TYPES = []  # what ENCODERS names lives as long as this


def number_key(value, kind):
    """Equal for equal numbers of any type, as lru_cache takes them: 1, 1.0 and True."""
    if kind is complex:
        if value.imag != 0:
            return value
        value, kind = value.real, float
    if kind is bool or (kind is float and value.is_integer()):
        return int(value)
    return value if value == value else ("nan", next(NUMBERS))


def learn_types():
    for module in [name for name in TO_LEARN if name in sys.modules]:
        for name, encoder in TO_LEARN.pop(module):
            kind = attributes(sys.modules[module]).get(name)
            if kind is not None:
                KNOWN_TYPES.append(kind)
                ENCODERS[id(kind)] = name, encoder


def model_key(value, bases):
    """The primary key of a saved Django model, or None."""
    django = sys.modules.get("django.db.models.base")
    model = attributes(django).get("Model") if django is not None else None
    if model is None or not any(base is model for base in bases):
        return None
    options = next((dict_of(base)["_meta"] for base in bases if "_meta" in dict_of(base)), None)
    column = attributes(attributes(options).get("pk")).get("attname")
    return attributes(value).get(column)


OBJECT_HASH = object.__dict__["__hash__"]  # by identity


class Values:
    """Turns values into what marshal can write, and notes what they were hashed by."""

    __slots__ = ("typed", "by_identity", "unhashable", "model", "may_equal")

    def __init__(self, typed=False):
        self.typed = typed  # 1.0 is not 1
        self.by_identity = self.unhashable = self.model = self.may_equal = False

    def encode(self, value, depth=0):
        kind = type(value)
        if id(kind) in SCALARS:
            return value if self.typed or id(kind) in SIMPLE else number_key(value, kind)
        if kind is tuple and depth < DEEPEST:
            return "tuple", tuple([self.encode(item, depth + 1) for item in value])
        if kind is frozenset and depth < DEEPEST:
            parts = [digest_of(self.encode(item, depth + 1)) for item in value]
            return "frozenset", len(parts), sum(parts) & LAST
        if id(kind) in MUTABLE:
            self.unhashable = True
            return "at", id(value)
        if TO_LEARN:
            learn_types()
        known = ENCODERS.get(id(kind))
        if known is not None:
            return known[0], known[1](value)
        return self.encode_object(value, kind)

    def encode_object(self, value, kind):
        bases = mro_of(kind)
        if any(base is type for base in bases):  # a class is one object
            return "class", number_of(value)
        if any(dict_of(base).get("__module__") == "enum" for base in mro_of(type(kind))):
            return "enum", id(value)  # a member is one object
        key = model_key(value, bases)
        if key is not None and id(type(key)) in SCALARS | frozenset(ENCODERS):
            self.model = True
            return "model", id(kind), self.encode(key)
        hashed_by = next((dict_of(base)["__hash__"] for base in bases if "__hash__" in dict_of(base)), None)
        if hashed_by is None:
            self.unhashable = True
        self.by_identity = True
        if any("__next__" in dict_of(base) for base in bases):  # an iterator is another one once it was used
            return "at", next(NUMBERS)
        number = number_of(value)
        if hashed_by is not OBJECT_HASH or number < 0:  # a namedtuple, a frozen dataclass, a Path, a subclass of str
            self.may_equal = True
        return "at", number


def digest_of(encoded):
    """64 bits that are never 0: the interpreter's own SipHash (Python/pyhash.c), with a secret of this recording in front."""
    return hash(KEY + marshal.dumps(encoded, 2)) & LAST or 1  # version 2: without references


def hash_arguments(target, values):
    """-> (self, all others, flags); NOTHING for what it has not."""
    seen, flags = Values(), 0
    first = NOTHING
    if target.has_self:
        first = digest_of(seen.encode(values[0]))
        if seen.by_identity or seen.unhashable:
            flags = ARGUMENT_IDENTITY | (ARGUMENT_UNHASHABLE if seen.unhashable else 0) | \
                (ARGUMENT_MAY_EQUAL if seen.may_equal else 0)
            seen = Values()
        values = values[1:]
    if not values:
        return first, NOTHING, flags
    others = [target.number]  # two lambdas of one line have one name, and a cache each
    if SIMPLE.issuperset(map(id, map(type, values))):
        return first, digest_of((*others, *values)), flags
    last = len(values) - 1
    for at, value in enumerate(values):
        if at == last and target.keywords and all(type(name) is str for name in value):
            # **kwargs, in their order, which a cache minds too
            others.append(("keywords", tuple([(name, seen.encode(item)) for name, item in value.items()])))
        else:
            others.append(seen.encode(value))
    flags |= (ARGUMENT_IDENTITY if seen.by_identity else 0) | (ARGUMENT_UNHASHABLE if seen.unhashable else 0) | \
        (ARGUMENT_MAY_EQUAL if seen.may_equal else 0)
    return first, digest_of(tuple(others)), flags | (ARGUMENT_MODEL if seen.model else 0)


def hash_result(value):
    if id(type(value)) in SCALARS:
        return digest_of(value), 0
    seen = Values(typed=True)
    encoded = seen.encode(value)
    flags = RESULT_UNHASHABLE if seen.unhashable else 0
    if seen.by_identity:  # the next one may be another object at the same address
        flags |= RESULT_IDENTITY | RESULT_UNREAD
    return digest_of(encoded), flags
