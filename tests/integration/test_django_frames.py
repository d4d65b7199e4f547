"""record --django-frames: what Django works on as frames, against -f queries of the same recording, and the site's own templates."""
import re

import folded
import harness
import recordings
import test_queries
import test_requests
from test_cache import decompressed

LONGEST = 160


class Statements(test_queries.QueryTest, harness.InterpreterTest):
    minors = test_queries.MINORS

    def test_gunicorn(self):
        rows, _ = self.record_site("sync", "--django-frames")
        stacks = self.stacks(self.file)
        for name, row in rows.items():
            text = row["statement"]
            label = "SQL " + (text if len(text.encode()) <= LONGEST else text.encode()[:LONGEST].decode(errors="ignore") + "…")
            under = [stack for stack in stacks if stack.has(label.replace(";", ","))]
            self.assertEqual(folded.total(under), row["samples"], name)
            for stack in under:
                self.assertRegex(stack.names[stack.names.index(label) - 1], r"^(CursorWrapper\.)?_execute(many)?$")
        of_sql = [stack for stack in stacks if any(name.startswith("SQL ") for name in stack.names)]
        self.assertEqual(folded.total(of_sql), sum(row["samples"] for row in rows.values()))
        content = decompressed(self.file)
        for secret in test_queries.SECRETS:
            self.assertNotIn(secret, content)
        self.check_repeated(rows)


class Templates(test_requests.RequestTest, harness.InterpreterTest):
    minors = test_requests.MINORS

    def test_gunicorn(self):
        self.record_site("--django-frames", server="sync", requests=120)
        stacks = self.stacks(self.file)
        rendering = [stack for stack in stacks if any(re.fullmatch(r"(Template\.)?_render", name) for name in stack.names)]
        self.assertGreater(folded.total(rendering), 10)
        for stack in rendering:
            at = next(i for i, name in enumerate(stack.names) if re.fullmatch(r"(Template\.)?_render", name))
            self.assertEqual(stack.names[at + 1:at + 2], ["template page.html"], stack.line)
        route = "shop/page/"
        rows, _ = self.routes()
        under = folded.total([stack for stack in self.stacks(self.file, "--route", route) if stack.has("template page.html")])
        self.assertGreater(under, 0.7 * rows[route]["samples"])
        self.assertEqual(under, folded.total([stack for stack in stacks if stack.has("template page.html")]))
        functions = {row["function"]: row for row in self.hot(self.file)["functions"]}
        self.assertEqual(functions["template page.html"]["total"]["samples"], under)
        self.assertEqual(functions["template page.html"]["file"], "[django]")
