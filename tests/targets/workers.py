"""A server that serves by child processes, as its own command line starts them: on loopback, for a limited time.

gunicorn with two workers forked beforehand, uvicorn --workers 2 (spawned), or uvicorn --reload (one, spawned anew whenever a
file of --folder changes). The application is quotes.py, in --folder. The ready file has the port.
"""
import os
import signal
import socket
import sys
import threading
import time

import truth

WORKERS = 2


def end_later(seconds):
    def end():
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGTERM)  # the server's way to stop, its workers with it
    threading.Thread(target=end, daemon=True).start()


def serve_gunicorn(options):
    import gunicorn.app.base

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]  # gunicorn makes the descriptor its own

    class Application(gunicorn.app.base.BaseApplication):
        def load_config(self):
            self.cfg.set("bind", "fd://%d" % listener.fileno())
            self.cfg.set("workers", WORKERS)
            self.cfg.set("worker_class", "sync")
            self.cfg.set("loglevel", "warning")
            self.cfg.set("when_ready", lambda _: truth.announce(options, port=port))

        def load(self):
            import quotes
            return quotes.wsgi

    Application().run()


def serve_uvicorn(options):
    import uvicorn

    reload = options.server == "uvicorn-reload"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]  # uvicorn does not tell which one it took for 0
    truth.announce(options, port=port)  # it will listen in a moment
    uvicorn.run("quotes:asgi", host="127.0.0.1", port=port, lifespan="off", access_log=False, log_level="warning",
                workers=1 if reload else WORKERS, reload=reload, reload_dirs=[options.folder] if reload else None)


def extra(parser):
    parser.add_argument("--server", choices=("gunicorn", "uvicorn-workers", "uvicorn-reload"), required=True)
    parser.add_argument("--folder", required=True)


def main():
    options = truth.options(extra)
    sys.path.insert(0, options.folder)
    end_later(options.lifetime)
    if options.server == "gunicorn":
        serve_gunicorn(options)
    else:
        serve_uvicorn(options)


if __name__ == "__main__":
    main()
