"""The measurements: what a recorder costs, what the target loses to it, and how soon it sees anything."""
import random
import re
import signal
import time

import harness
import ratios
import recorders

SETTLE = 2.0  # seconds until a recorder is past its start-up


def cost(workload, python, tool, rate, seconds):
    """[samples/s, CPU % of a core, CPU µs a sample, CPU ms of start-up and end] of a recorder in its steady state."""
    with workload(python, seconds + 6) as work, recorders.Recorder(tool, work.pid, rate) as recorder:
        time.sleep(SETTLE)
        recorder.check()
        before, since = recorder.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        steady = recorder.cpu_seconds() - before
        steady_seconds = time.monotonic() - since
        ran, cpu, samples = recorder.finish()
    share = steady / steady_seconds
    per_second = samples / ran
    around = 1e3 * (cpu - share * ran)
    per_sample = 1e6 * share / per_second if per_second else float("nan")
    return ["%.0f" % per_second, "%.2f" % (100 * share), "%.1f" % per_sample, "%.0f" % around]


def pause(recorder, target):
    """Stops a recorder, at a moment at which it does not hold the target stopped."""
    for _ in range(200):
        recorder.send(signal.SIGSTOP)
        time.sleep(0.002)
        if not {"T", "t"} & set(target.states()):
            return
        recorder.send(signal.SIGCONT)
        time.sleep(random.uniform(0.0002, 0.004))
    raise RuntimeError("%s cannot be paused without the target" % recorder.tool.name)


def loss(workload, python, tool, rate, pairs):
    """The target's work with the recorder over its work without, in neighbouring windows of random order."""
    one = workload.guard + workload.window
    windows = []
    with workload(python, int(SETTLE + 2 * pairs * (one + 0.05) + 8)) as work:
        target = getattr(work, "target", None) or work.site
        with recorders.Recorder(tool, work.pid, rate) as recorder:
            time.sleep(SETTLE)
            for _ in range(pairs):
                pair = {}
                for recording in random.sample((True, False), 2):
                    if recording:
                        recorder.send(signal.SIGCONT)
                    else:
                        pause(recorder, target)
                    time.sleep(workload.guard)
                    start = work.mark()
                    time.sleep(workload.window)
                    pair[recording] = (start, work.mark())
                windows.append(pair)
            recorder.send(signal.SIGCONT)
    return ratios.paired_ratio([(work.work(*pair[True]), work.work(*pair[False])) for pair in windows])


def ratio_cells(ratio):
    middle, low, high = ratio
    return ["%.1f %%" % (100 * middle), "%.1f … %.1f %%" % (100 * low, 100 * high)]


def latency(python, times=15):
    """[(what, median ms, fastest ms)] of a dump from start to end, and of what `record -v` says of its first sample."""
    with harness.Target(python, "planted_graph.py", lifetime=times + 60) as target:
        dumps, first = [], []
        for _ in range(times):
            dump = harness.run_tool("dump", "-p", target.pid)
            record = harness.run_tool("record", "-p", target.pid, "-d", "100ms", "-f", "folded", "-o", "/dev/null", "-v")
            if dump.status or record.status:
                raise RuntimeError(dump.stderr + record.stderr)
            dumps.append(dump.seconds * 1e3)
            said = re.search(r"first sample\D*([\d.]+) ?(µs|us|ms|s)\b", record.stderr)
            if said:
                first.append(float(said[1]) * {"µs": 1e-3, "us": 1e-3, "ms": 1.0, "s": 1e3}[said[2]])
            else:
                first.append(record.seconds * 1e3 - 100)
    name = "attach to first sample, as `record -v` says" if said else "`record -d 100ms` beyond its 100 ms"
    return [[what, "%.1f" % ratios.median(values), "%.1f" % min(values)]
            for what, values in (("`dump`, from its start to its end", dumps), (name, first))]
