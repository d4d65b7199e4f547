"""A site of Starlette or FastAPI under uvicorn. Each burning function is called for one route only; `leaves` names its endpoint."""
import socket
import time

import uvicorn
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

import truth


def burn(seconds=0.004):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(50))


def burn_order():
    burn()


def burn_report():
    burn()


def burn_user():
    burn()


def burn_early():
    burn(0.002)


async def order(request):
    burn_order()
    return PlainTextResponse("ok")


def report(request):
    burn_report()
    return PlainTextResponse("ok")


async def user(request):
    burn_user()
    return PlainTextResponse("ok")


class Early(BaseHTTPMiddleware):
    """Before the URL is resolved."""

    async def dispatch(self, request, call_next):
        burn_early()
        return await call_next(request)


def starlette_site():
    app = Starlette(routes=[Route("/orders/{number}", order), Route("/report", report),
                            Mount("/admin", routes=[Route("/user/{name}", user)])])
    app.add_middleware(Early)
    return app


def fastapi_site():
    from fastapi import APIRouter, FastAPI, Request
    app = FastAPI()

    @app.get("/orders/{number}")
    async def fast_order(number: int):
        return (await order(None)).body.decode()

    @app.get("/report")
    def fast_report():
        return report(None).body.decode()

    router = APIRouter(prefix="/admin")

    @router.get("/user/{name}")
    async def fast_user(name: str, request: Request):
        return (await user(request)).body.decode()

    app.include_router(router)
    app.add_middleware(Early)
    return app


SITES = {"starlette": starlette_site, "fastapi": fastapi_site}


def main():
    options = truth.options(lambda parser: parser.add_argument("--framework", choices=sorted(SITES), required=True))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    app = SITES[options.framework]()
    truth.announce(options, port=listener.getsockname()[1],
                   leaves={"burn_order": "order", "burn_report": "report", "burn_user": "user"})
    config = uvicorn.Config(app, lifespan="off", access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
