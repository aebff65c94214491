"""What a utility command gives back, and what it is given besides its parse tree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pgemu.nodes.parsenodes import Query


@dataclass(slots=True)
class CommandResult:
    """tag: the CommandComplete text.  columns: [(name, type OID, typmod)] and rows of storage
    values for commands that return rows (SHOW), else None."""

    tag: str
    columns: list[tuple[str, int, int]] | None = None
    rows: Iterable[tuple[Any, ...]] | None = None


@dataclass(slots=True)
class Statement:
    """The statement being run: its text (for error positions and pstates), the analyzed Query,
    client parameters, and whether it came from the client directly (top level)."""

    source_text: str = ""
    query: Query | None = None
    params: Any = ()
    top_level: bool = True
    tag: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
