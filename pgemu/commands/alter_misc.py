"""ALTER TABLE subcommands that change one flag or link: owner, triggers, rules, row security,
storage parameters, inheritance, partitions, replica identity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.catalog.index import builtin_am_name
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_TYPE_RELID,
    PgClass,
    PgDepend,
    PgIndex,
    PgPublicationRel,
    PgRewrite,
    PgTrigger,
    PgType,
)
from pgemu.catalog.tablespace import get_tablespace_oid
from pgemu.catalog.toasting import toast_reloptions, update_toast
from pgemu.commands.define import list_items
from pgemu.commands.event_trigger import REWRITE_ACCESS_METHOD, REWRITE_PERSISTENCE
from pgemu.commands.inherit import add_inherit, drop_inherit
from pgemu.commands.reloptions import reset_reloptions, transform_reloptions
from pgemu.commands.sequence import owned_sequences
from pgemu.commands.tablespace import check_create_privilege, move_relation
from pgemu.errors import (
    DATATYPE_MISMATCH,
    FEATURE_NOT_SUPPORTED,
    INVALID_TABLE_DEFINITION,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)


def _set(ctx: Any, **changes: Any) -> None:
    ctx.catalog.update(PgClass, {"oid": ctx.relid}, **changes)


def nothing(ctx: Any, command: dict[str, Any]) -> None:
    """A subcommand that PostgreSQL 15 accepts and ignores."""


def change_owner(ctx: Any, command: dict[str, Any]) -> None:
    """OWNER TO."""
    from pgemu.commands.alter import change_relation_owner
    from pgemu.commands.role_spec import get_rolespec_oid

    relation = ctx.relation
    new_owner = get_rolespec_oid(ctx.session, command["newowner"])
    if relation.relkind == "S" and relation.owner != new_owner:
        for link in ctx.catalog.all(PgDepend, classid=PG_CLASS_RELID, objid=relation.oid):
            if link.refclassid == PG_CLASS_RELID and link.refobjsubid and link.deptype in "ai":
                table = ctx.catalog.relation(link.refobjid).name
                raise PgError(
                    FEATURE_NOT_SUPPORTED,
                    f'cannot change owner of sequence "{relation.name}"',
                    detail=f'Sequence "{relation.name}" is linked to table "{table}".',
                )
    change_relation_owner(ctx.session, relation, new_owner)


def _index(ctx: Any, name: str) -> Any:
    found = next((i for i in ctx.relation.all_indexes if i.name == name), None)
    if found is None:
        raise PgError(
            UNDEFINED_OBJECT, f'index "{name}" for table "{ctx.relation.name}" does not exist'
        )
    return found


def cluster_on(ctx: Any, command: dict[str, Any]) -> None:
    """CLUSTER ON index."""
    from pgemu.commands.cluster import check_clusterable, mark_index_clustered

    found = _index(ctx, command["name"])
    check_clusterable(ctx.catalog, found)
    _refuse_partitioned(ctx)
    mark_index_clustered(ctx.catalog, ctx.relid, found.oid)


def _refuse_partitioned(ctx: Any) -> None:
    if ctx.relation.relkind == "p":
        raise PgError(FEATURE_NOT_SUPPORTED, "cannot mark index clustered in partitioned table")


def drop_cluster(ctx: Any, command: dict[str, Any]) -> None:
    """SET WITHOUT CLUSTER."""
    _refuse_partitioned(ctx)
    ctx.catalog.update(PgIndex, {"indrelid": ctx.relid}, indisclustered=False)


def set_logged(ctx: Any, command: dict[str, Any]) -> None:
    """SET LOGGED."""
    _set_persistence(ctx, "p")


def set_unlogged(ctx: Any, command: dict[str, Any]) -> None:
    """SET UNLOGGED."""
    _set_persistence(ctx, "u")


def _set_persistence(ctx: Any, wanted: str) -> None:
    relation = ctx.relation
    if relation.persistence == "t":
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'cannot change logged status of table "{relation.name}" because it is temporary',
            schema=relation.schema_name,
            table=relation.name,
        )
    if wanted == "u" and ctx.catalog.all(PgPublicationRel, prrelid=relation.oid):
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f'cannot change table "{relation.name}" to unlogged because it is part of a '
            "publication",
            detail="Unlogged relations cannot be replicated.",
        )
    for con in relation.fkeys if wanted == "p" else relation.referenced_by:
        other = ctx.catalog.relation(con.confrelid if wanted == "p" else con.conrelid)
        if other.oid != relation.oid and (other.persistence == "u") == (wanted == "p"):
            words = ("logged", "unlogged") if wanted == "p" else ("unlogged", "logged")
            raise PgError(
                INVALID_TABLE_DEFINITION,
                f'could not change table "{relation.name}" to {words[0]} because it references '
                f'{words[1]} table "{other.name}"',
            )
    if relation.relkind == "p":
        return  # PostgreSQL 15 checks, and leaves the table as it is
    if relation.persistence != wanted:
        ctx.note_rewrite(relation.oid, REWRITE_PERSISTENCE)
    _set(ctx, relpersistence=wanted)
    update_toast(ctx.catalog, relation.oid, relpersistence=wanted)
    for index in relation.indexes:
        ctx.catalog.update(PgClass, {"oid": index.oid}, relpersistence=wanted)
    for sequence in owned_sequences(ctx.catalog, relation.oid):
        ctx.catalog.update(PgClass, {"oid": sequence}, relpersistence=wanted)


def set_access_method(ctx: Any, command: dict[str, Any]) -> None:
    """SET ACCESS METHOD."""
    from pgemu.commands.amcmds import get_table_am_oid, set_relation_access_method

    if ctx.relation.relkind == "p":
        raise PgError(WRONG_OBJECT_TYPE, "cannot change access method of a partitioned table")
    am = get_table_am_oid(ctx.catalog, command["name"])
    if set_relation_access_method(ctx.session, ctx.relation, am):
        ctx.note_rewrite(ctx.relid, REWRITE_ACCESS_METHOD)


def set_tablespace(ctx: Any, command: dict[str, Any]) -> None:
    """SET TABLESPACE.  The rows stay where they are; the catalog tells the new place."""
    oid = get_tablespace_oid(ctx.catalog, command["name"])
    check_create_privilege(ctx.session, oid)
    move_relation(ctx.session, ctx.relation, oid)


def _option_kind(relation: Any, catalog: Any) -> str:
    if relation.relkind in "iI":
        return builtin_am_name(catalog, relation.row.relam)
    return {"v": "view", "p": "partitioned"}.get(relation.relkind, "heap")


def set_rel_options(ctx: Any, command: dict[str, Any]) -> None:
    """SET (storage parameters)."""
    relation = ctx.relation
    options = transform_reloptions(
        list_items(command["def"]), _option_kind(relation, ctx.catalog), relation.row.reloptions
    )
    if relation.relkind == "v" and any(o.startswith("check_option=") for o in options or ()):
        from pgemu.commands.view import check_updatable

        check_updatable(ctx.session, relation.view_query)
    _set(ctx, reloptions=options)
    _set_toast_options(ctx, transform_reloptions, command)


def _set_toast_options(
    ctx: Any, change: Callable[..., tuple[str, ...] | None], command: dict[str, Any]
) -> None:
    toast = ctx.relation.row.reltoastrelid
    if toast:
        old = toast_reloptions(ctx.catalog, ctx.relid)
        options = change(list_items(command["def"]), "toast", old)
        ctx.catalog.update(PgClass, {"oid": toast}, reloptions=options)


def reset_rel_options(ctx: Any, command: dict[str, Any]) -> None:
    """RESET (storage parameters)."""
    relation = ctx.relation
    kind = _option_kind(relation, ctx.catalog)
    options = reset_reloptions(list_items(command["def"]), kind, relation.row.reloptions)
    _set(ctx, reloptions=options)
    _set_toast_options(ctx, reset_reloptions, command)


def inherit(ctx: Any, command: dict[str, Any]) -> None:
    """INHERIT parent."""
    add_inherit(ctx.session, ctx.relation, command["def"]["RangeVar"])


def no_inherit(ctx: Any, command: dict[str, Any]) -> None:
    """NO INHERIT parent."""
    drop_inherit(ctx.session, ctx.relation, command["def"]["RangeVar"])


def add_of(ctx: Any, command: dict[str, Any]) -> None:
    """OF type: the columns must be those of the type."""
    from pgemu.catalog.heap import depend, insert_rows
    from pgemu.parser.parse_type import typename_type_id

    # no position: PostgreSQL looks the name up without the statement's text
    oid = typename_type_id(ctx.catalog, {**command["def"]["TypeName"], "location": -1})
    row = ctx.catalog.one(PgType, oid=oid)
    relation = ctx.relation
    if row.typtype != "c" or ctx.catalog.relation(row.typrelid).relkind != "c":
        raise PgError(
            WRONG_OBJECT_TYPE, f"type {ctx.catalog.type_name(oid)} is not a composite type"
        )
    if relation.parents:
        raise PgError(WRONG_OBJECT_TYPE, "typed tables cannot inherit")
    wanted = ctx.catalog.relation(row.typrelid).columns
    for i, att in enumerate(wanted):
        mine = relation.columns[i] if i < len(relation.columns) else None
        if mine is None:
            raise PgError(DATATYPE_MISMATCH, f'table is missing column "{att.attname}"')
        if mine.attname != att.attname:
            raise PgError(
                DATATYPE_MISMATCH,
                f'table has column "{mine.attname}" where type requires "{att.attname}"',
            )
        if (mine.atttypid, mine.atttypmod) != (att.atttypid, att.atttypmod):
            raise PgError(
                DATATYPE_MISMATCH,
                f'table "{relation.name}" has different type for column "{att.attname}"',
            )
    if len(relation.columns) > len(wanted):
        extra = relation.columns[len(wanted)].attname
        raise PgError(DATATYPE_MISMATCH, f'table has extra column "{extra}"')
    _set(ctx, reloftype=oid)
    link = depend((PG_CLASS_RELID, ctx.relid, 0), (PG_TYPE_RELID, oid, 0), "n")
    insert_rows(ctx.catalog, [link])


def drop_of(ctx: Any, command: dict[str, Any]) -> None:
    """NOT OF."""
    oid = ctx.relation.row.reloftype
    if not oid:
        raise PgError(WRONG_OBJECT_TYPE, f'"{ctx.relation.name}" is not a typed table')
    _set(ctx, reloftype=0)
    ctx.catalog.delete(
        PgDepend,
        classid=PG_CLASS_RELID, objid=ctx.relid, objsubid=0,
        refclassid=PG_TYPE_RELID, refobjid=oid,
    )  # fmt: skip


def replica_identity(ctx: Any, command: dict[str, Any]) -> None:
    """REPLICA IDENTITY."""
    stmt = command["def"]["ReplicaIdentityStmt"]
    kind = stmt["identity_type"]
    ctx.catalog.update(PgIndex, {"indrelid": ctx.relid}, indisreplident=False)
    if kind == "i":
        found = _index(ctx, stmt["name"])
        problems = (
            (not found.index.indisunique, "non-unique index"),
            (not found.index.indimmediate, "non-immediate index"),
            (bool(found.exprs), "expression index"),
            (found.pred is not None, "partial index"),
        )
        for bad, word in problems:
            if bad:
                raise PgError(
                    WRONG_OBJECT_TYPE,
                    f'cannot use {word} "{found.name}" as replica identity',
                )
        for attnum in found.key_attnums:
            att = ctx.relation.attr(attnum)
            if not att.attnotnull:
                raise PgError(
                    WRONG_OBJECT_TYPE,
                    f'index "{found.name}" cannot be used as replica identity because column '
                    f'"{att.attname}" is nullable',
                )
        ctx.catalog.update(PgIndex, {"indexrelid": found.oid}, indisreplident=True)
    _set(ctx, relreplident=kind)


def enable_rls(ctx: Any, command: dict[str, Any]) -> None:
    """ENABLE ROW LEVEL SECURITY."""
    _set(ctx, relrowsecurity=True)


def disable_rls(ctx: Any, command: dict[str, Any]) -> None:
    """DISABLE ROW LEVEL SECURITY."""
    _set(ctx, relrowsecurity=False)


def force_rls(ctx: Any, command: dict[str, Any]) -> None:
    """FORCE ROW LEVEL SECURITY."""
    _set(ctx, relforcerowsecurity=True)


def no_force_rls(ctx: Any, command: dict[str, Any]) -> None:
    """NO FORCE ROW LEVEL SECURITY."""
    _set(ctx, relforcerowsecurity=False)


_FIRES = {"Enable": "O", "EnableAlways": "A", "EnableReplica": "R", "Disable": "D"}


def enable_disable_trigger(ctx: Any, command: dict[str, Any]) -> None:
    """ENABLE / DISABLE TRIGGER name, ALL or USER (EnableDisableTrigger)."""
    from pgemu.catalog.roles import superuser

    word = command["subtype"].removeprefix("AT_")
    all_triggers, user_only = word.endswith("TrigAll"), word.endswith("TrigUser")
    fires = _FIRES[word[: word.index("Trig")]]
    name = command.get("name")
    found = False
    targets = ctx.relation.all_inheritors if ctx.relation.relkind == "p" and ctx.recurse else None
    for relid in targets or (ctx.relid,):
        for trigger in ctx.catalog.relation(relid).triggers:
            if not (all_triggers or user_only) and trigger.tgname != name:
                continue
            if relid != ctx.relid and not (trigger.tgparentid or trigger.tgisinternal):
                continue
            if trigger.tgisinternal:
                if user_only:
                    continue
                if not superuser(ctx.catalog):
                    raise PgError(
                        "42501",
                        f'permission denied: "{trigger.tgname}" is a system trigger',
                    )
            found = True
            if trigger.tgenabled != fires:
                ctx.catalog.update(PgTrigger, {"oid": trigger.oid}, tgenabled=fires)
    if not found and not (all_triggers or user_only):
        raise PgError(
            UNDEFINED_OBJECT, f'trigger "{name}" for table "{ctx.relation.name}" does not exist'
        )


def enable_disable_rule(ctx: Any, command: dict[str, Any]) -> None:
    """ENABLE / DISABLE RULE."""
    word = command["subtype"].removeprefix("AT_")
    fires = _FIRES[word.removesuffix("Rule")]
    row = ctx.catalog.one(PgRewrite, ev_class=ctx.relid, rulename=command["name"])
    if row is None:
        raise PgError(
            UNDEFINED_OBJECT,
            f'rule "{command["name"]}" for relation "{ctx.relation.name}" does not exist',
        )
    ctx.catalog.update(PgRewrite, {"oid": row.oid}, ev_enabled=fires)


def attach_partition(ctx: Any, command: dict[str, Any]) -> None:
    """ATTACH PARTITION."""
    from pgemu.commands.partition import attach
    from pgemu.commands.partition_index import attach_index

    if ctx.relation.relkind == "I":
        attach_index(ctx.session, ctx.relation, command["def"]["PartitionCmd"])
        return
    attach(ctx.session, ctx.relation, command["def"]["PartitionCmd"], ctx.source_text)


def detach_partition(ctx: Any, command: dict[str, Any]) -> None:
    """DETACH PARTITION; CONCURRENTLY has been dealt with before (detach.py)."""
    from pgemu.catalog.namespace import range_var_get_relid
    from pgemu.commands.detach import check_attached, check_not_referenced
    from pgemu.commands.partition import detach

    cmd = command["def"]["PartitionCmd"]
    catalog = ctx.session.catalog
    child = catalog.relation(range_var_get_relid(catalog, cmd["name"]))
    check_attached(catalog, ctx.relation, child)
    check_not_referenced(ctx.session, child)
    detach(ctx.session, ctx.relation, cmd)


def detach_partition_finalize(ctx: Any, command: dict[str, Any]) -> None:
    """DETACH PARTITION ... FINALIZE."""
    from pgemu.commands.detach import finalize

    finalize(ctx.session, ctx.relation, command["def"]["PartitionCmd"])
