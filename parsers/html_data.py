"""Finds what a page marks up for machines with schema.org: JSON-LD, microdata, RDFa, all as dictionaries of JSON-LD."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from parsers.html_tree import text_of

MAX_DEPTH = 30
MAX_JSON = 20_000_000
_ITEMS = frozenset(("Product", "ProductGroup", "IndividualProduct", "ProductModel", "SomeProducts", "Vehicle", "Car"))
_OFFERS = frozenset(("Offer", "AggregateOffer", "OfferForPurchase"))
_ELSEWHERE = frozenset(("isRelatedTo", "isSimilarTo", "isAccessoryOrSparePartFor", "isConsumableFor", "review"))
"""Members that lead to what is not on offer here."""
_VALUES = {"meta": "content", "data": "value", "meter": "value", "link": "href", "a": "href", "area": "href",
           "img": "src", "time": "datetime"}  # fmt: skip


class Found(NamedTuple):
    syntax: str
    items: list[dict[str, Any]]
    """Products and whatever else has offers."""
    broken: int = 0
    """Blocks that cannot be read."""


class _Marks(NamedTuple):
    scope: str
    type: str
    property: str


def structured(tree: LexborHTMLParser) -> list[Found]:
    """What each syntax says, the most explicit one first; without those that say nothing."""
    readers: tuple[Callable[[LexborHTMLParser], Found], ...] = (
        _json_ld,
        lambda page: _marked(page, "microdata", _Marks("itemscope", "itemtype", "itemprop")),
        lambda page: _marked(page, "RDFa", _Marks("typeof", "typeof", "property")),
    )
    return [found for read in readers if (found := read(tree)).items or found.broken]


def types(item: dict[str, Any]) -> set[str]:
    """The types of an item without their vocabulary."""
    stated = item.get("@type")
    names = stated if isinstance(stated, list) else [stated]
    return {
        name.rstrip("/").replace("#", "/").replace(":", "/").rpartition("/")[2]
        for name in names
        if isinstance(name, str)
    }


def _json_ld(tree: LexborHTMLParser) -> Found:
    documents: list[Any] = []
    broken = 0
    for script in tree.css('script[type="application/ld+json" i]'):
        try:
            documents.append(_json(script.text()))
        except (ValueError, RecursionError):
            broken += 1
    return Found("JSON-LD", list(_items(documents, _References(documents), 0)), broken)


def _json(text: str) -> Any:
    if len(text) > MAX_JSON:
        raise ValueError("too large")
    return json.loads(text, parse_float=_number, parse_int=_number, parse_constant=_no, strict=False)


class _References:
    """Nodes by their @id, and which of them were taken already."""

    def __init__(self, documents: Any) -> None:
        self.named: dict[str, dict[str, Any]] = {}
        self.mentioned: set[str] = set()
        self.taken: set[str] = set()
        for node in _nodes(documents):
            name = node.get("@id")
            if isinstance(name, str) and len(node) > 1:
                self.named.setdefault(name, node)
            elif isinstance(name, str):
                self.mentioned.add(name)

    def take(self, node: dict[str, Any]) -> bool:
        """False for a node that was taken before, and for an offer that another node refers to."""
        name = node.get("@id")
        if not isinstance(name, str):
            return True
        if name in self.taken or (name in self.mentioned and types(node) & _OFFERS):
            return False
        self.taken.add(name)
        return True


def _number(text: str) -> Decimal:
    if len(text) > 40 or abs(Decimal(text).adjusted()) > 40:
        raise ValueError("a number with too many digits")
    return Decimal(f"{Decimal(text):f}")


def _no(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            yield part
            stack += part.values()
        elif isinstance(part, list):
            stack += part


def _items(value: Any, references: _References, depth: int) -> Iterator[dict[str, Any]]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, list):
        for part in value:
            yield from _items(part, references, depth + 1)
    elif isinstance(value, dict):
        named = references.named
        node = resolved(value, named)
        kinds = types(node)
        if kinds & _OFFERS:
            offered = node.get("itemOffered")
            product = resolved(offered, named) if isinstance(offered, dict) else {}
            if references.take(node):
                yield {**product, "offers": [node], "@references": named}
        elif kinds & _ITEMS or ("offers" in node and "name" in node):
            if not references.take(node):
                return
            if "offers" in node or "hasVariant" not in node:
                yield {**node, "@references": named}
            for variant in _variants(node, named):
                yield from _items(variant, references, depth + 1)
        else:
            for member, part in node.items():
                if member not in _ELSEWHERE:
                    yield from _items(part, references, depth + 1)


def _variants(node: dict[str, Any], named: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each inherits the name, brand and category of its group where it states none."""
    stated = node.get("hasVariant", [])
    inherited: dict[str, Any] = {name: node[name] for name in ("name", "brand", "category") if name in node}
    for variant in stated if isinstance(stated, list) else [stated]:
        if isinstance(variant, dict):
            yield {"@type": "Product", **inherited, **resolved(variant, named)}


def resolved(node: dict[str, Any], named: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What a mere reference ({"@id": …}) refers to."""
    return named.get(node["@id"], node) if len(node) == 1 and isinstance(node.get("@id"), str) else node


def _marked(tree: LexborHTMLParser, syntax: str, marks: _Marks) -> Found:
    """Items that are no property of another one; items within them are reached from there."""
    tops = [
        node
        for node in tree.css(f"[{marks.scope}]")
        if marks.property not in node.attributes or not _within(node, marks.scope)
    ]
    documents = [_item(node, marks, 0) for node in tops]
    return Found(syntax, list(_items(documents, _References(None), 0)))


def _within(node: LexborNode, scope: str) -> bool:
    above = node.parent
    while above is not None and above.is_element_node:
        if scope in above.attributes:
            return True
        above = above.parent
    return False


def _item(node: LexborNode, marks: _Marks, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {"@type": (node.attributes.get(marks.type) or "").split()}
    if depth > MAX_DEPTH:
        return found
    stack = list(reversed(list(node.iter())))
    while stack:
        part = stack.pop()
        if not part.is_element_node:
            continue
        attributes = part.attributes
        inner = marks.scope in attributes
        if (names := attributes.get(marks.property)) is not None:
            value: Any = _item(part, marks, depth + 1) if inner else _value(part)
            for name in names.split():
                found.setdefault(name.rpartition(":")[2].rpartition("/")[2], []).append(value)
        if not inner:
            stack += reversed(list(part.iter()))
    return found


def _value(node: LexborNode) -> str:
    attributes = node.attributes
    stated = attributes.get("content")
    if stated is None:
        stated = attributes.get(_VALUES.get(node.tag or "", "content"))
    return text_of(node) if stated is None else stated.strip()
