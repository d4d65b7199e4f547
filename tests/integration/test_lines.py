"""Code objects read from outside: name, file and the line of every instruction, as the interpreter itself has them."""
import json
import os
import random
import subprocess

import harness


class Lines(harness.InterpreterTest):

    def read(self, target, truth):
        """What the reader makes of the same code objects."""
        probe = os.path.join(os.path.dirname(harness.tool()), "probes", "code_lines")
        if not os.access(probe, os.X_OK):
            self.fail("no executable at %s: scripts/build --all makes it" % probe)
        asked = "".join("%d %d\n" % (code["id"], code["size"]) for code in truth)
        done = subprocess.run([probe, str(target.pid)], input=asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_every_instruction_has_its_line(self):
        seed = random.randrange(1 << 32)
        target = self.target("code_objects.py", "--seed", str(seed), lifetime=60, wait=60)
        with open(target.truth["codes"], encoding="utf-8") as file:
            truth = [json.loads(line) for line in file]
        self.assertEqual(len(truth), 500)
        read = self.read(target, truth)
        self.assertEqual(len(read), len(truth))
        wrong = []
        for code, found in zip(truth, read):
            expected = {key: code[key] for key in ("function", "file", "first_line", "lines")}
            if found != expected:
                wrong.append("%s %s" % (code["file"], code["function"]))
        self.assertEqual(wrong, [], "%d of %d, seed %d" % (len(wrong), len(truth), seed))
        self.assertGreater(sum(len(code["lines"]) for code in truth), 10000, "hardly any instruction")
