"""CREATE OPERATOR CLASS and FAMILY, ALTER OPERATOR FAMILY (PostgreSQL's opclasscmds.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pgemu.catalog.acl import ACL_CREATE, pg_namespace_aclcheck
from pgemu.catalog.heap import depend, insert_rows, is_pinned, owner_rows
from pgemu.catalog.index import builtin_am_name
from pgemu.catalog.namespace import qualified_name_get_creation_namespace
from pgemu.catalog.rows import (
    PG_AMOP_RELID,
    PG_AMPROC_RELID,
    PG_NAMESPACE_RELID,
    PG_OPCLASS_RELID,
    PG_OPERATOR_RELID,
    PG_OPFAMILY_RELID,
    PG_PROC_RELID,
    PG_TYPE_RELID,
    PgAm,
    PgAmop,
    PgAmproc,
    PgNamespace,
    PgOpclass,
    PgOperator,
    PgOpfamily,
    PgProc,
)
from pgemu.commands.define import strings, type_name_to_string
from pgemu.commands.get_object_address import existing_object
from pgemu.commands.opclass_lookup import am_oid
from pgemu.commands.permissions import aclcheck_error, require_superuser
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_OBJECT,
    INVALID_OBJECT_DEFINITION,
    SYNTAX_ERROR,
    UNDEFINED_FUNCTION,
    UNDEFINED_OBJECT,
    PgError,
)
from pgemu.executor.event_triggers import collect_command

OPCLASS_ITEM_OPERATOR, OPCLASS_ITEM_FUNCTION, OPCLASS_ITEM_STORAGETYPE = 1, 2, 3
_SHRT_MAX = 32767
BOOLOID, INT8OID, INT4OID, VOIDOID, INTERNALOID = 16, 20, 23, 2278, 2281
# the support function that parses options, by access method
_OPTIONS_FUNCTION = {"btree": 5, "hash": 3, "gist": 10, "gin": 7, "spgist": 6, "brin": 5}
# access method -> (strategies, support functions, may the storage type differ)
_LIMITS = {
    "btree": (5, 5, False),
    "hash": (1, 3, False),
    "gist": (_SHRT_MAX, 11, True),
    "gin": (_SHRT_MAX, 7, True),
    "spgist": (_SHRT_MAX, 7, True),
    "brin": (_SHRT_MAX, 15, True),
    "bloom": (1, 2, False),
}


@dataclass(slots=True)
class _Member:
    """OpFamilyMember."""

    object: int
    number: int
    left: int = 0
    right: int = 0
    sortfamily: int = 0


def _am_name(catalog: Any, name: str) -> str:
    """The built-in access method whose limits hold."""
    return builtin_am_name(catalog, am_oid(catalog, name))


def _type(session: Any, node: dict[str, Any]) -> int:
    from pgemu.parser.parse_type import typename_type_id

    return int(typename_type_id(session.catalog, {**node.get("TypeName", node), "location": -1}))


def _types_spec(session: Any, item: dict[str, Any]) -> list[int]:
    """processTypesSpec."""
    nodes = item.get("class_args", ())
    if len(nodes) > 2:
        raise PgError(SYNTAX_ERROR, "one or two argument types must be specified")
    return [_type(session, n) for n in nodes]


def _check_schema(catalog: Any, namespace: int) -> None:
    if not pg_namespace_aclcheck(catalog, namespace, ACL_CREATE):
        aclcheck_error("schema", catalog.get(PgNamespace, oid=namespace).nspname)


def _family(catalog: Any, names: list[Any], am: int, am_name: str) -> int:
    """get_opfamily_oid."""
    from pgemu.catalog.namespace import lookup_explicit_namespace

    words = strings(names)
    if len(words) > 1:
        spaces = [lookup_explicit_namespace(catalog, words[-2])]
    else:
        spaces = list(catalog.search_path())
    for space in spaces:
        row = catalog.one(PgOpfamily, opfmethod=am, opfname=words[-1], opfnamespace=space)
        if row is not None:
            return int(row.oid)
    shown = ".".join(words)
    raise PgError(
        UNDEFINED_OBJECT,
        f'operator family "{shown}" does not exist for access method "{am_name}"',
    )


def _create_family(session: Any, name: str, namespace: int, am: int, am_name: str) -> int:
    """CreateOpFamily."""
    catalog = session.catalog
    if catalog.one(PgOpfamily, opfmethod=am, opfname=name, opfnamespace=namespace) is not None:
        raise PgError(
            DUPLICATE_OBJECT,
            f'operator family "{name}" for access method "{am_name}" already exists',
        )
    oid = int(catalog.new_oid())
    owner = session.ctx.current_user_oid
    rows: list[Any] = [
        PgOpfamily(oid, am, name, namespace, owner),
        *owner_rows(catalog, PG_OPFAMILY_RELID, oid, owner),
    ]
    if not is_pinned(namespace, PG_NAMESPACE_RELID):
        me = (PG_OPFAMILY_RELID, oid, 0)
        rows.append(depend(me, (PG_NAMESPACE_RELID, namespace, 0), "n"))
    if not is_pinned(am):
        rows.append(depend((PG_OPFAMILY_RELID, oid, 0), (PgAm.RELID, am, 0), "a"))
    insert_rows(catalog, rows)
    collect_command(session, "CREATE OPERATOR FAMILY", PG_OPFAMILY_RELID, oid)
    return oid


def define_opfamily(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE OPERATOR FAMILY."""
    catalog = session.catalog
    namespace, name = qualified_name_get_creation_namespace(catalog, stmt["opfamilyname"])
    _check_schema(catalog, namespace)
    am = am_oid(catalog, stmt["amname"])
    require_superuser(session, "must be superuser to create an operator family")
    _create_family(session, name, namespace, am, stmt["amname"])
    return CommandResult("CREATE OPERATOR FAMILY")


def define_opclass(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE OPERATOR CLASS."""
    catalog = session.catalog
    namespace, name = qualified_name_get_creation_namespace(catalog, stmt["opclassname"])
    _check_schema(catalog, namespace)
    am_name = stmt["amname"]
    am = am_oid(catalog, am_name)
    require_superuser(session, "must be superuser to create an operator class")
    type_id = _type(session, stmt["datatype"])
    if catalog.one(PgOpclass, opcmethod=am, opcname=name, opcnamespace=namespace) is not None:
        raise PgError(
            DUPLICATE_OBJECT,
            f'operator class "{name}" for access method "{am_name}" already exists',
        )
    if stmt.get("opfamilyname"):
        family = _family(catalog, stmt["opfamilyname"], am, am_name)
    else:
        same = catalog.one(PgOpfamily, opfmethod=am, opfname=name, opfnamespace=namespace)
        family = (
            same.oid if same is not None else _create_family(session, name, namespace, am, am_name)
        )
    operators, functions, storage = _read_items(session, stmt.get("items", ()), am_name, type_id)
    storage = _check_storage(catalog, am_name, type_id, storage)
    if stmt.get("isDefault"):
        for row in catalog.all(PgOpclass, opcmethod=am, opcintype=type_id):
            if row.opcdefault:
                raise PgError(
                    DUPLICATE_OBJECT,
                    f'could not make operator class "{name}" be default for type '
                    f"{type_name_to_string(stmt['datatype'])}",
                    detail=f'Operator class "{row.opcname}" already is the default.',
                )
    oid = int(catalog.new_oid())
    owner = session.ctx.current_user_oid
    me = (PG_OPCLASS_RELID, oid, 0)
    rows: list[Any] = [
        PgOpclass(
            oid, am, name, namespace, owner, family, type_id, bool(stmt.get("isDefault")), storage
        ),
        *owner_rows(catalog, PG_OPCLASS_RELID, oid, owner),
        depend(me, (PG_OPFAMILY_RELID, family, 0), "a"),
    ]
    if not is_pinned(namespace, PG_NAMESPACE_RELID):
        rows.append(depend(me, (PG_NAMESPACE_RELID, namespace, 0), "n"))
    for needed in {type_id, storage} - {0}:
        if not is_pinned(needed):
            rows.append(depend(me, (PG_TYPE_RELID, needed, 0), "n"))
    insert_rows(catalog, rows)
    _store(session, am, family, operators, functions, opclass=(oid, type_id))
    return CommandResult("CREATE OPERATOR CLASS")


def _check_storage(catalog: Any, am_name: str, type_id: int, storage: int) -> int:
    if storage == type_id:
        return 0
    if storage and not _LIMITS[_am_name(catalog, am_name)][2]:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            f'storage type cannot be different from data type for access method "{am_name}"',
        )
    return storage


def _read_items(
    session: Any, items: Any, am_name: str, type_id: int
) -> tuple[list[_Member], list[_Member], int]:
    """(operators, functions, storage type) of the class's or the family's items."""
    operators: list[_Member] = []
    functions: list[_Member] = []
    storage = 0
    for node in items:
        item = node["CreateOpClassItem"]
        kind = item["itemtype"]
        if kind == OPCLASS_ITEM_STORAGETYPE:
            if storage:
                raise PgError(INVALID_OBJECT_DEFINITION, "storage type specified more than once")
            storage = _type(session, item["storedtype"])
        elif kind == OPCLASS_ITEM_OPERATOR:
            operators.append(_operator(session, item, am_name, type_id))
        else:
            functions.append(_function(session, item, am_name, type_id))
    for what, members in (("operator", operators), ("function", functions)):
        seen: set[tuple[int, int, int]] = set()
        for m in members:
            key = (m.number, m.left, m.right)
            if key in seen:
                left, right = (session.catalog.type_name(t) for t in key[1:])
                raise PgError(
                    INVALID_OBJECT_DEFINITION,
                    f"{what} number {m.number} for ({left},{right}) appears more than once",
                )
            seen.add(key)
    return operators, functions, storage


def _check_number(what: str, number: int, most: int) -> None:
    if number <= 0 or number > most:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            f"invalid {what} number {number}, must be between 1 and {most}",
        )


def _operator(session: Any, item: dict[str, Any], am_name: str, type_id: int) -> _Member:
    catalog = session.catalog
    number = item.get("number", 0)
    _check_number("operator", number, _LIMITS[_am_name(catalog, am_name)][0])
    named = item["name"]
    if named.get("objargs"):
        oid = existing_object(catalog, "OBJECT_OPERATOR", {"ObjectWithArgs": named}).objid
    elif type_id:
        oid = _operator_of_types(catalog, strings(named["objname"]), type_id)
    else:
        raise PgError("42601", "operator argument types must be specified in ALTER OPERATOR FAMILY")
    row = catalog.get(PgOperator, oid=oid)
    if row.oprkind != "b":
        raise PgError(INVALID_OBJECT_DEFINITION, "index operators must be binary")
    sortfamily = 0
    if item.get("order_family"):
        sortfamily = _family(catalog, item["order_family"], am_oid(catalog, "btree"), "btree")
        if _am_name(catalog, am_name) not in ("gist", "spgist"):
            raise PgError(
                INVALID_OBJECT_DEFINITION,
                f'access method "{am_name}" does not support ordering operators',
            )
    elif row.oprresult != BOOLOID:
        raise PgError(INVALID_OBJECT_DEFINITION, "index search operators must return boolean")
    return _Member(oid, number, row.oprleft, row.oprright, sortfamily)


def _operator_of_types(catalog: Any, words: list[str], type_id: int) -> int:
    """LookupOperName with the class's type on both sides."""
    from pgemu.catalog.namespace import lookup_explicit_namespace

    if len(words) > 1:
        spaces = [lookup_explicit_namespace(catalog, words[-2])]
    else:
        spaces = list(catalog.search_path())
    for space in spaces:
        row = catalog.one(
            PgOperator, oprname=words[-1], oprleft=type_id, oprright=type_id, oprnamespace=space
        )
        if row is not None:
            return int(row.oid)
    shown = catalog.type_name(type_id)
    raise PgError(UNDEFINED_FUNCTION, f"operator does not exist: {shown} {'.'.join(words)} {shown}")


def _function(session: Any, item: dict[str, Any], am_name: str, type_id: int) -> _Member:
    catalog = session.catalog
    number = item.get("number", 0)
    _check_number("function", number, _LIMITS[_am_name(catalog, am_name)][1])
    named = {"ObjectWithArgs": item["name"]}
    oid = existing_object(catalog, "OBJECT_FUNCTION", named).objid
    types = _types_spec(session, item)
    member = _Member(oid, number)
    if types:
        member.left, member.right = types[0], types[-1]
    _assign_proc_types(catalog, member, am_name, type_id)
    return member


def _bad(message: str, hint: str | None = None) -> PgError:
    return PgError(INVALID_OBJECT_DEFINITION, message, hint=hint)


def _assign_proc_types(catalog: Any, member: _Member, am_name: str, type_id: int) -> None:
    """assignProcTypes: check support functions that every class has, and find the types that
    they are for."""
    row = catalog.get(PgProc, oid=member.object)
    am_name = _am_name(catalog, am_name)
    args = row.proargtypes
    if member.number == _OPTIONS_FUNCTION.get(am_name):
        _check_options_function(member, row, type_id)
    elif am_name == "btree":
        _check_btree_function(member, row)
    elif am_name == "hash":
        _check_hash_function(member, row)
        member.left = member.left or args[0]
        member.right = member.right or args[0]
    member.left = member.left or type_id
    member.right = member.right or type_id
    if not member.left or not member.right:
        raise _bad("associated data types must be specified for index support function")


def _check_options_function(member: _Member, row: PgProc, type_id: int) -> None:
    """The one that parses an operator class's options."""
    kind = "associated data types for operator class options parsing functions must match"
    if type_id:
        if {member.left, member.right} - {0, type_id}:
            raise _bad(f"{kind} opclass input type")
    elif member.left != member.right:
        raise _bad(f"left and right {kind}")
    if (row.prorettype, tuple(row.proargtypes)) != (VOIDOID, (INTERNALOID,)):
        raise _bad(
            "invalid operator class options parsing function",
            "Valid signature of operator class options parsing function is "
            "(internal) RETURNS void.",
        )


def _check_hash_function(member: _Member, row: PgProc) -> None:
    for number, count, words, result, word in (
        (1, 1, "one argument", INT4OID, "integer"),
        (2, 2, "two arguments", INT8OID, "bigint"),
    ):
        if member.number == number:
            if row.pronargs != count:
                raise _bad(f"hash function {number} must have {words}")
            if row.prorettype != result:
                raise _bad(f"hash function {number} must return {word}")


# number -> (what it is called, arguments, result, in words, positions of the types it is for)
_BTREE_FUNCTIONS = {
    1: ("comparison", 2, INT4OID, "two arguments", "integer", (0, 1)),
    2: ("sort support", 1, VOIDOID, "one argument", "void", ()),
    3: ("in_range", 5, BOOLOID, "five arguments", "boolean", (0, 2)),
    4: ("equal image", 1, BOOLOID, "one argument", "boolean", ()),
}


def _check_btree_function(member: _Member, row: PgProc) -> None:
    args = row.proargtypes
    if member.number not in _BTREE_FUNCTIONS:
        return
    word, count, result, count_words, result_word, places = _BTREE_FUNCTIONS[member.number]
    if word == "sort support" and tuple(args) != (INTERNALOID,):
        raise _bad('btree sort support functions must accept type "internal"')
    if len(args) != count:
        raise _bad(f"btree {word} functions must have {count_words}")
    if row.prorettype != result:
        raise _bad(f"btree {word} functions must return {result_word}")
    if places:
        member.left = member.left or args[places[0]]
        member.right = member.right or args[places[1]]
    if word == "equal image" and member.left != member.right:
        raise _bad("btree equal image functions must not be cross-type")


def _store(
    session: Any,
    am: int,
    family: int,
    operators: list[_Member],
    functions: list[_Member],
    *,
    opclass: tuple[int, int] | None,
) -> None:
    """storeOperators and storeProcedures.  opclass: (OID, type) of the class being made; members
    of other types belong to the family alone."""
    catalog = session.catalog
    rows: list[Any] = []

    def references(m: _Member, me: tuple[int, int, int], target: tuple[int, int, int]) -> None:
        hard = opclass is not None and m.left == m.right == opclass[1]
        if not is_pinned(target[1]):
            rows.append(depend(me, target, "n" if hard else "a"))
        if hard and opclass is not None:
            rows.append(depend(me, (PG_OPCLASS_RELID, opclass[0], 0), "i"))
        else:
            rows.append(depend(me, (PG_OPFAMILY_RELID, family, 0), "a"))

    for m in operators:
        _check_duplicate(catalog, family, m, "operator")
        oid = catalog.new_oid()
        purpose = "o" if m.sortfamily else "s"
        rows.append(
            PgAmop(oid, family, m.left, m.right, m.number, purpose, m.object, am, m.sortfamily)
        )
        references(m, (PG_AMOP_RELID, oid, 0), (PG_OPERATOR_RELID, m.object, 0))
        if m.sortfamily and not is_pinned(m.sortfamily):
            rows.append(depend((PG_AMOP_RELID, oid, 0), (PG_OPFAMILY_RELID, m.sortfamily, 0), "n"))
    for m in functions:
        _check_duplicate(catalog, family, m, "function")
        oid = catalog.new_oid()
        rows.append(PgAmproc(oid, family, m.left, m.right, m.number, m.object))
        references(m, (PG_AMPROC_RELID, oid, 0), (PG_PROC_RELID, m.object, 0))
    insert_rows(catalog, rows)


def _member_row(catalog: Any, family: int, m: _Member, what: str) -> Any:
    if what == "operator":
        return catalog.one(
            PgAmop,
            amopfamily=family,
            amoplefttype=m.left,
            amoprighttype=m.right,
            amopstrategy=m.number,
        )
    return catalog.one(
        PgAmproc,
        amprocfamily=family,
        amproclefttype=m.left,
        amprocrighttype=m.right,
        amprocnum=m.number,
    )


def _check_duplicate(catalog: Any, family: int, m: _Member, what: str) -> None:
    if _member_row(catalog, family, m, what) is None:
        return
    left, right = catalog.type_name(m.left), catalog.type_name(m.right)
    name = catalog.get(PgOpfamily, oid=family).opfname
    raise PgError(
        DUPLICATE_OBJECT,
        f'{what} {m.number}({left},{right}) already exists in operator family "{name}"',
    )


def alter_opfamily(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER OPERATOR FAMILY ... ADD / DROP."""
    catalog = session.catalog
    am_name = stmt["amname"]
    am = am_oid(catalog, am_name)
    family = _family(catalog, stmt["opfamilyname"], am, am_name)
    require_superuser(session, "must be superuser to alter an operator family")
    if stmt.get("isDrop"):
        _drop_members(session, stmt, family, am_name)
        return CommandResult("ALTER OPERATOR FAMILY")
    if any(n["CreateOpClassItem"]["itemtype"] == OPCLASS_ITEM_STORAGETYPE for n in stmt["items"]):
        raise PgError("42601", "STORAGE cannot be specified in ALTER OPERATOR FAMILY")
    operators, functions, _ = _read_items(session, stmt["items"], am_name, 0)
    _store(session, am, family, operators, functions, opclass=None)
    return CommandResult("ALTER OPERATOR FAMILY")


def _drop_members(session: Any, stmt: dict[str, Any], family: int, am_name: str) -> None:
    from pgemu.catalog.dependency import perform_deletion
    from pgemu.catalog.objectaddress import ObjectAddress

    catalog = session.catalog
    for node in stmt["items"]:
        item = node["CreateOpClassItem"]
        operator = item["itemtype"] == OPCLASS_ITEM_OPERATOR
        what = "operator" if operator else "function"
        _check_number(
            what, item.get("number", 0), _LIMITS[_am_name(catalog, am_name)][not operator]
        )
        types = _types_spec(session, item)
        member = _Member(0, item["number"], types[0], types[-1])
        row = _member_row(catalog, family, member, what)
        if row is None:
            left, right = catalog.type_name(member.left), catalog.type_name(member.right)
            words = ".".join(strings(stmt["opfamilyname"]))
            raise PgError(
                UNDEFINED_OBJECT,
                f"{what} {member.number}({left},{right}) does not exist in operator family "
                f'"{words}"',
            )
        relid = PG_AMOP_RELID if operator else PG_AMPROC_RELID
        perform_deletion(catalog, ObjectAddress(relid, row.oid, 0), "restrict")
