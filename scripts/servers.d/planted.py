"""Functions of an application's own: in Python code, and in C code without the GIL."""
import hashlib

import ledger


@ledger.measured
def price_list(rounds):
    total = 17
    for step in range(rounds):
        total = (total * 31 + step) & 0xFFFFFF
    return total


@ledger.measured
def sign(kilobytes):
    return hashlib.sha256(b"x" * (kilobytes << 10)).hexdigest()


@ledger.measured
def discount(rounds):
    """Other functions of the same application below it."""
    total = 0
    for step in range(rounds):
        total += half(step)
    return total


def half(step):
    return step // 2
