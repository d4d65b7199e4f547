"""What traced functions call: effects of theirs are effects of their callers, and no returned value shows them.

By the names in their code, as the module's and the class's dicts resolve them when a function is called first and once more. What is called by
other means (a value out of a container, an argument) is not seen.
"""

DEEPEST_CALLEE = 8  # from a traced function
MOST_CALLEES = 2000  # of a process, in both rounds
DEEPEST_CHAIN = 3  # os.path.join
STANDARD = os.path.dirname(os.__file__) + "/"
CALLEES = {}  # code objects that were noted, by their ids and rounds; kept alive, so that no other one takes the id
ROUNDS = 2  # the first call of a function imports what the second one finds
Module = type(sys)
Builtin = type(len)
module_of_class = type.__dict__["__module__"].__get__
name_of_class = type.__dict__["__qualname__"].__get__


class Callee:
    """A code object with what its names are looked up in."""

    __slots__ = ("code", "name", "scope", "closure", "owner")

    def __init__(self, code, name, scope, closure, owner):
        self.code, self.name, self.scope, self.closure = code, name, scope, closure
        self.owner = owner  # the class of `self`, or None

    def label(self):
        """As code_label() in model/code_table.hpp has it."""
        return "%s (%s:%d)" % (self.name, self.code.co_filename, self.code.co_firstlineno)


def callee_of(function, owner):
    code = function.__code__
    closure = {}
    for name, cell in zip(code.co_freevars, function.__closure__ or ()):
        try:
            closure[name] = cell.cell_contents
        except ValueError:  # it is empty yet
            pass
    return Callee(code, getattr(code, "co_qualname", function.__qualname__), function.__globals__, closure, owner)


def functions_behind(value):
    """Every function on the way from decorators, methods, properties and caches inwards."""
    for _ in range(20):
        if type(value) is Function:
            yield value
            value = value.__dict__.get("__wrapped__")
        elif type(value) is property:
            for function in (value.fset, value.fdel):
                if type(function) is Function:
                    yield function
            value = value.fget
        elif type(value) in (staticmethod, classmethod, Method):
            value = value.__func__
        else:
            own = attributes(value)
            value = own.get("__wrapped__", own.get("func"))
        if value is None:
            return


class Reach:
    """What the names of one code object stand for: lines of (chain of names, "uses" or "calls", for what)."""

    def __init__(self, callee):
        self.names = callee.code.co_names
        self.lines, self.callees, self.inner = [], [], []
        for name in self.names:
            value = dict.get(callee.scope, name) if type(callee.scope) is dict else None
            if value is not None:
                self.resolve(name, value, 0)
            elif type(sys.modules.get(name)) is Module:  # the function imports it, or something out of it
                self.resolve_import(name, attributes(sys.modules[name]))
        for value in callee.closure.values():
            self.add_functions("", value, None)
        if callee.owner is not None:
            self.add_members("", callee.owner)
            if "super" in self.names:
                self.add_inherited(callee.owner)
        for inner in callee.code.co_consts:
            if type(inner) is Code:
                name = getattr(inner, "co_qualname", callee.name + ".<locals>." + inner.co_name)
                self.inner.append(Callee(inner, name, callee.scope, {}, callee.owner))

    def resolve(self, chain, value, depth):
        kind = type(value)
        if kind is Module:
            names = attributes(value)
            self.add_use(chain, names.get("__name__"))
            for name in self.names if depth < DEEPEST_CHAIN else ():
                if names.get(name) is not None:
                    self.resolve(chain + "." + name, names[name], depth + 1)
        elif kind is Builtin:
            owner = value.__self__
            self.add_use(chain, "%s.%s" % (value.__module__ or name_of_class(type(owner)), value.__name__))
        elif is_class(value):
            self.add_use(chain, self.name_of(value))
            for name in ("__new__", "__init__", "__post_init__"):
                self.add_member(chain, value, name)
            self.add_members(chain, value)
        elif not self.add_functions(chain, value, None):
            bases = mro_of(kind)
            is_iterator = any("__next__" in dict_of(base) for base in bases)
            self.add_use(chain, "iterator." + chain if is_iterator else self.name_of(kind))
            self.add_members(chain, kind)
            for name in ("__call__", "__enter__", "__exit__", "__getitem__"):  # NAME(), with NAME, NAME[]
                self.add_member(chain, kind, name)

    def resolve_import(self, module, names):
        for name in self.names:
            if names.get(name) is not None:
                self.resolve(module, names[name], DEEPEST_CHAIN)

    def add_inherited(self, kind):
        """What super() may lead to."""
        for base in mro_of(kind)[1:]:
            for name in self.names:
                if name in dict_of(base):
                    self.add_functions("super", dict_of(base)[name], kind)

    def name_of(self, kind):
        module = module_of_class(kind)
        return "%s.%s" % (module if type(module) is str else "?", name_of_class(kind))

    def add_use(self, chain, name):
        if type(name) is str and name != chain:
            self.lines.append((chain, "uses", name))

    def add_members(self, chain, kind):
        for name in self.names:
            self.add_member(chain + "." + name, kind, name)

    def add_member(self, chain, kind, name):
        member = next((dict_of(base)[name] for base in mro_of(kind) if name in dict_of(base)), None)
        if member is not None:
            self.add_functions(chain, member, kind)

    def add_functions(self, chain, value, owner):
        found = False
        for function in functions_behind(value):
            found = True
            callee = callee_of(function, owner)
            self.callees.append(callee)
            if is_of_library(callee.code) and type(function.__module__) is str:  # whatever name it was imported under
                self.add_use(chain, "%s.%s" % (function.__module__, function.__qualname__))
            self.lines.append((chain, "calls", callee.label()))
        return found


def is_standard(code):
    file = code.co_filename
    return file.startswith("<frozen ") or (file.startswith(STANDARD) and "-packages" not in file)


def is_of_library(code):
    return is_standard(code) or "-packages/" in code.co_filename


def note_callees(target, scope, closure, owner):
    waiting = [(Callee(target.code, target.name, scope, closure, owner), 0)]
    for callee, depth in waiting:  # grows
        reach = Reach(callee)
        note("callee", name=callee.name, resolved="\n".join(map("\t".join, reach.lines)),
             contains="\n".join(inner.label() for inner in reach.inner), **code_fields(callee.code))
        for found in reach.callees + reach.inner:
            if is_standard(found.code):  # what matters of it goes by its names
                continue
            mark = id(found.code), target.rounds
            if depth < DEEPEST_CALLEE and mark not in CALLEES and len(CALLEES) < MOST_CALLEES:
                CALLEES[mark] = found.code
                waiting.append((found, depth + 1))
