"""Keeps one worker process alive: starts it again when it dies, and passes on the wish to stop."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType

from observability.logging import get_logger
from resilience.abort.crashes import WINDOW, CrashCount
from workers.stopping import EXIT_RECYCLED

log = get_logger(__name__)

PAUSE_SECONDS = (0.1, 10.0)
"""Before the first restart, and at most; doubled each time, and small again after a minute of life."""
SETTLED_SECONDS = 60.0
LAST_RITES_SECONDS = 12.0
"""That handing back the tasks of a dead worker may still take when the supervisor ends."""


def supervise(
    command: Sequence[str],
    *,
    pauses: tuple[float, float] = PAUSE_SECONDS,
    died: Callable[[int], object] | None = None,
) -> int:
    """Runs `command` until it ends with 0 or this process is asked to stop (SIGTERM, SIGINT, passed on each time);
    returns its last exit code. Of the main thread only. `died` is called in a thread with the process id of a worker
    that did not end in good order, to hand back at once what would else come back with its leases."""
    stopping = threading.Event()
    child: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, _: FrameType | None) -> None:
        stopping.set()
        if child is not None and child.poll() is None:
            child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    pause = pauses[0]
    crashes = CrashCount()
    rites: list[threading.Thread] = []
    try:
        while True:
            started = time.monotonic()
            # In a session of its own: Ctrl-C reaches it once, through us.
            child = subprocess.Popen(command, start_new_session=True)  # noqa: S603
            if stopping.is_set():
                child.terminate()
            code = child.wait()
            if died is not None and code not in (0, EXIT_RECYCLED):
                rites = [rite for rite in rites if rite.is_alive()]
                rites.append(threading.Thread(target=died, args=(child.pid,), daemon=True))
                rites[-1].start()
            if code == 0 or stopping.is_set():
                return code
            if code == EXIT_RECYCLED:
                pause = pauses[0]
                log.info("worker.renewed")
                continue
            if time.monotonic() - started > SETTLED_SECONDS:
                pause = pauses[0]
            log.warning("worker.restarted", exit_code=code, after_seconds=pause)
            if crashes.add(time.monotonic()):
                log.error("worker.crashes", exit_code=code, within_seconds=WINDOW)
            if stopping.wait(pause):
                return code
            pause = min(pause * 2, pauses[1])
    finally:
        for rite in rites:
            rite.join(LAST_RITES_SECONDS)
        for number, handler in before.items():
            signal.signal(number, handler)
