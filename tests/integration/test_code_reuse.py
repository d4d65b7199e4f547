"""A code object at the address of one that died is never called by the dead one's name."""
import os
import re

import folded
import harness

SECONDS = int(os.environ.get("AWAITSCOPE_REUSE_SECONDS") or 3)
MADE = re.compile(r"made_(\d+) \(<made>:(\d+)\)|made \(<made (\d+)>:(\d+)\)")


class CodeReuse(harness.InterpreterTest):

    def test_no_name_of_the_dead(self):
        target = self.target("reused_code.py", lifetime=SECONDS * 2 + 10)
        before = target.counters()
        stacks, result = self.record(target, "-r", 1000, "-d", SECONDS, "--full-paths", timeout=SECONDS * 2 + 30)
        after = target.counters()
        rounds, reused = (after[name] - before[name] for name in ("rounds", "reused"))
        self.assertGreater(reused, 0.2 * rounds, "hardly any address was used again")
        made, wrong = 0, []
        for stack in stacks:
            leaf = stack.frames[-1].text if stack.frames else ""
            parts = MADE.fullmatch(leaf)
            if parts is None:
                self.assertFalse(leaf.startswith("made"), stack.line)
                continue
            number, line = (int(part) for part in parts.groups() if part is not None)
            made += stack.count
            slot, due = "slot_%d" % (number % target.truth["slots"]), 1 if number % 2 else 1 + number % target.truth["lines"]
            # On 3.11 a frame may be the current one some instructions before it has a caller (Python/ceval.c,
            # CALL_PY_EXACT_ARGS, as compiled): what is above it is unreadable then, and its name is right all the same.
            above = (slot, folded.UNREADABLE) if self.interpreter.minor == "3.11" else (slot,)
            in_time = before["rounds"] <= number <= after["rounds"]
            if stack.names[-2] not in above or line != due or not in_time:
                wrong.append(stack.line)
        self.assertEqual(wrong, [], "%d of %d samples; %s" % (len(wrong), made, result.stderr))
        # A share: a starved target has fewer samples, and the same names.
        self.assertGreater(made, 0.5 * folded.total(stacks), result.stderr)
        self.assertGreater(rounds, 5 * SECONDS, "the target hardly ran")
        unreadable = sum(stack.count for stack in stacks if stack.unreadable)
        self.assertLessEqual(unreadable, 0.005 * folded.total(stacks), result.stderr)
