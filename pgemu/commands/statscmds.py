"""CREATE and ALTER STATISTICS (PostgreSQL's statscmds.c): definitions only, the planner is
SQLite's."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.find_expr_references import record_dependency_on_single_rel_expr
from pgemu.catalog.heap import depend, insert_rows, is_pinned, owner_rows
from pgemu.catalog.lsyscache import BTREE_AM_OID, get_default_opclass
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.pg_constraint import make_object_name
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_NAMESPACE_RELID,
    PG_STATISTIC_EXT_RELID,
    PgStatisticExt,
)
from pgemu.commands.constraint_cmds import choose_index_name_addition
from pgemu.commands.cook import open_relation_pstate, referenced_columns
from pgemu.commands.define import strings
from pgemu.commands.indexcmds import not_supported_detail
from pgemu.commands.permissions import check_not_system, check_owner, owns
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_COLUMN,
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_OBJECT_DEFINITION,
    INVALID_PARAMETER_VALUE,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes.nodefuncs import expr_type
from pgemu.nodes.primnodes import Var
from pgemu.nodes.serialize import node_to_string
from pgemu.parser.parse_node import ParseExprKind
from pgemu.parser.parse_rte import SYSTEM_COLUMNS
from pgemu.parser.parse_sort_group import equal

STATS_MAX_DIMENSIONS = 8
MAX_STATISTICS_TARGET = 10000
_KINDS = {"ndistinct": "d", "dependencies": "f", "mcv": "m"}


def create_statistics(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE STATISTICS."""
    from pgemu.catalog.namespace import qualified_name_get_creation_namespace

    catalog = session.catalog
    relation = _relation(session, stmt.get("relations", []))
    elements = [node["StatsElem"] for node in stmt.get("exprs", ())]
    trees = [  # transformStatsStmt comes before the name is looked at
        None if elem.get("name") else _expression(session, relation, elem["expr"], st.source_text)
        for elem in elements
    ]
    if stmt.get("defnames"):
        namespace, name = qualified_name_get_creation_namespace(catalog, stmt["defnames"])
    else:
        namespace = relation.namespace
        names = [elem.get("name") or "expr" for elem in elements]
        name = _free_name(catalog, relation.name, names, namespace)
    if catalog.one(PgStatisticExt, stxname=name, stxnamespace=namespace) is not None:
        message = f'statistics object "{name}" already exists'
        if stmt.get("if_not_exists"):
            session.notice("NOTICE", DUPLICATE_OBJECT, message + ", skipping")
            return CommandResult("CREATE STATISTICS")
        raise PgError(DUPLICATE_OBJECT, message)
    keys, exprs = _elements(session, relation, elements, trees)
    words = strings(stmt.get("stat_types"))
    kinds = _kinds(words, len(keys) + len(exprs), bool(exprs), single=bool(exprs) and not keys)
    _check_elements(keys, exprs)
    _insert(session, relation.oid, name, namespace, tuple(sorted(keys)), kinds, exprs)
    return CommandResult("CREATE STATISTICS")


def _insert(
    session: Any,
    relid: int,
    name: str,
    namespace: int,
    keys: tuple[int, ...],
    kinds: tuple[str, ...],
    exprs: list[Any],
) -> int:
    """The pg_statistic_ext row and what it depends on."""
    catalog = session.catalog
    oid = catalog.new_oid()
    owner = session.ctx.current_user_oid
    me = (PG_STATISTIC_EXT_RELID, oid, 0)
    rows: list[Any] = [
        PgStatisticExt(
            oid, relid, name, namespace, owner, -1, keys, kinds,
            node_to_string(exprs) if exprs else None,
        ),
        *owner_rows(catalog, PG_STATISTIC_EXT_RELID, oid, owner),
    ]  # fmt: skip
    rows.extend(depend(me, (PG_CLASS_RELID, relid, n), "a") for n in keys)
    if not keys:
        rows.append(depend(me, (PG_CLASS_RELID, relid, 0), "a"))
    if not is_pinned(namespace, PG_NAMESPACE_RELID):
        rows.append(depend(me, (PG_NAMESPACE_RELID, namespace, 0), "n"))
    insert_rows(catalog, rows)
    if exprs:
        record_dependency_on_single_rel_expr(catalog, ObjectAddress(*me), exprs, relid, "n", "a")
    return int(oid)


def copy_statistics(
    session: Any, source: Any, heap: Any, mapping: dict[int, int]
) -> list[tuple[int, int]]:
    """LIKE ... INCLUDING STATISTICS (generateClonedExtStatsStmt); [(old OID, new OID)]."""
    from pgemu.commands.inherit import map_variable_attnos

    catalog = session.catalog
    made = []
    for row in sorted(catalog.all(PgStatisticExt, stxrelid=source.oid), key=lambda r: r.oid):
        keys = tuple(mapping[n] for n in row.stxkeys)
        exprs = []
        if row.stxexprs:
            trees = catalog.decode_node(row.stxexprs, "exprlist", source.oid)
            exprs = [map_variable_attnos(e, mapping) for e in trees]
        names = [heap.columns[n - 1].name for n in keys] + ["expr"] * len(exprs)
        name = _free_name(catalog, heap.name, names, heap.namespace)
        oid = _insert(
            session, heap.oid, name, heap.namespace, tuple(sorted(keys)), row.stxkind, exprs
        )
        made.append((row.oid, oid))
    return made


def _relation(session: Any, rels: list[Any]) -> Any:
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    if len(rels) != 1:
        raise PgError(
            FEATURE_NOT_SUPPORTED, "only a single relation is allowed in CREATE STATISTICS"
        )
    if "RangeVar" not in rels[0]:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "CREATE STATISTICS only supports relation names in the FROM clause",
        )
    relation = catalog.relation(range_var_get_relid(catalog, rels[0]["RangeVar"]))
    if relation.relkind not in "rmfp":
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'cannot define statistics for relation "{relation.name}"',
            detail=not_supported_detail(relation.relkind),
        )
    check_owner(session, relation)
    check_not_system(session, relation)
    return relation


def _free_name(catalog: Any, table: str, names: list[str], namespace: int) -> str:
    label, tries = "stat", 0
    while True:
        name = make_object_name(table, choose_index_name_addition(names), label)
        if catalog.one(PgStatisticExt, stxname=name, stxnamespace=namespace) is None:
            return name
        tries += 1
        label = f"stat{tries}"


def _elements(
    session: Any, relation: Any, nodes: list[dict[str, Any]], trees: list[Any]
) -> tuple[list[int], list[Any]]:
    """(columns, expressions)."""
    if len(nodes) > STATS_MAX_DIMENSIONS:
        raise PgError("54011", "cannot have more than 8 columns in statistics")
    keys: list[int] = []
    exprs: list[Any] = []
    for elem, expr in zip(nodes, trees, strict=True):
        if elem.get("name"):
            att = relation.attrs_by_name.get(elem["name"])
            if att is None and elem["name"] not in SYSTEM_COLUMNS:
                raise PgError(UNDEFINED_COLUMN, f'column "{elem["name"]}" does not exist')
            keys.append(_column(session, relation, att))
            continue
        if isinstance(expr, Var) and expr.varattno <= 0:
            raise _system_column()
        if isinstance(expr, Var):
            keys.append(_column(session, relation, relation.attr(expr.varattno)))
            continue
        if any(n <= 0 for n in referenced_columns(expr)):
            raise _system_column()
        if len(nodes) > 1:
            _need_btree(session.catalog, expr_type(expr), "expression")
        exprs.append(expr)
    return keys, exprs


def _expression(session: Any, relation: Any, raw: Any, text: str) -> Any:
    from pgemu.parser.parse_collate import assign_expr_collations
    from pgemu.parser.parse_expr import transform_expr

    pstate = open_relation_pstate(session.catalog, text, relation)
    expr = transform_expr(pstate, raw, ParseExprKind.EXPR_KIND_STATS_EXPRESSION)
    assign_expr_collations(pstate, expr)
    return expr


def _system_column() -> PgError:
    return PgError(FEATURE_NOT_SUPPORTED, "statistics creation on system columns is not supported")


def _column(session: Any, relation: Any, att: Any) -> int:
    if att is None:
        raise _system_column()
    _need_btree(session.catalog, att.atttypid, f'column "{att.attname}"')
    return int(att.attnum)


def _need_btree(catalog: Any, type_id: int, what: str) -> None:
    if get_default_opclass(catalog, type_id, BTREE_AM_OID):
        return
    where = "multivariate statistics" if what == "expression" else "statistics"
    raise PgError(
        FEATURE_NOT_SUPPORTED,
        f"{what} cannot be used in {where} because its type {catalog.type_name(type_id)} has no "
        "default btree operator class",
    )


def _check_elements(keys: list[int], exprs: list[Any]) -> None:
    if len(keys) + len(exprs) < 2 and not (exprs and not keys):
        raise PgError(INVALID_OBJECT_DEFINITION, "extended statistics require at least 2 columns")
    if len(set(keys)) < len(keys):
        raise PgError(DUPLICATE_COLUMN, "duplicate column name in statistics definition")
    for position, expr in enumerate(exprs):
        if any(equal(expr, other) for other in exprs[:position]):
            raise PgError(DUPLICATE_COLUMN, "duplicate expression in statistics definition")


def _kinds(words: list[str], count: int, has_exprs: bool, *, single: bool) -> tuple[str, ...]:
    for word in words:
        if word not in _KINDS:
            raise PgError(SYNTAX_ERROR, f'unrecognized statistics kind "{word}"')
    if count == 1 and words and single:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "when building statistics on a single expression, statistics kinds may not be "
            "specified",
        )
    kinds = [_KINDS[w] for w in _KINDS if w in words or not words] if count > 1 else []
    return tuple(kinds + (["e"] if has_exprs else []))


def _target(stmt: dict[str, Any]) -> int:
    """The number; the parser writes it as an Integer node or bare."""
    node = stmt.get("stxstattarget", 0)
    if isinstance(node, dict):
        node = node["Integer"].get("ival", 0)
    return int(node)


def alter_statistics(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER STATISTICS ... SET STATISTICS."""
    from pgemu.catalog.namespace import get_statistics_object_oid

    catalog = session.catalog
    oid = get_statistics_object_oid(catalog, stmt["defnames"], bool(stmt.get("missing_ok")))
    if not oid:
        name = ".".join(strings(stmt["defnames"]))
        session.notice("NOTICE", "00000", f'statistics object "{name}" does not exist, skipping')
        return CommandResult("ALTER STATISTICS")
    row = catalog.get(PgStatisticExt, oid=oid)
    if not owns(session, row.stxowner):
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            "must be owner of statistics object " + ".".join(strings(stmt["defnames"])),
        )
    target = stmt.get("stxstattarget", 0)
    if isinstance(target, dict):
        target = target.get("Integer", {}).get("ival", 0)
    if target < -1:
        raise PgError(INVALID_PARAMETER_VALUE, f"statistics target {target} is too low")
    if target > MAX_STATISTICS_TARGET:
        target = MAX_STATISTICS_TARGET
        session.notice(
            "WARNING", INVALID_PARAMETER_VALUE, f"lowering statistics target to {target}"
        )
    catalog.update(PgStatisticExt, {"oid": oid}, stxstattarget=target)
    return CommandResult("ALTER STATISTICS")
