"""Small questions to the catalogs (lsyscache.c), and operators of a type (typcache.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgemu.catalog.rows import (
    PgAmop,
    PgAmproc,
    PgAttribute,
    PgCast,
    PgClass,
    PgCollation,
    PgConstraint,
    PgNamespace,
    PgOpclass,
    PgOperator,
    PgProc,
    PgRange,
    PgType,
)

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

BTREE_AM_OID = 403
HASH_AM_OID = 405
ARRAY_SUBSCRIPT_HANDLER = 6179

BT_LESS = 1
BT_LESS_EQUAL = 2
BT_EQUAL = 3
BT_GREATER_EQUAL = 4
BT_GREATER = 5

ANYARRAYOID = 2277
ANYENUMOID = 3500
ANYRANGEOID = 3831
ANYMULTIRANGEOID = 4537
RECORDOID = 2249
RECORDARRAYOID = 2287


# --- names ---------------------------------------------------------------------------------------


def get_rel_name(catalog: Catalog, oid: int) -> str | None:
    row = catalog.one(PgClass, oid=oid)
    return row.relname if row is not None else None


def get_rel_namespace(catalog: Catalog, oid: int) -> int:
    row = catalog.one(PgClass, oid=oid)
    return row.relnamespace if row is not None else 0


def get_rel_relkind(catalog: Catalog, oid: int) -> str:
    row = catalog.one(PgClass, oid=oid)
    return row.relkind if row is not None else ""


def get_rel_type_id(catalog: Catalog, oid: int) -> int:
    row = catalog.one(PgClass, oid=oid)
    return row.reltype if row is not None else 0


def get_namespace_name(catalog: Catalog, oid: int) -> str | None:
    row = catalog.one(PgNamespace, oid=oid)
    return row.nspname if row is not None else None


def get_attname(catalog: Catalog, relid: int, attnum: int, missing_ok: bool = False) -> str | None:
    if missing_ok:
        row = catalog.one(PgAttribute, attrelid=relid, attnum=attnum)
        return row.attname if row is not None and not row.attisdropped else None
    return catalog.get(PgAttribute, attrelid=relid, attnum=attnum).attname


def get_attnum(catalog: Catalog, relid: int, name: str) -> int:
    """Attribute number of a column (system columns too), or 0."""
    row = catalog.one(PgAttribute, attrelid=relid, attname=name)
    return row.attnum if row is not None and not row.attisdropped else 0


def get_atttypetypmodcoll(catalog: Catalog, relid: int, attnum: int) -> tuple[int, int, int]:
    row = catalog.get(PgAttribute, attrelid=relid, attnum=attnum)
    return row.atttypid, row.atttypmod, row.attcollation


def get_func_name(catalog: Catalog, oid: int) -> str | None:
    row = catalog.one(PgProc, oid=oid)
    return row.proname if row is not None else None


def get_func_rettype(catalog: Catalog, oid: int) -> int:
    return catalog.get(PgProc, oid=oid).prorettype


def get_constraint_name(catalog: Catalog, oid: int) -> str | None:
    row = catalog.one(PgConstraint, oid=oid)
    return row.conname if row is not None else None


def get_collation_name(catalog: Catalog, oid: int) -> str | None:
    row = catalog.one(PgCollation, oid=oid)
    return row.collname if row is not None else None


# --- types ---------------------------------------------------------------------------------------


def get_base_type_and_typmod(catalog: Catalog, oid: int, typmod: int = -1) -> tuple[int, int]:
    """Under all layers of domains."""
    row = catalog.one(PgType, oid=oid)
    while row is not None and row.typtype == "d":
        oid, typmod = row.typbasetype, row.typtypmod
        row = catalog.one(PgType, oid=oid)
    return oid, typmod


def get_base_type(catalog: Catalog, oid: int) -> int:
    return get_base_type_and_typmod(catalog, oid)[0]


def get_typtype(catalog: Catalog, oid: int) -> str:
    row = catalog.one(PgType, oid=oid)
    return row.typtype if row is not None else ""


def get_type_category_preferred(catalog: Catalog, oid: int) -> tuple[str, bool]:
    row = catalog.get(PgType, oid=oid)
    return row.typcategory, row.typispreferred


def get_typcollation(catalog: Catalog, oid: int) -> int:
    row = catalog.one(PgType, oid=oid)
    return row.typcollation if row is not None else 0


def type_is_collatable(catalog: Catalog, oid: int) -> bool:
    return get_typcollation(catalog, oid) != 0


def get_element_type(catalog: Catalog, oid: int) -> int:
    """Element type of a true array type, else 0."""
    row = catalog.one(PgType, oid=oid)
    if row is None or row.typsubscript != ARRAY_SUBSCRIPT_HANDLER or row.typlen != -1:
        return 0
    return row.typelem


def get_base_element_type(catalog: Catalog, oid: int) -> int:
    return get_element_type(catalog, get_base_type(catalog, oid))


def get_array_type(catalog: Catalog, oid: int) -> int:
    row = catalog.one(PgType, oid=oid)
    return row.typarray if row is not None else 0


def type_is_rowtype(catalog: Catalog, oid: int) -> bool:
    if oid == RECORDOID:
        return True
    return get_typtype(catalog, get_base_type(catalog, oid)) == "c"


def type_is_enum(catalog: Catalog, oid: int) -> bool:
    return get_typtype(catalog, oid) == "e"


def type_is_range(catalog: Catalog, oid: int) -> bool:
    return get_typtype(catalog, oid) == "r"


def type_is_multirange(catalog: Catalog, oid: int) -> bool:
    return get_typtype(catalog, oid) == "m"


def get_typ_typrelid(catalog: Catalog, oid: int) -> int:
    row = catalog.one(PgType, oid=oid)
    return row.typrelid if row is not None else 0


def get_range_subtype(catalog: Catalog, oid: int) -> int:
    row = catalog.one(PgRange, rngtypid=oid)
    return row.rngsubtype if row is not None else 0


def get_multirange_range(catalog: Catalog, oid: int) -> int:
    row = catalog.one(PgRange, rngmultitypid=oid)
    return row.rngtypid if row is not None else 0


# --- operators -----------------------------------------------------------------------------------


def get_opcode(catalog: Catalog, oid: int) -> int:
    """pg_proc OID behind an operator."""
    row = catalog.one(PgOperator, oid=oid)
    return row.oprcode if row is not None else 0


def get_opname(catalog: Catalog, oid: int) -> str | None:
    row = catalog.one(PgOperator, oid=oid)
    return row.oprname if row is not None else None


def op_input_types(catalog: Catalog, oid: int) -> tuple[int, int]:
    row = catalog.get(PgOperator, oid=oid)
    return row.oprleft, row.oprright


def get_commutator(catalog: Catalog, oid: int) -> int:
    row = catalog.one(PgOperator, oid=oid)
    return row.oprcom if row is not None else 0


def get_negator(catalog: Catalog, oid: int) -> int:
    row = catalog.one(PgOperator, oid=oid)
    return row.oprnegate if row is not None else 0


def op_in_opfamily(catalog: Catalog, opno: int, opfamily: int) -> bool:
    return get_op_opfamily_strategy(catalog, opno, opfamily) != 0


def get_op_opfamily_strategy(catalog: Catalog, opno: int, opfamily: int) -> int:
    """Strategy number of a search operator in a family, or 0."""
    for row in catalog.all(PgAmop, amopopr=opno):
        if row.amopfamily == opfamily and row.amoppurpose == "s":
            return row.amopstrategy
    return 0


def get_opfamily_member(
    catalog: Catalog, opfamily: int, lefttype: int, righttype: int, strategy: int
) -> int:
    """The operator of a family for these operand types and strategy, or 0."""
    for row in catalog.all(PgAmop, amopfamily=opfamily):
        if (row.amoplefttype, row.amoprighttype, row.amopstrategy) == (
            lefttype,
            righttype,
            strategy,
        ):
            return row.amopopr
    return 0


def get_opfamily_proc(
    catalog: Catalog, opfamily: int, lefttype: int, righttype: int, procnum: int
) -> int:
    """The support function of a family for these types, or 0."""
    for row in catalog.all(PgAmproc, amprocfamily=opfamily):
        if (row.amproclefttype, row.amprocrighttype, row.amprocnum) == (
            lefttype,
            righttype,
            procnum,
        ):
            return row.amproc
    return 0


def get_opclass_family(catalog: Catalog, opclass: int) -> int:
    return catalog.get(PgOpclass, oid=opclass).opcfamily


def get_opclass_input_type(catalog: Catalog, opclass: int) -> int:
    return catalog.get(PgOpclass, oid=opclass).opcintype


def is_binary_coercible(catalog: Catalog, source: int, target: int) -> bool:
    """IsBinaryCoercible: may a value of `source` be used as `target` as it is?"""
    if source == target or target in (2276, 2283):
        return True
    source = get_base_type(catalog, source)
    if source == target:
        return True
    if target == ANYARRAYOID and get_element_type(catalog, source):
        return True
    if target == ANYENUMOID and type_is_enum(catalog, source):
        return True
    if target == ANYRANGEOID and type_is_range(catalog, source):
        return True
    if target == ANYMULTIRANGEOID and type_is_multirange(catalog, source):
        return True
    if target == RECORDOID and type_is_rowtype(catalog, source):
        return True
    if target == RECORDARRAYOID:
        element = get_element_type(catalog, source)
        return bool(element) and type_is_rowtype(catalog, element)
    cast = catalog.one(PgCast, castsource=source, casttarget=target)
    return cast is not None and cast.castmethod == "b" and cast.castcontext == "i"


def get_default_opclass(catalog: Catalog, type_oid: int, am: int = BTREE_AM_OID) -> int:
    """GetDefaultOpClass: the default operator class for a type, or 0."""
    return catalog.cached(
        ("default_opclass", type_oid, am), lambda: _find_default_opclass(catalog, type_oid, am)
    )


def _find_default_opclass(catalog: Catalog, type_oid: int, am: int) -> int:
    base = get_base_type(catalog, type_oid)
    category = catalog.get(PgType, oid=base).typcategory
    compatible: list[int] = []
    preferred: list[int] = []
    for row in catalog.all(PgOpclass, opcmethod=am, opcdefault=True):
        if row.opcintype == base:
            return row.oid
        if is_binary_coercible(catalog, base, row.opcintype):
            target = catalog.get(PgType, oid=row.opcintype)
            if target.typcategory == category and target.typispreferred:
                preferred.append(row.oid)
            else:
                compatible.append(row.oid)
    if len(preferred) == 1:
        return preferred[0]
    return compatible[0] if not preferred and len(compatible) == 1 else 0


@dataclass(frozen=True, slots=True)
class TypeCacheEntry:
    """lookup_type_cache: the default operators of a type; 0 where it has none."""

    type_oid: int
    btree_opf: int = 0
    btree_opintype: int = 0
    hash_opf: int = 0
    hash_opintype: int = 0
    eq_opr: int = 0
    lt_opr: int = 0
    gt_opr: int = 0
    cmp_proc: int = 0
    hash_proc: int = 0


def lookup_type_cache(catalog: Catalog, type_oid: int) -> TypeCacheEntry:
    """Operators for =, < and >, also for arrays, records, enums, ranges and domains.

    As in PostgreSQL, those of an array, range or record exist only if its parts have them.
    """
    key = ("typcache", type_oid)
    found: TypeCacheEntry | None = catalog.memo.get(key)
    if found is None:
        found = catalog.memo[key] = _make_entry(catalog, type_oid)
    return found


def _parts(catalog: Catalog, type_oid: int, opintype: int) -> list[int]:
    """The types that must have an operator for this one to have it."""
    base = get_base_type(catalog, type_oid)
    if opintype == ANYARRAYOID:
        return [get_element_type(catalog, base)]
    if opintype == ANYRANGEOID:
        return []
    if opintype == RECORDOID and base != RECORDOID:
        relid = get_typ_typrelid(catalog, base)
        return [
            a.atttypid
            for a in catalog.all(PgAttribute, attrelid=relid)
            if a.attnum > 0 and not a.attisdropped
        ]
    return []


def _make_entry(catalog: Catalog, type_oid: int) -> TypeCacheEntry:
    btree = get_default_opclass(catalog, type_oid, BTREE_AM_OID)
    hashed = get_default_opclass(catalog, type_oid, HASH_AM_OID)
    btree_opf = btree_type = hash_opf = hash_type = eq = lt = gt = cmp_proc = hash_proc = 0
    if btree:
        row = catalog.get(PgOpclass, oid=btree)
        btree_opf, btree_type = row.opcfamily, row.opcintype
        eq = get_opfamily_member(catalog, btree_opf, btree_type, btree_type, BT_EQUAL)
        lt = get_opfamily_member(catalog, btree_opf, btree_type, btree_type, BT_LESS)
        gt = get_opfamily_member(catalog, btree_opf, btree_type, btree_type, BT_GREATER)
        cmp_proc = get_opfamily_proc(catalog, btree_opf, btree_type, btree_type, 1)
    if hashed:
        row = catalog.get(PgOpclass, oid=hashed)
        hash_opf, hash_type = row.opcfamily, row.opcintype
        eq = eq or get_opfamily_member(catalog, hash_opf, hash_type, hash_type, 1)
        hash_proc = get_opfamily_proc(catalog, hash_opf, hash_type, hash_type, 1)
    for part in _parts(catalog, type_oid, btree_type or hash_type):
        entry = lookup_type_cache(catalog, part)
        eq = eq if entry.eq_opr else 0
        if not entry.cmp_proc:
            lt = gt = cmp_proc = 0
        hash_proc = hash_proc if entry.hash_proc else 0
    return TypeCacheEntry(
        type_oid, btree_opf, btree_type, hash_opf, hash_type, eq, lt, gt, cmp_proc, hash_proc
    )


def domain_has_constraints(catalog: Catalog, type_oid: int) -> bool:
    """DomainHasConstraints: of the domain, or of one that it is made of."""
    row = catalog.one(PgType, oid=type_oid)
    while row is not None and row.typtype == "d":
        if row.typnotnull or catalog.all(PgConstraint, contypid=row.oid):
            return True
        row = catalog.one(PgType, oid=row.typbasetype)
    return False
