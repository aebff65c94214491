"""AggregateCreate (PostgreSQL's pg_aggregate.c): the support functions of an aggregate are looked
up by the argument types that follow from its definition, checked, and the rows are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgemu.catalog.acl import ACL_EXECUTE, ACL_USAGE, pg_proc_aclcheck, pg_type_aclcheck
from pgemu.catalog.heap import depend, insert_rows, is_pinned
from pgemu.catalog.namespace import name_list_to_string
from pgemu.catalog.pg_proc_create import procedure_create
from pgemu.catalog.polymorphic import check_valid_polymorphic_signature
from pgemu.catalog.rows import (
    PG_OPERATOR_RELID,
    PG_PROC_RELID,
    PgAggregate,
    PgDepend,
    PgProc,
)
from pgemu.commands.functioncmds import INTERNAL_LANGUAGE
from pgemu.commands.permissions import aclcheck_error, aclcheck_error_type
from pgemu.errors import (
    DATATYPE_MISMATCH,
    FEATURE_NOT_SUPPORTED,
    INVALID_FUNCTION_DEFINITION,
    UNDEFINED_FUNCTION,
    WRONG_OBJECT_TYPE,
    PgError,
)

if TYPE_CHECKING:
    from pgemu.commands.aggregatecmds import AggregateDefinition

INTERNALOID, ANYOID, BYTEAOID = 2281, 2276, 17
_KIND_WORDS = {
    "n": "an ordinary aggregate function",
    "o": "an ordered-set aggregate",
    "h": "a hypothetical-set aggregate",
}


@dataclass(slots=True)
class _Functions:
    """OIDs of the support functions by option name; result: type of the aggregate's value."""

    oids: dict[str, int]
    result: int = 0
    sort_operator: int = 0


def aggregate_create(session: Any, d: AggregateDefinition) -> None:
    """Check the definition, then make or replace the pg_proc and pg_aggregate rows."""
    catalog = session.catalog
    _check_arguments(catalog, d)
    found = _Functions({})
    _transition(session, d, found)
    if d.mtrans_type:
        _moving_transition(session, d, found)
    _final(session, d, found)
    _partial(session, d, found)
    _check_result(catalog, d, found)
    if d.mtrans_type:
        _moving_final(session, d, found)
    if "sortop" in d.functions:
        found.sort_operator = _sort_operator(catalog, d)
    for type_id in (*d.parameters.in_types, d.trans_type, d.mtrans_type, found.result):
        if type_id and not pg_type_aclcheck(catalog, type_id, ACL_USAGE):
            aclcheck_error_type(session, type_id)
    _store(session, d, found)


def _mismatch(message: str, detail: str | None = None) -> PgError:
    return PgError(DATATYPE_MISMATCH, message, detail=detail)


def _bad(message: str, detail: str | None = None) -> PgError:
    return PgError(INVALID_FUNCTION_DEFINITION, message, detail=detail)


def _check_arguments(catalog: Any, d: AggregateDefinition) -> None:
    types, variadic = d.parameters.in_types, d.parameters.variadic
    for state in (d.trans_type, d.mtrans_type):
        detail = check_valid_polymorphic_signature(state, types) if state else None
        if detail is not None:
            raise _bad("cannot determine transition data type", detail)
    if d.kind != "n" and variadic and variadic != ANYOID:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "a variadic ordered-set aggregate must use VARIADIC type ANY",
        )
    if d.kind == "h" and d.direct_args < len(types):
        count = len(types) - d.direct_args
        direct = types[d.direct_args - count : d.direct_args]
        if variadic or d.direct_args < count or direct != types[d.direct_args :]:
            raise _bad(
                "a hypothetical-set aggregate must have direct arguments matching its "
                "aggregated arguments"
            )


def _lookup(session: Any, words: list[str], types: list[int], variadic: int) -> tuple[PgProc, int]:
    """lookup_agg_function: (row, result type)."""
    from pgemu.parser.parse_coerce_generic import enforce_generic_type_consistency
    from pgemu.parser.parse_coerce_path import is_binary_coercible
    from pgemu.parser.parse_func_detail import func_get_detail
    from pgemu.parser.parse_func_lookup import func_signature_string

    catalog = session.catalog
    detail = func_get_detail(catalog, words, None, [], types, False, False)
    shown = func_signature_string(catalog, words, [], types)
    if detail.code != "normal" or not detail.funcid:
        raise PgError(UNDEFINED_FUNCTION, f"function {shown} does not exist")
    if detail.retset:
        raise _mismatch(f"function {shown} returns a set")
    if variadic == ANYOID and detail.vatype != ANYOID:
        raise _mismatch(f"function {shown} must accept VARIADIC ANY to be used in this aggregate")
    declared = list(detail.true_typeids)
    result = enforce_generic_type_consistency(catalog, types, declared, detail.rettype, True)
    for given, wanted in zip(types, declared, strict=False):
        if not is_binary_coercible(catalog, given, wanted):
            coerced = func_signature_string(catalog, words, [], declared)
            raise _mismatch(f"function {coerced} requires run-time type coercion")
    row: PgProc = catalog.get(PgProc, oid=detail.funcid)
    if not pg_proc_aclcheck(catalog, row.oid, ACL_EXECUTE):
        aclcheck_error("function", row.proname)
    return row, result


def _transition_types(d: AggregateDefinition) -> list[int]:
    """The arguments of the transition function behind the state: the aggregated ones."""
    types = d.parameters.in_types
    if d.kind == "n":
        return list(types)
    # a trailing VARIADIC item covers the direct and the aggregated arguments
    return list(types[d.direct_args :] if d.direct_args < len(types) else types[-1:])


def _check_strict_start(
    catalog: Any, d: AggregateDefinition, row: PgProc, initial: str | None, state: int
) -> None:
    from pgemu.parser.parse_coerce_path import is_binary_coercible

    if not row.proisstrict or initial is not None:
        return
    types = d.parameters.in_types
    if not types or not is_binary_coercible(catalog, types[0], state):
        raise _bad(
            "must not omit initial value when transition function is strict and transition "
            "type is not compatible with input type"
        )


def _returns(
    catalog: Any, d: AggregateDefinition, option: str, what: str, result: int, wanted: int
) -> None:
    if result != wanted:
        name = name_list_to_string(d.functions[option])
        raise _mismatch(f"return type of {what} function {name} is not {catalog.type_name(wanted)}")


def _transition(session: Any, d: AggregateDefinition, found: _Functions) -> None:
    types = [d.trans_type, *_transition_types(d)]
    row, result = _lookup(session, d.functions["sfunc"], types, d.parameters.variadic)
    _returns(session.catalog, d, "sfunc", "transition", result, d.trans_type)
    _check_strict_start(session.catalog, d, row, d.initial, d.trans_type)
    found.oids["sfunc"] = row.oid


def _moving_transition(session: Any, d: AggregateDefinition, found: _Functions) -> None:
    catalog, variadic = session.catalog, d.parameters.variadic
    types = [d.mtrans_type, *_transition_types(d)]
    forward, result = _lookup(session, d.functions["msfunc"], types, variadic)
    _returns(catalog, d, "msfunc", "transition", result, d.mtrans_type)
    _check_strict_start(catalog, d, forward, d.minitial, d.mtrans_type)
    inverse, result = _lookup(session, d.functions["minvfunc"], types, variadic)
    _returns(catalog, d, "minvfunc", "inverse transition", result, d.mtrans_type)
    if inverse.proisstrict != forward.proisstrict:
        raise _bad("strictness of aggregate's forward and inverse transition functions must match")
    found.oids["msfunc"], found.oids["minvfunc"] = forward.oid, inverse.oid


def _final_function(
    session: Any, d: AggregateDefinition, option: str, state: int, extra: bool
) -> tuple[int, int]:
    """(OID, result type) of a final function."""
    types, variadic = d.parameters.in_types, d.parameters.variadic
    if not extra:
        if d.direct_args < len(types):
            variadic = 0
        types = types[: d.direct_args]
    row, result = _lookup(session, d.functions[option], [state, *types], variadic)
    if extra and row.proisstrict:
        raise _bad("final function with extra arguments must not be declared STRICT")
    return row.oid, result


def _final(session: Any, d: AggregateDefinition, found: _Functions) -> None:
    found.result = d.trans_type
    if "finalfunc" in d.functions:
        found.oids["finalfunc"], found.result = _final_function(
            session, d, "finalfunc", d.trans_type, d.final_extra
        )


def _moving_final(session: Any, d: AggregateDefinition, found: _Functions) -> None:
    catalog, result = session.catalog, d.mtrans_type
    if "mfinalfunc" in d.functions:
        found.oids["mfinalfunc"], result = _final_function(
            session, d, "mfinalfunc", d.mtrans_type, d.mfinal_extra
        )
    if result != found.result:
        raise _bad(
            f"moving-aggregate implementation returns type {catalog.type_name(result)}, "
            f"but plain implementation returns type {catalog.type_name(found.result)}"
        )


def _partial(session: Any, d: AggregateDefinition, found: _Functions) -> None:
    """Combine, serialization and deserialization functions."""
    catalog, state = session.catalog, d.trans_type
    for option, what, types, wanted in (
        ("combinefunc", "combine", [state, state], state),
        ("serialfunc", "serialization", [INTERNALOID], BYTEAOID),
        ("deserialfunc", "deserialization", [BYTEAOID, INTERNALOID], INTERNALOID),
    ):
        if option not in d.functions:
            continue
        row, result = _lookup(session, d.functions[option], types, 0)
        _returns(catalog, d, option, what, result, wanted)
        if option == "combinefunc" and state == INTERNALOID and row.proisstrict:
            raise _bad("combine function with transition type internal must not be declared STRICT")
        found.oids[option] = row.oid


def _check_result(catalog: Any, d: AggregateDefinition, found: _Functions) -> None:
    types = d.parameters.in_types
    detail = check_valid_polymorphic_signature(found.result, types)
    if detail is not None:
        raise _mismatch("cannot determine result data type", detail)
    if found.result == INTERNALOID and INTERNALOID not in types:
        raise _bad(
            'unsafe use of pseudo-type "internal"',
            "A result of type internal requires at least one input of type internal.",
        )


def _sort_operator(catalog: Any, d: AggregateDefinition) -> int:
    from pgemu.parser.parse_oper import lookup_oper_name

    types = d.parameters.in_types
    if len(types) != 1:
        raise _bad("sort operator can only be specified for single-argument aggregates")
    return lookup_oper_name(catalog, d.functions["sortop"], types[0], types[0])


def _check_same_kind(catalog: Any, d: AggregateDefinition) -> None:
    """What a replaced aggregate may not change."""
    wanted = tuple(d.parameters.in_types)
    for proc in catalog.all(PgProc, proname=d.name, pronamespace=d.namespace):
        if tuple(proc.proargtypes) != wanted or proc.prokind != "a":
            continue
        old = catalog.get(PgAggregate, aggfnoid=proc.oid)
        if old.aggkind != d.kind:
            raise PgError(
                WRONG_OBJECT_TYPE,
                "cannot change routine kind",
                detail=f'"{proc.proname}" is {_KIND_WORDS[old.aggkind]}.',
            )
        if old.aggnumdirectargs != d.direct_args:
            raise _bad("cannot change number of direct arguments of an aggregate function")


def _store(session: Any, d: AggregateDefinition, found: _Functions) -> None:
    from pgemu.commands.default_acl import get_user_default_acl

    catalog, p = session.catalog, d.parameters
    owner = session.ctx.current_user_oid
    row = PgProc(
        0, d.name, d.namespace, owner, INTERNAL_LANGUAGE, 1.0, 0.0,
        p.variadic, 0, "a", False, False, False, False, "i", d.parallel,
        len(p.in_types), 0, found.result, tuple(p.in_types),
        tuple(p.all_types) if p.has_out else None,
        tuple(p.modes) if p.has_out else None,
        tuple(p.names) if any(p.names) else None, None, None, "aggregate_dummy",
        None, None, None, get_user_default_acl(session, "f", owner, d.namespace),
    )  # fmt: skip
    if d.replace:
        _check_same_kind(catalog, d)
    oid = procedure_create(session, row, replace=d.replace)
    catalog.delete(PgAggregate, aggfnoid=oid)
    of = found.oids.get
    rows: list[Any] = [
        PgAggregate(
            oid, d.kind, d.direct_args, of("sfunc", 0), of("finalfunc", 0), of("combinefunc", 0),
            of("serialfunc", 0), of("deserialfunc", 0), of("msfunc", 0), of("minvfunc", 0),
            of("mfinalfunc", 0), d.final_extra, d.mfinal_extra, d.final_modify, d.mfinal_modify,
            found.sort_operator, d.trans_type, d.space, d.mtrans_type, d.mspace, d.initial,
            d.minitial,
        )
    ]  # fmt: skip
    me = (PG_PROC_RELID, oid, 0)
    needed = [(PG_PROC_RELID, f) for f in dict.fromkeys(found.oids.values())]
    needed.append((PG_OPERATOR_RELID, found.sort_operator))
    for classid, function in needed:
        if function and not is_pinned(function):
            link: PgDepend = depend(me, (classid, function, 0), "n")
            rows.append(link)
    insert_rows(catalog, rows)
