"""What unfit_calls.py imports inside of a function."""
CHANGES = []


def change():
    CHANGES.append(1)
