"""Blocks of a page that repeat once for each item: read by selectors, or proposed where nothing else is there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from parsers.extract import DocumentUnreadable, Record
from parsers.html_tables import MONEY
from parsers.html_tree import select, text_of

LEAST = 3
"""Blocks that repeat more seldom are no list."""
SMALL = 20
"""Elements that the amount of an item consists of at most."""
_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NAMES = (
    "[itemprop=name]", *(f"h{level} a@title" for level in range(1, 7)), *(f"h{level}" for level in range(1, 7)),
    "a@title", ".name", ".title", "a", "img@alt",
)  # fmt: skip
"""Where names stand, the surest first; the title of a link is whole where its text is cut off."""


@dataclass(frozen=True, slots=True)
class Proposal:
    rows: str
    fields: dict[str, str]
    records: list[Record]


def cards(tree: LexborHTMLParser, rows: str, fields: Mapping[str, str]) -> Iterator[Record]:
    """One record for each element that `rows` finds. Where a field finds several texts, all stand in the cell, so that
    two prices in one block are none."""
    found = select(tree, rows)
    if not found:
        raise DocumentUnreadable(f"the page has nothing that “{rows}” finds")
    for row in found:
        yield Record({name: _field(row, selector) for name, selector in fields.items()})


def _field(row: LexborNode, selector: str) -> str | None:
    path, mark, attribute = selector.rpartition("@")
    if not mark:
        path, attribute = selector, ""
    nodes = select(row, path) if path.strip() else [row]
    texts = ((node.attributes.get(attribute.strip()) or "") if attribute else text_of(node) for node in nodes)
    return " | ".join(dict.fromkeys(filter(None, (" ".join(text.split()) for text in texts)))) or None


def propose(tree: LexborHTMLParser) -> Proposal | None:
    """The blocks around the amounts that most look alike; None if there are none, or they have no names."""
    amounts = [node for node in tree.css("body *") if _is_amount(node)]
    groups = Counter(filter(None, map(_signature, amounts)))
    for price, count in groups.most_common(3):
        if count < LEAST:
            break
        places = {node.mem_id for node in amounts if _signature(node) == price}
        around = [_around(node, places) for node in amounts if node.mem_id in places]
        for level in range(min(map(len, around))):
            found = _at_level([above[level] for above in around], price)
            if found is not None:
                return found
    return None


def _is_amount(node: LexborNode) -> bool:
    if not node.is_element_node or not MONEY.fullmatch(text_of(node, SMALL)):
        return False
    return not any(MONEY.fullmatch(text_of(part, SMALL)) for part in node.iter())


def _at_level(blocks: list[LexborNode], price: str) -> Proposal | None:
    """If all blocks so far around their amounts look alike, nothing else does, and each has a name."""
    rows = _signature(blocks[0])
    if not rows or any(_signature(block) != rows for block in blocks):
        return None
    top = blocks[0]
    while top.parent is not None:
        top = top.parent
    if len(top.css(rows)) != len(blocks):
        return None
    for name in _NAMES:
        fields = {"name": name, "price": price}
        found = [Record({field: _field(block, selector) for field, selector in fields.items()}) for block in blocks]
        if all(record.cells["name"] and record.cells["price"] for record in found):
            return Proposal(rows, fields, found)
    return None


def _around(node: LexborNode, places: set[int]) -> list[LexborNode]:
    """The elements around an amount, from the inside, as long as they hold no other one of its group."""
    own, around = _signature(node), []
    while (above := node.parent) is not None and above.tag not in {"body", "html"}:
        if len([part for part in above.css(own) if part.mem_id in places]) > 1:
            break
        around.append(above)
        node = above
    return around


def _signature(node: LexborNode) -> str:
    """tag.class.class; '' without a class that can stand in a selector."""
    classes = (node.attributes.get("class") or "").split()
    usable = [name for name in classes if _CLASS.fullmatch(name)]
    return f"{node.tag}.{'.'.join(usable)}" if usable else ""
