"""Many threads that wait in a call of the program's own, all of them for as long as the process runs."""
import threading
import time

import truth


def wait_for_ever(event):
    event.wait()


def main():
    options = truth.options(lambda parser: parser.add_argument("--threads", type=int, required=True))
    threading.stack_size(256 * 1024)
    event = threading.Event()
    for number in range(options.threads):
        threading.Thread(target=wait_for_ever, args=(event,), name="waiter", daemon=True).start()
    truth.announce(options, threads=threading.active_count())
    time.sleep(options.lifetime)


if __name__ == "__main__":
    main()
