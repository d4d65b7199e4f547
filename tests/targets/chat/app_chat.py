"""A chat on Django channels with its in-memory layer. It times each dispatch by its own clock, and writes on request what it has.

$CHAT_LOG names the file: once FILE.wanted exists, all (start, end) in CLOCK_MONOTONIC nanoseconds are written to it as JSON.
"""
import json
import os
import threading
import time

from django.conf import settings

settings.configure(SECRET_KEY="chat", ALLOWED_HOSTS=["*"], INSTALLED_APPS=["channels"],
                   CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 5000}}})

import django  # noqa: E402

django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

LIFETIME = 120  # seconds
dispatches = []


class Chat(AsyncJsonWebsocketConsumer):
    async def connect(self):
        self.room = "talk" if b"talk" in self.scope["query_string"] else "idle"
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.room, self.channel_name)

    async def receive_json(self, content):
        await self.channel_layer.group_send("talk", {"type": "chat.message", "text": content["text"]})

    async def chat_message(self, event):
        await self.send_json({"text": event["text"]})

    async def dispatch(self, message):
        start = time.monotonic_ns()
        try:
            await super().dispatch(message)
        finally:
            dispatches.append((start, time.monotonic_ns()))


application = ProtocolTypeRouter({"websocket": URLRouter([path("ws", Chat.as_asgi())])})


def write_on_request(log):
    end = time.monotonic() + LIFETIME
    while time.monotonic() < end:
        time.sleep(0.2)
        if os.path.exists(log + ".wanted"):
            with open(log + ".new", "w") as file:
                json.dump(dispatches, file)
            os.unlink(log + ".wanted")
            os.replace(log + ".new", log)
    os._exit(0)


threading.Thread(target=write_on_request, args=(os.environ["CHAT_LOG"],), daemon=True).start()
