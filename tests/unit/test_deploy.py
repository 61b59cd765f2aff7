"""What lies in deploy/ speaks of metrics, settings and tables that exist, and promises what operators rely on."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.settings import Settings
from observability.metrics_catalogue import FAMILIES, KNOWN, PREFIX
from workers.metrics_http import LIMIT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SUFFIXES = ("_bucket", "_count", "_sum")
POSTGRES_AND_REDIS = {"DATABASE_URL", "REDIS_URL"}


def documents(path: Path) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def kubernetes(kind: str) -> list[dict[str, Any]]:
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    return [document for path in files for document in documents(path) if document["kind"] == kind]


def rules() -> list[dict[str, Any]]:
    [document] = documents(DEPLOY / "prometheus" / "alerts.yml")
    return [rule for group in document["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
    return found


def expressions() -> list[str]:
    shown = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    asked = [choice["definition"] for choice in dashboard()["templating"]["list"] if "definition" in choice]
    return [rule["expr"] for rule in rules()] + shown + asked


def strange_metrics(expression: str) -> set[str]:
    """Metrics and recorded series that nobody exports or records."""
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    known = {f"{PREFIX}{name}" for name in FAMILIES}
    for name in FAMILIES:
        if FAMILIES[name].kind == "histogram":
            known |= {f"{PREFIX}{name}{suffix}" for suffix in SUFFIXES}
    named = set(re.findall(r"(?<![\w:])[a-z]+:pricemill_\w+:\w+|(?<![\w:])pricemill_\w+", expression))
    return named - known - recorded


def strange_values(expression: str) -> set[str]:
    """Label values that the catalogue does not know."""
    found = set()
    for name, matchers in re.findall(r"(?<![\w:])pricemill_(\w+?)(?:_bucket|_count|_sum)?\{([^}]*)\}", expression):
        family = FAMILIES[name]
        closed = dict(zip(family.labels, family.known, strict=True))
        for label, _, value in re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', matchers):
            assert label in closed, f"{name} has no label {label}"
            if closed[label]:
                found |= set(value.split("|")) - set(KNOWN[closed[label]])
    return found


def test_rules_and_panels_ask_for_metrics_that_exist() -> None:
    assert expressions()
    assert set().union(*map(strange_metrics, expressions())) == set()
    assert set().union(*map(strange_values, expressions())) == set()


@pytest.mark.parametrize(
    "expression", ["pricemill_rows", "queue:pricemill_nothing:max", "sum(pricemill_queue_depth) > 1"]
)
def test_a_metric_that_nobody_exports_is_noticed(expression: str) -> None:
    assert strange_metrics(expression)


def test_an_outcome_that_does_not_exist_is_noticed() -> None:
    assert strange_values('pricemill_tasks_settled_total{outcome=~"completed|vanished"}') == {"vanished"}


def test_gauges_of_the_fleet_are_never_summed_over_workers() -> None:
    for expression in expressions():
        for name in (name for name, family in FAMILIES.items() if family.of == "fleet"):
            assert not re.search(rf"\bsum\s*(by \([^)]*\)\s*)?\(\s*{PREFIX}{name}\b", expression), expression
            assert not re.search(rf"\brate\({PREFIX}{name}\b", expression), expression


def test_every_alert_has_a_severity_a_summary_and_a_page_of_the_guide() -> None:
    guide = (ROOT / "docs" / "guides" / "monitoring.md").read_text(encoding="utf-8")
    headings = {heading.lower() for heading in re.findall(r"^#+ (\w+)$", guide, flags=re.MULTILINE)}
    alerts = [rule for rule in rules() if "alert" in rule]
    assert len({alert["alert"] for alert in alerts}) == len(alerts)
    for alert in alerts:
        assert alert["labels"]["severity"] in {"page", "ticket", "info"}
        assert alert["annotations"]["summary"]
        path, _, anchor = alert["annotations"]["runbook"].partition("#")
        assert (path, anchor) == ("docs/guides/monitoring.md", alert["alert"].lower())
        assert anchor in headings


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_accepts_the_rules_and_their_tests_pass() -> None:
    for arguments in (["check", "config", "prometheus.yml"], ["test", "rules", "alerts_test.yml"]):
        subprocess.run(["promtool", *arguments], cwd=DEPLOY / "prometheus", check=True, timeout=60)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_can_read_what_the_panels_ask(tmp_path: Path) -> None:
    asked = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    texts = [re.sub(r"\$(queue|parser)", ".*", expression) for expression in asked]
    rules_of_panels = [{"record": f"panel:{at}", "expr": text} for at, text in enumerate(texts)]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules_of_panels}]}))
    subprocess.run(["promtool", "check", "rules", "panels.yml"], cwd=tmp_path, check=True, timeout=60)


def test_every_alert_and_no_other_has_a_test() -> None:
    [document] = documents(DEPLOY / "prometheus" / "alerts_test.yml")
    alerts = {rule["alert"] for rule in rules() if "alert" in rule}
    named = set(re.findall(r"Pricemill\w+", json.dumps(document)))
    assert named == alerts
    given = {re.split(r"\{", series["series"])[0] for test in document["tests"] for series in test["input_series"]}
    assert set().union(*map(strange_metrics, given)) == set()


def test_prometheus_waits_longer_than_a_worker_may_take_to_answer() -> None:
    [config] = documents(DEPLOY / "prometheus" / "prometheus.yml")
    [job] = config["scrape_configs"]
    assert float(job["scrape_timeout"].removesuffix("s")) > LIMIT_SECONDS
    assert job["job_name"] == "pricemill"


def test_the_dashboard_is_what_its_script_makes() -> None:
    made = runpy.run_path(str(DEPLOY / "grafana" / "make_dashboard.py"))
    assert made["text"]() == (DEPLOY / "grafana" / "dashboard.json").read_text(encoding="utf-8")


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + across, place["y"] + down) for across in range(place["w"]) for down in range(place["h"])}
        assert max(across for across, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_all_workers_are_scraped_where_they_listen() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    [prometheus] = documents(DEPLOY / "prometheus" / "prometheus.yml")
    [found] = prometheus["scrape_configs"][0]["dns_sd_configs"]
    worker = compose["services"]["worker"]
    assert found["names"] == ["worker"]
    assert [str(found["port"])] == worker["expose"] == [worker["environment"]["PRICEMILL_METRICS_PORT"]]
    [config] = kubernetes("ConfigMap")
    [deployment] = kubernetes("Deployment")
    [policy] = kubernetes("NetworkPolicy")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    ports = {
        config["data"]["PRICEMILL_METRICS_PORT"],
        str(container["ports"][0]["containerPort"]),
        annotations["prometheus.io/port"],
        str(policy["spec"]["ingress"][0]["ports"][0]["port"]),
    }
    assert len(ports) == 1


def test_monitoring_publishes_on_this_host_only_and_mounts_what_exists() -> None:
    [monitoring] = documents(DEPLOY / "monitoring.yml")
    for service in monitoring["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert ":" in service["image"]
        assert not service["image"].endswith(":latest")
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source in monitoring["volumes"] or (ROOT / source).exists()


def test_every_setting_of_the_manifests_exists() -> None:
    [config] = kubernetes("ConfigMap")
    for name, value in config["data"].items():
        assert isinstance(value, str)
        assert name.removeprefix("PRICEMILL_").lower() in Settings.model_fields
    Settings(
        _env_file=None, **{name.removeprefix("PRICEMILL_").lower(): value for name, value in config["data"].items()}
    )


def test_a_pod_is_given_longer_to_stop_than_its_tasks_need() -> None:
    [config] = kubernetes("ConfigMap")
    [deployment] = kubernetes("Deployment")
    granted = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert granted >= float(config["data"]["PRICEMILL_SHUTDOWN_SECONDS"]) + 10


def test_a_worker_is_not_restarted_because_a_server_is_away() -> None:
    [deployment] = kubernetes("Deployment")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/livez", "port": "metrics"}
    assert container["readinessProbe"]["exec"]["command"] == ["python", "-m", "workers.health"]


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_pods_have_no_more_rights_than_they_need(kind: str) -> None:
    [workload] = kubernetes(kind)
    pod = workload["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    user = re.findall(r"useradd .*--uid (\d+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert [str(pod["securityContext"]["runAsUser"])] == user
    assert not container["image"].endswith(":latest")


def test_secrets_are_referred_to_and_never_written_down() -> None:
    for path in (DEPLOY / "kubernetes").glob("*.yaml"):
        for document in documents(path):
            assert document["kind"] != "Secret"
            values = document.get("data", {})
            assert not POSTGRES_AND_REDIS & set(values)
    [authentication] = kubernetes("TriggerAuthentication")
    [reference] = authentication["spec"]["secretTargetRef"]
    assert reference["key"] in POSTGRES_AND_REDIS


def test_everything_chooses_the_pods_of_the_deployment() -> None:
    [deployment] = kubernetes("Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    [budget] = kubernetes("PodDisruptionBudget")
    [policy] = kubernetes("NetworkPolicy")
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert budget["spec"]["selector"]["matchLabels"] == labels
    assert policy["spec"]["podSelector"]["matchLabels"] == labels
    [scaled] = kubernetes("ScaledObject")
    assert scaled["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert "replicas" not in deployment["spec"]
    [job] = kubernetes("Job")
    assert job["spec"]["template"]["metadata"]["labels"] != labels


def test_claims_secrets_and_maps_that_pods_name_are_there_or_told_of() -> None:
    [deployment] = kubernetes("Deployment")
    pod = deployment["spec"]["template"]["spec"]
    claims = {
        volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume
    }
    assert claims == {claim["metadata"]["name"] for claim in kubernetes("PersistentVolumeClaim")}
    readme = (DEPLOY / "kubernetes" / "README.md").read_text(encoding="utf-8")
    [container] = pod["containers"]
    for source in container["envFrom"]:
        name = next(iter(source.values()))["name"]
        assert (
            name in {config["metadata"]["name"] for config in kubernetes("ConfigMap")}
            or f"secret generic {name}" in readme
        )
    named = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")}
    assert all(f"`{name}`" in readme for name in named)
