"""A FastAPI application with the same work in a `def` endpoint, which runs in a worker thread, and in an `async def` one."""
import asyncio

from fastapi import FastAPI

import ledger
import planted

ledger.measure("starlette.responses:JSONResponse.render", "h11._connection:Connection.next_event",
               "h11._connection:Connection.send")
app = FastAPI()


def order():
    planted.price_list(12000)
    return {"signed": planted.sign(400), "discount": planted.discount(3000), "lines": list(range(300))}


@app.get("/def")
@ledger.measured
def in_thread():
    return order()


@app.get("/async")
async def in_loop():
    await asyncio.sleep(0.001)
    return order()
