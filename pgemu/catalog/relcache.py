"""Relation: everything about one table, view, index, ... that other rooms ask for.

Counterpart of PostgreSQL's utils/cache/relcache.c.  An entry is made from cached catalog rows and
every part of it is loaded when it is first asked for; it lives in the catalog's memo, so any
catalog write discards it.  Decoded trees are shared: copy before changing them.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import (
    PgAttrdef,
    PgAttribute,
    PgClass,
    PgConstraint,
    PgForeignTable,
    PgIndex,
    PgInherits,
    PgNamespace,
    PgPartitionedTable,
    PgPolicy,
    PgRewrite,
    PgSequence,
    PgTrigger,
)
from pgemu.errors import UNDEFINED_TABLE, PgError
from pgemu.nodes.primnodes import Expr

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

FIRST_NORMAL_OID = 16384

RELKIND_RELATION = "r"
RELKIND_INDEX = "i"
RELKIND_SEQUENCE = "S"
RELKIND_TOASTVALUE = "t"
RELKIND_VIEW = "v"
RELKIND_MATVIEW = "m"
RELKIND_COMPOSITE_TYPE = "c"
RELKIND_FOREIGN_TABLE = "f"
RELKIND_PARTITIONED_TABLE = "p"
RELKIND_PARTITIONED_INDEX = "I"

RELKINDS_WITH_STORAGE = "rmtiS"


class IndexInfo:
    """One index of a relation."""

    def __init__(self, catalog: Catalog, index: PgIndex) -> None:
        self.catalog = catalog
        self.index = index
        self.oid = index.indexrelid

    @cached_property
    def pg_class(self) -> PgClass:
        return self.catalog.get(PgClass, oid=self.oid)

    @property
    def name(self) -> str:
        return self.pg_class.relname

    @property
    def relfilenode(self) -> int:
        return self.pg_class.relfilenode or self.oid

    @cached_property
    def exprs(self) -> list[Expr]:
        """The trees of the expression columns, in order."""
        decoded = self.catalog.decode_node(self.index.indexprs, "exprlist", self.index.indrelid)
        if decoded is None:
            return []
        return decoded if isinstance(decoded, list) else [decoded]

    @cached_property
    def pred(self) -> Expr | None:
        """The WHERE clause of a partial index (an implicit AND list becomes one tree)."""
        decoded = self.catalog.decode_node(self.index.indpred, "expr", self.index.indrelid)
        if isinstance(decoded, list):
            if len(decoded) <= 1:
                return decoded[0] if decoded else None
            from pgemu.nodes.primnodes import BoolExpr

            return BoolExpr("and", decoded)
        result: Expr | None = decoded
        return result

    @property
    def key_attnums(self) -> tuple[int, ...]:
        """Attribute numbers of the key columns (0: an expression); INCLUDE columns left out."""
        return self.index.indkey[: self.index.indnkeyatts]

    @cached_property
    def constraint(self) -> PgConstraint | None:
        """The PRIMARY KEY, UNIQUE or EXCLUDE constraint that the index stands for."""
        for row in self.catalog.all(PgConstraint, conrelid=self.index.indrelid):
            if row.conindid == self.oid and row.contype in "pux":
                return row
        return None

    @property
    def deferrable(self) -> bool:
        return not self.index.indimmediate


class Relation:
    """A pg_class row and what belongs to it."""

    def __init__(self, catalog: Catalog, row: PgClass) -> None:
        self.catalog = catalog
        self.row = row
        self.oid = row.oid
        self.name = row.relname
        self.namespace = row.relnamespace
        self.relkind = row.relkind
        self.persistence = row.relpersistence
        self.owner = row.relowner
        self.type_oid = row.reltype
        # Catalogs mapped by PostgreSQL have relfilenode 0; here every catalog lives in r<oid>.
        self.relfilenode = row.relfilenode
        if not self.relfilenode and row.relkind in RELKINDS_WITH_STORAGE:
            self.relfilenode = row.oid
        prefix = "i" if row.relkind == RELKIND_INDEX else "r"
        self.sqlite_name = f"{'g' if row.relisshared else 'main'}.{prefix}{self.relfilenode}"

    def __repr__(self) -> str:
        return f"<Relation {self.name} {self.oid}>"

    @cached_property
    def schema_name(self) -> str:
        return self.catalog.get(PgNamespace, oid=self.namespace).nspname

    @property
    def shared(self) -> bool:
        return self.row.relisshared

    @property
    def is_system_catalog(self) -> bool:
        """In pg_catalog (or a TOAST table of it) and made by initdb: IsCatalogRelation."""
        return self.oid < FIRST_NORMAL_OID and self.namespace in (11, 99)

    @property
    def is_partitioned(self) -> bool:
        return self.relkind == RELKIND_PARTITIONED_TABLE

    @property
    def is_partition(self) -> bool:
        return self.row.relispartition

    @property
    def has_rls(self) -> bool:
        return self.row.relrowsecurity

    @property
    def options(self) -> dict[str, str]:
        """reloptions as a dict."""
        return dict(o.split("=", 1) for o in self.row.reloptions or ())

    # --- columns -------------------------------------------------------------------------------

    @cached_property
    def attrs(self) -> tuple[PgAttribute, ...]:
        """Columns 1..n in order, dropped ones included."""
        rows = [a for a in self.catalog.all(PgAttribute, attrelid=self.oid) if a.attnum > 0]
        rows.sort(key=lambda a: a.attnum)
        return tuple(rows)

    @cached_property
    def columns(self) -> tuple[PgAttribute, ...]:
        """The columns that have not been dropped."""
        return tuple(a for a in self.attrs if not a.attisdropped)

    @cached_property
    def attrs_by_name(self) -> dict[str, PgAttribute]:
        return {a.attname: a for a in self.columns}

    def attr(self, attnum: int) -> PgAttribute:
        """Column by number (user columns only)."""
        return self.attrs[attnum - 1]

    @cached_property
    def attrdefs(self) -> dict[int, PgAttrdef]:
        """pg_attrdef by attnum."""
        return {d.adnum: d for d in self.catalog.all(PgAttrdef, adrelid=self.oid)}

    def _attrdef_exprs(self, *, generated: bool) -> dict[int, Expr]:
        found: dict[int, Expr] = {}
        for a in self.columns:
            if a.atthasdef and bool(a.attgenerated) == generated and a.attnum in self.attrdefs:
                text = self.attrdefs[a.attnum].adbin
                found[a.attnum] = self.catalog.decode_node(text, "expr", self.oid)
        return found

    @cached_property
    def defaults(self) -> dict[int, Expr]:
        """DEFAULT trees by attnum."""
        return self._attrdef_exprs(generated=False)

    @cached_property
    def generated(self) -> dict[int, Expr]:
        """GENERATED ALWAYS AS ... STORED trees by attnum."""
        return self._attrdef_exprs(generated=True)

    @cached_property
    def identity(self) -> dict[int, str]:
        """Identity columns by attnum: "a" (ALWAYS) or "d" (BY DEFAULT)."""
        return {a.attnum: a.attidentity for a in self.columns if a.attidentity}

    # --- indexes -------------------------------------------------------------------------------

    @cached_property
    def indexes(self) -> tuple[IndexInfo, ...]:
        """Indexes that have storage, by OID (RelationGetIndexList, those that are ready)."""
        return tuple(i for i in self.all_indexes if i.index.indisready)

    @cached_property
    def all_indexes(self) -> tuple[IndexInfo, ...]:
        """With those that a failed CREATE INDEX CONCURRENTLY has left."""
        rows = [i for i in self.catalog.all(PgIndex, indrelid=self.oid) if i.indislive]
        rows.sort(key=lambda i: i.indexrelid)
        return tuple(IndexInfo(self.catalog, i) for i in rows)

    @cached_property
    def primary_key(self) -> IndexInfo | None:
        return next((i for i in self.indexes if i.index.indisprimary), None)

    @cached_property
    def replica_identity_index(self) -> IndexInfo | None:
        """The index of REPLICA IDENTITY (the primary key by default)."""
        if self.row.relreplident == "i":
            return next((i for i in self.indexes if i.index.indisreplident), None)
        return self.primary_key if self.row.relreplident == "d" else None

    @cached_property
    def index(self) -> PgIndex | None:
        """Of an index: its pg_index row."""
        return self.catalog.one(PgIndex, indexrelid=self.oid)

    # --- constraints ---------------------------------------------------------------------------

    @cached_property
    def constraints(self) -> tuple[PgConstraint, ...]:
        """Table constraints, in name order as PostgreSQL's index scan gives them."""
        rows = self.catalog.all(PgConstraint, conrelid=self.oid)
        return tuple(sorted(rows, key=lambda c: c.conname.encode()))

    @cached_property
    def checks(self) -> list[tuple[PgConstraint, Expr]]:
        """CHECK constraints in the order they are tested (by name)."""
        return [
            (c, self.catalog.decode_node(c.conbin, "expr", self.oid))
            for c in self.constraints
            if c.contype == "c"
        ]

    @cached_property
    def fkeys(self) -> tuple[PgConstraint, ...]:
        """FOREIGN KEY constraints of this table, without the rows that stand for the partitions
        of a referenced table."""
        own = {c.oid for c in self.constraints}
        return tuple(c for c in self.constraints if c.contype == "f" and c.conparentid not in own)

    @cached_property
    def referenced_by(self) -> tuple[PgConstraint, ...]:
        """FOREIGN KEY constraints (of any table) that reference this one, without the rows that
        stand for the partitions of a referencing table."""
        found = [c for c in self.catalog.all(PgConstraint, confrelid=self.oid) if c.contype == "f"]
        oids = {c.oid for c in found}
        return tuple(c for c in found if c.conparentid not in oids)

    @cached_property
    def exclusions(self) -> tuple[PgConstraint, ...]:
        return tuple(c for c in self.constraints if c.contype == "x")

    # --- rules, triggers, policies ---------------------------------------------------------------

    @cached_property
    def triggers(self) -> tuple[PgTrigger, ...]:
        """Triggers in firing order: by name."""
        rows = self.catalog.all(PgTrigger, tgrelid=self.oid)
        return tuple(sorted(rows, key=lambda t: t.tgname.encode()))

    @cached_property
    def rules(self) -> tuple[PgRewrite, ...]:
        """Rewrite rules by name (a view's SELECT rule is called _RETURN)."""
        rows = self.catalog.all(PgRewrite, ev_class=self.oid)
        return tuple(sorted(rows, key=lambda r: r.rulename.encode()))

    @cached_property
    def view_query(self) -> Any:
        """The Query of a view or materialized view; None for anything else."""
        for rule in self.rules:
            if rule.ev_type == "1":
                decoded = self.catalog.decode_node(rule.ev_action, "query", self.oid)
                return decoded[0] if isinstance(decoded, list) else decoded
        return None

    @cached_property
    def policies(self) -> tuple[PgPolicy, ...]:
        rows = self.catalog.all(PgPolicy, polrelid=self.oid)
        return tuple(sorted(rows, key=lambda p: p.polname.encode()))

    # --- inheritance and partitions --------------------------------------------------------------

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """Direct parents in the order of the INHERITS clause."""
        rows = self.catalog.all(PgInherits, inhrelid=self.oid)
        return tuple(i.inhparent for i in sorted(rows, key=lambda i: i.inhseqno))

    @cached_property
    def children(self) -> tuple[int, ...]:
        """Direct children, in OID order (find_inheritance_children)."""
        rows = self.catalog.all(PgInherits, inhparent=self.oid)
        return tuple(
            sorted(i.inhrelid for i in rows if not i.inhdetachpending or self._seen_attached(i))
        )

    def _seen_attached(self, link: PgInherits) -> bool:
        """A partition that is being detached still belongs to it for those whose snapshot is
        older than that (find_inheritance_children_extended)."""
        session = getattr(self.catalog.ctx, "session", None)
        snapshot = session.xact.fixed_snapshot if session is not None else None
        if session is None or snapshot is None:
            return False
        found = session.conn.execute(
            "SELECT xmin FROM main.r2611 WHERE c1=? AND c2=?", (link.inhrelid, link.inhparent)
        ).fetchone()
        return found is not None and bool(snapshot.hides(found[0]))

    @cached_property
    def all_inheritors(self) -> tuple[int, ...]:
        """This relation and everything below it, breadth first (find_all_inheritors), without the
        temporary tables of other sessions, which cannot be read (expand_inherited_rtentry)."""
        found = [self.oid]
        for oid in found:
            for child in self.catalog.relation(oid).children:
                if child not in found and not self.catalog.relation(child).is_other_temp:
                    found.append(child)
        return tuple(found)

    @cached_property
    def scanned(self) -> tuple[int, ...]:
        """all_inheritors in the order that a query reads them: partitions by their bounds, those
        of a partition in its place (expand_inherited_rtentry)."""
        from pgemu.catalog.partdesc import partition_oids

        if self.partition_key is None:
            return self.all_inheritors
        found = [self.oid]
        for oid in partition_oids(self.catalog, self):
            child = self.catalog.relation(oid)
            if not child.is_other_temp:
                found += child.scanned
        return tuple(found)

    @property
    def is_other_temp(self) -> bool:
        """RELATION_IS_OTHER_TEMP"""
        return self.persistence == "t" and self.namespace != self.catalog.my_temp_namespace

    @cached_property
    def partition_key(self) -> PgPartitionedTable | None:
        """The pg_partitioned_table row; partexprs through `partition_exprs`."""
        return self.catalog.one(PgPartitionedTable, partrelid=self.oid)

    @cached_property
    def partition_exprs(self) -> list[Expr]:
        """Trees of the expression columns of the partition key."""
        key = self.partition_key
        decoded = self.catalog.decode_node(key.partexprs if key else None, "exprlist", self.oid)
        if decoded is None:
            return []
        return decoded if isinstance(decoded, list) else [decoded]

    @cached_property
    def partition_bound(self) -> Any:
        """Of a partition: the decoded FOR VALUES bound; None otherwise."""
        return self.catalog.decode_node(self.row.relpartbound, "expr", self.oid)

    @cached_property
    def partition_ancestors(self) -> tuple[int, ...]:
        """Of a partition: its parent, its parent's parent, ... up to the root."""
        found: list[int] = []
        relation = self
        while relation.is_partition and relation.parents:
            link = self.catalog.one(PgInherits, inhrelid=relation.oid)
            if link and link.inhdetachpending and not self._seen_attached(link):
                break
            relation = self.catalog.relation(relation.parents[0])
            found.append(relation.oid)
        return tuple(found)

    # --- others --------------------------------------------------------------------------------

    @cached_property
    def sequence(self) -> PgSequence | None:
        return self.catalog.one(PgSequence, seqrelid=self.oid)

    @cached_property
    def foreign_table(self) -> PgForeignTable | None:
        return self.catalog.one(PgForeignTable, ftrelid=self.oid)


def try_relation(catalog: Catalog, oid: int) -> Relation | None:
    """The relcache entry, or None if there is no such relation."""
    found: Relation | None = catalog.cached_for_relation(
        oid, "relation", lambda: _make_relation(catalog, oid)
    )
    return found


def _make_relation(catalog: Catalog, oid: int) -> Relation | None:
    row = catalog.one(PgClass, oid=oid)
    return Relation(catalog, row) if row is not None else None


def open_relation(catalog: Catalog, oid: int) -> Relation:
    """The relcache entry of an existing relation."""
    found = try_relation(catalog, oid)
    if found is None:
        raise PgError(UNDEFINED_TABLE, f"could not open relation with OID {oid}")
    return found
