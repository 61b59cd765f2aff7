"""Loaded by a worker that has this folder in its PYTHONPATH: names and addresses lead where a test wants them."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

import uvloop

NETWORK = json.loads(os.environ["PRETEND_NETWORK"])
"""names: name → the answers of one look-up after the other, each a list of addresses; the last one stays.
served: "address:port" → port of a server on this machine."""


class PretendLoop(uvloop.Loop):
    """The loop of a worker; whatever is not pretended goes where it always does."""

    async def getaddrinfo(self, host: Any, port: Any, **more: Any) -> Any:
        answers = NETWORK["names"].get(host)
        if answers is None:
            return await super().getaddrinfo(host, port, **more)
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)) for address in found]

    async def create_connection(self, factory: Any, host: Any = None, port: Any = None, **more: Any) -> Any:
        served = NETWORK["served"].get(f"{host}:{port}")
        if served is not None:
            host, port = "127.0.0.1", served
        return await super().create_connection(factory, host, port, **more)


uvloop.new_event_loop = PretendLoop
