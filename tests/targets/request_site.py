"""A Django site of seven routes, in one process that serves it: gunicorn's worker (sync, gthread) or uvicorn.

Each request is a line of JSON in the file `log` of the ready file, written by a middleware of the site's own: the route as Django
resolved it, begin and end (CLOCK_MONOTONIC, in nanoseconds), the thread's CPU time where one thread handles it, and whether
the planted cause made it slow. Each route spends its time in a leaf of its own, that calls no other Python function.
"""
import asyncio
import itertools
import json
import os
import signal
import socket
import sys
import threading
import time

import truth

ROUNDS = 150000  # some ten milliseconds of CPU
RARE = 20        # of so many requests one meets the planted cause
RARE_SECONDS = 0.4
SQL = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < %s) SELECT sum(x), %s FROM c"
rare_requests = itertools.count(1)
log = None


def burn_plain(rounds):
    total = 1
    for step in range(rounds):
        total = (total * 31 + step) & 0xFFFFFF
    return total


def burn_order(rounds):
    total = 2
    for step in range(rounds):
        total = (total * 31 + step) & 0xFFFFFF
    return total


def burn_async(rounds):
    total = 3
    for step in range(rounds):
        total = (total * 31 + step) & 0xFFFFFF
    return total


def burn_branch(rounds):
    total = 4
    for step in range(rounds):
        total = (total * 31 + step) & 0xFFFFFF
    return total


def planted_cause():
    time.sleep(RARE_SECONDS)


def plain_view(request, token):
    from django.http import HttpResponse
    return HttpResponse(str(burn_plain(ROUNDS)))


def order_view(request, number):
    from django.db import connection
    from django.http import HttpResponse
    with connection.cursor() as cursor:
        cursor.execute(SQL, [30000, "parameter-" + "secret"])
        total = cursor.fetchone()[0]
    return HttpResponse(str(total + burn_order(ROUNDS // 2)))


def page_view(request):
    from django.shortcuts import render
    return render(request, "page.html", {"numbers": range(1500)})


def rare_view(request):
    from django.http import HttpResponse
    request.planted = next(rare_requests) % RARE == 0
    if request.planted:
        planted_cause()
    return HttpResponse(str(burn_plain(1000)))


def stream_view(request):
    from django.http import StreamingHttpResponse
    return StreamingHttpResponse([b"%08d" % (burn_plain(1000) % 100000000)] * 4, headers={"Content-Length": "32"})


async def async_view(request):
    from django.http import HttpResponse
    await asyncio.sleep(0.005)
    return HttpResponse(str(burn_async(ROUNDS)))


async def branch(seconds):
    await asyncio.sleep(seconds)
    return burn_branch(ROUNDS // 2)


async def gather_view(request):
    from django.http import HttpResponse
    return HttpResponse(str(sum(await asyncio.gather(branch(0.002), branch(0.001)))))


def note(request, begun, cpu_ns):
    route = request.resolver_match.route if request.resolver_match else None
    fact = {"route": route, "begin": begun, "end": time.monotonic_ns(), "cpu_ns": cpu_ns, "tid": threading.get_native_id(),
            "planted": getattr(request, "planted", False)}
    os.write(log, (json.dumps(fact) + "\n").encode())


def ledger(get_response):
    if asyncio.iscoroutinefunction(get_response):
        async def middleware(request):
            begun = time.monotonic_ns()
            response = await get_response(request)
            note(request, begun, None)
            return response
    else:
        def middleware(request):
            begun, cpu = time.monotonic_ns(), time.thread_time_ns()
            response = get_response(request)
            note(request, begun, time.thread_time_ns() - cpu)
            return response
    return middleware


def configure():
    from django.conf import settings
    from django.urls import include, path
    from django.utils.decorators import sync_and_async_middleware
    module = sys.modules[__name__]
    module.site_middleware = sync_and_async_middleware(ledger)
    page = "{% for number in numbers %}<li>{{ number }}</li>{% endfor %}"
    settings.configure(
        SECRET_KEY="planted-key", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, LOGGING_CONFIG=None,
        MIDDLEWARE=[__name__ + ".site_middleware", "django.middleware.common.CommonMiddleware"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates",
                    "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", {"page.html": page})]}}])
    shop = [path("orders/<int:number>/", order_view, name="order"), path("page/", page_view)]
    module.urlpatterns = [
        path("plain/<str:token>/", plain_view), path("shop/", include(shop)), path("rare/", rare_view),
        path("stream/", stream_view), path("async/", async_view), path("gather/", gather_view)]


def end_later(seconds):
    def end():
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGTERM)
    threading.Thread(target=end, daemon=True).start()


def serve_gunicorn(options, listener, port):
    import gunicorn.app.base

    class Application(gunicorn.app.base.BaseApplication):
        def load_config(self):
            for name, value in {"bind": "fd://%d" % listener.fileno(), "workers": 1, "loglevel": "warning",
                                "worker_class": options.server, "threads": 1 if options.server == "sync" else 4,
                                "keepalive": 5,
                                "post_worker_init": lambda _: truth.announce(options, port=port, log=options.log)}.items():
                self.cfg.set(name, value)

        def load(self):
            from django.core.wsgi import get_wsgi_application
            return get_wsgi_application()

    Application().run()


def serve_uvicorn(options, listener, port):
    import uvicorn
    from django.core.asgi import get_asgi_application

    config = uvicorn.Config(get_asgi_application(), lifespan="off", access_log=False, log_level="warning",
                            loop=options.loop)
    truth.announce(options, port=port, log=options.log)
    uvicorn.Server(config).run(sockets=[listener])


def extra(parser):
    parser.add_argument("--server", choices=("sync", "gthread", "uvicorn"), required=True)
    parser.add_argument("--loop", default="asyncio")
    parser.add_argument("--log", required=True)


def main():
    global log
    options = truth.options(extra)
    log = os.open(options.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    configure()
    serve(options)


def serve(options):
    end_later(options.lifetime)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    (serve_uvicorn if options.server == "uvicorn" else serve_gunicorn)(options, listener, port)


if __name__ == "__main__":
    main()
