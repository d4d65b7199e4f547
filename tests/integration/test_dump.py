"""dump: one consistent snapshot, compared with what the target knows of itself."""
import os

import checks
import harness


class Dump(checks.Checks, harness.InterpreterTest):

    def test_idle_target(self):
        target = self.target("await_shapes.py", lifetime=30)
        document = self.dump(target)
        self.assert_suspended_tasks(target, document)
        tasks = self.by_name(document)
        unknown = set(tasks) - set(target.truth["tasks"]) - {target.truth["root"]}
        self.assertEqual(unknown, set(), "tasks that the target does not have")
        root = tasks[target.truth["root"]]
        self.assertEqual([frame["function"] for frame in root["frames"]], ["main", "sleep"])
        self.assertEqual((root["coroutine"], root["state"], root["awaited_by"]), ("main", "waiting", []))
        main = [thread for thread in document["threads"] if thread["main"]][0]
        self.assertEqual((main["tid"], main["name"], main["state"], main["running_task"], main["interpreter"]),
                         (target.pid, "MainThread", "idle", None, 0))
        functions = [frame["function"] for frame in main["frames"]]
        self.assertEqual(functions[0], "<module>")
        self.assertEqual(functions[-1], self.named("EpollSelector.select"))
        self.assertIn(self.named("BaseEventLoop._run_once"), functions)

    def test_process_and_threads(self):
        target = self.target("await_shapes.py", lifetime=30)
        document = self.dump(target)
        process = document["process"]
        self.assertEqual((process["pid"], process["python"]), (target.pid, target.truth["python"]))
        self.assertIs(process["free_threaded"], False)
        self.assertEqual(process["executable"], os.readlink("/proc/%d/exe" % target.pid))
        with open("/proc/%d/cmdline" % target.pid, "rb") as file:
            self.assertEqual(process["command"], file.read().decode().split("\0")[:-1])
        self.assertEqual(sorted([thread["tid"], thread["name"]] for thread in document["threads"]),
                         sorted(target.truth["threads"]))

    def test_a_task_in_a_worker_thread_names_it(self):
        target = self.target("await_shapes.py", lifetime=30)
        tasks = self.by_name(self.dump(target))
        hops = {name: task["thread_hop"] for name, task in tasks.items() if task["thread_hop"] is not None}
        self.assertEqual({name: hop["tid"] for name, hop in hops.items()},
                         {target.truth["thread_hop"]: target.truth["hop_tid"]})

    def test_busy_target_fifty_times(self):
        """Every dump of a target that never rests is whole, and the running task is one of its possible chains."""
        target = self.target("await_shapes.py", "--burn", lifetime=60)
        chains = [chain[:length] for chain in target.truth["chains"].values() for length in range(1, len(chain) + 1)]
        burning = 0
        for _ in range(50):
            document = self.dump(target)
            self.assert_suspended_tasks(target, document)
            self.assertIn(self.by_name(document)[target.truth["ready"]]["state"], ("ready", "running"))
            running = [task for task in document["tasks"] if task["state"] == "running"]
            self.assertLessEqual(len(running), 1)
            main = [thread for thread in document["threads"] if thread["main"]][0]
            leaf = main["frames"][-1]["function"]
            if leaf[len("burn_"):] not in target.truth["chains"]:  # between two bursts, burn_in_turn itself included
                continue
            burning += 1
            self.assertEqual((main["state"], main["holds_gil"], len(running)), ("running", True, 1))
            chain = self.logical_chain(document, running[0])
            own = [function for function, file in chain if os.path.basename(file) == "await_shapes.py"]
            self.assertIn(own, chains)
            self.assertEqual(own, target.truth["chains"][leaf[len("burn_"):]])
        # A dump is of a moment in which nothing ran meanwhile, which is likelier between two bursts: no share is promised.
        self.assertGreaterEqual(burning, 5, "the target burns nearly all of its time")
        self.assert_progress(target, "gather")

    def logical_chain(self, document, task):
        """[(function, file)] from the root task down to the leaf, over awaited_by."""
        tasks = {one["id"]: one for one in document["tasks"]}
        chain = []
        for _ in range(len(tasks)):
            chain = [(frame["function"], frame["file"]) for frame in task["frames"]] + chain
            if not task["awaited_by"]:
                return chain
            self.assertEqual(len(task["awaited_by"]), 1, task)
            task = tasks[task["awaited_by"][0]]
        self.fail("awaited_by goes in a circle")

    def state_of(self, document, name):
        return next(thread["state"] for thread in document["threads"] if thread["name"] == name)

    def test_threads_target(self):
        target = self.target("threads.py", lifetime=30)
        document = self.dump(target)
        threads = {thread["name"]: thread for thread in document["threads"]}
        self.assertEqual(sorted([thread["tid"], name] for name, thread in threads.items()),
                         sorted(target.truth["threads"]))
        for name in target.truth["idle"] + target.truth["blocked"]:
            self.assertEqual((threads[name]["state"], threads[name]["holds_gil"]), ("idle", False), name)
        # It hashes without the GIL, and waits for it between two blocks. A snapshot is one of a moment in which nothing ran
        # meanwhile, and such a moment is likelier while it waits: its shares say nothing, but both states must show.
        states = [self.state_of(self.dump(target), target.truth["digester"]) for _ in range(20)]
        self.assertGreaterEqual(states.count("running"), 2, states)
        for name, leaf in (("lock-waiter", "wait_for_lock"), (target.truth["digester"], "digest")):
            self.assertEqual(threads[name]["frames"][-1]["function"], leaf)
        self.assertEqual(document["tasks"], [])

    def test_text(self):
        target = self.target("await_shapes.py", lifetime=30)
        result = harness.run_tool("dump", "-p", target.pid)
        self.assert_done(result)
        text = result.stdout.decode("utf-8")
        for _, name in target.truth["threads"]:
            self.assertIn(name, text)
        for name, truth in target.truth["tasks"].items():
            self.assertIn(name, text)
            for function, _, line in truth["frames"]:
                self.assertIn(function, text)
        self.assertNotIn("\x1b", text, "colour only on a terminal")

    def test_text_tells_blocked_threads_from_those_without_work(self):
        target = self.target("waits.py", lifetime=30)
        result = harness.run_tool("dump", "-p", target.pid)
        self.assert_done(result)
        text = result.stdout.decode("utf-8")
        for state in ("blocked", "idle"):
            for name in target.truth[state]:
                self.assertRegex(text, r'(?m)^(Thread|\d+ threads) .*"%s[^"]*".*: %s in \w+$' % (name, state))

    def test_waiting_threads_name_their_system_call(self):
        """As the kernel has it."""
        names = {"0": "read", "7": "poll", "23": "select", "202": "futex", "230": "clock_nanosleep", "232": "epoll_wait", "270": "pselect6"}
        target = self.target("waits.py", lifetime=30)
        waiting = [*target.truth["blocked"], *target.truth["idle"]]
        seen = 0
        for thread in self.dump(target)["threads"]:
            with open("/proc/%d/task/%d/syscall" % (target.pid, thread["tid"]), encoding="ascii") as file:
                number = file.read().split()[0]
            if thread["name"] in waiting and number in names:
                self.assertEqual(thread["system_call"], names[number], thread["name"])
                seen += 1
        self.assertGreater(seen, len(waiting) // 2)

    def test_a_thread_that_waits_for_the_gil(self):
        target = self.target("gil_pair.py", lifetime=30)
        for _ in range(50):
            text = harness.run_tool("dump", "-p", target.pid).stdout.decode("utf-8")
            if ": waits for the GIL\n" in text:
                self.assertIn(", holds the GIL\n", text)
                return
        self.fail("one of the two always does: %s" % text)
