"""The settings of one process: defaults, then a .env file, then the environment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contracts.errors import ConfigError


def _default_data_dir() -> Path:
    return Path.home() / ".local" / "share" / "pricemill"


class Settings(BaseSettings):
    """Every field can be set as PRICEMILL_<NAME>; DATABASE_URL and REDIS_URL also without the prefix."""

    model_config = SettingsConfigDict(
        env_prefix="PRICEMILL_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    database_url: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DATABASE_URL", "PRICEMILL_DATABASE_URL")
    )
    """postgresql://user:password@host/database. None = an embedded PostgreSQL in data_dir."""
    redis_url: SecretStr | None = Field(default=None, validation_alias=AliasChoices("REDIS_URL", "PRICEMILL_REDIS_URL"))
    """redis://[:password@]host:port/0, rediss:// or unix://. None = an embedded Redis in data_dir."""
    data_dir: Path = Field(default_factory=_default_data_dir)
    """Embedded servers, spool and logs."""
    spool_dir: Path | None = None
    """Snapshots of sources; None = data_dir/spool. Share it between hosts for a fleet that resumes anywhere."""
    spool_keep_hours: Annotated[float, Field(ge=1)] = 168.0
    """Snapshots are removed when nothing was written to them for so long."""
    source_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    """Directories that file sources may lie in, separated by ':'. Empty = only what `pricemill import` hands in."""
    allow_private_urls: bool = False
    """Lets https sources point at private addresses (tests, intranets)."""
    google_sheets_api: str = "https://sheets.googleapis.com"
    """Address of the Google Sheets API."""
    google_drive_api: str = "https://www.googleapis.com"
    """Address of the Google Drive API, which tells whether a sheet has changed."""
    google_sheets_calls: Annotated[int, Field(ge=1)] = 100
    """Requests to Google Sheets that all workers together may make with one credential in google_sheets_seconds."""
    google_sheets_seconds: Annotated[float, Field(ge=1)] = 100.0
    """See google_sheets_calls."""
    credentials_dir: Path | None = None
    """Directory of credential files (NAME.json), read-only."""

    queue_name: str = "pricemill"
    """Prefix of all keys in Redis; installations that share a Redis need different ones."""
    concurrency: Annotated[int, Field(ge=1, le=64)] = 5
    """Tasks one worker process runs at once."""
    lease_seconds: Annotated[float, Field(ge=2, le=600)] = 10.0
    """After which a silent worker loses its task to another."""
    heartbeat_seconds: Annotated[float, Field(ge=0.2, le=60)] = 3.0
    """Between two signs of life; at most a third of the lease."""
    sweep_seconds: Annotated[float, Field(ge=0.2, le=60)] = 2.0
    """Between two searches for tasks that were left behind."""
    schedule_seconds: Annotated[float, Field(ge=0.2, le=60)] = 2.0
    """Between two looks at which schedules are due."""
    watch_dir: Path | None = None
    """Folder with one folder for each supplier; files that are put there become tasks. None = no folder is watched."""
    watch_seconds: Annotated[float, Field(ge=0.2, le=3600)] = 5.0
    """Between two looks into it; a file that grows between two is waited for."""
    redeliver_seconds: Annotated[float, Field(ge=1, le=600)] = 10.0
    """After which a task that was sent and not taken up is sent again."""
    time_limit_seconds: Annotated[float, Field(ge=1)] = 3600.0
    """Of one attempt."""
    shutdown_seconds: Annotated[float, Field(ge=1, le=600)] = 20.0
    """That running tasks have on SIGTERM to reach the end of their chunk."""
    supersede: Annotated[str, Field(pattern="^(on|off)$")] = "on"
    """on: of several queued versions of a list the newest runs, the others end as superseded."""
    max_waiting: Annotated[int, Field(ge=1)] = 1_000_000
    """Tasks that may wait in all queues; producers are refused beyond (QueueFull)."""
    slice_seconds: Annotated[float, Field(ge=0.1)] = 20.0
    """For which a task keeps its slot although other suppliers wait and no slot is free; doubled each time."""
    chunk_size: Annotated[int, Field(ge=100, le=100_000)] = 15_000
    """Rows that are committed together."""
    retry_policy: str = "ingest"
    """Name of a policy in resilience/retry/policy.py."""
    abort_policy: str = "conservative"
    """Name of a policy in resilience/abort/policy.py: when a list of which too much fails is stopped; off = never."""
    resource_policy: str = "production"
    """Named thresholds in resilience/resource/thresholds.py; observe = measure and tell, do nothing."""
    resource_seconds: Annotated[float, Field(ge=1, le=3600)] = 30.0
    """Between two looks at memory, disk, descriptors and connections."""
    memory_limit_bytes: Annotated[int, Field(ge=0)] = 0
    """That one worker process may use; 0 = only the limit of its container, else of the host."""
    recycle_after_seconds: Annotated[float, Field(ge=0)] = 600.0
    """A process younger than this is not started anew for want of memory."""
    poison_after: Annotated[int, Field(ge=1, le=20)] = 3
    """Deaths of a worker without progress after which a task is dead."""

    max_source_bytes: Annotated[int, Field(ge=1)] = 2_000_000_000
    """Largest source."""
    fetch_seconds: Annotated[float, Field(ge=1)] = 300.0
    """That fetching a source may take."""
    parser_memory_bytes: Annotated[int, Field(ge=64_000_000)] = 536_870_912
    """Of the child process that reads binary formats."""
    parser_cpu_seconds: Annotated[int, Field(ge=1)] = 600
    """Of that child process."""
    default_currency: Annotated[str, Field(pattern=r"^([A-Z]{3})?$")] = ""
    """Holds for lists that state no currency; empty = they are stored as XXX with a warning."""
    price_band: Annotated[str, Field(pattern=r"^(off|[1-9][0-9]{0,5}(\.[0-9]{1,4})?)$")] = "5"
    """A price of more than so many times the current one, or of less than that part of it, waits for a person;
    off = none does. A supplier's profile may say otherwise."""
    match_by_code: bool = False
    """True: a supplier's code that equals a product's internal SKU is that product. GTINs always match."""
    create_draft_products: bool = False
    """True: items that match no product by GTIN or code get a draft product."""

    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Port on which a worker serves /metrics and /livez; 0 = none. Each worker of a host needs its own."""
    metrics_host: str = "127.0.0.1"
    """Address that is listened on; there is no password, so 0.0.0.0 is for networks of containers."""
    wait_limit_seconds: Annotated[float, Field(gt=0)] = 300.0
    """A due task that waits longer is what the alert rules tell of."""

    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    log_format: Annotated[str, Field(pattern="^(json|console)$")] = "console"
    """console for people, json for machines."""

    @field_validator("source_roots", mode="before")
    @classmethod
    def _split_roots(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(Path(part) for part in value.split(":") if part)
        return value

    @field_validator("database_url", "redis_url")
    @classmethod
    def _is_an_address(cls, value: SecretStr | None, about: ValidationInfo) -> SecretStr | None:
        """Names the form and never the value, which may hold a password."""
        if value is None:
            return None
        wanted = ("postgresql", "postgres") if about.field_name == "database_url" else ("redis", "rediss", "unix")
        try:
            parts = urlsplit(value.get_secret_value())
            known = parts.scheme.partition("+")[0] in wanted and (parts.port is None or parts.port > 0)
        except ValueError:
            known = False
        if not known:
            raise ValueError(f"is no address of the form {wanted[0]}://user:password@host:port/name")
        return value

    @model_validator(mode="after")
    def _beats_within_the_lease(self) -> Settings:
        if self.heartbeat_seconds * 3 > self.lease_seconds:
            raise ValueError("PRICEMILL_HEARTBEAT_SECONDS may be at most a third of PRICEMILL_LEASE_SECONDS")
        return self

    @property
    def spool(self) -> Path:
        return self.spool_dir or self.data_dir / "spool"

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)


class SettingsInvalid(ConfigError):
    """a setting cannot be used"""

    next_step = "correct the environment variable or the .env file"


def load_settings(**overrides: Any) -> Settings:
    """From the environment; `overrides` win. SettingsInvalid names every bad variable, never its value."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsInvalid(f"a setting cannot be used: {'; '.join(map(_wrong, error.errors()))}") from None


def _wrong(error: Any) -> str:
    """By the variable's name: PRICEMILL_CHUNK_SIZE for chunk_size; what is wrong with several names them itself."""
    sentence = str(error["msg"]).removeprefix("Value error, ")
    name = ".".join(map(str, error["loc"])).upper()
    if not name:
        return sentence
    bare = name.removeprefix("PRICEMILL_")
    return f"{bare if bare in {'DATABASE_URL', 'REDIS_URL'} else f'PRICEMILL_{bare}'}: {sentence}"
