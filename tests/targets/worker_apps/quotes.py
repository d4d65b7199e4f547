"""One handler as a WSGI and as an ASGI application: it works for some milliseconds, and answers who it was and how long that took.

{"pid", "spent_ns"}: the process's id, and the CPU time of the handler by its own thread_time_ns.
"""
import json
import os
import time

MILLISECONDS = 8


def price_quotes(milliseconds):
    end = time.thread_time_ns() + int(milliseconds * 1e6)
    total = 0
    while time.thread_time_ns() < end:
        total += sum(range(50))
    return total


def handle_quotes():
    before = time.thread_time_ns()
    price_quotes(MILLISECONDS)
    return json.dumps({"pid": os.getpid(), "spent_ns": time.thread_time_ns() - before}).encode()


def wsgi(environ, start_response):
    body = handle_quotes()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope, receive, send):
    body = handle_quotes()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
