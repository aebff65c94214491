"""process_utility: from a raw statement to the command that runs it (PostgreSQL's tcop/utility.c).

One row per raw tag.  A tag without a row is 0A000.  To add a command: write its function
(session, statement body, Statement) -> CommandResult and add its row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from pgemu.catalog.rows import PgEventTrigger
from pgemu.commands.cmdtag import create_command_tag
from pgemu.commands.detach import concurrent_detach, detach_concurrently
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.executor.committing import retrying_in_both_files
from pgemu.executor.locking import lock_for_utility
from pgemu.nodes.parsenodes import Query

Command = Callable[[Any, dict[str, Any], Statement], CommandResult]


@dataclass(frozen=True, slots=True)
class Row:
    """function: "module:name" inside pgemu.commands, imported at first use.  name: what messages
    call the command.  writes: refused in a read-only transaction (25006).  transactional: runs
    inside the statement's write transaction; the others manage their own."""

    function: str
    name: str
    writes: bool = True
    transactional: bool = True


COMMANDS: dict[str, Row] = {
    # tables
    "CreateStmt": Row("create_table:create_table", "CREATE TABLE"),
    "CreateTableAsStmt": Row("createas:create_table_as", "CREATE TABLE AS"),
    "AlterTableStmt": Row("alter_table:alter_table", "ALTER TABLE"),
    "RenameStmt": Row("rename:rename", "ALTER"),
    "AlterObjectSchemaStmt": Row("alter:alter_object_schema", "ALTER"),
    "AlterOwnerStmt": Row("alter:alter_owner", "ALTER"),
    "AlterObjectDependsStmt": Row("alter:alter_object_depends", "ALTER"),
    "DropStmt": Row("dropcmds:drop_objects", "DROP"),
    "TruncateStmt": Row("truncate:truncate", "TRUNCATE TABLE"),
    "ClusterStmt": Row("cluster:cluster", "CLUSTER", writes=False),
    "AlterTableMoveAllStmt": Row("tablespace:alter_table_move_all", "ALTER TABLE"),
    # indexes, views, sequences
    "IndexStmt": Row("indexcmds:define_index_stmt", "CREATE INDEX"),
    "ReindexStmt": Row("reindex:reindex", "REINDEX", writes=False),
    "ViewStmt": Row("view:define_view", "CREATE VIEW"),
    "RefreshMatViewStmt": Row("matview:refresh", "REFRESH MATERIALIZED VIEW"),
    "CreateSeqStmt": Row("sequence:define_sequence", "CREATE SEQUENCE"),
    "AlterSeqStmt": Row("sequence:alter_sequence", "ALTER SEQUENCE"),
    "RuleStmt": Row("rulecmds:define_rule", "CREATE RULE"),
    "CreateTrigStmt": Row("trigger:create_trigger", "CREATE TRIGGER"),
    "CreatePolicyStmt": Row("policy:create_policy", "CREATE POLICY"),
    "AlterPolicyStmt": Row("policy:alter_policy", "ALTER POLICY"),
    "CreateStatsStmt": Row("statscmds:create_statistics", "CREATE STATISTICS"),
    "AlterStatsStmt": Row("statscmds:alter_statistics", "ALTER STATISTICS"),
    # types
    "CreateEnumStmt": Row("typecmds:define_enum", "CREATE TYPE"),
    "AlterEnumStmt": Row("typecmds:alter_enum", "ALTER TYPE"),
    "CompositeTypeStmt": Row("typecmds:define_composite_type", "CREATE TYPE"),
    "CreateRangeStmt": Row("rangetypes:define_range", "CREATE TYPE"),
    "AlterTypeStmt": Row("basetypes:alter_type", "ALTER TYPE"),
    "CreateDomainStmt": Row("domains:define_domain", "CREATE DOMAIN"),
    "AlterDomainStmt": Row("domains:alter_domain", "ALTER DOMAIN"),
    "DefineStmt": Row("define_stmt:define", "CREATE"),
    # functions and operators
    "CreateFunctionStmt": Row("functioncmds:create_function", "CREATE FUNCTION"),
    "AlterFunctionStmt": Row("functioncmds:alter_function", "ALTER FUNCTION"),
    "AlterCollationStmt": Row("collationcmds:alter_collation", "ALTER COLLATION"),
    "CreateCastStmt": Row("castcmds:create_cast", "CREATE CAST"),
    "CreateTransformStmt": Row("transformcmds:create_transform", "CREATE TRANSFORM"),
    "CreateConversionStmt": Row("conversioncmds:create_conversion", "CREATE CONVERSION"),
    "CreateOpClassStmt": Row("opclasscmds:define_opclass", "CREATE OPERATOR CLASS"),
    "CreateOpFamilyStmt": Row("opclasscmds:define_opfamily", "CREATE OPERATOR FAMILY"),
    "AlterOpFamilyStmt": Row("opclasscmds:alter_opfamily", "ALTER OPERATOR FAMILY"),
    "AlterOperatorStmt": Row("operatorcmds:alter_operator", "ALTER OPERATOR"),
    "CreateAmStmt": Row("amcmds:create_access_method", "CREATE ACCESS METHOD"),
    # schemas, databases, roles
    "CreateTableSpaceStmt": Row("tablespace:create_tablespace", "CREATE TABLESPACE"),
    "DropTableSpaceStmt": Row("tablespace:drop_tablespace", "DROP TABLESPACE"),
    "AlterTableSpaceOptionsStmt": Row("tablespace:alter_tablespace_options", "ALTER TABLESPACE"),
    "CreateSchemaStmt": Row("schemacmds:create_schema", "CREATE SCHEMA"),
    "CreatedbStmt": Row("dbcommands:createdb", "CREATE DATABASE", transactional=False),
    "DropdbStmt": Row("dbcommands:dropdb", "DROP DATABASE", transactional=False),
    "AlterDatabaseStmt": Row("dbcommands:alter_database", "ALTER DATABASE"),
    "AlterDatabaseSetStmt": Row("dbcommands:alter_database_set", "ALTER DATABASE"),
    "AlterDatabaseRefreshCollStmt": Row("dbcommands:refresh_collation", "ALTER DATABASE"),
    "CreateRoleStmt": Row("user:create_role", "CREATE ROLE"),
    "AlterRoleStmt": Row("user:alter_role", "ALTER ROLE"),
    "AlterRoleSetStmt": Row("user:alter_role_set", "ALTER ROLE"),
    "DropRoleStmt": Row("user:drop_role", "DROP ROLE"),
    "GrantRoleStmt": Row("user:grant_role", "GRANT ROLE"),
    "GrantStmt": Row("grant:grant", "GRANT"),
    "AlterDefaultPrivilegesStmt": Row(
        "default_acl:alter_default_privileges", "ALTER DEFAULT PRIVILEGES"
    ),
    "DropOwnedStmt": Row("owned:drop_owned", "DROP OWNED"),
    "ReassignOwnedStmt": Row("owned:reassign_owned", "REASSIGN OWNED"),
    # extensions and what stands beside
    "CreateExtensionStmt": Row("extension:create_extension", "CREATE EXTENSION"),
    "AlterExtensionStmt": Row("extension:alter_extension", "ALTER EXTENSION"),
    "AlterExtensionContentsStmt": Row("extension:alter_extension_contents", "ALTER EXTENSION"),
    "CreatePLangStmt": Row("proclang:create_language", "CREATE LANGUAGE"),
    "CreatePublicationStmt": Row("publicationcmds:create_publication", "CREATE PUBLICATION"),
    "AlterPublicationStmt": Row("publicationcmds:alter_publication", "ALTER PUBLICATION"),
    "CreateSubscriptionStmt": Row("subscriptioncmds:create_subscription", "CREATE SUBSCRIPTION"),
    "AlterSubscriptionStmt": Row("subscriptioncmds:alter_subscription", "ALTER SUBSCRIPTION"),
    "DropSubscriptionStmt": Row("subscriptioncmds:drop_subscription", "DROP SUBSCRIPTION"),
    "CreateEventTrigStmt": Row("event_trigger:create_event_trigger", "CREATE EVENT TRIGGER"),
    "AlterEventTrigStmt": Row("event_trigger:alter_event_trigger", "ALTER EVENT TRIGGER"),
    "CommentStmt": Row("comment:comment", "COMMENT"),
    "SecLabelStmt": Row("comment:security_label", "SECURITY LABEL"),
    "CreateFdwStmt": Row("foreigncmds:create_fdw", "CREATE FOREIGN DATA WRAPPER"),
    "AlterFdwStmt": Row("foreigncmds:alter_fdw", "ALTER FOREIGN DATA WRAPPER"),
    "AlterForeignServerStmt": Row("foreigncmds:alter_server", "ALTER SERVER"),
    "AlterUserMappingStmt": Row("foreigncmds:alter_user_mapping", "ALTER USER MAPPING"),
    "CreateForeignServerStmt": Row("foreigncmds:create_server", "CREATE SERVER"),
    "CreateForeignTableStmt": Row("foreigncmds:create_foreign_table", "CREATE FOREIGN TABLE"),
    "CreateUserMappingStmt": Row("foreigncmds:create_user_mapping", "CREATE USER MAPPING"),
    "ImportForeignSchemaStmt": Row("foreigncmds:import_foreign_schema", "IMPORT FOREIGN SCHEMA"),
    "DropUserMappingStmt": Row("foreigncmds:drop_user_mapping", "DROP USER MAPPING"),
    "AlterTSConfigurationStmt": Row("tsearchcmds:alter_config", "ALTER TEXT SEARCH CONFIGURATION"),
    "AlterTSDictionaryStmt": Row("tsearchcmds:alter_dictionary", "ALTER TEXT SEARCH DICTIONARY"),
    # settings and maintenance
    "VariableSetStmt": Row("variable:variable_set", "SET", writes=False, transactional=False),
    "VariableShowStmt": Row("variable:variable_show", "SHOW", writes=False, transactional=False),
    "ConstraintsSetStmt": Row(
        "set_constraints:set_constraints", "SET CONSTRAINTS", writes=False, transactional=False
    ),
    "DiscardStmt": Row("variable:discard", "DISCARD", writes=False, transactional=False),
    "AlterSystemStmt": Row(
        "alter_system:alter_system", "ALTER SYSTEM", writes=False, transactional=False
    ),
    "ListenStmt": Row("async_:listen", "LISTEN", writes=False, transactional=False),
    "UnlistenStmt": Row("async_:unlisten", "UNLISTEN", writes=False, transactional=False),
    "NotifyStmt": Row("async_:notify", "NOTIFY", writes=False, transactional=False),
    "LockStmt": Row("lockcmds:lock_table", "LOCK TABLE", writes=False, transactional=False),
    "VacuumStmt": Row("vacuum:vacuum", "VACUUM", writes=False, transactional=False),
    "CheckPointStmt": Row("vacuum:checkpoint", "CHECKPOINT", writes=False, transactional=False),
    "CopyStmt": Row("copy:copy", "COPY", writes=False, transactional=False),
    "ExplainStmt": Row("explain:explain", "EXPLAIN", writes=False, transactional=False),
    "DoStmt": Row("docmds:execute_do", "DO", writes=False, transactional=False),
    "CallStmt": Row("callcmds:execute_call", "CALL", writes=False, transactional=False),
    "LoadStmt": Row("extension:load", "LOAD", writes=False, transactional=False),
}

# These neither read nor write rows of tables: what they make, and what commands before them in the
# transaction have made, can be built later.
_BUILD_LATE = frozenset(
    {
        "CreateStmt", "IndexStmt", "ViewStmt", "CreateSeqStmt", "AlterSeqStmt", "CreateEnumStmt",
        "CreateFunctionStmt", "CreateTrigStmt", "CommentStmt", "GrantStmt", "AlterOwnerStmt",
        "RenameStmt", "VariableSetStmt", "VariableShowStmt",
    }
)  # fmt: skip


def has_command(tag: str) -> bool:
    """Does this room run statements of this raw tag?"""
    return tag in COMMANDS


@cache
def _load(row: Row) -> Command:
    module, _, name = row.function.partition(":")
    try:
        loaded = import_module(f"pgemu.commands.{module}")
    except ModuleNotFoundError as error:
        if error.name != f"pgemu.commands.{module}":
            raise
        raise PgError(FEATURE_NOT_SUPPORTED, f"{row.name} is not supported") from None
    command: Command = getattr(loaded, name)
    return command


def process_utility(
    session: Any,
    query: Any,
    source_text: str = "",
    params: Any = (),
    *,
    top_level: bool = True,
    complete: bool = True,
) -> CommandResult:
    """Run a utility statement: an analyzed Query whose utility_stmt is the raw node, a RawStmt,
    or the raw node itself.  complete: not a part of another statement (event triggers fire for
    complete ones)."""
    if isinstance(query, Query):
        raw = query.utility_stmt or {}
        analyzed: Query | None = query
    else:
        raw = getattr(query, "node", query)
        analyzed = None
    tag, stmt = next(iter(raw.items()))
    row = COMMANDS.get(tag)
    if row is None:
        word = tag.removesuffix("Stmt")
        raise PgError(FEATURE_NOT_SUPPORTED, f"{word} is not supported")
    if row.writes and session.xact.current.read_only:
        session.xact.prevent_if_read_only(create_command_tag(tag, stmt, row.name))
    st = Statement(source_text, analyzed, params, top_level, tag)
    command = _load(row)
    if not lock_for_utility(session, raw):
        session.accept_invalidations()
    if not row.transactional:
        if tag not in _BUILD_LATE:
            session.xact.build_storage()
        return command(session, stmt, st)
    several = _in_several_transactions(session, tag, stmt, st)
    if several is not None:
        return several

    def run() -> CommandResult:
        with session.xact.write():
            if not session.catalog.all(PgEventTrigger):
                return command(session, stmt, st)
            from pgemu.commands.event_trigger_fire import with_event_triggers

            done: CommandResult = with_event_triggers(
                session, tag, stmt, row.name, complete, lambda: command(session, stmt, st)
            )
            return done

    return _run_transactional(session, tag, stmt, st, run)


def _run_transactional(
    session: Any, tag: str, stmt: dict[str, Any], st: Statement, run: Callable[[], CommandResult]
) -> CommandResult:
    xact = session.xact
    outer = xact.builds_late
    xact.builds_late = (
        tag in _BUILD_LATE and not xact.write_depth and not session.catalog.all(PgEventTrigger)
    )
    try:
        if not xact.builds_late:
            xact.build_storage()
        return retrying_in_both_files(session, run)
    finally:
        xact.builds_late = outer


def _in_several_transactions(
    session: Any, tag: str, stmt: dict[str, Any], st: Statement
) -> CommandResult | None:
    """The statements whose CONCURRENTLY wants a transaction for each step; None: it is none."""
    detached = concurrent_detach(stmt) if tag == "AlterTableStmt" else None
    if detached is not None:
        detach_concurrently(session, stmt, detached)
        return CommandResult("ALTER TABLE")
    if tag == "IndexStmt" and stmt.get("concurrent") and not session.catalog.all(PgEventTrigger):
        from pgemu.commands.indexcmds import define_index_concurrently

        session.xact.build_storage()
        return define_index_concurrently(session, stmt, st)
    return None
