"""Workers as real processes without the second that each takes to import: forked from one that has imported all.

Run as `python -m tests.support.nursery`: reads {"environment": …, "log": path} lines, writes {"pid": …} for each, and
{"dead": pid, "code": …} whenever one has died. Ends, and its workers with it, when its input does.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import selectors
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from contracts import failpoints
from workers.__main__ import main


class Nursery:
    """The other end of such a process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._started: asyncio.Queue[int] = asyncio.Queue()
        self._dead: dict[int, asyncio.Future[int]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def start(self, environment: dict[str, str], log: str) -> int:
        """Process id of a new worker."""
        assert self._process.stdin is not None
        async with self._one_at_a_time:
            self._process.stdin.write(json.dumps({"environment": environment, "log": log}).encode() + b"\n")
            return await self._started.get()

    async def dead(self, pid: int) -> int:
        """Waits until that worker is dead; its exit code."""
        return await asyncio.shield(self._dead[pid])

    def kill(self, pid: int) -> None:
        """SIGKILL, unless it is dead already; its number may be someone else's then."""
        if not self._dead[pid].done():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def listen(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            said = json.loads(line)
            if "pid" in said:
                self._dead[said["pid"]] = asyncio.get_running_loop().create_future()
                self._started.put_nowait(said["pid"])
            else:
                self._dead[said["dead"]].set_result(said["code"])


@asynccontextmanager
async def nursery() -> AsyncIterator[Nursery]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.nursery", stdin=PIPE, stdout=PIPE,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    own = Nursery(process)
    listening = asyncio.create_task(own.listen())
    try:
        yield own
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await listening


def _bear(order: dict[str, object]) -> int:
    """Forks a worker with that environment; its process id."""
    pid = os.fork()
    if pid:
        return pid
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    log = os.open(str(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    assert isinstance(order["environment"], dict)
    os.environ.update(order["environment"])
    failpoints.arm(os.environ.get(failpoints.VARIABLE, ""))
    code = 1
    try:
        code = main([])
    finally:
        sys.stdout.flush()
        os._exit(code)


def _main() -> None:
    importlib.import_module("workers.app")
    importlib.import_module("workers.fleet")
    woken, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno())
    orders = selectors.DefaultSelector()
    orders.register(0, selectors.EVENT_READ)
    orders.register(woken, selectors.EVENT_READ)
    children: set[int] = set()
    text = b""
    while True:
        for key, _ in orders.select():
            if key.fd != 0:
                woken.recv(4096)
                continue
            data = os.read(0, 65_536)
            if not data:
                for pid in children:
                    os.kill(pid, signal.SIGKILL)
                return
            text += data
            *lines, text = text.split(b"\n")
            for line in lines:
                pid = _bear(json.loads(line))
                children.add(pid)
                print(json.dumps({"pid": pid}), flush=True)
        while children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            children.discard(pid)
            print(json.dumps({"dead": pid, "code": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    _main()
