"""Old snapshots are removed, and only those."""

import os
import time

from workers.spool import prune


def snapshot(spool, name, *, age):
    directory = spool / name
    directory.mkdir(parents=True)
    (directory / "source").write_text("sku,price\n")
    then = time.time() - age
    for path in (directory / "source", directory):
        os.utime(path, (then, then))


def test_only_what_nobody_wrote_to_for_so_long_is_removed(tmp_path):
    snapshot(tmp_path, "old", age=7200)
    snapshot(tmp_path, "new", age=60)
    assert prune(tmp_path, older_than=3600) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert prune(tmp_path, older_than=3600) == 0


def test_a_spool_that_does_not_exist_yet_is_no_error(tmp_path):
    assert prune(tmp_path / "spool", older_than=1) == 0
