"""Settings that cannot be used are named, and no secret with them; blank ones are not set."""

import pytest
from pydantic import ValidationError

from config.settings import Settings, SettingsInvalid, load_settings


def test_blank_variables_are_not_set(monkeypatch):
    for name in ("DATABASE_URL", "REDIS_URL", "PRICEMILL_SPOOL_DIR", "PRICEMILL_CHUNK_SIZE"):
        monkeypatch.setenv(name, "")
    settings = load_settings(_env_file=None)
    assert (settings.database_url, settings.redis_url, settings.spool_dir) == (None, None, None)
    assert settings.chunk_size == Settings.model_fields["chunk_size"].default


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://u:canary@[bad/x"),
        ("DATABASE_URL", "postgresql://u:canary@host:port/x"),
        ("DATABASE_URL", "canary"),
        ("REDIS_URL", "https://:canary@host"),
        ("REDIS_URL", "redis://:canary@[x"),
        ("PRICEMILL_LOG_LEVEL", "canary"),
        ("PRICEMILL_CHUNK_SIZE", "canary"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_without_its_value(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid) as raised:
        load_settings(_env_file=None)
    assert f"{name}: " in raised.value.message
    assert "canary" not in raised.value.message
    with pytest.raises(ValidationError) as plain:
        Settings(_env_file=None)
    assert "canary" not in str(plain.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://u:p@h:5432/x"),
        ("DATABASE_URL", "postgres://h/x"),
        ("DATABASE_URL", "postgresql+asyncpg://h/x"),
        ("DATABASE_URL", "postgresql://u@/x?host=%2Frun%2Fpg"),
        ("REDIS_URL", "rediss://:p@h:6379/0"),
        ("REDIS_URL", "unix:///run/redis.sock?db=0"),
    ],
)
def test_addresses_of_servers(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    secret = getattr(load_settings(_env_file=None), name.lower())
    assert secret.get_secret_value() == value


def test_signs_of_life_must_come_well_within_the_lease():
    with pytest.raises(SettingsInvalid, match="PRICEMILL_HEARTBEAT_SECONDS may be at most a third"):
        load_settings(_env_file=None, lease_seconds=10, heartbeat_seconds=4)
    assert load_settings(_env_file=None, lease_seconds=12, heartbeat_seconds=4).heartbeat_seconds == 4
