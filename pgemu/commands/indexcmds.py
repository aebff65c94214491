"""CREATE INDEX (PostgreSQL's indexcmds.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import SYSTEM_COLUMN_TYPES, check_attribute_type
from pgemu.catalog.index import (
    BTREE_AM_OID,
    IndexInfo,
    IndexKey,
    builtin_am_name,
    index_create,
)
from pgemu.catalog.pg_constraint import choose_relation_name
from pgemu.catalog.pg_locale import is_nondeterministic
from pgemu.catalog.rows import PgAm, PgClass, PgIndex, PgInherits, PgOpclass
from pgemu.commands.clauses import contain_mutable_functions
from pgemu.commands.constraint_cmds import choose_index_name_addition
from pgemu.commands.cook import (
    referenced_columns,
    relation_pstate,
)
from pgemu.commands.heap_ref import HeapRef, from_relation
from pgemu.commands.in_use import check_table_not_in_use
from pgemu.commands.index_build import build_index
from pgemu.commands.opclass_lookup import resolve_opclass
from pgemu.commands.opclass_options import transform_opclass_options
from pgemu.commands.permissions import check_not_system, check_owner
from pgemu.commands.reloptions import transform_reloptions
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.tablespace import index_tablespace
from pgemu.errors import (
    DUPLICATE_TABLE,
    FEATURE_NOT_SUPPORTED,
    INDETERMINATE_COLLATION,
    INVALID_OBJECT_DEFINITION,
    TOO_MANY_COLUMNS,
    UNDEFINED_COLUMN,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes import expr_collation, expr_type, expr_typmod
from pgemu.nodes.primnodes import CollateExpr, FuncExpr, Var
from pgemu.parser.parse_node import ParseExprKind

INDEX_MAX_KEYS = 32
# access method -> (can order, can be unique, can have several columns, can include)
_CAPABILITIES = {
    "btree": (True, True, True, True),
    "hash": (False, False, False, False),
    "gist": (False, False, True, True),
    "gin": (False, False, True, False),
    "spgist": (False, False, False, True),
    "brin": (False, False, True, False),
    "bloom": (False, False, True, False),
}


def define_index_stmt(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE INDEX."""
    from pgemu.catalog.namespace import range_var_get_relid

    if stmt.get("concurrent"):
        session.xact.prevent_in_transaction_block("CREATE INDEX CONCURRENTLY", st.top_level)
    catalog = session.catalog
    relation = catalog.relation(range_var_get_relid(catalog, stmt["relation"]))
    _check_relation(session, relation, stmt)
    check_table_not_in_use(session, relation, "CREATE INDEX")
    heap = from_relation(relation)
    index_oid = define_index(session, heap, stmt, st.source_text)
    if index_oid and relation.relkind == "p" and stmt["relation"].get("inh"):
        from pgemu.commands.partition import create_partition_indexes

        create_partition_indexes(session, relation, index_oid)
    return CommandResult("CREATE INDEX")


def define_index_concurrently(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE INDEX CONCURRENTLY: one transaction makes the catalog rows of an invalid index, the
    next one builds it.  Whose rows do not obey it leaves the invalid index."""
    from pgemu.catalog.namespace import range_var_get_relid

    session.xact.prevent_in_transaction_block("CREATE INDEX CONCURRENTLY", st.top_level)
    catalog = session.catalog
    relid = range_var_get_relid(catalog, stmt["relation"])
    with session.xact.write():
        relation = catalog.relation(relid)
        _check_relation(session, relation, stmt)
        check_table_not_in_use(session, relation, "CREATE INDEX")
        oid = define_index(session, from_relation(relation), stmt, st.source_text, build=False)
    if oid:
        with session.xact.write():
            relation = catalog.relation(relid)
            rebuild_index(session, relation, next(i for i in relation.all_indexes if i.oid == oid))
    return CommandResult("CREATE INDEX")


def _check_relation(session: Any, relation: Any, stmt: dict[str, Any]) -> None:
    if relation.relkind in "iIc":
        what = "a composite type" if relation.relkind == "c" else "an index"
        raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is {what}')
    if relation.relkind not in "rmp":
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'cannot create index on relation "{relation.name}"',
            detail=not_supported_detail(relation.relkind),
        )
    check_owner(session, relation)
    check_not_system(session, relation)
    if relation.relkind == "p" and stmt.get("concurrent"):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'cannot create index on partitioned table "{relation.name}" concurrently',
        )


def not_supported_detail(relkind: str) -> str:
    """errdetail_relkind_not_supported."""
    words = {
        "r": "tables", "i": "indexes", "S": "sequences", "v": "views",
        "m": "materialized views", "c": "composite types", "f": "foreign tables",
        "p": "partitioned tables", "I": "partitioned indexes", "t": "TOAST tables",
    }  # fmt: skip
    return f"This operation is not supported for {words[relkind]}."


def _check_partitioned(session: Any, heap: HeapRef, stmt: dict[str, Any]) -> None:
    """What DefineIndex refuses on a partitioned table."""
    if stmt.get("unique") and not heap.is_new:
        refuse_foreign_partitions(session, heap.oid)


def refuse_foreign_partitions(session: Any, relid: int) -> None:
    """A unique index would say nothing about the rows of foreign tables."""
    relation = session.catalog.relation(relid)
    if any(session.catalog.relation(oid).relkind == "f" for oid in relation.all_inheritors):
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'cannot create unique index on partitioned table "{relation.name}"',
            detail=f'Table "{relation.name}" contains partitions that are foreign tables.',
        )


def _access_method(session: Any, stmt: dict[str, Any]) -> tuple[str, int]:
    name = stmt.get("accessMethod", "btree")
    row = session.catalog.one(PgAm, amname=name)
    if row is None and name == "rtree":
        session.notice(
            "NOTICE", "00000", 'substituting access method "gist" for obsolete method "rtree"'
        )
        name = "gist"
        row = session.catalog.one(PgAm, amname=name)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f'access method "{name}" does not exist')
    if row.amtype != "i":
        raise PgError(WRONG_OBJECT_TYPE, f'access method "{name}" is not of type INDEX')
    return name, row.oid


def _check_capabilities(name: str, builtin: str, stmt: dict[str, Any], count: int) -> None:
    _order, unique, multi, include = _CAPABILITIES[builtin]
    if stmt.get("unique") and not unique:
        raise PgError(
            FEATURE_NOT_SUPPORTED, f'access method "{name}" does not support unique indexes'
        )
    if stmt.get("indexIncludingParams") and not include:
        raise PgError(
            FEATURE_NOT_SUPPORTED, f'access method "{name}" does not support included columns'
        )
    if count > 1 and not multi:
        raise PgError(
            FEATURE_NOT_SUPPORTED, f'access method "{name}" does not support multicolumn indexes'
        )


def _recurses(session: Any, heap: HeapRef, stmt: dict[str, Any]) -> bool:
    """ON ONLY leaves an index without parts: invalid if there are partitions."""
    if heap.is_new or stmt["relation"].get("inh"):
        return True
    return not session.catalog.relation(heap.oid).children


def _index_elements(stmt: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(key columns, included columns)"""
    params = [p["IndexElem"] for p in stmt.get("indexParams", ())]
    includes = [p["IndexElem"] for p in stmt.get("indexIncludingParams", ())]
    if len(params) + len(includes) > INDEX_MAX_KEYS:
        raise PgError(
            TOO_MANY_COLUMNS, f"cannot use more than {INDEX_MAX_KEYS} columns in an index"
        )
    return params, includes


def define_index(
    session: Any,
    heap: HeapRef,
    stmt: dict[str, Any],
    source_text: str,
    *,
    parent_index: int = 0,
    name: str | None = None,
    build: bool = True,
) -> int:
    """DefineIndex for a plain index; its OID, 0 when IF NOT EXISTS found one.  build: else it stays
    without storage, and invalid."""
    catalog = session.catalog
    params, includes = _index_elements(stmt)
    am_name, am = _access_method(session, stmt)
    builtin = builtin_am_name(catalog, am)
    _check_capabilities(am_name, builtin, stmt, len(params))
    if heap.relkind == "p":
        _check_partitioned(session, heap, stmt)
    predicate = None
    if "whereClause" in stmt:
        predicate = _cook_predicate(session, heap, stmt["whereClause"], source_text)
    keys = [_index_key(session, heap, p, am_name, am, source_text) for p in params]
    if any(k.attnum < 0 for k in keys):
        raise PgError(FEATURE_NOT_SUPPORTED, "index creation on system columns is not supported")
    included = [_included_key(heap, p) for p in includes]
    reloptions = transform_reloptions(stmt.get("options"), builtin)
    columns = _index_column_names([*keys, *included])
    index_name = name or stmt.get("idxname")
    if index_name is None:
        index_name = choose_relation_name(
            catalog, heap.name, choose_index_name_addition(columns), "idx", heap.namespace
        )
    elif catalog.one(PgClass, relname=index_name, relnamespace=heap.namespace) is not None:
        if stmt.get("if_not_exists"):
            session.notice(
                "NOTICE", DUPLICATE_TABLE, f'relation "{index_name}" already exists, skipping'
            )
            return 0
        raise PgError(DUPLICATE_TABLE, f'relation "{index_name}" already exists')
    if heap.relkind == "p" and stmt.get("unique"):
        check_partition_key_covered(session, heap.oid, keys, "UNIQUE")
    info = IndexInfo(
        keys,
        included,
        tablespace=index_tablespace(session, stmt.get("tableSpace"), heap),
        unique=bool(stmt.get("unique")),
        nulls_not_distinct=bool(stmt.get("nulls_not_distinct")),
        am=am,
        predicate=predicate,
        valid=build and (heap.relkind != "p" or _recurses(session, heap, stmt)),
        ready=build,
        reloptions=reloptions,
        is_partitioned=heap.relkind == "p",
    )
    oid = index_create(session, heap, index_name, info, parent_index=parent_index)
    if heap.relkind != "p" and build:
        build_index(session, heap, oid, index_name, info)
    return oid


def _check_width(columns: int) -> None:
    if columns > INDEX_MAX_KEYS:
        raise PgError(
            TOO_MANY_COLUMNS, f"cannot use more than {INDEX_MAX_KEYS} columns in an index"
        )


def _cook_predicate(session: Any, heap: HeapRef, raw: Any, source_text: str) -> Any:
    from pgemu.parser.parse_coerce import coerce_to_boolean
    from pgemu.parser.parse_collate import assign_expr_collations
    from pgemu.parser.parse_expr import transform_expr

    pstate = _pstate(session, heap, source_text)
    expr = transform_expr(pstate, raw, ParseExprKind.EXPR_KIND_INDEX_PREDICATE)
    expr = coerce_to_boolean(pstate, expr, "WHERE")
    assign_expr_collations(pstate, expr)
    _refuse_system_columns(expr)
    if contain_mutable_functions(session.catalog, expr):
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            "functions in index predicate must be marked IMMUTABLE",
        )
    return expr


def _refuse_system_columns(expr: Any) -> None:
    if any(n < 0 for n in referenced_columns(expr)):
        raise PgError(FEATURE_NOT_SUPPORTED, "index creation on system columns is not supported")


def _pstate(session: Any, heap: HeapRef, source_text: str) -> Any:
    return relation_pstate(
        session.catalog, source_text, heap.oid, heap.name, heap.relkind, heap.pstate_columns()
    )


def _key_source(
    session: Any,
    heap: HeapRef,
    elem: dict[str, Any],
    source_text: str,
    what: str = "index expression",
    kind: ParseExprKind = ParseExprKind.EXPR_KIND_INDEX_EXPRESSION,
) -> IndexKey:
    """The column or expression of an index element, without class and order."""
    from pgemu.parser.parse_collate import assign_expr_collations
    from pgemu.parser.parse_expr import transform_expr

    if elem.get("name"):
        attnum = heap.attnum(elem["name"])
        if not attnum:
            if heap.is_system_column(elem["name"]):
                return _system_column_key(elem["name"])
            raise PgError(UNDEFINED_COLUMN, f'column "{elem["name"]}" does not exist')
        col = heap.columns[attnum - 1]
        return IndexKey(
            attnum, elem["name"], col.type_id, col.typmod, collation=col.collation, ndims=col.ndims
        )
    pstate = _pstate(session, heap, source_text)
    expr = transform_expr(pstate, elem["expr"], kind)
    assign_expr_collations(pstate, expr)
    bare = expr
    while isinstance(bare, CollateExpr):
        bare = bare.arg
    if isinstance(bare, Var) and bare.varattno > 0:
        col = heap.columns[bare.varattno - 1]
        return IndexKey(
            bare.varattno, col.name, col.type_id, col.typmod, collation=expr_collation(expr)
        )
    _refuse_system_columns(expr)
    if contain_mutable_functions(session.catalog, expr):
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            f"functions in {what} must be marked IMMUTABLE",
        )
    name = elem.get("indexcolname") or _expression_name(session, expr, elem["expr"])
    return IndexKey(
        0, name, expr_type(expr), expr_typmod(expr), collation=expr_collation(expr), expr=bare
    )


def _system_column_key(name: str) -> IndexKey:
    """It needs an operator class before it is refused."""
    attnum, type_id = SYSTEM_COLUMN_TYPES[name]
    return IndexKey(attnum, name, type_id, -1)


def _expression_name(session: Any, expr: Any, raw: Any) -> str:
    """FigureIndexColname."""
    from pgemu.parser.figure_colname import figure_index_colname

    name: str | None = figure_index_colname(raw)
    if name is None and isinstance(expr, FuncExpr):
        return "expr"
    return name or "expr"


def _index_key(
    session: Any, heap: HeapRef, elem: dict[str, Any], am_name: str, am: int, source_text: str
) -> IndexKey:
    catalog = session.catalog
    key = _key_source(session, heap, elem, source_text)
    if elem.get("collation"):
        from pgemu.catalog.namespace import get_collation_oid

        key.collation = get_collation_oid(catalog, elem["collation"])
    collatable = bool(_typcollation(catalog, key.type_id))
    if collatable and not key.collation:
        raise PgError(
            INDETERMINATE_COLLATION,
            "could not determine which collation to use for index expression",
            hint="Use the COLLATE clause to set the collation explicitly.",
        )
    if not collatable and key.collation:
        raise PgError(
            "42804", f"collations are not supported by type {catalog.type_name(key.type_id)}"
        )
    key.opclass = resolve_opclass(catalog, elem.get("opclass"), key.type_id, am_name, am)
    opclass = catalog.get(PgOpclass, oid=key.opclass).opcname
    if opclass.endswith("_pattern_ops") and is_nondeterministic(catalog, key.collation):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'nondeterministic collations are not supported for operator class "{opclass}"',
        )
    if key.expr is not None:
        check_attribute_type(catalog, key.name, key.type_id, key.collation)
    builtin = builtin_am_name(catalog, am)
    key.options = transform_opclass_options(catalog, elem.get("opclassopts"), key.opclass, builtin)
    ordering = elem.get("ordering", "SORTBY_DEFAULT")
    nulls = elem.get("nulls_ordering", "SORTBY_NULLS_DEFAULT")
    if _CAPABILITIES[builtin][0]:
        key.descending = ordering == "SORTBY_DESC"
        if nulls == "SORTBY_NULLS_DEFAULT":
            key.nulls_first = key.descending
        else:
            key.nulls_first = nulls == "SORTBY_NULLS_FIRST"
        return key
    if ordering not in ("SORTBY_DEFAULT",):
        raise PgError(
            FEATURE_NOT_SUPPORTED, f'access method "{am_name}" does not support ASC/DESC options'
        )
    if nulls != "SORTBY_NULLS_DEFAULT":
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'access method "{am_name}" does not support NULLS FIRST/LAST options',
        )
    return key


def _typcollation(catalog: Any, type_id: int) -> int:
    from pgemu.catalog.rows import PgType

    row = catalog.one(PgType, oid=type_id)
    return int(row.typcollation) if row is not None else 0


def _included_key(heap: HeapRef, elem: dict[str, Any]) -> IndexKey:
    if not elem.get("name"):
        raise PgError(FEATURE_NOT_SUPPORTED, "expressions are not supported in included columns")
    attnum = heap.attnum(elem["name"])
    if not attnum:
        raise PgError(UNDEFINED_COLUMN, f'column "{elem["name"]}" does not exist')
    for clause, message in (
        ("collation", "including column does not support a collation"),
        ("opclass", "including column does not support an operator class"),
    ):
        if elem.get(clause):
            raise PgError(INVALID_OBJECT_DEFINITION, message)
    if elem.get("ordering", "SORTBY_DEFAULT") != "SORTBY_DEFAULT":
        raise PgError(
            INVALID_OBJECT_DEFINITION, "including column does not support ASC/DESC options"
        )
    if elem.get("nulls_ordering", "SORTBY_NULLS_DEFAULT") != "SORTBY_NULLS_DEFAULT":
        raise PgError(
            INVALID_OBJECT_DEFINITION, "including column does not support NULLS FIRST/LAST options"
        )
    col = heap.columns[attnum - 1]
    return IndexKey(attnum, col.name, col.type_id, col.typmod, ndims=col.ndims)


def _index_column_names(keys: list[IndexKey]) -> list[str]:
    """ChooseIndexColumnNames: repeated names get numbers; they are the index's column names."""
    names: list[str] = []
    for key in keys:
        name, number = key.name, 0
        while name in names:
            number += 1
            suffix = str(number)
            name = key.name.encode()[: 63 - len(suffix)].decode(errors="ignore") + suffix
        names.append(name)
        key.name = name
    return names


def check_partition_key_covered(session: Any, relid: int, keys: list[IndexKey], word: str) -> None:
    """A unique index of a partitioned table must have all partition columns in it.  word:
    PRIMARY KEY or UNIQUE."""
    from pgemu.catalog.rows import PgPartitionedTable

    catalog = session.catalog
    row = catalog.one(PgPartitionedTable, partrelid=relid)
    relation = catalog.relation(relid)
    for attnum in row.partattrs:
        if attnum == 0:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f"unsupported {word} constraint with partition key definition",
                detail=f"{word} constraints cannot be used when partition keys include "
                "expressions.",
            )
        if attnum not in [k.attnum for k in keys]:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "unique constraint on partitioned table must include all partitioning columns",
                detail=f'{word} constraint on table "{relation.name}" lacks column '
                f'"{relation.attrs[attnum - 1].attname}" which is part of the partition key.',
            )


def index_info_of(catalog: Any, index: Any) -> IndexInfo:
    """The IndexInfo of an existing index (relcache IndexInfo), to build it again or elsewhere."""
    row = index.index
    attributes = catalog.relation(index.oid).attrs
    heap = catalog.relation(row.indrelid)
    exprs = iter(index.exprs)
    keys = []
    for i, attnum in enumerate(row.indkey):
        att = attributes[i]
        expr: Any = next(exprs) if attnum == 0 else None
        # the index's own column has the type that the operator class stores
        source = heap.attr(attnum) if expr is None else None
        is_key = i < row.indnkeyatts
        option = row.indoption[i] if is_key else 0
        keys.append(
            IndexKey(
                attnum,
                att.attname,
                expr_type(expr) if source is None else source.atttypid,
                expr_typmod(expr) if source is None else source.atttypmod,
                collation=row.indcollation[i] if is_key else 0,
                opclass=row.indclass[i] if is_key else 0,
                descending=bool(option & 1),
                nulls_first=bool(option & 2),
                expr=expr,
                options=att.attoptions,
            )
        )
    return IndexInfo(
        keys[: row.indnkeyatts],
        keys[row.indnkeyatts :],
        unique=row.indisunique,
        nulls_not_distinct=row.indnullsnotdistinct,
        primary=row.indisprimary,
        exclusion=row.indisexclusion,
        immediate=row.indimmediate,
        am=index.pg_class.relam or BTREE_AM_OID,
        predicate=index.pred,
        reloptions=index.pg_class.reloptions,
        is_partitioned=index.pg_class.relkind == "I",
        tablespace=index.pg_class.reltablespace,
    )


def rebuild_index(session: Any, relation: Any, index: Any) -> None:
    """Build an index anew under a new relfilenode; the old one goes at commit."""
    catalog = session.catalog
    if index.pg_class.relkind == "I":
        return
    info = index_info_of(catalog, index)
    new = catalog.new_oid()
    build_index(session, from_relation(relation), new, index.name, info)
    if index.index.indisready:
        session.xact.drop_index(f"main.i{index.relfilenode}")
    catalog.update(PgClass, {"oid": index.oid}, relfilenode=new)
    if not index.index.indisvalid:
        catalog.update(PgIndex, {"indexrelid": index.oid}, indisvalid=True, indisready=True)


def index_children(catalog: Any, oid: int) -> list[int]:
    """The partitions' indexes of a partitioned index."""
    return [r.inhrelid for r in catalog.all(PgInherits, inhparent=oid)]
