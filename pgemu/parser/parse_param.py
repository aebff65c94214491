"""`$n` parameters (PostgreSQL's parse_param.c).

Fixed: the types are given.  Variable: types not given are deduced from the first context that
demands one; `check_variable_parameters` at the end rejects what stayed open or contradicts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pgemu.errors import (
    AMBIGUOUS_PARAMETER,
    INDETERMINATE_DATATYPE,
    UNDEFINED_PARAMETER,
    PgError,
)
from pgemu.nodes.nodefuncs import expr_location
from pgemu.nodes.primnodes import Expr, Param
from pgemu.nodes.walk import walk
from pgemu.parser.parse_cache import get_type
from pgemu.parser.type_oids import UNKNOWNOID, VOIDOID

if TYPE_CHECKING:
    from pgemu.nodes.parsenodes import Query
    from pgemu.parser.parse_node import ParseState

_MAX_PARAMS = 2**28 - 1


@dataclass(slots=True)
class VariableParameters:
    """types: the list that is completed; unresolved: Params made while their type was open."""

    types: list[int]
    unresolved: list[Param] = field(default_factory=list)


def setup_parse_fixed_parameters(pstate: ParseState, param_types: list[int]) -> None:
    """Parameters 1..n have these types; 0 or anything beyond is an error."""
    pstate.p_ref_hook_state = param_types
    pstate.p_paramref_hook = _fixed_paramref_hook


def setup_parse_variable_parameters(pstate: ParseState, param_types: list[int]) -> None:
    """Types that are 0, 705 (unknown) or missing are deduced: the list is extended in place."""
    pstate.p_ref_hook_state = VariableParameters(param_types)
    pstate.p_paramref_hook = _variable_paramref_hook
    pstate.p_coerce_param_hook = _variable_coerce_param_hook


def _no_such_parameter(number: int, location: int) -> PgError:
    return PgError(UNDEFINED_PARAMETER, f"there is no parameter ${number}", location=location)


def _fixed_paramref_hook(pstate: ParseState, pref: dict[str, Any]) -> Expr:
    types: list[int] = pstate.p_ref_hook_state
    number = pref.get("number", 0)
    location = pref.get("location", 0)
    if number <= 0 or number > len(types) or not types[number - 1]:
        raise _no_such_parameter(number, location)
    ptype = types[number - 1]
    collation = get_type(pstate.catalog, ptype).typcollation
    if collation and pstate.p_input_collation:
        collation = pstate.p_input_collation
    return Param("extern", number, ptype, -1, collation, location)


def _variable_paramref_hook(pstate: ParseState, pref: dict[str, Any]) -> Expr:
    state: VariableParameters = pstate.p_ref_hook_state
    types = state.types
    number = pref.get("number", 0)
    location = pref.get("location", 0)
    if number <= 0 or number > _MAX_PARAMS:
        raise _no_such_parameter(number, location)
    if number > 65535:
        raise _no_such_parameter(number, location)
    if number > len(types):
        types.extend([0] * (number - len(types)))
    ptype = types[number - 1]
    # a VOID input parameter of a CALL is what some drivers send for OUT arguments
    if ptype == VOIDOID and _is_call_argument(pstate):
        ptype = UNKNOWNOID
    if ptype == 0:
        ptype = types[number - 1] = UNKNOWNOID
    collation = 0 if ptype == UNKNOWNOID else get_type(pstate.catalog, ptype).typcollation
    param = Param("extern", number, ptype, -1, collation, location)
    if ptype == UNKNOWNOID:
        state.unresolved.append(param)
    return param


def _is_call_argument(pstate: ParseState) -> bool:
    return pstate.p_expr_kind.name == "EXPR_KIND_CALL_ARGUMENT"


def _variable_coerce_param_hook(
    pstate: ParseState, param: Param, target_type: int, target_typmod: int, location: int
) -> Expr | None:
    if param.paramkind != "extern" or param.paramtype != UNKNOWNOID:
        return None
    state: VariableParameters = pstate.p_ref_hook_state
    types = state.types
    number = param.paramid
    if number <= 0 or number > len(types):
        raise _no_such_parameter(number, param.location)
    known = types[number - 1]
    if known == UNKNOWNOID:
        types[number - 1] = target_type
    elif known != target_type:
        catalog = pstate.catalog
        raise PgError(
            AMBIGUOUS_PARAMETER,
            f"inconsistent types deduced for parameter ${number}",
            detail=f"{catalog.type_name(known)} versus {catalog.type_name(target_type)}",
            location=param.location,
        )
    param.paramtype = target_type
    # the typmod is enforced separately, as for any other expression
    param.paramtypmod = -1
    param.paramcollid = get_type(pstate.catalog, target_type).typcollation
    # the leftmost of parameter and coercion is what errors point at
    if location >= 0 and (param.location < 0 or location < param.location):
        param.location = location
    return param


def check_variable_parameters(pstate: ParseState, query: Query) -> None:
    """Every parameter must have got a type, the same wherever it stands."""
    state: VariableParameters = pstate.p_ref_hook_state
    types = state.types
    if all(types[p.paramid - 1] == p.paramtype for p in state.unresolved):
        return

    # only those that are still in the tree count

    def visit(node: Any) -> bool | None:
        if isinstance(node, Param) and node.paramkind == "extern":
            _check_parameter(pstate, node, types)
        return None

    walk([query], visit)


def _check_parameter(pstate: ParseState, param: Param, types: list[int]) -> None:
    number = param.paramid
    if number <= 0 or number > len(types):
        raise _no_such_parameter(number, param.location)
    if types[number - 1] != param.paramtype:
        raise PgError(
            AMBIGUOUS_PARAMETER,
            f"could not determine data type of parameter ${number}",
            location=expr_location(param),
        )


def check_parameter_types(types: list[int]) -> None:
    """After Parse: a parameter that is never used, or whose type stayed open, is an error
    (exec_parse_message)."""
    for number, ptype in enumerate(types, 1):
        if ptype in (0, UNKNOWNOID):
            raise PgError(
                INDETERMINATE_DATATYPE, f"could not determine data type of parameter ${number}"
            )
