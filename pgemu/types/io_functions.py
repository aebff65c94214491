"""int4in, int4out, int4recv, int4send and their like for every registered type.

PostgreSQL's I/O functions are pg_proc rows that may be called in SQL; here they lead to the
type's BaseType.  Imported after the families, since it walks base_types.
"""

from __future__ import annotations

import re
from typing import Any

from pgemu.fmgr import CallContext, functions, pg_function
from pgemu.types.base import BaseType, base_types

WORDS = re.compile(r"\S+")

UNDERSCORED = frozenset(
    WORDS.findall("""
numeric date time timestamp timestamptz timetz interval json jsonb uuid bit varbit xml
macaddr macaddr8 inet cidr pg_lsn void record cstring point box path line lseg
""")
)
WITH_TYPMOD = frozenset(
    WORDS.findall("""
numeric bpchar varchar bit varbit time timestamp timestamptz timetz interval
""")
)


def prefix(name: str) -> str:
    if name == "money":
        return "cash_"
    return f"{name}_" if name in UNDERSCORED else name


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
        if signature not in functions:
            pg_function(signature, context=True)(body)


NAMED = WORDS.findall("""
bool bytea char name int2 int4 int8 oid xid xid8 cid tid text varchar bpchar float4
float8 numeric money uuid bit varbit pg_lsn date time timestamp timestamptz timetz
interval json jsonb cstring regclass regtype regproc regprocedure regoper regoperator
regrole regnamespace regcollation regconfig regdictionary int2vector oidvector unknown
""")

for _name in NAMED:
    if _name in base_types:
        bind_type(base_types[_name])
