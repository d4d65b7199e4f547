"""How the agent comes into the program, and out of it."""


def install():
    """None, or (what is wrong, the remedy)."""
    global LOCAL_EVENTS
    if MONITORING is None:
        import threading
        if sys.getprofile() is not None or threading._profile_hook is not None:
            return ("the program has set a profile function (sys.setprofile) of its own",
                    "run it without the profiler, debugger or coverage tool that set it")
        threading.setprofile(on_profile)
        sys.setprofile(on_profile)
        return None
    events = MONITORING.events
    free = [number for number in (3, 4, 5, 2, 1, 0) if MONITORING.get_tool(number) is None]
    if len(free) < 1 + State.launched:  # a watcher is for modules that are not imported yet
        return ("every tool id of sys.monitoring is in use", "run it without other profilers, debuggers or coverage tools")
    State.tool = free[0]
    MONITORING.use_tool_id(State.tool, "awaitscope trace")
    for event, callback in ((events.PY_START, on_start), (events.PY_RETURN, on_return), (events.PY_UNWIND, on_unwind)):
        MONITORING.register_callback(State.tool, event, callback)
    LOCAL_EVENTS = events.PY_START | events.PY_RETURN
    if sys.version_info >= (3, 15):
        LOCAL_EVENTS |= events.PY_UNWIND
    else:  # is known only for all functions together
        MONITORING.set_events(State.tool, events.PY_UNWIND)
    for target in TARGETS.values():
        MONITORING.set_local_events(State.tool, target.code, LOCAL_EVENTS)
    if State.launched:
        State.watcher = free[1]
        MONITORING.use_tool_id(State.watcher, "awaitscope trace")
        MONITORING.register_callback(State.watcher, events.PY_START, on_module)
        MONITORING.set_events(State.watcher, events.PY_START)
        stop_watching_if_met()
    return None


def uninstall():
    if MONITORING is None:
        threading = sys.modules["threading"]
        if threading._profile_hook is on_profile:
            threading.setprofile(None)
        if sys.getprofile() is on_profile:
            sys.setprofile(None)  # other threads remove it themselves, at their next event
        return
    MET.update(WANTED)
    stop_watching_if_met()
    for code in [target.code for target in TARGETS.values()] + [code for code, _ in WITNESSES.values()]:
        MONITORING.set_local_events(State.tool, code, 0)
    MONITORING.set_events(State.tool, 0)
    for event in (MONITORING.events.PY_START, MONITORING.events.PY_RETURN, MONITORING.events.PY_UNWIND):
        MONITORING.register_callback(State.tool, event, None)
    MONITORING.free_tool_id(State.tool)
    State.tool = None


def follow_fork():
    """In a child that a traced process has forked. Whether its calls are counted."""
    OPEN.clear()
    INNERMOST.clear()
    THREADS.clear()
    RECORDS.clear()
    for file in (State.calls, State.notes):
        file.close()
    if not State.subprocesses:
        State.on = False
        State.process = 0
        atexit.unregister(at_exit)
        uninstall()
        return False
    State.failed = 0
    LOST.clear()
    CALLEES.clear()
    open_files()
    for target in TARGETS.values():
        target.calls = 0
        target.rounds = 0
        target.reached = []
        target.note()
    note("ready", cpu=time.process_time_ns())
    start_control()
    return True


def before_fork():
    """A fork is to find the threads that the program has, and no more: it warns of others since 3.12."""
    if State.on and os.getpid() == State.process:
        end_control()


def after_fork_in_parent():
    if State.on and os.getpid() == State.process:
        WAKE.acquire(False)
        start_control()


def after_fork_in_child():
    if State.on and os.getpid() != State.process:
        follow_fork()


def stop(why):
    """Takes everything out again."""
    if not STOPPING.acquire(False):
        return
    State.on = False
    uninstall()
    settle(True)
    for place in list(OPEN):
        call = OPEN.pop(place, None)
        if call is not None:
            end(call, time.monotonic_ns(), UNFINISHED | RESULT_UNREAD)
    flush(1)
    atexit.unregister(at_exit)
    note_losses()
    note_paths()
    note("end", why=why, cpu=time.process_time_ns(), failed=State.failed, failure=State.failure,
         calls=sum(target.calls for target in TARGETS.values()))
    State.calls.close()
    State.notes.close()


def at_exit():
    if os.getpid() != State.process:
        return
    end_control()
    stop("exit")
    if not recorder_listens():
        clean_up()


def recorder_listens():
    """The recorder holds the other end of a FIFO open: whatever ends it closes that."""
    try:
        os.close(os.open(State.folder + "/alive", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        from errno import EMFILE, ENFILE
        return error.errno in (EMFILE, ENFILE)
    return True


def clean_up():
    """Removes the files of a recorder that was killed."""
    if os.path.exists(State.folder + "/ending"):
        return
    try:
        for folder, _, files in os.walk(State.folder, topdown=False):
            for name in files:
                os.unlink(os.path.join(folder, name))
            os.rmdir(folder)
    except OSError:  # it is not the program's to clean up, where it cannot
        pass


def start_control():
    State.control = None
    _thread.start_new_thread(control, ())
    while State.control is None:
        time.sleep(0.0001)


def end_control():
    """Waits until the thread is gone."""
    WAKE.acquire(False)
    WAKE.release()
    for _ in range(1000):
        if not os.path.exists("/proc/self/task/%d" % State.control):
            break
        time.sleep(0.0001)


def control():
    """The thread that sees to the end."""
    State.control = _thread.get_native_id()
    try:
        while not WAKE.acquire(True, TICK) and State.on:
            flush()
            note_losses()
            note_paths()
            if MONITORING is None and sys.modules["threading"]._profile_hook is not on_profile:
                note_replaced()
            if State.deadline is not None and time.monotonic_ns() >= State.deadline:
                stop("time")
            elif not recorder_listens():
                stop("recorder")
                clean_up()
            else:
                settle(False)
                find_witnesses()
    except Exception as error:
        count_failure(error)
        stop("failure")


def open_files():
    global FLUSHING, STOPPING, WAKE
    FLUSHING, STOPPING, WAKE = [_thread.allocate_lock() for _ in range(3)]
    WAKE.acquire()
    State.process = os.getpid()
    State.notes = File("%s/%d.notes" % (State.folder, State.process))
    State.calls = File("%s/%d.calls" % (State.folder, State.process))
    note("start", pid=State.process, python="%d.%d.%d" % sys.version_info[:3], executable=sys.executable or "")


def refuse(what, hint):
    note("refused", what=what, hint=hint)
    State.calls.close()
    State.notes.close()


def start(functions, seconds):
    open_files()
    for name in functions:
        module, _, function = name.partition(":")
        WANTED.setdefault(module, {})[function] = False
    for module, patterns in WANTED.items():
        for pattern in patterns:
            if not look_up(module, pattern) and not State.launched:
                what, hint = missing(module, pattern)
                return refuse(what, hint)
        if State.launched and module != "__main__" and namespace_of(module) is not None:
            MET.add(module)
    if seconds:
        State.deadline = time.monotonic_ns() + int(seconds * 1e9)
    State.on = True
    refused = install()
    if refused is not None:
        State.on = False
        return refuse(*refused)
    find_witnesses()
    atexit.register(at_exit)
    os.register_at_fork(before=before_fork, after_in_parent=after_fork_in_parent, after_in_child=after_fork_in_child)
    start_control()
    return note("ready", cpu=time.process_time_ns())


def run(folder, key, functions, seconds, subprocesses, launched):
    """`folder` is the recorder's; `functions` are MODULE:FUNCTION; without `seconds` until the recorder stops it."""
    global KEY
    KEY = key
    State.folder, State.subprocesses, State.launched = folder, subprocesses, launched
    if launched:
        site = folder + "/site"
        sys.path[:] = [path for path in sys.path if path != site]
        sys.path_importer_cache.pop(site, None)
        if not subprocesses:
            rest = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path != site]
            if any(rest):
                os.environ["PYTHONPATH"] = os.pathsep.join(rest)
            else:
                os.environ.pop("PYTHONPATH", None)
    try:
        if launched and not subprocesses:  # one that attaches has it already
            os.close(os.open(folder + "/claim", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        start(functions, seconds)
    except OSError:
        pass  # another process has the trace, or the recorder is gone
    except Exception as error:  # the program is to go on
        State.on = False
        if State.notes is not None:
            refuse("the agent failed: %s" % error, "please report this")


def load_own_sitecustomize():
    """What site would have loaded without us."""
    del sys.modules["sitecustomize"]
    import sitecustomize  # noqa: F401


CLEARS_LOCALS = sys.version_info[:2] == (3, 12)  # the frame would keep the dict, and what is in it
