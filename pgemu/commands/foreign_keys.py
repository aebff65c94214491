"""FOREIGN KEY constraints (ATAddForeignKeyConstraint of tablecmds.c): matching the key with a
unique index, finding the operators, the pg_constraint row and its triggers.

The executor reads the constraint; the trigger rows are for those who look at pg_trigger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pgemu.catalog.acl import ACL_REFERENCES, pg_attribute_aclcheck, pg_class_aclcheck
from pgemu.catalog.heap import depend, insert_rows
from pgemu.catalog.pg_constraint import (
    choose_constraint_name,
    constraint_name_is_used,
    constraint_row,
)
from pgemu.catalog.pg_type_create import proc_oid
from pgemu.catalog.roles import BOOTSTRAP_SUPERUSERID
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_CONSTRAINT_RELID,
    PG_TRIGGER_RELID,
    PgClass,
    PgCollation,
    PgConstraint,
    PgNamespace,
    PgOpclass,
    PgTrigger,
)
from pgemu.commands.constraint_cmds import choose_index_name_addition
from pgemu.commands.ddl_messages import debug1
from pgemu.commands.define import strings
from pgemu.commands.heap_ref import HeapRef, from_relation
from pgemu.commands.opclass_lookup import (
    BT_EQUAL_STRATEGY,
    get_base_type,
    is_pseudo_key_type,
    opfamily_member,
)
from pgemu.commands.permissions import aclcheck_error
from pgemu.errors import (
    DATATYPE_MISMATCH,
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    FOREIGN_KEY_VIOLATION,
    INSUFFICIENT_PRIVILEGE,
    INVALID_COLUMN_REFERENCE,
    INVALID_FOREIGN_KEY,
    INVALID_TABLE_DEFINITION,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    UNDEFINED_COLUMN,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)

_DELETE_FUNCTIONS = {
    "a": "RI_FKey_noaction_del", "r": "RI_FKey_restrict_del", "c": "RI_FKey_cascade_del",
    "n": "RI_FKey_setnull_del", "d": "RI_FKey_setdefault_del",
}  # fmt: skip
_UPDATE_FUNCTIONS = {
    "a": "RI_FKey_noaction_upd", "r": "RI_FKey_restrict_upd", "c": "RI_FKey_cascade_upd",
    "n": "RI_FKey_setnull_upd", "d": "RI_FKey_setdefault_upd",
}  # fmt: skip
TRIGGER_ROW, TRIGGER_INSERT, TRIGGER_DELETE, TRIGGER_UPDATE = 1, 4, 8, 16


@dataclass(slots=True)
class _Key:
    """One side's columns and, of the referenced side, its unique index."""

    attnums: list[int]
    types: list[int]
    index_oid: int = 0
    opclasses: tuple[int, ...] = ()


def add_foreign_key(
    session: Any,
    heap: HeapRef,
    con: dict[str, Any],
    *,
    validate: bool = True,
    recurse: bool = True,
) -> int:
    """Make the constraint of raw node `con` on `heap`; returns its OID.  Existing rows are checked
    unless the table is new, NOT VALID was given or validate is False."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    pk_relid = range_var_get_relid(catalog, con["pktable"])
    pk = heap if pk_relid == heap.oid else from_relation(catalog.relation(pk_relid))
    if heap.relkind == "p":
        _check_partitioned(heap, pk, con, recurse)
    _check_referenced_table(session, heap, pk, con)
    fk_names = strings(con.get("fk_attrs"))
    fk_key = _attributes(heap, fk_names)
    set_cols = _delete_set_columns(heap, fk_key, strings(con.get("fk_del_set_cols")))
    pk_key = _referenced_key(session, pk, con)
    _check_permissions(session, pk, pk_key.attnums)
    if len(fk_key.attnums) != len(pk_key.attnums):
        raise PgError(
            INVALID_FOREIGN_KEY,
            "number of referencing and referenced columns for foreign key disagree",
        )
    name = con.get("conname")
    if name is None:
        name = choose_constraint_name(
            catalog,
            heap.name,
            choose_index_name_addition(fk_names),
            "fkey",
            heap.namespace,
            heap.constraint_names,
        )
    elif name in heap.constraint_names or constraint_name_is_used(catalog, heap.oid, name):
        raise PgError(
            DUPLICATE_OBJECT,
            f'constraint "{name}" for relation "{heap.name}" already exists',
        )
    heap.constraint_names.add(name)
    operators = [
        _operators(session, name, heap, fk_key, pk, pk_key, i) for i in range(len(fk_key.attnums))
    ]
    oid = _create_rows(session, heap, pk, name, con, fk_key, pk_key, operators, set_cols)
    validate = validate and not heap.is_new and not con.get("skip_validation")
    if validate and heap.relkind != "p":
        validate_foreign_key(session, oid)
    if "p" in (heap.relkind, pk.relkind):
        from pgemu.commands.foreign_key_partitions import clone_to_partitions

        clone_to_partitions(session, oid, validate=validate)
    return oid


def _check_permissions(session: Any, pk: HeapRef, attnums: Sequence[int]) -> None:
    """checkFkeyPermissions: REFERENCES on the referenced table, or on each of the columns."""
    catalog = session.catalog
    if pg_class_aclcheck(catalog, pk.oid, ACL_REFERENCES):
        return
    if not all(pg_attribute_aclcheck(catalog, pk.oid, n, ACL_REFERENCES) for n in attnums):
        aclcheck_error("table", pk.name)


def _check_partitioned(heap: HeapRef, pk: HeapRef, con: dict[str, Any], recurse: bool) -> None:
    """What the foreign key of a partitioned table cannot be."""
    if not recurse:
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'cannot use ONLY for foreign key on partitioned table "{heap.name}" referencing '
            f'relation "{pk.name}"',
        )
    if con.get("skip_validation") and not con.get("initially_valid"):
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'cannot add NOT VALID foreign key on partitioned table "{heap.name}" referencing '
            f'relation "{pk.name}"',
            detail="This feature is not yet supported on partitioned tables.",
        )


def _check_referenced_table(session: Any, heap: HeapRef, pk: HeapRef, con: dict[str, Any]) -> None:
    if pk.relkind not in "rp":
        raise PgError(WRONG_OBJECT_TYPE, f'referenced relation "{pk.name}" is not a table')
    if pk.oid < 16384 and pk.oid != heap.oid:
        raise PgError(INSUFFICIENT_PRIVILEGE, f'permission denied: "{pk.name}" is a system catalog')
    problems = {
        ("p", "u"): "constraints on permanent tables may reference only permanent tables",
        ("p", "t"): "constraints on permanent tables may reference only permanent tables",
        (
            "u",
            "t",
        ): "constraints on unlogged tables may reference only permanent or unlogged tables",
        ("t", "p"): "constraints on temporary tables may reference only temporary tables",
        ("t", "u"): "constraints on temporary tables may reference only temporary tables",
    }
    problem = problems.get((heap.persistence, pk.persistence))
    if problem:
        raise PgError(INVALID_TABLE_DEFINITION, problem)
    for name in strings(con.get("fk_attrs")):
        attnum = heap.attnum(name)
        col = heap.columns[attnum - 1] if attnum else None
        if col is not None and col.generated:
            for action, word in (("fk_upd_action", "UPDATE"), ("fk_del_action", "DELETE")):
                code = con.get(action, "a")
                if code in "nd" or (word == "UPDATE" and code == "c"):
                    raise PgError(
                        "42601",
                        f"invalid ON {word} action for foreign key constraint containing "
                        "generated column",
                    )


def _attributes(heap: HeapRef, names: list[str]) -> _Key:
    attnums, types = [], []
    for name in names:
        attnum = heap.attnum(name)
        if not attnum:
            if heap.is_system_column(name):
                raise PgError(
                    FEATURE_NOT_SUPPORTED, "system columns cannot be used in foreign keys"
                )
            raise PgError(
                UNDEFINED_COLUMN,
                f'column "{name}" referenced in foreign key constraint does not exist',
            )
        attnums.append(attnum)
        types.append(heap.columns[attnum - 1].type_id)
    return _Key(attnums, types)


def _delete_set_columns(heap: HeapRef, fk_key: _Key, names: list[str]) -> tuple[int, ...] | None:
    result = []
    for attnum, name in zip(_attributes(heap, names).attnums, names, strict=True):
        if attnum not in fk_key.attnums:
            raise PgError(
                INVALID_COLUMN_REFERENCE,
                f'column "{name}" referenced in ON DELETE SET action must be part of foreign key',
            )
        result.append(attnum)
    return tuple(result) or None


def _index_rows(session: Any, pk: HeapRef) -> list[Any]:
    from pgemu.catalog.rows import PgIndex

    rows = [i for i in session.catalog.all(PgIndex, indrelid=pk.oid) if i.indislive]
    return sorted(rows, key=lambda i: i.indexrelid)


def _referenced_key(session: Any, pk: HeapRef, con: dict[str, Any]) -> _Key:
    names = strings(con.get("pk_attrs"))
    rows = _index_rows(session, pk)
    if not names:
        row = next((i for i in rows if i.indisprimary and i.indisvalid), None)
        if row is None:
            raise PgError(
                UNDEFINED_OBJECT, f'there is no primary key for referenced table "{pk.name}"'
            )
        if not row.indimmediate:
            raise PgError(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                f'cannot use a deferrable primary key for referenced table "{pk.name}"',
            )
        attnums = list(row.indkey[: row.indnkeyatts])
        types = [pk.columns[n - 1].type_id for n in attnums]
        return _Key(attnums, types, row.indexrelid, tuple(row.indclass))
    key = _attributes(pk, names)
    if len(set(key.attnums)) != len(key.attnums):
        raise PgError(
            INVALID_FOREIGN_KEY,
            "foreign key referenced-columns list must not contain duplicates",
        )
    deferrable = False
    for row in rows:
        if not row.indisunique or row.indexprs is not None or row.indpred is not None:
            continue
        index_key = list(row.indkey[: row.indnkeyatts])
        if sorted(index_key) != sorted(key.attnums) or not row.indisvalid:
            continue
        if not row.indimmediate:
            deferrable = True
            continue
        key.index_oid = row.indexrelid
        key.opclasses = tuple(row.indclass[index_key.index(n)] for n in key.attnums)
        return key
    if deferrable:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f'cannot use a deferrable unique constraint for referenced table "{pk.name}"',
        )
    raise PgError(
        INVALID_FOREIGN_KEY,
        f'there is no unique constraint matching given keys for referenced table "{pk.name}"',
    )


def _operators(
    session: Any, name: str, fk: HeapRef, fk_key: _Key, pk: HeapRef, pk_key: _Key, i: int
) -> tuple[int, int, int]:
    """(pk = fk, pk = pk, fk = fk) operator OIDs of column pair i."""
    catalog = session.catalog
    opclass = catalog.one(PgOpclass, oid=pk_key.opclasses[i])
    family, intype = opclass.opcfamily, opclass.opcintype
    pp = opfamily_member(catalog, family, intype, intype, BT_EQUAL_STRATEGY)
    fk_type = get_base_type(catalog, fk_key.types[i])
    pk_type = pk_key.types[i]
    pf = opfamily_member(catalog, family, intype, fk_type, BT_EQUAL_STRATEGY)
    ff = opfamily_member(catalog, family, fk_type, fk_type, BT_EQUAL_STRATEGY) if pf else 0
    if not (pf and ff) and _can_coerce(catalog, fk_type, pk_type, intype):
        pf = ff = pp
    if not (pf and ff):
        fk_name = fk.columns[fk_key.attnums[i] - 1].name
        pk_name = pk.columns[pk_key.attnums[i] - 1].name
        raise PgError(
            DATATYPE_MISMATCH,
            f'foreign key constraint "{name}" cannot be implemented',
            detail=f'Key columns "{fk_name}" and "{pk_name}" are of incompatible types: '
            f"{catalog.type_name(fk_key.types[i])} and {catalog.type_name(pk_type)}.",
        )
    return pf, pp, ff


def _can_coerce(catalog: Any, fk_type: int, pk_type: int, intype: int) -> bool:
    if fk_type == get_base_type(catalog, pk_type):
        return True
    if is_pseudo_key_type(intype):
        return False
    from pgemu.parser.parse_coerce import can_coerce_type

    return bool(can_coerce_type(catalog, [fk_type], [intype], "implicit"))


def _create_rows(
    session: Any,
    fk: HeapRef,
    pk: HeapRef,
    name: str,
    con: dict[str, Any],
    fk_key: _Key,
    pk_key: _Key,
    operators: list[tuple[int, int, int]],
    set_cols: tuple[int, ...] | None,
) -> int:
    catalog = session.catalog
    oid = catalog.new_oid()
    me = (PG_CONSTRAINT_RELID, oid, 0)
    upd, dele = con.get("fk_upd_action", "a"), con.get("fk_del_action", "a")
    valid = not con.get("skip_validation") or fk.is_new
    row = constraint_row(
            oid, name, fk.namespace, "f",
            conrelid=fk.oid, conindid=pk_key.index_oid, confrelid=pk.oid,
            conkey=tuple(fk_key.attnums), confkey=tuple(pk_key.attnums),
            confupdtype=upd, confdeltype=dele, confmatchtype=con.get("fk_matchtype", "s"),
            conpfeqop=tuple(o[0] for o in operators), conppeqop=tuple(o[1] for o in operators),
            conffeqop=tuple(o[2] for o in operators), confdelsetcols=set_cols,
            condeferrable=bool(con.get("deferrable")),
            condeferred=bool(con.get("initdeferred")), convalidated=valid,
            connoinherit=fk.relkind != "p",
        )  # fmt: skip
    rows: list[Any] = [row]
    rows.extend(depend(me, (PG_CLASS_RELID, fk.oid, n), "a") for n in fk_key.attnums)
    rows.append(depend(me, (PG_CLASS_RELID, pk_key.index_oid, 0), "n"))
    rows.extend(depend(me, (PG_CLASS_RELID, pk.oid, n), "n") for n in pk_key.attnums)
    rows.extend(action_trigger_rows(session, row))
    rows.extend(check_trigger_rows(session, row))
    insert_rows(catalog, rows)
    for relid in {fk.oid, pk.oid}:
        row = catalog.one(PgClass, oid=relid)
        if not row.relhastriggers:
            catalog.update(PgClass, {"oid": relid}, relhastriggers=True)
    return int(oid)


def action_trigger_rows(session: Any, con: PgConstraint) -> list[Any]:
    """createForeignKeyActionTriggers: on the referenced table."""
    upd, dele = con.confupdtype, con.confdeltype
    return [
        *_trigger(
            session, con, _DELETE_FUNCTIONS[dele], TRIGGER_DELETE, dele == "a", on_referenced=True
        ),
        *_trigger(
            session, con, _UPDATE_FUNCTIONS[upd], TRIGGER_UPDATE, upd == "a", on_referenced=True
        ),
    ]


def check_trigger_rows(session: Any, con: PgConstraint) -> list[Any]:
    """createForeignKeyCheckTriggers: on the referencing table."""
    return [
        *_trigger(session, con, "RI_FKey_check_ins", TRIGGER_INSERT, True, on_referenced=False),
        *_trigger(session, con, "RI_FKey_check_upd", TRIGGER_UPDATE, True, on_referenced=False),
    ]


def _trigger(
    session: Any,
    con: PgConstraint,
    function: str,
    event: int,
    may_defer: bool,
    *,
    on_referenced: bool,
) -> list[Any]:
    """A pg_trigger row and its dependency."""
    catalog = session.catalog
    oid = catalog.new_oid()
    sides = (con.confrelid, con.conrelid) if on_referenced else (con.conrelid, con.confrelid)
    row = PgTrigger(
        oid=oid,
        tgrelid=sides[0],
        tgparentid=0,
        tgname=f"RI_ConstraintTrigger_{'a' if on_referenced else 'c'}_{oid}",
        tgfoid=proc_oid(catalog, function),
        tgtype=TRIGGER_ROW | event,
        tgenabled="O",
        tgisinternal=True,
        tgconstrrelid=sides[1],
        tgconstrindid=con.conindid,
        tgconstraint=con.oid,
        tgdeferrable=con.condeferrable and may_defer,
        tginitdeferred=con.condeferred and may_defer,
        tgnargs=0,
        tgattr=(),
        tgargs=b"",
    )
    me = (PG_TRIGGER_RELID, oid, 0)
    return [row, depend(me, (PG_CONSTRAINT_RELID, con.oid, 0), "i")]


def _collate_like(catalog: Any, pk: Any, fk: Any) -> str:
    """COLLATE for the referencing column when the referenced one's collation is another."""
    from pgemu.catalog.keywords import quote_qualified_identifier

    if not pk.attcollation or pk.attcollation == fk.attcollation:
        return ""
    row = catalog.one(PgCollation, oid=pk.attcollation)
    schema = catalog.one(PgNamespace, oid=row.collnamespace).nspname
    return f" COLLATE {quote_qualified_identifier(schema, row.collname)}"


def validate_foreign_key(session: Any, oid: int) -> None:
    """Look for a row without its parent (RI_Initial_Check); 23503."""
    from pgemu.catalog.keywords import quote_identifier, quote_qualified_identifier

    catalog = session.catalog
    con = catalog.one(PgConstraint, oid=oid)
    debug1(session, f'validating foreign key constraint "{con.conname}"')
    fk, pk = catalog.relation(con.conrelid), catalog.relation(con.confrelid)
    fk_cols = [quote_identifier(fk.attrs[n - 1].attname) for n in con.conkey]
    pk_cols = [quote_identifier(pk.attrs[n - 1].attname) for n in con.confkey]
    join = " AND ".join(
        f"pk.{p} OPERATOR({_operator_name(catalog, op)}) fk.{f}"
        + _collate_like(catalog, pk.attrs[pn - 1], fk.attrs[fn - 1])
        for p, f, op, pn, fn in zip(
            pk_cols, fk_cols, con.conpfeqop, con.confkey, con.conkey, strict=True
        )
    )
    glue = " AND " if con.confmatchtype != "f" else " OR "
    not_null = glue.join(f"fk.{c} IS NOT NULL" for c in fk_cols)
    fk_table = quote_qualified_identifier(fk.schema_name, fk.name)
    pk_table = quote_qualified_identifier(pk.schema_name, pk.name)
    only_fk = "" if fk.relkind == "p" else "ONLY "
    only_pk = "" if pk.relkind == "p" else "ONLY "
    me = session.ctx.current_user_oid
    session.set_current_user(
        BOOTSTRAP_SUPERUSERID
    )  # who may not read the tables may constrain them
    try:
        found = session.query(
            f"SELECT {', '.join('fk.' + c for c in fk_cols)} FROM {only_fk}{fk_table} fk "
            f"LEFT OUTER JOIN {only_pk}{pk_table} pk ON ({join}) "
            f"WHERE pk.{pk_cols[0]} IS NULL AND ({not_null}) LIMIT 1"
        )
    finally:
        session.set_current_user(me)
    if not found:
        return
    values = found[0]
    message = (
        f'insert or update on table "{fk.name}" violates foreign key constraint "{con.conname}"'
    )
    if con.confmatchtype == "f" and any(v is None for v in values):
        detail = "MATCH FULL does not allow mixing of null and nonnull key values."
    else:
        shown = ", ".join(
            "null"
            if v is None
            else catalog.types.io(fk.attrs[n - 1].atttypid).output(v, session.ctx)
            for v, n in zip(values, con.conkey, strict=True)
        )
        names = ", ".join(fk.attrs[n - 1].attname for n in con.conkey)
        detail = f'Key ({names})=({shown}) is not present in table "{pk.name}".'
    raise PgError(
        FOREIGN_KEY_VIOLATION,
        message,
        detail=detail,
        schema=fk.schema_name,
        table=fk.name,
        constraint=con.conname,
    )


def _operator_name(catalog: Any, oid: int) -> str:
    from pgemu.catalog.keywords import quote_identifier
    from pgemu.catalog.rows import PgNamespace, PgOperator

    row = catalog.one(PgOperator, oid=oid)
    namespace = catalog.one(PgNamespace, oid=row.oprnamespace)
    return f"{quote_identifier(namespace.nspname)}.{row.oprname}"
