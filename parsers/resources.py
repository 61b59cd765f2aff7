"""What parsers may use of the installation they run in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from contracts.clock import Clock, SystemClock
from contracts.limiter import RateLimiter, Unlimited


@dataclass(frozen=True, slots=True)
class Resources:
    """Built once by the composition root and handed to every parser."""

    source_roots: tuple[Path, ...] = ()
    """Directories that file_path may lie in."""
    allow_private_urls: bool = False
    max_source_bytes: int = 2_000_000_000
    fetch_seconds: float = 300.0
    credentials_dir: Path | None = None
    google_sheets_api: str = "https://sheets.googleapis.com"
    google_drive_api: str = "https://www.googleapis.com"
    child_memory_bytes: int = 536_870_912
    child_cpu_seconds: int = 600
    ca_file: Path | None = None
    """Certificates to trust instead of the usual ones (PEM)."""
    limiter: RateLimiter = field(default_factory=Unlimited)
    clock: Clock = field(default_factory=SystemClock)
