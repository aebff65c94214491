"""Functions and operators that a name may mean, and whether objects are visible by bare name.

Counterpart of PostgreSQL's catalog/namespace.c: FuncnameGetCandidates, OpernameGetCandidates and
the ...IsVisible family.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgemu.catalog.namespace import (
    Names,
    active_search_path,
    deconstruct_qualified_name,
    lookup_collation,
    lookup_explicit_namespace,
    opclassname_get_opcid,
    opfamilyname_get_opfid,
    relname_get_relid,
    typename_get_typid,
)
from pgemu.catalog.rows import (
    PgClass,
    PgCollation,
    PgConversion,
    PgOpclass,
    PgOperator,
    PgOpfamily,
    PgProc,
    PgStatisticExt,
    PgTsConfig,
    PgTsDict,
    PgTsParser,
    PgTsTemplate,
    PgType,
)

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog


@dataclass(slots=True)
class FuncCandidate:
    """One function or operator that fits by name and argument count.

    args are the types in the order of the call, variadic ones expanded; nvargs: how many
    arguments the variadic parameter takes; ndargs: how many come from defaults; argnumbers: for a
    call with named arguments, parameter number (from 0) of each argument of the call.  oid 0: two
    functions that fit equally well.
    """

    oid: int
    pathpos: int
    args: tuple[int, ...]
    nominalnargs: int = 0
    nvargs: int = 0
    ndargs: int = 0
    argnumbers: tuple[int, ...] | None = None

    @property
    def nargs(self) -> int:
        return len(self.args)


def _lookup_namespaces(
    catalog: Catalog, names: Names, missing_ok: bool
) -> tuple[dict[int, int], str, bool]:
    """({schema OID: path position}, bare name, was it qualified)."""
    schema, name = deconstruct_qualified_name(catalog, names)
    if schema is not None:
        oid = lookup_explicit_namespace(catalog, schema, missing_ok)
        return ({oid: 0} if oid else {}), name, True
    temp = catalog.my_temp_namespace
    path = active_search_path(catalog)
    return {oid: i for i, oid in enumerate(path) if oid != temp}, name, False


def _match_named_call(
    proc: PgProc, nargs: int, argnames: Sequence[str], include_out: bool, pronargs: int
) -> tuple[int, ...] | None:
    """MatchNamedCall: parameter number of each argument of the call, then of the defaults."""
    numposargs = nargs - len(argnames)
    if not proc.proargnames:
        return None
    given = [i < numposargs for i in range(pronargs)]
    numbers = list(range(numposargs))
    modes = proc.proargmodes
    for argname in argnames:
        pp = 0
        for i, parameter in enumerate(proc.proargnames):
            if modes and modes[i] not in ("iobv" if include_out else "ibv"):
                continue
            if parameter and parameter == argname:
                if given[pp]:
                    return None
                given[pp] = True
                numbers.append(pp)
                break
            pp += 1
        else:
            return None
    if nargs < pronargs:
        first_default = pronargs - proc.pronargdefaults
        for pp in range(numposargs, pronargs):
            if not given[pp]:
                if pp < first_default:
                    return None
                numbers.append(pp)
    return tuple(numbers)


def _candidate(
    proc: PgProc,
    pathpos: int,
    nargs: int,
    argnames: Sequence[str],
    expand_variadic: bool,
    expand_defaults: bool,
    include_out: bool,
) -> FuncCandidate | None:
    types: tuple[int, ...] = proc.proargtypes
    if include_out and proc.proallargtypes:
        modes = proc.proargmodes or ()
        types = tuple(t for t, m in zip(proc.proallargtypes, modes, strict=True) if m != "t")
    pronargs = len(types)
    use_defaults = expand_defaults and 0 <= nargs < pronargs
    if use_defaults and nargs + proc.pronargdefaults < pronargs:
        return None
    numbers: tuple[int, ...] | None = None
    variadic = 0
    if argnames:
        if proc.provariadic and expand_variadic:
            return None
        if pronargs != nargs and not use_defaults:
            return None
        numbers = _match_named_call(proc, nargs, argnames, include_out, pronargs)
        if numbers is None:
            return None
        types = tuple(types[n] for n in numbers)
    else:
        if pronargs <= nargs and expand_variadic:
            variadic = proc.provariadic
        if nargs >= 0 and pronargs != nargs and not variadic and not use_defaults:
            return None
    nvargs = 0
    if variadic:
        nvargs = nargs - pronargs + 1
        types = types[:-1] + (variadic,) * nvargs
    ndargs = pronargs - nargs if use_defaults else 0
    return FuncCandidate(proc.oid, pathpos, types, pronargs, nvargs, ndargs, numbers)


def _prefer(new: FuncCandidate, old: FuncCandidate) -> int:
    """Less than zero: the new one hides the old; more: the reverse; zero: ambiguous."""
    if new.pathpos != old.pathpos:
        return new.pathpos - old.pathpos
    if new.nvargs and not old.nvargs:
        return 1
    if not new.nvargs and old.nvargs:
        return -1
    return 0


def funcname_get_candidates(
    catalog: Catalog,
    names: Names,
    nargs: int = -1,
    argnames: Sequence[str] = (),
    expand_variadic: bool = False,
    expand_defaults: bool = False,
    include_out_arguments: bool = False,
    missing_ok: bool = False,
) -> list[FuncCandidate]:
    """The functions that a call could mean, hidden ones left out; nargs -1: any number."""
    namespaces, name, qualified = _lookup_namespaces(catalog, names, missing_ok)
    results: list[FuncCandidate] = []
    for proc in catalog.all(PgProc, proname=name):
        pathpos = namespaces.get(proc.pronamespace)
        if pathpos is None:
            continue
        new = _candidate(
            proc, pathpos, nargs, argnames, expand_variadic, expand_defaults, include_out_arguments
        )
        if new is None:
            continue
        special = new.nvargs or new.ndargs or new.argnumbers is not None
        if special or not qualified:
            shown = new.args[: len(new.args) - new.ndargs]
            old = next((o for o in results if o.args[: len(o.args) - o.ndargs] == shown), None)
            if old is not None:
                preference = _prefer(new, old)
                if preference == 0:
                    old.oid = 0
                if preference >= 0:
                    continue
                results.remove(old)
        results.append(new)
    return results


def opername_get_candidates(
    catalog: Catalog, names: Names, oprkind: str = "", missing_schema_ok: bool = False
) -> list[FuncCandidate]:
    """The operators that a name could mean; oprkind "b", "l" or "" for both."""
    namespaces, name, _ = _lookup_namespaces(catalog, names, missing_schema_ok)
    found: dict[tuple[int, int], FuncCandidate] = {}
    for op in catalog.all(PgOperator, oprname=name):
        pathpos = namespaces.get(op.oprnamespace)
        if pathpos is None or (oprkind and op.oprkind != oprkind):
            continue
        key = (op.oprleft, op.oprright)
        old = found.get(key)
        if old is None or pathpos < old.pathpos:
            found[key] = FuncCandidate(op.oid, pathpos, key, 2)
    return list(found.values())


def opername_get_oprid(catalog: Catalog, names: Names, left: int, right: int) -> int:
    """The operator with exactly these operand types (0: none on that side), or 0."""
    for candidate in opername_get_candidates(catalog, names, "", True):
        if candidate.args == (left, right):
            return candidate.oid
    return 0


# --- visibility ----------------------------------------------------------------------------------


def _in_path(catalog: Catalog, namespace: int) -> bool:
    return namespace in active_search_path(catalog)


def relation_is_visible(catalog: Catalog, oid: int) -> bool | None:
    """Does the bare name find it?  None: there is no such relation."""
    row = catalog.one(PgClass, oid=oid)
    if row is None:
        return None
    if not _in_path(catalog, row.relnamespace):
        return False
    return relname_get_relid(catalog, row.relname) == oid


def type_is_visible(catalog: Catalog, oid: int) -> bool | None:
    row = catalog.one(PgType, oid=oid)
    if row is None:
        return None
    if not _in_path(catalog, row.typnamespace):
        return False
    return typename_get_typid(catalog, row.typname) == oid


def function_is_visible(catalog: Catalog, oid: int) -> bool | None:
    row = catalog.one(PgProc, oid=oid)
    if row is None:
        return None
    if not _in_path(catalog, row.pronamespace):
        return False
    for candidate in funcname_get_candidates(catalog, [row.proname], row.pronargs):
        if candidate.args == row.proargtypes:
            return candidate.oid == oid
    return False


def operator_is_visible(catalog: Catalog, oid: int) -> bool | None:
    row = catalog.one(PgOperator, oid=oid)
    if row is None:
        return None
    if not _in_path(catalog, row.oprnamespace):
        return False
    return opername_get_oprid(catalog, [row.oprname], row.oprleft, row.oprright) == oid


def opclass_is_visible(catalog: Catalog, oid: int) -> bool | None:
    row = catalog.one(PgOpclass, oid=oid)
    if row is None:
        return None
    if not _in_path(catalog, row.opcnamespace):
        return False
    return opclassname_get_opcid(catalog, row.opcmethod, row.opcname) == oid


def opfamily_is_visible(catalog: Catalog, oid: int) -> bool | None:
    row = catalog.one(PgOpfamily, oid=oid)
    if row is None:
        return None
    if not _in_path(catalog, row.opfnamespace):
        return False
    return opfamilyname_get_opfid(catalog, row.opfmethod, row.opfname) == oid


def collation_is_visible(catalog: Catalog, oid: int) -> bool | None:
    row = catalog.one(PgCollation, oid=oid)
    if row is None:
        return None
    if not _in_path(catalog, row.collnamespace):
        return False
    for namespace in active_search_path(catalog):
        found = lookup_collation(catalog, row.collname, namespace)
        if found:
            return found == oid
    return False


def _named_is_visible(
    cls: type[Any], name_column: str, namespace_column: str
) -> Callable[[Catalog, int], bool | None]:
    def is_visible(catalog: Catalog, oid: int) -> bool | None:
        row: Any = catalog.one(cls, oid=oid)
        if row is None:
            return None
        name = getattr(row, name_column)
        for namespace in active_search_path(catalog):
            if namespace == catalog.my_temp_namespace:
                continue
            found: Any = catalog.one(cls, **{name_column: name, namespace_column: namespace})
            if found is not None:
                return bool(found.oid == oid)
        return False

    return is_visible


conversion_is_visible = _named_is_visible(PgConversion, "conname", "connamespace")
statistics_obj_is_visible = _named_is_visible(PgStatisticExt, "stxname", "stxnamespace")
ts_config_is_visible = _named_is_visible(PgTsConfig, "cfgname", "cfgnamespace")
ts_dict_is_visible = _named_is_visible(PgTsDict, "dictname", "dictnamespace")
ts_parser_is_visible = _named_is_visible(PgTsParser, "prsname", "prsnamespace")
ts_template_is_visible = _named_is_visible(PgTsTemplate, "tmplname", "tmplnamespace")
