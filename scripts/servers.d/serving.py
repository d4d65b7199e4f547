"""The servers of the table, and how one of them is started, loaded and ended."""
import collections
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import django_site
import harness

HERE = os.path.dirname(os.path.abspath(__file__))
LIFETIME = 90  # seconds: after that each server ends by itself

# `requirement`: what scripts/venv adds. `command`: {bin}, {port} and {venv} are filled in. `prepared`: what makes its folder ready.
# `workers`: processes that serve, each with a ledger; more than the one that was started if `children`.
Server = collections.namedtuple("Server", "name requirement command paths workers children prepared connections",
                                defaults=(1, False, None, 8))


def start_wagtail(python, folder, environment):
    """The site and its database, as a new user of Wagtail makes them."""
    tool = os.path.join(os.path.dirname(python), "wagtail")
    for command in ([tool, "start", "shop", folder], [python, "-m", "django", "migrate", "--settings", "app_wagtail_settings"]):
        done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        if done.returncode != 0:
            raise RuntimeError("%s: %s" % (" ".join(command[:2]), done.stdout.decode(errors="replace")[-2000:]))


def gunicorn(name, *options, **how):
    command = ("{bin}/python", "-m", "gunicorn", "app_wagtail:wsgi", "-b", "127.0.0.1:{port}") + options
    return Server(name, "wagtail", command, "/=1,/report/=3", children=True, prepared=start_wagtail, **how)


def uvicorn(name, requirement, application, paths, *options, **how):
    command = ("{bin}/python", "-m", "uvicorn", application, "--port", "{port}", "--no-access-log", "--log-level", "warning")
    return Server(name, requirement, command + options, paths, **how)


UWSGI = ("{bin}/uwsgi", "--http-socket", "127.0.0.1:{port}", "--virtualenv", "{venv}", "--pythonpath", HERE, "--module",
         "app_django:wsgi", "--need-app", "--disable-logging", "--threads", "2")
SERVERS = (
    gunicorn("wagtail-sync", "-k", "sync", "-w", "2", workers=2),
    gunicorn("wagtail-gthread", "-k", "gthread", "--threads", "8", connections=16),
    uvicorn("wagtail-uvicorn", "wagtail", "app_wagtail:asgi", "/=1,/report/=3", prepared=start_wagtail),
    uvicorn("fastapi-def", "fastapi", "app_fastapi:app", "/def"),
    uvicorn("fastapi-async", "fastapi", "app_fastapi:app", "/async"),
    uvicorn("sqlalchemy", "sqlalchemy[asyncio,aiosqlite]", "app_sqlalchemy:application", "/"),
    Server("uwsgi", "uWSGI>=2.0.28", UWSGI, "/sync"),
    Server("uwsgi-workers", "uWSGI>=2.0.28", UWSGI + ("--master", "--processes", "2", "--lazy-apps"), "/sync", 2, True),
    uvicorn("django-uvicorn", None, "app_django:asgi", "/sync"),
    Server("http.server", None, ("{bin}/python", os.path.join(HERE, "app_http_server.py"), "{port}"), "/"),
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Running:
    """A server in a session of its own; a context manager. It serves when this is made."""

    def __init__(self, server, python):
        self.server = server
        self.python = django_site.environment(python, server.requirement)
        self.folder = tempfile.mkdtemp(prefix="server-")
        self.ledgers = os.path.join(self.folder, "ledgers")
        self.log = os.path.join(self.folder, "log")
        self.port = free_port()
        self.process = None
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise

    def _start(self):
        project = os.path.join(self.folder, "project")
        for folder in (self.ledgers, project):
            os.mkdir(folder)
        environment = dict(os.environ, SERVERS_LEDGERS=self.ledgers, SERVERS_TARGETS=harness.TARGETS,
                           PYTHONPATH=os.pathsep.join([HERE, project]), PYTHONDONTWRITEBYTECODE="1")
        if self.server.prepared:
            self.server.prepared(self.python, project, environment)
            for name in os.listdir(self.ledgers):  # of what made the site ready
                os.remove(os.path.join(self.ledgers, name))
        folder = os.path.dirname(self.python)
        command = [word.format(bin=folder, venv=os.path.dirname(folder), port=self.port) for word in self.server.command]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, cwd=project, env=environment, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, start_new_session=True,
                                            preexec_fn=lambda: signal.alarm(LIFETIME))
        self.pid = self.process.pid
        end = time.monotonic() + 60
        while not (self.answers() and len(self.serving()) == self.server.workers):
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.log, errors="replace") as log:
                    raise RuntimeError("%s does not serve: %s" % (self.server.name, log.read()[-3000:]))
            time.sleep(0.1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)  # its own session: it and its workers
            except ProcessLookupError:
                pass
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, path=""):
        return "http://127.0.0.1:%d%s" % (self.port, path)

    def answers(self):
        """Whether it does, to one request for each path."""
        try:
            for item in self.server.paths.split(","):
                urllib.request.urlopen(self.url(item.partition("=")[0]), timeout=20).close()
            return True
        except urllib.error.HTTPError as error:
            raise RuntimeError("%s: %s: %s" % (self.server.name, error, error.read()[-2000:])) from None
        except OSError:
            return False

    def serving(self):
        """The processes with a ledger."""
        return sorted(int(name[:-5]) for name in os.listdir(self.ledgers) if name.endswith(".json"))

    def processes(self):
        """It and all below it."""
        found, rest = [], [self.pid]
        while rest:
            pid = rest.pop()
            found.append(pid)
            for task in os.listdir("/proc/%d/task" % pid):
                try:
                    with open("/proc/%d/task/%s/children" % (pid, task), encoding="ascii") as file:
                        rest += map(int, file.read().split())
                except (FileNotFoundError, ProcessLookupError):
                    pass  # a thread that ended since
        return found
