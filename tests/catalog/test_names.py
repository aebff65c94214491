"""Rule: names resolve, and objects are written, as PostgreSQL does."""

from __future__ import annotations

import pytest

from pgemu.catalog.acl import AclItem, format_aclitem, parse_aclitem
from pgemu.catalog.acl_change import aclupdate
from pgemu.catalog.dependency import perform_deletion
from pgemu.catalog.lsyscache import lookup_type_cache
from pgemu.catalog.namespace import range_var_get_relid
from pgemu.catalog.object_identity import identify_object
from pgemu.catalog.objectaddress import ObjectAddress, get_object_description
from pgemu.catalog.rows import PgAmop, PgClass, PgDescription, PgNamespace, PgType
from pgemu.catalog.syscache import Catalog
from pgemu.errors import PgError


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("regclass", "pg_class"),
        ("regclass", "information_schema.tables"),
        ("regtype", "integer"),
        ("regtype", "timestamp without time zone[]"),
        ("regtype", '"char"'),
        ("regprocedure", "upper(text)"),
        ("regoperator", "+(integer,integer)"),
        ("regoperator", "-(NONE,integer)"),
        ("regrole", "postgres"),
        ("regnamespace", "pg_catalog"),
        ("regcollation", '"C"'),
        ("regconfig", "english"),
        ("regdictionary", "simple"),
    ],
)
def test_reg_types_round_trip(catalog: Catalog, kind: str, text: str) -> None:
    assert catalog.reg_out(kind, catalog.reg_in(kind, text)) == text


@pytest.mark.parametrize(
    ("kind", "text", "sqlstate", "message"),
    [
        ("regclass", "nosuch", "42P01", 'relation "nosuch" does not exist'),
        ("regclass", "a.b", "3F000", 'schema "a" does not exist'),
        ("regtype", "nosuch", "42704", 'type "nosuch" does not exist'),
        ("regproc", "upper", "42725", 'more than one function named "upper"'),
        ("regrole", "nobody", "42704", 'role "nobody" does not exist'),
    ],
)
def test_reg_errors(catalog: Catalog, kind: str, text: str, sqlstate: str, message: str) -> None:
    with pytest.raises(PgError) as caught:
        catalog.reg_in(kind, text)
    assert (caught.value.sqlstate, caught.value.message) == (sqlstate, message)


def test_search_path_is_implicit(catalog: Catalog) -> None:
    assert catalog.search_path() == [11, 2200]
    assert catalog.creation_namespace() == 2200
    assert range_var_get_relid(catalog, {"relname": "pg_class"}) == PgClass.RELID


def test_descriptions(catalog: Catalog) -> None:
    amop = catalog.all(PgAmop, amopfamily=1976, amoplefttype=23, amoprighttype=23)[0]
    assert get_object_description(catalog, ObjectAddress(PgAmop.RELID, amop.oid)) == (
        "operator 1 (integer, integer) of operator family integer_ops for access method btree:"
        " <(integer,integer)"
    )
    column = ObjectAddress(PgClass.RELID, PgClass.RELID, 2)
    assert get_object_description(catalog, column) == "column relname of table pg_class"
    assert identify_object(catalog, column) == (
        "table column",
        "pg_catalog",
        "pg_class",
        "pg_catalog.pg_class.relname",
    )


def test_writes_are_seen_at_once(catalog: Catalog) -> None:
    key = {"objoid": 1, "classoid": 2, "objsubid": 0}
    assert catalog.one(PgDescription, **key) is None
    catalog.insert(PgDescription(**key, description="a"))
    assert catalog.get(PgDescription, **key).description == "a"
    assert catalog.update(PgDescription, key, description="b") == 1
    assert catalog.get(PgDescription, **key).description == "b"
    assert catalog.delete(PgDescription, **key) == 1
    assert catalog.one(PgDescription, **key) is None


def test_restrict_names_the_dependents(catalog: Catalog) -> None:
    schema = catalog.get(PgNamespace, nspname="information_schema").oid
    with pytest.raises(PgError) as caught:
        perform_deletion(catalog, ObjectAddress(PgNamespace.RELID, schema))
    assert caught.value.message == (
        "cannot drop schema information_schema because other objects depend on it"
    )
    assert caught.value.detail is not None
    assert caught.value.detail.startswith(
        "function information_schema._pg_expandarray(anyarray)"
        " depends on schema information_schema\n"
    )


def test_pinned_objects_stay(catalog: Catalog) -> None:
    with pytest.raises(PgError, match="required by the database system"):
        perform_deletion(catalog, ObjectAddress(PgClass.RELID, PgClass.RELID), "cascade")


def test_operators_of_types(catalog: Catalog) -> None:
    json_array = catalog.get(PgType, typname="_json").oid
    assert lookup_type_cache(catalog, json_array).eq_opr == 0
    varchar = lookup_type_cache(catalog, 1043)
    assert catalog.reg_out("regoperator", varchar.lt_opr) == "<(text,text)"


def test_acl_items(catalog: Catalog) -> None:
    item = parse_aclitem(catalog, "postgres=ar*/postgres")
    assert item == AclItem(10, 10, 3, 2)
    assert format_aclitem(catalog, item) == "postgres=ar*/postgres"
    public = parse_aclitem(catalog, "=r/postgres")
    granted = aclupdate(catalog, [item], public, "grant", 10)
    assert granted == [item, public]
    assert aclupdate(catalog, granted, public, "revoke", 10) == [item]
