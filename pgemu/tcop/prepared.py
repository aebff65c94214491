"""Prepared statements and portals: the objects of the extended protocol, of PREPARE and DECLARE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pgemu.nodes.parsenodes import Query, RawStmt
from pgemu.nodes.primnodes import Value
from pgemu.planner.plan import OutputColumn, Plan

if TYPE_CHECKING:
    from pgemu.errors import PgError
from pgemu.executor.current_of import CursorScan


@dataclass(slots=True)
class PreparedStatement:
    """A parsed and analyzed statement.  raw is None for an empty one.  plan is made at first use
    and again whenever the catalogs or the settings have changed."""

    name: str
    text: str
    raw: RawStmt | None
    query: Query | None
    param_types: list[int]
    columns: tuple[OutputColumn, ...] | None
    version: int
    epoch: int
    from_sql: bool = False
    prepare_time_us: int = 0
    plan: Plan | None = None
    used_literals: set[int] = field(default_factory=set)
    generic_plans: int = 0
    custom_plans: int = 0
    # the parse tree of BEGIN, COMMIT and their like
    transaction_statement: dict[str, Any] | None = None
    # caches of the hot path
    decoders: dict[tuple[int, ...], list[Any]] = field(default_factory=dict)
    encoders: dict[tuple[int, ...], list[Any]] = field(default_factory=dict)
    descriptions: dict[tuple[int, ...], bytes] = field(default_factory=dict)
    domain_params: dict[int, Any] = field(default_factory=dict)
    """The types of the parameters, by number, that are domains."""
    raw_text: bytes = field(init=False)
    """`text` in UTF-8."""

    def __post_init__(self) -> None:
        self.raw_text = self.text.encode("utf-8", "replace")

    def count_plan(self, mode: str) -> None:
        """choose_custom_plan, for pg_prepared_statements: which plan PostgreSQL would take.  mode:
        plan_cache_mode.  After five custom plans a generic one is hardly ever the dearer."""
        custom = bool(self.param_types) and mode != "force_generic_plan"
        if custom and (mode == "force_custom_plan" or self.custom_plans < 5):
            self.custom_plans += 1
        else:
            self.generic_plans += 1


class Portal:
    """A bound statement on its way.  rows is set once it has started; `spool` holds rows that
    were fetched ahead, `position` how many were delivered.  The attributes of the class are the
    defaults: one is made for every Bind."""

    formats: Sequence[int] = ()
    columns: tuple[OutputColumn, ...] | None = None
    rows: Iterator[Any] | None = None
    started: bool = False
    done: bool = False
    tag: str = ""
    text: str = ""
    # cursors
    is_cursor: bool = False
    is_holdable: bool = False
    is_binary: bool = False
    is_scrollable: bool = False
    creation_time_us: int = 0
    spool: list[Any] | None = None
    position: int = 0
    # which rows of tables the spool's rows come from, for WHERE CURRENT OF
    scan: CursorScan | None = None
    created_level: int = 0
    # what fetching behind the spool raises; then the cursor has failed
    late_error: PgError | None = None
    failed: bool = False

    def __init__(
        self,
        name: str,
        statement: PreparedStatement,
        params: Sequence[Value],
        formats: Sequence[int] = (),
        columns: tuple[OutputColumn, ...] | None = None,
        **named: Any,
    ) -> None:
        self.name = name
        self.statement = statement
        self.params = params
        self.formats = formats
        self.columns = columns
        if named:
            self.__dict__.update(named)

    def drain(self) -> None:
        """Fetch what is left, so that another statement may run on the connection.  The spool
        does not have the rows that were delivered before."""
        if self.rows is not None and self.spool is None:
            self.spool = list(self.rows)
            self.rows = None
            self.position = 0
