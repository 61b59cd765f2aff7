"""A source that stumbles is asked again at once; one that is slow to fail, or refuses, is not."""

from functools import partial
from pathlib import Path

import pytest

from contracts.errors import SourceMissing, SourceThrottled, SourceUnavailable
from contracts.task import ParseTask
from pipeline.fetch import QUICK, fetch
from resilience.retry.budget import RetryBudget
from resilience.retry.call import retry_call

TASK = ParseTask(parser_type="csv", supplier_name="S", source_config={"file_path": "a.csv"})


class Source:
    """Fails with what it was given, each after `takes` seconds of a made-up clock, then answers."""

    def __init__(self, *errors, takes=0.1):
        self.errors, self.takes = list(errors), takes
        self.calls, self.now = 0, 0.0

    async def fetch(self, task, spool):
        self.calls += 1
        self.now += self.takes
        if self.errors:
            raise self.errors.pop(0)
        return "source"

    async def sleep(self, seconds):
        self.now += seconds

    async def fetched(self):
        retry = partial(retry_call, sleep=self.sleep, budget=RetryBudget())
        return await fetch(self, TASK, Path("spool"), retry=retry, seconds=lambda: self.now)


async def test_a_source_that_stumbles_is_asked_again_at_once():
    source = Source(SourceUnavailable(), SourceUnavailable())
    assert await source.fetched() == "source"
    assert source.calls == 3
    assert source.now < 2


async def test_a_source_that_is_slow_to_fail_is_left_to_the_next_attempt():
    source = Source(SourceUnavailable(), takes=QUICK)
    with pytest.raises(SourceUnavailable):
        await source.fetched()
    assert source.calls == 1


@pytest.mark.parametrize("error", [SourceMissing(), SourceThrottled()])
async def test_a_source_that_refuses_or_asks_for_patience_is_not_asked_again(error):
    source = Source(error)
    with pytest.raises(type(error)):
        await source.fetched()
    assert source.calls == 1
