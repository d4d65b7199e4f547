"""A thread that runs no Python and burns a CPU, beside one that runs Python and burns another. The truth is the kernel's account of
each, which the test reads."""
import ctypes
import threading
import time

import truth


def burn_in_python(end):
    while time.monotonic() < end:
        sum(range(1000))


def main():
    options = truth.options(lambda parser: parser.add_argument("--library", required=True))
    ctypes.CDLL(options.library).start(ctypes.c_double(options.lifetime))
    end = time.monotonic() + options.lifetime
    burner = threading.Thread(target=burn_in_python, args=(end,), daemon=True)
    burner.start()
    truth.announce(options, python_tid=burner.native_id)
    time.sleep(options.lifetime)


if __name__ == "__main__":
    main()
