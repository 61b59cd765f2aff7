"""Failpoints do nothing unless armed, and then exactly what they were told."""

import os
import signal
import subprocess
import sys

import pytest

from contracts import failpoints
from contracts.failpoints import FAILPOINTS, FailpointReached, arm, failpoint, parse

NAME = next(iter(FAILPOINTS))


@pytest.fixture(autouse=True)
def disarmed():
    yield
    arm("")


def run(text, code):
    script = f"from contracts.failpoints import failpoint\n{code}"
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, failpoints.VARIABLE: text},
        capture_output=True,
        timeout=30,
        check=False,
    )


def test_nothing_happens_unarmed():
    for name in FAILPOINTS:
        failpoint(name)
    failpoint("not even for a name that does not exist")


def test_kill_kills_at_the_passage_that_was_named():
    done = run(f"{NAME}=kill:3", f"for n in range(5): print(n, flush=True); failpoint({NAME!r})")
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == [b"0", b"1", b"2"]


def test_another_place_is_not_touched():
    other = list(FAILPOINTS)[1]
    assert run(f"{other}=kill", f"failpoint({NAME!r})").returncode == 0


def test_stop_stops_until_it_is_continued():
    code = f"from contracts.failpoints import failpoint; failpoint({NAME!r}); print('on')"
    process = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, failpoints.VARIABLE: f"{NAME}=stop"}, stdout=subprocess.PIPE
    )
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        process.send_signal(signal.SIGCONT)
        assert process.communicate(timeout=30)[0].strip() == b"on"
    finally:
        process.kill()


def test_raise_raises_once_what_no_table_knows():
    arm(f"{NAME}=raise:2")
    failpoint(NAME)
    with pytest.raises(FailpointReached):
        failpoint(NAME)
    failpoint(NAME)


def test_sleep_sleeps_at_every_passage(monkeypatch):
    slept = []
    monkeypatch.setattr(failpoints.time, "sleep", slept.append)
    arm(f"{NAME}=sleep:2.5")
    failpoint(NAME)
    failpoint(NAME)
    assert slept == [2.5, 2.5]


def test_several_are_armed_at_once():
    one, two = list(FAILPOINTS)[:2]
    assert set(parse(f"{one}=kill, {two}=sleep:1")) == {one, two}


@pytest.mark.parametrize(
    "text",
    ["nowhere=kill", f"{NAME}=explode", f"{NAME}=kill:0", f"{NAME}=kill:x", f"{NAME}=sleep", f"{NAME}=sleep:-1", NAME],
)
def test_a_mistake_is_an_error_when_it_is_read(text):
    with pytest.raises(ValueError):
        parse(text)
    assert run(text, "pass").returncode == 1


def test_an_unknown_place_in_the_code_is_an_error_when_anything_is_armed():
    arm(f"{NAME}=sleep:0")
    with pytest.raises(KeyError):
        failpoint("nowhere")
