"""Tasks in every shape of waiting, and tasks that come and go: nothing is shown that is not so."""
import churn
import django_site
import harness
import shapes


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
