"""A small real Django project, served by ASGI: what the integration tests and the demo look at from outside."""
