"""The index of lazily loaded bindings: which module registers which type, function or aggregate.

The first start on a machine loads every module and writes the index into the cache folder, under
a name that changes with the modules' files; later starts read it and load a module when one of its
keys is asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
from collections.abc import Sequence
from hashlib import blake2s
from pathlib import Path
from typing import Any

from pgemu.fmgr.registry import LazyTable, aggregates, functions

# The modules that import all others of their kind.
FUNCTION_MODULES = (
    "pgemu.types.families",
    "pgemu.catalog.functions",
    "pgemu.commands.sequence_functions",
    "pgemu.executor.functions",
    "pgemu.libpq.hba_functions",
    "pgemu.rewrite.ruleutils_functions",
)


def load_everything() -> None:
    """Import every module that registers something."""
    for name in FUNCTION_MODULES:
        try:
            found = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            found = None
        if found is not None:
            importlib.import_module(name)


def _stamp(package: Path) -> str:
    """Changes whenever a file that may register something does."""
    digest = blake2s(str(package).encode(), digest_size=12)
    for room in ("types", "catalog", "commands", "executor", "libpq", "rewrite", "fmgr"):
        for folder, _, names in sorted(os.walk(package / room)):
            for name in sorted(names):
                if name.endswith(".py"):
                    stat = os.stat(os.path.join(folder, name))
                    digest.update(f"{name}:{stat.st_mtime_ns}:{stat.st_size};".encode())
    return digest.hexdigest()


def install(cache_folder: str, types: LazyTable[Any]) -> dict[str, str]:
    """Give the registries their index.  types: the table of base types.  The result maps the
    SQLite collations to the types that define them."""
    package = Path(__file__).parent.parent
    path = Path(cache_folder) / f"bindings-{_stamp(package)}.json"
    try:
        stored = json.loads(path.read_text())
    except (OSError, ValueError):
        stored = _make(types)
        _write(path, stored)
    tables: Sequence[tuple[str, LazyTable[Any]]] = (
        ("functions", functions),
        ("aggregates", aggregates),
        ("types", types),
    )
    for name, table in tables:
        table.index = {k: m for k, m in stored[name].items() if not dict.__contains__(table, k)}
    collations: dict[str, str] = stored["collations"]
    return collations


def _make(types: LazyTable[Any]) -> dict[str, dict[str, str]]:
    load_everything()
    collations: dict[str, str] = {}
    for name, one in types.items():
        collation = getattr(one, "collation", None)
        if collation is not None:
            collations.setdefault(collation, name)
    return {
        "functions": _modules(functions),
        "aggregates": _modules(aggregates),
        "types": _modules(types),
        "collations": collations,
    }


# It binds the I/O functions of all types that are registered when it is loaded.
_NEEDS_ALL = "pgemu.types.io_functions"


def _modules(table: LazyTable[Any]) -> dict[str, str]:
    return {
        key: "pgemu.types.families" if module == _NEEDS_ALL else module
        for key, module in table.modules.items()
    }


def _write(path: Path, stored: dict[str, dict[str, str]]) -> None:
    work = path.with_suffix(f".{os.getpid()}")
    try:
        for old in path.parent.glob("bindings-*.json"):
            old.unlink(missing_ok=True)
        work.write_text(json.dumps(stored))
        work.replace(path)
    except OSError:
        work.unlink(missing_ok=True)
