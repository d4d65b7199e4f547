"""What an option of `record` costs: two recorders of one Django server under load, one of them with it, of which one at a time may run,
or none.

Compared are neighbouring windows of random order: the server's requests in each of the three states, and the CPU time of the
recorders. The arguments that --args reads are those of the site's own functions.
"""
import contextlib
import random
import signal
import time

import harness
import measures
import ratios
import recorders
import workloads

HEAD = ["interpreter", "compared", "pairs", "ratio", "95 % interval"]
RATE = 100


def recording(*options):
    def command(pid, rate, output):
        return [harness.tool(), "record", "-p", str(pid), "-r", str(rate), "-d", "600", "--max-overhead", "0",
                "-o", output + ".ascope", *options]
    return recorders.Tool(" ".join(("record",) + options), command)


def windows_of(work, both, pairs):
    """[{recorder or None: (begin, end, CPU seconds of the recorder)}, …]"""
    windows = []
    for _ in range(pairs):
        seen = {}
        for recorder in random.sample(list(both) + [None], 3):
            if recorder is not None:
                recorder.send(signal.SIGCONT)
            time.sleep(work.guard)
            start, used = work.mark(), recorder.cpu_seconds() if recorder else 0
            time.sleep(work.window)
            seen[recorder] = (start, work.mark(), recorder.cpu_seconds() - used if recorder else 0)
            if recorder is not None:
                measures.pause(recorder, work.site)
        windows.append(seen)
    return windows


def rows(interpreter, pairs, option):
    seconds = int(4 * measures.SETTLE + 3 * pairs * (workloads.Django.guard + workloads.Django.window + 0.05) + 8)
    with contextlib.ExitStack() as stack:
        work = stack.enter_context(workloads.Django(interpreter.path, seconds))
        both = []
        for options in ((), (option,)):
            both.append(stack.enter_context(recorders.Recorder(recording(*options), work.pid, RATE)))
            time.sleep(measures.SETTLE)
            measures.pause(both[-1], work.site)
        windows = windows_of(work, both, pairs)
        for recorder in both:
            recorder.send(signal.SIGCONT)
    plain, with_option = both
    label = str(interpreter).split(":")[0]
    compared = [("requests, %s over none" % recorder.tool.name, recorder, None) for recorder in both]
    compared.append(("requests, %s over %s" % (with_option.tool.name, plain.tool.name), with_option, plain))
    for name, first, second in compared:
        ratio = ratios.paired_ratio([(work.work(*seen[first][:2]), work.work(*seen[second][:2])) for seen in windows])
        yield [label, name, str(pairs)] + measures.ratio_cells(ratio)
    ratio = ratios.paired_ratio([(seen[with_option][2], seen[plain][2]) for seen in windows])
    yield [label, "recorder's CPU, %s over %s" % (with_option.tool.name, plain.tool.name), str(pairs)] + measures.ratio_cells(ratio)
