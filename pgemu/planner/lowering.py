"""The state of one lowering: the catalog, the parameters collected so far, and the scopes.

A Scope maps the range table of one Query to SQLite aliases.  Every entry gets an alias of its own
(`t1`, `t2`, ... unique in the whole statement) whose columns are c1 .. cn, so that a Var is always
`alias.c<attno>` and no name of the user's ever reaches SQLite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pgemu.catalog.pg_locale import storage_collation
from pgemu.catalog.rows import PgProc
from pgemu.errors import INTERNAL_ERROR, PgError
from pgemu.fmgr import TypeInfo
from pgemu.nodes.parsenodes import CommonTableExpr, Query, RangeTblEntry
from pgemu.planner.plan import ExternParam, LiteralParam, OuterParam, ParamSource, Plan
from pgemu.planner.sql import Sql, collate, raw, render

if TYPE_CHECKING:
    from pgemu.planner.windows import FrameSpec
    from pgemu.types.base import BaseType


@dataclass(frozen=True, slots=True)
class SetCall:
    """One function of ROWS FROM: proc None means a plain value (a one-row result).  columns:
    how many columns it yields; expand: its single composite value is spread over them."""

    proc: PgProc | None
    info: TypeInfo
    nargs: int
    ncolumns: int
    expand: bool = False
    # in a select list: a row of several columns is one composite value
    as_row: bool = False


RECORDOID = 2249
# SQLITE_LIMIT_VARIABLE_NUMBER
MAX_PARAMETERS = 32766
_CONTAINER_COLLATIONS = ("array_ops", "record_ops", "range_ops", "multirange_ops")


class FunctionBinder(Protocol):
    """Makes a pg_proc row callable from SQLite on this backend's connection (executor/udf.py)."""

    def scalar(self, proc: PgProc, info: TypeInfo) -> str: ...

    def aggregate(
        self,
        proc: PgProc,
        info: TypeInfo,
        *,
        distinct: bool = False,
        ndirect: int = 0,
        ordering: tuple[tuple[bool, bool], ...] = (),
        transition: bool = False,
    ) -> str: ...

    def window(self, proc: PgProc, info: TypeInfo) -> str: ...

    def frame(self, proc: PgProc, info: TypeInfo, spec: FrameSpec) -> str: ...

    def table_function(self, calls: tuple[SetCall, ...]) -> str: ...

    def special(self, name: str, *key: Any) -> str: ...

    def statement_function(self, sql_text: str, nparams: int, ncolumns: int) -> str: ...

    def locked_rows(self, plan: Plan, ncolumns: int) -> str: ...


@dataclass(slots=True)
class Scope:
    """The aliases of one Query's range table (index varno - 1) and where to look further up."""

    query: Query
    aliases: list[str]
    owner: Lowering
    parent: Scope | None = None
    # CTE name -> alias of the SQLite CTE, for the CTEs this query defines
    ctes: dict[str, str] = field(default_factory=dict)
    # those of them that are run before the statement: all its parts read the same rows
    shared_ctes: frozenset[str] = frozenset()
    # the one CTE that this scope has by itself; the others of its query are copied (ctes.py)
    lone_cte: str | None = None
    # columns standing for Param("sublink", n) while a SubLink's test is lowered
    sublink_columns: list[Sql] = field(default_factory=list)
    # Vars that must be read elsewhere: (varno, attno) -> SQL (materialised sources, EXCLUDED)
    replaced: dict[tuple[int, int], Sql] = field(default_factory=dict)
    case_test: Sql | None = None
    # the arguments, while the body of an inlined function is lowered
    function_args: list[Sql] | None = None
    # the ressortgrouprefs of the grouping set being lowered; None: all of GROUP BY
    grouped_refs: frozenset[int] | None = None
    domain_value: Sql | None = None
    # entries whose SQL is there already, by range table index (stages.py)
    prelowered: dict[int, Sql] = field(default_factory=dict)
    # whose WITH counts here: the scope that this one has a part of the FROM of (lateralgroups.py)
    stands_for: Scope | None = None
    # further output columns of the rows to write (recheck.py)
    pins: tuple[Sql, ...] = ()

    def up(self, levels: int) -> Scope:
        scope: Scope | None = self
        for _ in range(levels):
            assert scope is not None
            scope = scope.parent
        if scope is None:
            raise PgError(INTERNAL_ERROR, "variable refers to a query level that does not exist")
        return scope

    def entry(self, varno: int) -> RangeTblEntry:
        return self.query.rtable[varno - 1]


FIRST_USER_OID = 16384
# built-in functions that change tables: those of large objects and replication origins
_WRITING_BUILTINS = frozenset({715, 764, 767, 955, 957, 964, 1004, 3172, 3457, 3460, 6003, 6004})
# volatile only because each call gives another value: nextval, currval, timeofday, random,
# lastval, clock_timestamp, gen_random_uuid
_WITHOUT_EFFECT = frozenset((1574, 1575, 274, 1598, 2559, 2649, 3432))


class Lowering:
    """Collects what the Plan needs while the modules of this room translate the tree."""

    def __init__(self, catalog: Any, binder: FunctionBinder) -> None:
        self.catalog = catalog
        self.binder = binder
        self.params: list[ParamSource] = []
        self._param_index: dict[ParamSource, int] = {}
        self.relations: dict[int, tuple[str, int]] = {}
        # that nextval(), currval() and setval() are called for
        self.sequences: set[int] = set()
        self.partitioned: set[int] = set()  # and views
        self.alias_count = 0
        self.used_literals: set[int] = set()
        self.volatile = False
        self.may_write = False
        # a function of the user's that says that it does not write
        self.calls_functions = False
        self.calls_stable = False  # one that may read tables
        # how many statements run this one per row, each the next
        self.depth = 0
        self.has_effects = False
        self.has_row_marks = False
        # an index key or predicate, where SQLite wants deterministic functions, no sub-queries
        self.for_index = False
        # name of a recursive CTE run in rounds -> its columns: it is read from the last round
        self.working_tables: dict[str, int] = {}
        # to be run before the statement: (name, what defines it, its scope)
        self.cte_steps: list[tuple[str, CommonTableExpr, Scope]] = []
        self.has_modifying_ctes = False
        self.late_ctes: set[str] = set()
        # the query whose rows go to the client
        self.shown: Query | None = None

    def note_volatility(self, proc: Any) -> None:
        """A function is called: what that makes of the plan."""
        if proc.provolatile == "v":
            self.volatile = True
            writes = proc.oid >= FIRST_USER_OID or proc.oid in _WRITING_BUILTINS
            self.may_write = self.may_write or writes
            self.has_effects = self.has_effects or proc.oid not in _WITHOUT_EFFECT
        elif proc.oid >= FIRST_USER_OID:
            self.calls_functions = True
            self.calls_stable = self.calls_stable or proc.provolatile == "s"

    def note_calls_of(self, child: Lowering) -> None:
        """A statement of its own inside this one was lowered."""
        self.volatile = self.volatile or child.volatile
        self.may_write = self.may_write or child.may_write
        self.calls_functions = self.calls_functions or child.calls_functions
        self.calls_stable = self.calls_stable or child.calls_stable
        self.has_effects = self.has_effects or child.has_effects

    def new_alias(self, prefix: str = "t") -> str:
        self.alias_count += 1
        return f"{prefix}{self.alias_count}"

    def param_number(self, source: ParamSource) -> int:
        """The number of the parameter bound to source; the same source is bound once."""
        index = self._param_index.get(source)
        if index is None:
            self.params.append(source)
            index = self._param_index[source] = len(self.params)
        return index

    def param(self, source: ParamSource) -> Sql:
        """The SQLite parameter bound to source.  SQLite has MAX_PARAMETERS of them: the last one
        holds all that are beyond (executor/execute.py's bind)."""
        number = self.param_number(source)
        if number < MAX_PARAMETERS:
            return raw(f"?{number}")
        return raw(f"pg_bound(?{MAX_PARAMETERS}, {number - MAX_PARAMETERS})")

    def extern_param(self, number: int) -> Sql:
        return self.param(ExternParam(number))

    def literal(self, source: LiteralParam) -> Sql:
        return self.param(source)

    def io(self, type_oid: int) -> BaseType:
        io: BaseType = self.catalog.types.io(type_oid)
        return io

    def collation(self, type_oid: int, collid: int = 0) -> str | None:
        """The SQLite collation that values of this type need, None for native order.  The
        generic one of arrays and composites compares by kind of value; where the elements have
        an order of their own, the type gets a collation of its own.  collid: the collation that
        the expression has, which matters where it is one of ICU's."""
        io = self.io(type_oid)
        if io.collation in _CONTAINER_COLLATIONS and type_oid != RECORDOID:
            element = getattr(io, "element", None)
            if element is None or element.collation is not None:
                return self.binder.special("collation", type_oid)
        return storage_collation(self.catalog, type_oid, collid) if collid else io.collation

    def comparable(self, node: Sql, type_oid: int, collid: int = 0) -> Sql:
        collation = self.collation(type_oid, collid)
        return without_collation(node) if collation is None else collate(node, collation)

    def proc(self, oid: int) -> PgProc:
        row: PgProc | None = self.catalog.one(PgProc, oid=oid)
        if row is None:
            raise PgError(INTERNAL_ERROR, f"cache lookup failed for function {oid}")
        return row

    def use_relation(self, relid: int) -> tuple[str, int]:
        """(SQLite name with schema, number of attributes) of a table; notes that it is read."""
        found = self.relations.get(relid)
        if found is None:
            relation = self.catalog.relation(relid)
            found = self.relations[relid] = (relation.sqlite_name, len(relation.attrs))
            self.binder.special("relation", relid)
        return found

    def new_scope(self, query: Query, parent: Scope | None) -> Scope:
        return Scope(query, [self.new_alias() for _ in query.rtable], self, parent)

    def function_scope(self, args: list[Sql]) -> Scope:
        """The scope of an inlined function's body, whose $n are the arguments."""
        return Scope(Query("select"), [], self, function_args=args)

    def outer_reference(self, outer_sql: Sql, owner: Lowering) -> Sql:
        """A parameter of this sub-statement that is outer_sql of a statement above it per row."""
        return self.param(OuterParam(render(outer_sql), owner.depth))

    def sub_statement(self) -> Lowering:
        """A Lowering for a statement that this one runs per row (LATERAL): it has parameters of
        its own, but what it reads and needs is noted here too."""
        child = Lowering(self.catalog, self.binder)
        child.depth = self.depth + 1
        child.relations = self.relations
        child.sequences = self.sequences
        child.partitioned = self.partitioned
        child.used_literals = self.used_literals
        child.working_tables = dict(self.working_tables)
        return child

    def bind_for_caller(self, source: ParamSource) -> Sql:
        """What the calling statement passes for a parameter of its sub-statement."""
        if isinstance(source, OuterParam) and source.depth == self.depth:
            return raw(source.text)
        return self.param(source)


def without_collation(node: Sql) -> Sql:
    """A COLLATE somewhere in the arguments of a function holds for its result too in SQLite."""
    return collate(node, "BINARY") if "COLLATE " in str(node) else node


def type_infos(
    arg_types: Sequence[int],
    result: int,
    collation: int = 0,
    typmod: int = -1,
    columns: Sequence[tuple[str, int, int]] = (),
) -> TypeInfo:
    return TypeInfo(tuple(arg_types), result, collation, typmod, tuple(columns))
