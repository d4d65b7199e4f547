"""The site that `wagtail start shop` made, as WSGI and ASGI application, and one view more."""
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "app_wagtail_settings"

from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402

wsgi = get_wsgi_application()
asgi = get_asgi_application()

from django.http import HttpResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.urls import path  # noqa: E402
from shop import urls  # noqa: E402
from wagtail.models import Page  # noqa: E402

import ledger  # noqa: E402
import planted  # noqa: E402

ledger.measure("django.db.backends.utils:CursorWrapper._execute", "django.db.models.sql.compiler:SQLCompiler.as_sql",
               "django.db.models.query:QuerySet._fetch_all", "django.template.base:Template.render")
TEMPLATE = engines["django"].from_string(
    "<ul>{% for page in pages %}<li>{{ page.title|upper }}, {{ page.depth|add:3 }}: {{ page.url_path }}</li>{% endfor %}</ul>")


@ledger.measured
def report(request):
    pages = [Page.objects.live().filter(depth__gte=depth).order_by("title").first() for depth in range(1, 3)]
    planted.price_list(12000)
    planted.sign(300)
    return HttpResponse(TEMPLATE.render({"pages": pages * 20}))


urlpatterns = [path("report/", report)] + urls.urlpatterns
