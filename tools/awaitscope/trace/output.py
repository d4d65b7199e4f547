"""What the agent writes, and the state of its process."""


class File:
    """Appends to a file of this process, as long as it is ours: a program may close descriptors that it does not know."""

    def __init__(self, path):
        self.path = path
        self.descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
                                  0o600)
        found = os.fstat(self.descriptor)
        self.identity = found.st_dev, found.st_ino

    def is_ours(self):
        try:
            found = os.fstat(self.descriptor)
        except OSError:
            return None
        return found if (found.st_dev, found.st_ino) == self.identity else None

    def append(self, data):
        """False if it was not written, or not whole; then nothing more is."""
        found = self.is_ours()
        if found is None:
            try:
                self.descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
            except OSError:
                return False
            found = self.is_ours()
        if found is None or found.st_blocks * 512 > MOST_BYTES:
            return False
        try:
            return os.write(self.descriptor, data) == len(data)
        except OSError:
            return False

    def close(self):
        if self.is_ours() is not None:
            os.close(self.descriptor)


class State:
    on = False
    process = 0
    control = None  # the thread that sees to the end
    tool = watcher = None  # ids of sys.monitoring
    folder = ""
    subprocesses = launched = False
    deadline = None
    calls = notes = None  # Files
    ending = ""
    failed = 0
    paths_noted = False
    replaced = False  # the profile function, by one of the program
    failure = ""


TARGETS = {}  # by the code's id
WANTED = {}  # module: {pattern: whether a function was found}
OPEN = {}  # calls that go on, by their frame's id
INNERMOST = {}  # of a thread: the call of a plain function that it is in
THREADS = set()  # whose names were noted
LOST = {}  # calls that could not be written, by their function's number
RECORDS = __import__("_collections").deque()
FLUSHING = STOPPING = WAKE = None  # locks
KEY = b""


def note(event, **fields):
    """A line of JSON. json itself need not be loaded for it."""
    def written(value):
        if type(value) is bool:
            return "true" if value else "false"
        return str(value) if type(value) is int else quoted(value.encode("utf-8", "replace").decode())
    line = ", ".join("%s: %s" % (quoted(name), written(value)) for name, value in dict(fields, event=event).items())
    State.notes.append(("{%s}\n" % line).encode())


def flush(patience=0):
    """Writes what there is. Another thread may be doing so: then it has to be waited for, or is left to it."""
    if not FLUSHING.acquire(patience > 0, patience or -1):
        return
    try:
        taken = []
        while RECORDS:
            taken.append(RECORDS.popleft())
        if taken and not State.calls.append(b"".join(taken)):
            for record in taken:
                number = int.from_bytes(record[:4], "little")
                LOST[number] = LOST.get(number, 0) + 1
    finally:
        FLUSHING.release()


def note_losses():
    for number in list(LOST):
        note("lost", number=number, lost=LOST.pop(number))


def note_paths():
    """By which files are named; once the program has put its own in front."""
    if State.paths_noted:
        return
    State.paths_noted = True
    try:
        here = os.getcwd()
    except OSError:
        here = ""
    paths = [path or here for path in sys.path if type(path) is str]
    note("paths", name="\n".join(paths)[:30000])


def note_thread(thread):
    THREADS.add(thread)
    threading = sys.modules.get("threading")
    known = attributes(threading).get("_active", {}).get(_thread.get_ident()) if threading else None
    name = attributes(known).get("_name")
    note("thread", tid=thread, name=name if type(name) is str else "")


def is_own(error):
    """Whether an error is one of this file: the program's handlers of signals run, and raise, wherever they find us."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_globals is globals()


def count_failure(error):
    State.failed += 1
    State.failure = State.failure or "%s in line %d" % (type(error).__name__, error.__traceback__.tb_lineno)
