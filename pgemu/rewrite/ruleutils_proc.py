"""CREATE FUNCTION as text, and the argument and result lists of functions (pg_get_functiondef and
its kin of PostgreSQL's ruleutils.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog.keywords import quote_identifier
from pgemu.catalog.rows import PgAggregate, PgLanguage, PgNamespace, PgProc
from pgemu.errors import PgError
from pgemu.errors.codes import WRONG_OBJECT_TYPE
from pgemu.nodes.primnodes import Expr
from pgemu.rewrite.ruleutils import deparse_expression
from pgemu.rewrite.ruleutils_context import (
    PRETTYFLAG_INDENT,
    Context,
    Namespace,
)
from pgemu.rewrite.ruleutils_expr import quote_literal
from pgemu.rewrite.ruleutils_query import get_query_def

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

_MODES = {"i": "", "b": "INOUT ", "o": "OUT ", "v": "VARIADIC ", "t": ""}
# settings whose value is a list of quoted names
_LIST_SETTINGS = (
    "search_path",
    "temp_tablespaces",
    "session_preload_libraries",
    "shared_preload_libraries",
    "local_preload_libraries",
    "unix_socket_directories",
)
INTERNAL_LANGUAGE, C_LANGUAGE = 12, 13


def default_expressions(catalog: Catalog, proc: PgProc) -> list[Expr]:
    """Trees of the argument defaults (for the last arguments)."""
    found: Any = catalog.decode_node(proc.proargdefaults, "exprlist", 0)
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _format_type(catalog: Catalog, oid: int) -> str:
    return catalog.type_name(oid)


def print_function_arguments(
    catalog: Catalog, proc: PgProc, *, table_args: bool = False, defaults: bool = False
) -> str:
    """The argument list; with table_args the columns of RETURNS TABLE instead."""
    types = proc.proallargtypes or proc.proargtypes
    modes = proc.proargmodes or ("i",) * len(types)
    names = proc.proargnames or ("",) * len(types)
    exprs = default_expressions(catalog, proc) if defaults and proc.pronargdefaults else []
    lacking = len(proc.proargtypes) - len(exprs)
    insert_order_by = -1
    if proc.prokind == "a":
        aggregate = catalog.one(PgAggregate, aggfnoid=proc.oid)
        if aggregate is not None and aggregate.aggkind in ("o", "h"):
            insert_order_by = aggregate.aggnumdirectargs
    parts: list[str] = []
    out = ""
    inputs = 0
    last = ""
    for type_oid, mode, name in zip(types, modes, names, strict=False):
        is_input = mode in ("i", "b", "v")
        inputs += is_input
        if table_args != (mode == "t"):
            continue
        prefix = "IN " if mode == "i" and proc.prokind == "p" else _MODES[mode]
        text = prefix + (f"{quote_identifier(name)} " if name else "")
        text += _format_type(catalog, type_oid)
        if defaults and is_input and inputs > lacking and exprs:
            default = deparse_expression(
                catalog, exprs[inputs - lacking - 1], [], PRETTYFLAG_INDENT
            )
            text += f" DEFAULT {default}"
        if len(parts) == insert_order_by:
            out += (" " if parts else "") + "ORDER BY "
        elif parts:
            out += ", "
        out += text
        last = text
        parts.append(text)
    if len(parts) == insert_order_by and parts:
        # a hypothetical-set aggregate whose variadic argument stands for both lists
        out += f" ORDER BY {last}"
    return out


def print_function_rettype(catalog: Catalog, proc: PgProc) -> str:
    """What follows RETURNS."""
    if proc.proretset:
        columns = print_function_arguments(catalog, proc, table_args=True)
        if columns:
            return f"TABLE({columns})"
    setof = "SETOF " if proc.proretset else ""
    return setof + _format_type(catalog, proc.prorettype)


def get_function_arguments(catalog: Catalog, oid: int) -> str | None:
    """With names and defaults."""
    proc = catalog.one(PgProc, oid=oid)
    return print_function_arguments(catalog, proc, defaults=True) if proc else None


def get_function_identity_arguments(catalog: Catalog, oid: int) -> str | None:
    """With names, without defaults."""
    proc = catalog.one(PgProc, oid=oid)
    return print_function_arguments(catalog, proc) if proc else None


def get_function_result(catalog: Catalog, oid: int) -> str | None:
    """The result type; None for a procedure."""
    proc = catalog.one(PgProc, oid=oid)
    if proc is None or proc.prokind == "p":
        return None
    return print_function_rettype(catalog, proc)


def get_function_arg_default(catalog: Catalog, oid: int, number: int) -> str | None:
    """The default of argument `number` (counted over all parameters)."""
    proc = catalog.one(PgProc, oid=oid)
    if proc is None:
        return None
    types = proc.proallargtypes or proc.proargtypes
    modes = proc.proargmodes or ("i",) * len(types)
    if number < 1 or number > len(types) or modes[number - 1] not in ("i", "b", "v"):
        return None
    position = sum(m in ("i", "b", "v") for m in modes[:number])
    exprs = default_expressions(catalog, proc)
    index = position - 1 - (len(proc.proargtypes) - len(exprs))
    if index < 0 or index >= len(exprs):
        return None
    return deparse_expression(catalog, exprs[index], [], PRETTYFLAG_INDENT)


# before the text of a built-in function's body: the catalogs' data has PostgreSQL's own
_BUILTIN = "SQL:"


def get_function_sqlbody(catalog: Catalog, oid: int) -> str | None:
    """BEGIN ATOMIC ... END or RETURN ...; None for other functions."""
    proc = catalog.one(PgProc, oid=oid)
    if proc is None or not proc.prosqlbody:
        return None
    return _sql_body(catalog, proc)


def _sql_body(catalog: Catalog, proc: PgProc) -> str:
    if (proc.prosqlbody or "").startswith(_BUILTIN):
        return str(proc.prosqlbody).removeprefix(_BUILTIN)
    names = list(proc.proargnames or ())
    modes = proc.proargmodes or ("i",) * len(names)
    inputs = [n for n, m in zip(names, modes, strict=False) if m in "ibv"]
    namespace = Namespace([], [], [], arg_names=inputs, function_name=proc.proname)
    body: Any = catalog.decode_node(proc.prosqlbody, "query", 0)
    if isinstance(body, list):
        texts = [
            get_query_def(catalog, q, [namespace], None, False, PRETTYFLAG_INDENT, 0, 1)
            for q in body
        ]
        return "BEGIN ATOMIC\n" + "".join(f"{t};\n" for t in texts) + "END"
    return get_query_def(catalog, body, [namespace], None, False, 0, 0, 0)


def get_functiondef(catalog: Catalog, oid: int) -> str | None:
    """CREATE OR REPLACE FUNCTION ..."""
    proc = catalog.one(PgProc, oid=oid)
    if proc is None:
        return None
    if proc.prokind == "a":
        raise PgError(WRONG_OBJECT_TYPE, f'"{proc.proname}" is an aggregate function')
    procedure = proc.prokind == "p"
    schema = catalog.one(PgNamespace, oid=proc.pronamespace)
    name = f"{quote_identifier(schema.nspname if schema else '')}.{quote_identifier(proc.proname)}"
    arguments = print_function_arguments(catalog, proc, defaults=True)
    out = [f"CREATE OR REPLACE {'PROCEDURE' if procedure else 'FUNCTION'} {name}({arguments})\n"]
    if not procedure:
        out.append(f" RETURNS {print_function_rettype(catalog, proc)}\n")
    language = catalog.one(PgLanguage, oid=proc.prolang)
    if proc.protrftypes:
        types = ", ".join(f"FOR TYPE {_format_type(catalog, t)}" for t in proc.protrftypes)
        out.append(f" TRANSFORM {types}\n")
    out.append(f" LANGUAGE {quote_identifier(language.lanname if language else '')}\n")
    options = _function_options(catalog, proc)
    if options:
        out.append(f"{options}\n")
    for setting in proc.proconfig or ():
        out.append(_setting(setting))
    if proc.prosqlbody:
        out.append(_sql_body(catalog, proc))
    else:
        out.append("AS ")
        if proc.probin:
            out.append(f"{quote_literal(proc.probin)}, ")
        tag = "procedure" if procedure else "function"
        while f"${tag}" in proc.prosrc:
            tag += "x"
        out.append(f"${tag}${proc.prosrc}${tag}$")
    out.append("\n")
    return "".join(out)


def _number(value: float) -> str:
    return f"{value:g}"


def _function_options(catalog: Catalog, proc: PgProc) -> str:
    text = " WINDOW" if proc.prokind == "w" else ""
    text += {"i": " IMMUTABLE", "s": " STABLE"}.get(proc.provolatile, "")
    text += {"s": " PARALLEL SAFE", "r": " PARALLEL RESTRICTED"}.get(proc.proparallel, "")
    text += " STRICT" if proc.proisstrict else ""
    text += " SECURITY DEFINER" if proc.prosecdef else ""
    text += " LEAKPROOF" if proc.proleakproof else ""
    default = 1.0 if proc.prolang in (INTERNAL_LANGUAGE, C_LANGUAGE) else 100.0
    if proc.procost != default:
        text += f" COST {_number(proc.procost)}"
    if proc.prorows > 0 and proc.prorows != 1000:
        text += f" ROWS {_number(proc.prorows)}"
    if proc.prosupport:
        text += f" SUPPORT {Context(catalog, []).function_name(proc.prosupport)}"
    return text


def _setting(setting: str) -> str:
    name, _, value = setting.partition("=")
    if name.lower() in _LIST_SETTINGS:
        items = [v.strip() for v in value.split(",")]
        value_text = ", ".join(
            quote_literal(v[1:-1].replace('""', '"') if v.startswith('"') else v) for v in items
        )
    else:
        value_text = quote_literal(value)
    return f" SET {quote_identifier(name)} TO {value_text}\n"
