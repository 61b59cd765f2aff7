"""A worker whose watchdog waits for the seconds in IMPATIENT_SECONDS instead of half a minute."""

from __future__ import annotations

import os
import sys

import workers.fleet
from workers.__main__ import main

if __name__ == "__main__":
    workers.fleet.HANG_SECONDS = float(os.environ["IMPATIENT_SECONDS"])
    sys.exit(main([]))
