"""Candidates for a function or operator name (FuncnameGetCandidates, OpernameGetCandidates and
MatchNamedCall of PostgreSQL's namespace.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgemu.catalog.rows import PgOperator, PgProc
from pgemu.parser.parse_cache import (
    deconstruct_qualified_name,
    function_search_path,
    lookup_explicit_namespace,
)

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog


@dataclass(slots=True)
class FuncCandidate:
    """One way to call a function (or operator) with a given number of arguments.

    args: one declared type per call argument, VARIADIC expanded (nvargs of them), in call order
    when argnumbers maps call positions to parameters; ndargs trailing ones come from defaults.
    oid 0: several functions match equally well.
    """

    pathpos: int
    oid: int
    nargs: int
    args: list[int]
    nvargs: int = 0
    ndargs: int = 0
    argnumbers: list[int] | None = None


def _namespaces(
    catalog: Catalog, schema: str | None, missing_ok: bool
) -> dict[int, int]:
    """Namespace OID -> position in the search path (0 for an explicit schema)."""
    if schema is not None:
        oid = lookup_explicit_namespace(catalog, schema, missing_ok)
        return {oid: 0} if oid else {}
    return {oid: i for i, oid in enumerate(function_search_path(catalog))}


def funcname_get_candidates(
    catalog: Catalog,
    names: list[str],
    nargs: int,
    argnames: list[str],
    expand_variadic: bool,
    expand_defaults: bool,
    include_out_arguments: bool = False,
    missing_ok: bool = False,
) -> list[FuncCandidate]:
    """All functions callable under this name with nargs arguments (nargs -1: any number)."""
    schema, name = deconstruct_qualified_name(catalog, names)
    positions = _namespaces(catalog, schema, missing_ok)
    result: list[FuncCandidate] = []
    any_special = False
    for proc in catalog.all(PgProc, proname=name):
        pathpos = positions.get(proc.pronamespace)
        if pathpos is None:
            continue
        new = _candidate(
            proc, nargs, argnames, expand_variadic, expand_defaults, include_out_arguments
        )
        if new is None:
            continue
        new.pathpos = pathpos
        any_special = any_special or bool(new.nvargs or new.ndargs or new.argnumbers)
        if result and (any_special or schema is None):
            _add_without_duplicate(result, new)
        else:
            result.append(new)
    return result


def _candidate(
    proc: PgProc,
    nargs: int,
    argnames: list[str],
    expand_variadic: bool,
    expand_defaults: bool,
    include_out: bool,
) -> FuncCandidate | None:
    types = list(proc.proargtypes)
    if include_out and proc.prokind == "p" and proc.proallargtypes:
        types = list(proc.proallargtypes)
    pronargs = len(types)
    if argnames:
        # a named call can match a VARIADIC parameter only as an array
        if proc.provariadic and expand_variadic:
            return None
        use_defaults = pronargs > nargs and expand_defaults
        if use_defaults and nargs + proc.pronargdefaults < pronargs:
            return None
        if pronargs != nargs and not use_defaults:
            return None
        argnumbers = _match_named_call(proc, nargs, argnames, include_out, pronargs)
        if argnumbers is None:
            return None
        return FuncCandidate(
            0, proc.oid, pronargs, [types[n] for n in argnumbers], 0,
            pronargs - nargs if use_defaults else 0, argnumbers,
        )
    variadic = proc.provariadic if expand_variadic and pronargs <= nargs else 0
    use_defaults = nargs >= 0 and pronargs > nargs and expand_defaults
    if use_defaults and nargs + proc.pronargdefaults < pronargs:
        return None
    if nargs >= 0 and pronargs != nargs and not variadic and not use_defaults:
        return None
    effective = max(pronargs, nargs)
    nvargs = 0
    if variadic:
        nvargs = effective - pronargs + 1
        types[pronargs - 1 :] = [variadic] * nvargs
    return FuncCandidate(
        0, proc.oid, effective, types, nvargs, pronargs - nargs if use_defaults else 0
    )


def _add_without_duplicate(result: list[FuncCandidate], new: FuncCandidate) -> None:
    """Of two candidates with the same arguments keep the better one, or mark it ambiguous."""
    compared = new.nargs - new.ndargs
    for i, old in enumerate(result):
        if old.nargs - old.ndargs != compared or old.args[:compared] != new.args[:compared]:
            continue
        if new.pathpos != old.pathpos:
            preference = new.pathpos - old.pathpos
        elif new.nvargs and not old.nvargs:
            preference = 1
        elif not new.nvargs and old.nvargs:
            preference = -1
        else:
            preference = 0
        if preference < 0:
            del result[i]
            result.append(new)
        elif preference == 0:
            old.oid = 0
        return
    result.append(new)


def _match_named_call(
    proc: PgProc, nargs: int, argnames: list[str], include_out: bool, pronargs: int
) -> list[int] | None:
    """Parameter number of each call argument, then of each defaulted parameter; None: no match."""
    if proc.proargnames is None:
        return None
    positional = nargs - len(argnames)
    input_names: list[str] = []
    for i, name in enumerate(proc.proargnames):
        mode = proc.proargmodes[i] if proc.proargmodes else "i"
        if mode in ("i", "b", "v") or (include_out and mode == "o"):
            input_names.append(name)
    argnumbers = list(range(positional))
    given = set(argnumbers)
    for name in argnames:
        if name not in input_names:
            return None
        number = input_names.index(name)
        if number in given:
            return None
        given.add(number)
        argnumbers.append(number)
    first_default = pronargs - proc.pronargdefaults
    for number in range(positional, pronargs):
        if number not in given:
            if number < first_default:
                return None
            argnumbers.append(number)
    return argnumbers


def opername_get_oprid(
    catalog: Catalog, names: list[str], oprleft: int, oprright: int
) -> int:
    """OID of the operator with exactly these operand types (0: none on that side), or 0."""
    schema, name = deconstruct_qualified_name(catalog, names)
    positions = _namespaces(catalog, schema, True)
    best, best_position = 0, len(positions)
    for op in catalog.all(PgOperator, oprname=name):
        if op.oprleft == oprleft and op.oprright == oprright:
            position = positions.get(op.oprnamespace)
            if position is not None and position < best_position:
                best, best_position = op.oid, position
    return best


def opername_get_candidates(
    catalog: Catalog, names: list[str], oprkind: str
) -> list[FuncCandidate]:
    """All operators of this name and kind ("b" or "l"); args holds one type for prefix ones."""
    schema, name = deconstruct_qualified_name(catalog, names)
    positions = _namespaces(catalog, schema, False)
    found: dict[tuple[int, int], FuncCandidate] = {}
    for op in catalog.all(PgOperator, oprname=name):
        if op.oprkind != oprkind:
            continue
        position = positions.get(op.oprnamespace)
        if position is None:
            continue
        key = (op.oprleft, op.oprright)
        old = found.get(key)
        if old is not None and old.pathpos <= position:
            continue
        args = [op.oprright] if oprkind == "l" else [op.oprleft, op.oprright]
        found[key] = FuncCandidate(position, op.oid, len(args), args)
    return list(found.values())
