"""Settings of a plain production-like site: the usual middleware, templates, an ORM, no network and no files."""

import secrets
from pathlib import Path

SECRET_KEY = secrets.token_hex()
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
ROOT_URLCONF = "case_shop.urls"
ASGI_APPLICATION = "case_shop.asgi.application"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = ["case_shop"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
    }
]

SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"

# One database in memory that every connection of the process shares, as long as one of them is open.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "file:shop?mode=memory&cache=shared",
    }
}

LOGGING_CONFIG = None
