"""The ids of the categories that a run meets, each looked up once."""

from __future__ import annotations

from db.connection import connect
from db.errors import translated

_ADD = "INSERT INTO categories (name, parent_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_GET = "SELECT id::text FROM categories WHERE name = $1 AND parent_id IS NOT DISTINCT FROM $2"


class CategoryIds:
    """By path from the root. Made in the order of their paths, each in a transaction of its own, so that two suppliers
    who bring the same ones never wait for each other in a circle."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.ids: dict[tuple[str, ...], str] = {}

    async def learn(self, paths: set[tuple[str, ...]]) -> None:
        """Gets or creates what is not known yet; opens a connection only then. Raises DatabaseUnavailable."""
        missing = {path[:depth] for path in paths - self.ids.keys() for depth in range(1, len(path) + 1)}
        if not missing:
            return
        connection = await connect(self._url)
        try:
            with translated():
                for path in sorted(missing - self.ids.keys()):
                    parent = self.ids.get(path[:-1])
                    await connection.execute(_ADD, path[-1], parent)
                    self.ids[path] = await connection.fetchval(_GET, path[-1], parent)
        finally:
            await connection.close()
