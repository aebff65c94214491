"""RENAME of everything (PostgreSQL's alter.c, renameatt and RenameRelation of tablecmds.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog import rows as r
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.roles import superuser
from pgemu.commands.name_conflict import check_name_is_free
from pgemu.commands.ownership import KINDS, check_object_ownership
from pgemu.commands.permissions import check_not_system, check_owner
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.row_type_uses import typed_tables
from pgemu.commands.trigger_clone import rename_trigger
from pgemu.commands.typecmds import refuse_array_type
from pgemu.errors import (
    DUPLICATE_COLUMN,
    DUPLICATE_DATABASE,
    DUPLICATE_OBJECT,
    DUPLICATE_SCHEMA,
    DUPLICATE_TABLE,
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_OBJECT_DEFINITION,
    INVALID_TABLE_DEFINITION,
    RESERVED_NAME,
    UNDEFINED_COLUMN,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)

_RELATION_TYPES = {
    "OBJECT_TABLE": ("TABLE", "rpSvmfiIc", "a table"),
    "OBJECT_SEQUENCE": ("SEQUENCE", "S", "a sequence"),
    "OBJECT_VIEW": ("VIEW", "v", "a view"),
    "OBJECT_MATVIEW": ("MATERIALIZED VIEW", "m", "a materialized view"),
    "OBJECT_INDEX": ("INDEX", "iI", "an index"),
    "OBJECT_FOREIGN_TABLE": ("FOREIGN TABLE", "f", "a foreign table"),
}
_TAGS = {
    "OBJECT_SCHEMA": "SCHEMA", "OBJECT_DATABASE": "DATABASE", "OBJECT_ROLE": "ROLE",
    "OBJECT_TYPE": "TYPE", "OBJECT_DOMAIN": "DOMAIN", "OBJECT_DOMCONSTRAINT": "DOMAIN",
    "OBJECT_FUNCTION": "FUNCTION", "OBJECT_PROCEDURE": "PROCEDURE", "OBJECT_ROUTINE": "ROUTINE",
    "OBJECT_AGGREGATE": "AGGREGATE", "OBJECT_TRIGGER": "TRIGGER", "OBJECT_POLICY": "POLICY",
    "OBJECT_RULE": "RULE", "OBJECT_COLLATION": "COLLATION", "OBJECT_CONVERSION": "CONVERSION",
    "OBJECT_LANGUAGE": "LANGUAGE", "OBJECT_OPCLASS": "OPERATOR CLASS",
    "OBJECT_OPFAMILY": "OPERATOR FAMILY", "OBJECT_STATISTIC_EXT": "STATISTICS",
    "OBJECT_TSPARSER": "TEXT SEARCH PARSER", "OBJECT_TSDICTIONARY": "TEXT SEARCH DICTIONARY",
    "OBJECT_TSTEMPLATE": "TEXT SEARCH TEMPLATE", "OBJECT_PUBLICATION": "PUBLICATION",
    "OBJECT_TSCONFIGURATION": "TEXT SEARCH CONFIGURATION",
    "OBJECT_FDW": "FOREIGN DATA WRAPPER", "OBJECT_FOREIGN_SERVER": "SERVER",
    "OBJECT_LARGEOBJECT": "LARGE OBJECT",
    "OBJECT_EVENT_TRIGGER": "EVENT TRIGGER", "OBJECT_TABLESPACE": "TABLESPACE",
    "OBJECT_SUBSCRIPTION": "SUBSCRIPTION",
}  # fmt: skip


def rename(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER ... RENAME."""
    kind = stmt["renameType"]
    if kind in _RELATION_TYPES:
        return rename_relation(session, stmt, kind)
    if kind in ("OBJECT_COLUMN", "OBJECT_ATTRIBUTE"):
        return rename_column(session, stmt)
    if kind == "OBJECT_TABCONSTRAINT":
        return rename_constraint(session, stmt)
    if kind in ("OBJECT_SCHEMA", "OBJECT_DATABASE", "OBJECT_ROLE"):
        return _rename_plain(session, stmt, kind)
    if kind == "OBJECT_TABLESPACE":
        from pgemu.commands.tablespace import rename_tablespace

        return rename_tablespace(session, stmt["subname"], stmt["newname"])
    if kind in ("OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"):
        return _rename_on_relation(session, stmt, kind)
    if kind == "OBJECT_DOMCONSTRAINT":
        from pgemu.commands.domains import rename_domain_constraint

        return rename_domain_constraint(session, stmt)
    if kind not in _TAGS:
        raise PgError(FEATURE_NOT_SUPPORTED, f"RENAME of {kind} is not supported")
    return _rename_generic(session, stmt, kind)


def _relation_of(session: Any, stmt: dict[str, Any], tag: str) -> Any:
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    oid = range_var_get_relid(catalog, stmt["relation"], bool(stmt.get("missing_ok")))
    if not oid:
        name = stmt["relation"]["relname"]
        session.notice("NOTICE", "00000", f'relation "{name}" does not exist, skipping')
        return None
    relation = catalog.relation(oid)
    check_owner(session, relation)
    check_not_system(session, relation)
    return relation


def rename_relation(session: Any, stmt: dict[str, Any], kind: str) -> CommandResult:
    """RENAME TO of tables, views, indexes, sequences; the row type follows."""
    tag, kinds, article = _RELATION_TYPES[kind]
    result = CommandResult(f"ALTER {tag}")
    relation = _relation_of(session, stmt, tag)
    if relation is None:
        return result
    # ALTER INDEX renames other relations too, as PostgreSQL has it
    kinds = kinds if kind != "OBJECT_INDEX" else _RELATION_TYPES["OBJECT_TABLE"][1]
    if relation.relkind not in kinds or (kind == "OBJECT_TABLE" and relation.relkind == "c"):
        if relation.relkind == "c":
            raise PgError(
                WRONG_OBJECT_TYPE,
                f'"{relation.name}" is a composite type',
                hint="Use ALTER TYPE instead.",
            )
        raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is not {article}')
    rename_relation_internal(session, relation, stmt["newname"])
    return result


def rename_relation_internal(session: Any, relation: Any, new_name: str) -> None:
    """RenameRelationInternal."""
    catalog = session.catalog
    if catalog.one(r.PgClass, relname=new_name, relnamespace=relation.namespace) is not None:
        raise PgError(DUPLICATE_TABLE, f'relation "{new_name}" already exists')
    catalog.update(r.PgClass, {"oid": relation.oid}, relname=new_name)
    if relation.type_oid:
        rename_type_internal(session, relation.type_oid, new_name)
    if relation.relkind in "iI":
        for con in catalog.all(r.PgConstraint, conindid=relation.oid):
            if con.contype in "pux":
                catalog.update(r.PgConstraint, {"oid": con.oid}, conname=new_name)


def rename_type_internal(session: Any, oid: int, new_name: str) -> None:
    """RenameTypeInternal: the type and its array type."""
    from pgemu.catalog.heap import move_array_type_name
    from pgemu.catalog.pg_type_create import make_array_type_name

    catalog = session.catalog
    typ = catalog.one(r.PgType, oid=oid)
    other = catalog.one(r.PgType, typname=new_name, typnamespace=typ.typnamespace)
    if other is not None and other.oid != typ.typarray and not move_array_type_name(catalog, other):
        raise PgError(DUPLICATE_OBJECT, f'type "{new_name}" already exists')
    catalog.update(r.PgType, {"oid": oid}, typname=new_name)
    if typ.typarray:
        array_name = make_array_type_name(catalog, new_name, typ.typnamespace)
        catalog.update(r.PgType, {"oid": typ.typarray}, typname=array_name)


def rename_column(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """RENAME COLUMN / ATTRIBUTE, in children too."""
    words = {"OBJECT_VIEW": "VIEW", "OBJECT_MATVIEW": "MATERIALIZED VIEW", "OBJECT_TYPE": "TYPE",
             "OBJECT_FOREIGN_TABLE": "FOREIGN TABLE", "OBJECT_INDEX": "INDEX"}  # fmt: skip
    tag = words.get(stmt.get("relationType", ""), "TABLE")
    result = CommandResult(f"ALTER {tag}")
    relation = _relation_of(session, stmt, tag)
    if relation is None:
        return result
    if relation.relkind not in "rvmcfpiI":
        raise PgError(WRONG_OBJECT_TYPE, f'cannot rename columns of relation "{relation.name}"')
    if relation.row.reloftype:
        raise PgError(WRONG_OBJECT_TYPE, "cannot rename column of typed table")
    old, new = stmt["subname"], stmt["newname"]
    att = relation.attrs_by_name.get(old)
    if att is None:
        from pgemu.catalog.heap import SYSTEM_COLUMN_NAMES

        if old in SYSTEM_COLUMN_NAMES:
            raise PgError(FEATURE_NOT_SUPPORTED, f'cannot rename system column "{old}"')
        raise PgError(UNDEFINED_COLUMN, f'column "{old}" does not exist')
    if relation.children and not stmt["relation"].get("inh"):
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'inherited column "{old}" must be renamed in child tables too',
        )
    if att.attinhcount > 0:
        raise PgError(INVALID_TABLE_DEFINITION, f'cannot rename inherited column "{old}"')
    inside = set(relation.all_inheritors)
    for oid in relation.all_inheritors:
        child = session.catalog.relation(oid)
        expected = sum(p in inside for p in child.parents)
        if child.attrs_by_name[old].attinhcount > expected:
            raise PgError(INVALID_TABLE_DEFINITION, f'cannot rename inherited column "{old}"')
    if relation.relkind == "c":
        for oid in typed_tables(session.catalog, relation, stmt.get("behavior")):
            _rename_one_column(session, session.catalog.relation(oid), old, new)
    for oid in relation.all_inheritors:
        _rename_one_column(session, session.catalog.relation(oid), old, new)
    return result


def _rename_one_column(session: Any, relation: Any, old: str, new: str) -> None:
    from pgemu.catalog.heap import SYSTEM_COLUMN_NAMES

    if new in relation.attrs_by_name:
        raise PgError(
            DUPLICATE_COLUMN, f'column "{new}" of relation "{relation.name}" already exists'
        )
    if new in SYSTEM_COLUMN_NAMES and relation.relkind not in "vc":
        raise PgError(DUPLICATE_COLUMN, f'column name "{new}" conflicts with a system column name')
    catalog = session.catalog
    attnum = relation.attrs_by_name[old].attnum
    catalog.update(r.PgAttribute, {"attrelid": relation.oid, "attnum": attnum}, attname=new)
    for index in relation.indexes:
        for position, number in enumerate(index.index.indkey, 1):
            if number == attnum:
                where = {"attrelid": index.oid, "attnum": position}
                catalog.update(r.PgAttribute, where, attname=new)


def rename_constraint(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """RENAME CONSTRAINT: its index follows."""
    from pgemu.catalog.pg_constraint import constraint_name_is_used

    result = CommandResult("ALTER TABLE")
    relation = _relation_of(session, stmt, "TABLE")
    if relation is None:
        return result
    catalog = session.catalog
    old, new = stmt["subname"], stmt["newname"]
    con = catalog.one(r.PgConstraint, conrelid=relation.oid, contypid=0, conname=old)
    if con is None:
        raise PgError(
            UNDEFINED_OBJECT, f'constraint "{old}" for table "{relation.name}" does not exist'
        )
    if con.coninhcount > 0:
        raise PgError(INVALID_TABLE_DEFINITION, f'cannot rename inherited constraint "{old}"')
    only = not stmt["relation"].get("inh")
    if con.contype == "c" and not con.connoinherit and only and relation.children:
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'inherited constraint "{old}" must be renamed in child tables too',
        )
    if con.contype in "pux" and con.conindid:
        rename_relation_internal(session, catalog.relation(con.conindid), new)
        return result
    targets = relation.all_inheritors if con.contype == "c" and not con.connoinherit else ()
    for oid in targets or (relation.oid,):
        if constraint_name_is_used(catalog, oid, new):
            name = catalog.relation(oid).name
            raise PgError(
                DUPLICATE_OBJECT, f'constraint "{new}" for relation "{name}" already exists'
            )
        catalog.update(r.PgConstraint, {"conrelid": oid, "conname": old}, conname=new)
    return result


def _rename_plain(session: Any, stmt: dict[str, Any], kind: str) -> CommandResult:
    catalog = session.catalog
    cls: Any
    cls, column, word, code, tag = {
        "OBJECT_SCHEMA": (r.PgNamespace, "nspname", "schema", DUPLICATE_SCHEMA, "SCHEMA"),
        "OBJECT_DATABASE": (r.PgDatabase, "datname", "database", DUPLICATE_DATABASE, "DATABASE"),
        "OBJECT_ROLE": (r.PgAuthid, "rolname", "role", DUPLICATE_OBJECT, "ROLE"),
    }[kind]
    old, new = stmt["subname"], stmt["newname"]
    row = catalog.one(cls, **{column: old})
    if row is None:
        missing = {"schema": "3F000", "database": "3D000", "role": UNDEFINED_OBJECT}[word]
        raise PgError(missing, f'{word} "{old}" does not exist')
    if word == "database":
        check_object_ownership(session, ObjectAddress(cls.RELID, row.oid, 0))
    if catalog.one(cls, **{column: new}) is not None:
        raise PgError(code, f'{word} "{new}" already exists')
    if new.startswith("pg_") and word in ("schema", "role"):
        if word == "role":
            raise PgError(
                RESERVED_NAME,
                f'role name "{new}" is reserved',
                detail='Role names starting with "pg_" are reserved.',
            )
        raise PgError(
            RESERVED_NAME,
            f'unacceptable schema name "{new}"',
            detail='The prefix "pg_" is reserved for system schemas.',
        )
    changes: dict[str, Any] = {column: new}
    if word == "role":
        if row.oid == session.ctx.session_user_oid:
            raise PgError(FEATURE_NOT_SUPPORTED, "session user cannot be renamed")
        if row.oid == session.ctx.current_user_oid:
            raise PgError(FEATURE_NOT_SUPPORTED, "current user cannot be renamed")
        _check_may_rename_role(session, row)
        if row.rolpassword and row.rolpassword.startswith("md5"):
            changes["rolpassword"] = None
            session.notice("NOTICE", "00000", "MD5 password cleared because of role rename")
    elif word == "database" and row.oid == session.ctx.database_oid:
        raise PgError(FEATURE_NOT_SUPPORTED, "current database cannot be renamed")
    elif word == "schema":
        check_object_ownership(session, ObjectAddress(cls.RELID, row.oid, 0))
    catalog.update(cls, {"oid": row.oid}, **changes)
    return CommandResult(f"ALTER {tag}")


def _check_may_rename_role(session: Any, row: Any) -> None:
    if superuser(session.catalog):
        return
    if row.rolsuper:
        raise PgError(INSUFFICIENT_PRIVILEGE, "must be superuser to rename superusers")
    me = session.catalog.get(r.PgAuthid, oid=session.ctx.current_user_oid)
    if not me.rolcreaterole:
        raise PgError(INSUFFICIENT_PRIVILEGE, "permission denied to rename role")


def _rename_on_relation(session: Any, stmt: dict[str, Any], kind: str) -> CommandResult:
    cls, name_column, owner_column, word = {
        "OBJECT_TRIGGER": (r.PgTrigger, "tgname", "tgrelid", "trigger"),
        "OBJECT_POLICY": (r.PgPolicy, "polname", "polrelid", "policy"),
        "OBJECT_RULE": (r.PgRewrite, "rulename", "ev_class", "rule"),
    }[kind]
    result = CommandResult(f"ALTER {word.upper()}")
    relation = _relation_of(session, stmt, word)
    if relation is None:
        return result
    catalog = session.catalog
    old, new = stmt["subname"], stmt["newname"]
    row = catalog.one(cls, **{owner_column: relation.oid, name_column: old})
    noun = "relation" if word == "rule" else "table"
    if row is None:
        raise PgError(
            UNDEFINED_OBJECT, f'{word} "{old}" for {noun} "{relation.name}" does not exist'
        )
    if word == "trigger":
        rename_trigger(session, relation, row, new)
        return result
    if catalog.one(cls, **{owner_column: relation.oid, name_column: new}) is not None:
        raise PgError(
            DUPLICATE_OBJECT, f'{word} "{new}" for {noun} "{relation.name}" already exists'
        )
    if word == "rule" and row.ev_type == "1":
        raise PgError(INVALID_OBJECT_DEFINITION, "renaming an ON SELECT rule is not allowed")
    catalog.update(cls, {"oid": row.oid}, **{name_column: new})
    return result


def _rename_generic(session: Any, stmt: dict[str, Any], kind: str) -> CommandResult:
    from pgemu.commands.get_object_address import existing_object

    catalog = session.catalog
    address = existing_object(catalog, kind, stmt["object"])
    check_object_ownership(session, address)
    entry = KINDS[address.classid]
    row = catalog.one(entry.cls, oid=address.objid)
    new = stmt["newname"]
    if kind in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
        if row.typtype == "c" and row.typrelid:
            relation = catalog.relation(row.typrelid)
            if relation.relkind != "c":
                raise PgError(
                    WRONG_OBJECT_TYPE,
                    f"{catalog.type_name(row.oid)} is a table's row type",
                    hint="Use ALTER TABLE instead.",
                )
            rename_relation_internal(session, relation, new)
        else:
            refuse_array_type(catalog, row)
            rename_type_internal(session, row.oid, new)
        return CommandResult(f"ALTER {_TAGS[kind]}")
    namespace = getattr(row, entry.namespace) if entry.namespace else 0
    check_name_is_free(catalog, entry, row, new, namespace)
    catalog.update(entry.cls, {"oid": row.oid}, **{entry.name: new})
    return CommandResult(f"ALTER {_TAGS[kind]}")
