"""Which Pythons are on this machine: asked of each executable itself, one for each minor."""
import glob
import os
import re
import shutil
import subprocess

# The minors that awaitscope promises to read. One that the machine lacks is a line in the output, never silence.
SUPPORTED = ("3.11", "3.12", "3.13")
# Too old to be read: each must be refused with a clear error.
TOO_OLD = ("2.7", "3.6")

_ASK = (
    "import sys; v = sys.version_info; sys.stdout.write('%d.%d %d.%d.%d%s %s' % (v[0], v[1], v[0], v[1], v[2], "
    "'' if v[3] == 'final' else v[3], sys.executable))"
)


class Interpreter:
    def __init__(self, minor, version, path):
        self.minor = minor
        self.version = version
        self.path = path

    def __str__(self):
        return "Python %s: %s" % (self.version, self.path)


def ask(executable):
    """The Interpreter behind an executable, or None where it does not run."""
    try:
        done = subprocess.run([executable, "-c", _ASK], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20)
        minor, version, path = done.stdout.decode().split(" ", 2)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    return Interpreter(minor, version, os.path.realpath(path) if done.returncode == 0 else executable)


def candidates():
    """Executables to ask, in order of preference."""
    named = re.split(r"[:\s]+", os.environ.get("AWAITSCOPE_PYTHONS", "").strip())
    found = [path for path in named if path]
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    found += sorted(glob.glob(os.path.join(root, "versions", "*", "bin", "python")))
    names = ["python3", "python"] + ["python" + minor for minor in SUPPORTED + TOO_OLD]
    found += [path for path in map(shutil.which, names) if path]
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
