"""A Django site whose requests execute SQL, in gunicorn's worker (sync) or uvicorn.

orders    one statement again and again, from one line: N+1
report    as many different statements in a loop
summary   two heavy statements
literal   raw SQL with literals and a comment in it

Each statement has a column of its own name, which its truth goes by. Each request is a line of JSON in `log`: begin and end
(CLOCK_MONOTONIC, in nanoseconds), and what an execute_wrapper measured of each statement: {name: [nanoseconds, executions]}.
"""
import json
import os
import re
import sys
import time

import request_site
import truth

ITEMS = 12
log = None
rows_a_second = 1e6
NUMBERS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < %s) SELECT sum(x) AS {}, %s FROM c"


def rows(milliseconds):
    return int(rows_a_second * milliseconds / 1000)


def fetch(statement, *parameters):
    from django.db import connection
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0]


def calibrate():
    global rows_a_second
    begun = time.perf_counter()
    fetch(NUMBERS.format("calibration"), 200000, "")
    rows_a_second = 200000 / (time.perf_counter() - begun)


def list_items(count):
    total = 0
    for number in range(count):
        total += fetch(NUMBERS.format("item"), rows(4) + number, "parameter-secret")
    return total


def list_parts(count):
    return sum(fetch(NUMBERS.format("part%s" % "abcdefghijkl"[number]), rows(4), "parameter-secret")
               for number in range(count))


def answer(total):
    from django.http import HttpResponse
    return HttpResponse(str(total))


def orders_view(request):
    return answer(list_items(ITEMS))


def report_view(request):
    return answer(list_parts(ITEMS))


def summary_view(request):
    return answer(fetch(NUMBERS.format("heavy"), rows(40), 1) + fetch(NUMBERS.format("middle"), rows(20), 2))


def literal_view(request):
    return answer(fetch("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < %d) /* comment-secret */ "
                        "SELECT sum(x) AS literal, 'literal-''secret', \"quoted-secret\" FROM c WHERE x <> 777123777"
                        % rows(15)))


def ledger(get_response):
    from django.db import connection

    def middleware(request):
        spent = {}

        def wrapper(execute, sql, params, many, context):
            begun = time.monotonic_ns()
            try:
                return execute(sql, params, many, context)
            finally:
                fact = spent.setdefault(re.search(r" AS (\w+),", sql).group(1), [0, 0])
                fact[0] += time.monotonic_ns() - begun
                fact[1] += 1

        begun = time.monotonic_ns()
        with connection.execute_wrapper(wrapper):
            response = get_response(request)
        fact = {"begin": begun, "end": time.monotonic_ns(), "statements": spent}
        os.write(log, (json.dumps(fact) + "\n").encode())
        return response
    return middleware


def configure():
    from django.conf import settings
    from django.urls import path
    module = sys.modules[__name__]
    settings.configure(
        SECRET_KEY="planted-key", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, LOGGING_CONFIG=None,
        MIDDLEWARE=[__name__ + ".ledger", "django.middleware.common.CommonMiddleware"], DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
    module.urlpatterns = [path("orders/", orders_view), path("report/", report_view), path("summary/", summary_view),
                          path("literal/", literal_view)]
    import django
    django.setup()
    calibrate()


def main():
    global log
    options = truth.options(request_site.extra)
    log = os.open(options.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    configure()
    request_site.serve(options)


if __name__ == "__main__":
    main()
