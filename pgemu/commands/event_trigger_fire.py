"""Running event triggers around a utility statement (the lower half of PostgreSQL's
event_trigger.c and ProcessUtilitySlow).

The object that a command made or changed is not handed back by the commands.  It is found from
the parse tree: by name before the command for ALTER and COMMENT, afterwards for new relations,
and for everything else as the first row of the command's catalog that was written meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.catalog import rows as r
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.commands.cmdtag import EVENT_TRIGGER_TAGS, create_command_tag
from pgemu.commands.define import strings
from pgemu.errors import PgError
from pgemu.executor.event_triggers import EventTriggerQueryState

# objects of these types exist for the whole cluster, or are event triggers
_UNSUPPORTED_TYPES = frozenset(
    {
        "OBJECT_DATABASE",
        "OBJECT_TABLESPACE",
        "OBJECT_ROLE",
        "OBJECT_PARAMETER_ACL",
        "OBJECT_EVENT_TRIGGER",
    }
)
# statement -> field with the RangeVar of the relation that it makes or changes
_RELATION = {
    "CreateStmt": "relation", "ViewStmt": "view", "CreateSeqStmt": "sequence",
    "AlterSeqStmt": "sequence", "AlterTableStmt": "relation", "RefreshMatViewStmt": "relation",
}  # fmt: skip
# statement -> catalog of the object that it makes
_CREATED: dict[str, type[Any]] = {
    "IndexStmt": r.PgClass, "RuleStmt": r.PgRewrite, "CreateTrigStmt": r.PgTrigger,
    "CreatePolicyStmt": r.PgPolicy, "CreateStatsStmt": r.PgStatisticExt,
    "CreateEnumStmt": r.PgType, "CompositeTypeStmt": r.PgType, "CreateRangeStmt": r.PgType,
    "CreateDomainStmt": r.PgType, "CreateFunctionStmt": r.PgProc, "CreateCastStmt": r.PgCast,
    "CreateTransformStmt": r.PgTransform, "CreateConversionStmt": r.PgConversion,
    "CreateOpClassStmt": r.PgOpclass, "CreateOpFamilyStmt": r.PgOpfamily,
    "CreateAmStmt": r.PgAm, "CreateSchemaStmt": r.PgNamespace,
    "CreateExtensionStmt": r.PgExtension, "CreatePLangStmt": r.PgLanguage,
    "CreatePublicationStmt": r.PgPublication, "CreateSubscriptionStmt": r.PgSubscription,
    "CreateFdwStmt": r.PgForeignDataWrapper, "CreateForeignServerStmt": r.PgForeignServer,
    "CreateUserMappingStmt": r.PgUserMapping, "AlterUserMappingStmt": r.PgUserMapping,
    "AlterPolicyStmt": r.PgPolicy, "AlterSubscriptionStmt": r.PgSubscription,
    "AlterPublicationStmt": r.PgPublication, "AlterTSConfigurationStmt": r.PgTsConfig,
    "AlterTSDictionaryStmt": r.PgTsDict, "AlterOperatorStmt": r.PgOperator,
    "AlterExtensionStmt": r.PgExtension, "AlterFdwStmt": r.PgForeignDataWrapper,
    "AlterForeignServerStmt": r.PgForeignServer, "AlterStatsStmt": r.PgStatisticExt,
}  # fmt: skip
_DEFINED: dict[str, type[Any]] = {
    "OBJECT_TYPE": r.PgType, "OBJECT_AGGREGATE": r.PgProc, "OBJECT_OPERATOR": r.PgOperator,
    "OBJECT_COLLATION": r.PgCollation, "OBJECT_TSDICTIONARY": r.PgTsDict,
    "OBJECT_TSCONFIGURATION": r.PgTsConfig, "OBJECT_TSPARSER": r.PgTsParser,
    "OBJECT_TSTEMPLATE": r.PgTsTemplate,
}  # fmt: skip
# statements that name a type, a domain or something else that exists: (object type, field)
_NAMED = {
    "AlterEnumStmt": ("OBJECT_TYPE", "typeName"), "AlterDomainStmt": ("OBJECT_DOMAIN", "typeName"),
    "AlterTypeStmt": ("OBJECT_TYPE", "typeName"), "AlterStatsStmt": ("OBJECT_STATISTIC_EXT",
    "defnames"), "AlterTSConfigurationStmt": ("OBJECT_TSCONFIGURATION", "cfgname"),
    "AlterTSDictionaryStmt": ("OBJECT_TSDICTIONARY", "dictname"),
}  # fmt: skip
_PLAIN = {
    "AlterPublicationStmt": ("OBJECT_PUBLICATION", "pubname"),
    "AlterExtensionStmt": ("OBJECT_EXTENSION", "extname"),
    "AlterFdwStmt": ("OBJECT_FDW", "fdwname"),
    "AlterForeignServerStmt": ("OBJECT_FOREIGN_SERVER", "servername"),
}


def with_event_triggers(
    session: Any, tag: str, stmt: dict[str, Any], name: str, complete: bool, run: Callable[[], Any]
) -> Any:
    """Run a command with its event triggers.  complete: not a part of another command."""
    command_tag = create_command_tag(tag, stmt, name)
    if command_tag not in EVENT_TRIGGER_TAGS or not _supported(tag, stmt):
        return run()
    if not complete:
        state = session.event_trigger_state
        return run() if state is None else _collecting(session, state, tag, stmt, command_tag, run)
    if not _triggers_exist(session):
        _invoke(session, "ddl_command_start", command_tag)
        return run()
    state = EventTriggerQueryState(session.event_trigger_state)
    session.event_trigger_state = state
    observer = session.catalog.observer
    session.catalog.observer = state.touch
    try:
        _invoke(session, "ddl_command_start", command_tag)
        result = _collecting(session, state, tag, stmt, command_tag, run)
        if state.dropped:
            state.in_sql_drop = True
            try:
                _invoke(session, "sql_drop", command_tag)
            finally:
                state.in_sql_drop = False
        _invoke(session, "ddl_command_end", command_tag)
        return result
    finally:
        session.event_trigger_state = state.previous
        session.catalog.observer = observer


def _supported(tag: str, stmt: dict[str, Any]) -> bool:
    """EventTriggerSupportsObjectType."""
    for fieldname in ("objtype", "objectType", "renameType", "removeType"):
        if stmt.get(fieldname) in _UNSUPPORTED_TYPES:
            return False
    return tag != "ReindexStmt"


def _triggers_exist(session: Any) -> bool:
    """trackDroppedObjectsNeeded."""
    triggers = session.catalog.all(r.PgEventTrigger)
    return any(t.evtevent != "ddl_command_start" and t.evtenabled != "D" for t in triggers)


def _invoke(session: Any, event: str, command_tag: str) -> None:
    """EventTriggerCommonSetup and EventTriggerInvoke: those of the event, by name."""
    catalog = session.catalog
    replica = str(session.guc.values["session_replication_role"]) == "replica"
    due = [
        t
        for t in catalog.all(r.PgEventTrigger, evtevent=event)
        if t.evtenabled not in (("O", "D") if replica else ("R", "D"))
        and (t.evttags is None or command_tag in t.evttags)
    ]
    for trigger in sorted(due, key=lambda t: t.evtname):
        proc = catalog.get(r.PgProc, oid=trigger.evtfoid)
        session.call_event_trigger_function(proc, event, command_tag)


def table_rewrite(session: Any, command_tag: str, relid: int, reason: int) -> None:
    """EventTriggerTableRewrite: a table is about to get new storage."""
    state = session.event_trigger_state
    if state is None:
        return
    state.rewrite_oid, state.rewrite_reason = relid, reason
    try:
        _invoke(session, "table_rewrite", command_tag)
    finally:
        state.rewrite_oid = state.rewrite_reason = 0


def _collecting(
    session: Any, state: Any, tag: str, stmt: dict[str, Any], command_tag: str,
    run: Callable[[], Any],
) -> Any:  # fmt: skip
    """Run the command and remember what it made or changed."""
    if tag == "GrantStmt":
        result = run()
        state.collect(command_tag, None, _grant_words(stmt["objtype"], plural=False))
        return result
    if tag == "AlterDefaultPrivilegesStmt":
        result = run()
        words = _grant_words(stmt["action"]["objtype"], plural=True)
        state.collect(command_tag, None, words)
        return result
    before = _existing_address(session, tag, stmt)
    first, seen = len(state.touched), len(state.commands)
    inhibited, state.inhibited = state.inhibited, state.inhibited or tag == "RefreshMatViewStmt"
    try:
        result = run()
    finally:
        state.inhibited = inhibited
    if tag in ("DropStmt", "DropOwnedStmt", "DropUserMappingStmt", "DropSubscriptionStmt"):
        return result
    address = before or _new_address(session, tag, stmt, state.touched[first:])
    if address is None:
        return result
    done = any(c.tag == command_tag and c.address == address for c in state.commands[seen:])
    if not done:
        state.collect(command_tag, address)
    return result


def _grant_words(objtype: str, *, plural: bool) -> str:
    """stringify_grant_objtype, stringify_adefprivs_objtype."""
    from pgemu.commands.cmdtag import object_words

    words = object_words(objtype)
    if objtype == "OBJECT_FOREIGN_SERVER":
        words = "FOREIGN SERVER"
    return words + "S" if plural else words


def _existing_address(session: Any, tag: str, stmt: dict[str, Any]) -> ObjectAddress | None:
    """What ALTER, COMMENT and SECURITY LABEL are about; None for commands that make something,
    and where the command itself will tell what is wrong."""
    objtype, node = "", None
    if tag in _NAMED:
        objtype, column = _NAMED[tag]
        node = {"List": {"items": stmt[column]}}
    elif tag in _PLAIN:
        objtype, column = _PLAIN[tag]
        node = {"String": {"sval": stmt[column]}}
    elif tag in ("CommentStmt", "SecLabelStmt"):
        objtype, node = stmt["objtype"], stmt.get("object")
    elif tag in ("AlterOwnerStmt", "AlterObjectSchemaStmt", "AlterObjectDependsStmt"):
        objtype, node = stmt["objectType"], stmt.get("object")
    elif tag == "RenameStmt":
        objtype, node = stmt["renameType"], stmt.get("object")
        if objtype == "OBJECT_SCHEMA":
            node = {"String": {"sval": stmt["subname"]}}
    elif tag == "AlterFunctionStmt":
        objtype, node = stmt["objtype"], {"ObjectWithArgs": stmt["func"]}
    try:
        if "relation" in stmt and tag in ("RenameStmt", "AlterObjectSchemaStmt",
                                          "AlterObjectDependsStmt"):  # fmt: skip
            return _on_relation(session, objtype, stmt)
        if node is None:
            return None
        from pgemu.commands.get_object_address import get_object_address

        found = get_object_address(session.catalog, objtype, node, True)
    except PgError:
        return None
    return ObjectAddress(*found) if found is not None else None


def _on_relation(session: Any, objtype: str, stmt: dict[str, Any]) -> ObjectAddress | None:
    """A relation, or a column, constraint, trigger, rule or policy of one."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    relid = range_var_get_relid(catalog, stmt["relation"], True)
    if not relid:
        return None
    name = stmt.get("subname", "")
    if objtype in ("OBJECT_COLUMN", "OBJECT_ATTRIBUTE"):
        att = catalog.relation(relid).attrs_by_name.get(name)
        return ObjectAddress(r.PgClass.RELID, relid, att.attnum) if att is not None else None
    parts: dict[str, tuple[type[Any], str, str]] = {
        "OBJECT_TABCONSTRAINT": (r.PgConstraint, "conrelid", "conname"),
        "OBJECT_TRIGGER": (r.PgTrigger, "tgrelid", "tgname"),
        "OBJECT_RULE": (r.PgRewrite, "ev_class", "rulename"),
        "OBJECT_POLICY": (r.PgPolicy, "polrelid", "polname"),
    }
    part = parts.get(objtype)
    if part is None:
        return ObjectAddress(r.PgClass.RELID, relid, 0)
    cls, relation_column, name_column = part
    row: Any = catalog.one(cls, **{relation_column: relid, name_column: name})
    return ObjectAddress(cls.RELID, row.oid, 0) if row is not None else None


def _new_address(
    session: Any, tag: str, stmt: dict[str, Any], touched: list[tuple[type[Any], int]]
) -> ObjectAddress | None:
    from pgemu.catalog.namespace import range_var_get_relid

    range_var = None
    if tag == "CreateTableAsStmt":
        range_var = stmt["into"]["rel"]
    elif tag == "CreateForeignTableStmt":
        base = stmt.get("base", stmt)
        range_var = base["relation"]
    elif tag in _RELATION:
        range_var = stmt[_RELATION[tag]]
    if range_var is not None:
        oid = range_var_get_relid(session.catalog, range_var, True)
        is_old = stmt.get("if_not_exists") and (r.PgClass, oid) not in touched
        return ObjectAddress(r.PgClass.RELID, oid, 0) if oid and not is_old else None
    cls = _DEFINED.get(stmt["kind"]) if tag == "DefineStmt" else _CREATED.get(tag)
    if cls is None:
        return None
    names = [oid for written, oid in touched if written is cls]
    if cls is r.PgType:
        wanted = _type_name(stmt)
        names = [oid for oid in names if session.catalog.get(r.PgType, oid=oid).typname == wanted]
    return ObjectAddress(cls.RELID, names[0], 0) if names else None


def _type_name(stmt: dict[str, Any]) -> str:
    if "typevar" in stmt:
        return str(stmt["typevar"]["relname"])
    for fieldname in ("domainname", "typeName", "defnames"):
        if fieldname in stmt:
            return strings(stmt[fieldname])[-1]
    return ""
