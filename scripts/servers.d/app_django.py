"""The Django site of the integration tests (tests/targets/django_site), as WSGI and ASGI application."""
import os
import sys

sys.path.insert(0, os.environ["SERVERS_TARGETS"])
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # uvicorn imports this below its loop, and the table is made here
from django_site.wsgi import application as wsgi  # noqa: E402, F401
from django_site.asgi import application as asgi  # noqa: E402, F401

del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]

import ledger  # noqa: E402

ledger.measure("django.core.handlers.wsgi:WSGIHandler.__call__", "django_site.work:rank_products", "django_site.views:query_prices",
               "django.db.backends.utils:CursorWrapper._execute", "django.db.models.sql.compiler:SQLCompiler.as_sql")
