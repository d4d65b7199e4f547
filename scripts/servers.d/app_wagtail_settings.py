"""The settings that `wagtail start` made, as on a production server, with static files as they are."""
import secrets

from shop.settings.base import *  # noqa: F401, F403
from shop.settings.base import DATABASES

SECRET_KEY = secrets.token_hex()
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "app_wagtail"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATABASES["default"].setdefault("OPTIONS", {})["timeout"] = 20
LOGGING_CONFIG = None
