"""Making range table entries and expanding them to columns (PostgreSQL's parse_relation.c, the
making half).

Every add_range_table_entry_for_* appends to pstate.p_rtable and returns the name-space item;
whether and how it gets visible is the caller's business (add_nsitem_to_query).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgClass, PgNamespace
from pgemu.errors import PgError
from pgemu.errors.codes import (
    DATATYPE_MISMATCH,
    DUPLICATE_COLUMN,
    FEATURE_NOT_SUPPORTED,
    INVALID_COLUMN_REFERENCE,
    INVALID_TABLE_DEFINITION,
    SYNTAX_ERROR,
    TOO_MANY_COLUMNS,
    UNDEFINED_COLUMN,
    UNDEFINED_TABLE,
    WRONG_OBJECT_TYPE,
)
from pgemu.nodes.nodefuncs import expr_collation, expr_location, expr_type, expr_typmod
from pgemu.nodes.parsenodes import (
    Alias,
    CommonTableExpr,
    JoinExpr,
    Query,
    RangeTblEntry,
    RangeTblFunction,
    RangeTblRef,
)
from pgemu.nodes.primnodes import Expr, TargetEntry, Var
from pgemu.parser.funcapi import get_expr_result_type, relation_columns
from pgemu.parser.parse_cache import lookup_explicit_namespace
from pgemu.parser.parse_node import ParseNamespaceColumn, ParseNamespaceItem, ParseState
from pgemu.parser.type_oids import INT8OID, RECORDARRAYOID, RECORDOID

if TYPE_CHECKING:
    from pgemu.catalog.relcache import Relation

# name -> (attribute number, type OID)
SYSTEM_COLUMNS: dict[str, tuple[int, int]] = {
    "ctid": (-1, 27),
    "xmin": (-2, 28),
    "cmin": (-3, 29),
    "xmax": (-4, 28),
    "cmax": (-5, 29),
    "tableoid": (-6, 26),
}
MAX_ATTR_NUMBER = 1600
_KINDS_NOT_OPENED = {"i": "an index", "I": "an index", "c": "a composite type"}


def system_attribute(attnum: int) -> tuple[str, int]:
    """(name, type OID) of a system column by its negative number."""
    return next((n, oid) for n, (num, oid) in SYSTEM_COLUMNS.items() if num == attnum)


# ----------------------------------------------------------------------------- opening


def parser_open_table(pstate: ParseState, relation: dict[str, Any]) -> Relation:
    """The relation a raw RangeVar names; 42P01 with the hint about WITH items if there is none."""
    catalog = pstate.catalog
    relname: str = relation["relname"]
    schemaname: str | None = relation.get("schemaname")
    location: int = relation.get("location", 0)
    database = relation.get("catalogname")
    if database and database != catalog.ctx.database:
        full = f"{database}.{schemaname}.{relname}"
        message = f'cross-database references are not implemented: "{full}"'
        raise PgError(FEATURE_NOT_SUPPORTED, message, location=location)
    row: PgClass | None = None
    if schemaname:
        row = _lookup_qualified(pstate, schemaname, relname, location)
    else:
        for namespace in catalog.search_path():
            row = catalog.one(PgClass, relname=relname, relnamespace=namespace)
            if row is not None:
                break
    if row is None:
        raise _undefined_table(pstate, schemaname, relname, location)
    if row.relkind in _KINDS_NOT_OPENED:
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'"{relname}" is {_KINDS_NOT_OPENED[row.relkind]}',
            location=location,
        )
    return catalog.relation(row.oid)


def _lookup_qualified(
    pstate: ParseState, schemaname: str, relname: str, location: int
) -> PgClass | None:
    catalog = pstate.catalog
    if schemaname == "pg_temp":
        candidates = [oid for oid in catalog.search_path() if _is_temp(pstate, oid)]
    else:
        oid = lookup_explicit_namespace(catalog, schemaname, True, location)
        candidates = [oid] if oid else []
    for oid in candidates:
        row = catalog.one(PgClass, relname=relname, relnamespace=oid)
        if row is not None:
            return row
    return None


def _is_temp(pstate: ParseState, namespace: int) -> bool:
    row = pstate.catalog.one(PgNamespace, oid=namespace)
    return row is not None and row.nspname.startswith("pg_temp_")


def _undefined_table(
    pstate: ParseState, schemaname: str | None, relname: str, location: int
) -> PgError:
    from pgemu.parser.parse_relation import is_future_cte

    if schemaname:
        return PgError(
            UNDEFINED_TABLE,
            f'relation "{schemaname}.{relname}" does not exist',
            location=location,
        )
    if is_future_cte(pstate, relname):
        return PgError(
            UNDEFINED_TABLE,
            f'relation "{relname}" does not exist',
            detail=f'There is a WITH item named "{relname}", but it cannot be referenced from '
            "this part of the query.",
            hint="Use WITH RECURSIVE, or re-order the WITH items to remove forward references.",
            location=location,
        )
    return PgError(UNDEFINED_TABLE, f'relation "{relname}" does not exist', location=location)


# ----------------------------------------------------------------------------- aliases


def _merge_alias(alias: Alias | None, refname: str, names: list[str], what: str) -> Alias:
    """eref from the user's alias and the item's own column names."""
    if alias is None:
        return Alias(refname, names)
    given = alias.colnames
    if len(given) > len(names):
        raise PgError(
            INVALID_COLUMN_REFERENCE,
            f'{what} "{refname}" has {len(names)} columns available but {len(given)} columns '
            "specified",
        )
    return Alias(refname, given + names[len(given) :] if given else names)


def build_relation_aliases(
    names: list[str], alias: Alias | None, eref: Alias, kind: str = "table"
) -> None:
    """Fill eref.colnames: the alias's names replace those of columns that are not dropped.  What
    the user gave for the alias is rewritten to have "" for dropped columns."""
    given = list(alias.colnames) if alias is not None else []
    position = 0
    full: list[str] = []
    out: list[str] = []
    for name in names:
        if not name:
            full.append("")
            if position < len(given):
                out.append("")
        elif position < len(given):
            full.append(given[position])
            out.append(given[position])
            position += 1
        else:
            full.append(name)
    if position < len(given):
        raise PgError(
            INVALID_COLUMN_REFERENCE,
            f'table "{eref.aliasname}" has {position} columns available but {len(given)} '
            "columns specified",
        )
    if alias is not None:
        alias.colnames = out
    eref.colnames = full


def _nsitem_from_lists(
    rte: RangeTblEntry,
    rtindex: int,
    coltypes: list[int],
    coltypmods: list[int],
    colcollations: list[int],
) -> ParseNamespaceItem:
    """buildNSItemFromLists; a type of 0 marks a dropped column."""
    columns = [
        ParseNamespaceColumn(rtindex, n, typ, typmod, coll, rtindex, n)
        if typ
        else ParseNamespaceColumn(0, 0, 0, -1, 0, 0, 0)
        for n, (typ, typmod, coll) in enumerate(
            zip(coltypes, coltypmods, colcollations, strict=True), 1
        )
    ]
    return ParseNamespaceItem(rte.eref, rte, rtindex, columns)


def _append(pstate: ParseState, rte: RangeTblEntry, join: JoinExpr | None = None) -> int:
    pstate.p_rtable.append(rte)
    pstate.p_joinexprs.append(join)
    return len(pstate.p_rtable)


# ----------------------------------------------------------------------------- one per kind


def add_range_table_entry(
    pstate: ParseState,
    relation: dict[str, Any],
    alias: Alias | None,
    inh: bool,
    in_from_cl: bool,
) -> ParseNamespaceItem:
    """An entry for the table a RangeVar names."""
    rel = parser_open_table(pstate, relation)
    return add_range_table_entry_for_relation(pstate, rel, alias, inh, in_from_cl)


def add_range_table_entry_for_relation(
    pstate: ParseState,
    rel: Relation,
    alias: Alias | None,
    inh: bool,
    in_from_cl: bool,
) -> ParseNamespaceItem:
    """An entry for an already opened relation."""
    # shared by all statements: nobody changes the names of an entry in place
    names: list[str] = rel.catalog.cached_for_relation(
        rel.oid, "colnames", lambda: ["" if a.attisdropped else a.attname for a in rel.attrs]
    )
    if alias is None:
        eref = Alias(rel.name, names)
    elif alias.colnames:
        eref = Alias(alias.aliasname)
        build_relation_aliases(names, alias, eref)
    else:
        eref = Alias(alias.aliasname, names)
    rte = RangeTblEntry(
        "relation",
        eref,
        alias,
        False,
        inh,
        in_from_cl,
        rel.oid,
        rel.relkind,
        required_perms={"SELECT"},
    )
    rtindex = _append(pstate, rte)
    return ParseNamespaceItem(eref, rte, rtindex, p_relation=rel)


def add_range_table_entry_for_subquery(
    pstate: ParseState,
    subquery: Query,
    alias: Alias | None,
    lateral: bool,
    in_from_cl: bool,
) -> ParseNamespaceItem:
    """An entry for an analyzed sub-select; alias None: an internal one, "unnamed_subquery"."""
    refname = alias.aliasname if alias is not None else "unnamed_subquery"
    types: list[int] = []
    typmods: list[int] = []
    collations: list[int] = []
    names: list[str] = []
    for te in subquery.target_list or subquery.returning_list:
        if te.resjunk:
            continue
        names.append(te.resname or "")
        types.append(expr_type(te.expr))
        typmods.append(expr_typmod(te.expr))
        collations.append(expr_collation(te.expr))
    eref = _merge_alias(alias, refname, names, "table")
    rte = RangeTblEntry(
        "subquery",
        eref,
        alias,
        lateral,
        False,
        in_from_cl,
        subquery=subquery,
        coltypes=types,
        coltypmods=typmods,
        colcollations=collations,
    )
    return _nsitem_from_lists(rte, _append(pstate, rte), types, typmods, collations)


def _choose_scalar_function_alias(
    pstate: ParseState, funcexpr: Expr, funcname: str, alias: Alias | None, nfuncs: int
) -> str:
    """The column name of a scalar function in FROM."""
    proname = _single_out_name(pstate, funcexpr)
    if proname is not None:
        return proname
    if nfuncs == 1 and alias is not None:
        return alias.aliasname
    return funcname


def _single_out_name(pstate: ParseState, funcexpr: Expr) -> str | None:
    """get_func_result_name: the name of the only OUT parameter."""
    from pgemu.nodes.primnodes import FuncExpr
    from pgemu.parser.parse_cache import get_proc

    if not isinstance(funcexpr, FuncExpr):
        return None
    proc = get_proc(pstate.catalog, funcexpr.funcid)
    if proc.proargmodes is None or proc.proargnames is None:
        return None
    outs = [
        name
        for name, mode in zip(proc.proargnames, proc.proargmodes, strict=False)
        if mode in ("o", "b", "t")
    ]
    return outs[0] if len(outs) == 1 and outs[0] else None


def add_range_table_entry_for_function(
    pstate: ParseState,
    funcnames: list[str],
    funcexprs: list[Expr],
    coldeflists: list[list[dict[str, Any]] | None],
    rangefunc: dict[str, Any],
    alias: Alias | None,
    lateral: bool,
    in_from_cl: bool,
) -> ParseNamespaceItem:
    """An entry for function calls in FROM (several: ROWS FROM)."""
    refname = alias.aliasname if alias is not None else funcnames[0]
    functions: list[RangeTblFunction] = []
    names: list[str] = []
    types: list[int] = []
    typmods: list[int] = []
    collations: list[int] = []
    nfuncs = len(funcexprs)
    for funcname, funcexpr, coldeflist in zip(funcnames, funcexprs, coldeflists, strict=True):
        function = RangeTblFunction(funcexpr)
        cols = _function_columns(pstate, funcexpr, funcname, coldeflist, alias, nfuncs)
        function.coldeflist = bool(coldeflist)
        for name, type_oid, typmod, collation in cols:
            function.colnames.append(name)
            function.coltypes.append(type_oid)
            function.coltypmods.append(typmod)
            function.colcollations.append(collation)
        functions.append(function)
        names += function.colnames
        types += function.coltypes
        typmods += function.coltypmods
        collations += function.colcollations
    ordinality = bool(rangefunc.get("ordinality"))
    if ordinality:
        names.append("ordinality")
        types.append(INT8OID)
        typmods.append(-1)
        collations.append(0)
    if len(names) > MAX_ATTR_NUMBER:
        raise PgError(
            TOO_MANY_COLUMNS,
            f"functions in FROM can return at most {MAX_ATTR_NUMBER} columns",
            location=expr_location(funcexprs),
        )
    eref = Alias(refname)
    build_relation_aliases(names, alias, eref)
    rte = RangeTblEntry(
        "function",
        eref,
        alias,
        lateral,
        False,
        in_from_cl,
        functions=functions,
        funcordinality=ordinality,
        coltypes=types,
        coltypmods=typmods,
        colcollations=collations,
    )
    return _nsitem_from_lists(rte, _append(pstate, rte), types, typmods, collations)


def _function_columns(
    pstate: ParseState,
    funcexpr: Expr,
    funcname: str,
    coldeflist: list[dict[str, Any]] | None,
    alias: Alias | None,
    nfuncs: int,
) -> list[tuple[str, int, int, int]]:
    result = get_expr_result_type(pstate.catalog, funcexpr)
    if coldeflist:
        at = coldeflist[0]["ColumnDef"].get("location", 0)
        if result.kind == "composite":
            message = (
                "a column definition list is redundant for a function with OUT parameters"
                if result.type_oid == RECORDOID
                else "a column definition list is redundant for a function returning a named "
                "composite type"
            )
            raise PgError(SYNTAX_ERROR, message, location=at)
        if result.kind != "record":
            raise PgError(
                SYNTAX_ERROR,
                'a column definition list is only allowed for functions returning "record"',
                location=at,
            )
        return _coldeflist_columns(pstate, coldeflist)
    if result.kind == "composite":
        assert result.columns is not None
        return [(c.name, c.type_oid, c.typmod, c.collation) for c in result.columns]
    if result.kind == "scalar":
        name = _choose_scalar_function_alias(pstate, funcexpr, funcname, alias, nfuncs)
        return [(name, result.type_oid, expr_typmod(funcexpr), expr_collation(funcexpr))]
    if result.kind == "record":
        raise PgError(
            SYNTAX_ERROR,
            'a column definition list is required for functions returning "record"',
            location=expr_location(funcexpr),
        )
    raise PgError(
        DATATYPE_MISMATCH,
        f'function "{funcname}" in FROM has unsupported return type '
        f"{pstate.catalog.type_name(result.type_oid)}",
        location=expr_location(funcexpr),
    )


def _coldeflist_columns(
    pstate: ParseState, coldeflist: list[dict[str, Any]]
) -> list[tuple[str, int, int, int]]:
    from pgemu.parser.parse_type import get_column_def_collation, typename_type_id_and_mod

    columns: list[tuple[str, int, int, int]] = []
    seen: set[str] = set()
    for item in coldeflist:
        coldef = item["ColumnDef"]
        name = coldef["colname"]
        if coldef["typeName"].get("setof"):
            raise PgError(
                INVALID_TABLE_DEFINITION,
                f'column "{name}" cannot be declared SETOF',
                location=coldef.get("location", 0),
            )
        type_oid, typmod = typename_type_id_and_mod(pstate, coldef["typeName"])
        collation = get_column_def_collation(pstate, coldef, type_oid)
        columns.append((name, type_oid, typmod, collation))
    for name, type_oid, _typmod, _collation in columns:
        if name in seen:
            raise PgError(DUPLICATE_COLUMN, f'column name "{name}" specified more than once')
        seen.add(name)
        _check_attribute_type(pstate, name, type_oid)
    return columns


def _check_attribute_type(pstate: ParseState, name: str, type_oid: int) -> None:
    from pgemu.parser.parse_cache import get_type

    if (
        type_oid not in (RECORDOID, RECORDARRAYOID)
        and get_type(pstate.catalog, type_oid).typtype == "p"
    ):
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'column "{name}" has pseudo-type {pstate.catalog.type_name(type_oid)}',
        )


def add_range_table_entry_for_values(
    pstate: ParseState,
    exprs: list[list[Expr]],
    coltypes: list[int],
    coltypmods: list[int],
    colcollations: list[int],
    alias: Alias | None,
    lateral: bool,
    in_from_cl: bool,
) -> ParseNamespaceItem:
    """An entry for VALUES lists; the columns are called column1, column2, ..."""
    refname = alias.aliasname if alias is not None else "*VALUES*"
    names = [f"column{n}" for n in range(1, len(exprs[0]) + 1)]
    eref = _merge_alias(alias, refname, names, "VALUES lists")
    rte = RangeTblEntry(
        "values",
        eref,
        alias,
        lateral,
        False,
        in_from_cl,
        values_lists=exprs,
        coltypes=coltypes,
        coltypmods=coltypmods,
        colcollations=colcollations,
    )
    return _nsitem_from_lists(rte, _append(pstate, rte), coltypes, coltypmods, colcollations)


def add_range_table_entry_for_join(
    pstate: ParseState,
    colnames: list[str],
    nscolumns: list[ParseNamespaceColumn],
    jointype: str,
    nummergedcols: int,
    aliasvars: list[Expr],
    join_using_alias: Alias | None,
    alias: Alias | None,
    in_from_cl: bool,
) -> ParseNamespaceItem:
    """An entry for a JOIN; nscolumns say what a reference to each column becomes."""
    if len(aliasvars) > MAX_ATTR_NUMBER:
        raise PgError(TOO_MANY_COLUMNS, f"joins can have at most {MAX_ATTR_NUMBER - 1} columns")
    refname = alias.aliasname if alias is not None else "unnamed_join"
    eref = _merge_alias(alias, refname, colnames, "join expression")
    rte = RangeTblEntry(
        "join",
        eref,
        alias,
        False,
        False,
        in_from_cl,
        jointype=jointype,
        joinmergedcols=nummergedcols,
        joinaliasvars=aliasvars,
        join_using_alias=join_using_alias,
    )
    return ParseNamespaceItem(eref, rte, _append(pstate, rte), nscolumns)


def add_range_table_entry_for_cte(
    pstate: ParseState,
    cte: CommonTableExpr,
    levelsup: int,
    rangevar: dict[str, Any],
    in_from_cl: bool,
) -> ParseNamespaceItem:
    """An entry for a reference to a WITH item (perhaps to itself, while it is analyzed)."""
    from pgemu.parser.parse_relation import alias_of

    alias = alias_of(rangevar.get("alias"))
    refname = alias.aliasname if alias is not None else cte.ctename
    self_reference = not isinstance(cte.ctequery, Query)
    if not self_reference:
        cte.cterefcount += 1
        if cte.ctequery.command_type != "select" and not cte.ctequery.returning_list:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f'WITH query "{cte.ctename}" does not have a RETURNING clause',
                location=rangevar.get("location", 0),
            )
    eref = _merge_alias(alias, refname, list(cte.ctecolnames), "table")
    names, types = list(eref.colnames), list(cte.ctecoltypes)
    typmods, collations = list(cte.ctecoltypmods), list(cte.ctecolcollations)
    hidden = 0
    if cte.search_clause is not None:
        names.append(cte.search_clause.search_seq_column)
        types.append(RECORDOID if cte.search_clause.search_breadth_first else RECORDARRAYOID)
        typmods.append(-1)
        collations.append(0)
        hidden += 1
    if cte.cycle_clause is not None:
        names += [cte.cycle_clause.cycle_mark_column, cte.cycle_clause.cycle_path_column]
        types += [cte.cycle_clause.cycle_mark_type, RECORDARRAYOID]
        typmods += [cte.cycle_clause.cycle_mark_typmod, -1]
        collations += [cte.cycle_clause.cycle_mark_collation, 0]
        hidden += 2
    eref.colnames = names
    rte = RangeTblEntry(
        "cte",
        eref,
        alias,
        False,
        False,
        in_from_cl,
        ctename=cte.ctename,
        ctelevelsup=levelsup,
        self_reference=self_reference,
        coltypes=types,
        coltypmods=typmods,
        colcollations=collations,
    )
    nsitem = _nsitem_from_lists(rte, _append(pstate, rte), types, typmods, collations)
    if levelsup > 0 and hidden:
        for column in nsitem.p_nscolumns[-hidden:]:
            column.p_dontexpand = True
    return nsitem


def add_range_table_entry_for_enr(
    pstate: ParseState, rangevar: dict[str, Any], in_from_cl: bool
) -> ParseNamespaceItem:
    """An entry for a named tuple store (a transition table): p_query_env holds, by name, an
    object with `relid` and `columns` [(name, type OID, typmod, collation)]."""
    from pgemu.parser.parse_relation import alias_of

    assert pstate.p_query_env is not None
    enr = pstate.p_query_env[rangevar["relname"]]
    alias = alias_of(rangevar.get("alias"))
    refname = alias.aliasname if alias is not None else rangevar["relname"]
    columns = list(enr.columns)
    eref = Alias(refname)
    build_relation_aliases([c[0] for c in columns], alias, eref)
    types, typmods = [c[1] for c in columns], [c[2] for c in columns]
    collations = [c[3] for c in columns]
    rte = RangeTblEntry(
        "namedtuplestore",
        eref,
        alias,
        False,
        False,
        in_from_cl,
        relid=enr.relid,
        ctename=rangevar["relname"],
        coltypes=types,
        coltypmods=typmods,
        colcollations=collations,
    )
    return _nsitem_from_lists(rte, _append(pstate, rte), types, typmods, collations)


def add_nsitem_to_query(
    pstate: ParseState,
    nsitem: ParseNamespaceItem,
    add_to_join_list: bool,
    add_to_rel_namespace: bool,
    add_to_var_namespace: bool,
) -> None:
    """Make an item part of the FROM list and/or of the name space."""
    if add_to_join_list:
        pstate.p_joinlist.append(RangeTblRef(nsitem.p_rtindex))
    if add_to_rel_namespace or add_to_var_namespace:
        nsitem.p_rel_visible = add_to_rel_namespace
        nsitem.p_cols_visible = add_to_var_namespace
        nsitem.p_lateral_only = False
        nsitem.p_lateral_ok = True
        pstate.p_namespace.append(nsitem)


# ----------------------------------------------------------------------------- asking entries


def get_rte_by_range_table_posn(pstate: ParseState, varno: int, sublevels_up: int) -> RangeTblEntry:
    """Entry varno of the level sublevels_up above."""
    for _ in range(sublevels_up):
        assert pstate.parent_pstate is not None
        pstate = pstate.parent_pstate
    return pstate.p_rtable[varno - 1]


def get_cte_for_rte(pstate: ParseState, rte: RangeTblEntry, rtelevelsup: int) -> CommonTableExpr:
    """The WITH item of a "cte" entry that stands rtelevelsup levels above pstate."""
    for _ in range(rte.ctelevelsup + rtelevelsup):
        assert pstate.parent_pstate is not None
        pstate = pstate.parent_pstate
    for cte in pstate.p_ctenamespace:
        if cte.ctename == rte.ctename:
            return cte
    raise PgError("XX000", f'could not find CTE "{rte.ctename}"')


def mark_var_for_select_priv(pstate: ParseState, var: Var) -> None:
    """Note that a column is read (privileges are checked per column)."""
    level = pstate
    for _ in range(var.varlevelsup):
        assert level.parent_pstate is not None
        level = level.parent_pstate
    _mark_rte_for_select_priv(level, var.varno, var.varattno)


def _mark_rte_for_select_priv(pstate: ParseState, rtindex: int, attnum: int) -> None:
    rte = pstate.p_rtable[rtindex - 1]
    if rte.rtekind == "relation":
        rte.required_perms.add("SELECT")
        rte.selected_cols.add(attnum)
    elif rte.rtekind == "join" and attnum == 0:
        # a whole-row reference to a join reads everything of both sides
        join = pstate.p_joinexprs[rtindex - 1]
        if join is not None:
            for side in (join.larg, join.rarg):
                _mark_rte_for_select_priv(pstate, side.rtindex, 0)


def is_locked_refname(pstate: ParseState, refname: str) -> bool:
    """Whether FOR UPDATE/SHARE of this level or above applies to the FROM item."""
    if pstate.p_locked_from_parent:
        return True
    for clause in pstate.p_locking_clause:
        rels = clause.get("lockedRels")
        if not rels or any(r["RangeVar"]["relname"] == refname for r in rels):
            return True
    return False


def rte_column_types(pstate_or_catalog: Any, rte: RangeTblEntry) -> list[tuple[int, int, int]]:
    """(type, typmod, collation) of every column; (0, -1, 0) for a dropped one."""
    if rte.rtekind == "relation":
        catalog = getattr(pstate_or_catalog, "catalog", pstate_or_catalog)
        return [(c.type_oid, c.typmod, c.collation) for c in relation_columns(catalog, rte.relid)]
    if rte.rtekind == "join":
        return [(expr_type(e), expr_typmod(e), expr_collation(e)) for e in rte.joinaliasvars]
    return list(zip(rte.coltypes, rte.coltypmods, rte.colcollations, strict=True))


def get_rte_attribute_name(rte: RangeTblEntry, attnum: int) -> str:
    """The name of a column as the query sees it."""
    if attnum == 0:
        return "*"
    if attnum < 0:
        return system_attribute(attnum)[0]
    if attnum <= len(rte.eref.colnames):
        return rte.eref.colnames[attnum - 1]
    raise PgError("XX000", f"invalid attnum {attnum} for rangetable entry {rte.eref.aliasname}")


# ----------------------------------------------------------------------------- expansion


def expand_rte(
    catalog: Any,
    rte: RangeTblEntry,
    rtindex: int,
    sublevels_up: int,
    location: int,
    include_dropped: bool = False,
) -> tuple[list[str], list[Expr]]:
    """Names and Vars of all columns (joins: Vars of the join itself)."""
    names: list[str] = []
    exprs: list[Expr] = []
    from pgemu.nodes.primnodes import Const

    for attno, (type_oid, typmod, collation) in enumerate(rte_column_types(catalog, rte), 1):
        if type_oid == 0:
            if include_dropped:
                names.append("")
                exprs.append(Const(23, None))
            continue
        names.append(rte.eref.colnames[attno - 1])
        exprs.append(Var(rtindex, attno, type_oid, typmod, collation, sublevels_up, location))
    return names, exprs


def expand_nsitem_vars(
    pstate: ParseState, nsitem: ParseNamespaceItem, sublevels_up: int, location: int
) -> tuple[list[str], list[Var]]:
    """Names and Vars for `item.*`, without dropped and hidden columns."""
    names: list[str] = []
    out: list[Var] = []
    for name, col in zip(nsitem.p_names.colnames, nsitem.p_nscolumns, strict=True):
        if col.p_dontexpand or not name or col.p_varno == 0:
            continue
        names.append(name)
        out.append(
            Var(
                col.p_varno,
                col.p_varattno,
                col.p_vartype,
                col.p_vartypmod,
                col.p_varcollid,
                sublevels_up,
                location,
            )
        )
    return names, out


def expand_nsitem_attrs(
    pstate: ParseState,
    nsitem: ParseNamespaceItem,
    sublevels_up: int,
    require_col_privs: bool,
    location: int,
) -> list[TargetEntry]:
    """The target entries for `item.*`."""
    names, variables = expand_nsitem_vars(pstate, nsitem, sublevels_up, location)
    rte = nsitem.p_rte
    if rte.rtekind == "relation":
        rte.required_perms.add("SELECT")
    entries: list[TargetEntry] = []
    for name, var in zip(names, variables, strict=True):
        entries.append(TargetEntry(var, pstate.p_next_resno, name))
        pstate.p_next_resno += 1
        if require_col_privs:
            mark_var_for_select_priv(pstate, var)
    return entries


def undefined_column(relname: str, colname: str, location: int) -> PgError:
    """42703 for a column that a statement assigns to."""
    return PgError(
        UNDEFINED_COLUMN,
        f'column "{colname}" of relation "{relname}" does not exist',
        location=location,
    )
