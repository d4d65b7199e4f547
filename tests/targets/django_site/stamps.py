"""A small function that each request calls DJANGO_SITE_STAMPS times: for who wants to know what a call costs that is traced."""

from __future__ import annotations

import os

from asgiref.sync import iscoroutinefunction
from django.utils.decorators import sync_and_async_middleware

STAMPS = int(os.environ.get("DJANGO_SITE_STAMPS", "0"))


def stamp(number: int) -> int:
    return number * 31 & 0xFFFF


@sync_and_async_middleware
def stamps(get_response):
    if iscoroutinefunction(get_response):
        async def middleware(request):
            for number in range(STAMPS):
                stamp(number)
            return await get_response(request)
    else:
        def middleware(request):
            for number in range(STAMPS):
                stamp(number)
            return get_response(request)
    return middleware
