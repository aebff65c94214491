"""Making pg_type rows (PostgreSQL's pg_type.c): composite, array and shell types, and any other
through `type_row`.  The I/O functions are found by name in pg_proc."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import PgProc, PgType

NAMEDATALEN = 64


def proc_oid(catalog: Any, name: str) -> int:
    """OID of the system function of this name (the first one when it is overloaded)."""
    found = catalog.all(PgProc, proname=name, pronamespace=11)
    return int(found[0].oid) if found else 0


def type_row(catalog: Any, oid: int, name: str, namespace: int, owner: int, **set_: Any) -> PgType:
    """A pg_type row with the usual values; typinput, typoutput ... may be given as names."""
    values: dict[str, Any] = {
        "oid": oid, "typname": name, "typnamespace": namespace, "typowner": owner, "typlen": -1,
        "typbyval": False, "typtype": "b", "typcategory": "U", "typispreferred": False,
        "typisdefined": True, "typdelim": ",", "typrelid": 0, "typsubscript": 0, "typelem": 0,
        "typarray": 0, "typinput": 0, "typoutput": 0, "typreceive": 0, "typsend": 0,
        "typmodin": 0, "typmodout": 0, "typanalyze": 0, "typalign": "i", "typstorage": "x",
        "typnotnull": False, "typbasetype": 0, "typtypmod": -1, "typndims": 0,
        "typcollation": 0, "typdefaultbin": None, "typdefault": None, "typacl": None,
    }  # fmt: skip
    values.update(set_)
    for key in (
        "typsubscript", "typinput", "typoutput", "typreceive", "typsend", "typmodin",
        "typmodout", "typanalyze",
    ):  # fmt: skip
        if isinstance(values[key], str):
            values[key] = proc_oid(catalog, values[key])
    return PgType(**values)


def composite_type_row(
    catalog: Any, oid: int, name: str, namespace: int, owner: int, relid: int, array_oid: int
) -> PgType:
    """The row type of a relation."""
    return type_row(
        catalog, oid, name, namespace, owner,
        typtype="c", typcategory="C", typrelid=relid, typarray=array_oid, typalign="d",
        typinput="record_in", typoutput="record_out", typreceive="record_recv",
        typsend="record_send",
    )  # fmt: skip


def array_type_row(
    catalog: Any,
    oid: int,
    name: str,
    namespace: int,
    owner: int,
    element: int,
    *,
    align: str = "i",
    delim: str = ",",
    collation: int = 0,
) -> PgType:
    """The automatic array type of an element type."""
    return type_row(
        catalog, oid, name, namespace, owner,
        typcategory="A", typelem=element, typalign=align, typdelim=delim,
        typcollation=collation, typsubscript="array_subscript_handler", typinput="array_in",
        typoutput="array_out", typreceive="array_recv", typsend="array_send",
        typanalyze="array_typanalyze",
    )  # fmt: skip


def make_array_type_name(catalog: Any, name: str, namespace: int) -> str:
    """makeArrayTypeName: an underscore before the name, then numbers behind it until free."""
    from pgemu.catalog.pg_constraint import make_object_name

    candidate = "_" + name.encode()[: NAMEDATALEN - 2].decode(errors="ignore")
    tries = 0
    while catalog.one(PgType, typname=candidate, typnamespace=namespace) is not None:
        tries += 1
        candidate = make_object_name("", name, str(tries))
    return candidate


def shell_type_row(catalog: Any, oid: int, name: str, namespace: int, owner: int) -> PgType:
    """CREATE TYPE name: a place holder until the real definition comes."""
    return type_row(
        catalog, oid, name, namespace, owner,
        typlen=4, typbyval=True, typtype="p", typcategory="P", typisdefined=False,
        typinput="shell_in", typoutput="shell_out", typstorage="p",
    )  # fmt: skip
