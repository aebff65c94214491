"""EXCLUDE constraints (index_constraint_create for contype x): catalog rows; the executor checks
them set-wise.  The index behind one is never built in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgemu.catalog.format_type import format_operator
from pgemu.catalog.heap import depend, insert_rows
from pgemu.catalog.index import IndexInfo, IndexKey, builtin_am_name, index_create
from pgemu.catalog.lsyscache import get_op_opfamily_strategy
from pgemu.catalog.pg_constraint import choose_relation_name, constraint_row
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_CONSTRAINT_RELID,
    PgOpclass,
    PgOperator,
    PgOpfamily,
)
from pgemu.commands.ddl_messages import implicit_index, index_built
from pgemu.commands.define import list_items, strings
from pgemu.commands.heap_ref import HeapRef
from pgemu.commands.recheck_triggers import recheck_trigger_rows
from pgemu.commands.reloptions import transform_reloptions
from pgemu.commands.tablespace import index_tablespace
from pgemu.errors import (
    EXCLUSION_VIOLATION,
    FEATURE_NOT_SUPPORTED,
    UNDEFINED_COLUMN,
    UNDEFINED_FUNCTION,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.parser.parse_node import make_parsestate
from pgemu.parser.parse_oper import compatible_oper_opid


def add_exclusion_constraint(
    session: Any, heap: HeapRef, con: dict[str, Any], source_text: str = ""
) -> tuple[int, int]:
    """Make the constraint and its index; (constraint OID, index OID)."""
    from pgemu.commands.constraint_cmds import (
        choose_index_name_addition,
        exclusion_am,
        index_key_of_column,
    )
    from pgemu.commands.indexcmds import (
        _check_capabilities,
        _cook_predicate,
        _index_column_names,
    )

    catalog = session.catalog
    am, am_name = exclusion_am(session, con)
    if am_name in ("gin", "brin"):  # no amgettuple
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'access method "{am_name}" does not support exclusion constraints',
        )
    keys, operators = _keys_and_operators(session, heap, con, am_name, am, source_text)
    builtin = builtin_am_name(catalog, am)
    statement = {"indexIncludingParams": con.get("including")}
    _check_capabilities(am_name, builtin, statement, len(keys))
    included = [
        index_key_of_column(session, heap, n, am, am_name, included=True)
        for n in strings(con.get("including"))
    ]
    columns = _index_column_names([*keys, *included])
    name = con.get("conname") or choose_relation_name(
        catalog, heap.name, choose_index_name_addition(columns), "excl", heap.namespace,
        is_constraint=True,
    )  # fmt: skip
    predicate = None
    if con.get("where_clause") is not None:
        predicate = _cook_predicate(session, heap, con["where_clause"], source_text)
    info = IndexInfo(
        keys, included, exclusion=True, immediate=not con.get("deferrable"), am=am,
        predicate=predicate,
        tablespace=index_tablespace(session, con.get("indexspace"), heap),
        reloptions=transform_reloptions(con.get("options"), builtin),
    )  # fmt: skip
    return create_exclusion(session, heap, name, info, con, tuple(operators))


def _keys_and_operators(
    session: Any, heap: HeapRef, con: dict[str, Any], am_name: str, am: int, source_text: str
) -> tuple[list[IndexKey], list[int]]:
    from pgemu.commands.indexcmds import _index_key

    keys: list[IndexKey] = []
    operators: list[int] = []
    for node in con.get("exclusions", ()):
        elem, names = list_items(node)
        column = elem["IndexElem"].get("name")
        if column and not heap.attnum(column) and not heap.is_system_column(column):
            raise PgError(UNDEFINED_COLUMN, f'column "{column}" named in key does not exist')
        if column and heap.is_system_column(column):
            raise PgError(
                FEATURE_NOT_SUPPORTED, "index creation on system columns is not supported"
            )
        key = _index_key(session, heap, elem["IndexElem"], am_name, am, source_text)
        words = strings(list_items(names))
        oid = exclusion_operator(session.catalog, words, key.type_id)
        _check_family(session.catalog, oid, key.opclass)
        keys.append(key)
        operators.append(oid)
    return keys, operators


def exclusion_operator(catalog: Any, words: Sequence[str], type_id: int) -> int:
    """The operator of one column of a constraint."""
    pstate = make_parsestate(None, catalog)
    oid: int = compatible_oper_opid(pstate, list(words), type_id, type_id, True)
    if not oid:
        shown = catalog.type_name(type_id)
        raise PgError(
            UNDEFINED_FUNCTION,
            f"operator does not exist: {shown} {'.'.join(words)} {shown}",
            hint="No operator matches the given name and argument types. "
            "You might need to add explicit type casts.",
        )
    row = catalog.one(PgOperator, oid=oid)
    if row.oprcom != oid:
        raise PgError(
            WRONG_OBJECT_TYPE,
            f"operator {row.oprname}({catalog.type_name(row.oprleft)},"
            f"{catalog.type_name(row.oprright)}) is not commutative",
            detail="Only commutative operators can be used in exclusion constraints.",
        )
    return oid


def _check_family(catalog: Any, operator: int, opclass: int) -> None:
    """The access method must know the operator as one of the operator class's family."""
    family = catalog.get(PgOpfamily, oid=catalog.get(PgOpclass, oid=opclass).opcfamily)
    if get_op_opfamily_strategy(catalog, operator, family.oid):
        return
    raise PgError(
        WRONG_OBJECT_TYPE,
        f"operator {format_operator(catalog, operator)} is not a member of operator family "
        f'"{family.opfname}"',
        detail="The exclusion operator must be related to the index operator class for the "
        "constraint.",
    )


def create_exclusion(
    session: Any,
    heap: HeapRef,
    name: str,
    info: IndexInfo,
    con: dict[str, Any],
    operators: tuple[int, ...],
) -> tuple[int, int]:
    """The rows of the constraint and of its index; (constraint OID, index OID)."""
    catalog = session.catalog
    implicit_index(session, heap, name, "x")
    constraint = catalog.new_oid()
    index = index_create(session, heap, name, info, constraint_oid=constraint)
    attnums, me = tuple(k.attnum for k in info.keys), (PG_CONSTRAINT_RELID, constraint, 0)
    rows: list[Any] = [
        constraint_row(
            constraint, name, heap.namespace, "x",
            conrelid=heap.oid, conindid=index, conkey=attnums, conexclop=operators,
            condeferrable=bool(con.get("deferrable")), condeferred=bool(con.get("initdeferred")),
        )
    ]  # fmt: skip
    columns = dict.fromkeys((*attnums, *(k.attnum for k in info.included)))
    rows.extend(recheck_trigger_rows(session, rows[0]))
    rows.extend(depend(me, (PG_CLASS_RELID, heap.oid, n), "a") for n in columns if n)
    insert_rows(catalog, rows)
    heap.constraint_names.add(name)
    index_built(session, heap, name, info)
    if not heap.is_new and heap.relkind == "r":
        check_existing_rows(session, heap, name, index)
    return int(constraint), index


def check_existing_rows(session: Any, heap: HeapRef, name: str, index_oid: int) -> None:
    """23P01 for two rows that the new constraint forbids to be together."""
    from pgemu.executor.conflicts import key_condition
    from pgemu.executor.constraints import index_key, key_text

    relation = session.catalog.relation(heap.oid)
    index = next(i for i in relation.indexes if i.oid == index_oid)
    sides = ", ".join(f"{s}.c{a.attnum}" for s in "nt" for a in relation.attrs)
    found = session.xact.execute(
        f"SELECT {sides} FROM {relation.sqlite_name} AS n CROSS JOIN {relation.sqlite_name} AS t "
        f"WHERE t.rid<>n.rid AND {key_condition(session, relation, index)} "
        "ORDER BY n.rid, t.rid LIMIT 1"
    )
    if not found:
        return
    width = len(relation.attrs)
    new, old = (
        key_text(session, index_key(session, relation, index, row))
        for row in (found[0][:width], found[0][width:])
    )
    raise PgError(
        EXCLUSION_VIOLATION,
        f'could not create exclusion constraint "{name}"',
        detail=f"Key {new} conflicts with key {old}.",
        schema=heap.schema_name,
        table=heap.name,
        constraint=name,
    )
