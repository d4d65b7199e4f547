"""Tasks in every shape of waiting, and tasks that come and go: nothing is shown that is not so."""
import concurrent.futures
import os

import churn
import django_site
import harness
import shapes

CROWD_SECONDS = int(os.environ.get("AWAITSCOPE_CROWD_SECONDS") or 2)


class EveryShape(harness.InterpreterTest):

    def judge(self, *args):
        python = django_site.environment(self.python)  # for asgiref
        score = shapes.judge(self.target("every_shape.py", *args, python=python, lifetime=30))
        self.assertEqual(score.wrong, [])
        for kind in shapes.KINDS:
            self.assertGreater(score.total[kind], 10)

    def test_as_the_program_says(self):
        self.judge()


class OtherLoops(harness.EndsTest):

    judge = EveryShape.judge

    def test_uvloop(self):
        if django_site.lacks_uvloop(self.python):
            self.skipTest("pip has no uvloop for it")
        self.judge("--loop", "uvloop")

    def test_without_native_tasks(self):
        self.judge("--pure")


class Churn(harness.InterpreterTest):
    LOOKS = 400

    def test_only_what_can_be(self):
        judgement = churn.judge(self.target("churning.py", lifetime=30), self.LOOKS, seconds=1)
        self.assertEqual(judgement.wrong[:3], [])
        self.assertEqual(judgement.looks, self.LOOKS)
        self.assertLess(judgement.given_up, 0.05 * self.LOOKS)
        self.assertGreater(judgement.tasks, 5 * judgement.looks)
        self.assertGreater(judgement.kinds, 20)
        self.assertGreater(judgement.samples, 100)
        self.assertLess(judgement.unreadable, 0.05 * judgement.samples)


class Crowd(harness.InterpreterTest):
    minor_matters = False
    timing_sensitive = True

    def test_more_threads_than_cpus(self):
        """Each of them waits now and then, is moved, and runs on while its recorder looks."""
        count = min(2 * os.cpu_count(), 8)
        targets = [self.target("churning.py", lifetime=CROWD_SECONDS * 3 + 30) for _ in range(count)]
        judgements = [churn.Judgement() for _ in targets]

        def record(target, judgement):
            churn.record(target, churn.Rules(target.truth), judgement, CROWD_SECONDS)

        with concurrent.futures.ThreadPoolExecutor(len(targets)) as recorders:
            list(recorders.map(record, targets, judgements))
        self.assertEqual([wrong for judgement in judgements for wrong in judgement.wrong][:3], [])
        samples = sum(judgement.samples for judgement in judgements)
        self.assertGreater(samples, 100 * CROWD_SECONDS)
        self.assertLess(sum(judgement.unreadable for judgement in judgements), 0.05 * samples)
