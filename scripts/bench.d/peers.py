"""awaitscope beside other sampling profilers, in one run: what a server loses, what a sample costs, and what is right."""
import random
import time

import django_site
import harness
import ratios
import recorders

SERVER_HEAD = ["recorder", "asked", "requests/s, of 100", "p99, of 100", "µs CPU a sample"]
STACK_HEAD = ["recorder", "asked", "samples", "impossible stacks", "share of the hot branch", "true share"]
CONNECTIONS = 16
SETTLE = 1.5


def server_rows(python, tools, rates, rounds, seconds):
    """Rounds in each of which every recorder has its turn, in random order, and one turn has none. Medians of all rounds."""
    turns = [(None, 0)] + [(tool, rate) for tool in tools for rate in rates]
    measured = {turn: [] for turn in turns}
    interpreter = django_site.environment(python)
    with django_site.Site(python, "asyncio", lifetime=int(rounds * len(turns) * (seconds + SETTLE + 6) + 60)) as site:
        load_server(interpreter, site, 2)  # the first requests import, connect and fill caches
        for _ in range(rounds):
            for turn in random.sample(turns, len(turns)):
                try:
                    measured[turn].append(one_turn(interpreter, site, turn, seconds))
                except recorders.Ended:
                    if turn[0].name.startswith("awaitscope"):
                        raise
                    measured[turn].append(None)
    without = measured.pop((None, 0))
    rows = [["(none)", "", "100", "100 (%.0f ms)" % ratios.median([p99 for _, p99, _ in without]), ""]]
    for (tool, rate), found in measured.items():
        if None in found:
            rows.append([tool.name, "%d Hz" % rate, "ended by itself", "", ""])
            continue
        relative = [[100 * value / base for value, base in zip(one, none)] for one, none in zip(
            [each[:2] for each in found], [each[:2] for each in without])]
        rows.append([tool.name, "%d Hz" % rate, "%.0f" % ratios.median([requests for requests, _ in relative]),
                     "%.0f" % ratios.median([p99 for _, p99 in relative]), "%.0f" % ratios.median([cpu for _, _, cpu in found])])
    return rows


def load_server(interpreter, site, seconds):
    with django_site.Load(interpreter, site, "/gather=1,/async=1", connections=CONNECTIONS, duration=seconds) as load:
        return load.finish()


def one_turn(interpreter, site, turn, seconds):
    """(requests a second, p99 in ms, the recorder's CPU in µs a sample) while one recorder is at work, or none."""
    tool, rate = turn
    if tool is None:
        report = load_server(interpreter, site, seconds)
        return report["requests_per_second"], report["latency_ms"]["p99"], 0.0
    with recorders.Recorder(tool, site.pid, rate) as recorder:
        time.sleep(SETTLE)
        recorder.check()
        before, since = recorder.cpu_seconds(), time.monotonic()
        report = load_server(interpreter, site, seconds)
        share = (recorder.cpu_seconds() - before) / (time.monotonic() - since)
        ran, _, samples = recorder.finish()
    return report["requests_per_second"], report["latency_ms"]["p99"], 1e6 * share * ran / max(1, samples)


def stack_rows(python, tools, rate, seconds):
    """Of a thread whose every possible stack is known, in a short cycle with one system call."""
    for tool in tools:
        with harness.Target(python, "planted_graph.py", "--syscall", "--hot", "6", "--cold", "2", lifetime=seconds + 30) as target:
            paths = {tuple(name for name, _, _ in path) for path in target.truth["paths"]}
            possible = {path[:length] for path in paths for length in range(1, len(path) + 1)}
            before = target.counters()
            with recorders.Recorder(tool, target.pid, rate) as recorder:
                time.sleep(seconds)
                recorder.finish()
                after = target.counters()
                stacks = recorder.stacks()
        hot, cold = (after[name] - before[name] for name in ("hot_ns", "cold_ns"))
        samples = sum(count for _, count in stacks)
        wrong = sum(count for names, count in stacks if names not in possible)
        in_hot, in_cold = (sum(count for names, count in stacks if branch in names) for branch in ("hot_28", "cold_28"))
        seen = ["%.2f %%" % (100 * wrong / samples), "%.1f %%" % (100 * in_hot / max(1, in_hot + in_cold))] if samples else ["-", "-"]
        yield [tool.name, "%d Hz" % rate, samples] + seen + ["%.1f %%" % (100 * hot / (hot + cold))]
