"""The watchdog ends a process without signs of life, and lets a slow or a stopped one live."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

from workers.watchdog import EXIT_CODE, Watchdog

WAIT = 10.0


def test_a_process_without_signs_of_life_is_ended_once() -> None:
    ended = threading.Event()
    calls: list[int] = []

    def end() -> None:
        calls.append(1)
        ended.set()

    with Watchdog(lambda: 0.0, patience=0.1, end=end):
        assert ended.wait(WAIT)
        time.sleep(0.3)
    assert calls == [1]


def test_a_process_that_lives_is_left_alone() -> None:
    looked = threading.Semaphore(0)
    ended = threading.Event()

    def signs() -> float:
        looked.release()
        return time.monotonic()

    with Watchdog(signs, patience=0.1, end=ended.set):
        for _ in range(30):  # three times as many looks as the patience has
            assert looked.acquire(timeout=WAIT)
    assert not ended.is_set()


HUNG = """
import time
from workers.watchdog import Watchdog, end_process
with Watchdog(lambda: 0.0, patience=0.2, end=end_process):
    time.sleep(60)
"""


def test_a_hung_process_ends_itself_with_a_code_that_a_supervisor_restarts() -> None:
    assert subprocess.run([sys.executable, "-c", HUNG], timeout=60, check=False).returncode == EXIT_CODE


STOPPED = """
import sys, threading, time
from workers.watchdog import Watchdog, end_process
alive = time.monotonic()
def beat():
    global alive
    while True:
        alive = time.monotonic()
        time.sleep(0.01)
with Watchdog(lambda: alive, patience=1.0, end=end_process):
    threading.Thread(target=beat, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_a_process_that_was_stopped_gets_time_to_go_on() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(2.0)  # longer than its patience
    os.kill(process.pid, signal.SIGCONT)
    time.sleep(0.5)
    process.communicate("", timeout=WAIT)
    assert process.returncode == 0
