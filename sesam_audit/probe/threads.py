"""Questions are answered in threads, which tell the round when they know more."""

import threading

CHANGED = threading.Condition()  # guards what questions know of their answers


def start(work, *args):
    try:
        threading.Thread(target=work, args=args, daemon=True).start()
    except RuntimeError:  # no more threads for this user
        work(*args)
