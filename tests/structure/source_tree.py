"""What the structure tests look at: source files, their functions, the READMEs of rooms."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = [ROOT / "pgemu", ROOT / "protocol" / "pgemu_protocol"]
ROOMS = sorted(
    [path for path in (ROOT / "pgemu").iterdir() if (path / "__init__.py").exists()]
    + [ROOT / "protocol" / "pgemu_protocol"]
)


def product_files() -> list[Path]:
    return sorted(path for package in PACKAGES for path in package.rglob("*.py"))


def python_files() -> list[Path]:
    folders = [*PACKAGES, ROOT / "tests", ROOT / "tools"]
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def text_files() -> list[Path]:
    """Every file that git tracks or would, by its name relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    if not listed:  # not a git checkout: a source distribution
        return [*python_files(), *ROOT.glob("*.md"), *ROOT.glob("*.toml")]
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """(name, number of lines) of each function of a file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


@cache
def defined_names() -> frozenset[str]:
    """Every function and class of the product, methods as Class.method too."""
    found: set[str] = set()
    for path in product_files():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
            if isinstance(node, ast.ClassDef):
                found |= {
                    f"{node.name}.{child.name}"
                    for child in node.body
                    if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
                }
    return frozenset(found)


def is_table_of_rows(path: Path) -> bool:
    """Generated, or four lines in five are rows: entries of a literal, or fields of classes."""
    if "Written by tools/" in (ast.get_docstring(tree(path)) or ""):
        return True
    rows = total = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        total += 1
        field = re.match(r"^\w+: [\w\[\], .|]+(= .*)?$", text)
        entry = re.match(r"""^[\w.]*["'(\[{].*,$|^\w+ = ["'(\w]|^class \w+\(""", text)
        if field or entry:
            rows += 1
    return total > 0 and rows / total > 0.8
