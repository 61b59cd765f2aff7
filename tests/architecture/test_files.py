"""The law about files: short, introduced by a sentence, free of what we decided against."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from tests.architecture.source_tree import LAYERED, Module, modules, parse, tracked_text

CODE = (*LAYERED, "benchmarks")
LONGEST = 300

MAY_CATCH_ALL = re.compile(r"pipeline/(executor|fallback)\.py|(observability|workers)/health\.py")
MAY_PRINT = re.compile(r"(cli|benchmarks)/")
VAGUE = re.compile(r"(Manager|Service|Helper|Util|Utils)$")
RUNS_DATA = {"pickle", "marshal", "shelve", "dill", "yaml", "jsonpickle"}

Rule = Callable[[Module], Iterator[str]]


def too_long(module: Module) -> Iterator[str]:
    lines = module.text.count("\n")
    if lines > LONGEST:
        yield f"{lines} lines"


def without_introduction(module: Module) -> Iterator[str]:
    if module.text.strip() and not ast.get_docstring(module.tree):
        yield "no docstring at the top"


def catches_everything(module: Module) -> Iterator[str]:
    if MAY_CATCH_ALL.fullmatch(module.path):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {ast.unparse(kind) if kind else "everything" for kind in caught}
            reraises = any(isinstance(part, ast.Raise) and part.exc is None for part in node.body)
            if "everything" in names or "Exception" in names or ("BaseException" in names and not reraises):
                yield f"line {node.lineno} catches {', '.join(sorted(names))}"


def prints(module: Module) -> Iterator[str]:
    if MAY_PRINT.match(module.path):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"line {node.lineno} prints"


def vague_names(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and VAGUE.search(node.name):
            yield f"line {node.lineno} class {node.name}"


def leftovers(module: Module) -> Iterator[str]:
    for number, line in enumerate(module.text.splitlines(), start=1):
        if re.search(r"#.*\b(TO" + r"DO|FIX" + r"ME|XXX:)\b", line):
            yield f"line {number} is a leftover"


def turns_data_into_code(module: Module) -> Iterator[str]:
    for name, line in module.imports():
        if name.partition(".")[0] in RUNS_DATA:
            yield f"line {line} imports {name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec"}:
            yield f"line {node.lineno} calls {node.func.id}"


def broken(rule: Rule, found: tuple[Module, ...]) -> list[str]:
    return [f"{module.path}: {sentence}" for module in found for sentence in rule(module)]


@pytest.mark.parametrize(
    "rule",
    [too_long, without_introduction, catches_everything, prints, vague_names, leftovers, turns_data_into_code],
    ids=lambda rule: rule.__name__,
)
def test_no_module_breaks_the_rule(rule: Rule) -> None:
    assert broken(rule, modules(*CODE)) == []


def test_tests_and_migrations_keep_the_rules_that_concern_them() -> None:
    assert broken(leftovers, modules("tests", "migrations")) == []


def test_no_test_uses_mock() -> None:
    used = [
        f"{module.path}:{line}"
        for module in modules("tests", *CODE)
        for name, line in module.imports()
        if name.startswith("unittest.mo" + "ck") or name.partition(".")[0] == "mock"
    ]
    assert used == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (too_long, "db/x.py", "x = 1\n" * (LONGEST + 1)),
        (without_introduction, "db/x.py", "x = 1\n"),
        (catches_everything, "db/x.py", "try:\n    pass\nexcept Exception:\n    pass\n"),
        (catches_everything, "db/x.py", "try:\n    pass\nexcept (OSError, Exception):\n    pass\n"),
        (catches_everything, "db/x.py", "try:\n    pass\nexcept:\n    pass\n"),
        (catches_everything, "db/x.py", "try:\n    pass\nexcept BaseException as e:\n    raise ValueError from e\n"),
        (prints, "db/x.py", "print(1)\n"),
        (vague_names, "db/x.py", "class TaskManager: ...\n"),
        (leftovers, "db/x.py", "x = 1  # TO" + "DO later\n"),
        (turns_data_into_code, "db/x.py", "import pickle\n"),
        (turns_data_into_code, "db/x.py", "eval('1')\n"),
    ],
)
def test_a_broken_rule_is_noticed(rule: Rule, path: str, text: str) -> None:
    assert broken(rule, (parse(path, text),))


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (too_long, "db/x.py", "x = 1\n" * LONGEST),
        (catches_everything, "pipeline/executor.py", "try:\n    pass\nexcept Exception:\n    pass\n"),
        (catches_everything, "db/x.py", "try:\n    pass\nexcept BaseException:\n    raise\n"),
        (prints, "cli/x.py", "print(1)\n"),
    ],
)
def test_what_is_allowed_is_not_complained_about(rule: Rule, path: str, text: str) -> None:
    assert not broken(rule, (parse(path, text),))


MACHINE_PATH = re.compile(
    r"(?<![\w./~-])/(?:ro" + r"ot|wo" + r"rk|ho" + r"me/[a-z][\w-]*|Us" + r"ers/[A-Za-z][\w-]*)/[\w.-]"
)
LOCK_ADDRESS = re.compile(r"://|--(?:extra-)?index-url|--find-links|--trusted-host")


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    found = [
        f"{path}:{number} {match.group()}"
        for path, text in tracked_text().items()
        for number, line in enumerate(text.splitlines(), start=1)
        if (match := MACHINE_PATH.search(line))
    ]
    assert found == []


def test_a_path_of_a_machine_is_noticed() -> None:
    assert MACHINE_PATH.search("cd /ro" + "ot/x") is not None
    assert MACHINE_PATH.search('"/ho' + 'me/dana/lists"') is not None
    assert MACHINE_PATH.search("https://example.org/wo" + "rk/x") is None


def test_locks_name_versions_and_hashes_but_no_host() -> None:
    locks = {path: text for path, text in tracked_text().items() if path.endswith(".lock")}
    assert {"requirements.lock", "requirements-dev.lock", "requirements-bench.lock"} <= set(locks)
    for path, text in locks.items():
        assert LOCK_ADDRESS.search(text) is None, path
        pins = re.findall(r"^([a-z0-9][\w.-]*)==(\S+)", text, flags=re.MULTILINE)
        entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
        assert len(entries) == len(pins), f"{path} has an entry without an exact version"
        assert all("--hash=sha256:" in entry for entry in entries), f"{path} has an entry without a hash"
