"""Expressions and statements of a body: analysis with the function's variables as parameters,
and their cached plans (pl_comp.c's parser hooks, pl_exec.c's exec_prepare_plan).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pgemu.errors import (
    AMBIGUOUS_COLUMN,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    PgError,
)
from pgemu.executor.current_of import CursorScan
from pgemu.nodes.nodefuncs import expr_type, expr_typmod
from pgemu.nodes.parsenodes import Query, RawStmt
from pgemu.nodes.primnodes import CoerceViaIO, Const, Param
from pgemu.nodes.primnodes import Expr as SqlExpr
from pgemu.parser.analyze import analyze_with_state
from pgemu.parser.parse_coerce import coerce_to_domain, coerce_to_target_type
from pgemu.parser.parse_node import ParseState, make_parsestate
from pgemu.parser.parse_target import transform_assignment_indirection
from pgemu.pl.plpgsql.datums import RECORDOID, Expr, PlType, Rec, RecordValue, Var, ns_lookup
from pgemu.pl.plpgsql.simple import Compiler
from pgemu.types.record import form_composite, form_record

UNKNOWNOID = 705
_TARGET_SHIFT = 1 << 28
# (record number, its columns) that a plan was made for
Shape = tuple[int, Any]


class Prepared:
    """An analyzed and planned piece of SQL with where its parameters come from."""

    __slots__ = (
        "converted",
        "epoch",
        "getter",
        "plan",
        "queries",
        "scan",
        "shapes",
        "sources",
        "typed",
        "version",
    )

    def __init__(self) -> None:
        self.queries: list[Query] = []
        self.plan: Any = None
        # of a cursor's query: which rows of tables its rows come from
        self.scan: CursorScan | None = None
        self.sources: list[Callable[[list[Any]], Any]] = []
        self.shapes: list[Shape] = []
        self.version = 0
        self.epoch = 0
        # a cast to the target's type was added
        self.converted = False
        self.typed: tuple[int, int] = (0, -1)
        # for trivial expressions: values of the frame -> value
        self.getter: Callable[[list[Any]], Any] | None = None

    @property
    def query(self) -> Query:
        return self.queries[0]


class Names:
    """The parser hooks of one analysis."""

    def __init__(self, expr: Expr, values: list[Any], catalog: Any, conflict: str) -> None:
        self.expr, self.values, self.catalog = expr, values, catalog
        self.conflict = conflict
        self.prepared = Prepared()
        self._known: dict[Any, Param] = {}

    def install(self, pstate: ParseState) -> None:
        if self.conflict == "use_variable":
            pstate.p_pre_columnref_hook = self._pre
        pstate.p_post_columnref_hook = self._post
        pstate.p_paramref_hook = self._param_ref

    def _pre(self, pstate: ParseState, body: dict[str, Any]) -> SqlExpr | None:
        return self.resolve(body, error_if_no_field=False)

    def _post(
        self, pstate: ParseState, body: dict[str, Any], found: SqlExpr | None
    ) -> SqlExpr | None:
        if self.conflict == "use_column" and found is not None:
            return None
        if self.conflict == "use_variable":
            return self.resolve(body, error_if_no_field=True) if found is None else None
        mine = self.resolve(body, error_if_no_field=found is None)
        if mine is not None and found is not None:
            name = ".".join(f.get("String", {}).get("sval", "*") for f in body["fields"])
            raise PgError(
                AMBIGUOUS_COLUMN,
                f'column reference "{name}" is ambiguous',
                detail="It could refer to either a PL/pgSQL variable or a table column.",
                location=body.get("location", 0),
            )
        return mine

    def _param_ref(self, pstate: ParseState, pref: dict[str, Any]) -> SqlExpr | None:
        number, location = pref.get("number", 0), pref.get("location", 0)
        datum, _ = ns_lookup(self.expr.ns, False, [f"${number}"])
        if datum is None:
            raise PgError("42P02", f"there is no parameter ${number}", location=location)
        return self.param_of(datum, location)

    def resolve(self, body: dict[str, Any], *, error_if_no_field: bool) -> SqlExpr | None:
        """resolve_column_ref."""
        names = [f["String"].get("sval", "") for f in body["fields"] if "String" in f]
        location = body.get("location", 0)
        star = len(names) != len(body["fields"])
        if not names or len(names) > 3:
            return None
        datum, used = ns_lookup(self.expr.ns, False, names)
        if datum is None:
            return None
        if isinstance(datum, Var):
            return self.param_of(datum, location) if used == len(names) and not star else None
        if used == len(names):
            return self.param_of(datum, location)
        if used + 1 == len(names) and not star:
            return self._field(datum, names[-1], location, error_if_no_field)
        return None

    def _field(
        self, rec: Rec, field: str, location: int, error_if_no_field: bool
    ) -> SqlExpr | None:
        value: RecordValue = self.values[rec.dno]
        if not value.columns:
            raise not_assigned(rec.refname)
        index = value.index(field)
        if index < 0:
            if error_if_no_field:
                raise PgError(UNDEFINED_COLUMN, f'record "{rec.refname}" has no field "{field}"')
            return None
        dno = rec.dno
        self._shape(dno, value)
        column = value.columns[index]

        def get(values: list[Any]) -> Any:
            held = values[dno].values
            return None if held is None else held[index]

        return self._param((dno, index), get, column[1], column[2], location)

    def _shape(self, dno: int, value: RecordValue) -> None:
        shape = (dno, value.columns)
        if shape not in self.prepared.shapes:
            self.prepared.shapes.append(shape)

    def param_of(self, datum: Var | Rec, location: int) -> SqlExpr:
        dno = datum.dno
        if isinstance(datum, Var):
            return self._param(
                (dno, -1),
                lambda values: values[dno],
                datum.type.oid,
                datum.type.typmod,
                location,
                datum.type.collation,
            )
        value: RecordValue = self.values[dno]
        self._shape(dno, value)
        oid = value.type_oid if datum.type.oid == RECORDOID else datum.type.oid
        return self._param((dno, -1), lambda values: record_storage(values[dno]), oid, -1, location)

    def container(self, dno: int, dtype: PlType) -> SqlExpr:
        """What an assignment to a part of it changes."""
        place = _TARGET_SHIFT + 7
        return self._param(
            (dno, -1), lambda values: values[dno], dtype.oid, dtype.typmod, place, dtype.collation
        )

    def _param(
        self,
        key: Any,
        get: Callable[[list[Any]], Any],
        oid: int,
        typmod: int,
        location: int,
        collation: int | None = None,
    ) -> Param:
        known = self._known.get(key)
        if known is None:
            self.prepared.sources.append(get)
            if collation is None:
                collation = self.catalog.types.row(oid).typcollation
            known = self._known[key] = Param(
                "extern", len(self.prepared.sources), oid, typmod, collation
            )
        return Param("extern", known.paramid, oid, typmod, known.paramcollid, location)


def not_assigned(name: str) -> PgError:
    return PgError(
        OBJECT_NOT_IN_PREREQUISITE_STATE,
        f'record "{name}" is not assigned yet',
        detail="The tuple structure of a not-yet-assigned record is indeterminate.",
    )


def record_storage(value: RecordValue) -> str | None:
    """The storage value of a record variable."""
    if value.values is None:
        return None
    if value.type_oid == RECORDOID:
        return form_record(
            [c[1] for c in value.columns], value.values, [c[0] for c in value.columns]
        )
    return form_composite(value.values)


def internal_error(error: PgError, expr: Expr, head: int) -> PgError:
    """An error of analysis points into the expression (_SPI_error_callback)."""
    location = error.location
    if location is not None and location >= 0:
        data = expr.text.encode()
        chars = len(data[: max(location - head, 0)].decode(errors="ignore"))
        error.internal_query = expr.shown
        error.internal_position = len(expr.prefix) + chars + 1
        error.location = None
    elif error.position is not None:
        error.internal_query = expr.shown
        error.internal_position = len(expr.prefix) + max(error.position - head, 1)
        error.position = None
    else:
        error.add_context(expr.context_line())
    return error


def analyze_expr(
    session: Any,
    expr: Expr,
    values: list[Any],
    conflict: str,
    target: PlType | None,
    *,
    user_functions: bool = False,
) -> Prepared:
    """Analyze `SELECT expr`; target: convert the value to this type."""
    names = Names(expr, values, session.catalog, conflict)
    text = "SELECT " + expr.text
    try:
        raws = session.parse(text)
        pstate = make_parsestate(None, session.catalog, text)
        names.install(pstate)
        pstate.p_query_env = session.query_environment
        pstate.p_resolve_unknowns = not (expr.prefix and target is not None)
        query = analyze_with_state(pstate, expand_stars(raws[0], expr, values))
        columns = [t for t in query.target_list if not t.resjunk]
        if len(columns) != 1:
            raise _wrong_columns(expr, len(columns))
        entry = columns[0]
        source = expr_type(entry.expr)
        if source == UNKNOWNOID and target is not None:
            # transformPLAssignStmt
            made = coerce_to_target_type(
                pstate, entry.expr, source, target.oid, target.typmod,
                "plpgsql", "implicit_cast", -1,
            )  # fmt: skip
            entry.expr = made if made is not None else entry.expr
            source = expr_type(entry.expr)
    except PgError as error:
        if error.where is not None and error.where.startswith("query: "):
            raise
        raise internal_error(error, expr, 7) from None
    prepared = names.prepared
    prepared.typed = (source, expr_typmod(entry.expr))
    exact = target is None or (source == target.oid and target.typmod == -1)
    if target is not None and not exact and prepared.typed != (target.oid, target.typmod):
        entry.expr = cast_expr(session, entry.expr, target)
        prepared.converted = True
        prepared.typed = (target.oid, target.typmod)
    prepared.queries = [query]
    prepared.getter = _getter(session, query, entry.expr, prepared, user_functions=user_functions)
    return prepared


def _wrong_columns(expr: Expr, count: int) -> PgError:
    noun = "column" if count == 1 else "columns"
    if expr.prefix:
        return PgError(SYNTAX_ERROR, f"assignment source returned {count} {noun}")
    error = PgError(SYNTAX_ERROR, f"query returned {count} {noun}")
    error.add_context(f"query: {expr.text}")
    return error


def _getter(
    session: Any, query: Query, expr: SqlExpr, prepared: Prepared, *, user_functions: bool
) -> Callable[[list[Any]], Any] | None:
    """A closure for an expression that needs no query; those of constants alone are left to the
    planner, whose errors look different."""
    if (
        query.rtable
        or query.jointree.quals is not None
        or query.has_target_srfs
        or query.has_aggs
        or query.has_sublinks
        or query.has_window_funcs
        or query.limit_count is not None
        or query.sort_clause
    ):
        return None
    if not prepared.sources and type(expr) is not Const:
        return None
    return Compiler(session, prepared.sources, user_functions=user_functions).compile(expr)


def cast_expr(session: Any, expr: SqlExpr, target: PlType) -> SqlExpr:
    """The conversion of an assigned value (get_cast_hashentry): an assignment cast, else through
    the text form."""
    source = expr_type(expr)
    pstate = make_parsestate(None, session.catalog, "")
    made: SqlExpr | None = None
    if source not in (705, 2278):
        made = coerce_to_target_type(
            pstate, expr, source, target.oid, target.typmod, "plpgsql", "implicit_cast", -1
        )
    if made is None:
        base, typmod = target.oid, target.typmod
        row = session.catalog.types.row(base)
        while row.typtype == "d":
            base, typmod = row.typbasetype, row.typtypmod
            row = session.catalog.types.row(base)
        collation = row.typcollation
        made = CoerceViaIO(expr, base, collation)
        if typmod != -1:
            more = coerce_to_target_type(
                pstate, made, base, base, typmod, "plpgsql", "implicit_cast", -1
            )
            made = more or made
        if base != target.oid:
            made = coerce_to_domain(
                pstate, made, base, -1, target.oid, "plpgsql", "implicit_cast", -1, False
            )
    return made


def analyze_assignment(
    session: Any,
    expr: Expr,
    values: list[Any],
    conflict: str,
    target_text: str,
    container: tuple[int, PlType],
    skip: int,
) -> Prepared:
    """`x[1].f := expr` (transformPLAssignStmt): the new value of the whole container, which is
    parameter 1.  container: (its number among the frame's values, type); skip: how many names of
    target_text name the container itself."""
    names = Names(expr, values, session.catalog, conflict)
    text = "SELECT " + expr.text
    target_select = session.parse("SELECT " + target_text)[0].node["SelectStmt"]
    target_raw = _shifted(target_select["targetList"][0]["ResTarget"]["val"])
    indirection: list[dict[str, Any]] = []
    if "A_Indirection" in target_raw:
        indirection = target_raw["A_Indirection"]["indirection"]
        target_raw = target_raw["A_Indirection"]["arg"]
    fields = target_raw["ColumnRef"]["fields"] if "ColumnRef" in target_raw else []
    indirection = fields[skip:] + indirection
    pstate = make_parsestate(None, session.catalog, text)
    names.install(pstate)
    try:
        pstate.p_resolve_unknowns = False
        query = analyze_with_state(pstate, session.parse(text)[0])
        if len(query.target_list) != 1:
            raise _wrong_columns(expr, len(query.target_list))
        entry = query.target_list[0]
        dno, dtype = container
        base = names.container(dno, dtype)
        entry.expr = transform_assignment_indirection(
            pstate,
            base,
            fields[0]["String"]["sval"] if fields else target_text,
            False,
            (dtype.oid, dtype.typmod, dtype.collation),
            indirection,
            0,
            entry.expr,
            "plpgsql",
            _TARGET_SHIFT + 7,
        )
    except PgError as error:
        if error.location is not None and error.location >= _TARGET_SHIFT:
            # a place in the target, which the shown text begins with
            error.internal_query = expr.shown
            head = target_text.encode()[: error.location - _TARGET_SHIFT - 7]
            error.internal_position = len(head.decode(errors="ignore")) + 1
            error.location = None
            raise
        raise internal_error(error, expr, 7) from None
    names.prepared.queries = [query]
    names.prepared.typed = (dtype.oid, dtype.typmod)
    return names.prepared


def _shifted(node: Any) -> Any:
    """A raw tree whose locations tell that they are in the target of an assignment."""
    if isinstance(node, list):
        return [_shifted(n) for n in node]
    if isinstance(node, dict):
        return {
            k: v + _TARGET_SHIFT if k == "location" and v > 0 else _shifted(v)
            for k, v in node.items()
        }
    return node


def analyze_statement(session: Any, expr: Expr, values: list[Any], conflict: str) -> Prepared:
    """A whole SQL statement of the body."""
    names = Names(expr, values, session.catalog, conflict)
    try:
        for raw in session.parse(expr.text):
            pstate = make_parsestate(None, session.catalog, expr.text)
            names.install(pstate)
            pstate.p_query_env = session.query_environment
            names.prepared.queries.append(
                analyze_with_state(pstate, expand_stars(raw, expr, values))
            )
    except PgError as error:
        raise internal_error(error, expr, 0) from None
    return names.prepared


def expand_stars(raw: RawStmt, expr: Expr, values: Sequence[Any]) -> RawStmt:
    """`NEW.*` and `rec.*` of record variables as the list of their fields."""
    if ".*" not in expr.text:
        return raw

    def visit(node: Any) -> Any:
        if isinstance(node, list):
            out: list[Any] = []
            for item in node:
                out.extend(_star_fields(item, expr, values) or [visit(item)])
            return out
        if isinstance(node, dict):
            return {key: visit(value) for key, value in node.items()}
        return node

    return RawStmt(visit(raw.node), raw.location, raw.length)


def _star_fields(item: Any, expr: Expr, values: Sequence[Any]) -> list[Any] | None:
    if not isinstance(item, dict):
        return None
    target = item.get("ResTarget")
    ref = (target or {}).get("val", {}).get("ColumnRef") if target else item.get("ColumnRef")
    if ref is None or "A_Star" not in ref["fields"][-1]:
        return None
    names = [f["String"].get("sval", "") for f in ref["fields"][:-1]]
    if not names:
        return None
    datum, used = ns_lookup(expr.ns, False, names)
    if not isinstance(datum, Rec) or used != len(names):
        return None
    value: RecordValue = values[datum.dno]
    if not value.columns:
        raise not_assigned(datum.refname)
    made = []
    for name, oid, _ in value.columns:
        if not oid:
            continue
        fields = [*ref["fields"][:-1], {"String": {"sval": name}}]
        one: dict[str, Any] = {"ColumnRef": {"fields": fields, "location": ref.get("location", 0)}}
        if target is not None:
            one = {"ResTarget": {"val": one, "location": ref.get("location", 0)}}
        made.append(one)
    return made
