"""ALTER TABLE, INDEX, VIEW, SEQUENCE ... with subcommands (ATController of tablecmds.c).

The subcommands of one statement run in PostgreSQL's passes: drops, type changes, renamed or old
things, new columns, attributes, constraints, indexes; so `ADD CONSTRAINT ... , ADD COLUMN ...`
works in any written order.  To add a subcommand: its function and its row in `SUBCOMMANDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pgemu.catalog.toasting import alter_table_create_toast_table
from pgemu.commands import alter_column as ac
from pgemu.commands import alter_constraint as con
from pgemu.commands import alter_misc as misc
from pgemu.commands import alter_type_rewrite, foreigncmds
from pgemu.commands.ddl_messages import debug1
from pgemu.commands.detach import check_not_pending
from pgemu.commands.in_use import check_table_not_in_use
from pgemu.commands.indexcmds import not_supported_detail
from pgemu.commands.permissions import check_not_system, check_owner
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_OBJECT_DEFINITION,
    SYNTAX_ERROR,
    WRONG_OBJECT_TYPE,
    PgError,
)

(
    PASS_DROP, PASS_ALTER_TYPE, PASS_OLD_INDEX, PASS_OLD_CONSTR, PASS_ADD_COL, PASS_COL_ATTRS,
    PASS_ADD_CONSTR, PASS_ADD_INDEXCONSTR, PASS_ADD_OTHERCONSTR, PASS_MISC,
) = range(10)  # fmt: skip


@dataclass(slots=True)
class AlterContext:
    """What the subcommands of one ALTER TABLE share."""

    session: Any
    st: Statement
    relid: int
    recurse: bool
    source_text: str
    commands: list[dict[str, Any]] = field(default_factory=list)
    # constraints and indexes to make again after type changes
    rebuild: list[Any] = field(default_factory=list)
    # tables that get new storage, and why (AT_REWRITE_*)
    rewrites: dict[int, int] = field(default_factory=dict)

    def note_rewrite(self, relid: int, reason: int) -> None:
        """This table's rows are written anew."""
        if relid not in self.rewrites:
            debug1(self.session, f'rewriting table "{self.catalog.relation(relid).name}"')
        self.rewrites[relid] = self.rewrites.get(relid, 0) | reason

    @property
    def catalog(self) -> Any:
        return self.session.catalog

    @property
    def relation(self) -> Any:
        """As the catalogs have it now."""
        return self.session.catalog.relation(self.relid)


Handler = Callable[[AlterContext, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Subcommand:
    """kinds: relkinds it may be used on; words: how the error for other kinds calls it."""

    handler: Handler
    at_pass: int
    kinds: str
    words: str


SUBCOMMANDS: dict[str, Subcommand] = {
    "AT_AddColumn": Subcommand(ac.add_column, PASS_ADD_COL, "rpfc", "ADD COLUMN"),
    "AT_ColumnDefault": Subcommand(
        ac.column_default, PASS_COL_ATTRS, "rpvf", "ALTER COLUMN ... SET DEFAULT"
    ),
    "AT_DropNotNull": Subcommand(
        ac.drop_not_null, PASS_DROP, "rpf", "ALTER COLUMN ... DROP NOT NULL"
    ),
    "AT_SetNotNull": Subcommand(
        ac.set_not_null, PASS_COL_ATTRS, "rpf", "ALTER COLUMN ... SET NOT NULL"
    ),
    "AT_DropExpression": Subcommand(
        ac.drop_expression, PASS_DROP, "rpf", "ALTER COLUMN ... DROP EXPRESSION"
    ),
    "AT_SetStatistics": Subcommand(
        ac.set_statistics, PASS_MISC, "rpmifI", "ALTER COLUMN ... SET STATISTICS"
    ),
    "AT_SetOptions": Subcommand(ac.set_options, PASS_MISC, "rpmf", "ALTER COLUMN ... SET"),
    "AT_ResetOptions": Subcommand(ac.reset_options, PASS_MISC, "rpmf", "ALTER COLUMN ... RESET"),
    "AT_SetStorage": Subcommand(ac.set_storage, PASS_MISC, "rpmf", "ALTER COLUMN ... SET STORAGE"),
    "AT_SetCompression": Subcommand(
        ac.set_compression, PASS_MISC, "rpm", "ALTER COLUMN ... SET COMPRESSION"
    ),
    "AT_DropColumn": Subcommand(ac.drop_column, PASS_DROP, "rpfc", "DROP COLUMN"),
    "AT_AlterColumnType": Subcommand(
        alter_type_rewrite.alter_column_type,
        PASS_ALTER_TYPE,
        "rpfc",
        "ALTER COLUMN ... SET DATA TYPE",
    ),
    "AT_AddIdentity": Subcommand(
        ac.add_identity, PASS_ADD_OTHERCONSTR, "rpvf", "ALTER COLUMN ... ADD IDENTITY"
    ),
    "AT_SetIdentity": Subcommand(ac.set_identity, PASS_MISC, "rpvf", "ALTER COLUMN ... SET"),
    "AT_DropIdentity": Subcommand(
        ac.drop_identity, PASS_DROP, "rpvf", "ALTER COLUMN ... DROP IDENTITY"
    ),
    "AT_AddConstraint": Subcommand(con.add_constraint, PASS_ADD_CONSTR, "rpf", "ADD CONSTRAINT"),
    "AT_DropConstraint": Subcommand(con.drop_constraint, PASS_DROP, "rpf", "DROP CONSTRAINT"),
    "AT_AlterConstraint": Subcommand(con.alter_constraint, PASS_MISC, "rp", "ALTER CONSTRAINT"),
    "AT_ValidateConstraint": Subcommand(
        con.validate_constraint, PASS_MISC, "rpf", "VALIDATE CONSTRAINT"
    ),
    "AT_ChangeOwner": Subcommand(misc.change_owner, PASS_MISC, "rpvmSfiIc", "OWNER TO"),
    "AT_ClusterOn": Subcommand(misc.cluster_on, PASS_MISC, "rpm", "CLUSTER ON"),
    "AT_DropCluster": Subcommand(misc.drop_cluster, PASS_MISC, "rpm", "SET WITHOUT CLUSTER"),
    "AT_SetLogged": Subcommand(misc.set_logged, PASS_MISC, "rpS", "SET LOGGED"),
    "AT_SetUnLogged": Subcommand(misc.set_unlogged, PASS_MISC, "rpS", "SET UNLOGGED"),
    "AT_DropOids": Subcommand(misc.nothing, PASS_DROP, "rpf", "SET WITHOUT OIDS"),
    "AT_SetAccessMethod": Subcommand(misc.set_access_method, PASS_MISC, "rpm", "SET ACCESS METHOD"),
    "AT_SetTableSpace": Subcommand(misc.set_tablespace, PASS_MISC, "rpmiI", "SET TABLESPACE"),
    "AT_SetRelOptions": Subcommand(misc.set_rel_options, PASS_MISC, "rpvmi", "SET"),
    "AT_ResetRelOptions": Subcommand(misc.reset_rel_options, PASS_MISC, "rpvmi", "RESET"),
    "AT_GenericOptions": Subcommand(foreigncmds.alter_table_options, PASS_MISC, "f", "OPTIONS"),
    "AT_AlterColumnGenericOptions": Subcommand(
        foreigncmds.alter_column_options, PASS_MISC, "f", "ALTER COLUMN ... OPTIONS"
    ),
    "AT_AddInherit": Subcommand(misc.inherit, PASS_MISC, "rf", "INHERIT"),
    "AT_DropInherit": Subcommand(misc.no_inherit, PASS_MISC, "rf", "NO INHERIT"),
    "AT_AddOf": Subcommand(misc.add_of, PASS_MISC, "rp", "OF"),
    "AT_DropOf": Subcommand(misc.drop_of, PASS_MISC, "rp", "NOT OF"),
    "AT_ReplicaIdentity": Subcommand(misc.replica_identity, PASS_MISC, "rpm", "REPLICA IDENTITY"),
    "AT_EnableRowSecurity": Subcommand(misc.enable_rls, PASS_MISC, "rp", "ENABLE ROW SECURITY"),
    "AT_DisableRowSecurity": Subcommand(misc.disable_rls, PASS_MISC, "rp", "DISABLE ROW SECURITY"),
    "AT_ForceRowSecurity": Subcommand(misc.force_rls, PASS_MISC, "rp", "FORCE ROW SECURITY"),
    "AT_NoForceRowSecurity": Subcommand(
        misc.no_force_rls, PASS_MISC, "rp", "NO FORCE ROW SECURITY"
    ),
    "AT_DetachPartitionFinalize": Subcommand(
        misc.detach_partition_finalize, PASS_MISC, "p", "DETACH PARTITION ... FINALIZE"
    ),
    "AT_AttachPartition": Subcommand(misc.attach_partition, PASS_MISC, "pI", "ATTACH PARTITION"),
    "AT_DetachPartition": Subcommand(misc.detach_partition, PASS_MISC, "p", "DETACH PARTITION"),
    **{
        name: Subcommand(misc.enable_disable_trigger, PASS_MISC, "rpf", words)
        for name, words in (
            ("AT_EnableTrig", "ENABLE TRIGGER"),
            ("AT_EnableAlwaysTrig", "ENABLE ALWAYS TRIGGER"),
            ("AT_EnableReplicaTrig", "ENABLE REPLICA TRIGGER"),
            ("AT_DisableTrig", "DISABLE TRIGGER"),
            ("AT_EnableTrigAll", "ENABLE TRIGGER ALL"),
            ("AT_DisableTrigAll", "DISABLE TRIGGER ALL"),
            ("AT_EnableTrigUser", "ENABLE TRIGGER USER"),
            ("AT_DisableTrigUser", "DISABLE TRIGGER USER"),
        )
    },
    **{
        name: Subcommand(misc.enable_disable_rule, PASS_MISC, "rp", words)
        for name, words in (
            ("AT_EnableRule", "ENABLE RULE"),
            ("AT_EnableAlwaysRule", "ENABLE ALWAYS RULE"),
            ("AT_EnableReplicaRule", "ENABLE REPLICA RULE"),
            ("AT_DisableRule", "DISABLE RULE"),
        )
    },
}
_OBJECT = {
    "OBJECT_TABLE": ("TABLE", "rpSvmfiI", ""),
    "OBJECT_INDEX": ("INDEX", "iI", "an index"),
    "OBJECT_VIEW": ("VIEW", "v", "a view"),
    "OBJECT_MATVIEW": ("MATERIALIZED VIEW", "m", "a materialized view"),
    "OBJECT_SEQUENCE": ("SEQUENCE", "S", "a sequence"),
    "OBJECT_FOREIGN_TABLE": ("FOREIGN TABLE", "f", "a foreign table"),
    "OBJECT_TYPE": ("TYPE", "c", "a composite type"),
}
_ATTRIBUTE_WORDS = {
    "AT_AddColumn": "ADD ATTRIBUTE",
    "AT_DropColumn": "DROP ATTRIBUTE",
    "AT_AlterColumnType": "ALTER ATTRIBUTE ... SET DATA TYPE",
}


def alter_table(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER TABLE and its siblings."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    word, kinds, article = _OBJECT[stmt.get("objtype", "OBJECT_TABLE")]
    body = stmt["relation"]
    oid = range_var_get_relid(catalog, body, bool(stmt.get("missing_ok")))
    if not oid:
        session.notice("NOTICE", "00000", f'relation "{body["relname"]}" does not exist, skipping')
        return CommandResult(f"ALTER {word}")
    relation = catalog.relation(oid)
    if relation.relkind not in kinds:
        if relation.relkind == "c" and word == "TABLE":
            raise PgError(
                WRONG_OBJECT_TYPE,
                f'"{relation.name}" is a composite type',
                hint="Use ALTER TYPE instead.",
            )
        raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is not {article or "a table"}')
    check_owner(session, relation)
    check_not_system(session, relation)
    check_table_not_in_use(session, relation, "ALTER TABLE")
    if relation.is_partition:
        check_not_pending(session, relation)
    commands = [c["AlterTableCmd"] for c in stmt["cmds"]]
    ctx = AlterContext(session, st, oid, bool(body.get("inh")), st.source_text, commands)
    for command in commands:
        _check_kind(relation, command, word)
    _check_single(commands)
    staged = sorted(
        _expand(ctx, commands), key=lambda c: _pass_of(c)
    )  # sorted is stable: written order within a pass
    after_types = False
    for command in staged:
        if not after_types and ctx.rebuild and _pass_of(command) > PASS_ALTER_TYPE:
            alter_type_rewrite.rebuild(ctx)
            after_types = True
        SUBCOMMANDS[command["subtype"]].handler(ctx, command)
    if ctx.rebuild:
        alter_type_rewrite.rebuild(ctx)
    if relation.relkind in "rmp":
        for one in catalog.relation(oid).all_inheritors if ctx.recurse else (oid,):
            alter_table_create_toast_table(catalog, one, rewritten=one in ctx.rewrites)
    if ctx.rewrites and session.event_trigger_state is not None:
        from pgemu.commands.event_trigger_fire import table_rewrite

        for relid, reason in ctx.rewrites.items():
            table_rewrite(session, f"ALTER {word}", relid, reason)
    return CommandResult(f"ALTER {word}")


def _check_single(commands: list[dict[str, Any]]) -> None:
    """Subcommands that may be given once."""
    for subtype, words, code in (
        ("AT_SetTableSpace", "SET TABLESPACE", SYNTAX_ERROR),
        ("AT_SetAccessMethod", "SET ACCESS METHOD", FEATURE_NOT_SUPPORTED),
    ):
        if sum(c["subtype"] == subtype for c in commands) > 1:
            raise PgError(code, f"cannot have multiple {words} subcommands")


def _pass_of(command: dict[str, Any]) -> int:
    subtype = command["subtype"]
    at_pass = SUBCOMMANDS[subtype].at_pass
    if subtype == "AT_AddConstraint":
        contype = command["def"]["Constraint"]["contype"]
        if contype in ("CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION"):
            return PASS_ADD_INDEXCONSTR
        if contype == "CONSTR_FOREIGN":
            return PASS_ADD_OTHERCONSTR
    if subtype == "AT_ColumnDefault" and "def" not in command:
        return PASS_DROP
    return at_pass


def _expand(ctx: AlterContext, commands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """ADD COLUMN's constraints run in later passes: they stay attached to the ADD COLUMN, whose
    handler makes columns first; here only unknown subcommands are refused."""
    for command in commands:
        if command["subtype"] not in SUBCOMMANDS:
            name = command["subtype"].removeprefix("AT_")
            raise PgError(FEATURE_NOT_SUPPORTED, f"ALTER TABLE {name} is not supported")
    return commands


def _check_kind(relation: Any, command: dict[str, Any], word: str) -> None:
    entry = SUBCOMMANDS.get(command["subtype"])
    if entry is None:
        return
    if relation.relkind in entry.kinds:
        return
    special = _refusal(relation, command["subtype"])
    if special is not None:
        raise special
    words = entry.words
    if relation.relkind == "c":
        words = _ATTRIBUTE_WORDS.get(command["subtype"], words)
    raise PgError(
        WRONG_OBJECT_TYPE,
        f'ALTER action {words} cannot be performed on relation "{relation.name}"',
        detail=not_supported_detail(relation.relkind),
    )


def _refusal(relation: Any, subtype: str) -> PgError | None:
    """What has words of its own."""
    name = relation.name
    if relation.relkind == "p" and subtype in ("AT_AddInherit", "AT_DropInherit"):
        return PgError(WRONG_OBJECT_TYPE, "cannot change inheritance of partitioned table")
    if relation.relkind == "r" and subtype in ("AT_AttachPartition", "AT_DetachPartition"):
        return PgError(INVALID_OBJECT_DEFINITION, f'table "{name}" is not partitioned')
    return None
