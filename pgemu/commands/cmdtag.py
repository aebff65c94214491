"""Command tags: which of them event triggers know, and the tag of a statement before it runs
(PostgreSQL's cmdtag.c and CreateCommandTag of utility.c)."""

from __future__ import annotations

from typing import Any

from pgemu.nodes.parsenodes import SELECT_LOCKING

_EVERY_VERB = """ACCESS METHOD|AGGREGATE|CAST|COLLATION|CONSTRAINT|CONVERSION|DOMAIN|EXTENSION
FOREIGN DATA WRAPPER|FOREIGN TABLE|FUNCTION|INDEX|LANGUAGE|MATERIALIZED VIEW|OPERATOR
OPERATOR CLASS|OPERATOR FAMILY|POLICY|PROCEDURE|PUBLICATION|ROUTINE|RULE|SCHEMA|SEQUENCE|SERVER
STATISTICS|SUBSCRIPTION|TABLE|TEXT SEARCH CONFIGURATION|TEXT SEARCH DICTIONARY
TEXT SEARCH PARSER|TEXT SEARCH TEMPLATE|TRANSFORM|TRIGGER|TYPE|USER MAPPING|VIEW"""
_OBJECTS = _EVERY_VERB.replace("\n", "|").split("|")

# tags that ddl_command_start, ddl_command_end and sql_drop triggers may name
EVENT_TRIGGER_TAGS = frozenset(
    [f"{verb} {what}" for verb in ("ALTER", "CREATE", "DROP") for what in _OBJECTS]
    + ["ALTER DEFAULT PRIVILEGES", "ALTER LARGE OBJECT", "CREATE TABLE AS", "DROP OWNED"]
    + ["COMMENT", "GRANT", "REVOKE", "IMPORT FOREIGN SCHEMA", "REFRESH MATERIALIZED VIEW"]
    + ["SECURITY LABEL", "SELECT INTO"]
)
TABLE_REWRITE_TAGS = frozenset({"ALTER MATERIALIZED VIEW", "ALTER TABLE", "ALTER TYPE"})
_OTHERS = """ALTER DATABASE|ALTER EVENT TRIGGER|ALTER ROLE|ALTER SYSTEM|ALTER TABLESPACE|ANALYZE
BEGIN|CALL|CHECKPOINT|CLOSE|CLOSE CURSOR|CLOSE CURSOR ALL|CLUSTER|COMMIT|COMMIT PREPARED|COPY
COPY FROM|CREATE DATABASE|CREATE EVENT TRIGGER|CREATE ROLE|CREATE TABLESPACE|DEALLOCATE
DEALLOCATE ALL|DECLARE CURSOR|DELETE|DISCARD|DISCARD ALL|DISCARD PLANS|DISCARD SEQUENCES
DISCARD TEMP|DO|DROP DATABASE|DROP EVENT TRIGGER|DROP ROLE|DROP TABLESPACE|EXECUTE|EXPLAIN|FETCH
GRANT ROLE|INSERT|LISTEN|LOAD|LOCK TABLE|MERGE|MOVE|NOTIFY|PREPARE|PREPARE TRANSACTION
REASSIGN OWNED|REINDEX|RELEASE|RESET|REVOKE ROLE|ROLLBACK|ROLLBACK PREPARED|SAVEPOINT|SELECT
SELECT FOR KEY SHARE|SELECT FOR NO KEY UPDATE|SELECT FOR SHARE|SELECT FOR UPDATE|SET
SET CONSTRAINTS|SHOW|START TRANSACTION|TRUNCATE TABLE|UNLISTEN|UPDATE|VACUUM"""
KNOWN_TAGS = EVENT_TRIGGER_TAGS | frozenset(_OTHERS.replace("\n", "|").split("|"))

# object type -> the word after the verb, where it is not the type's own name
_WORDS = {
    "OBJECT_MATVIEW": "MATERIALIZED VIEW", "OBJECT_DOMCONSTRAINT": "DOMAIN",
    "OBJECT_TABCONSTRAINT": "TABLE", "OBJECT_COLUMN": "TABLE", "OBJECT_ATTRIBUTE": "TYPE",
    "OBJECT_FDW": "FOREIGN DATA WRAPPER", "OBJECT_FOREIGN_SERVER": "SERVER",
    "OBJECT_OPCLASS": "OPERATOR CLASS", "OBJECT_OPFAMILY": "OPERATOR FAMILY",
    "OBJECT_STATISTIC_EXT": "STATISTICS", "OBJECT_LARGEOBJECT": "LARGE OBJECT",
    "OBJECT_TSPARSER": "TEXT SEARCH PARSER", "OBJECT_TSDICTIONARY": "TEXT SEARCH DICTIONARY",
    "OBJECT_TSTEMPLATE": "TEXT SEARCH TEMPLATE",
    "OBJECT_TSCONFIGURATION": "TEXT SEARCH CONFIGURATION",
}  # fmt: skip
# statement -> the field that holds the type of its object
_TYPED = {
    "RenameStmt": ("ALTER", "renameType"), "AlterObjectSchemaStmt": ("ALTER", "objectType"),
    "AlterOwnerStmt": ("ALTER", "objectType"), "AlterObjectDependsStmt": ("ALTER", "objectType"),
    "AlterTableStmt": ("ALTER", "objtype"), "AlterTableMoveAllStmt": ("ALTER", "objtype"),
    "AlterFunctionStmt": ("ALTER", "objtype"), "DropStmt": ("DROP", "removeType"),
    "DefineStmt": ("CREATE", "kind"),
}  # fmt: skip
# statements whose tag is not PostgreSQL's name of their command
_FIXED = {
    "AlterSubscriptionStmt": "ALTER SUBSCRIPTION",
    "DropSubscriptionStmt": "DROP SUBSCRIPTION",
}


def object_words(objtype: str) -> str:
    """How tags call this type of object."""
    plain = objtype.removeprefix("OBJECT_").replace("_", " ")
    return _WORDS.get(objtype, plain)


def create_command_tag(tag: str, stmt: dict[str, Any], name: str) -> str:
    """The tag of a utility statement; name: what its row of `COMMANDS` calls it."""
    typed = _TYPED.get(tag)
    if typed is not None:
        objtype = stmt.get(typed[1], "OBJECT_TABLE")
        if tag == "RenameStmt" and objtype in ("OBJECT_COLUMN", "OBJECT_ATTRIBUTE"):
            objtype = stmt.get("relationType", objtype)
        return f"{typed[0]} {object_words(objtype)}"
    if tag == "GrantStmt":
        return "GRANT" if stmt.get("is_grant") else "REVOKE"
    if tag == "CreateFunctionStmt":
        return "CREATE PROCEDURE" if stmt.get("is_procedure") else "CREATE FUNCTION"
    if tag == "CreateTableAsStmt":
        if stmt.get("is_select_into"):
            return "SELECT INTO"
        is_view = stmt.get("objtype") == "OBJECT_MATVIEW"
        return "CREATE MATERIALIZED VIEW" if is_view else "CREATE TABLE AS"
    return _FIXED.get(tag, name)


def command_name(query: Any) -> str:
    """CreateCommandName: the tag of any analyzed statement."""
    if query.command_type != "utility":
        return str(query.command_type).upper()
    from pgemu.commands.utility import COMMANDS

    tag, body = next(iter(query.utility_stmt.items()))
    row = COMMANDS.get(tag)
    return create_command_tag(tag, body, row.name if row else tag.removesuffix("Stmt").upper())


_READING = ("ExplainStmt", "VariableShowStmt", "FetchStmt", "CallStmt", "DoStmt")


def written_by(query: Any) -> str | None:
    """What a function that is not volatile must not do (CommandIsReadOnly): the command's name;
    None: the statement only reads."""
    if query.command_type == "utility":
        return None if next(iter(query.utility_stmt)) in _READING else command_name(query)
    if query.command_type != "select":
        return command_name(query)
    if query.has_for_update:
        return SELECT_LOCKING[query.row_marks[0].strength] if query.row_marks else "SELECT"
    return "SELECT" if query.has_modifying_cte else None
