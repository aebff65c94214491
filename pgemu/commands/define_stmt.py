"""DefineStmt: CREATE TYPE (shell and base), AGGREGATE, OPERATOR, COLLATION, text search objects."""

from __future__ import annotations

from typing import Any

from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError


def define(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """By kind."""
    kind = stmt["kind"]
    if kind == "OBJECT_TYPE":
        from pgemu.commands.basetypes import define_type

        return define_type(session, stmt)
    if kind == "OBJECT_AGGREGATE":
        from pgemu.commands.aggregatecmds import define_aggregate

        return define_aggregate(session, stmt)
    if kind == "OBJECT_OPERATOR":
        from pgemu.commands.operatorcmds import define_operator

        return define_operator(session, stmt)
    if kind == "OBJECT_COLLATION":
        from pgemu.commands.collationcmds import define_collation

        return define_collation(session, stmt)
    if kind == "OBJECT_TSDICTIONARY":
        from pgemu.commands.tsearchcmds import define_dictionary

        return define_dictionary(session, stmt)
    if kind == "OBJECT_TSCONFIGURATION":
        from pgemu.commands.tsearchcmds import define_configuration

        return define_configuration(session, stmt)
    if kind == "OBJECT_TSPARSER":
        from pgemu.commands.tsearch_methods import define_parser

        return define_parser(session, stmt)
    if kind == "OBJECT_TSTEMPLATE":
        from pgemu.commands.tsearch_methods import define_template

        return define_template(session, stmt)
    raise PgError(FEATURE_NOT_SUPPORTED, f"CREATE of {kind} is not supported")
