"""Finds fault with the text of /metrics, by the rules of `promtool check metrics` and some of our own."""

from __future__ import annotations

import re
import shutil
import subprocess

from prometheus_client.parser import text_string_to_metric_families

PROMTOOL = ["promtool", "check", "metrics"]
ABBREVIATED = re.compile(r"(^|_)(ms|sec|secs|s|kb|mb|gb|min|mins|hours|percent)(_|$)")


def complaints(text: str) -> list[str]:
    """What `promtool check metrics` finds fault with, as far as its rules can be stated here."""
    found = []
    declared = re.findall(r"^# (HELP|TYPE) (\S+)", text, flags=re.MULTILINE)
    found += [f"{kind} of {name} twice" for kind, name in set(declared) if declared.count((kind, name)) > 1]
    seen: set[str] = set()
    for line in text.splitlines():
        if line and not line.startswith("#"):
            series = line.rsplit(" ", 1)[0]
            if series in seen:
                found.append(f"{series} twice")
            seen.add(series)
    for family in text_string_to_metric_families(text):
        names = {sample.name for sample in family.samples}
        if not family.documentation:
            found.append(f"{family.name} has no help")
        if family.type == "counter" and not all(name.endswith("_total") for name in names):
            found.append(f"{family.name} is a counter without _total")
        if family.type != "counter" and any(name.endswith("_total") for name in names):
            found.append(f"{family.name} is no counter")
        if any(name.endswith("_created") for name in names):
            found.append(f"{family.name} tells when it was created")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", family.name) or ABBREVIATED.search(family.name):
            found.append(f"{family.name} is badly named")
        if family.type != "histogram" and any("le" in sample.labels for sample in family.samples):
            found.append(f"{family.name} has the label le")
    if shutil.which("promtool"):
        said = subprocess.run(PROMTOOL, input=text, text=True, capture_output=True, timeout=60, check=False)
        found += (said.stdout + said.stderr).splitlines()
    return found
