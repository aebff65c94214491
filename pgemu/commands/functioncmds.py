"""CREATE FUNCTION / PROCEDURE and ALTER FUNCTION (PostgreSQL's functioncmds.c)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pgemu.catalog.acl import (
    ACL_SET,
    ACL_USAGE,
    pg_language_aclcheck,
    pg_parameter_aclcheck,
    pg_type_aclcheck,
)
from pgemu.catalog.dependency import ObjectAddress, record_dependency_on_expr
from pgemu.catalog.heap import depend, insert_rows, is_pinned
from pgemu.catalog.internal_function import internal_function
from pgemu.catalog.pg_proc_create import procedure_create
from pgemu.catalog.roles import superuser
from pgemu.catalog.rows import (
    PG_TRANSFORM_RELID,
    PgDepend,
    PgLanguage,
    PgNamespace,
    PgProc,
    PgTransform,
    PgType,
)
from pgemu.commands.define import (
    def_get_boolean,
    def_get_numeric,
    def_get_qualified_name,
    def_get_string,
    elements,
    error_conflicting_def_elem,
    list_items,
    strings,
    type_name_to_string,
)
from pgemu.commands.ownership import check_named_object_ownership
from pgemu.commands.permissions import aclcheck_error, aclcheck_error_type
from pgemu.commands.proclang import undefined_language
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_FUNCTION_DEFINITION,
    INVALID_PARAMETER_VALUE,
    SYNTAX_ERROR,
    UNDEFINED_FUNCTION,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.executor.security_definer import definer_context
from pgemu.nodes import expr_type
from pgemu.nodes.parsenodes import Query, RawStmt
from pgemu.nodes.serialize import node_to_string
from pgemu.parser.parse_coerce_generic import is_polymorphic_type

INTERNALOID = 2281
_MODES = {
    "FUNC_PARAM_IN": "i", "FUNC_PARAM_OUT": "o", "FUNC_PARAM_INOUT": "b",
    "FUNC_PARAM_VARIADIC": "v", "FUNC_PARAM_TABLE": "t", "FUNC_PARAM_DEFAULT": "i",
}  # fmt: skip
_VOLATILITY = {"immutable": "i", "stable": "s", "volatile": "v"}
_PARALLEL = {"safe": "s", "unsafe": "u", "restricted": "r"}
INTERNAL_LANGUAGE, C_LANGUAGE, SQL_LANGUAGE = 12, 13, 14
ANYARRAYS = (2277, 5078, 2276)


class Parameters:
    """interpret_function_parameter_list."""

    def __init__(self) -> None:
        self.in_types: list[int] = []
        self.all_types: list[int] = []
        self.modes: list[str] = []
        self.names: list[str] = []
        self.defaults: list[Any] = []
        self.variadic = 0
        self.out_types: list[int] = []

    @property
    def has_out(self) -> bool:
        return any(m != "i" for m in self.modes)


def read_parameters(
    session: Any, nodes: list[Any], kind: str, text: str, language: int = 0
) -> Parameters:
    """kind: function, procedure or aggregate."""

    catalog = session.catalog
    p = Parameters()
    for node in nodes:
        param = node["FunctionParameter"]
        mode = _MODES[param.get("mode", "FUNC_PARAM_DEFAULT")]
        type_id = _parameter_type(session, param["argType"], kind, language)
        name = param.get("name", "")
        if mode in "ibv":
            if p.variadic:
                raise PgError(
                    INVALID_FUNCTION_DEFINITION,
                    "VARIADIC parameter must be the last input parameter",
                )
            p.in_types.append(type_id)
        if mode in "obt":
            if p.variadic and kind == "procedure":
                raise PgError(
                    INVALID_FUNCTION_DEFINITION, "VARIADIC parameter must be the last parameter"
                )
            p.out_types.append(type_id)
        if mode == "v":
            typ = catalog.one(PgType, oid=type_id)
            if type_id not in ANYARRAYS and not (typ.typelem and typ.typcategory == "A"):
                raise PgError(INVALID_FUNCTION_DEFINITION, "VARIADIC parameter must be an array")
            p.variadic = (
                2276 if type_id == 2276 else {2277: 2283, 5078: 5077}.get(type_id, typ.typelem)
            )
        if name and any(
            n == name and not _separate(m, mode) for n, m in zip(p.names, p.modes, strict=True)
        ):
            raise PgError(
                INVALID_FUNCTION_DEFINITION, f'parameter name "{name}" used more than once'
            )
        p.all_types.append(type_id)
        p.modes.append(mode)
        p.names.append(name)
        raw = param.get("defexpr")
        if raw is None and mode == "o" and p.defaults and kind == "procedure":
            raise PgError(
                INVALID_FUNCTION_DEFINITION,
                "procedure OUT parameters cannot appear after one with a default value",
            )
        _read_default(session, p, raw, mode, type_id, text)
    return p


def _read_default(
    session: Any, p: Parameters, raw: Any, mode: str, type_id: int, text: str
) -> None:
    """DEFAULT of a parameter; those behind it must have one too."""
    from pgemu.parser.parse_coerce import coerce_to_specific_type
    from pgemu.parser.parse_collate import assign_expr_collations
    from pgemu.parser.parse_expr import transform_expr
    from pgemu.parser.parse_node import ParseExprKind, make_parsestate

    if raw is None:
        if mode in "ibv" and p.defaults:
            raise PgError(
                INVALID_FUNCTION_DEFINITION,
                "input parameters after one with a default value must also have defaults",
            )
        return
    if mode not in "ibv":
        raise PgError(INVALID_FUNCTION_DEFINITION, "only input parameters can have default values")
    pstate = make_parsestate(None, session.catalog, text)
    expr = transform_expr(pstate, raw, ParseExprKind.EXPR_KIND_FUNCTION_DEFAULT)
    if expr_type(expr) != type_id:
        expr = coerce_to_specific_type(pstate, expr, type_id, "DEFAULT")
    assign_expr_collations(pstate, expr)
    p.defaults.append(expr)


def _separate(a: str, b: str) -> bool:
    """An input and an output-only parameter may share a name."""
    return (a in "iv" and b in "ot") or (b in "iv" and a in "ot")


def _parameter_type(session: Any, type_name: dict[str, Any], kind: str, language: int) -> int:
    from pgemu.parser.parse_type import lookup_type_name

    catalog = session.catalog
    row = lookup_type_name(catalog, {**type_name, "location": -1})
    shown = type_name_to_string(type_name)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f"type {shown} does not exist")
    if not row.typisdefined:
        if language == SQL_LANGUAGE:
            raise PgError(
                INVALID_FUNCTION_DEFINITION, f"SQL function cannot accept shell type {shown}"
            )
        if kind == "aggregate":
            raise PgError(
                INVALID_FUNCTION_DEFINITION, f"aggregate cannot accept shell type {shown}"
            )
        session.notice("NOTICE", WRONG_OBJECT_TYPE, f"argument type {shown} is only a shell")
    _check_type_usage(session, row.oid)
    if type_name.get("setof"):
        raise PgError(INVALID_FUNCTION_DEFINITION, f"{kind}s cannot accept set arguments")
    return int(row.oid)


def _check_type_usage(session: Any, type_id: int) -> None:
    if not pg_type_aclcheck(session.catalog, type_id, ACL_USAGE):
        aclcheck_error_type(session, type_id)


def _return_type(
    session: Any, stmt: dict[str, Any], p: Parameters, language: int
) -> tuple[int, bool]:
    out = p.out_types
    required = 0
    if len(out) == 1:
        required = out[0]
    elif out:
        required = 2249
    if stmt.get("is_procedure"):
        return (2249 if out else 2278), False
    if "returnType" in stmt:
        type_name = stmt["returnType"]
        type_id = _compute_return_type(session, type_name, language)
        if required and type_id != required:
            raise PgError(
                INVALID_FUNCTION_DEFINITION,
                f"function result type must be {session.catalog.type_name(required)} because of "
                "OUT parameters",
            )
        return type_id, bool(type_name.get("setof"))
    if required:
        return required, False
    raise PgError(INVALID_FUNCTION_DEFINITION, "function result type must be specified")


def _compute_return_type(session: Any, type_name: dict[str, Any], language: int) -> int:
    """compute_return_type: the result may be a shell, which an internal function may also make:
    that is how the I/O functions of a new base type come before the type."""
    from pgemu.catalog.acl import ACL_CREATE, pg_namespace_aclcheck
    from pgemu.catalog.namespace import qualified_name_get_creation_namespace
    from pgemu.commands.basetypes import make_shell_type
    from pgemu.parser.parse_type import lookup_type_name

    catalog = session.catalog
    row = lookup_type_name(catalog, {**type_name, "location": -1})
    shown = type_name_to_string(type_name)
    if row is not None:
        if not row.typisdefined:
            if language == SQL_LANGUAGE:
                raise PgError(
                    INVALID_FUNCTION_DEFINITION, f"SQL function cannot return shell type {shown}"
                )
            session.notice("NOTICE", WRONG_OBJECT_TYPE, f"return type {shown} is only a shell")
        type_id = int(row.oid)
    else:
        if language not in (INTERNAL_LANGUAGE, C_LANGUAGE):
            raise PgError(UNDEFINED_OBJECT, f'type "{shown}" does not exist')
        if type_name.get("typmods"):
            raise PgError(
                SYNTAX_ERROR, f'type modifier cannot be specified for shell type "{shown}"'
            )
        session.notice(
            "NOTICE",
            UNDEFINED_OBJECT,
            f'type "{shown}" is not yet defined',
            detail="Creating a shell type definition.",
        )
        namespace, name = qualified_name_get_creation_namespace(catalog, type_name["names"])
        if not pg_namespace_aclcheck(catalog, namespace, ACL_CREATE):
            aclcheck_error("schema", catalog.get(PgNamespace, oid=namespace).nspname)
        type_id = make_shell_type(session, name, namespace)
    _check_type_usage(session, type_id)
    return type_id


def create_function(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE [OR REPLACE] FUNCTION / PROCEDURE."""
    from pgemu.catalog.acl import ACL_CREATE, pg_namespace_aclcheck
    from pgemu.catalog.namespace import qualified_name_get_creation_namespace
    from pgemu.commands.default_acl import get_user_default_acl

    catalog = session.catalog
    is_procedure = bool(stmt.get("is_procedure"))
    namespace, name = qualified_name_get_creation_namespace(catalog, stmt["funcname"])
    if not pg_namespace_aclcheck(catalog, namespace, ACL_CREATE):
        schema = catalog.one(PgNamespace, oid=namespace).nspname
        raise PgError(INSUFFICIENT_PRIVILEGE, f"permission denied for schema {schema}")
    options: dict[str, Any] = {}
    settings: list[dict[str, Any]] = []
    for option in elements(stmt.get("options")):
        if option["defname"] == "set":
            settings.append(option["arg"]["VariableSetStmt"])
            continue
        if option["defname"] in options:
            raise error_conflicting_def_elem(option)
        if is_procedure:
            _refuse_in_procedure(option)
        options[option["defname"]] = option
    language = _language(session, options, stmt)
    kind = "procedure" if is_procedure else "function"
    p = read_parameters(session, stmt.get("parameters", []), kind, st.source_text, language.oid)
    rettype, retset = _return_type(session, stmt, p, language.oid)
    prosrc, probin = _body(session, options, stmt, language)
    is_window = "window" in options
    owner = session.ctx.current_user_oid
    cost = (
        def_get_numeric(options["cost"])
        if "cost" in options
        else (1.0 if language.lanname in ("internal", "c") else 100.0)
    )
    rows = def_get_numeric(options["rows"]) if "rows" in options else (1000.0 if retset else 0.0)
    if cost <= 0:
        raise PgError(INVALID_PARAMETER_VALUE, "COST must be positive")
    if "rows" in options and not retset:
        raise PgError(
            INVALID_PARAMETER_VALUE, "ROWS is not applicable when function does not return a set"
        )
    if retset and rows <= 0:
        raise PgError(INVALID_PARAMETER_VALUE, "ROWS must be positive")
    support = _support_function(session, options["support"]) if "support" in options else 0
    if "leakproof" in options:
        _check_leakproof(session, options["leakproof"])
    transforms = _transforms(session, options, language)
    row = PgProc(
        oid=0, proname=name, pronamespace=namespace, proowner=owner, prolang=language.oid,
        procost=cost, prorows=rows, provariadic=p.variadic, prosupport=support,
        prokind="p" if is_procedure else "w" if is_window else "f",
        prosecdef="security" in options and def_get_boolean(options["security"]),
        proleakproof="leakproof" in options and def_get_boolean(options["leakproof"]),
        proisstrict="strict" in options and def_get_boolean(options["strict"]),
        proretset=retset,
        provolatile=_VOLATILITY[def_get_string(options["volatility"])]
        if "volatility" in options else "v",
        proparallel=_parallel(options), pronargs=len(p.in_types),
        pronargdefaults=len(p.defaults), prorettype=rettype, proargtypes=tuple(p.in_types),
        proallargtypes=tuple(p.all_types) if p.has_out else None,
        proargmodes=tuple(p.modes) if p.has_out else None,
        proargnames=tuple(p.names) if any(p.names) else None,
        proargdefaults=node_to_string(p.defaults) if p.defaults else None,
        protrftypes=tuple(t.trftype for t in transforms) or None,
        prosrc=prosrc, probin=probin, prosqlbody=None,
        proconfig=_config(session, settings, None),
        proacl=get_user_default_acl(session, "f", owner, namespace),
    )  # fmt: skip
    _check_config(session, row.proconfig)
    sql_body = _analyze_sql_body(session, stmt, row)
    if sql_body is not None:
        row = row._replace(prosqlbody=node_to_string(sql_body))
    oid = procedure_create(session, row, replace=bool(stmt.get("replace")))
    used = [*p.defaults, *([] if sql_body is None else [sql_body])]
    record_dependency_on_expr(catalog, ObjectAddress(PgProc.RELID, oid, 0), used)
    me = (PgProc.RELID, oid, 0)
    insert_rows(catalog, [depend(me, (PG_TRANSFORM_RELID, t.oid, 0), "n") for t in transforms])
    _depend_on_support(catalog, oid, 0, support)
    _validate(session, row._replace(oid=oid), language)
    return CommandResult("CREATE PROCEDURE" if is_procedure else "CREATE FUNCTION")


def _transforms(session: Any, options: dict[str, Any], language: PgLanguage) -> list[PgTransform]:
    if "transform" not in options:
        return []
    from pgemu.commands.transformcmds import transforms_of

    return transforms_of(session, options["transform"], language)


def _parallel(options: dict[str, Any]) -> str:
    if "parallel" not in options:
        return "u"
    return parallel_of(def_get_string(options["parallel"]))


def parallel_of(word: str) -> str:
    """proparallel of PARALLEL's word."""
    if word not in _PARALLEL:
        raise PgError(SYNTAX_ERROR, 'parameter "parallel" must be SAFE, RESTRICTED, or UNSAFE')
    return _PARALLEL[word]


def _language(session: Any, options: dict[str, Any], stmt: dict[str, Any]) -> PgLanguage:
    if "language" in options:
        name = def_get_string(options["language"])
    elif "sql_body" in stmt:
        name = "sql"
    else:
        raise PgError(INVALID_FUNCTION_DEFINITION, "no language specified")
    row: PgLanguage | None = session.catalog.one(PgLanguage, lanname=name)
    if row is None:
        raise undefined_language(name)
    allowed = (
        pg_language_aclcheck(session.catalog, row.oid, ACL_USAGE)
        if row.lanpltrusted
        else superuser(session.catalog)
    )
    if not allowed:
        aclcheck_error("language", name)
    if name == "c":
        _refuse_library(options)
    return row


def _refuse_library(options: dict[str, Any]) -> None:
    """There are no compiled libraries, and a file of another server is none of this one's."""
    names = strings(list_items(options["as"]["arg"])) if "as" in options else []
    if names and not Path(names[0]).is_file():
        raise PgError("58P01", f'could not access file "{names[0]}": No such file or directory')
    raise PgError(FEATURE_NOT_SUPPORTED, "functions in language c are not supported")


def _support_function(session: Any, option: dict[str, Any]) -> int:
    """interpret_func_support: a hint for PostgreSQL's planner, kept as such."""
    from pgemu.parser.parse_func_lookup import func_signature_string, lookup_func_name

    catalog = session.catalog
    words = def_get_qualified_name(option)
    oid: int = lookup_func_name(catalog, words, [INTERNALOID])
    if catalog.get(PgProc, oid=oid).prorettype != INTERNALOID:
        shown = func_signature_string(catalog, words, [], [INTERNALOID])
        raise PgError("42P17", f"support function {shown} must return type internal")
    if not superuser(catalog):
        raise PgError(INSUFFICIENT_PRIVILEGE, "must be superuser to specify a support function")
    return oid


def _depend_on_support(catalog: Any, oid: int, old: int, new: int) -> None:
    """The dependency of a function on its support function."""
    me = (PgProc.RELID, oid, 0)
    if old:
        catalog.delete(PgDepend, classid=PgProc.RELID, objid=oid, refobjid=old)
    if new and not is_pinned(new, PgProc.RELID):
        insert_rows(catalog, [depend(me, (PgProc.RELID, new, 0), "n")])


def _body(
    session: Any, options: dict[str, Any], stmt: dict[str, Any], language: PgLanguage
) -> tuple[str, str | None]:
    if "sql_body" in stmt:
        if language.lanname != "sql":
            raise PgError(
                INVALID_FUNCTION_DEFINITION, "inline SQL function body only valid for language SQL"
            )
        if "as" in options:
            raise PgError(INVALID_FUNCTION_DEFINITION, "duplicate function body specified")
        return "", None
    if "as" not in options:
        raise PgError(INVALID_FUNCTION_DEFINITION, "no function body specified")
    parts = strings(list_items(options["as"]["arg"]))
    if len(parts) > 1:
        raise PgError(
            INVALID_FUNCTION_DEFINITION,
            f'only one AS item needed for language "{language.lanname}"',
        )
    return parts[0], None


def _config(
    session: Any, settings: list[dict[str, Any]], old: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    from pgemu.commands.variable import flatten_set_variable_args

    merged = dict(o.split("=", 1) for o in old or ())
    for stmt in settings:
        if stmt["kind"] == "VAR_RESET_ALL":
            merged = {}
            continue
        name = session.guc.canonical_name(stmt["name"])
        if stmt["kind"] == "VAR_SET_CURRENT":
            merged[name] = session.guc.get(name)
        elif stmt["kind"] == "VAR_SET_VALUE":
            value = flatten_set_variable_args(name, stmt.get("args", []))
            if value is None:
                merged.pop(name, None)
            else:
                merged[name] = value
        else:
            merged.pop(name, None)
    return tuple(f"{k}={v}" for k, v in merged.items()) or None


def _check_config(session: Any, config: tuple[str, ...] | None) -> None:
    """The values of SET clauses are tried out."""
    if not config:
        return
    session.guc.push()
    try:
        for item in config:
            name, _, value = item.partition("=")
            try:
                allowed = pg_parameter_aclcheck(session.catalog, name, ACL_SET)
                if "." in name:
                    session.guc.validate(name, value, superuser=allowed)
                session.guc.set(name, value, local=True, superuser=allowed)
            except PgError:
                if name != "default_text_search_config":
                    raise
                # a dump may make the configuration later
                session.notice(
                    "NOTICE",
                    UNDEFINED_OBJECT,
                    f'text search configuration "{value}" does not exist',
                )
                if session.guc.value("check_function_bodies"):
                    raise
    finally:
        session.guc.pop(False)


def _analyze_sql_body(
    session: Any, stmt: dict[str, Any], row: PgProc
) -> Query | list[Query] | None:
    """The standard's body: the analyzed query of RETURN, or those of BEGIN ATOMIC."""
    if "sql_body" not in stmt:
        return None
    if any(is_polymorphic_type(t) for t in row.proargtypes):
        raise PgError(
            INVALID_FUNCTION_DEFINITION,
            "SQL function with unquoted function body cannot have polymorphic arguments",
        )
    body = stmt["sql_body"]
    types = list(row.proargtypes)
    if "ReturnStmt" in body:
        query: Query = session.analyze_function_body(RawStmt(body), row, types)
        return query
    queries: list[Query] = []
    # an empty body is a list with an empty item
    for raw in (inner for item in list_items(body) if item for inner in list_items(item) if inner):
        query = session.analyze_function_body(RawStmt(raw), row, types)
        if query.command_type == "utility":
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f"{_command_name(raw)} is not yet supported in unquoted SQL function body",
            )
        queries.append(query)
    return queries


def _command_name(raw: dict[str, Any]) -> str:
    from pgemu.commands.utility import COMMANDS

    tag = next(iter(raw))
    return COMMANDS[tag].name if tag in COMMANDS else tag.removesuffix("Stmt").upper()


def _validate(session: Any, row: PgProc, language: PgLanguage) -> None:
    """check_function_bodies: syntax of SQL and PL/pgSQL bodies, and analysis of SQL ones."""
    if language.oid == INTERNAL_LANGUAGE and internal_function(session.catalog, row.prosrc) is None:
        raise PgError(UNDEFINED_FUNCTION, f'there is no built-in function named "{row.prosrc}"')
    if not session.guc.value("check_function_bodies"):
        return
    if row.proconfig:
        # the body is looked at with the settings that it will run with
        with definer_context(session, row._replace(prosecdef=False)):
            _validate(session, row._replace(proconfig=None), language)
    elif language.oid == SQL_LANGUAGE:
        from pgemu.commands.function_validator import validate_sql_function

        validate_sql_function(session, row)
    elif language.lanvalidator and language.oid not in (INTERNAL_LANGUAGE, C_LANGUAGE):
        from pgemu.commands.function_validator import validate_plpgsql_function

        validate_plpgsql_function(session, row)


def _check_leakproof(session: Any, option: dict[str, Any]) -> None:
    if def_get_boolean(option) and not superuser(session.catalog):
        raise PgError(INSUFFICIENT_PRIVILEGE, "only superuser can define a leakproof function")


def _refuse_in_procedure(option: dict[str, Any]) -> None:
    """What compute_common_attribute takes for functions alone."""
    if option["defname"] not in ("as", "language", "transform", "set", "security"):
        raise PgError(
            INVALID_FUNCTION_DEFINITION,
            "invalid attribute in procedure definition",
            location=option.get("location", -1),
        )


def alter_function(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER FUNCTION options."""
    from pgemu.commands.get_object_address import get_object_address

    catalog = session.catalog
    objtype = stmt.get("objtype", "OBJECT_FUNCTION")
    address = get_object_address(catalog, objtype, {"ObjectWithArgs": stmt["func"]}, False)
    assert address is not None
    node = {"ObjectWithArgs": stmt["func"]}
    check_named_object_ownership(session, ObjectAddress(*address), objtype, node)
    row = catalog.one(PgProc, oid=address.objid)
    if row.prokind == "a":
        raise PgError(WRONG_OBJECT_TYPE, f'"{row.proname}" is an aggregate function')
    changes: dict[str, Any] = {}
    settings: list[dict[str, Any]] = []
    given: set[str] = set()
    for option in elements(stmt.get("actions")):
        name = option["defname"]
        if row.prokind == "p":
            _refuse_in_procedure(option)
        if name in given and name != "set":
            raise error_conflicting_def_elem(option)
        given.add(name)
        if name == "set":
            settings.append(option["arg"]["VariableSetStmt"])
        elif name == "volatility":
            changes["provolatile"] = _VOLATILITY[def_get_string(option)]
        elif name == "parallel":
            changes["proparallel"] = _parallel({"parallel": option})
        elif name in ("strict", "security", "leakproof"):
            column = {"strict": "proisstrict", "security": "prosecdef"}.get(name, "proleakproof")
            changes[column] = def_get_boolean(option)
            if name == "leakproof":
                _check_leakproof(session, option)
        elif name == "cost":
            changes["procost"] = def_get_numeric(option)
            if changes["procost"] <= 0:
                raise PgError(INVALID_PARAMETER_VALUE, "COST must be positive")
        elif name == "rows":
            changes["prorows"] = def_get_numeric(option)
            if changes["prorows"] <= 0:
                raise PgError(INVALID_PARAMETER_VALUE, "ROWS must be positive")
            if not row.proretset:
                raise PgError(
                    INVALID_PARAMETER_VALUE,
                    "ROWS is not applicable when function does not return a set",
                )
        elif name == "support":
            changes["prosupport"] = _support_function(session, option)
            _depend_on_support(catalog, row.oid, row.prosupport, changes["prosupport"])
    if settings:
        changes["proconfig"] = _config(session, settings, row.proconfig)
        _check_config(session, changes["proconfig"])
    if changes:
        catalog.update(PgProc, {"oid": row.oid}, **changes)
    return CommandResult("ALTER " + objtype.removeprefix("OBJECT_"))
