"""Which Pythons are on this machine: asked of each executable itself, one for each minor."""
import functools
import glob
import os
import re
import shutil
import subprocess

# The minors that awaitscope promises to read. One that the machine lacks is a line in the output, never silence.
SUPPORTED = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
# What tests run on unless they name minors of their own: the ends, and one of each kind of frame (3.11, 3.13).
CHOICE = ("3.8", "3.11", "3.13", "3.15")
# Builds without a GIL, which few machines have (scripts/pythons --free-threaded). The tests that say so run on them too.
FREE_THREADED = ("3.13t", "3.14t")
# Too old to be read: each must be refused with a clear error.
TOO_OLD = ("2.7", "3.6")

# A free-threaded minor is one of its own, 3.14t, and so is a debug build, 3.14d; the m that 3.7 and before had says
# nothing. The file tells an interpreter in a root of its own from one that has its name here.
_ASK = """
import os, sys
v = sys.version_info
minor = '%d.%d%s' % (v[0], v[1], getattr(sys, 'abiflags', '').replace('m', ''))
version = '%d.%d.%d%s' % (v[0], v[1], v[2], '' if v[3] == 'final' else v[3])
info = os.stat(sys.executable)
qualname = hasattr(compile('', '', 'exec'), 'co_qualname')
sys.stdout.write('%s %s %d:%d %d %s' % (minor, version, info.st_dev, info.st_ino, qualname, sys.executable))
"""


class Interpreter:
    def __init__(self, minor, version, path, has_qualname, in_root):
        self.minor = minor
        self.version = version
        self.path = path
        self.has_qualname = has_qualname  # code objects have co_qualname
        self.in_root = in_root  # it runs in a root of its own: `path` is what enters that

    def program(self, path):
        """-> (command, environment) that run a program which is as this interpreter, in its place."""
        return ([self.path], {"AWAITSCOPE_PROGRAM": path}) if self.in_root else ([path], {})

    def __str__(self):
        return "Python %s: %s" % (self.version, self.path)


@functools.lru_cache(None)
def ask(executable):
    """The Interpreter behind an executable, or None where it does not run."""
    try:
        done = subprocess.run([executable, "-c", _ASK], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20)
        minor, version, file, qualname, path = done.stdout.decode().split(" ", 4)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    in_root = not _is_file(path, file)
    path = os.path.abspath(executable) if in_root else os.path.realpath(path)
    return Interpreter(minor, version, path, qualname == "1", in_root)


def include_directory(executable):
    """Where the interpreter says that its headers are; they need not be there."""
    done = subprocess.run([executable, "-c", "import sysconfig; print(sysconfig.get_path('include'))"],
                          stdout=subprocess.PIPE, universal_newlines=True, check=True, timeout=20)
    return done.stdout.strip()


def _is_file(path, identity):
    """Whether that path is here the file that the interpreter named."""
    try:
        info = os.stat(path)
    except OSError:
        return False
    return "%d:%d" % (info.st_dev, info.st_ino) == identity


@functools.lru_cache(None)
def brought():
    """What scripts/pythons made, if it was run: it is only asked what is there."""
    scripts = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "scripts")
    done = subprocess.run([os.path.join(scripts, "pythons"), "--list"], stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().splitlines()


def age(minor):
    """Orders minors, the ordinary builds after those that are named by a letter: 3.14t, 3.13, 3.14."""
    return minor[-1].isdigit(), int(re.search(r"\.(\d+)", minor).group(1))


def named():
    """The executables that AWAITSCOPE_PYTHONS names."""
    return [path for path in re.split(r"[:\s]+", os.environ.get("AWAITSCOPE_PYTHONS", "")) if path]


def candidates():
    """Executables to ask, in order of preference."""
    found = named()
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    found += sorted(glob.glob(os.path.join(root, "versions", "*", "bin", "python")))
    names = ["python3", "python"] + ["python" + minor for minor in SUPPORTED + FREE_THREADED + TOO_OLD]
    found += [path for path in map(shutil.which, names) if path]
    found += brought()
    unique = []
    for path in found:
        if path not in unique:
            unique.append(path)
    return unique


def discover(minors):
    """{minor: Interpreter} for those of `minors` that are here; the first that answers wins."""
    found = {}
    for executable in candidates():
        interpreter = ask(executable)
        if interpreter is not None and interpreter.minor in minors:
            found.setdefault(interpreter.minor, interpreter)
    return found


def choice(found):
    """The minors of `found` to test with: those that AWAITSCOPE_PYTHONS names, or else CHOICE; all where none of it is here."""
    given = {interpreter.minor for interpreter in map(ask, named()) if interpreter is not None}
    return [minor for minor in found if minor in (given or CHOICE)] or list(found)
