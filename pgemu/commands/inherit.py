"""Inheritance: merging parents' columns and CHECK constraints into a new table (MergeAttributes of
tablecmds.c), ALTER TABLE INHERIT and NO INHERIT."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import ColumnSpec, depend, insert_rows
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PgAttribute,
    PgClass,
    PgConstraint,
    PgDepend,
    PgInherits,
)
from pgemu.commands.constraint_cmds import CheckSpec
from pgemu.commands.parse_utilcmd import TableDef
from pgemu.commands.permissions import check_owner
from pgemu.errors import (
    COLLATION_MISMATCH,
    DATATYPE_MISMATCH,
    DUPLICATE_COLUMN,
    DUPLICATE_OBJECT,
    DUPLICATE_TABLE,
    INVALID_COLUMN_DEFINITION,
    INVALID_OBJECT_DEFINITION,
    UNDEFINED_TABLE,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes.primnodes import Var
from pgemu.nodes.walk import mutate
from pgemu.parser.parse_sort_group import equal


def parent_relations(session: Any, stmt: dict[str, Any], persistence: str) -> list[Any]:
    """The relations of INHERITS (...) or PARTITION OF, checked."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    is_partition = "partbound" in stmt
    parents: list[Any] = []
    for node in stmt.get("inhRelations", ()):
        body = node["RangeVar"]
        parent = catalog.relation(range_var_get_relid(catalog, body))
        if any(p.oid == parent.oid for p in parents):
            raise PgError(
                DUPLICATE_TABLE,
                f'relation "{parent.name}" would be inherited from more than once',
            )
        if parent.relkind == "p" and not is_partition:
            raise PgError(
                WRONG_OBJECT_TYPE,
                f'cannot inherit from partitioned table "{parent.name}"',
            )
        if parent.relkind not in "rfp":
            raise PgError(
                WRONG_OBJECT_TYPE,
                f'inherited relation "{parent.name}" is not a table or foreign table',
            )
        if parent.is_partition and not is_partition:
            raise PgError(WRONG_OBJECT_TYPE, f'cannot inherit from partition "{parent.name}"')
        if parent.persistence == "t" and persistence != "t":
            what = (
                "cannot create a permanent relation as partition of temporary relation"
                if is_partition
                else "cannot inherit from temporary relation"
            )
            raise PgError(WRONG_OBJECT_TYPE, f'{what} "{parent.name}"')
        if is_partition and persistence == "t" and parent.persistence != "t":
            raise PgError(
                WRONG_OBJECT_TYPE,
                "cannot create a temporary relation as partition of permanent relation "
                f'"{parent.name}"',
            )
        check_owner(session, parent)
        parents.append(parent)
    return parents


def merge_attributes(
    session: Any, table: TableDef, parents: list[Any], *, is_partition: bool = False
) -> None:
    """Put the inherited columns before the table's own, merging equal names."""
    if not parents:
        return
    names = [col.name for col in table.columns]
    for name in names if not is_partition else ():
        if names.count(name) > 1:
            raise PgError(DUPLICATE_COLUMN, f'column "{name}" specified more than once')
    catalog = session.catalog
    inherited: list[ColumnSpec] = []
    conflicting: set[str] = set()
    for parent in parents:
        position_of: dict[int, int] = {}
        fresh: list[ColumnSpec] = []
        for att in parent.attrs:
            if att.attisdropped:
                continue
            old = next((c for c in inherited if c.name == att.attname), None)
            if old is not None:
                session.notice(
                    "NOTICE",
                    "00000",
                    f'merging multiple inherited definitions of column "{att.attname}"',
                )
                _check_same(catalog, old, att, "inherited column")
                merge_compression(old, att.attcompression)
                old.inhcount += 1
                old.not_null = old.not_null or att.attnotnull
                target = old
            else:
                target = ColumnSpec(
                    att.attname,
                    att.atttypid,
                    att.atttypmod,
                    collation=att.attcollation,
                    not_null=att.attnotnull,
                    ndims=att.attndims,
                    generated=att.attgenerated,
                    is_local=False,
                    inhcount=1,
                    storage=att.attstorage,
                    compression=att.attcompression,
                )
                inherited.append(target)
                fresh.append(target)
            position_of[att.attnum] = inherited.index(target) + 1
        _inherit_defaults(parent, inherited, position_of, conflicting, fresh)
    own = [] if is_partition else table.columns
    merged = list(inherited)
    for position, col in enumerate(own):
        old = next((c for c in inherited if c.name == col.name), None)
        if old is None:
            merged.append(col)
            continue
        _merge_own(session, old, col, merged.index(old) != position)
        if col.raw_default is not None:
            conflicting.discard(col.name)
    for name in conflicting:
        raise PgError(
            INVALID_COLUMN_DEFINITION,
            f'column "{name}" inherits conflicting default values',
            hint="To resolve the conflict, specify a default explicitly.",
        )
    table.columns = merged


def _inherit_defaults(
    parent: Any,
    inherited: list[ColumnSpec],
    position_of: dict[int, int],
    conflicting: set[str],
    fresh: list[ColumnSpec],
) -> None:
    for attnum, expr in {**parent.defaults, **parent.generated}.items():
        target = inherited[position_of[attnum] - 1]
        mapped = map_variable_attnos(expr, position_of)
        if target in fresh:
            target.default = mapped
        elif not equal(target.default, mapped):
            conflicting.add(target.name)


def map_variable_attnos(expr: Any, mapping: dict[int, int]) -> Any:
    """The expression with the attribute numbers of its Vars replaced."""

    def replace(node: Any) -> Any:
        if isinstance(node, Var) and node.varattno in mapping:
            return Var(
                node.varno,
                mapping[node.varattno],
                node.vartype,
                node.vartypmod,
                node.varcollid,
                node.varlevelsup,
                node.location,
            )
        return None

    return mutate(expr, replace)


def _merge_own(session: Any, old: ColumnSpec, col: ColumnSpec, moved: bool) -> None:
    catalog = session.catalog
    if moved:
        session.notice(
            "NOTICE",
            "00000",
            f'moving and merging column "{col.name}" with inherited definition',
            detail="User-specified column moved to the position of the inherited column.",
        )
    else:
        session.notice("NOTICE", "00000", f'merging column "{col.name}" with inherited definition')
    if (old.type_id, old.typmod) != (col.type_id, col.typmod):
        raise PgError(
            DATATYPE_MISMATCH,
            f'column "{col.name}" has a type conflict',
            detail=f"{catalog.type_name(old.type_id, old.typmod)} versus "
            f"{catalog.type_name(col.type_id, col.typmod)}",
        )
    if old.collation != col.collation:
        raise PgError(
            COLLATION_MISMATCH,
            f'column "{col.name}" has a collation conflict',
            detail=f'"{collation_name(catalog, old.collation)}" versus '
            f'"{collation_name(catalog, col.collation)}"',
        )
    if old.generated:
        if col.generated:
            raise PgError(
                INVALID_COLUMN_DEFINITION,
                f'child column "{col.name}" specifies generation expression',
                hint="Omit the generation expression in the definition of the child table column "
                "to inherit the generation expression from the parent table.",
            )
        if col.raw_default is not None:
            raise PgError(
                INVALID_COLUMN_DEFINITION,
                f'column "{col.name}" inherits from generated column but specifies default',
            )
        if col.identity:
            raise PgError(
                INVALID_COLUMN_DEFINITION,
                f'column "{col.name}" inherits from generated column but specifies identity',
            )
    else:
        old.generated = col.generated
    merge_compression(old, col.compression)
    old.is_local = True
    old.not_null = old.not_null or col.not_null
    old.identity = col.identity
    if col.raw_default is not None:
        old.raw_default, old.default = col.raw_default, None


def collation_name(catalog: Any, oid: int) -> str:
    from pgemu.catalog.rows import PgCollation

    row = catalog.one(PgCollation, oid=oid)
    return str(row.collname) if row is not None else ""


def merge_compression(old: ColumnSpec, code: str) -> None:
    """Parents and child must agree where they say something."""
    words = {"p": "pglz", "l": "lz4"}
    if old.compression and code and old.compression != code:
        raise PgError(
            DATATYPE_MISMATCH,
            f'column "{old.name}" has a compression method conflict',
            detail=f"{words[old.compression]} versus {words[code]}",
        )
    old.compression = old.compression or code


def _check_same(catalog: Any, old: ColumnSpec, att: Any, what: str) -> None:
    if (old.type_id, old.typmod) != (att.atttypid, att.atttypmod):
        raise PgError(
            DATATYPE_MISMATCH,
            f'{what} "{att.attname}" has a type conflict',
            detail=f"{catalog.type_name(old.type_id, old.typmod)} versus "
            f"{catalog.type_name(att.atttypid, att.atttypmod)}",
        )
    if old.collation != att.attcollation:
        raise PgError(
            COLLATION_MISMATCH,
            f'{what} "{att.attname}" has a collation conflict',
            detail=f'"{collation_name(catalog, old.collation)}" versus '
            f'"{collation_name(catalog, att.attcollation)}"',
        )


def merge_checks(session: Any, table: TableDef, parents: list[Any]) -> None:
    """Inherit the parents' CHECK constraints (MergeCheckConstraint)."""
    inherited: list[CheckSpec] = []
    for parent in parents:
        mapping = {
            a.attnum: next(i for i, c in enumerate(table.columns, 1) if c.name == a.attname)
            for a in parent.columns
        }
        for con, expr in parent.checks:
            if con.connoinherit:
                continue
            mapped = map_variable_attnos(expr, mapping)
            same = next((s for s in inherited if s.name == con.conname), None)
            if same is not None:
                if not equal(same.expr, mapped):
                    raise PgError(
                        DUPLICATE_OBJECT,
                        f'check constraint name "{con.conname}" appears multiple times but '
                        "with different expressions",
                    )
                same.inhcount += 1
                continue
            inherited.append(CheckSpec(con.conname, expr=mapped, is_local=False, inhcount=1))
    names = {s.name for s in inherited}
    for spec in list(table.checks):
        if spec.name is not None and spec.name in names:
            if spec.no_inherit:
                raise PgError(
                    INVALID_OBJECT_DEFINITION,
                    f'constraint "{spec.name}" conflicts with inherited constraint on relation '
                    f'"{table.name}"',
                )
            # of a partition all that is inherited is inherited alone
            merged = next(s for s in inherited if s.name == spec.name)
            merged.is_local = not table.partition_of
            merged.own = spec.raw
            table.checks.remove(spec)
    table.checks = inherited + table.checks


def attach_parents(
    session: Any, child: int, parents: list[Any], *, is_partition: bool = False
) -> None:
    """StoreCatalogInheritance."""
    if not parents:
        return
    catalog = session.catalog
    rows: list[Any] = []
    for number, parent in enumerate(parents, 1):
        rows.append(PgInherits(child, parent.oid, number, False))
        deptype = "a" if is_partition else "n"
        rows.append(depend((PG_CLASS_RELID, child, 0), (PG_CLASS_RELID, parent.oid, 0), deptype))
    insert_rows(catalog, rows)
    for parent in parents:
        if not parent.row.relhassubclass:
            catalog.update(PgClass, {"oid": parent.oid}, relhassubclass=True)


def add_inherit(session: Any, relation: Any, parent_name: dict[str, Any]) -> None:
    """ALTER TABLE ... INHERIT parent."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    if relation.row.reloftype:
        raise PgError(WRONG_OBJECT_TYPE, "cannot change inheritance of typed table")
    if relation.is_partition:
        raise PgError(WRONG_OBJECT_TYPE, "cannot change inheritance of a partition")
    parent = catalog.relation(range_var_get_relid(catalog, parent_name))
    check_owner(session, parent)
    if parent.relkind == "p":
        raise PgError(WRONG_OBJECT_TYPE, f'cannot inherit from partitioned table "{parent.name}"')
    if parent.is_partition:
        raise PgError(WRONG_OBJECT_TYPE, "cannot inherit from a partition")
    if parent.persistence == "t" and relation.persistence != "t":
        raise PgError(WRONG_OBJECT_TYPE, f'cannot inherit from temporary relation "{parent.name}"')
    if parent.oid in relation.all_inheritors:
        raise PgError(
            DUPLICATE_TABLE,
            "circular inheritance not allowed",
            detail=f'"{parent.name}" is already a child of "{relation.name}".',
        )
    from pgemu.commands.partition_check import refuse_transition_triggers

    refuse_transition_triggers(relation, "inheritance child", "in inheritance hierarchies")
    create_inheritance(session, relation, parent)


def create_inheritance(
    session: Any, relation: Any, parent: Any, *, is_partition: bool = False
) -> None:
    """CreateInheritance: check that the child has what the parent has, then link them."""
    catalog = session.catalog
    if parent.oid in relation.parents:
        raise PgError(
            DUPLICATE_TABLE,
            f'relation "{parent.name}" would be inherited from more than once',
        )
    for att in parent.columns:
        mine = relation.attrs_by_name.get(att.attname)
        if mine is None:
            raise PgError(DATATYPE_MISMATCH, f'child table is missing column "{att.attname}"')
        if (mine.atttypid, mine.atttypmod) != (att.atttypid, att.atttypmod):
            raise PgError(
                DATATYPE_MISMATCH,
                f'child table "{relation.name}" has different type for column "{att.attname}"',
            )
        if mine.attcollation != att.attcollation:
            raise PgError(
                COLLATION_MISMATCH,
                f'child table "{relation.name}" has different collation for column "{att.attname}"',
            )
        if att.attnotnull and not mine.attnotnull:
            raise PgError(
                DATATYPE_MISMATCH,
                f'column "{att.attname}" in child table must be marked NOT NULL',
            )
        if bool(att.attgenerated) != bool(mine.attgenerated):
            word = "must" if att.attgenerated else "must not"
            raise PgError(
                DATATYPE_MISMATCH,
                f'column "{att.attname}" in child table {word} be a generated column',
            )
        if att.attgenerated:
            _check_generation_equivalent(relation, parent, mine, att)
        changes: dict[str, Any] = {"attinhcount": mine.attinhcount + 1}
        if is_partition:
            changes["attislocal"] = False
        catalog.update(PgAttribute, {"attrelid": relation.oid, "attnum": mine.attnum}, **changes)
    own = {c.conname: c for c, _expr in relation.checks}
    for con, expr in parent.checks:
        if con.connoinherit:
            continue
        if con.conname not in own:
            raise PgError(DATATYPE_MISMATCH, f'child table is missing constraint "{con.conname}"')
        mine_con = own[con.conname]
        _check_constraint_equivalent(relation, parent, mine_con, expr)
        changes = {"coninhcount": mine_con.coninhcount + 1}
        if is_partition:
            changes["conislocal"] = False
        catalog.update(PgConstraint, {"oid": mine_con.oid}, **changes)
    rows = catalog.all(PgInherits, inhrelid=relation.oid)
    number = max((r.inhseqno for r in rows), default=0) + 1
    deptype = "a" if is_partition else "n"
    insert_rows(
        catalog,
        [
            PgInherits(relation.oid, parent.oid, number, False),
            depend((PG_CLASS_RELID, relation.oid, 0), (PG_CLASS_RELID, parent.oid, 0), deptype),
        ],
    )
    catalog.update(PgClass, {"oid": parent.oid}, relhassubclass=True)


def _numbers_in_child(relation: Any, parent: Any) -> dict[int, int]:
    """The child's numbers of the parent's columns."""
    return {
        a.attnum: relation.attrs_by_name[a.attname].attnum
        for a in parent.columns
        if a.attname in relation.attrs_by_name
    }


def _check_generation_equivalent(relation: Any, parent: Any, mine: Any, att: Any) -> None:
    """MergeAttributesIntoExisting: the child computes the column as the parent does."""
    expr = map_variable_attnos(parent.generated[att.attnum], _numbers_in_child(relation, parent))
    if not equal(expr, relation.generated[mine.attnum]):
        raise PgError(
            DATATYPE_MISMATCH,
            f'column "{att.attname}" in child table has a conflicting generation expression',
        )


def _check_constraint_equivalent(relation: Any, parent: Any, mine: Any, expr: Any) -> None:
    """MergeConstraintsIntoExisting: the child's CHECK is the parent's, valid and inheritable."""
    mapping = _numbers_in_child(relation, parent)
    own = next(e for c, e in relation.checks if c.oid == mine.oid)
    where = f'on child table "{relation.name}"'
    if not equal(map_variable_attnos(expr, mapping), own):
        raise PgError(
            DATATYPE_MISMATCH,
            f'child table "{relation.name}" has different definition for check constraint '
            f'"{mine.conname}"',
        )
    for bad, words in ((mine.connoinherit, "non-inherited"), (not mine.convalidated, "NOT VALID")):
        if bad:
            raise PgError(
                INVALID_OBJECT_DEFINITION,
                f'constraint "{mine.conname}" conflicts with {words} constraint {where}',
            )


def drop_inherit(session: Any, relation: Any, parent_name: dict[str, Any]) -> None:
    """ALTER TABLE ... NO INHERIT parent."""
    from pgemu.catalog.namespace import range_var_get_relid

    if relation.is_partition:
        raise PgError(WRONG_OBJECT_TYPE, "cannot change inheritance of a partition")
    parent = session.catalog.relation(range_var_get_relid(session.catalog, parent_name))
    remove_inheritance(session, relation, parent)


def remove_inheritance(session: Any, relation: Any, parent: Any) -> None:
    """RemoveInheritance: inherited columns and constraints become local."""
    catalog = session.catalog
    if not catalog.delete(PgInherits, inhrelid=relation.oid, inhparent=parent.oid):
        if parent.relkind == "p":
            raise PgError(
                UNDEFINED_TABLE,
                f'relation "{relation.name}" is not a partition of relation "{parent.name}"',
            )
        raise PgError(
            UNDEFINED_TABLE,
            f'relation "{parent.name}" is not a parent of relation "{relation.name}"',
        )
    for att in parent.columns:
        mine = relation.attrs_by_name.get(att.attname)
        if mine is not None and mine.attinhcount > 0:
            changes: dict[str, Any] = {"attinhcount": mine.attinhcount - 1}
            if mine.attinhcount == 1:
                changes["attislocal"] = True
            catalog.update(
                PgAttribute, {"attrelid": relation.oid, "attnum": mine.attnum}, **changes
            )
    names = {c.conname for c, _expr in parent.checks}
    for con, _expr in relation.checks:
        if con.conname in names and con.coninhcount > 0:
            changes = {"coninhcount": con.coninhcount - 1}
            if con.coninhcount == 1:
                changes["conislocal"] = True
            catalog.update(PgConstraint, {"oid": con.oid}, **changes)
    catalog.delete(
        PgDepend,
        classid=PG_CLASS_RELID, objid=relation.oid, objsubid=0,
        refclassid=PG_CLASS_RELID, refobjid=parent.oid,
    )  # fmt: skip
