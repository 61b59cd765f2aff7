"""The catalogue of events: every name that is logged, what it says, and the fields it carries."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, NamedTuple


class Event(NamedTuple):
    """One line of the log; the level stands where it is logged."""

    name: str
    sentence: str
    fields: tuple[str, ...] = ()


CONTEXT: Final = ("correlation", "epoch", "module", "parser", "queue", "supplier", "task_id", "worker")
"""Fields that any event may carry from its surroundings (bound_context)."""

_ALL: Final = (
    Event("abort.alerted", "someone should look: lists are being stopped", ("trigger", "first_bad", "remedy")),
    Event(
        "abort.triggered", "too much of a list fails; it stops and waits for a person", ("trigger", "pattern", "rate")
    ),
    Event("budget.alone", "Redis is away: this process keeps to its part of a budget of calls", ("key", "error")),
    Event("burst.not_known", "whether the queue is empty could not be asked", ("error",)),
    Event(
        "call.not_retried",
        "one call failed and is left at that: too many are being tried again",
        ("call", "attempt", "kind"),
    ),
    Event("call.retried", "one call failed and is tried again within seconds", ("call", "attempt", "kind", "error")),
    Event("checkpoint.corrupt", "the seal of a checkpoint is broken", ("kind", "error", "position")),
    Event("checkpoint.not_used", "a stored checkpoint was passed over", ("reason",)),
    Event(
        "chunk.committed",
        "rows, logs and checkpoint of a chunk are committed",
        ("sequence", "rows", "account", "parse_seconds", "validate_seconds", "seconds"),
    ),
    Event("chunk.not_committed", "a chunk was under way when the run ended; nothing of it is kept", ("error",)),
    Event("chunk.not_staged", "the rows of a chunk did not reach the server; they are sent again", ("error",)),
    Event(
        "delivery.delayed",
        "tasks were accepted, Redis could not be told; the sweep delivers them",
        ("deliveries", "error"),
    ),
    Event("delivery.not_noted", "Redis has the deliveries, the ledger could not note it", ("deliveries", "error")),
    Event("health.unwell", "a server this process needs did not answer", ("server", "error")),
    Event("inbox.not_read", "messages of external producers could not be read", ("error",)),
    Event("job.not_cleared", "the leftovers of a job could not be removed", ("job", "error")),
    Event("lease.not_renewed", "the heartbeat did not reach PostgreSQL; it tries again", ("error",)),
    Event("list.changed", "the list differs from the supplier's last one in what could be absorbed", ("changes",)),
    Event("list.cut", "a list has far fewer items than the last one of its name", ("items", "last")),
    Event("message.buried", "a message that is no task was kept as a dead letter", ("size", "reason")),
    Event("message.lost", "a message that is no task could not be kept", ("size", "error")),
    Event("metrics.fleet_not_known", "PostgreSQL did not tell what the gauges of the fleet show", ("error",)),
    Event("metrics.not_served", "the port for metrics is not free; it tries again", ("port", "error")),
    Event("metrics.served", "metrics can be fetched", ("host", "port")),
    Event("plan.made", "the list is understood and the plan of the run is frozen", ("fingerprint", "chunk_size")),
    Event("queue.not_asked", "how much waits in Redis could not be asked", ("error",)),
    Event("redis.foreign_key_removed", "a key of the wrong type stood in our way", ("name", "found")),
    Event("redis.lost", "Redis went away; running tasks go on, new ones wait", ("error", "running")),
    Event(
        "resource.exhausted",
        "the worker gives its tasks back behind their chunk and is started anew",
        ("measure", "percent"),
    ),
    Event(
        "resource.grows",
        "the memory of this process grows steadily",
        ("megabytes_per_hour", "certainty"),
    ),
    Event("resource.recovered", "there is enough left again", ("measure", "percent")),
    Event("resource.relieved", "garbage was collected, memory given back", ("measure", "level")),
    Event("resource.short", "memory, disk, descriptors or connections run short", ("measure", "level", "percent")),
    Event("run.resumed", "the run goes on behind the last committed row", ("row", "sequence")),
    Event("schedule.backlog", "slots passed while nobody looked", ("schedule", "caught_up", "missed", "first", "last")),
    Event("schedule.fired", "the task of a slot is accepted", ("schedule", "slot", "state")),
    Event("schedule.not_decided", "a schedule cannot be used now; it is asked again", ("schedule", "error")),
    Event("schedule.skipped", "slots pass without a task", ("schedule", "slot", "slots", "reason")),
    Event("schedule.tick_failed", "schedules could not be looked at; it tries again", ("error",)),
    Event("source.fetched", "the snapshot of the source lies in the spool", ("source", "bytes", "sha256", "seconds")),
    Event("source.requested", "a supplier's server or Google was asked", ("service", "code", "seconds")),
    Event("source.unchanged", "its revision is the one that was loaded last: not read", ("revision", "loaded_by")),
    Event("spool.pruned", "snapshots that nobody will ask for any more were removed", ("removed",)),
    Event("sweep.failed", "the rescue of forgotten tasks failed; it tries again", ("error",)),
    Event("task.account_mismatch", "rows read and rows accounted for differ", ("error",)),
    Event("task.claimed", "this worker has the task", ("attempt", "epoch", "supplier", "waited_seconds")),
    Event("task.enqueued", "tasks were registered that the ledger did not know", ("tasks", "origin")),
    Event("task.failed", "an attempt met an error", ("error", "kind")),
    Event("task.lease_lost", "another worker holds the task now; this attempt writes nothing more", ("error",)),
    Event("task.not_claimed", "PostgreSQL could not be asked; the sweep delivers again", ("error",)),
    Event("task.not_settled", "the outcome could not be recorded yet; it tries again", ("error",)),
    Event("task.refused", "a delivery was not for now, or the task is someone else's", ("reason",)),
    Event("task.rescued", "the sweep delivers what Redis has forgotten", ("deliveries",)),
    Event(
        "task.settled",
        "the attempt ended and is recorded",
        ("outcome", "seconds", "status", "code", "category", "asks"),
    ),
    Event("task.superseded", "newer versions of a list wait; the older ones ended without running", ("tasks", "by")),
    Event("watch.failed", "the watched folder or a file in it cannot be read now; it tries again", ("file", "error")),
    Event("watch.handed_in", "a file of the watched folder became a task", ("file", "sha256")),
    Event("watch.refused", "a file of the watched folder cannot become a task", ("file", "reason")),
    Event("worker.abandons", "the time for an orderly stop is over; tasks are left to others", ("running",)),
    Event(
        "worker.crashes",
        "someone should look: the worker dies again and again; it is started all the same",
        ("exit_code", "within_seconds"),
    ),
    Event("worker.draining", "an operator wants it to take nothing new; running tasks go on", ("worker", "running")),
    Event("worker.hung", "the watchdog ends a process that no longer works"),
    Event("worker.not_forgotten", "the worker could not be taken off the list", ("error",)),
    Event("worker.not_registered", "the worker could not be put on the list", ("error",)),
    Event("worker.not_started", "the worker cannot start", ("error", "next")),
    Event("worker.orphans", "a worker of this host died; its tasks were handed back at once", ("pid", "tasks")),
    Event("worker.orphans_left", "its tasks could not be handed back; they come with their leases", ("pid", "error")),
    Event("worker.recycled", "it shall start anew; running tasks stop behind their chunk", ("worker", "running")),
    Event("worker.renewed", "the supervisor starts a worker anew that was recycled"),
    Event("worker.restarted", "the supervisor starts a worker that died again", ("exit_code", "after_seconds")),
    Event("worker.started", "the worker takes tasks", ("worker", "slots")),
    Event("worker.stopped", "the worker has ended", ("worker",)),
    Event("worker.stopping", "the worker takes no new tasks and waits for the running ones", ("worker", "running")),
    Event("worker.takes_again", "the wish to drain was taken back", ("worker",)),
)
EVENTS: Final = MappingProxyType({event.name: event for event in _ALL})
