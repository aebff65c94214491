"""CREATE AGGREGATE: the statement's clauses (PostgreSQL's aggregatecmds.c); the checks of what
they name and the rows are in aggregate_create.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pgemu.catalog.acl import ACL_CREATE, pg_namespace_aclcheck
from pgemu.catalog.namespace import qualified_name_get_creation_namespace
from pgemu.catalog.roles import superuser
from pgemu.catalog.rows import PgNamespace
from pgemu.commands.define import (
    def_get_boolean,
    def_get_int,
    def_get_qualified_name,
    def_get_string,
    def_get_type_name,
    elements,
    list_items,
    type_name_to_string,
)
from pgemu.commands.functioncmds import INTERNAL_LANGUAGE, Parameters, parallel_of, read_parameters
from pgemu.commands.permissions import aclcheck_error
from pgemu.commands.result import CommandResult
from pgemu.errors import INVALID_FUNCTION_DEFINITION, SYNTAX_ERROR, PgError

INTERNALOID = 2281
_POLYMORPHIC = frozenset((2277, 2283, 2776, 3500, 3831, 4537, 4538, *range(5077, 5081)))
_OBSOLETE = {"sfunc1": "sfunc", "stype1": "stype", "initcond1": "initcond"}
_FUNCTIONS = (
    "sfunc", "finalfunc", "combinefunc", "serialfunc", "deserialfunc", "msfunc", "minvfunc",
    "mfinalfunc", "sortop",
)  # fmt: skip
_OPTIONS = frozenset((
    *_FUNCTIONS, "finalfunc_extra", "mfinalfunc_extra", "finalfunc_modify", "mfinalfunc_modify",
    "basetype", "hypothetical", "stype", "sspace", "mstype", "msspace", "initcond", "minitcond",
    "parallel",
))  # fmt: skip
_MODIFY = {"read_only": "r", "shareable": "s", "read_write": "w"}


@dataclass(slots=True)
class AggregateDefinition:
    """What AggregateCreate is told.  functions: option name -> its words; kind n, o or h."""

    name: str
    namespace: int
    kind: str
    direct_args: int
    parameters: Parameters
    trans_type: int = 0
    mtrans_type: int = 0
    functions: dict[str, list[str]] = field(default_factory=dict)
    final_extra: bool = False
    mfinal_extra: bool = False
    final_modify: str = "r"
    mfinal_modify: str = "r"
    space: int = 0
    mspace: int = 0
    initial: str | None = None
    minitial: str | None = None
    parallel: str = "u"
    replace: bool = False


def _bad(message: str) -> PgError:
    return PgError(INVALID_FUNCTION_DEFINITION, message)


def define_aggregate(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """CREATE [OR REPLACE] AGGREGATE, in the old and the new style."""
    from pgemu.commands.aggregate_create import aggregate_create

    catalog = session.catalog
    namespace, name = qualified_name_get_creation_namespace(catalog, stmt["defnames"])
    if not pg_namespace_aclcheck(catalog, namespace, ACL_CREATE):
        aclcheck_error("schema", catalog.get(PgNamespace, oid=namespace).nspname)
    kind, direct, nodes = "n", 0, []
    if not stmt.get("oldstyle"):
        args = stmt["args"]
        nodes = [n for n in list_items(args[0]) if "FunctionParameter" in n] if args[0] else []
        direct = args[1]["Integer"].get("ival", 0)
        kind, direct = ("o", direct) if direct >= 0 else ("n", 0)
    given = _options(session, stmt)
    if "hypothetical" in given and def_get_boolean(given["hypothetical"]):
        if kind == "n":
            raise _bad("only ordered-set aggregates can be hypothetical")
        kind = "h"
    functions = {n: def_get_qualified_name(given[n]) for n in _FUNCTIONS if n in given}
    modify = {n: _modify(given[n]) for n in ("finalfunc_modify", "mfinalfunc_modify") if n in given}
    numbers: dict[str, int] = {
        n: def_get_int(given[n]) for n in ("sspace", "msspace") if n in given
    }
    _check_required(given, numbers)
    parameters = _parameters(session, stmt, given, nodes)
    definition = AggregateDefinition(
        name, namespace, kind, direct, parameters,
        functions=functions,
        final_extra="finalfunc_extra" in given and def_get_boolean(given["finalfunc_extra"]),
        mfinal_extra="mfinalfunc_extra" in given and def_get_boolean(given["mfinalfunc_extra"]),
        final_modify=modify.get("finalfunc_modify", "r" if kind == "n" else "w"),
        mfinal_modify=modify.get("mfinalfunc_modify", "r" if kind == "n" else "w"),
        space=numbers.get("sspace", 0),
        mspace=numbers.get("msspace", 0),
        replace=bool(stmt.get("replace")),
    )  # fmt: skip
    _read_states(session, given, definition)
    if "parallel" in given:
        definition.parallel = parallel_of(def_get_string(given["parallel"]))
    aggregate_create(session, definition)
    return CommandResult("CREATE AGGREGATE")


def _options(session: Any, stmt: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The last of each option counts; unknown ones are a warning, for the sake of old dumps."""
    given: dict[str, dict[str, Any]] = {}
    for option in elements(stmt.get("definition")):
        name = option["defname"]
        key = _OBSOLETE.get(name, name)
        if key in _OPTIONS:
            given[key] = option
        else:
            session.notice("WARNING", SYNTAX_ERROR, f'aggregate attribute "{name}" not recognized')
    return given


def _modify(option: dict[str, Any]) -> str:
    """extractModify."""
    word = def_get_string(option)
    if word not in _MODIFY:
        raise PgError(
            SYNTAX_ERROR,
            f'parameter "{option["defname"]}" must be READ_ONLY, SHAREABLE, or READ_WRITE',
        )
    return _MODIFY[word]


def _check_required(given: dict[str, dict[str, Any]], numbers: dict[str, int]) -> None:
    if "stype" not in given:
        raise _bad("aggregate stype must be specified")
    if "sfunc" not in given:
        raise _bad("aggregate sfunc must be specified")
    if "mstype" in given:
        for name in ("msfunc", "minvfunc"):
            if name not in given:
                raise _bad(f"aggregate {name} must be specified when mstype is specified")
        return
    for name in ("msfunc", "minvfunc", "mfinalfunc", "msspace", "minitcond"):
        if name in given and (name != "msspace" or numbers["msspace"]):
            raise _bad(f"aggregate {name} must not be specified without mstype")


def _parameters(
    session: Any, stmt: dict[str, Any], given: dict[str, dict[str, Any]], nodes: list[Any]
) -> Parameters:
    from pgemu.parser.parse_type import typename_type_id

    if not stmt.get("oldstyle"):
        if "basetype" in given:
            raise _bad("basetype is redundant with aggregate input type specification")
        return read_parameters(session, nodes, "aggregate", "")
    if "basetype" not in given:
        raise _bad("aggregate input type must be specified")
    parameters = Parameters()
    base = def_get_type_name(given["basetype"])
    if type_name_to_string(base).upper() != "ANY":
        type_id = int(typename_type_id(session.catalog, {**base, "location": -1}))
        parameters.in_types = [type_id]
        parameters.all_types, parameters.modes, parameters.names = [type_id], ["i"], [""]
    return parameters


def _read_states(
    session: Any, given: dict[str, dict[str, Any]], definition: AggregateDefinition
) -> None:
    """The types of the transition states and their first values."""
    definition.trans_type = _state_type(session, given["stype"])
    if "serialfunc" in given and "deserialfunc" in given:
        if definition.trans_type != INTERNALOID:
            raise _bad(
                "serialization functions may be specified only when the aggregate transition "
                "data type is internal"
            )
    elif "serialfunc" in given or "deserialfunc" in given:
        raise _bad("must specify both or neither of serialization and deserialization functions")
    if "mstype" in given:
        definition.mtrans_type = _state_type(session, given["mstype"])
    if "initcond" in given:
        definition.initial = def_get_string(given["initcond"])
        _check_initial(session, definition.initial, definition.trans_type)
    if "minitcond" in given:
        definition.minitial = def_get_string(given["minitcond"])
        _check_initial(session, definition.minitial, definition.mtrans_type)


def _state_type(session: Any, option: dict[str, Any]) -> int:
    from pgemu.parser.parse_type import typename_type_id

    catalog = session.catalog
    type_id = int(typename_type_id(catalog, {**def_get_type_name(option), "location": -1}))
    pseudo = catalog.types.row(type_id).typtype == "p" and type_id not in _POLYMORPHIC
    if pseudo and not (type_id == INTERNALOID and superuser(catalog)):
        raise _bad(f"aggregate transition data type cannot be {catalog.type_name(type_id)}")
    return type_id


def _check_initial(session: Any, text: str, type_id: int) -> None:
    types = session.catalog.types
    if types.row(type_id).typtype != "p":
        types.io(type_id).input(text, -1, session.ctx)


__all__ = ["INTERNAL_LANGUAGE", "AggregateDefinition", "define_aggregate"]
