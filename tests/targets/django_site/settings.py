"""Settings of a plain production-like site: the usual middleware, an ORM, no network and no files."""

import os
import secrets

SECRET_KEY = secrets.token_hex()
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
ROOT_URLCONF = "django_site.urls"
ASGI_APPLICATION = "django_site.asgi.application"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = ["django_site"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

if "DJANGO_SITE_STAMPS" in os.environ:
    MIDDLEWARE.append("django_site.stamps.stamps")

SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"

# One database in memory that every connection of the process shares. It lives as long as one of them is open, and
# Django never closes connections to databases in memory.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "file:django_site?mode=memory&cache=shared",
    }
}

LOGGING_CONFIG = None
