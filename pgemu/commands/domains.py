"""CREATE DOMAIN and ALTER DOMAIN (PostgreSQL's typecmds.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.dependency import perform_deletion
from pgemu.catalog.heap import depend, insert_rows, is_pinned
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.pg_constraint import choose_constraint_name, constraint_row
from pgemu.catalog.rows import (
    PG_COLLATION_RELID,
    PG_CONSTRAINT_RELID,
    PG_TYPE_RELID,
    PgAttribute,
    PgClass,
    PgConstraint,
    PgDepend,
    PgType,
)
from pgemu.commands.cook import cook_default
from pgemu.commands.ddl_messages import contains_nulls
from pgemu.commands.ownership import check_object_ownership
from pgemu.commands.permissions import check_type_usage
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.row_type_uses import find_composite_type_dependencies
from pgemu.commands.typecmds import create_type_with_array
from pgemu.errors import (
    CHECK_VIOLATION,
    DATATYPE_MISMATCH,
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    SYNTAX_ERROR,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes.primnodes import CoerceToDomainValue, Const
from pgemu.nodes.serialize import node_to_string
from pgemu.parser.parse_node import ParseExprKind, make_parsestate

_REFUSED = {
    "CONSTR_UNIQUE": "unique constraints not possible for domains",
    "CONSTR_PRIMARY": "primary key constraints not possible for domains",
    "CONSTR_EXCLUSION": "exclusion constraints not possible for domains",
    "CONSTR_FOREIGN": "foreign key constraints not possible for domains",
}
_CONSTRAINT_TYPES = ("", "", "", "CONSTR_IDENTITY", "CONSTR_GENERATED")  # ConstrType's numbers


def define_domain(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE DOMAIN.  Its errors point nowhere: DefineDomain has not the statement's text."""
    try:
        return _define_domain(session, stmt, st)
    except PgError as error:
        error.location = None
        raise


def _define_domain(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    from pgemu.parser.parse_type import get_column_def_collation, typename_type_id_and_mod

    catalog = session.catalog
    pstate = make_parsestate(None, catalog, st.source_text)
    base, typmod = typename_type_id_and_mod(pstate, {**stmt["typeName"], "location": -1})
    typ = catalog.one(PgType, oid=base)
    if typ.typtype not in "bcdrem":
        raise PgError(
            DATATYPE_MISMATCH,
            f'"{".".join(_words(stmt["typeName"]))}" is not a valid base type for a domain',
        )
    check_type_usage(catalog, base)
    collation = get_column_def_collation(pstate, stmt, base)
    constraints = [c["Constraint"] for c in stmt.get("constraints", ())]
    not_null, default, checks = _split(pstate, constraints, base, typmod, _words_of(stmt))
    default_bin, default_text = typ.typdefaultbin, typ.typdefault  # the base type's, if not given
    if any(con["contype"] == "CONSTR_DEFAULT" for con in constraints):
        default_bin = node_to_string(default) if default is not None else None
        default_text = _default_text(session, default)
    oid, _array = create_type_with_array(
        session, stmt["domainname"], array_align=typ.typalign,
        typtype="d", typcategory=typ.typcategory, typlen=typ.typlen, typbyval=typ.typbyval,
        typdelim=typ.typdelim, typinput="domain_in", typoutput=typ.typoutput,
        typreceive="domain_recv", typsend=typ.typsend, typanalyze=typ.typanalyze,
        typalign=typ.typalign, typstorage=typ.typstorage, typnotnull=not_null,
        typbasetype=base, typtypmod=typmod, typcollation=collation,
        typndims=len(stmt["typeName"].get("arrayBounds", ())),
        typdefaultbin=default_bin, typdefault=default_text, typsubscript=0,
    )  # fmt: skip
    if collation and not is_pinned(collation):
        insert_rows(
            catalog,
            [depend((PG_TYPE_RELID, oid, 0), (PG_COLLATION_RELID, collation, 0), "n")],
        )
    used: set[str] = set()
    for con in checks:
        used.add(add_domain_check(session, oid, con, st.source_text, used)[1])
    return CommandResult("CREATE DOMAIN")


def _words(type_name: dict[str, Any]) -> list[str]:
    from pgemu.commands.define import strings

    return strings(type_name["names"])


def _words_of(stmt: dict[str, Any]) -> str:
    from pgemu.commands.define import strings

    return strings(stmt["domainname"])[-1]


def _split(
    pstate: Any, constraints: list[dict[str, Any]], base: int, typmod: int, name: str
) -> tuple[bool, Any, list[dict[str, Any]]]:
    not_null, saw_null, default, saw_default = False, False, None, False
    checks = []
    for con in constraints:
        kind = con["contype"]
        if kind == "CONSTR_DEFAULT":
            if saw_default:
                raise PgError(SYNTAX_ERROR, "multiple default expressions")
            saw_default = True
            default = cook_default(pstate, con["raw_expr"], base, typmod, name)
            if isinstance(default, Const) and default.value is None:
                default = None
        elif kind in ("CONSTR_NOTNULL", "CONSTR_NULL"):
            wanted = kind == "CONSTR_NOTNULL"
            if saw_null and not_null != wanted:
                raise PgError(SYNTAX_ERROR, "conflicting NULL/NOT NULL constraints")
            not_null, saw_null = wanted, True
        elif kind == "CONSTR_CHECK":
            if con.get("is_no_inherit"):
                raise PgError(
                    "42P17",
                    "check constraints for domains cannot be marked NO INHERIT",
                )
            checks.append(con)
        elif kind in _REFUSED:
            raise PgError(SYNTAX_ERROR, _REFUSED[kind])
        elif kind.startswith("CONSTR_ATTR"):
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "specifying constraint deferrability not supported for domains",
            )
        else:
            number = _CONSTRAINT_TYPES.index(kind)
            raise PgError("XX000", f"unrecognized constraint subtype: {number}")
    return not_null, default, checks


def _default_text(session: Any, default: Any) -> str | None:
    if default is None:
        return None
    from pgemu.rewrite.ruleutils import deparse_expression

    text: str = deparse_expression(session.catalog, default, None)
    return text


def add_domain_check(
    session: Any, oid: int, con: dict[str, Any], source_text: str, used: set[str]
) -> tuple[int, str, Any]:
    """domainAddConstraint: VALUE stands for the value under test."""
    from pgemu.catalog.find_expr_references import record_dependency_on_expr
    from pgemu.parser.parse_coerce import coerce_to_boolean
    from pgemu.parser.parse_collate import assign_expr_collations
    from pgemu.parser.parse_expr import transform_expr

    catalog = session.catalog
    typ = catalog.one(PgType, oid=oid)
    name = con.get("conname")
    taken = catalog.all(PgConstraint, contypid=oid)
    if name is None:
        name = choose_constraint_name(catalog, typ.typname, None, "check", typ.typnamespace, used)
    elif any(c.conname == name for c in taken):
        raise PgError(
            DUPLICATE_OBJECT, f'constraint "{name}" for domain "{typ.typname}" already exists'
        )
    value = CoerceToDomainValue(typ.typbasetype, typ.typtypmod, typ.typcollation)

    def replace_value(pstate: Any, column: dict[str, Any]) -> Any:
        fields = column.get("fields", [])
        if len(fields) == 1 and fields[0].get("String", {}).get("sval") == "value":
            return value
        return None

    pstate = make_parsestate(None, catalog, source_text)
    pstate.p_pre_columnref_hook = replace_value
    expr = transform_expr(pstate, con["raw_expr"], ParseExprKind.EXPR_KIND_DOMAIN_CHECK)
    expr = coerce_to_boolean(pstate, expr, "CHECK")
    assign_expr_collations(pstate, expr)
    if pstate.p_rtable:
        raise PgError("42P10", "cannot use table references in domain check constraint")
    con_oid = catalog.new_oid()
    me = ObjectAddress(PG_CONSTRAINT_RELID, con_oid, 0)
    insert_rows(
        catalog,
        [
            constraint_row(
                con_oid, name, typ.typnamespace, "c", contypid=oid,
                convalidated=not con.get("skip_validation"), conbin=node_to_string(expr),
            ),
            depend((PG_CONSTRAINT_RELID, con_oid, 0), (PG_TYPE_RELID, oid, 0), "a"),
        ],
    )  # fmt: skip
    record_dependency_on_expr(catalog, me, expr)
    return int(con_oid), name, expr


def _domain(session: Any, names: list[Any]) -> PgType:
    from pgemu.parser.parse_type import typename_type_id

    catalog = session.catalog
    oid = typename_type_id(catalog, {"names": names, "typemod": -1, "location": -1})
    typ: PgType = catalog.one(PgType, oid=oid)
    if typ.typtype != "d":
        raise PgError(WRONG_OBJECT_TYPE, f"{catalog.type_name(oid)} is not a domain")
    check_object_ownership(session, ObjectAddress(PG_TYPE_RELID, oid, 0))
    return typ


def alter_domain(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER DOMAIN; like CREATE DOMAIN it points nowhere."""
    try:
        return _alter_domain(session, stmt, st)
    except PgError as error:
        error.location = None
        raise


def _alter_domain(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    catalog = session.catalog
    typ = _domain(session, stmt["typeName"])
    what = stmt["subtype"]
    if what == "T":
        default = None
        if "def" in stmt:
            pstate = make_parsestate(None, catalog, st.source_text)
            default = cook_default(pstate, stmt["def"], typ.typbasetype, typ.typtypmod, typ.typname)
        catalog.update(
            PgType, {"oid": typ.oid},
            typdefaultbin=node_to_string(default) if default is not None else None,
            typdefault=_default_text(session, default),
        )  # fmt: skip
    elif what in "NO":
        not_null = what == "O"
        if not_null and not typ.typnotnull:
            _check_columns_not_null(session, typ)
        catalog.update(PgType, {"oid": typ.oid}, typnotnull=not_null)
    elif what == "C":
        con = stmt["def"]["Constraint"]
        if con["contype"] in _REFUSED:
            raise PgError(SYNTAX_ERROR, _REFUSED[con["contype"]])
        if con["contype"] != "CONSTR_CHECK":
            raise PgError(FEATURE_NOT_SUPPORTED, "unexpected constraint type")
        oid, _name, _expr = add_domain_check(session, typ.oid, con, st.source_text, set())
        if not con.get("skip_validation"):
            _validate(session, typ, oid)
    elif what == "X":
        _drop_constraint(session, typ, stmt)
    elif what == "V":
        row = catalog.one(PgConstraint, contypid=typ.oid, conname=stmt["name"])
        if row is None:
            raise _no_constraint(typ, stmt["name"])
        _validate(session, typ, row.oid)
        catalog.update(PgConstraint, {"oid": row.oid}, convalidated=True)
    # what was derived from the domain as it was
    catalog.invalidate()
    return CommandResult("ALTER DOMAIN")


def _no_constraint(typ: PgType, name: str) -> PgError:
    return PgError(
        UNDEFINED_OBJECT, f'constraint "{name}" of domain "{typ.typname}" does not exist'
    )


def _drop_constraint(session: Any, typ: PgType, stmt: dict[str, Any]) -> None:
    row = session.catalog.one(PgConstraint, contypid=typ.oid, conname=stmt["name"])
    if row is None:
        if not stmt.get("missing_ok"):
            raise _no_constraint(typ, stmt["name"])
        session.notice(
            "NOTICE",
            "00000",
            f'constraint "{stmt["name"]}" of domain "{typ.typname}" does not exist, skipping',
        )
        return
    perform_deletion(
        session.catalog,
        ObjectAddress(PG_CONSTRAINT_RELID, row.oid, 0),
        stmt.get("behavior", "restrict"),
    )


def _columns_of_type(session: Any, oid: int) -> list[tuple[Any, PgAttribute]]:
    """get_rels_with_domain: table columns of the type or of domains over it; 0A000 when a stored
    column has it inside a container."""
    catalog = session.catalog
    found = []
    name = catalog.one(PgType, oid=oid).typname
    links = catalog.all(PgDepend, refclassid=PG_TYPE_RELID, refobjid=oid)
    for link in sorted(links, key=lambda d: (d.classid, d.objid, d.objsubid)):
        if link.classid == PG_TYPE_RELID:
            if catalog.one(PgType, oid=link.objid).typtype == "d":
                found.extend(_columns_of_type(session, link.objid))
            else:
                find_composite_type_dependencies(catalog, link.objid, None, name)
        elif link.classid == PgClass.RELID and link.objsubid:
            relation = catalog.relation(link.objid)
            if relation.row.reltype:
                find_composite_type_dependencies(catalog, relation.row.reltype, None, name)
            if relation.relkind in "rm" and relation.attrs[link.objsubid - 1].atttypid == oid:
                found.append((relation, relation.attrs[link.objsubid - 1]))
    places = list(dict.fromkeys(relation.oid for relation, _att in found))
    return sorted(found, key=lambda one: (places.index(one[0].oid), one[1].attnum))


def _check_columns_not_null(session: Any, typ: PgType) -> None:
    for relation, att in _columns_of_type(session, typ.oid):
        sql = f"SELECT 1 FROM {relation.sqlite_name} WHERE c{att.attnum} IS NULL LIMIT 1"
        if session.xact.execute(sql):
            raise contains_nulls(relation, att.attname, "table")


def _validate(session: Any, typ: PgType, constraint: int) -> None:
    """validateDomainConstraint over the columns that have the domain."""
    from pgemu.commands.index_build import compile_expr
    from pgemu.nodes.primnodes import Var
    from pgemu.nodes.walk import mutate

    catalog = session.catalog
    row = catalog.one(PgConstraint, oid=constraint)
    expr = catalog.decode_node(row.conbin)
    for relation, att in _columns_of_type(session, typ.oid):
        var = Var(1, att.attnum, typ.typbasetype, typ.typtypmod, typ.typcollation)

        def replace(node: Any, var: Var = var) -> Any:
            return var if isinstance(node, CoerceToDomainValue) else None

        text = compile_expr(session, relation.oid, mutate(expr, replace))
        sql = f"SELECT 1 FROM {relation.sqlite_name} WHERE NOT ({text}) LIMIT 1"
        if session.xact.execute(sql):
            raise PgError(
                CHECK_VIOLATION,
                f'column "{att.attname}" of table "{relation.name}" contains values that '
                "violate the new constraint",
                schema=relation.schema_name,
                table=relation.name,
                column=att.attname,
            )


def rename_domain_constraint(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """ALTER DOMAIN ... RENAME CONSTRAINT."""
    from pgemu.commands.define import list_items

    catalog = session.catalog
    typ = _domain(session, list_items(stmt["object"]))
    row = catalog.one(PgConstraint, contypid=typ.oid, conname=stmt["subname"])
    shown = catalog.type_name(typ.oid)
    if row is None:
        message = f'constraint "{stmt["subname"]}" for domain {shown} does not exist'
        raise PgError(UNDEFINED_OBJECT, message)
    if catalog.one(PgConstraint, contypid=typ.oid, conname=stmt["newname"]) is not None:
        message = f'constraint "{stmt["newname"]}" for domain {shown} already exists'
        raise PgError(DUPLICATE_OBJECT, message)
    catalog.update(PgConstraint, {"oid": row.oid}, conname=stmt["newname"])
    return CommandResult("ALTER DOMAIN")
