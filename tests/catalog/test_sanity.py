"""Rule: the dumped catalogs refer only to rows that exist, and every body has its pg_proc row."""

from __future__ import annotations

from itertools import count

import pgemu.catalog.functions
import pgemu.types.families  # noqa: F401
from pgemu.catalog.extension_data import FIRST_NORMAL_OID, extension_names, extension_rows
from pgemu.catalog.rows import (
    CATALOGS,
    PgAmop,
    PgAttribute,
    PgCast,
    PgClass,
    PgOpclass,
    PgOperator,
    PgProc,
    PgType,
)
from pgemu.catalog.syscache import Catalog
from pgemu.catalog.template import read_data
from pgemu.fmgr import bound_signatures


def test_template_holds_the_data_files(catalog: Catalog) -> None:
    for cls, info in CATALOGS.items():
        assert catalog.store.scan(cls, {}) == read_data(info), info.name


def test_rows_have_their_columns(catalog: Catalog) -> None:
    for cls, info in CATALOGS.items():
        for row in read_data(info):
            assert len(row) == len(cls._fields), info.name


def test_functions_refer_to_types(catalog: Catalog) -> None:
    types = {t.oid for t in catalog.all(PgType)}
    wrong = [
        p.proname
        for p in catalog.all(PgProc)
        if p.prorettype not in types or any(a not in types for a in p.proargtypes)
    ]
    assert wrong == []


def test_operators_refer_to_functions(catalog: Catalog) -> None:
    procs = {p.oid: p for p in catalog.all(PgProc)}
    wrong = [
        o.oid
        for o in catalog.all(PgOperator)
        if o.oprcode not in procs or procs[o.oprcode].prorettype != o.oprresult
    ]
    assert wrong == []


def test_commutators_and_negators_are_mutual(catalog: Catalog) -> None:
    operators = {o.oid: o for o in catalog.all(PgOperator)}
    wrong = [
        o.oid
        for o in operators.values()
        if (o.oprcom and operators[o.oprcom].oprcom != o.oid)
        or (o.oprnegate and operators[o.oprnegate].oprnegate != o.oid)
    ]
    assert wrong == []


def test_operator_families_refer_to_operators(catalog: Catalog) -> None:
    operators = {o.oid for o in catalog.all(PgOperator)}
    families = {o.opcfamily for o in catalog.all(PgOpclass)}
    assert [a.oid for a in catalog.all(PgAmop) if a.amopopr not in operators] == []
    assert {a.amopfamily for a in catalog.all(PgAmop)} - families == set()


def test_casts_refer_to_types_and_functions(catalog: Catalog) -> None:
    types = {t.oid for t in catalog.all(PgType)}
    procs = {p.oid for p in catalog.all(PgProc)}
    for cast in catalog.all(PgCast):
        assert cast.castsource in types and cast.casttarget in types
        assert cast.castfunc == 0 or cast.castfunc in procs


def test_catalogs_describe_themselves(catalog: Catalog) -> None:
    for info in CATALOGS.values():
        relation = catalog.relation(info.relid)
        assert relation.name == info.name
        assert [a.attname for a in relation.attrs] == [c.name for c in info.columns]
        assert relation.sqlite_name == f"{'g' if info.shared else 'main'}.r{info.relid}"


def test_attributes_belong_to_relations(catalog: Catalog) -> None:
    relations = {c.oid for c in catalog.all(PgClass)}
    assert {a.attrelid for a in catalog.all(PgAttribute)} - relations == set()


def test_bodies_match_pg_proc(catalog: Catalog) -> None:
    names = {t.oid: t.typname for t in catalog.all(PgType)}
    known = {
        f"{p.proname}({','.join(names[a] for a in p.proargtypes)})" for p in catalog.all(PgProc)
    }
    for extension in extension_names():
        rows = extension_rows(extension, count(FIRST_NORMAL_OID).__next__, 2200, 10, 10)
        names |= {t.oid: t.typname for t in rows if isinstance(t, PgType)}
        procs = [p for p in rows if isinstance(p, PgProc)]
        known |= {f"{p.proname}({','.join(names[a] for a in p.proargtypes)})" for p in procs}
    assert [s for s in bound_signatures() if s not in known] == []
