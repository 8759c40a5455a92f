"""Work that is done side by side, in threads that do not keep the process when it is to end."""

import threading
from collections.abc import Callable, Sequence


def all_done(tasks: Sequence[Callable[[], object]], at_once: int) -> None:
    """Do all `tasks`, at most `at_once` at a time; the first one's error when some fail, whatever it is.

    After an error no other is begun, and those that run are waited for; when the caller is interrupted, they are not.
    """
    left, turn, over = iter(enumerate(tasks)), threading.Lock(), threading.Event()
    failed: dict[int, BaseException] = {}

    def work() -> None:
        while not over.is_set():
            with turn:
                number, task = next(left, (0, None))
            if task is None:
                return
            try:
                task()
            except BaseException as why:  # noqa: BLE001  it is the caller's
                failed[number] = why
                over.set()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(at_once, len(tasks)))]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        over.set()
    if failed:
        raise failed[min(failed)]
