"""Base types: CREATE TYPE name (...), shells, ALTER TYPE ... SET (PostgreSQL's DefineType and
AlterType of typecmds.c, TypeCreate's checks of pg_type.c).

The I/O functions are functions in language internal, whose bodies lend their type's
representation (pgemu/types/borrowed.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pgemu.catalog.heap import acl_rows, depend, insert_rows, is_pinned, owner_rows
from pgemu.catalog.pg_type_create import (
    array_type_row,
    make_array_type_name,
    shell_type_row,
    type_row,
)
from pgemu.catalog.roles import superuser
from pgemu.catalog.rows import (
    PG_NAMESPACE_RELID,
    PG_PROC_RELID,
    PG_TYPE_RELID,
    PgDepend,
    PgProc,
    PgType,
)
from pgemu.commands.default_acl import get_user_default_acl
from pgemu.commands.define import (
    def_get_boolean,
    def_get_qualified_name,
    def_get_string,
    def_get_type_length,
    def_get_type_name,
    elements,
    error_conflicting_def_elem,
)
from pgemu.commands.ownership import check_object_ownership
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.typecmds import creation_target, type_dependency_rows
from pgemu.errors import (
    AMBIGUOUS_FUNCTION,
    DATATYPE_MISMATCH,
    DUPLICATE_OBJECT,
    INSUFFICIENT_PRIVILEGE,
    INVALID_OBJECT_DEFINITION,
    INVALID_PARAMETER_VALUE,
    SYNTAX_ERROR,
    UNDEFINED_FUNCTION,
    WRONG_OBJECT_TYPE,
    PgError,
)

ARRAY_SUBSCRIPT_HANDLER = 6179
CSTRINGOID, OIDOID, INT4OID, INTERNALOID, BYTEAOID, BOOLOID = 2275, 26, 23, 2281, 17, 16
CSTRINGARRAYOID, DEFAULT_COLLATION_OID = 1263, 100
_OPTIONS = frozenset((
    "like", "internallength", "input", "output", "receive", "send", "typmod_in", "typmod_out",
    "analyze", "subscript", "category", "preferred", "delimiter", "element", "default",
    "passedbyvalue", "alignment", "storage", "collatable",
))  # fmt: skip
_STORAGES = {"plain": "p", "external": "e", "extended": "x", "main": "m"}
_ALIGNMENTS = {
    "double": "d", "float8": "d", "pg_catalog.float8": "d", "int4": "i", "pg_catalog.int4": "i",
    "int2": "s", "pg_catalog.int2": "s", "char": "c", "pg_catalog.bpchar": "c",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Support:
    """A support function: pg_type column, what messages call it, argument types (0: the type),
    whether (arg, oid, int4) may be taken too, result (0: the type), its word when volatile."""

    column: str
    word: str
    args: tuple[int, ...]
    long: bool
    result: int
    volatile_word: str = ""


_SUPPORT = {
    "input": _Support("typinput", "type input", (CSTRINGOID,), True, 0, "type input"),
    "output": _Support("typoutput", "type output", (0,), False, CSTRINGOID, "type output"),
    "receive": _Support("typreceive", "type receive", (INTERNALOID,), True, 0, "type receive"),
    "send": _Support("typsend", "type send", (0,), False, BYTEAOID, "type send"),
    "typmod_in": _Support(
        "typmodin", "typmod_in", (CSTRINGARRAYOID,), False, INT4OID, "type modifier input"
    ),
    "typmod_out": _Support(
        "typmodout", "typmod_out", (INT4OID,), False, CSTRINGOID, "type modifier output"
    ),
    "analyze": _Support("typanalyze", "type analyze", (INTERNALOID,), False, BOOLOID),
    "subscript": _Support(
        "typsubscript", "type subscripting", (INTERNALOID,), False, INTERNALOID
    ),
}  # fmt: skip


def define_type(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """CREATE TYPE name: a shell; with a definition: a base type in place of its shell."""
    catalog = session.catalog
    if not superuser(catalog):
        raise PgError(INSUFFICIENT_PRIVILEGE, "must be superuser to create a base type")
    namespace, name, shell = creation_target(session, stmt["defnames"])
    if "definition" not in stmt:
        if shell:
            raise PgError(DUPLICATE_OBJECT, f'type "{name}" already exists')
        make_shell_type(session, name, namespace)
        return CommandResult("CREATE TYPE")
    if not shell:
        raise PgError(
            DUPLICATE_OBJECT,
            f'type "{name}" does not exist',
            hint="Create the type as a shell type, then create its I/O functions, "
            "then do a full CREATE TYPE.",
        )
    values = _read_definition(session, stmt, shell)
    _check_physical(values)
    owner = session.ctx.current_user_oid
    catalog.delete(PgType, oid=shell)
    array_oid = catalog.new_oid()
    acl = get_user_default_acl(session, "T", owner, namespace)
    row = type_row(catalog, shell, name, namespace, owner, typarray=array_oid, typacl=acl, **values)
    array = array_type_row(
        catalog, array_oid, make_array_type_name(catalog, name, namespace), namespace, owner,
        shell, align="d" if row.typalign == "d" else "i", delim=row.typdelim,
        collation=row.typcollation,
    )  # fmt: skip
    array = array._replace(typmodin=row.typmodin, typmodout=row.typmodout)
    catalog.delete(PgDepend, classid=PG_TYPE_RELID, objid=shell)
    links = [
        x for x in type_dependency_rows(catalog, row, array_oid) if isinstance(x, PgDepend)
    ]  # the owner is that of the shell
    links += acl_rows(catalog, PG_TYPE_RELID, shell, owner, acl)
    insert_rows(catalog, [row, array, *links, *_support_links(row)])
    return CommandResult("CREATE TYPE")


def make_shell_type(session: Any, name: str, namespace: int) -> int:
    """TypeShellMake: a place holder until the real definition comes."""
    catalog = session.catalog
    owner = session.ctx.current_user_oid
    oid = int(catalog.new_oid())
    rows: list[Any] = [
        shell_type_row(catalog, oid, name, namespace, owner),
        *owner_rows(catalog, PG_TYPE_RELID, oid, owner),
    ]
    if not is_pinned(namespace, PG_NAMESPACE_RELID):
        rows.append(depend((PG_TYPE_RELID, oid, 0), (PG_NAMESPACE_RELID, namespace, 0), "n"))
    insert_rows(catalog, rows)
    return oid


def _support_links(row: PgType) -> list[PgDepend]:
    """GenerateTypeDependencies: the type needs its support functions and its element type."""
    me = (PG_TYPE_RELID, row.oid, 0)
    functions = dict.fromkeys(getattr(row, s.column) for s in _SUPPORT.values())
    links = [depend(me, (PG_PROC_RELID, f, 0), "n") for f in functions if not is_pinned(f)]
    if row.typelem and not is_pinned(row.typelem):
        links.append(depend(me, (PG_TYPE_RELID, row.typelem, 0), "n"))
    return links


def _options(session: Any, stmt: dict[str, Any]) -> dict[str, dict[str, Any]]:
    given: dict[str, dict[str, Any]] = {}
    for option in elements(stmt.get("definition")):
        name = option["defname"]
        key = "analyze" if name == "analyse" else name
        if key not in _OPTIONS:
            # a warning for the sake of old dumps
            session.notice(
                "WARNING",
                SYNTAX_ERROR,
                f'type attribute "{name}" not recognized',
                location=option.get("location"),
            )
            continue
        if key in given:
            raise error_conflicting_def_elem(option)
        given[key] = option
    return given


def _read_definition(session: Any, stmt: dict[str, Any], type_oid: int) -> dict[str, Any]:
    """The pg_type columns that the definition gives."""
    from pgemu.parser.parse_type import typename_type

    catalog = session.catalog
    given = _options(session, stmt)
    values: dict[str, Any] = {}
    if "like" in given:
        like = typename_type(catalog, _without_position(def_get_type_name(given["like"])))[0]
        for column in ("typlen", "typbyval", "typalign", "typstorage"):
            values[column] = getattr(like, column)
    values.setdefault("typalign", "i")
    values.setdefault("typstorage", "p")  # TYPSTORAGE_PLAIN is DefineType's default
    if "internallength" in given:
        values["typlen"] = def_get_type_length(given["internallength"])
    names = {n: def_get_qualified_name(given[n]) for n in _SUPPORT if n in given}
    _read_attributes(catalog, given, values)
    for name in ("input", "output"):
        if name not in names:
            raise PgError(INVALID_OBJECT_DEFINITION, f"type {name} function must be specified")
    if "typmod_out" in names and "typmod_in" not in names:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            "type modifier output function is useless without a type modifier input function",
        )
    for name, words in names.items():
        values[_SUPPORT[name].column] = find_support_function(catalog, name, words, type_oid)
    _default_subscript(catalog, values)
    for name, words in names.items():
        _warn_volatile(session, name, words, values[_SUPPORT[name].column])
    return values


def _without_position(type_name: dict[str, Any]) -> dict[str, Any]:
    """DefineType knows no position of the types that it looks up."""
    return {**type_name, "location": -1}


def _read_attributes(
    catalog: Any, given: dict[str, dict[str, Any]], values: dict[str, Any]
) -> None:
    from pgemu.parser.parse_type import typename_type_id

    if "category" in given:
        word = def_get_string(given["category"])
        if not word or not " " <= word[0] <= "~":
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f'invalid type category "{word}": must be simple ASCII',
            )
        values["typcategory"] = word[0]
    if "preferred" in given:
        values["typispreferred"] = def_get_boolean(given["preferred"])
    if "delimiter" in given:
        values["typdelim"] = def_get_string(given["delimiter"])[:1]
    if "element" in given:
        element = typename_type_id(catalog, _without_position(def_get_type_name(given["element"])))
        if catalog.types.row(element).typtype == "p":
            raise PgError(
                DATATYPE_MISMATCH, f"array element type cannot be {catalog.type_name(element)}"
            )
        values["typelem"] = element
    if "default" in given:
        values["typdefault"] = def_get_string(given["default"])
    if "passedbyvalue" in given:
        values["typbyval"] = def_get_boolean(given["passedbyvalue"])
    if "alignment" in given:
        word = def_get_string(given["alignment"])
        if word.lower() not in _ALIGNMENTS:
            raise PgError(INVALID_PARAMETER_VALUE, f'alignment "{word}" not recognized')
        values["typalign"] = _ALIGNMENTS[word.lower()]
    if "storage" in given:
        values["typstorage"] = _storage(given["storage"])
    if "collatable" in given and def_get_boolean(given["collatable"]):
        values["typcollation"] = DEFAULT_COLLATION_OID


def _storage(option: dict[str, Any]) -> str:
    word = def_get_string(option)
    if word.lower() not in _STORAGES:
        raise PgError(INVALID_PARAMETER_VALUE, f'storage "{word}" not recognized')
    return _STORAGES[word.lower()]


def _default_subscript(catalog: Any, values: dict[str, Any]) -> None:
    """A fixed-length type with elements of fixed length is a raw array."""
    if "typsubscript" in values or not values.get("typelem"):
        return
    fixed = values.get("typlen", -1) > 0 and not values.get("typbyval")
    if not fixed or catalog.types.row(values["typelem"]).typlen <= 0:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            "element type cannot be specified without a subscripting function",
        )
    values["typsubscript"] = "raw_array_subscript_handler"


def find_support_function(catalog: Any, kind: str, words: list[str], type_oid: int) -> int:
    """findTypeInputFunction and its kin: by name and argument types, with the right result."""
    from pgemu.catalog.namespace import name_list_to_string
    from pgemu.parser.parse_func_lookup import func_signature_string, lookup_func_name

    support = _SUPPORT[kind]
    args = [a or type_oid for a in support.args]
    oid = lookup_func_name(catalog, words, args, True)
    if support.long:
        second = lookup_func_name(catalog, words, [args[0], OIDOID, INT4OID], True)
        if oid and second:
            raise PgError(
                AMBIGUOUS_FUNCTION,
                f"{support.word} function {name_list_to_string(words)} has multiple matches",
            )
        oid = oid or second
    if not oid:
        raise PgError(
            UNDEFINED_FUNCTION,
            f"function {func_signature_string(catalog, words, [], args)} does not exist",
        )
    wanted = support.result or type_oid
    if catalog.get(PgProc, oid=oid).prorettype != wanted:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            f"{support.word} function {name_list_to_string(words)} must return type "
            f"{catalog.type_name(wanted)}",
        )
    if kind == "subscript" and oid == ARRAY_SUBSCRIPT_HANDLER:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            f"user-defined types cannot use subscripting function {name_list_to_string(words)}",
        )
    return oid


def _warn_volatile(session: Any, kind: str, words: list[str], oid: int) -> None:
    from pgemu.catalog.namespace import name_list_to_string

    word = _SUPPORT[kind].volatile_word
    if word and session.catalog.get(PgProc, oid=oid).provolatile == "v":
        session.notice(
            "WARNING",
            INVALID_OBJECT_DEFINITION,
            f"{word} function {name_list_to_string(words)} should not be volatile",
        )


def _check_physical(values: dict[str, Any]) -> None:
    """TypeCreate: length, alignment and storage must go together."""
    size, align = values.get("typlen", -1), values["typalign"]

    def bad(message: str) -> PgError:
        return PgError(INVALID_OBJECT_DEFINITION, message)

    if size <= 0 and size not in (-1, -2):
        raise bad(f"invalid type internal size {size}")
    if values.get("typbyval"):
        wanted = {1: "c", 2: "s", 4: "i", 8: "d"}.get(size)
        if wanted is None:
            raise bad(f"internal size {size} is invalid for passed-by-value type")
        if align != wanted:
            raise bad(f'alignment "{align}" is invalid for passed-by-value type of size {size}')
    elif (size == -1 and align not in "id") or (size == -2 and align != "c"):
        raise bad(f'alignment "{align}" is invalid for variable-length type')
    if values["typstorage"] != "p" and size != -1:
        raise bad("fixed-size types must have storage PLAIN")


# -- ALTER TYPE ... SET ---------------------------------------------------------------------------


def alter_type(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER TYPE ... SET (...): storage and support functions of a base type."""
    from pgemu.catalog.objectaddress import ObjectAddress
    from pgemu.parser.parse_type import typename_type

    catalog = session.catalog
    type_name = {"names": stmt["typeName"], "typemod": -1, "location": -1}
    row = typename_type(catalog, type_name)[0]
    changes, require_super = _alterations(catalog, stmt, row)
    if require_super:
        if not superuser(catalog):
            raise PgError(INSUFFICIENT_PRIVILEGE, "must be superuser to alter a type")
    else:
        check_object_ownership(session, ObjectAddress(PG_TYPE_RELID, row.oid, 0))
    array = row.typelem and row.typsubscript == ARRAY_SUBSCRIPT_HANDLER
    if row.typtype != "b" or array:
        raise PgError(WRONG_OBJECT_TYPE, f"{catalog.type_name(row.oid)} is not a base type")
    _alter_recurse(catalog, row, changes)
    return CommandResult("ALTER TYPE")


def _alterations(catalog: Any, stmt: dict[str, Any], row: PgType) -> tuple[dict[str, Any], bool]:
    """(columns to change, does it take a superuser)."""
    changes: dict[str, Any] = {}
    require_super = False
    for option in elements(stmt.get("options")):
        name = option["defname"]
        if name == "storage":
            storage = _storage(option)
            if storage != "p" and row.typlen != -1:
                raise PgError(INVALID_OBJECT_DEFINITION, "fixed-size types must have storage PLAIN")
            if storage == "p" and row.typstorage != "p":
                raise PgError(INVALID_OBJECT_DEFINITION, "cannot change type's storage to PLAIN")
            require_super = require_super or storage != "p" == row.typstorage
            changes["typstorage"] = storage
        elif name in _SUPPORT and name not in ("input", "output"):
            require_super = True
            changes[_SUPPORT[name].column] = (
                find_support_function(catalog, name, def_get_qualified_name(option), row.oid)
                if "arg" in option
                else 0
            )
        else:
            what = "cannot be changed" if name in _OPTIONS else "not recognized"
            raise PgError(SYNTAX_ERROR, f'type attribute "{name}" {what}')
    return changes, require_super


def _alter_recurse(catalog: Any, row: PgType, changes: dict[str, Any]) -> None:
    """AlterTypeRecurse: the type, the typmod functions of its array, and the domains over it."""
    catalog.update(PgType, {"oid": row.oid}, **changes)
    new = catalog.get(PgType, oid=row.oid)
    catalog.delete(PgDepend, classid=PG_TYPE_RELID, objid=row.oid, refclassid=PG_PROC_RELID)
    insert_rows(catalog, [link for link in _support_links(new) if link.refclassid == PG_PROC_RELID])
    if row.typarray and changes.keys() & {"typmodin", "typmodout"}:
        array = catalog.get(PgType, oid=row.typarray)
        typmods = {k: v for k, v in changes.items() if k in ("typmodin", "typmodout")}
        _alter_recurse(catalog, array, typmods)
    handed_down = {k: v for k, v in changes.items() if k in ("typstorage", "typsend", "typanalyze")}
    for domain in catalog.all(PgType, typbasetype=row.oid):
        if domain.typtype == "d":
            _alter_recurse(catalog, domain, handed_down)
