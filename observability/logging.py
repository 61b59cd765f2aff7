"""Structured logging of a process: one line an event, secrets out, on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal, Protocol, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

from observability.inert import inert
from observability.redaction import redact

_FIRST: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
    structlog.processors.format_exc_info,
)


class Log(Protocol):
    """What `get_logger` gives; the first argument is a name of observability/events.py."""

    def debug(self, event: str, /, **fields: Any) -> Any: ...
    def info(self, event: str, /, **fields: Any) -> Any: ...
    def warning(self, event: str, /, **fields: Any) -> Any: ...
    def error(self, event: str, /, **fields: Any) -> Any: ...


Listener = Callable[[str, Mapping[str, Any]], object]
"""Is handed the name and the fields of an event, those of its surroundings included. Must not raise and not wait."""

_listeners: tuple[Listener, ...] = ()


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Every event of this process is told to `listener` inside, whatever its level and the log's are."""
    global _listeners  # noqa: PLW0603  # the log is the process's, too
    _listeners = (*_listeners, listener)
    try:
        yield
    finally:
        _listeners = tuple(one for one in _listeners if one is not listener)


def get_logger(name: str) -> Log:
    """A logger for a module; what it writes follows the latest configure()."""
    return _Teller(cast("Log", structlog.get_logger(module=name)))


class _Teller:
    """Tells the listeners first: the log leaves out what is below its level."""

    __slots__ = ("_log",)

    def __init__(self, log: Log) -> None:
        self._log = log

    def debug(self, event: str, /, **fields: Any) -> Any:
        _tell(event, fields)
        return self._log.debug(event, **fields)

    def info(self, event: str, /, **fields: Any) -> Any:
        _tell(event, fields)
        return self._log.info(event, **fields)

    def warning(self, event: str, /, **fields: Any) -> Any:
        _tell(event, fields)
        return self._log.warning(event, **fields)

    def error(self, event: str, /, **fields: Any) -> Any:
        _tell(event, fields)
        return self._log.error(event, **fields)


def _tell(event: str, fields: Mapping[str, Any]) -> None:
    if _listeners:
        whole = {**structlog.contextvars.get_contextvars(), **fields}
        for listener in _listeners:
            listener(event, whole)


@contextmanager
def bound_context(**fields: Any) -> Iterator[None]:
    """Adds fields (task_id, supplier, epoch, worker, correlation …) to every line logged inside, also by tasks
    started inside; restored on leaving."""
    with structlog.contextvars.bound_contextvars(**fields):
        yield


def configure(
    *, level: str = "INFO", log_format: Literal["json", "console"] = "console", stream: TextIO | None = None
) -> None:
    """Sets up structlog and the standard library's logging alike (arq, SQLAlchemy, httpx speak through that).
    Every line passes redaction right before it is rendered. `stream`: standard error unless given."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"there is no log level {level!r}")
    last = _configure_structlog(number, log_format, stream)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_FIRST],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    # Libraries say at INFO what our own events say better, with all their arguments.
    root.setLevel(max(number, logging.WARNING) if number > logging.DEBUG else number)


def _configure_structlog(number: int, log_format: str, stream: TextIO | None) -> list[Processor]:
    renderer: list[Processor]
    if log_format == "json":
        renderer = [redact_event, structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
    else:
        colors = (stream or sys.stderr).isatty()
        plain = structlog.dev.plain_traceback  # the pretty one shows local variables, and so secrets
        console = structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=24, exception_formatter=plain)
        renderer = [redact_event, make_inert, console]
    structlog.configure(
        processors=[*_FIRST, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # Looked up at each line unless given: a captured or replaced sys.stderr is followed, never a closed one used.
        logger_factory=lambda *_: structlog.WriteLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    return renderer


def redact_event(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The last processor but the renderer (and, on a terminal, make_inert)."""
    return cast("EventDict", redact(event))


def make_inert(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Text of suppliers cannot steer the terminal; a traceback keeps its lines."""
    return {
        name: "\n".join(inert(line) for line in value.splitlines())
        if name == "exception" and isinstance(value, str)
        else _inert(value)
        for name, value in event.items()
    }


def _inert(value: Any) -> Any:
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, dict):
        return {inert(str(name)): _inert(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_inert(item) for item in value]
    return value


# Until a process calls configure(): warnings only, and never on standard output, which belongs to data.
_configure_structlog(logging.WARNING, "console", None)
