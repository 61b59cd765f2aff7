"""The supervisor restarts what dies, ends with what ends well, and passes on the wish to stop."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workers.supervisor import supervise

WAIT = 30.0
QUICK = (0.01, 0.02)


def child(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_child_that_ends_well_is_not_started_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert supervise(child(f"open({str(log)!r}, 'a').write('x')"), pauses=QUICK) == 0
    assert log.read_text() == "x"


def test_a_child_that_dies_is_started_again_until_it_ends_well(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = f"""
import os, signal
with open({str(log)!r}, 'a+') as log:
    log.write('x'); log.seek(0); lives = len(log.read())
if lives == 1: os.kill(os.getpid(), signal.SIGKILL)
if lives == 2: os._exit(70)
"""
    assert supervise(child(code), pauses=QUICK) == 0
    assert log.read_text() == "xxx"


def test_a_child_that_wants_to_be_started_anew_is_and_nobody_mourns(tmp_path: Path) -> None:
    log, dead = tmp_path / "log", list[int]()
    code = f"""
import os
with open({str(log)!r}, 'a+') as log:
    log.write('x'); log.seek(0); lives = len(log.read())
if lives < 3: os._exit(75)
"""
    assert supervise(child(code), pauses=(60.0, 60.0), died=dead.append) == 0
    assert (log.read_text(), dead) == ("xxx", [])


def test_the_death_of_a_child_is_told_with_its_process_id(tmp_path: Path) -> None:
    log, dead = tmp_path / "log", list[int]()
    code = f"""
import os, signal
with open({str(log)!r}, 'a+') as log:
    log.seek(0); lives = log.read().split()
    log.write(f'{{os.getpid()}} ')
if not lives:
    log.close(); os.kill(os.getpid(), signal.SIGKILL)
"""
    assert supervise(child(code), pauses=QUICK, died=dead.append) == 0
    assert dead == [int(log.read_text().split()[0])]


PARENT = """
import sys
from workers.supervisor import supervise
sys.exit(supervise([sys.executable, "-c", sys.argv[1]]))
"""

PATIENT = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("ready", flush=True)
time.sleep(60)
"""


def test_the_wish_to_stop_reaches_the_child_and_its_code_comes_back() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, PATIENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    parent.send_signal(signal.SIGTERM)
    parent.communicate(timeout=WAIT)
    assert parent.returncode == 7


def test_a_child_that_died_of_the_signal_it_was_passed_is_not_started_again() -> None:
    idle = "print('ready', flush=True); import time; time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, idle], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    parent.send_signal(signal.SIGTERM)
    rest, _ = parent.communicate(timeout=WAIT)
    assert rest == ""


def test_a_child_that_dies_again_and_again_is_an_alert_and_started_all_the_same(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    code = f"""
import sys
with open({str(log)!r}, 'a+') as log:
    log.write('x'); log.seek(0); lives = len(log.read())
sys.exit(lives < 5)
"""
    assert supervise(child(code), pauses=QUICK) == 0
    assert log.read_text() == "xxxxx"
    assert capfd.readouterr().err.count("worker.crashes") == 1
