"""One attempt at one task: open its source, resume, load chunk by chunk, sum up."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from time import monotonic

from config.limits import band_of, list_cut_of
from config.profiles import SupplierProfile
from config.settings import Settings
from contracts.account import Account
from contracts.catalog import StoredProfile, ToReplay
from contracts.reasons import REASONS
from contracts.store import Claim
from contracts.task import ErrorGroup, Statistics, TaskResult
from observability.logging import get_logger
from pipeline.abort import abort_guards
from pipeline.ahead import Ahead, Collaborators
from pipeline.chunks import replay_state, run_chunks
from pipeline.gate import stop_if_doubtful
from pipeline.last_list import last_list, remember
from pipeline.open import Opened, open_source
from pipeline.replaying import close_replayed, require_same_source, to_replay
from pipeline.stages.chain import build_stages
from pipeline.turnover import Turnover, compare_with_last
from pipeline.unread import left_unread
from pipeline.unreadable import stop_if_unreadable
from resilience.checkpoint.resume import resume_from
from resilience.checkpoint.seal import seal
from resilience.guard import Guard

log = get_logger(__name__)


def spool_of(settings: Settings, task_id: str) -> Path:
    """The directory of one task's snapshot; a hash, because ids are the producers' text."""
    return settings.spool / hashlib.sha256(task_id.encode()).hexdigest()[:32]


async def run(claim: Claim, *, guards: Sequence[Guard], with_: Collaborators) -> TaskResult:
    """Works on a claimed task until every row is in a bucket and committed.

    Raises whatever ended the attempt; rows committed until then stay, and the next attempt goes on behind them.
    """
    started = monotonic()
    task = claim.task
    stored = await with_.profiles.newest(task.supplier_name)
    replay = await to_replay(claim, with_)
    if (unread := await left_unread(claim, with_, stored, replay)) is not None:
        return unread
    async with Ahead(claim, with_, begin=stored is not None) as ahead:
        opened = await open_source(
            task,
            with_.parser(task.parser_type),
            spool=spool_of(with_.settings, task.options.replay_of or task.task_id),
            stored=stored,
            settings=with_.settings,
            last=None if replay else await last_list(claim, with_, ahead, stored),
        )
        try:
            require_same_source(replay, opened.source.sha256)
            loaded = await _load(claim, opened, stored=stored, with_=with_, guards=guards, ahead=ahead, replay=replay)
        finally:
            await opened.reading.close()
    if with_.matcher is not None:
        await with_.matcher.match(claim)
    if replay is None:
        await remember(claim, with_, opened, stored=stored, account=loaded.account)
    await close_replayed(claim, with_, replay)
    return summarise(claim, opened, loaded, seconds=monotonic() - started)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a run left in the tables."""

    supplier_id: str
    account: Account
    samples: dict[str, str]
    """The first rejected row of each code."""
    turnover: Turnover


async def _load(
    claim: Claim,
    opened: Opened,
    *,
    stored: StoredProfile | None,
    with_: Collaborators,
    guards: Sequence[Guard],
    ahead: Ahead,
    replay: ToReplay | None,
) -> Loaded:
    plan, digest = opened.plan, opened.source.sha256
    profile = None if stored is None else SupplierProfile.model_validate(stored.document)
    resume = resume_from(claim.checkpoints, source_sha256=opened.source.sha256, plan_fingerprint=plan.fingerprint)
    for note in resume.notes:
        log.warning("checkpoint.not_used", reason=note)
    loader, known = await ahead.loader(restarted=resume.restarted)
    loader.band = band_of(profile, with_.settings.price_band, sha256=digest)
    stages = build_stages(plan, known, replay=None if replay is None else replay.rows)
    if resume.checkpoint is not None:
        log.info("run.resumed", row=resume.checkpoint.cursor.row, sequence=resume.checkpoint.sequence)
        await replay_state(opened.reading, stages, upto=resume.checkpoint.cursor)
    elif replay is None:
        await stop_if_unreadable(opened.sample, plan.understanding, profile=profile, sha256=digest)
        await stop_if_doubtful(opened.reading, plan, loader=loader, known=known, profile=profile, sha256=digest)
    if replay is None:
        own = abort_guards(with_.settings, profile, sha256=digest, samples=stages.samples, alerts=with_.alerts)
        guards = (*guards, *own)
    checkpoint = await run_chunks(
        task_id=claim.task.task_id,
        source_sha256=opened.source.sha256,
        reading=opened.reading,
        plan=plan,
        stages=stages,
        loader=loader,
        checkpoint=resume.checkpoint,
        next_sequence=1 if resume.restarted else resume.next_sequence,
        guards=guards,
        seal=seal,
        resize=with_.resize,
    )
    account = Account() if checkpoint is None else checkpoint.account
    turnover = Turnover()
    if replay is None:
        turnover = await compare_with_last(
            loader, stages.seen(), named=stages.named(), new=account.new, cut=list_cut_of(profile)
        )
    return Loaded(loader.supplier_id, account, stages.samples, turnover)


def summarise(claim: Claim, opened: Opened, loaded: Loaded, *, seconds: float) -> TaskResult:
    """The task-result document of a run in which every row is accounted for."""
    account = loaded.account
    stored = account.new + account.changed + account.unchanged
    failed = account.rejected.total()
    took = Decimal(str(round(seconds, 3)))
    return TaskResult(
        task_id=claim.task.task_id,
        status="success" if not failed else "partial_success" if stored else "failure",
        processed_at=datetime.now(UTC),
        supplier_id=loaded.supplier_id,
        statistics=Statistics(
            total_rows=account.read,
            successful_rows=stored,
            failed_rows=failed,
            new=account.new,
            changed=account.changed,
            unchanged=account.unchanged,
            held=account.held.total(),
            missing=loaded.turnover.missing,
            returned=loaded.turnover.returned,
            ignored={key: count for key, count in sorted(account.ignored.items()) if count},
            processing_time_seconds=took,
            items_per_second=round(stored / took, 1) if took else Decimal(0),
        ),
        errors=[
            ErrorGroup(error_type=code, count=count, sample_message=loaded.samples.get(code, REASONS[code].fix))
            for code, count in account.rejected.most_common()
            if count
        ],
        retry_count=claim.attempt - 1,
        config_version=opened.plan.config_version,
        source_sha256=opened.source.sha256,
        understanding={
            "description": opened.reading.description.document(),
            "source": opened.source.name,
            **opened.plan.understanding.document(),
        },
        warnings=[
            *opened.reading.description.notes,
            *opened.plan.understanding.warnings,
            *loaded.turnover.warnings,
        ],
    )
