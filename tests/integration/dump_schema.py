"""The schema of `dump --json`, checked whole: every key, its type, and what must agree between two parts."""
import re

_ID = re.compile(r"0x[0-9a-f]+")
THREAD_STATES = ("running", "idle")
TASK_STATES = ("running", "ready", "waiting", "done")
NoneType = type(None)

TOP = {"schema": int, "process": dict, "threads": list, "tasks": list}
PROCESS = {"pid": int, "python": str, "free_threaded": bool, "executable": str, "command": list}
THREAD = {"tid": int, "name": str, "main": bool, "interpreter": int, "state": str, "holds_gil": bool,
          "running_task": (str, NoneType), "frames": list}
TASK = {"id": str, "name": str, "coroutine": str, "tid": int, "state": str, "frames": list, "awaited_by": list,
        "thread_hop": (dict, NoneType)}
FRAME = {"function": str, "file": str, "line": (int, NoneType), "kind": str}


def _types(problems, where, value, types):
    """Every promised key with its type; more keys are allowed."""
    if not isinstance(value, dict):
        problems.append("%s is no object" % where)
        return
    for key, kind in types.items():
        if key not in value:
            problems.append("%s has no %s" % (where, key))
        elif not isinstance(value[key], kind) or (isinstance(value[key], bool) and kind is not bool):
            problems.append("%s.%s is %r" % (where, key, value[key]))


def _all_types(document):
    """Shape alone: each object has its keys, each of its type."""
    problems = []
    _types(problems, "the dump", document, TOP)
    if problems:
        return problems
    _types(problems, "process", document["process"], PROCESS)
    for key, types in (("threads", THREAD), ("tasks", TASK)):
        for number, value in enumerate(document[key]):
            where = "%s[%d]" % (key, number)
            before = len(problems)
            _types(problems, where, value, types)
            if len(problems) == before:
                for depth, frame in enumerate(value["frames"]):
                    _types(problems, "%s.frames[%d]" % (where, depth), frame, FRAME)
    return problems


def _frames(problems, where, frames):
    for number, frame in enumerate(frames):
        if frame["line"] is not None and frame["line"] < 1:
            problems.append("%s.frames[%d].line is %r" % (where, number, frame["line"]))
        if not frame["function"] or not frame["file"]:
            problems.append("%s.frames[%d] names nothing" % (where, number))


def _threads(problems, threads):
    for number, thread in enumerate(threads):
        where = "threads[%d]" % number
        if thread["state"] not in THREAD_STATES:
            problems.append("%s.state is %r" % (where, thread["state"]))
        if not thread["name"]:
            problems.append("%s has an empty name" % where)
        _frames(problems, where, thread["frames"])
    mains = [thread for thread in threads if thread["main"]]
    if len(mains) != 1:
        problems.append("%d main threads" % len(mains))
    holders = [thread for thread in threads if thread["holds_gil"]]
    if len({thread["interpreter"] for thread in holders}) != len(holders):
        problems.append("%d threads hold one GIL" % len(holders))
    # A thread that runs in another interpreter for a while has a thread state in each.
    if len({(thread["tid"], thread["interpreter"]) for thread in threads}) != len(threads):
        problems.append("a tid twice in one interpreter")


def _tasks(problems, tasks, threads):
    ids = {task["id"] for task in tasks}
    tids = {thread["tid"] for thread in threads}
    if len(ids) != len(tasks):
        problems.append("a task's id twice")
    for number, task in enumerate(tasks):
        where = "tasks[%d]" % number
        if not _ID.fullmatch(task["id"]):
            problems.append("%s.id is %r" % (where, task["id"]))
        if task["state"] not in TASK_STATES:
            problems.append("%s.state is %r" % (where, task["state"]))
        if not all(waiter in ids for waiter in task["awaited_by"]):
            problems.append("%s.awaited_by names no task: %r" % (where, task["awaited_by"]))
        if task["tid"] not in tids:
            problems.append("%s.tid %r is no thread" % (where, task["tid"]))
        if task["thread_hop"] is not None and task["thread_hop"].get("tid") not in tids:
            problems.append("%s.thread_hop is %r" % (where, task["thread_hop"]))
        _frames(problems, where, task["frames"])


def problems_of(document):
    """What is wrong with a parsed `dump --json`; an empty list if nothing is."""
    problems = _all_types(document)
    if problems:
        return problems
    threads, tasks = document["threads"], document["tasks"]
    if document["schema"] != 1:
        problems.append("schema is %r" % document["schema"])
    if not all(isinstance(word, str) for word in document["process"]["command"]):
        problems.append("process.command is %r" % document["process"]["command"])
    _threads(problems, threads)
    _tasks(problems, tasks, threads)
    running = {task["id"]: task["tid"] for task in tasks if task["state"] == "running"}
    named = {thread["running_task"]: thread["tid"] for thread in threads if thread["running_task"]}
    if running != named and document["one_instant"]:  # else what was read later may have gone on
        problems.append("running tasks %r, but threads run %r" % (running, named))
    return problems
