"""Decides to which network addresses a source may lead."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from contracts.errors import SourceNotAllowed, SourceUnavailable

_TUNNELS = tuple(
    ipaddress.ip_network(network)
    for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "fec0::/10")
)
"""Addresses that count as global and yet carry an IPv4 address within, or are outdated private ones."""


def is_public(address: str) -> bool:
    """Whether an address is on the public internet. False for anything that is no address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif any(ip in network for network in _TUNNELS):
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback)


async def resolve(host: str, port: int, *, allow_private: bool) -> str:
    """One address of the host, to be connected to as it is: a second look-up could answer differently. Every
    answer must be public, whatever way the host is written. Raises SourceNotAllowed, SourceUnavailable."""
    loop = asyncio.get_running_loop()
    try:
        answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SourceUnavailable(f"the name “{host}” cannot be resolved", host=host) from error
    addresses = [str(answer[4][0]) for answer in answers]
    if not addresses:
        raise SourceUnavailable(f"the name “{host}” has no address", host=host)
    if not allow_private and not all(map(is_public, addresses)):
        raise SourceNotAllowed(
            f"“{host}” leads to an address that is not public",
            host=host,
            next="if this host is yours to read, have PRICEMILL_ALLOW_PRIVATE_URLS=true set for the workers",
        )
    return addresses[0]
