"""int4in, int4out, int4send, numerictypmodin and their like for every registered type.

PostgreSQL's I/O functions are pg_proc rows that may be called in SQL; here they lead to the
type's BaseType.  Imported after the families, since it walks base_types.  The *recv functions
take an internal and so cannot be called.
"""

from __future__ import annotations

import re
from typing import Any

from pgemu.errors import NULL_VALUE_NOT_ALLOWED, PgError
from pgemu.fmgr import CallContext, TypeInfo, functions, pg_function
from pgemu.types.arrays_value import load_flat
from pgemu.types.base import BaseType, base_types

WORDS = re.compile(r"\S+")
UNDERSCORED = frozenset(
    WORDS.findall("""
numeric date time timestamp timestamptz timetz interval json jsonb uuid bit varbit xml
macaddr macaddr8 inet cidr pg_lsn void record cstring point box path line lseg circle jsonpath
hstore ghstore gtrgm
pg_node_tree pg_ndistinct pg_dependencies pg_mcv_list pg_snapshot txid_snapshot
any anyelement anyarray anynonarray anyenum anyrange anymultirange anycompatible
anycompatiblearray anycompatiblenonarray anycompatiblerange anycompatiblemultirange
trigger event_trigger language_handler internal fdw_handler index_am_handler tsm_handler
table_am_handler pg_ddl_command
""")
)
PREFIXES = {"money": "cash_", "polygon": "poly_"}
WITH_TYPMOD = frozenset(
    WORDS.findall("""
numeric bpchar varchar bit varbit time timestamp timestamptz timetz interval
anyrange anymultirange anycompatiblerange anycompatiblemultirange
""")
)
HAVE_TYPMODS = WORDS.findall(
    "bpchar varchar numeric bit varbit time timetz timestamp timestamptz interval"
)
# Pseudo-types that cannot be sent, and types whose functions have other names.
NO_SEND = frozenset(
    WORDS.findall("""
ghstore gtrgm aclitem gtsvector any anyelement
anynonarray anyenum anyrange anymultirange anycompatible
anycompatiblenonarray anycompatiblerange anycompatiblemultirange trigger event_trigger
language_handler internal fdw_handler index_am_handler tsm_handler table_am_handler
""")
)
NOT_GENERIC = frozenset(("record", "refcursor"))


def prefix(name: str) -> str:
    return PREFIXES.get(name) or (f"{name}_" if name in UNDERSCORED else name)


def bind_type(one: BaseType) -> None:
    name = one.name

    def type_in(ctx: CallContext, text: str, _type: int = 0, typmod: int = -1) -> Any:
        return one.input(text, typmod, ctx)

    def type_out(ctx: CallContext, value: Any) -> str:
        return one.output(value, ctx)

    def type_send(ctx: CallContext, value: Any) -> bytes:
        return one.send(value, ctx)

    start = prefix(name)
    arguments = "cstring,oid,int4" if name in WITH_TYPMOD else "cstring"
    for signature, body in (
        (f"{start}in({arguments})", type_in),
        (f"{start}out({name})", type_out),
        (f"{start}send({name})", type_send),
    ):
        taken = dict.__contains__(functions, signature)
        if not taken and not (body is type_send and name in NO_SEND):
            pg_function(signature, context=True)(body)


def bind_typmods(one: BaseType) -> None:
    def typmod_in(ctx: CallContext, modifiers: str) -> int:
        values = load_flat(modifiers)
        if None in values:
            raise PgError(NULL_VALUE_NOT_ALLOWED, "typmod array must not contain nulls")
        return one.typmod_in([str(base_types["int4"].input(v, -1, ctx)) for v in values], ctx)

    pg_function(f"{one.name}typmodin(_cstring)", context=True)(typmod_in)
    pg_function(f"{one.name}typmodout(int4)")(one.typmod_out)


def bind_polymorphic(names: str, argument: str) -> None:
    """<name>out and <name>send of types that only the call site knows."""

    def output(ctx: CallContext, info: TypeInfo, value: Any) -> str:
        return str(ctx.catalog.types.io(info.arg_types[0]).output(value, ctx))

    def send(ctx: CallContext, info: TypeInfo, value: Any) -> bytes:
        return bytes(ctx.catalog.types.io(info.arg_types[0]).send(value, ctx))

    pg_function(f"{names}_out({argument})", context=True, typed=True)(output)
    if argument not in NO_SEND or names in ("enum", "range", "multirange"):
        pg_function(f"{names}_send({argument})", context=True, typed=True)(send)


for _names, _argument in (
    ("array", "anyarray"),
    ("anyarray", "anyarray"),
    ("anycompatiblearray", "anycompatiblearray"),
    ("record", "record"),
    ("enum", "anyenum"),
    ("anyenum", "anyenum"),
    ("range", "anyrange"),
    ("multirange", "anymultirange"),
):
    bind_polymorphic(_names, _argument)


def typed_in(ctx: CallContext, text: str, type_oid: int, typmod: int = -1) -> Any:
    """enum_in, range_in, record_in: the type is an argument."""
    return ctx.catalog.types.io(type_oid).input(text, typmod, ctx)


pg_function(
    "enum_in(cstring,oid)",
    "range_in(cstring,oid,int4)",
    "multirange_in(cstring,oid,int4)",
    "record_in(cstring,oid,int4)",
    context=True,
)(typed_in)


@pg_function("array_in(cstring,oid,int4)", context=True)
def array_in(ctx: CallContext, text: str, element: int, typmod: int) -> Any:
    from pgemu.types.arrays import ArrayType

    types = ctx.catalog.types
    array = ArrayType(types.io(element), types.row(element).typdelim, element)
    return array.input(text, typmod, ctx)


for _name, _type in list(base_types.items()):
    if _name not in NOT_GENERIC:
        bind_type(_type)
for _name in HAVE_TYPMODS:
    bind_typmods(base_types[_name])
pg_function("shell_out(void)")(lambda value: value)
