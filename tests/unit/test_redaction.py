"""Secrets leave no trace in anything that is shown or kept; ours and the supplier's text stays readable."""

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from observability import redaction
from observability.inert import inert
from observability.logging import bound_context, configure, get_logger
from observability.redaction import EMPTY, REDACTED, protect, redact, redact_text, sensitive

CANARY = "cAnArY9xQ7zT2pL5"


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "PASSWORD",
        "db_password",
        "dbPassword",
        "client_secret",
        "clientSecret",
        "access_token",
        "accessToken",
        "X-Auth-Token",
        "Authorization",
        "authorization",
        "auth",
        "api_key",
        "apiKey",
        "APIKey",
        "api-key",
        "apikey",
        "private_key",
        "private_key_id",
        "credentials",
        "credentials_path",
        "google_credential",
        "certificate",
        "tls_cert",
        "passphrase",
        "pwd",
        "Set-Cookie",
        "jwt",
    ],
)
def test_these_names_hold_secrets(name):
    assert sensitive(name)
    assert redact({name: CANARY}) == {name: REDACTED}


@pytest.mark.parametrize(
    "name",
    [
        "idempotency_key",
        "task_key",
        "key_hash",
        "key_hashes",
        "primary_key",
        "key",
        "author",
        "authority",
        "keyboard",
        "monkey",
        "sku",
        "name",
        "supplier_name",
        "price",
        "compass",
        "tasks",
        "path",
    ],
)
def test_these_names_do_not(name):
    assert not sensitive(name)
    assert redact({name: "Kabelbinder 200 mm"}) == {name: "Kabelbinder 200 mm"}


SHOWN = [
    f"postgresql://worker:{CANARY}@db:5432/prices",
    f"postgresql+asyncpg://worker:{CANARY}@/prices?host=/run/pg",
    f"redis://:{CANARY}@localhost:6379/0",
    f"rediss://user:{CANARY}@host",
    f"https://user:p/{CANARY}@host/path",
    f"https://user:p@{CANARY}@host/path",
    f"could not connect to 'postgres://a:{CANARY}@b'",
    f"Authorization: Bearer {CANARY}",
    f"authorization: basic {CANARY}==",
    f"RedisSettings(host='r', password='{CANARY}', ssl=False)",
    f'{{"password": "{CANARY}", "user": "x"}}',
    f"password={CANARY}",
    f"PASSWORD = '{CANARY} with spaces'",
    f"DB_PASSWORD={CANARY}",
    f"https://a.example/list?api_key={CANARY}&x=1",
    f"https://a.example/list?x=1&access_token={CANARY}#end",
    f"https://a.example/x?X-Amz-Signature={CANARY}",
    f"client_secret: {CANARY}",
    f"-----BEGIN PRIVATE KEY-----\nMII{CANARY}\n-----END PRIVATE KEY-----",
    f'"private_key": "-----BEGIN RSA PRIVATE KEY-----\\nMII{CANARY}\\n-----END RSA PRIVATE KEY-----\\n"',
    f"-----BEGIN CERTIFICATE-----\nMII{CANARY}",
    f"eyJhbGciOiJIUzI1NiJ9.{CANARY}.{CANARY}",
    f"AKIA{'A' * 16} and AIza{CANARY}{CANARY}",
    f"ghp_{CANARY}{CANARY}",
    f"glpat-{CANARY}",
    f"xoxb-{CANARY}",
    f"ya29.{CANARY}",
    f"sk_live_{CANARY}",
    f"GOCSPX-{CANARY}",
]


@pytest.mark.parametrize("text", SHOWN)
def test_what_looks_like_a_secret_is_taken_out(text):
    for shown in (redact_text(text), json.dumps(redact({"a": [{"b": text}]})), redact_text(f"x: {text!r}")):
        assert CANARY not in shown
        assert REDACTED in shown


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example:8443/prices/2026.csv?user=a@b.example",
        "postgresql://worker@db/prices",
        "redis://localhost:6379/0",
        "Sku-1234567890",
        "SK-ABCDEFGH12345678",
        "Kabelbinder 200 mm schwarz, Farbe: rot",
        "token ring network adapter",
        "Key: A-17",
        "the password was refused",
        "Schlüssel-Set 12tlg.; Preis je 100: 1.234,56",
        "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
        "9f31c07a" * 8,
    ],
)
def test_ordinary_text_stays(text):
    assert redact_text(text) == text


def test_an_address_keeps_what_is_needed_to_find_it():
    assert (
        redact_text(f"postgresql://worker:{CANARY}@db:5432/prices") == f"postgresql://worker:{REDACTED}@db:5432/prices"
    )


def test_everything_under_a_secret_name_goes_but_that_there_was_nothing():
    assert redact({"token": {"a": [CANARY]}, "auth": None, "password": "", "has_token": True, "pwd": 0}) == {
        "token": REDACTED,
        "auth": None,
        "password": EMPTY,
        "has_token": True,
        "pwd": REDACTED,
    }


def test_a_secret_value_never_shows_itself():
    assert CANARY not in str(redact({"a": SecretStr(CANARY), "b": [SecretStr(CANARY)]}))


def test_protected_values_go_whatever_they_look_like():
    value = "plain but secret"
    assert redact_text(f"a {value} b") == f"a {value} b"
    protect(value, "abc")
    try:
        assert redact_text(f"a {value} b") == f"a {REDACTED} b"
        assert redact_text("abc") == "abc"
    finally:
        redaction._protected.discard(value)


def test_what_is_redacted_is_not_changed_in_place():
    value = {"a": {"password": CANARY}, "b": [f"password={CANARY}"]}
    before = json.dumps(value)
    redact(value)
    assert json.dumps(value) == before


def test_redacting_twice_changes_nothing_more():
    once = redact({"texts": SHOWN, "password": "x"})
    assert redact(once) == once


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(JSON)
def test_json_stays_json_of_the_same_shape(value):
    def shape(part):
        if isinstance(part, dict):
            return {len(part)}
        return [shape(item) for item in part] if isinstance(part, list) else None

    json.dumps(redact(value))
    if isinstance(value, list):
        assert shape(redact(value)) == shape(value)


def test_what_refers_to_itself_ends():
    loop = {}
    loop["a"] = loop
    assert REDACTED in json.dumps(redact(loop))


@given(st.text(max_size=400))
def test_any_text_can_be_redacted(text):
    redact_text(text)


HOSTILE = [
    "a://" + ":" * 50_000,
    "://a:x" * 40_000,
    "://a:" * 40_000,
    "password" * 30_000,
    "password " * 30_000,
    "password=" * 30_000,
    'password="' * 30_000 + "'",
    "a_" * 100_000 + "=",
    "eyJ" + "a" * 200_000,
    "eyJ-" * 50_000,
    "eyJaaaaaa." * 20_000,
    "-----BEGIN " * 20_000,
    "-----BEGIN A-----" * 20_000,
    "bearer " * 40_000,
    "SG." * 60_000,
    "AIza-" * 40_000,
    "\x1b]" * 100_000,
    "\x1b[" * 100_000,
    "Aa" * 100_000,
]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_hostile_text_costs_no_more_than_long_text(text):
    # 200 kB: a pattern that goes back over the text needs minutes and meets the time limit; a good one milliseconds.
    redact_text(text)
    inert(text)
    sensitive(text)


# ------------------------------------------------------------------ inert


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("Ünïcode 中 😀", "Ünïcode 中 😀"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;https://a.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("\x1bPq#0\x1b\\x", "x"),
        ("a\nb\tc\r\nd", "a b c d"),
        ("a\x00b\x07c\x7fd", "abcd"),
        ("abc\u202edef\u2066", "abcdef"),
        ("a\u200bb\ufeff", "ab"),
        ("a\u2028b\x85c", "a b c"),
        ("\ud800", "?"),
        ("\x1b", ""),
        ("\x1b[", ""),
    ],
)
def test_terminal_sequences_and_marks_are_taken_out(text, expected):
    assert inert(text) == expected


@given(st.text(st.characters()))
def test_inert_text_is_one_line_without_control_characters(text):
    shown = inert(text)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)
    assert inert(shown) == shown


# ------------------------------------------------------------------ the log


@pytest.fixture
def written():
    """Configures logging to a buffer."""
    buffer = io.StringIO()

    def lines(log_format, **options):
        configure(log_format=log_format, stream=buffer, **options)
        return buffer

    return lines


def test_a_line_is_one_json_object_with_its_context(written):
    buffer = written("json")
    with bound_context(task_id="t-1", worker="w-1"):
        get_logger("tests").info("task.claimed", attempt=2)
    get_logger("tests").info("task.settled", outcome="completed")
    first, second = (json.loads(line) for line in buffer.getvalue().splitlines())
    assert first["event"] == "task.claimed"
    assert (first["task_id"], first["worker"], first["attempt"], first["level"]) == ("t-1", "w-1", 2, "info")
    assert first["timestamp"].endswith("Z")
    assert "task_id" not in second


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_secret_reaches_the_log_from_anywhere(written, log_format):
    buffer = written(log_format)
    log = get_logger("tests")
    with bound_context(url=f"redis://:{CANARY}@h"):
        log.info("task.claimed", password=CANARY, nested={"api_key": CANARY}, error=f"token={CANARY}")
    try:
        int(f"postgresql://u:{CANARY}@h/d")
    except ValueError:
        log.warning("task.failed", exc_info=True)
        logging.getLogger("somebody.else").exception("failed with %s", f"Bearer {CANARY}", extra={"secret": CANARY})
    logging.getLogger("arq.worker").warning("settings: %s", f"RedisSettings(password='{CANARY}')")
    text = buffer.getvalue()
    for event in ("task.claimed", "task.failed", "failed with", "settings:"):
        assert event in text
    assert CANARY not in text
    assert "ValueError" in text


def test_supplier_text_cannot_steer_the_terminal(written):
    buffer = written("console")
    get_logger("tests").warning("task.failed", error="\x1b[2J\x1b]0;owned\x07gone\nsecond line", more=["\x1b[31m"])
    assert "\x1b" not in buffer.getvalue()
    assert len(buffer.getvalue().splitlines()) == 1


def test_what_is_below_the_level_is_not_written(written):
    buffer = written("json", level="warning")
    get_logger("tests").info("task.claimed")
    assert buffer.getvalue() == ""


def test_libraries_speak_up_only_when_it_matters(written):
    buffer = written("json", level="INFO")
    logging.getLogger("arq.worker").info("12.3s → job(secret arguments)")
    assert buffer.getvalue() == ""


def test_configuring_twice_does_not_write_twice(written):
    written("json")
    buffer = written("json")
    logging.getLogger("library").warning("once")
    assert len(buffer.getvalue().splitlines()) == 1


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="no log level"):
        configure(level="LOUD")


def test_before_any_set_up_standard_output_stays_clean(capsys):
    get_logger("tests").warning("task.failed", error="x")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "task.failed" in captured.err
