"""Overload resolution (func_get_detail, func_match_argtypes, func_select_candidate of
PostgreSQL's parse_func.c; the manual's chapter "Type Conversion" explains the rules)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pgemu.catalog.namespace import function_search_path
from pgemu.catalog.namespace_candidates import FuncCandidate, funcname_get_candidates
from pgemu.nodes.primnodes import Const, Expr
from pgemu.parser.parse_cache import (
    by_role,
    get_base_type,
    get_proc,
    get_type,
    is_complex,
    parse_cache,
)
from pgemu.parser.parse_coerce import can_coerce_type
from pgemu.parser.parse_coerce_path import (
    COERCION_EXPLICIT,
    COERCION_IMPLICIT,
    PATH_COERCEVIAIO,
    PATH_RELABELTYPE,
    find_coercion_pathway,
    is_preferred_type,
    type_category,
)
from pgemu.parser.parse_type import lookup_type_name
from pgemu.parser.type_oids import RECORDOID, UNKNOWNOID

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog


class FuncDetail(NamedTuple):
    """code: "notfound", "multiple", "normal", "procedure", "aggregate", "windowfunc" or
    "coercion" (then rettype is the target type)."""

    code: str
    funcid: int = 0
    rettype: int = 0
    retset: bool = False
    nvargs: int = 0
    vatype: int = 0
    true_typeids: tuple[int, ...] = ()
    ndargs: int = 0
    argnumbers: tuple[int, ...] | None = None


_CODE_OF_KIND = {"f": "normal", "p": "procedure", "a": "aggregate", "w": "windowfunc"}


def func_get_detail(
    catalog: Catalog,
    funcname: list[str],
    fargs: list[Expr] | None,
    fargnames: list[str],
    argtypes: list[int],
    expand_variadic: bool,
    expand_defaults: bool,
    include_out_arguments: bool = False,
) -> FuncDetail:
    """The function that a call with these argument types means.  fargs None: no coercion
    interpretation of the name is considered."""
    literal = len(argtypes) == 1 and bool(fargs) and isinstance(fargs[0], Const) if fargs else False
    path = function_search_path(catalog) if len(funcname) == 1 else by_role(catalog)
    key: Any = (
        "func",
        path,
        tuple(funcname),
        tuple(fargnames),
        tuple(argtypes),
        expand_variadic,
        expand_defaults,
        include_out_arguments,
        literal,
        fargs is None,
    )
    cache = parse_cache(catalog)
    found: FuncDetail | None = cache.get(key)
    if found is None:
        found = cache[key] = _func_get_detail(
            catalog,
            funcname,
            fargs,
            fargnames,
            argtypes,
            expand_variadic,
            expand_defaults,
            include_out_arguments,
        )
    return found


def _func_get_detail(
    catalog: Catalog,
    funcname: list[str],
    fargs: list[Expr] | None,
    fargnames: list[str],
    argtypes: list[int],
    expand_variadic: bool,
    expand_defaults: bool,
    include_out_arguments: bool,
) -> FuncDetail:
    nargs = len(argtypes)
    raw = funcname_get_candidates(
        catalog,
        funcname,
        nargs,
        fargnames,
        expand_variadic,
        expand_defaults,
        include_out_arguments,
    )
    best = next((c for c in raw if list(c.args[:nargs]) == argtypes), None)
    if best is None:
        if nargs == 1 and fargs and not fargnames:
            target = _call_as_coercion(catalog, funcname, fargs[0], argtypes[0])
            if target:
                return FuncDetail("coercion", 0, target, true_typeids=tuple(argtypes))
        matching = func_match_argtypes(catalog, argtypes, raw)
        if len(matching) == 1:
            best = matching[0]
        elif matching:
            best = func_select_candidate(catalog, argtypes, matching)
            if best is None:
                return FuncDetail("multiple")
    if best is None:
        return FuncDetail("notfound")
    if not best.oid:
        return FuncDetail("multiple")
    # VARIADIC with named arguments: the marked one must be the variadic parameter
    if (
        fargnames
        and not expand_variadic
        and nargs > 0
        and best.argnumbers is not None
        and best.argnumbers[nargs - 1] != nargs - 1
    ):
        return FuncDetail("notfound")
    proc = get_proc(catalog, best.oid)
    return FuncDetail(
        _CODE_OF_KIND[proc.prokind],
        best.oid,
        proc.prorettype,
        proc.proretset,
        best.nvargs,
        proc.provariadic,
        tuple(best.args),
        best.ndargs,
        tuple(best.argnumbers) if best.argnumbers is not None else None,
    )


def func_name_as_type(catalog: Catalog, funcname: list[str]) -> int:
    """FuncNameAsType: the type of this name, 0 if there is none or it is composite or a shell."""
    names = [{"String": {"sval": n}} for n in funcname]
    row = lookup_type_name(catalog, {"names": names, "typemod": -1}, True, False)
    return row.oid if row is not None and row.typisdefined and not row.typrelid else 0


def _call_as_coercion(catalog: Catalog, funcname: list[str], arg: Expr, source: int) -> int:
    """typename(x) where the cast needs no function: the type's OID, else 0."""
    target = func_name_as_type(catalog, funcname)
    if not target:
        return 0
    if source == UNKNOWNOID and isinstance(arg, Const):
        return target
    path, _ = find_coercion_pathway(catalog, target, source, COERCION_EXPLICIT)
    if path == PATH_RELABELTYPE:
        return target
    if path == PATH_COERCEVIAIO:
        row_to_string = (source == RECORDOID or is_complex(catalog, source)) and type_category(
            catalog, target
        ) == "S"
        return 0 if row_to_string else target
    return 0


def func_match_argtypes(
    catalog: Catalog, input_types: list[int], candidates: list[FuncCandidate]
) -> list[FuncCandidate]:
    """Candidates whose arguments can be converted to implicitly."""
    n = len(input_types)
    return [
        c
        for c in candidates
        if can_coerce_type(catalog, input_types, c.args[:n], COERCION_IMPLICIT)
    ]


def _most_matches(candidates: list[FuncCandidate], scores: list[int]) -> list[FuncCandidate]:
    best = max(scores)
    return [c for c, score in zip(candidates, scores, strict=True) if score == best]


def func_select_candidate(
    catalog: Catalog, input_types: list[int], candidates: list[FuncCandidate]
) -> FuncCandidate | None:
    """The best of several candidates that all accept the arguments; None: ambiguous."""
    base = [t if t == UNKNOWNOID else get_base_type(catalog, t) for t in input_types]
    nargs = len(base)
    known = [i for i in range(nargs) if base[i] != UNKNOWNOID]
    unknown = [i for i in range(nargs) if base[i] == UNKNOWNOID]
    # most exact matches
    candidates = _most_matches(
        candidates, [sum(c.args[i] == base[i] for i in known) for c in candidates]
    )
    if len(candidates) == 1:
        return candidates[0]
    # most exact matches and preferred types
    category = {i: type_category(catalog, base[i]) for i in known}
    candidates = _most_matches(
        candidates,
        [
            sum(
                c.args[i] == base[i] or is_preferred_type(catalog, category[i], c.args[i])
                for i in known
            )
            for c in candidates
        ],
    )
    if len(candidates) == 1:
        return candidates[0]
    if not unknown:
        return None
    narrowed = _by_unknown_categories(catalog, unknown, candidates)
    if narrowed:
        candidates = narrowed
        if len(candidates) == 1:
            return candidates[0]
    # last: assume that the unknown ones have the type of the known ones, if these are all alike
    if known:
        types = {base[i] for i in known}
        if len(types) == 1:
            assumed = [base[known[0]]] * nargs
            fitting = func_match_argtypes(catalog, assumed, candidates)
            if len(fitting) == 1:
                return fitting[0]
    return None


def _by_unknown_categories(
    catalog: Catalog, unknown: list[int], candidates: list[FuncCandidate]
) -> list[FuncCandidate]:
    """Keep those whose category at each unknown argument is the common one (string wins), and
    whose type there is preferred if any candidate has a preferred one."""
    slots: dict[int, tuple[str, bool]] = {}
    for i in unknown:
        category, preferred, conflict = "", False, False
        for c in candidates:
            row = get_type(catalog, c.args[i])
            if not category:
                category, preferred = row.typcategory, row.typispreferred
            elif row.typcategory == category:
                preferred = preferred or row.typispreferred
            elif row.typcategory == "S":
                category, preferred = "S", row.typispreferred
            else:
                conflict = True
        if conflict and category != "S":
            return []
        slots[i] = (category, preferred)
    kept = []
    for c in candidates:
        for i, (category, preferred) in slots.items():
            row = get_type(catalog, c.args[i])
            if row.typcategory != category or (preferred and not row.typispreferred):
                break
        else:
            kept.append(c)
    return kept
