"""COPY: who may, which options, which columns, and from or to where (PostgreSQL's copy.c).

The rows themselves are copyfrom.py's and copyto.py's.  The client is reached through
`session.client`, a CopyClient.  PROGRAM is not supported.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Protocol

from pgemu.catalog.rows import PgAttribute
from pgemu.commands.copy_options import CopyFormatOptions, process_copy_options
from pgemu.commands.permissions import aclcheck_error, relkind_word
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_COLUMN,
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_COLUMN_REFERENCE,
    INVALID_NAME,
    UNDEFINED_COLUMN,
    UNDEFINED_FILE,
    WRONG_OBJECT_TYPE,
    PgError,
)

_HINT = "Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone."

_NOT_OPENED = {"i": "an index", "I": "an index", "c": "a composite type"}


class CopyClient(Protocol):
    """The wire in copy mode; tcop implements it."""

    def begin_copy_in(self, overall_format: int, column_formats: list[int]) -> None:
        """Send CopyInResponse."""

    def read_copy_data(self) -> bytes | None:
        """The next CopyData's bytes; None after CopyDone; 57014 after CopyFail."""

    def begin_copy_out(self, overall_format: int, column_formats: list[int]) -> None:
        """Send CopyOutResponse."""

    def send_copy_data(self, data: bytes) -> None:
        """Send one CopyData.  A client that also has `send_copy_rows(list[bytes])` is given many
        messages at once."""

    def end_copy_out(self) -> None:
        """Send CopyDone."""


def copy(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """COPY (DoCopy)."""
    is_from = bool(stmt.get("is_from"))
    filename = stmt.get("filename")
    if filename is not None:
        _check_server_file(session, is_from, bool(stmt.get("is_program")))
    if stmt.get("is_program"):
        raise PgError(FEATURE_NOT_SUPPORTED, "COPY ... PROGRAM is not supported")
    if "relation" not in stmt:
        from pgemu.commands.copyto import copy_query_to

        options = process_copy_options(session, stmt.get("options", []), is_from=False)
        return copy_query_to(session, stmt, options, st)
    return _copy_relation(session, stmt, st, is_from)


def _copy_relation(
    session: Any, stmt: dict[str, Any], st: Statement, is_from: bool
) -> CommandResult:
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    relation = catalog.relation(range_var_get_relid(catalog, stmt["relation"]))
    if relation.relkind in _NOT_OPENED:  # table_open
        word = _NOT_OPENED[relation.relkind]
        raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is {word}')
    names = [n["String"].get("sval", "") for n in stmt.get("attlist", ())]
    where = None
    if stmt.get("whereClause") is not None:
        where = _transform_where(session, relation, stmt["whereClause"], st)
    columns = copy_get_attnums(relation, names)
    _check_privileges(session, relation, columns, is_from)
    secured = _row_security(session, relation)
    if is_from:
        if secured:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "COPY FROM not supported with row-level security",
                hint="Use INSERT statements instead.",
            )
        if relation.persistence != "t":
            session.xact.prevent_if_read_only("COPY FROM")
        from pgemu.commands.copyfrom import copy_from

        options = process_copy_options(session, stmt.get("options", []), is_from=True)
        resolve_forced(relation, columns, options)
        return copy_from(session, relation, columns, options, where, stmt)
    from pgemu.commands.copyto import copy_relation_to

    options = process_copy_options(session, stmt.get("options", []), is_from=False)
    resolve_forced(relation, columns, options)
    return copy_relation_to(session, relation, columns, options, stmt, secured=secured)


def _check_server_file(session: Any, is_from: bool, is_program: bool) -> None:
    from pgemu.catalog.roles import get_role_oid, has_privs_of_role

    if is_program:
        role, what = "pg_execute_server_program", "COPY to or from an external program"
    elif is_from:
        role, what = "pg_read_server_files", "COPY from a file"
    else:
        role, what = "pg_write_server_files", "COPY to a file"
    catalog = session.catalog
    if not has_privs_of_role(catalog, session.ctx.current_user_oid, get_role_oid(catalog, role)):
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            f"must be superuser or have privileges of the {role} role to {what}",
            hint=_HINT,
        )


def _transform_where(session: Any, relation: Any, raw: Any, st: Statement) -> Any:
    from pgemu.parser.parse_coerce import coerce_to_boolean
    from pgemu.parser.parse_collate import assign_expr_collations
    from pgemu.parser.parse_expr import transform_expr
    from pgemu.parser.parse_node import ParseExprKind, make_parsestate
    from pgemu.parser.parse_rte import add_nsitem_to_query, add_range_table_entry_for_relation

    pstate = make_parsestate(None, session.catalog, st.source_text)
    nsitem = add_range_table_entry_for_relation(pstate, relation, None, False, False)
    add_nsitem_to_query(pstate, nsitem, False, True, True)
    expr = transform_expr(pstate, raw, ParseExprKind.EXPR_KIND_COPY_WHERE)
    expr = coerce_to_boolean(pstate, expr, "WHERE")
    assign_expr_collations(pstate, expr)
    return expr


def copy_get_attnums(relation: Any, names: Sequence[str]) -> list[PgAttribute]:
    """The columns that take part, in order (CopyGetAttnums)."""
    if not names:
        return [a for a in relation.columns if not a.attgenerated]
    found: list[PgAttribute] = []
    for name in names:
        attr = relation.attrs_by_name.get(name)
        if attr is None:
            raise PgError(
                UNDEFINED_COLUMN,
                f'column "{name}" of relation "{relation.name}" does not exist',
            )
        if attr.attgenerated:
            raise PgError(
                INVALID_COLUMN_REFERENCE,
                f'column "{name}" is a generated column',
                detail="Generated columns cannot be used in COPY.",
            )
        if attr in found:
            raise PgError(DUPLICATE_COLUMN, f'column "{name}" specified more than once')
        found.append(attr)
    return found


def resolve_forced(
    relation: Any, columns: Sequence[PgAttribute], options: CopyFormatOptions
) -> None:
    """FORCE_QUOTE, FORCE_NOT_NULL and FORCE_NULL name columns of this COPY."""
    for word, names, everything in (
        ("FORCE_QUOTE", options.force_quote, options.force_quote_all),
        ("FORCE_NOT_NULL", options.force_notnull, False),
        ("FORCE_NULL", options.force_null, False),
    ):
        if everything:
            options.forced[word] = frozenset(range(len(columns)))
            continue
        numbers = set()
        for attr in copy_get_attnums(relation, names) if names else ():
            if attr not in columns:
                raise PgError(
                    INVALID_COLUMN_REFERENCE,
                    f'{word} column "{attr.attname}" not referenced by COPY',
                )
            numbers.add(list(columns).index(attr))
        options.forced[word] = frozenset(numbers)


def _check_privileges(
    session: Any, relation: Any, columns: Sequence[PgAttribute], is_from: bool
) -> None:
    """On the table, or on every column (ExecCheckRTPerms)."""
    from pgemu.catalog import acl

    mode = acl.ACL_INSERT if is_from else acl.ACL_SELECT
    catalog = session.catalog
    if acl.pg_class_aclcheck(catalog, relation.oid, mode):
        return
    if not columns or not all(
        acl.pg_attribute_aclcheck(catalog, relation.oid, a.attnum, mode) for a in columns
    ):
        word = "view" if relation.relkind == "v" else relkind_word(relation.relkind)
        aclcheck_error(word, relation.name)


def _row_security(session: Any, relation: Any) -> bool:
    """Does row security apply to the current user (check_enable_rls)?"""
    from pgemu.catalog.aclcheck_error import has_bypassrls_privilege
    from pgemu.catalog.roles import has_privs_of_role

    if not relation.has_rls:
        return False
    catalog, user = session.catalog, session.ctx.current_user_oid
    if has_bypassrls_privilege(catalog, user):
        return False
    if has_privs_of_role(catalog, user, relation.owner) and not relation.row.relforcerowsecurity:
        return False
    if not session.guc.value("row_security"):
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            f'query would be affected by row-level security policy for table "{relation.name}"',
        )
    return True


# -- server files ------------------------------------------------------------------------------


def open_server_file(filename: str, *, write: bool) -> Any:
    """A file of the server, unbuffered errors in PostgreSQL's words."""
    if write and not os.path.isabs(filename):
        raise PgError(INVALID_NAME, "relative path not allowed for COPY to file")
    word = "writing" if write else "reading"
    what = "COPY TO instructs the PostgreSQL server process to write a file."
    if not write:
        what = "COPY FROM instructs the PostgreSQL server process to read a file."
    if os.path.isdir(filename):
        raise PgError(WRONG_OBJECT_TYPE, f'"{filename}" is a directory')
    try:
        return open(filename, "wb" if write else "rb")
    except OSError as error:
        code = INSUFFICIENT_PRIVILEGE if isinstance(error, PermissionError) else UNDEFINED_FILE
        missing = isinstance(error, (FileNotFoundError, PermissionError))
        raise PgError(
            code,
            f'could not open file "{filename}" for {word}: {error.strerror}',
            hint=f"{what} You may want a client-side facility such as psql's \\copy."
            if missing
            else None,
        ) from None
