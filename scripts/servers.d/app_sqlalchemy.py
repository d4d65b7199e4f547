"""An ASGI application on SQLAlchemy's asyncio: the ORM in greenlets below the request's task, SQLite in aiosqlite's thread."""
import json
import os

import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import ledger
import planted

ledger.measure("sqlalchemy.engine.result:ScalarResult.all")
engine = create_async_engine("sqlite+aiosqlite:///" + os.path.join(os.environ["SERVERS_LEDGERS"], "%d.sqlite" % os.getpid()))


class Money(sqlalchemy.TypeDecorator):
    impl = sqlalchemy.Integer
    cache_ok = True

    @ledger.measured
    def process_result_value(self, value, dialect):
        total = value
        for step in range(100):
            total = (total * 31 + step) & 0xFFFFFF
        return total


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    price: Mapped[int] = mapped_column(Money)


@ledger.measured
def weigh(price):
    """Called by SQLite, in the thread of aiosqlite."""
    total = price
    for step in range(200):
        total = (total * 37 + step) & 0xFFFF
    return total


@sqlalchemy.event.listens_for(engine.sync_engine, "connect")
def add_functions(connection, _):
    connection.create_function("weigh", 1, weigh)


def rank(session):
    products = session.execute(sqlalchemy.select(Product).order_by(Product.id)).scalars().all()
    weight = session.execute(sqlalchemy.text("SELECT sum(weigh(price)) FROM product WHERE id < 60")).scalar()
    planted.price_list(8000)
    return [product.id for product in products[:weight % 50]]


async def fill():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(sqlalchemy.insert(Product), [{"price": 100 + i * 37 % 911} for i in range(100)])


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await fill()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    async with AsyncSession(engine) as session:
        body = json.dumps(await session.run_sync(rank)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
