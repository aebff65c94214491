"""From a pg_proc row (or a DO body) to a Function (PostgreSQL's pl_comp.c)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pgemu.catalog.format_type import format_procedure
from pgemu.catalog.rows import PgProc
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_FUNCTION_DEFINITION,
    UNDEFINED_SCHEMA,
    UNDEFINED_TABLE,
    PgError,
)
from pgemu.parser.funcapi import get_func_result_type, resolve_polymorphic
from pgemu.pl.plpgsql import statements as s
from pgemu.pl.plpgsql.datums import RECORDOID, NsItem, PlType, Rec, Var
from pgemu.pl.plpgsql.extra_checks import SHADOWED_VARIABLES, check_level
from pgemu.pl.plpgsql.gram import Parser
from pgemu.pl.plpgsql.prosrc import match_prosrc

VOIDOID, TRIGGEROID, EVTTRIGGEROID, UNKNOWNOID = 2278, 2279, 3838, 705
_TRIGGER_VARS = (
    ("tg_name", 19),
    ("tg_when", 25),
    ("tg_level", 25),
    ("tg_op", 25),
    ("tg_relid", 26),
    ("tg_relname", 19),
    ("tg_table_name", 19),
    ("tg_table_schema", 19),
    ("tg_nargs", 23),
    ("tg_argv", 1009),
)
_FIXED_POLYMORPHIC = {
    2283: 23,
    2277: 1007,
    2776: 23,
    3500: 23,
    3831: 3904,
    4537: 4451,
    5077: 23,
    5078: 1007,
    5079: 23,
    5080: 3904,
    4538: 4451,
}


class TypeResolver:
    """Names of data types as declarations write them."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.catalog = session.catalog
        # what a call's arguments are compared by: so are the variables (fn_input_collation)
        self.input_collation = 0

    def plain(self, oid: int, typmod: int = -1, variable: str = "") -> PlType:
        """build_datatype, and plpgsql_build_variable's refusal of pseudo-types."""
        row = self.catalog.types.row(oid)
        base = row
        while base.typtype == "d":
            base = self.catalog.types.row(base.typbasetype)
        is_row = oid == RECORDOID or base.typtype == "c"
        if row.typtype == "p" and oid not in (RECORDOID, UNKNOWNOID, 2287):
            name = self.catalog.type_name(oid)
            raise PgError(FEATURE_NOT_SUPPORTED, f'variable "{variable}" has pseudo-type {name}')
        collation = row.typcollation
        if collation and self.input_collation:
            collation = self.input_collation
        return PlType(oid, typmod, collation, is_row, row.typtype == "d")

    def with_collation(self, dtype: PlType, names: list[str]) -> PlType:
        from pgemu.parser.parse_type import get_collation_oid

        raw = [{"String": {"sval": n}} for n in names]
        collation = get_collation_oid(self.catalog, raw)
        return PlType(dtype.oid, dtype.typmod, collation, dtype.is_row, dtype.is_domain)

    def resolve(self, text: str, variable: str) -> PlType:
        """parse_datatype, and the %TYPE and %ROWTYPE of relations."""
        head, percent, word = text.rpartition("%")
        kind = word.strip().lower()
        if percent and kind in ("type", "rowtype"):
            names = [_unquote(n) for n in re.findall(r'"(?:[^"]|"")+"|[^\s.]+', head)]
            if kind == "rowtype":
                return self._row_type(names)
            found = self._column_type(names)
            if found is not None:
                return found
        from pgemu.parser.parse_type import type_string_to_typeid

        oid, typmod = type_string_to_typeid(self.catalog, text)
        return self.plain(oid, typmod, variable)

    def _relation(self, names: Sequence[str]) -> Any:
        from pgemu.catalog.namespace import range_var_get_relid

        body: dict[str, Any] = {"relname": names[-1], "inh": True, "location": -1}
        if len(names) > 1:
            body["schemaname"] = names[-2]
        try:
            oid = range_var_get_relid(self.catalog, body)
        except PgError as error:
            if error.sqlstate == UNDEFINED_TABLE:
                error.location = None
            raise
        return self.catalog.relation(oid)

    def _column_type(self, names: Sequence[str]) -> PlType | None:
        """plpgsql_parse_wordtype and plpgsql_parse_cwordtype; None: there is no such thing."""
        if len(names) < 2:
            return None
        try:
            relation = self._relation(names[:-1])
        except PgError as error:
            if error.sqlstate not in (UNDEFINED_TABLE, UNDEFINED_SCHEMA):
                raise
            return None
        att = relation.attrs_by_name.get(names[-1])
        if att is None or att.attisdropped:
            return None
        return self.plain(att.atttypid, att.atttypmod)

    def _row_type(self, names: Sequence[str]) -> PlType:
        relation = self._relation(names)
        reltype = relation.row.reltype
        if not reltype:
            raise PgError("42809", f'relation "{relation.name}" does not have a composite type')
        return self.plain(reltype)


def _unquote(name: str) -> str:
    return name[1:-1].replace('""', '"') if name[:1] == '"' else name.lower()


class _Compiler:
    """Compiles one function."""

    def __init__(
        self, session: Any, text: str, name: str, result: s.PlResult, *, check_syntax: bool
    ) -> None:
        self.session, self.name = session, name
        self.types = TypeResolver(session)
        self.parser = Parser(text, self.types, result, check_syntax=check_syntax)
        self.parser.variable_conflict = str(_setting(session, "plpgsql.variable_conflict", "error"))
        self.parser.print_strict_params = (
            str(_setting(session, "plpgsql.print_strict_params", "off")) == "on"
        )
        self.parser.push(name, "block")
        self.args: list[Var | Rec] = []

    def alias(self, name: str, datum: Var | Rec) -> None:
        self.parser.ns = NsItem("datum", name, datum, self.parser.ns)

    def finish(self, signature: str, *, readonly: bool) -> s.Function:
        parser = self.parser
        boolean = self.types.plain(16)
        found = parser.new_var("found", boolean, 0)
        try:
            body = parser.parse_function()
        except PgError as error:
            if error.internal_query is None and error.where is None:
                error.location = None
            token = parser.tokens[max(parser.at - 1, 0)]
            error.add_context(
                f'compilation of PL/pgSQL function "{self.name}" near line {parser.line(token)}'
            )
            raise
        return s.Function(
            signature,
            self.name,
            body,
            parser.datums,
            self.args,
            parser.out_params,
            found,
            parser.result,
            readonly=readonly,
            variable_conflict=parser.variable_conflict,
            print_strict_params=parser.print_strict_params,
        )


def _setting(session: Any, name: str, default: str) -> Any:
    try:
        return session.guc.get(name)
    except PgError:
        return default


def compile_inline(session: Any, text: str) -> s.Function:
    """A DO block (plpgsql_compile_inline)."""
    result = s.PlResult(VOIDOID)
    try:
        compiler = _Compiler(session, text, "inline_code_block", result, check_syntax=True)
        return compiler.finish("inline_code_block", readonly=False)
    except PgError as error:
        transpose_error(session, text, error)
        raise


def transpose_error(session: Any, body: str, error: PgError) -> None:
    """function_parse_error_transpose: the position in the statement that holds the body."""
    if error.internal_query != body or error.internal_position is None:
        return
    position = match_prosrc(body, session.source_text or "", error.internal_position)
    if not position:
        return
    error.position = position
    error.internal_query = error.internal_position = None
    lines = (error.where or "").split("\n")
    kept = [x for x in lines if not x.startswith("compilation of PL/pgSQL function")]
    error.where = "\n".join(kept) or None


def compile_trigger(session: Any, proc: PgProc, *, check_syntax: bool = False) -> s.Function:
    result = s.PlResult(TRIGGEROID, is_row=True)
    compiler = _Compiler(session, proc.prosrc, proc.proname, result, check_syntax=check_syntax)
    if proc.pronargs:
        error = PgError(
            INVALID_FUNCTION_DEFINITION,
            "trigger functions cannot have declared arguments",
            hint="The arguments of the trigger can be accessed through TG_NARGS and TG_ARGV "
            "instead.",
        )
        error.add_context(f'compilation of PL/pgSQL function "{proc.proname}" near line 1')
        raise error
    parser, record = compiler.parser, compiler.types.plain(RECORDOID)
    new, old = parser.new_datum("new", record, 0), parser.new_datum("old", record, 0)
    tg_vars = {
        name: parser.new_var(name, compiler.types.plain(oid), 0) for name, oid in _TRIGGER_VARS
    }
    function = compiler.finish(_signature(session, proc), readonly=proc.provolatile != "v")
    assert isinstance(new, Rec)
    assert isinstance(old, Rec)
    function.is_trigger, function.new, function.old = True, new, old
    function.trigger_vars = tg_vars
    return function


def compile_event_trigger(session: Any, proc: PgProc, *, check_syntax: bool = False) -> s.Function:
    result = s.PlResult(VOIDOID)
    compiler = _Compiler(session, proc.prosrc, proc.proname, result, check_syntax=check_syntax)
    if proc.pronargs:
        error = PgError(
            INVALID_FUNCTION_DEFINITION, "event trigger functions cannot have declared arguments"
        )
        error.add_context(f'compilation of PL/pgSQL function "{proc.proname}" near line 1')
        raise error
    text = compiler.types.plain(25)
    tg_vars = {name: compiler.parser.new_var(name, text, 0) for name in ("tg_event", "tg_tag")}
    function = compiler.finish(_signature(session, proc), readonly=False)
    function.is_event_trigger = True
    function.trigger_vars = tg_vars
    return function


def _signature(session: Any, proc: PgProc) -> str:
    if not proc.oid:
        return f"{proc.proname}()"
    return format_procedure(session.catalog, proc.oid)


def _actual_types(session: Any, proc: PgProc, arg_types: Sequence[int]) -> dict[int, int]:
    """Polymorphic type -> what it is in this call."""
    if not arg_types:
        return {}
    resolved: dict[int, int] = resolve_polymorphic(
        session.catalog, proc.proargtypes, list(arg_types)
    )
    return resolved


def compile_function(
    session: Any,
    proc: PgProc,
    arg_types: Sequence[int],
    result_type: int,
    *,
    collation: int = 0,
    check_syntax: bool = False,
) -> s.Function:
    """arg_types, result_type: those of the call, for polymorphic functions; collation: its own."""
    if proc.prorettype == TRIGGEROID:
        return compile_trigger(session, proc, check_syntax=check_syntax)
    if proc.prorettype == EVTTRIGGEROID:
        return compile_event_trigger(session, proc, check_syntax=check_syntax)
    validating = not arg_types and bool(proc.proargtypes)
    actual = dict(_FIXED_POLYMORPHIC) if validating else _actual_types(session, proc, arg_types)
    result = _result(session, proc, arg_types, result_type, actual)
    compiler = _Compiler(session, proc.prosrc, proc.proname, result, check_syntax=check_syntax)
    compiler.types.input_collation = collation
    if check_syntax:
        compiler.parser.shadowing = check_level(session, SHADOWED_VARIABLES)
    _make_args(compiler, proc, arg_types, actual)
    if result.oid in (VOIDOID, RECORDOID) or result.is_procedure:
        pass
    elif session.catalog.types.row(result.oid).typtype == "p" and result.oid not in (2275, 2287):
        name = session.catalog.type_name(result.oid)
        if result.oid == TRIGGEROID or result.oid == EVTTRIGGEROID:
            raise PgError(FEATURE_NOT_SUPPORTED, "trigger functions can only be called as triggers")
        raise PgError(FEATURE_NOT_SUPPORTED, f"PL/pgSQL functions cannot return type {name}")
    return compiler.finish(_signature(session, proc), readonly=proc.provolatile != "v")


def _result(
    session: Any, proc: PgProc, arg_types: Sequence[int], result_type: int, actual: dict[int, int]
) -> s.PlResult:
    oid = actual.get(proc.prorettype, proc.prorettype)
    if oid == proc.prorettype and result_type and oid not in (VOIDOID, RECORDOID):
        row = session.catalog.types.row(oid)
        if row.typtype == "p" and row.oid != RECORDOID:
            oid = result_type
    types = list(arg_types) or [actual.get(t, t) for t in proc.proargtypes]
    found = get_func_result_type(session.catalog, proc.oid, types, oid) if proc.oid else None
    columns: tuple[tuple[str, int, int], ...] = ()
    is_row = oid == RECORDOID
    if found is not None and found.kind == "composite" and found.columns is not None:
        columns = tuple((c.name, c.type_oid, c.typmod) for c in found.columns)
        is_row = True
    return s.PlResult(oid, proc.proretset, is_row, columns, proc.prokind == "p")


def _make_args(
    compiler: _Compiler, proc: PgProc, arg_types: Sequence[int], actual: dict[int, int]
) -> None:
    parser, types = compiler.parser, compiler.types
    all_types = proc.proallargtypes or proc.proargtypes
    modes = proc.proargmodes or ("i",) * len(all_types)
    names = proc.proargnames or ("",) * len(all_types)
    given = iter(arg_types)
    for number, (oid, mode, name) in enumerate(zip(all_types, modes, names, strict=True), 1):
        is_input = mode in ("i", "b", "v")
        oid = actual.get(oid, oid)
        if is_input:
            passed = next(given, 0)
            if passed and oid in (2276, UNKNOWNOID, RECORDOID):
                oid = passed if oid != RECORDOID else oid
        dtype = types.plain(oid)
        datum = parser.new_datum(name or f"${number}", dtype, 0)
        if mode in ("o", "b", "t"):
            parser.out_params.append(datum)
        if is_input:
            compiler.args.append(datum)
        if name:
            compiler.alias(f"${number}", datum)
            # the name must be found first
            compiler.alias(name, datum)
