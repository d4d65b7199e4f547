"""The WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "django_site.settings"
application = get_wsgi_application()

from django_site.models import create_and_fill  # noqa: E402  (there are no models before that)

create_and_fill()
