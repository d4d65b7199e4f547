"""Which functions are traced."""


class Target:
    """A code object whose calls are counted."""

    __slots__ = ("number", "module", "name", "code", "names", "has_self", "keywords", "suspends", "returns", "yields", "starts", "calls",
                 "rounds", "reached")

    def __init__(self, number, code, module, name):
        self.number, self.module, self.name = number, module, name
        self.code = code  # kept alive: it is known by its id
        count = code.co_argcount + code.co_kwonlyargcount
        count += 1 if code.co_flags & CO_VARARGS else 0
        self.keywords = bool(code.co_flags & CO_VARKEYWORDS)
        self.names = code.co_varnames[:count + self.keywords]
        parts = name.split(".")
        self.has_self = len(parts) > 1 and parts[-2] != "<locals>" and code.co_argcount > 0 and \
            self.names[0] in ("self", "cls")
        self.suspends = bool(code.co_flags & CO_SUSPENDS)
        self.returns = self.yields = self.starts = None
        self.calls = 0
        self.rounds = 0  # of note_callees()
        self.reached = []  # what was noted by reach_out()
        if MONITORING is None:
            from opcode import opmap
            bytecode = code.co_code
            ends = (opmap["RETURN_VALUE"],)
            waits = [opmap[op] for op in ("YIELD_VALUE", "YIELD_FROM", "RETURN_GENERATOR") if op in opmap]
            self.returns = frozenset(i for i in range(0, len(bytecode), 2) if bytecode[i] in ends)
            self.yields = frozenset(i for i in range(0, len(bytecode), 2) if bytecode[i] in waits)
            resume = opmap.get("RESUME")  # with 0: a start (3.11)
            self.starts = frozenset(i for i in range(0, len(bytecode), 2) if bytecode[i] == resume and
                                    bytecode[i + 1] & 3 == 0) | {-1}
            if "YIELD_FROM" in opmap:  # a frame that waits in one stands in front of it (Python/ceval.c, to run it again)
                self.yields |= frozenset(i - 2 for i in self.yields if bytecode[i] == opmap["YIELD_FROM"])


    def note(self):
        note("function", number=self.number, module=self.module, name=self.name, **code_fields(self.code))


def code_fields(code):
    """What the recorder needs to judge whether a function could be cached."""
    cells = [name for name in code.co_cellvars if name not in code.co_varnames]
    if sys.version_info >= (3, 11):  # one list of slots
        slots = list(code.co_varnames) + cells + list(code.co_freevars)
        derefs = slots
    else:
        slots, derefs = list(code.co_varnames), list(code.co_cellvars) + list(code.co_freevars)
    bytecode = code.co_code if len(code.co_code) <= MOST_BYTECODE else b""
    return {"file": code.co_filename, "line": code.co_firstlineno, "flags": code.co_flags,
            "positional": code.co_argcount, "keyword_only": code.co_kwonlyargcount, "names": "\n".join(code.co_names),
            "locals": "\n".join(slots), "derefs": "\n".join(derefs), "free": "\n".join(code.co_freevars),
            "bytecode": bytecode.hex()}


def unwrapped(value):
    """The function behind decorators, methods, properties, caches; None if there is none. Runs no code of the program."""
    for _ in range(20):
        kind = type(value)
        if kind is Function:
            inner = value.__dict__.get("__wrapped__")
            if inner is None:
                return value
            value = inner
        elif kind in (staticmethod, classmethod):
            value = value.__func__
        elif kind is property:
            value = value.fget
        elif kind is Method:
            value = value.__func__
        else:
            own = attributes(value)
            value = own.get("__wrapped__", own.get("func"))
            if value is None:
                return None
    return None


def is_class(value):
    return any(base is type for base in mro_of(type(value)))


def codes_within(code, prefix=""):
    """(qualified name, code) of every function that is defined in a code object."""
    for inner in code.co_consts:
        if type(inner) is not Code:
            continue
        is_function = inner.co_flags & CO_OPTIMIZED
        name = inner.co_qualname if hasattr(inner, "co_qualname") else prefix + inner.co_name
        if is_function:
            yield name, inner
        yield from codes_within(inner, name + (".<locals>." if is_function else "."))


def functions_in(names, prefix=""):
    """(qualified name, code) of the functions that a module's or a class's dict leads to."""
    for name, value in list(names.items()):
        if type(name) is not str or name == "__loader__":  # that of the import system
            continue
        if is_class(value):
            if not prefix:
                members = {}
                for base in reversed(mro_of(value)[:-1]):
                    members.update((key, member) for key, member in dict_of(base).items() if type(key) is str)
                yield from functions_in(members, name + ".")
            continue
        function = unwrapped(value)
        if function is not None:
            yield prefix + name, function.__code__
            yield from codes_within(function.__code__, prefix + name + ".<locals>.")


def closest(word, words):
    from difflib import get_close_matches
    found = get_close_matches(word, [other for other in words if len(other) < 200], 1)
    if not found and "." not in word:
        found = [other for other in words if other.rpartition(".")[2] == word][:1]
    return found[0] if found else ""


def add(module, name, code):
    if id(code) in TARGETS:
        return
    target = Target(len(TARGETS), code, module, name)
    target.note()
    TARGETS[id(code)] = target
    if State.tool is not None:
        MONITORING.set_local_events(State.tool, code, LOCAL_EVENTS)


def take(module, pattern, functions, only_file=None):
    """Traces those of the functions that the pattern names."""
    from fnmatch import fnmatchcase
    for name, code in functions:
        many = "*" in pattern
        if (fnmatchcase(name, pattern) if many else name == pattern) and \
                (only_file is None or not many or code.co_filename == only_file):
            WANTED[module][pattern] = True
            add(module, name, code)


def learn(code, frame):
    """A module begins: its functions are known before any of them is called."""
    module = frame.f_globals.get("__name__")
    if type(module) is not str or module not in WANTED:
        return
    functions = list(codes_within(code))
    for pattern in WANTED[module]:
        take(module, pattern, functions)
    if module != "__main__" or all(WANTED[module].values()):
        MET.add(module)
        stop_watching_if_met()


MET = set()


def stop_watching_if_met():
    if State.watcher is not None and MET.issuperset(WANTED):
        MONITORING.set_events(State.watcher, 0)
        MONITORING.register_callback(State.watcher, MONITORING.events.PY_START, None)
        MONITORING.free_tool_id(State.watcher)
        State.watcher = None


def namespace_of(module):
    """The dict of a module that was imported whole, or None."""
    found = sys.modules.get(module)
    names = attributes(found) if found is not None else None
    if not names or attributes(names.get("__spec__")).get("_initializing"):
        return None
    return names


# What reaches out of the process below names that say nothing of it (`order.items.count()`): module, class, functions, and what it is.
REACHING_OUT = [("django.db.backends.utils", "CursorWrapper", ("execute", "executemany", "callproc"), ".execute"),
                ("sqlalchemy.engine.default", "DefaultDialect", ("do_execute", "do_executemany"), ".execute"),
                ("http.client", "HTTPConnection", ("request",), "http.client.request"),
                ("logging", "Logger", ("handle",), "logging.handle"),
                ("subprocess", "Popen", ("__init__",), "subprocess.Popen")]
WITNESSES = {}  # by the code's id: the code, and what it is


def find_witnesses():
    """Those of the modules that the program has imported. Called at each tick, and when a traced function is first called."""
    for row in list(REACHING_OUT):
        module, kind, functions, what = row
        names = namespace_of(module)
        if names is None:
            continue
        try:
            REACHING_OUT.remove(row)
        except ValueError:  # another thread was faster
            continue
        found = names.get(kind)
        for function in functions if is_class(found) else ():
            code = getattr(unwrapped(dict_of(found).get(function)), "__code__", None)
            if code is not None:
                WITNESSES[id(code)] = code, what
                if State.tool is not None and id(code) not in TARGETS:
                    MONITORING.set_local_events(State.tool, code, MONITORING.events.PY_START)


def look_up(module, pattern):
    """In a module that is there. -> whether anything was found"""
    names = namespace_of(module)
    if names is None:
        return False
    take(module, pattern, list(functions_in(names)), names.get("__file__"))
    return WANTED[module][pattern]


def missing(module, pattern):
    """(what is wrong, the remedy)"""
    names = namespace_of(module)
    if names is None:
        near = closest(module, [name for name in list(sys.modules) if type(name) is str])
        what = "module %s is not imported" % module
        hint = "did you mean %s?" % near if near else "name it as it is in sys.modules (__main__ for the script itself)"
        return what, hint
    near = closest(pattern, [name for name, _ in functions_in(names)])
    return ("module %s has no function %s" % (module, pattern),
            "did you mean %s:%s?" % (module, near) if near else "name a function that is written in Python: MODULE:FUNCTION"
            " or MODULE:CLASS.METHOD")


REFUSED = set()


def settle(last):
    """Names that were not found when their module began: imported from elsewhere, made at run time, or wrong."""
    for module, patterns in WANTED.items():
        for pattern, found in list(patterns.items()):
            if found or (module, pattern) in REFUSED or look_up(module, pattern):
                continue
            if last or (namespace_of(module) is not None and module != "__main__"):
                REFUSED.add((module, pattern))
                what, hint = missing(module, pattern)
                note("missing", what=what, hint=hint)
