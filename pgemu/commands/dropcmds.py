"""DROP of every kind of object (RemoveRelations of tablecmds.c, RemoveObjects of dropcmds.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.dependency import perform_multiple_deletions
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.rows import PG_CLASS_RELID, PgClass, PgNamespace
from pgemu.commands.define import strings
from pgemu.commands.in_use import check_table_not_in_use
from pgemu.commands.permissions import check_not_system, owns, relkind_word
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    UNDEFINED_OBJECT,
    UNDEFINED_TABLE,
    WRONG_OBJECT_TYPE,
    PgError,
)

# objtype -> (relkinds, word, SQLSTATE when missing, article and word)
_RELATIONS = {
    "OBJECT_TABLE": ("rp", "table", UNDEFINED_TABLE, "a table"),
    "OBJECT_SEQUENCE": ("S", "sequence", UNDEFINED_TABLE, "a sequence"),
    "OBJECT_VIEW": ("v", "view", UNDEFINED_TABLE, "a view"),
    "OBJECT_MATVIEW": ("m", "materialized view", UNDEFINED_TABLE, "a materialized view"),
    "OBJECT_INDEX": ("iI", "index", UNDEFINED_OBJECT, "an index"),
    "OBJECT_FOREIGN_TABLE": ("f", "foreign table", UNDEFINED_OBJECT, "a foreign table"),
}
_TAGS = {
    "OBJECT_TABLE": "TABLE", "OBJECT_SEQUENCE": "SEQUENCE", "OBJECT_VIEW": "VIEW",
    "OBJECT_MATVIEW": "MATERIALIZED VIEW", "OBJECT_INDEX": "INDEX",
    "OBJECT_FOREIGN_TABLE": "FOREIGN TABLE", "OBJECT_TYPE": "TYPE", "OBJECT_DOMAIN": "DOMAIN",
    "OBJECT_COLLATION": "COLLATION", "OBJECT_CONVERSION": "CONVERSION",
    "OBJECT_SCHEMA": "SCHEMA", "OBJECT_TSPARSER": "TEXT SEARCH PARSER",
    "OBJECT_TSDICTIONARY": "TEXT SEARCH DICTIONARY", "OBJECT_TSTEMPLATE": "TEXT SEARCH TEMPLATE",
    "OBJECT_TSCONFIGURATION": "TEXT SEARCH CONFIGURATION", "OBJECT_EXTENSION": "EXTENSION",
    "OBJECT_FUNCTION": "FUNCTION", "OBJECT_PROCEDURE": "PROCEDURE", "OBJECT_ROUTINE": "ROUTINE",
    "OBJECT_AGGREGATE": "AGGREGATE", "OBJECT_OPERATOR": "OPERATOR", "OBJECT_LANGUAGE": "LANGUAGE",
    "OBJECT_CAST": "CAST", "OBJECT_TRIGGER": "TRIGGER", "OBJECT_EVENT_TRIGGER": "EVENT TRIGGER",
    "OBJECT_RULE": "RULE", "OBJECT_FDW": "FOREIGN DATA WRAPPER",
    "OBJECT_FOREIGN_SERVER": "SERVER", "OBJECT_OPCLASS": "OPERATOR CLASS",
    "OBJECT_OPFAMILY": "OPERATOR FAMILY", "OBJECT_POLICY": "POLICY",
    "OBJECT_TRANSFORM": "TRANSFORM", "OBJECT_ACCESS_METHOD": "ACCESS METHOD",
    "OBJECT_PUBLICATION": "PUBLICATION", "OBJECT_STATISTIC_EXT": "STATISTICS",
}  # fmt: skip


def drop_objects(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """DROP."""
    objtype = stmt["removeType"]
    if objtype not in _TAGS:
        raise PgError(FEATURE_NOT_SUPPORTED, f"DROP of {objtype} is not supported")
    if stmt.get("concurrent"):
        session.xact.prevent_in_transaction_block("DROP INDEX CONCURRENTLY", st.top_level)
    if objtype in _RELATIONS:
        remove_relations(session, stmt, objtype)
    else:
        remove_objects(session, stmt, objtype)
    return CommandResult("DROP " + _TAGS[objtype])


def remove_relations(session: Any, stmt: dict[str, Any], objtype: str) -> None:
    """RemoveRelations: tables, indexes, sequences, views."""
    from pgemu.catalog.namespace import make_range_var_from_name_list, range_var_get_relid

    catalog = session.catalog
    if stmt.get("concurrent"):
        if len(stmt["objects"]) > 1:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "DROP INDEX CONCURRENTLY does not support dropping multiple objects",
            )
        if stmt.get("behavior") == "DROP_CASCADE":
            raise PgError(FEATURE_NOT_SUPPORTED, "DROP INDEX CONCURRENTLY does not support CASCADE")
    addresses: list[ObjectAddress] = []
    for node in stmt["objects"]:
        names = strings(node["List"]["items"])
        relation_name = make_range_var_from_name_list(names)
        body = relation_name.get("RangeVar", relation_name)
        oid = range_var_get_relid(catalog, body, True)
        if not oid:
            _missing(session, body, objtype, bool(stmt.get("missing_ok")))
            continue
        row = catalog.one(PgClass, oid=oid)
        _check_kind(session, row, objtype)
        if stmt.get("concurrent") and row.relkind == "I":
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f'cannot drop partitioned index "{row.relname}" concurrently',
            )
        if row.relkind in "rpf":
            check_table_not_in_use(session, catalog.relation(oid), "DROP TABLE")
        addresses.append(ObjectAddress(PG_CLASS_RELID, oid, 0))
    perform_multiple_deletions(catalog, addresses, stmt.get("behavior", "restrict"))
    _forget(session, addresses)


def _forget(session: Any, addresses: list[ObjectAddress]) -> None:
    for address in addresses:
        session.on_commit_actions.pop(address.objid, None)


def _missing(session: Any, body: dict[str, Any], objtype: str, missing_ok: bool) -> None:
    _kinds, word, sqlstate, _article = _RELATIONS[objtype]
    schema = body.get("schemaname")
    name = body["relname"]
    if schema and session.catalog.one(PgNamespace, nspname=schema) is None and schema != "pg_temp":
        if not missing_ok:
            raise PgError("3F000", f'schema "{schema}" does not exist')
        session.notice("NOTICE", "00000", f'schema "{schema}" does not exist, skipping')
        return
    if missing_ok:
        session.notice("NOTICE", "00000", f'{word} "{name}" does not exist, skipping')
        return
    raise PgError(sqlstate, f'{word} "{name}" does not exist')


def _check_kind(session: Any, row: PgClass, objtype: str) -> None:
    kinds, _word, _sqlstate, article = _RELATIONS[objtype]
    if row.relkind not in kinds:
        hint = None
        for other, (other_kinds, other_word, _s, _a) in _RELATIONS.items():
            if row.relkind in other_kinds:
                is_vowel = other_word[0] in "aeiou"
                hint = (
                    f"Use DROP {_TAGS[other]} to remove {'an' if is_vowel else 'a'} {other_word}."
                )
        if row.relkind == "c":
            hint = "Use DROP TYPE to remove a type."
        raise PgError(WRONG_OBJECT_TYPE, f'"{row.relname}" is not {article}', hint=hint)
    catalog = session.catalog
    relation = catalog.relation(row.oid)
    namespace = catalog.one(PgNamespace, oid=row.relnamespace)
    if not owns(session, row.relowner) and not owns(session, namespace.nspowner):
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            f"must be owner of {relkind_word(row.relkind)} {row.relname}",
        )
    check_not_system(session, relation)


def remove_objects(session: Any, stmt: dict[str, Any], objtype: str) -> None:
    """RemoveObjects: everything that is not a relation."""
    from pgemu.commands.get_object_address import get_object_address

    catalog = session.catalog
    missing_ok = bool(stmt.get("missing_ok"))
    addresses: list[ObjectAddress] = []
    for node in stmt["objects"]:
        address = get_object_address(catalog, objtype, node, missing_ok)
        if address is None or not address.objid:
            from pgemu.commands.does_not_exist import does_not_exist_skipping

            does_not_exist_skipping(session, objtype, node)
            continue
        _check_droppable(session, objtype, node, address)
        addresses.append(address)
    perform_multiple_deletions(catalog, addresses, stmt.get("behavior", "restrict"))


def _check_droppable(session: Any, objtype: str, node: Any, address: ObjectAddress) -> None:
    from pgemu.catalog.rows import PgProc
    from pgemu.commands.ownership import check_named_object_ownership

    catalog = session.catalog
    if objtype in ("OBJECT_FUNCTION", "OBJECT_PROCEDURE") and address.classid == 1255:
        row = catalog.one(PgProc, oid=address.objid)
        if row.prokind == "a":
            raise PgError(
                WRONG_OBJECT_TYPE,
                f'"{row.proname}" is an aggregate function',
                hint="Use DROP AGGREGATE to drop aggregate functions.",
            )
    check_named_object_ownership(session, address, objtype, node)
