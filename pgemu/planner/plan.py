"""A Plan: what the executor needs to run one analyzed query on SQLite, as often as it likes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pgemu.nodes.primnodes import Value

if TYPE_CHECKING:
    from pgemu.nodes.parsenodes import Query
    from pgemu.planner.lowering import Scope
    from pgemu.planner.recheck import RecheckPlan


@dataclass(frozen=True, slots=True)
class ExternParam:
    """`$number` of the client."""

    number: int


@dataclass(frozen=True, slots=True)
class LiteralParam:
    """A literal of the statement's text: value is what it was when the plan was made, location
    its byte offset, by which a later statement of the same shape finds its own value."""

    location: int
    type_oid: int
    typmod: int
    value: Value
    as_glob: bool = False  # the literal is a LIKE pattern that SQLite runs as GLOB


@dataclass(frozen=True, slots=True)
class OuterParam:
    """A value that a calling statement supplies per row; text is its SQLite expression there.
    depth: of that statement among those that run each other."""

    text: str
    depth: int = 0


ParamSource = ExternParam | LiteralParam | OuterParam


@dataclass(frozen=True, slots=True)
class RowMark:
    """Output column `column` (0-based, behind the client's columns) holds the rid of a row of
    relid to lock, column `tableoid` (where it has children; else -1) the table that it is in.
    alias: the table's in the SQLite text, where it is read as one table."""

    column: int
    relid: int
    strength: str
    wait_policy: str
    rti: int = 0
    tableoid: int = -1
    alias: str = ""


@dataclass(frozen=True, slots=True)
class RowLimit:
    """Output columns (0-based; -1: there is none) with how many rows are wanted, how many are
    skipped before, and the rank of the row, where ties of the last one are wanted too."""

    count: int
    offset: int
    rank: int


@dataclass(frozen=True, slots=True)
class OutputColumn:
    name: str
    type_oid: int
    typmod: int = -1
    table_oid: int = 0
    attnum: int = 0


@dataclass(slots=True)
class Plan:
    """sql is the clean variant; the overlay variant is derived from it when a snapshot needs it
    (pgemu.transam.visibility replaces the names of the tables).

    relations: (relid, SQLite name such as main.r16384, number of attributes) of all tables read.
    params: what to bind, in the order of SQLite's ?1, ?2, ...
    steps: data-modifying CTEs, run before sql; after it those that late_steps names.
    """

    command_type: str
    sql: str
    params: tuple[ParamSource, ...] = ()
    columns: tuple[OutputColumn, ...] = ()
    relations: tuple[tuple[int, str, int], ...] = ()
    catalog_version: int = 0
    row_marks: tuple[RowMark, ...] = ()
    # LIMIT above row marks, where sql gives the rows without it
    row_limit: RowLimit | None = None
    modify: ModifyPlan | None = None
    steps: list[tuple[str, Plan]] = field(default_factory=list)
    late_steps: frozenset[str] = frozenset()
    # the single row of a SELECT without tables and calls: (number of a parameter, 0: none; value)
    result: tuple[tuple[int, Value], ...] | None = None
    volatile: bool = False
    # a SELECT whose last run was over in no time, and which reads no shared catalog
    brief: bool = False
    # calls a volatile function of the user's, which may write
    may_write: bool = False
    # calls a function of the user's that says that it does not write, but may call others
    calls_functions: bool = False
    # ... and which reads as the statement does, not what that has written so far
    calls_stable: bool = False
    # calls a volatile function that does more than to compute or to take a sequence's next value
    has_effects: bool = False
    # what the plan reads by a key that only this plan knows (sub-statements of LATERAL ...)
    used_literals: frozenset[int] = frozenset()
    # sequences that nextval() is called for: OIDs
    sequences: tuple[int, ...] = ()
    # what it reads and locks that has no rows of its own: partitioned tables, views
    partitioned: tuple[int, ...] = ()
    # whether `params` are those of the statement, one after the other; None: not looked at
    params_in_order: bool | None = None
    # where the lock table counts strong locks on users' tables that it reads; None: not looked up
    strong_words: tuple[int, ...] | None = None
    # for rows that somebody has changed meanwhile: what was planned, the scope around it, and the
    # plan that looks at one row again, made when it is first wanted (False: there is none)
    query: Query | None = None
    outer: Scope | None = None
    recheck: RecheckPlan | bool | None = None


@dataclass(slots=True)
class ModifyPlan:
    """INSERT, UPDATE, DELETE or MERGE on one table.

    direct_sql runs the whole statement in SQLite; None when it cannot.  source_sql yields, per
    row to write: for INSERT the new column values; for UPDATE rid, tableoid and the new values;
    for DELETE rid and tableoid; for MERGE rid, tableoid, the number of the action and the values
    of all actions; then the columns that RETURNING reads of other tables.  target_columns are the
    attribute numbers of the values.

    returning_sql and the checks compute RETURNING and the conditions of WITH CHECK OPTION and of
    policies from the rows put aside as "returning": (tableoid, rid, xmax, the target's columns,
    further columns).  checks: by when they are made: "view", "rls_insert", "rls_update" ...
    """

    relid: int
    sqlite_name: str
    direct_sql: str | None = None
    source_sql: str = ""
    target_columns: tuple[int, ...] = ()
    returning: bool = False
    returning_sql: str = ""
    query: Query | None = None
    conflict: ConflictPlan | None = None
    checks: dict[str, CheckPlan] = field(default_factory=dict)
    actions: tuple[MergeActionPlan, ...] = ()
    # the target, once it is known that direct_sql is all there is to do (executor/lone_modify.py)
    lone_target: Any = None
    # of its tables: where the lock table counts strong locks
    lone_locks: tuple[int, ...] = ()
    lone_in_block: bool = True
    # stores one row of it, if a block may do that later (executor/holding.py)
    held_sql: str = ""
    # ... and what is true of a row that must not be stored
    held_test: str = ""
    # whether that is so amid other transactions (planner/rowtest.py)
    row_test: RowTest | None = None


@dataclass(frozen=True, slots=True)
class RowTest:
    """text yields what is in the way: xid, rid and, of undo, the operation ("K": only the old row
    meets the condition) or, of a row lock, its mode.  parameters: how many of the bindings it
    wants.  An empty text: nothing can be in the way.  target yields the rid of the row to write,
    before the rids of the rows that others have changed and whose old image meets the condition."""

    text: str
    parameters: int
    target: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """sql gives 1 or 0 for each test; tests: the names of policies, or kinds of view options,
    with the name of the table or view."""

    sql: str
    tests: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class ConflictPlan:
    """ON CONFLICT: the arbiter indexes' OIDs (none: all), and for DO UPDATE what to set: set_sql
    computes the new values for the row put aside as "excluded" (rid, columns), or no row where
    its WHERE says so."""

    action: str
    arbiters: tuple[int, ...] = ()
    set_columns: tuple[int, ...] = ()
    set_sql: str = ""


@dataclass(frozen=True, slots=True)
class MergeActionPlan:
    """first: where the values of this action begin in a source row."""

    command: str
    columns: tuple[int, ...] = ()
    first: int = 0
