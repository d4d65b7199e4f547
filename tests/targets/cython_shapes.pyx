# cython: language_level=3
"""Coroutines compiled by Cython, for every_shape.py."""


async def cython_leaf(awaitable):
    await awaitable


async def cython_middle(awaitable):
    await cython_leaf(awaitable)


async def cython_over(function):
    await function()


class Compiled:
    async def method(self, function):
        await function()
