"""The shape of the source: sizes, names, imports, and maps that do not rot."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.structure.long_functions import LONG_FUNCTIONS
from tests.structure.source_tree import (
    ROOMS,
    ROOT,
    defined_names,
    functions,
    is_table_of_rows,
    name,
    product_files,
    python_files,
    text_files,
    tree,
)

MAX_LINES = 800
MAX_FUNCTION_LINES = 60
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "lib", "shared"}


def test_no_file_is_too_long() -> None:
    long = {
        name(path): count
        for path in python_files()
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
        and not is_table_of_rows(path)
    }
    assert long == {}


def test_long_functions_have_a_reason() -> None:
    long = {
        f"{name(path)}:{function}"
        for path in product_files()
        for function, lines in functions(path)
        if lines > MAX_FUNCTION_LINES
    }
    assert long - LONG_FUNCTIONS.keys() == set()
    assert LONG_FUNCTIONS.keys() - long == set(), "no longer long: remove these rows"
    assert all(LONG_FUNCTIONS.values())


def test_no_module_has_a_vague_name() -> None:
    vague = [
        name(path)
        for path in python_files()
        if path.stem in VAGUE or set(path.relative_to(ROOT).parts) & (VAGUE - {"lib", "shared"})
    ]
    assert vague == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        name(path)
        for path in product_files()
        if path.read_text(encoding="utf-8").strip() and not ast.get_docstring(tree(path))
    ]
    assert silent == []


def handler_types(handler: ast.ExceptHandler) -> list[str]:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [ast.unparse(kind) if kind is not None else "" for kind in kinds]


def reraises(handler: ast.ExceptHandler) -> bool:
    """The last thing it does is a bare raise: it only cleans up."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_only_tcop_catches_everything() -> None:
    broad = [
        f"{name(path)}:{node.lineno}"
        for path in product_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and {"", "Exception", "BaseException"} & set(handler_types(node))
        and not reraises(node)
    ]
    outside = [place for place in broad if not place.startswith("pgemu/tcop/")]
    assert outside == []
    assert len(broad) <= 1, broad


def test_sqlglot_is_not_subclassed_or_patched() -> None:
    """Its compiled build refuses both."""
    wrong: list[str] = []
    for path in product_files():
        text = path.read_text(encoding="utf-8")
        if "sqlglot" not in text:
            continue
        aliases = {"sqlglot", "exp", "expressions"}
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlglot"):
                aliases |= {alias.asname or alias.name for alias in node.names}
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                bases = {ast.unparse(base).split(".")[0] for base in node.bases}
                if bases & aliases:
                    wrong.append(f"{name(path)}: class {node.name}")
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if (
                        isinstance(target, ast.Attribute)
                        and ast.unparse(target).split(".")[0] in aliases
                    ):
                        wrong.append(f"{name(path)}:{node.lineno}: patched")
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_readme_lists_the_modules_of_its_room(room: Path) -> None:
    readme = room / "README.md"
    assert readme.exists(), f"{name(room)} has no README.md"
    text = readme.read_text(encoding="utf-8")
    listed: list[str] = []
    for line in text.splitlines():
        if line.startswith("- "):
            # `a.py` — what; `b.py`: what; `c.py`, `d.py` — what
            listed += re.findall(r"`([\w/]+\.py)`(?=\s*[—:,])", line)
            for folder in re.findall(r"`([\w/]+)/`(?=\s*[—:,])", line):
                inside = (room / folder).rglob("*.py")
                listed += [path.relative_to(room).as_posix() for path in inside]
    have = {
        path.relative_to(room).as_posix()
        for path in room.rglob("*.py")
        if path.name != "__init__.py"
    }
    found = {module for module in listed if not module.endswith("__init__.py")}
    assert have - found == set(), "modules without a line"
    assert found - have == set(), "lines without a module"
    assert [module for module, times in Counter(listed).items() if times > 1] == []
    assert "May import" in text and "To add one thing" in text


def test_architecture_names_what_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    quoted = set(re.findall(r"`([^`\n]+)`", text))
    missing: list[str] = []
    for word in sorted(quoted):
        if re.fullmatch(r"[\w./-]+\.(py|md|tsv|toml)|[\w.-]+(/[\w.-]+)*/", word):
            if not any((folder / word).exists() for folder in (ROOT, ROOT / "pgemu")):
                missing.append(word)
            continue
        call = re.fullmatch(r"([A-Za-z_]\w*(?:\.[a-z_]\w*)?)\(\)", word)
        if call and call[1] not in defined_names():
            missing.append(word)
    assert missing == []


def test_architecture_gives_a_reason_for_each_dependency() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = project.split("\ndependencies = [", 1)[1].split("]", 1)[0]
    for package in re.findall(r'"([a-z]+)', block):
        assert f"| {package} |" in text, package


def test_imports_go_down_only() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


FOREIGN = re.compile(
    r"(?<![\w.])/(?:work|root|home/\w+|tmp/\w)(?:/|\b)|\b25432\b|\bshared/(?:conf|des|ben|too)",
)
ALLOWED = {".ci/run", "tests/structure/test_structure.py"}


def test_nothing_names_the_machine_it_was_written_on() -> None:
    found: list[str] = []
    for path in text_files():
        if name(path) in ALLOWED or path.suffix in (".gz", ".png"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if FOREIGN.search(line):
                found.append(f"{name(path)}:{number}: {line.strip()[:100]}")
    assert found == []
