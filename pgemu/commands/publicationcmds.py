"""CREATE and ALTER PUBLICATION (PostgreSQL's publicationcmds.c): the catalog rows.

Nothing decodes a WAL here, so nothing ever reads them but clients; PostgreSQL says as much with
the warning about wal_level, whose setting below "logical" is the only one.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.find_expr_references import record_dependency_on_expr
from pgemu.catalog.heap import depend, insert_rows, owner_rows
from pgemu.catalog.namespace import range_var_get_relid
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.roles import superuser
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_NAMESPACE_RELID,
    PG_PUBLICATION_NAMESPACE_RELID,
    PG_PUBLICATION_REL_RELID,
    PG_PUBLICATION_RELID,
    PgClass,
    PgNamespace,
    PgPublication,
    PgPublicationNamespace,
    PgPublicationRel,
)
from pgemu.commands.cook import open_relation_pstate
from pgemu.commands.define import def_get_boolean, def_get_string, elements, strings
from pgemu.commands.permissions import check_owner, owns
from pgemu.commands.publication_where import check_simple_rowfilter_expr
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_OBJECT,
    INSUFFICIENT_PRIVILEGE,
    INVALID_COLUMN_REFERENCE,
    INVALID_PARAMETER_VALUE,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    UNDEFINED_OBJECT,
    UNDEFINED_SCHEMA,
    PgError,
)
from pgemu.nodes.parsenodes import Alias, RangeTblEntry
from pgemu.nodes.serialize import node_to_string
from pgemu.parser.parse_node import ParseExprKind

_ACTIONS = ("insert", "update", "delete", "truncate")


def _options(nodes: Any) -> dict[str, bool]:
    """parse_publication_options: the pg_publication columns that the options change."""
    found: dict[str, bool] = {}
    seen: set[str] = set()
    for option in elements(nodes):
        name = option["defname"]
        if name in seen:
            raise PgError(
                SYNTAX_ERROR, "conflicting or redundant options", location=option["location"]
            )
        seen.add(name)
        if name == "publish":
            found.update({f"pub{action}": False for action in _ACTIONS})
            text = def_get_string(option)
            for word in (w.strip().strip('"') for w in text.split(",") if text.strip()):
                if word not in _ACTIONS:
                    raise PgError(
                        SYNTAX_ERROR,
                        f'unrecognized value for publication option "publish": "{word}"',
                    )
                found[f"pub{word}"] = True
        elif name == "publish_via_partition_root":
            found["pubviaroot"] = def_get_boolean(option)
        else:
            raise PgError(SYNTAX_ERROR, f'unrecognized publication parameter: "{name}"')
    return found


def create_publication(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE PUBLICATION."""
    from pgemu.catalog.acl import ACL_CREATE, pg_database_aclcheck

    catalog = session.catalog
    if not pg_database_aclcheck(catalog, session.ctx.database_oid, ACL_CREATE):
        raise PgError(
            INSUFFICIENT_PRIVILEGE, f"permission denied for database {session.ctx.database}"
        )
    all_tables = bool(stmt.get("for_all_tables"))
    if all_tables and not superuser(catalog):
        raise PgError(
            INSUFFICIENT_PRIVILEGE, "must be superuser to create FOR ALL TABLES publication"
        )
    name = stmt["pubname"]
    if catalog.one(PgPublication, pubname=name) is not None:
        raise PgError(DUPLICATE_OBJECT, f'publication "{name}" already exists')
    flags = {f"pub{action}": True for action in _ACTIONS} | {"pubviaroot": False}
    flags |= _options(stmt.get("options"))
    oid = catalog.new_oid()
    owner = session.ctx.current_user_oid
    row = PgPublication(oid=oid, pubname=name, pubowner=owner, puballtables=all_tables, **flags)
    insert_rows(catalog, [row, *owner_rows(catalog, PG_PUBLICATION_RELID, oid, owner)])
    tables, schemas = _objects(session, stmt.get("pubobjects"))
    if schemas and not superuser(catalog):
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            "must be superuser to create FOR TABLES IN SCHEMA publication",
        )
    _add_tables(session, row, tables, bool(schemas), st.source_text)
    _add_schemas(session, row, schemas)
    session.notice(
        "WARNING",
        OBJECT_NOT_IN_PREREQUISITE_STATE,
        "wal_level is insufficient to publish logical changes",
        hint='Set wal_level to "logical" before creating subscriptions.',
    )
    return CommandResult("CREATE PUBLICATION")


def _objects(session: Any, nodes: Any) -> tuple[list[dict[str, Any]], list[int]]:
    """ObjectsInPublicationToOids: raw PublicationTables, and schemas."""
    catalog = session.catalog
    tables: list[dict[str, Any]] = []
    schemas: list[int] = []
    for node in nodes or ():
        item = node["PublicationObjSpec"]
        kind = item["pubobjtype"]
        if kind == "PUBLICATIONOBJ_TABLE":
            tables.append(item["pubtable"])
            continue
        if kind == "PUBLICATIONOBJ_TABLES_IN_CUR_SCHEMA":
            path = catalog.search_path()
            explicit = [n for n in path if n != 11 and n != catalog.my_temp_namespace]
            if not explicit:
                raise PgError(UNDEFINED_SCHEMA, "no schema has been selected for CURRENT_SCHEMA")
            oid = explicit[0]
        else:
            row = catalog.one(PgNamespace, nspname=item["name"])
            if row is None:
                raise PgError(UNDEFINED_SCHEMA, f'schema "{item["name"]}" does not exist')
            oid = row.oid
        if oid not in schemas:
            schemas.append(oid)
    return tables, schemas


def _check_relation(relation: Any) -> None:
    """check_publication_add_relation."""
    message = f'cannot add relation "{relation.name}" to publication'
    details = {
        "v": "views", "m": "materialized views", "f": "foreign tables", "S": "sequences",
        "i": "indexes", "I": "partitioned indexes", "c": "composite types",
    }  # fmt: skip
    detail = None
    if relation.relkind not in "rp":
        detail = f"This operation is not supported for {details[relation.relkind]}."
    elif relation.oid < 16384:
        detail = "This operation is not supported for system tables."
    elif relation.persistence == "t":
        detail = "This operation is not supported for temporary tables."
    elif relation.persistence == "u":
        detail = "This operation is not supported for unlogged tables."
    if detail is not None:
        raise PgError(INVALID_PARAMETER_VALUE, message, detail=detail)


def _add_tables(
    session: Any,
    publication: Any,
    tables: list[dict[str, Any]],
    with_schemas: bool,
    text: str,
    *,
    missing_only: bool = False,
) -> None:
    """PublicationAddTables; ONLY is without children."""
    catalog = session.catalog
    if publication.puballtables and tables:
        raise _all_tables(publication.pubname, "Tables")
    done: set[int] = set()
    wanted: list[tuple[Any, dict[str, Any]]] = []
    # OpenTableList: all names are looked up before anything is looked at
    opened = [range_var_get_relid(catalog, item["relation"]) for item in tables]
    for item, relid in zip(tables, opened, strict=True):
        body = item["relation"]
        named = catalog.relation(relid)
        oids = [named.oid]
        if body.get("inh") and named.relkind != "p":
            oids = list(named.all_inheritors)
        for oid in oids:
            if oid in done:
                if oid == named.oid and (item.get("whereClause") or item.get("columns")):
                    raise PgError(
                        DUPLICATE_OBJECT,
                        f'conflicting or redundant WHERE clauses for table "{named.name}"'
                        if item.get("whereClause")
                        else f'conflicting or redundant column lists for table "{named.name}"',
                    )
                continue
            done.add(oid)
            wanted.append((catalog.relation(oid), item))
    quals = [_where(session, rel, item.get("whereClause"), text) for rel, item in wanted]
    for relation, item in wanted:
        if item.get("columns") and with_schemas:
            raise _no_column_list(publication, relation)
    for (relation, item), qual in zip(wanted, quals, strict=True):
        known = catalog.one(PgPublicationRel, prrelid=relation.oid, prpubid=publication.oid)
        if known is not None:
            if missing_only:
                continue
            raise PgError(
                DUPLICATE_OBJECT,
                f'relation "{relation.name}" is already member of publication '
                f'"{publication.pubname}"',
            )
        check_owner(session, relation)
        _check_relation(relation)
        _add_table(session, publication, relation, item, qual)


def _add_table(
    session: Any,
    publication: Any,
    relation: Any,
    item: dict[str, Any],
    qual: Any,
) -> None:
    """publication_add_relation."""
    catalog = session.catalog
    attnums = _column_list(relation, item.get("columns"))
    oid = catalog.new_oid()
    me = (PG_PUBLICATION_REL_RELID, oid, 0)
    rows: list[Any] = [
        PgPublicationRel(
            oid, publication.oid, relation.oid,
            node_to_string(qual) if qual is not None else None,
            tuple(attnums) if attnums else None,
        ),
        depend(me, (PG_PUBLICATION_RELID, publication.oid, 0), "a"),
        depend(me, (PG_CLASS_RELID, relation.oid, 0), "a"),
    ]  # fmt: skip
    rows.extend(depend(me, (PG_CLASS_RELID, relation.oid, n), "n") for n in attnums)
    insert_rows(catalog, rows)
    if qual is not None:
        rte = RangeTblEntry("relation", Alias(""), relid=relation.oid, relkind=relation.relkind)
        record_dependency_on_expr(catalog, ObjectAddress(*me), qual, [rte])


def _no_column_list(publication: Any, relation: Any) -> PgError:
    """CheckPubRelationColumnList."""
    return PgError(
        INVALID_PARAMETER_VALUE,
        f'cannot use column list for relation "{relation.schema_name}.{relation.name}" in '
        f'publication "{publication.pubname}"',
        detail="Column lists cannot be specified in publications containing FOR TABLES IN SCHEMA "
        "elements.",
    )


def _column_list(relation: Any, nodes: Any) -> list[int]:
    names = strings(nodes)
    found: list[int] = []
    for name in names:
        att = relation.attrs_by_name.get(name)
        if att is None:
            raise PgError(
                UNDEFINED_COLUMN,
                f'column "{name}" of relation "{relation.name}" does not exist',
            )
        if att.attgenerated:
            raise PgError(
                INVALID_COLUMN_REFERENCE,
                f'cannot use generated column "{name}" in publication column list',
            )
        if att.attnum in found:
            raise PgError(DUPLICATE_OBJECT, f'duplicate column "{name}" in publication column list')
        found.append(att.attnum)
    return sorted(found)


def _where(session: Any, relation: Any, raw: Any, text: str) -> Any:
    """TransformPubWhereClauses."""
    if raw is None:
        return None
    from pgemu.parser.parse_clause import transform_where_clause
    from pgemu.parser.parse_collate import assign_expr_collations

    pstate = open_relation_pstate(session.catalog, text, relation)
    qual = transform_where_clause(pstate, raw, ParseExprKind.EXPR_KIND_WHERE, "PUBLICATION WHERE")
    assign_expr_collations(pstate, qual)
    check_simple_rowfilter_expr(session.catalog, qual)
    return qual


def _add_schemas(
    session: Any, publication: Any, schemas: list[int], *, missing_only: bool = False
) -> None:
    """PublicationAddSchemas."""
    catalog = session.catalog
    if publication.puballtables and schemas:
        raise _all_tables(publication.pubname, "Schemas")
    members = catalog.all(PgPublicationRel, prpubid=publication.oid)
    if schemas and any(m.prattrs is not None for m in members):
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'cannot add schema to publication "{publication.pubname}"',
            detail="Schemas cannot be added if any tables that specify a column list are already "
            "part of the publication.",
        )
    for schema in schemas:
        name = catalog.get(PgNamespace, oid=schema).nspname
        found = catalog.one(PgPublicationNamespace, pnnspid=schema, pnpubid=publication.oid)
        if found is not None:
            if missing_only:
                continue
            raise PgError(
                DUPLICATE_OBJECT,
                f'schema "{name}" is already member of publication "{publication.pubname}"',
            )
        if name in ("pg_catalog", "pg_toast") or name.startswith("pg_temp_"):
            what = "temporary" if name.startswith("pg_temp_") else "system"
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f'cannot add schema "{name}" to publication',
                detail=f"This operation is not supported for {what} schemas.",
            )
        oid = catalog.new_oid()
        me = (PG_PUBLICATION_NAMESPACE_RELID, oid, 0)
        insert_rows(
            catalog,
            [
                PgPublicationNamespace(oid, publication.oid, schema),
                depend(me, (PG_PUBLICATION_RELID, publication.oid, 0), "a"),
                depend(me, (PG_NAMESPACE_RELID, schema, 0), "a"),
            ],
        )


def _all_tables(name: str, what: str) -> PgError:
    return PgError(
        OBJECT_NOT_IN_PREREQUISITE_STATE,
        f'publication "{name}" is defined as FOR ALL TABLES',
        detail=f"{what} cannot be added to or dropped from FOR ALL TABLES publications.",
    )


def _check_not_via_root(catalog: Any, publication: PgPublication) -> None:
    """AlterPublicationOptions: filters and lists of partitioned tables are the root's."""
    option = "publish_via_partition_root"
    for member in catalog.all(PgPublicationRel, prpubid=publication.oid):
        table = catalog.get(PgClass, oid=member.prrelid)
        if table.relkind != "p" or (member.prqual is None and member.prattrs is None):
            continue
        what = "WHERE clause" if member.prqual is not None else "column list"
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'cannot set parameter "{option}" to false for publication "{publication.pubname}"',
            detail=f'The publication contains a {what} for partitioned table "{table.relname}", '
            f'which is not allowed when "{option}" is false.',
        )


def alter_publication(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER PUBLICATION."""
    catalog = session.catalog
    name = stmt["pubname"]
    row = catalog.one(PgPublication, pubname=name)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f'publication "{name}" does not exist')
    if not owns(session, row.pubowner):
        raise PgError(INSUFFICIENT_PRIVILEGE, f"must be owner of publication {name}")
    done = CommandResult("ALTER PUBLICATION")
    if stmt.get("options"):
        changes = _options(stmt["options"])
        if changes.get("pubviaroot") is False and not row.puballtables:
            _check_not_via_root(catalog, row)
        catalog.update(PgPublication, {"oid": row.oid}, **changes)
        return done
    tables, schemas = _objects(session, stmt.get("pubobjects"))
    action = stmt.get("action", "AP_AddObjects")
    if schemas and action != "AP_DropObjects" and not superuser(catalog):
        raise PgError(INSUFFICIENT_PRIVILEGE, "must be superuser to add or set schemas")
    if row.puballtables:
        raise _all_tables(name, "Schemas" if schemas else "Tables")
    if action == "AP_DropObjects":
        _drop_objects(session, row, tables, schemas)
        return done
    if action == "AP_SetObjects":
        _remove(session, PgPublicationRel, {"prpubid": row.oid})
        _remove(session, PgPublicationNamespace, {"pnpubid": row.oid})
    held = bool(schemas) or bool(catalog.all(PgPublicationNamespace, pnpubid=row.oid))
    _add_tables(session, row, tables, held, st.source_text)
    _add_schemas(session, row, schemas)
    return done


def _remove(session: Any, cls: Any, where: dict[str, Any]) -> int:
    from pgemu.catalog.dependency import perform_deletion

    found = session.catalog.all(cls, **where)
    for row in found:
        perform_deletion(session.catalog, ObjectAddress(cls.RELID, row.oid, 0), "cascade")
    return len(found)


def _drop_objects(
    session: Any, publication: Any, tables: list[dict[str, Any]], schemas: list[int]
) -> None:
    catalog = session.catalog
    for item in tables:
        if item.get("columns"):
            raise PgError(
                SYNTAX_ERROR, "column list must not be specified in ALTER PUBLICATION ... DROP"
            )
        if item.get("whereClause"):
            raise PgError(
                SYNTAX_ERROR, "cannot use a WHERE clause when removing a table from a publication"
            )
        named = catalog.relation(range_var_get_relid(catalog, item["relation"]))
        inherits = item["relation"].get("inh") and named.relkind != "p"
        for oid in named.all_inheritors if inherits else (named.oid,):
            where = {"prrelid": oid, "prpubid": publication.oid}
            if not _remove(session, PgPublicationRel, where):
                relation = catalog.relation(oid)
                raise PgError(
                    UNDEFINED_OBJECT,
                    f'relation "{relation.name}" is not part of the publication',
                )
    for schema in schemas:
        where = {"pnnspid": schema, "pnpubid": publication.oid}
        if not _remove(session, PgPublicationNamespace, where):
            name = catalog.get(PgNamespace, oid=schema).nspname
            raise PgError(
                UNDEFINED_OBJECT, f'tables from schema "{name}" are not part of the publication'
            )
