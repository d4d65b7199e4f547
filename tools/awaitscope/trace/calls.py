"""The callbacks: every call of a traced function passes through here."""


class Call:
    __slots__ = ("target", "thread", "self", "others", "flags", "caller", "inner", "cpu", "start")


def class_of(target, values):
    """Of `self`, or `cls` itself."""
    if not target.has_self:
        return None
    return values[0] if is_class(values[0]) else type(values[0])


def begin(target, frame):
    if getpid() != State.process and not follow_fork():
        return
    call = Call()
    call.target = target
    call.inner = 0
    call.thread = thread = get_native_id()
    if thread not in THREADS:
        note_thread(thread)
    try:
        local = frame.f_locals
        values = [local[name] for name in target.names]
        if target.rounds < ROUNDS:
            closure = {name: local[name] for name in target.code.co_freevars if name in local}
            note_callees(target, frame.f_globals, closure, class_of(target, values))
            find_witnesses()
            target.rounds += 1
        if CLEARS_LOCALS:
            local.clear()
        call.self, call.others, call.flags = hash_arguments(target, values)
    except Exception as error:
        if not is_own(error):
            raise
        count_failure(error)
        call.self, call.others, call.flags = NOTHING, NOTHING, ARGUMENT_UNREAD
    place = id(frame)
    if place in OPEN:  # its end was not seen
        end(OPEN.pop(place), monotonic_ns(), UNFINISHED | RESULT_UNREAD)
    OPEN[place] = call
    target.calls += 1
    if target.suspends:
        call.flags |= SUSPENDS
        call.caller = None
        call.cpu = 0
    else:
        call.caller = INNERMOST.get(thread)
        INNERMOST[thread] = call
        call.cpu = thread_time_ns()
    call.start = monotonic_ns()


def end(call, now, flags, value=None):
    """`now` was read before anything else was done; `value` is what it returned, unless the flags say otherwise."""
    length = now - call.start
    cpu = 0
    if not call.flags & SUSPENDS:
        if not flags & UNFINISHED:
            cpu = thread_time_ns() - call.cpu
        caller = call.caller
        if caller is None:
            INNERMOST.pop(call.thread, None)
        else:
            INNERMOST[call.thread] = caller
            caller.inner += length
    else:  # what it returns in the end is not what a cache would keep
        flags |= RESULT_UNREAD
    result = NOTHING
    if flags & RESULT_UNREAD == 0:
        try:
            result, found = hash_result(value)
            flags |= found
        except Exception as error:
            if not is_own(error):
                raise
            count_failure(error)
            flags |= RESULT_UNREAD
    RECORDS.append(RECORD.pack(call.target.number, call.thread, call.start, length, min(length, call.inner),
                               max(0, cpu), call.self, call.others, result, call.flags | flags, 0))
    if len(RECORDS) >= MANY:
        flush()


def reach_out(what):
    """The calls that this thread is in do more than to compute."""
    call = INNERMOST.get(get_native_id())
    while call is not None:
        if what not in call.target.reached:
            call.target.reached.append(what)
            note("callee", name=call.target.name, resolved="\tuses\t" + what, contains="", **code_fields(call.target.code))
        call = call.caller


# sys.monitoring, since 3.12
def on_start(code, _offset):
    target = TARGETS.get(id(code))
    if not State.on:
        return
    try:
        if id(code) in WITNESSES:
            reach_out(WITNESSES[id(code)][1])
        if target is not None:
            begin(target, getframe(1))
    except Exception as error:
        if not is_own(error):
            raise
        count_failure(error)


def ended(flags, value=None):
    now = monotonic_ns()
    call = OPEN.pop(id(getframe(2)), None)
    if call is None:
        return
    try:
        end(call, now, flags, value)
    except Exception as error:
        if not is_own(error):
            raise
        count_failure(error)


def on_return(code, _offset, value):
    if id(code) in TARGETS:
        ended(0, value)


def on_unwind(code, _offset, _error):
    if id(code) in TARGETS:
        ended(RAISED | RESULT_UNREAD)


def on_module(code, _offset):
    """Sees each code object once, until every module that is wanted has been met."""
    if code.co_name == "<module>" and State.on:
        try:
            learn(code, getframe(1))
        except Exception as error:
            if not is_own(error):
                raise
            count_failure(error)
    return MONITORING.DISABLE


# sys.setprofile, before 3.12
set_profile = sys.setprofile


def note_replaced():
    """The program takes our profile function away, in one thread (sys.setprofile, cProfile) or in those to come (threading)."""
    if not State.replaced:
        State.replaced = True
        note("replaced")


def on_profile(frame, event, value):
    if not State.on:
        if sys.getprofile() is on_profile:
            sys.setprofile(None)
        return
    if event == "c_call":
        if value is set_profile or value.__name__ == "enable" and type(value.__self__).__name__ == "Profile":
            note_replaced()
        return
    if event != "call" and event != "return":
        return
    now = monotonic_ns()
    code = frame.f_code
    target = TARGETS.get(id(code))
    try:
        if event == "call" and id(code) in WITNESSES:
            reach_out(WITNESSES[id(code)][1])
        if target is None:
            if event == "call" and code.co_name == "<module>":
                learn(code, frame)
        elif event == "call":
            if not target.suspends or frame.f_lasti in target.starts:
                begin(target, frame)
        elif frame.f_lasti not in target.yields:
            call = OPEN.pop(id(frame), None)
            if call is not None and target.suspends and frame.f_lasti < 0:  # one that is thrown away before it begins
                target.calls -= 1
            elif call is not None:
                returned = frame.f_lasti in target.returns
                end(call, now, 0 if returned else RAISED | RESULT_UNREAD, value)
    except Exception as error:
        if not is_own(error):
            raise
        count_failure(error)
