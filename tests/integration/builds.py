"""Makes other builds of an interpreter that is at hand: copies without symbols, and programs that embed it."""
import json
import os
import re
import shutil
import struct
import subprocess

import harness

HOSTS = os.path.join(harness.TARGETS, "hosts")

# Copies an interpreter's executable and its libpython, if it has one, as they are mapped; says what it knows of itself.
_COPY = """
import json, os, shutil, sys, sysconfig
folder = sys.argv[1]
library = None
for line in open('/proc/self/maps'):
    path = line.split(None, 5)[-1].strip()
    if os.path.basename(path).startswith('libpython3.') and '.so' in path:
        library = path
executable = os.path.realpath(sys.executable)
for path in (executable, library):
    if path is not None:
        shutil.copy(path, os.path.join(folder, os.path.basename(path)))
name = 'python%d.%d' % sys.version_info[:2]
static = os.path.join(sysconfig.get_config_var('LIBPL') or '', 'lib%s.a' % name)
print(json.dumps({
    'executable': os.path.basename(executable), 'library': library and os.path.basename(library), 'name': name,
    'library_path': library, 'home': sys.base_prefix, 'static': static if os.path.exists(static) else None,
    'libraries': ' '.join(sysconfig.get_config_var(key) or '' for key in ('LIBS', 'SYSLIBS')).split()}))
"""


class Copy:
    """An interpreter's executable and libpython in a folder of their own, to be changed at will."""

    def __init__(self, interpreter, folder):
        self.interpreter = interpreter
        self.folder = folder
        done = subprocess.run([interpreter.path, "-I", "-c", _COPY, folder], stdout=subprocess.PIPE, check=True, timeout=60)
        self.facts = json.loads(done.stdout.decode())
        self.executable = os.path.join(folder, self.facts["executable"])
        self.library = self.facts["library"] and os.path.join(folder, self.facts["library"])

    def files(self):
        return [path for path in (self.executable, self.library) if path]

    def how(self, program=None, folder=None):
        """-> (command, environment) that run the copy, or a program that embeds the same interpreter."""
        command, environment = self.interpreter.program(program or self.executable)
        return command, dict(environment, PYTHONHOME=self.facts["home"], LD_LIBRARY_PATH=folder or self.folder)


def strip(path):
    subprocess.run(["strip", "-s", path], check=True)


def drop_section_headers(path):
    """What remains is what a loader needs: segments, and the dynamic symbols that PT_DYNAMIC names."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    start = struct.unpack_from("<Q", data, 0x28)[0]  # Elf64_Ehdr.e_shoff
    struct.pack_into("<Q", data, 0x28, 0)
    struct.pack_into("<HHH", data, 0x3A, 0, 0, 0)  # e_shentsize, e_shnum, e_shstrndx
    mode = os.stat(path).st_mode
    with open(path + ".new", "wb") as file:
        file.write(data[:start])
    os.chmod(path + ".new", mode)
    os.replace(path + ".new", path)


def address_of(path, symbol):
    """-> (its place in the file, its size), of a dynamic symbol."""
    listed = subprocess.run(["readelf", "-W", "--dyn-syms", path], stdout=subprocess.PIPE, check=True).stdout.decode()
    fields = [line.split() for line in listed.splitlines() if line.split()[-1:] == [symbol]]
    address, size = int(fields[0][1], 16), int(fields[0][2], 0)
    listed = subprocess.run(["readelf", "-lW", path], stdout=subprocess.PIPE, check=True).stdout.decode()
    for line in listed.splitlines():
        if line.split()[:1] == ["LOAD"]:
            offset, start, length = (int(line.split()[at], 16) for at in (1, 2, 4))
            if start <= address < start + length:
                return address - start + offset, size
    raise ValueError("%s is in no segment of %s" % (symbol, path))


COOKIE = b"xdebugpy"  # what _Py_DebugOffsets begins with (CPython 3.13+, Include/internal/pycore_debug_offsets.h)


def pretend(path, minor, words=()):
    """Has an interpreter's file say that it is that minor: in _Py_DebugOffsets, in Py_Version and in PY_VERSION. `words` are
    written into _Py_DebugOffsets: (number, value). -> whether this is the file that holds the interpreter."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    runtimes = [found.start() for found in re.finditer(COOKIE, data)
                if found.start() % 8 == 0 and data[found.start() + 11] == 3]  # the version, 0x03mmpprr, is next
    if not runtimes:
        return False
    for at in [runtime + 8 for runtime in runtimes] + [address_of(path, "Py_Version")[0]]:
        data[at + 2] = minor
    for number, value in words:
        for at in runtimes:
            struct.pack_into("<Q", data, at + 8 * number, value)
    own = re.compile(rb"(?<=\x003\.)\d\d(?=\.\d+[a-z0-9+]*\x00)")
    data = own.sub(b"%d" % minor, bytes(data))
    with open(path, "r+b") as file:
        file.write(data)
    return True


def compiler():
    return shutil.which("cc") or shutil.which("gcc")


def compile_host(source, output, *flags):
    subprocess.run([compiler(), "-O1", "-o", output, os.path.join(HOSTS, source), *flags], check=True)
