"""usage: chat_clients.py PORT IDLE SECONDS: so many idle websockets, and four that talk twenty times a second; prints "ready"."""
import asyncio
import json
import os
import sys

import websockets

TALKERS = 4
PAUSE = 0.05  # seconds


async def main(port, idle, seconds):
    uri = "ws://127.0.0.1:%d/ws" % port
    at_once = asyncio.Semaphore(20)
    open_ones = []

    async def open_one():
        async with at_once:
            open_ones.append(await websockets.connect(uri, ping_interval=None, open_timeout=60))

    await asyncio.gather(*(open_one() for _ in range(idle)))
    talkers = [await websockets.connect(uri + "?talk", ping_interval=None) for _ in range(TALKERS)]
    print("ready", flush=True)
    end = asyncio.get_running_loop().time() + seconds

    async def talk(socket):
        while asyncio.get_running_loop().time() < end:
            await socket.send(json.dumps({"text": "hello"}))
            await asyncio.sleep(PAUSE)

    async def hear(socket):
        async for _ in socket:
            pass

    hearing = [asyncio.create_task(hear(each)) for each in talkers]
    await asyncio.gather(*(talk(each) for each in talkers))
    del hearing
    os._exit(0)  # without closing thousands of sockets one by one


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
