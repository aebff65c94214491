"""CREATE, ALTER SEQUENCE and the sequence functions (PostgreSQL's sequence.c).

The definition is a pg_sequence row.  The state (last_value, is_called) is kept outside of
transactions by pgemu.storage.sequence, reached as `session.sequences`: nextval is never rolled
back, while a sequence made by an aborted transaction vanishes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pgemu.catalog.heap import ColumnSpec, depend, heap_create_with_catalog, insert_rows
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PgClass,
    PgDepend,
    PgSequence,
)
from pgemu.commands.default_acl import get_user_default_acl
from pgemu.commands.define import (
    def_get_boolean,
    def_get_int,
    def_get_qualified_name,
    elements,
    error_conflicting_def_elem,
)
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_TABLE,
    FEATURE_NOT_SUPPORTED,
    INTERNAL_ERROR,
    INVALID_PARAMETER_VALUE,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    SYNTAX_ERROR,
    WRONG_OBJECT_TYPE,
    PgError,
)

LIMITS = {
    21: (-(2**15), 2**15 - 1),
    23: (-(2**31), 2**31 - 1),
    20: (-(2**63), 2**63 - 1),
}


@dataclass(slots=True)
class SequenceParams:
    """What init_params worked out: the pg_sequence fields and the state."""

    type_id: int = 20
    start: int = 1
    increment: int = 1
    maximum: int = 2**63 - 1
    minimum: int = 1
    cache: int = 1
    cycle: bool = False
    last_value: int = 1
    is_called: bool = False
    owned_by: list[str] | None = None
    state_changed: bool = True
    form_changed: bool = False


_OPTION_NAMES = (
    "as", "increment", "start", "restart", "maxvalue", "minvalue", "cache", "cycle", "owned_by",
    "sequence_name",
)  # fmt: skip


def _limit(option: dict[str, Any]) -> int:
    """defGetInt64, which reads what is no integer by the type's input function."""
    number = (option.get("arg") or {}).get("Float", {}).get("fval")
    if number is not None and not number.lstrip("-").isdigit():
        raise PgError("22P02", f'invalid input syntax for type bigint: "{number}"')
    value = def_get_int(option)
    if not -(2**63) <= value < 2**63:
        raise PgError("22003", f'value "{value}" is out of range for type bigint')
    return value


def _options_by_name(
    options: list[dict[str, Any]], for_identity: bool
) -> dict[str, dict[str, Any]]:
    given: dict[str, dict[str, Any]] = {}
    for option in options:
        name = option["defname"]
        if name not in _OPTION_NAMES:
            raise PgError(INTERNAL_ERROR, f'option "{name}" not recognized')
        if name == "sequence_name" and not for_identity:
            raise PgError(
                SYNTAX_ERROR,
                "invalid sequence option SEQUENCE NAME",
                location=option.get("location"),
            )
        if name in given:
            raise error_conflicting_def_elem(option)
        given[name] = option
    return given


def init_params(
    session: Any,
    options: list[dict[str, Any]],
    *,
    old: SequenceParams | None = None,
    for_identity: bool = False,
) -> SequenceParams:
    """init_params: check the options and merge them into what was there."""
    given = _options_by_name(options, for_identity)
    p = SequenceParams() if old is None else old
    is_init = old is None
    reset_max, reset_min = _set_type(session, p, given, is_init, for_identity)
    if "increment" in given:
        p.increment = _limit(given["increment"])
        if p.increment == 0:
            raise PgError(INVALID_PARAMETER_VALUE, "INCREMENT must not be zero")
    if "cycle" in given:
        p.cycle = def_get_boolean(given["cycle"])
    low, high = LIMITS[p.type_id]
    if _has_value(given, "maxvalue"):
        p.maximum = _limit(given["maxvalue"])
    elif is_init or "maxvalue" in given or reset_max:
        p.maximum = high if p.increment > 0 else -1
    if not low <= p.maximum <= high:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f"MAXVALUE ({p.maximum}) is out of range for sequence data type "
            f"{session.catalog.type_name(p.type_id)}",
        )
    if _has_value(given, "minvalue"):
        p.minimum = _limit(given["minvalue"])
    elif is_init or "minvalue" in given or reset_min:
        p.minimum = low if p.increment < 0 else 1
    if not low <= p.minimum <= high:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f"MINVALUE ({p.minimum}) is out of range for sequence data type "
            f"{session.catalog.type_name(p.type_id)}",
        )
    if p.minimum >= p.maximum:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f"MINVALUE ({p.minimum}) must be less than MAXVALUE ({p.maximum})",
        )
    _set_start(p, given, is_init)
    if "cache" in given:
        p.cache = _limit(given["cache"])
        if p.cache <= 0:
            raise PgError(INVALID_PARAMETER_VALUE, f"CACHE ({p.cache}) must be greater than zero")
    if "owned_by" in given:
        p.owned_by = def_get_qualified_name(given["owned_by"])
    p.form_changed = bool(set(given) - {"restart", "owned_by"})
    return p


def _has_value(given: dict[str, dict[str, Any]], name: str) -> bool:
    return name in given and given[name].get("arg") is not None


def _set_type(
    session: Any,
    p: SequenceParams,
    given: dict[str, dict[str, Any]],
    is_init: bool,
    for_identity: bool,
) -> tuple[bool, bool]:
    from pgemu.parser.parse_type import typename_type_id

    if "as" not in given:
        return False, False
    arg = given["as"]["arg"]
    type_id = arg if isinstance(arg, int) else typename_type_id(session.catalog, arg["TypeName"])
    if type_id not in LIMITS:
        word = "identity column" if for_identity else "sequence"
        raise PgError(INVALID_PARAMETER_VALUE, f"{word} type must be smallint, integer, or bigint")
    reset_max = reset_min = False
    if not is_init:
        low, high = LIMITS[p.type_id]
        reset_max = p.maximum == high
        reset_min = p.minimum == low
    p.type_id = type_id
    return reset_max, reset_min


def _set_start(p: SequenceParams, given: dict[str, dict[str, Any]], is_init: bool) -> None:
    if "start" in given:
        p.start = _limit(given["start"])
    elif is_init:
        p.start = p.minimum if p.increment > 0 else p.maximum
    if p.start < p.minimum:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f"START value ({p.start}) cannot be less than MINVALUE ({p.minimum})",
        )
    if p.start > p.maximum:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f"START value ({p.start}) cannot be greater than MAXVALUE ({p.maximum})",
        )
    if "restart" in given:
        has = given["restart"].get("arg") is not None
        p.last_value = _limit(given["restart"]) if has else p.start
        p.is_called = False
    elif is_init:
        p.last_value = p.start
        p.is_called = False
    p.state_changed = is_init or "restart" in given
    if p.last_value < p.minimum:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f"RESTART value ({p.last_value}) cannot be less than MINVALUE ({p.minimum})",
        )
    if p.last_value > p.maximum:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f"RESTART value ({p.last_value}) cannot be greater than MAXVALUE ({p.maximum})",
        )


def create_sequence(
    session: Any,
    name: str,
    namespace: int,
    persistence: str,
    options: list[dict[str, Any]],
    *,
    owner: int | None = None,
    for_identity: bool = False,
) -> tuple[int, SequenceParams]:
    """Make a sequence; the caller records OWNED BY.  Returns (OID, parameters)."""
    from pgemu.commands.permissions import check_catalog_modification

    p = init_params(session, options, for_identity=for_identity)
    check_catalog_modification(session, namespace, name)
    columns = [
        ColumnSpec("last_value", 20, not_null=True),
        ColumnSpec("log_cnt", 20, not_null=True),
        ColumnSpec("is_called", 16, not_null=True),
    ]
    acl = get_user_default_acl(
        session, "S", session.ctx.current_user_oid if owner is None else owner, namespace
    )
    made = heap_create_with_catalog(
        session, name, namespace, "S", persistence, columns, owner=owner, acl=acl
    )
    session.catalog.insert(
        PgSequence(
            made.oid, p.type_id, p.start, p.increment, p.maximum, p.minimum, p.cache, p.cycle
        )
    )
    session.sequences.create(made.oid, p.last_value, p.is_called)
    session.xact.at_abort(lambda: session.sequences.drop(made.oid))
    return made.oid, p


def define_sequence(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE SEQUENCE."""
    from pgemu.catalog.namespace import range_var_get_and_check_creation_namespace

    catalog = session.catalog
    relation = stmt["sequence"]
    name = relation["relname"]
    persistence = relation.get("relpersistence", "p")
    namespace = range_var_get_and_check_creation_namespace(catalog, relation)
    persistence = "t" if namespace == catalog.my_temp_namespace else persistence
    if stmt.get("if_not_exists") and (
        catalog.one(PgClass, relname=name, relnamespace=namespace) is not None
    ):
        session.notice("NOTICE", DUPLICATE_TABLE, f'relation "{name}" already exists, skipping')
        return CommandResult("CREATE SEQUENCE")
    oid, p = create_sequence(session, name, namespace, persistence, elements(stmt.get("options")))
    if p.owned_by is not None:
        process_owned_by(session, oid, p.owned_by)
    return CommandResult("CREATE SEQUENCE")


def alter_sequence(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER SEQUENCE ... options."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    oid = range_var_get_relid(catalog, stmt["sequence"], stmt.get("missing_ok", False))
    if not oid:
        name = stmt["sequence"]["relname"]
        session.notice("NOTICE", "00000", f'relation "{name}" does not exist, skipping')
        return CommandResult("ALTER SEQUENCE")
    from pgemu.commands.permissions import check_not_system, check_owner

    relation = catalog.relation(oid)
    check_not_system(session, relation)
    if relation.relkind != "S":
        raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is not a sequence')

    check_owner(session, relation)
    alter_sequence_options(
        session, oid, elements(stmt.get("options")), for_identity=bool(stmt.get("for_identity"))
    )
    return CommandResult("ALTER SEQUENCE")


def alter_sequence_options(
    session: Any, oid: int, options: list[dict[str, Any]], *, for_identity: bool = False
) -> None:
    """Merge options into an existing sequence."""
    catalog = session.catalog
    row = catalog.one(PgSequence, seqrelid=oid)
    last_value, _log_count, is_called = session.sequences.read(catalog.relation(oid).relfilenode)
    old = SequenceParams(
        row.seqtypid, row.seqstart, row.seqincrement, row.seqmax, row.seqmin, row.seqcache,
        row.seqcycle, last_value, is_called,
    )  # fmt: skip
    p = init_params(session, options, old=old, for_identity=for_identity)
    if p.form_changed:
        catalog.update(
            PgSequence, {"seqrelid": oid}, seqtypid=p.type_id, seqstart=p.start,
            seqincrement=p.increment, seqmax=p.maximum, seqmin=p.minimum, seqcache=p.cache,
            seqcycle=p.cycle,
        )  # fmt: skip
    if p.state_changed:
        restart(session, oid, p.last_value, p.is_called)
    if p.owned_by is not None:
        process_owned_by(session, oid, p.owned_by)


def reset_sequence(session: Any, oid: int) -> None:
    """TRUNCATE ... RESTART IDENTITY."""
    row = session.catalog.one(PgSequence, seqrelid=oid)
    restart(session, oid, row.seqstart, False)


def restart(session: Any, oid: int, value: int, is_called: bool) -> None:
    """A state of its own for the transaction, which its commit makes that of all
    (RelationSetNewRelfilenode)."""
    catalog, sequences, xact = session.catalog, session.sequences, session.xact
    old, new = catalog.relation(oid).relfilenode, catalog.new_oid()
    sequences.create(new, value, is_called)
    xact.at_abort(lambda: sequences.drop(new))
    catalog.update(PgClass, {"oid": oid}, relfilenode=new)
    xact.at_commit(lambda: sequences.drop(old))


def process_owned_by(session: Any, oid: int, owned_by: list[str], deptype: str = "a") -> None:
    """process_owned_by: make the sequence depend on a column, or on nothing (NONE)."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    if len(owned_by) == 1:
        if owned_by[0] != "none":
            raise PgError(
                SYNTAX_ERROR,
                "invalid OWNED BY option",
                hint="Specify OWNED BY table.column or OWNED BY NONE.",
            )
        if catalog.one(PgDepend, classid=PG_CLASS_RELID, objid=oid, deptype="i") is not None:
            raise _identity_owner_error(catalog, oid)
        catalog.delete(PgDepend, classid=PG_CLASS_RELID, objid=oid, deptype="a")
        return
    relation_name = {"relname": owned_by[-2]}
    if len(owned_by) > 2:
        relation_name["schemaname"] = owned_by[-3]
    if len(owned_by) > 3:
        relation_name["catalogname"] = owned_by[-4]
    relation = catalog.relation(range_var_get_relid(catalog, relation_name))
    sequence = catalog.relation(oid)
    if relation.relkind not in "rfvp":
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'sequence cannot be owned by relation "{relation.name}"',
        )
    if relation.owner != sequence.owner:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "sequence must have same owner as table it is linked to",
        )
    if relation.namespace != sequence.namespace:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "sequence must be in same schema as table it is linked to",
        )
    attribute = relation.attrs_by_name.get(owned_by[-1])
    if attribute is None:
        raise PgError(
            "42703",
            f'column "{owned_by[-1]}" of relation "{relation.name}" does not exist',
        )
    if catalog.one(PgDepend, classid=PG_CLASS_RELID, objid=oid, deptype="i") is not None:
        raise _identity_owner_error(catalog, oid)
    catalog.delete(PgDepend, classid=PG_CLASS_RELID, objid=oid, deptype="a")
    own_sequence(session, oid, relation.oid, attribute.attnum, deptype)


def _identity_owner_error(catalog: Any, oid: int) -> PgError:
    link = catalog.one(PgDepend, classid=PG_CLASS_RELID, objid=oid, deptype="i")
    sequence, table = catalog.relation(oid), catalog.relation(link.refobjid)
    return PgError(
        FEATURE_NOT_SUPPORTED,
        "cannot change ownership of identity sequence",
        detail=f'Sequence "{sequence.name}" is linked to table "{table.name}".',
    )


def own_sequence(session: Any, oid: int, relid: int, attnum: int, deptype: str = "a") -> None:
    """Record that a sequence belongs to a column ("i" for identity)."""
    insert_rows(
        session.catalog,
        [depend((PG_CLASS_RELID, oid, 0), (PG_CLASS_RELID, relid, attnum), deptype)],
    )


def owned_sequences(catalog: Any, relid: int, attnum: int = 0, deptype: str = "") -> list[int]:
    """getOwnedSequences: OIDs of sequences owned by a table's columns."""
    found = []
    for link in catalog.all(PgDepend, refclassid=PG_CLASS_RELID, refobjid=relid):
        if link.classid != PG_CLASS_RELID or not link.refobjsubid or link.objsubid:
            continue
        if link.deptype not in (deptype or "ai"):
            continue
        if attnum and link.refobjsubid != attnum:
            continue
        row = catalog.one(PgClass, oid=link.objid)
        if row is not None and row.relkind == "S":
            found.append(int(link.objid))
    return sorted(found)
