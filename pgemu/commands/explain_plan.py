"""The plan that EXPLAIN shows: a rewritten Query as a tree of PostgreSQL's plan nodes.

SQLite decides how tables are read: its EXPLAIN QUERY PLAN says which index serves which table.
The rest of the tree follows from the query's shape.  Joins are nested loops, which is what SQLite
does.  Costs are PostgreSQL's formulas over rough row counts: they order plans, no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import apsw

from pgemu.catalog.keywords import quote_identifier
from pgemu.catalog.rows import PgClass, PgCollation, PgOperator, PgType
from pgemu.commands.explain_constants import in_order, simplified
from pgemu.commands.explain_partitions import tables_read
from pgemu.nodes import expr_collation, expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import Alias, FromExpr, JoinExpr, Query, RangeTblEntry, RangeTblRef
from pgemu.nodes.walk import walk
from pgemu.parser.parse_agg_check import expand_grouping_sets
from pgemu.planner.plan import Plan
from pgemu.planner.rollups import groups_are_sorted, rollups
from pgemu.rewrite.ruleutils import deparse_expression
from pgemu.rewrite.ruleutils_context import namespace_for_query

_INDEX = re.compile(r"\b(?:SEARCH|SCAN) .*?USING (COVERING )?INDEX i(\d+)")
_ORDERED = re.compile(r"USE TEMP B-TREE FOR ([A-Z ]*)ORDER BY")
_JOINS = {"left": "Left Join", "right": "Right Join", "full": "Full Join"}
Property = tuple[str, Any]


@dataclass(slots=True)
class PlanNode:
    """kind: the Node Type.  target: what it reads (Relation Name, Alias ...).  label: the heading
    of a CTE or InitPlan above it."""

    kind: str
    properties: list[Property] = field(default_factory=list)
    children: list[PlanNode] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    label: str = ""
    startup: float = 0.0
    total: float = 0.0
    rows: int = 1
    width: int = 0
    output: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.title = self.title or self.kind


def explain_query(session: Any, query: Query, plan: Plan) -> PlanNode:
    """The tree of a rewritten query and of the Plan made from it."""
    facts = _sqlite_facts(session, plan)
    return _Explainer(session, facts).statement(query, [])


@dataclass(slots=True)
class _Facts:
    """indexes: by table, the index that SQLite uses and whether it is enough; sorts: it sorts."""

    indexes: dict[int, tuple[int, bool]] = field(default_factory=dict)
    sorts: bool = False


def _sqlite_facts(session: Any, plan: Plan) -> _Facts:
    facts = _Facts()
    text = plan.sql
    if plan.modify is not None:
        text = plan.modify.source_sql or plan.sql
    try:
        rows = session.conn.execute(
            f"EXPLAIN QUERY PLAN {text}", (None,) * len(plan.params)
        ).fetchall()
    except (apsw.Error, ValueError):
        return facts  # the text takes other parameters: nothing is known of its indexes
    for row in rows:
        detail = str(row[3])
        match = _INDEX.search(detail)
        if match is not None:
            index = session.catalog.one(PgClass, relfilenode=int(match[2]))
            entry = session.catalog.relation(index.oid).index if index is not None else None
            if entry is not None:
                facts.indexes[entry.indrelid] = (entry.indexrelid, bool(match[1]))
        facts.sorts = facts.sorts or _ORDERED.search(detail) is not None
    return facts


def _conjuncts(expr: Any) -> list[Any]:
    if expr is None:
        return []
    if type(expr) is p.BoolExpr and expr.boolop == "and":
        return [c for a in expr.args for c in _conjuncts(a)]
    return [expr]


def _sorts_alike(wanted: list[Any], given: list[Any]) -> bool:
    """Rows sorted by `given` are sorted by `wanted`, too."""
    return len(wanted) <= len(given) and all(
        (a.tle_sort_group_ref, a.sortop, a.nulls_first)
        == (b.tle_sort_group_ref, b.sortop, b.nulls_first)
        for a, b in zip(wanted, given, strict=False)
    )


def _varnos(expr: Any) -> set[int]:
    """Which entries of its own query level an expression reads; 0: it holds a sub-query."""
    found: set[int] = set()

    def visit(node: Any) -> None:
        if type(node) is p.Var and not node.varlevelsup:
            found.add(node.varno)
        if type(node) is p.SubLink:
            found.add(0)

    walk(expr, visit)
    return found


class _Explainer:
    """Makes the nodes of one statement."""

    def __init__(self, session: Any, facts: _Facts) -> None:
        self.session = session
        self.catalog = session.catalog
        self.facts = facts

    # -- statements ----------------------------------------------------------------------------

    def statement(self, query: Query, parents: list[Any]) -> PlanNode:
        names = [namespace_for_query(self.catalog, query, parents), *parents]
        if query.command_type != "select":
            return self._modify(query, names)
        return self._select(query, names)

    def _modify(self, query: Query, names: list[Any]) -> PlanNode:
        entry = query.rtable[query.result_relation - 1]
        target = self._relation_target(entry)
        operation = query.command_type.capitalize()
        properties: list[Property] = []
        if query.on_conflict is not None:
            action = query.on_conflict.action.upper()
            properties.append(("Conflict Resolution", action))
            arbiters = [
                self.catalog.get(PgClass, oid=o).relname for o in query.on_conflict.arbiter_indexes
            ]
            if arbiters:
                properties.append(("Conflict Arbiter Indexes", arbiters))
        if query.command_type == "insert" and not query.jointree.fromlist:
            child = PlanNode("Result", total=0.01)
            child.width = self._width([t.expr for t in query.target_list])
        else:
            child = self._from(query, names)
        node = PlanNode(
            "ModifyTable",
            properties,
            [*self._ctes(query, names), child],
            {"Operation": operation},
            target,
            f"{operation} on {self._target_words(entry)}",
        )
        node.startup, node.total, node.rows = child.startup, child.total, child.rows
        if query.returning_list:
            node.width = self._width([t.expr for t in query.returning_list])
            node.output = [self._text(t.expr, names, query) for t in query.returning_list]
        else:
            node.rows = 0
        return node

    def _select(self, query: Query, names: list[Any]) -> PlanNode:
        if query.set_operations is not None:
            node = self._set_operation(query, query.set_operations, names)
        else:
            node = self._from(query, names)
        node = self._aggregate(query, node, names)
        sorted_by: list[Any] = []
        if query.has_window_funcs:
            node, sorted_by = self._windows(query, node, names)
        if query.has_target_srfs:
            node = self._above("ProjectSet", node, rows=node.rows * 1000)
        if query.distinct_clause:
            keys = self._keys(query, query.distinct_clause, names, order=False)
            if query.has_distinct_on:
                sorted_by = max(query.sort_clause, query.distinct_clause, key=len)
                keys = self._keys(query, sorted_by, names, order=True)
                node = self._above("Unique", self._above("Sort", node, [("Sort Key", keys)]))
            else:
                node = self._hashed(node, [("Group Key", keys)])
        index_order = not self.facts.sorts and node.kind.startswith("Index")
        in_order = _sorts_alike(query.sort_clause, sorted_by)
        if query.sort_clause and not index_order and not in_order:
            keys = self._keys(query, query.sort_clause, names, order=True)
            node = self._above("Sort", node, [("Sort Key", keys)])
            node.startup = node.total
        if query.row_marks:
            node = self._above("LockRows", node)
        node = self._limit(query, node)
        node.children = [*self._ctes(query, names), *node.children]
        visible = [t for t in query.target_list if not t.resjunk]
        node.width = self._width([t.expr for t in visible])
        node.output = [self._text(t.expr, names, query) for t in visible]
        return node

    def _ctes(self, query: Query, names: list[Any]) -> list[PlanNode]:
        found = []
        for cte in query.cte_list:
            node = self.statement(cte.ctequery, names)
            node.label = f"CTE {cte.ctename}"
            found.append(node)
        return found

    # -- nodes above the scans -----------------------------------------------------------------

    def _above(
        self,
        kind: str,
        child: PlanNode,
        properties: Iterable[Property] = (),
        rows: int | None = None,
    ) -> PlanNode:
        node = PlanNode(kind, list(properties), [child])
        node.rows = child.rows if rows is None else rows
        node.startup = child.startup
        node.total = child.total + 0.01 * node.rows
        node.width = child.width
        return node

    def _hashed(self, child: PlanNode, properties: list[Property]) -> PlanNode:
        node = self._above("Aggregate", child, properties, max(child.rows // 10, 1))
        node.details = {"Strategy": "Hashed", "Partial Mode": "Simple"}
        node.title = "HashAggregate"
        node.startup = child.total
        node.total = child.total + 0.01 * node.rows
        return node

    def _windows(
        self, query: Query, node: PlanNode, names: list[Any]
    ) -> tuple[PlanNode, list[Any]]:
        """A WindowAgg for each window, and what the last one's rows are sorted by."""
        sorted_by: list[Any] = []
        for window in query.window_clause:
            wanted = [*window.partition_clause, *window.order_clause]
            if not _sorts_alike(wanted, sorted_by):
                keys = self._keys(query, wanted, names, order=True)
                node = self._above("Sort", node, [("Sort Key", keys)])
                sorted_by = wanted
            node = self._above("WindowAgg", node)
        return node, sorted_by

    def _grouping_sets(self, query: Query, node: PlanNode, names: list[Any]) -> PlanNode:
        """The keys of each set; the sets of one chain, if they are sorted."""
        sets = expand_grouping_sets(query.grouping_sets, query.group_distinct) or []
        chains = rollups(sets, query.sort_clause)
        by_ref = {c.tle_sort_group_ref: c for c in query.group_clause}
        chain_keys = [
            [self._keys(query, [by_ref[r] for r in refs], names, order=False) for refs in chain]
            for chain in chains
        ]
        if not groups_are_sorted(query, self.catalog) or len(chains) > 1:
            every = [keys for chain in chain_keys for keys in chain]
            node = self._hashed(node, [("Hash Key", keys) for keys in every if keys])
            node.properties += [("Group Key", ["()"]) for keys in every if not keys]
            if not all(every):
                node.title = "MixedAggregate"
                node.details["Strategy"] = "Mixed"
            return node
        clauses = [by_ref[r] for r in chains[0][0]]
        return self._sorted_groups(query, node, names, clauses, chain_keys[0])

    def _sorted_groups(
        self,
        query: Query,
        node: PlanNode,
        names: list[Any],
        clauses: list[Any],
        keys: list[list[str]],
    ) -> PlanNode:
        if clauses:
            sort_keys = self._keys(query, clauses, names, order=True)
            node = self._above("Sort", node, [("Sort Key", sort_keys)])
        node = self._hashed(node, [("Group Key", one or ["()"]) for one in keys])
        node.details["Strategy"] = "Sorted"
        node.title = "GroupAggregate"
        return node

    def _aggregate(self, query: Query, node: PlanNode, names: list[Any]) -> PlanNode:
        if query.grouping_sets:
            node = self._grouping_sets(query, node, names)
        elif query.group_clause:
            keys = self._keys(query, query.group_clause, names, order=False)
            if groups_are_sorted(query, self.catalog):
                node = self._sorted_groups(query, node, names, query.group_clause, [keys])
            else:
                node = self._hashed(node, [("Group Key", keys)])
        elif query.has_aggs:
            child = node
            node = self._above("Aggregate", child, rows=1)
            node.details = {"Strategy": "Plain", "Partial Mode": "Simple"}
            node.startup, node.total = child.total, child.total + 0.01
        if query.having_qual is not None:
            node.properties.append(("Filter", self._qual([query.having_qual], names, query)))
        return node

    def _limit(self, query: Query, node: PlanNode) -> PlanNode:
        if query.limit_count is None and query.limit_offset is None:
            return node
        rows = node.rows
        if type(query.limit_count) is p.Const and query.limit_count.value is not None:
            rows = min(rows, int(query.limit_count.value))
        share = rows / node.rows if node.rows else 1.0
        above = self._above("Limit", node, rows=rows)
        above.total = node.startup + (node.total - node.startup) * share
        return above

    def _set_operation(self, query: Query, tree: Any, names: list[Any]) -> PlanNode:
        if isinstance(tree, RangeTblRef):
            return self._scan(query, tree.rtindex, [], names)
        children = [
            self._set_operation(query, tree.larg, names),
            self._set_operation(query, tree.rarg, names),
        ]
        flat: list[PlanNode] = []
        for child in children:
            flat.extend(child.children if child.kind == "Append" and tree.all else [child])
        node = PlanNode("Append", [], flat)
        node.rows = sum(c.rows for c in flat)
        node.total = sum(c.total for c in flat)
        node.width = flat[0].width
        if tree.op == "union":
            keys = self._union_keys(query, tree, names)
            return node if tree.all else self._hashed(node, [("Group Key", keys)])
        above = self._above("SetOp", node)
        command = tree.op.capitalize() + (" All" if tree.all else "")
        above.details = {"Strategy": "Hashed", "Command": command}
        above.title = f"HashSetOp {command}"
        return above

    def _union_keys(self, query: Query, tree: Any, names: list[Any]) -> list[str]:
        """The columns of the first select, by which the rows are grouped."""
        while not isinstance(tree, RangeTblRef):
            tree = tree.larg
        first = query.rtable[tree.rtindex - 1].subquery
        if first is None or first.set_operations is not None:
            return []
        names = [namespace_for_query(self.catalog, first, names[1:]), *names[1:]]
        keys = []
        for entry in first.target_list:
            text = self._text(entry.expr, names, first, prefix=True)
            plain = isinstance(entry.expr, p.Var) or text.startswith("(")
            keys += [] if entry.resjunk else [text if plain else f"({text})"]
        return keys

    # -- FROM ----------------------------------------------------------------------------------

    def _from(self, query: Query, names: list[Any]) -> PlanNode:
        quals = _conjuncts(simplified(self.catalog, query.jointree.quals))
        quals = [q for q in quals if not (isinstance(q, p.Const) and q.value)]
        if any(isinstance(q, p.Const) for q in quals):
            return PlanNode("Result", [("One-Time Filter", "false")])
        tree: FromExpr = query.jointree
        items = list(tree.fromlist)
        if query.command_type in ("update", "delete", "merge"):
            listed = {i.rtindex for i in items if isinstance(i, RangeTblRef)}
            if query.result_relation not in listed:
                items.insert(0, RangeTblRef(query.result_relation))
        if not items:
            node = PlanNode("Result", total=0.01)
            if quals:
                node.properties.append(("One-Time Filter", self._qual(quals, names, query)))
            return node
        node, used = self._item(query, items[0], quals, names)
        for item in items[1:]:
            right, below = self._item(query, item, quals, names)
            used |= below
            mine = [q for q in quals if len(_varnos(q) - {0}) > 1 and _varnos(q) - {0} <= used]
            quals = [q for q in quals if q not in mine]
            node = self._join(node, right, "inner", mine, names, query)
        rest = [q for q in quals if not self._is_pushed(q)]
        if rest:
            node.properties.append(("Filter", self._qual(rest, names, query)))
        return node

    def _is_pushed(self, qual: Any) -> bool:
        return len(_varnos(qual) - {0}) == 1

    def _item(
        self, query: Query, item: Any, quals: list[Any], names: list[Any]
    ) -> tuple[PlanNode, set[int]]:
        if isinstance(item, RangeTblRef):
            mine = [q for q in quals if _varnos(q) - {0} == {item.rtindex}]
            return self._scan(query, item.rtindex, mine, names), {item.rtindex}
        assert isinstance(item, JoinExpr)
        own = _conjuncts(item.quals)
        inner = item.jointype == "inner"
        given = quals + own if inner else quals
        left, below = self._item(query, item.larg, given, names)
        right, other = self._item(query, item.rarg, given if inner else own, names)
        used = below | other
        join = [q for q in own if not (inner and len(_varnos(q) - {0}) == 1)]
        return self._join(left, right, item.jointype, join, names, query), used | {item.rtindex}

    def _join(
        self,
        left: PlanNode,
        right: PlanNode,
        jointype: str,
        quals: list[Any],
        names: list[Any],
        query: Query,
    ) -> PlanNode:
        node = PlanNode("Nested Loop", [], [left, right])
        node.details = {"Join Type": jointype.capitalize()}
        if jointype in _JOINS:
            node.title = f"Nested Loop {_JOINS[jointype]}"
        product = left.rows * right.rows
        node.rows = max(product // max(right.rows, 1) if quals else product, 1)
        node.startup = left.startup + right.startup
        node.total = left.total + max(left.rows, 1) * right.total + 0.01 * product
        node.width = left.width + right.width
        if quals:
            node.properties.append(("Join Filter", self._qual(quals, names, query)))
        return node

    # -- scans ---------------------------------------------------------------------------------

    def _scan(self, query: Query, rti: int, quals: list[Any], names: list[Any]) -> PlanNode:
        entry = query.rtable[rti - 1]
        if entry.rtekind == "relation":
            return self._relation_scan(query, entry, rti, quals, names)
        alias = names[0].names[rti - 1] or entry.eref.aliasname
        if entry.rtekind == "subquery" and entry.subquery is not None:
            child = self.statement(entry.subquery, names if entry.lateral else names[1:])
            if not quals:
                return child
            node = self._above("Subquery Scan", child)
            node.target = {"Alias": alias}
            node.title = f"Subquery Scan on {alias}"
        else:
            kinds = {
                "function": ("Function Scan", 1000),
                "values": ("Values Scan", len(entry.values_lists)),
                "cte": ("CTE Scan", 100),
                "tablefunc": ("Table Function Scan", 100),
            }
            kind, rows = kinds.get(entry.rtekind, ("Result", 1))
            if entry.self_reference:
                kind = "WorkTable Scan"
            node = PlanNode(kind, rows=rows, total=rows * 0.01)
            self._name_scan(node, entry, alias)
            node.width = sum(self._type_width(t) for t in entry.coltypes)
        if quals:
            node.properties.append(("Filter", self._scan_qual(quals, names, query)))
            node.rows = max(node.rows // 3, 1)
        return node

    def _name_scan(self, node: PlanNode, entry: RangeTblEntry, alias: str) -> None:
        node.target = {"Alias": alias}
        name = alias
        if entry.rtekind == "function" and len(entry.functions) == 1:
            from pgemu.catalog.lsyscache import get_func_name

            call = entry.functions[0].funcexpr
            if isinstance(call, p.FuncExpr):
                name = get_func_name(self.catalog, call.funcid) or alias
                node.target = {"Function Name": name, "Alias": alias}
        elif entry.rtekind == "cte":
            name = entry.ctename
            node.target = {"CTE Name": name, "Alias": alias}
        elif entry.rtekind == "values":
            name = f'"{alias}"' if alias.startswith("*") else alias
        if node.kind == "Result":
            return
        node.title = f"{node.kind} on {name}"
        if name != alias and entry.rtekind != "values":
            node.title += f" {alias}"

    def _relation_target(self, entry: RangeTblEntry) -> dict[str, Any]:
        relation = self.catalog.relation(entry.relid)
        alias = entry.alias.aliasname if entry.alias is not None else relation.name
        return {"Relation Name": relation.name, "Alias": alias}

    def _target_words(self, entry: RangeTblEntry) -> str:
        target = self._relation_target(entry)
        name, alias = target["Relation Name"], target["Alias"]
        return name if name == alias else f"{name} {alias}"

    def _relation_scan(
        self, query: Query, entry: RangeTblEntry, rti: int, quals: list[Any], names: list[Any]
    ) -> PlanNode:
        relation = self.catalog.relation(entry.relid)
        if rti != query.result_relation and (
            relation.relkind == "p" or (entry.inh and relation.row.relhassubclass)
        ):
            return self._append(query, entry, rti, quals, names)
        return self._table_scan(query, entry, rti, quals, names)

    def _append(
        self, query: Query, entry: RangeTblEntry, rti: int, quals: list[Any], names: list[Any]
    ) -> PlanNode:
        """The scans of partitions or children, with the aliases that set_rtable_names gives."""
        relation = self.catalog.relation(entry.relid)
        alias = self._relation_target(entry)["Alias"]
        found = tables_read(self.session, relation, rti, quals)
        if not found:
            return PlanNode("Result", [("One-Time Filter", "false")])
        scans = []
        for number, table in enumerate(found, 1):
            own = alias if len(found) == 1 else f"{alias}_{number}"
            child = replace(entry, relid=table.oid, inh=False, alias=Alias(own))
            scans.append(self._table_scan(query, child, rti, quals, names))
        if len(scans) == 1:
            return scans[0]
        node = PlanNode("Append", [], scans)
        node.rows = sum(c.rows for c in scans)
        node.total = sum(c.total for c in scans)
        node.width = scans[0].width
        return node

    def _table_scan(
        self, query: Query, entry: RangeTblEntry, rti: int, quals: list[Any], names: list[Any]
    ) -> PlanNode:
        relation = self.catalog.relation(entry.relid)
        words = self._target_words(entry)
        rows = self._row_count(relation)
        node = PlanNode("Seq Scan", rows=rows, total=max(rows // 100, 1) + rows * 0.01)
        node.target = self._relation_target(entry)
        node.title = f"Seq Scan on {words}"
        node.width = sum(self._type_width(a.atttypid) for a in relation.columns)
        conditions: list[Any] = []
        used = self.facts.indexes.get(relation.oid)
        if used is not None:
            conditions = self._index_conditions(relation, used[0], rti, quals)
        if rti == query.result_relation and used is not None:
            # the rows are changed, so the index alone is not enough
            used = (used[0], False) if conditions else None
        if used is not None:
            index = self.catalog.get(PgClass, oid=used[0]).relname
            kind = "Index Only Scan" if used[1] else "Index Scan"
            node.kind = kind
            node.details = {"Scan Direction": "Forward", "Index Name": index}
            node.title = f"{kind} using {index} on {words}"
            node.startup, node.total = 0.15, 8.17
            if conditions:
                node.rows = max(rows // 100, 1)
                shown = self._scan_qual(conditions, names, query)
                node.properties.append(("Index Cond", shown))
        rest = [q for q in quals if q not in conditions]
        if rest:
            node.rows = max(node.rows // 3, 1)
            node.properties.append(("Filter", self._scan_qual(rest, names, query)))
        return node

    def _index_conditions(
        self, relation: Any, index_oid: int, rti: int, quals: list[Any]
    ) -> list[Any]:
        """Which conditions the index's btree can serve: column operator value."""
        index = self.catalog.relation(index_oid).index
        keys = set(index.indkey[: index.indnkeyatts]) if index is not None else set()
        found = []
        for qual in quals:
            if type(qual) not in (p.OpExpr, p.ScalarArrayOpExpr, p.NullTest):
                continue
            if type(qual) is p.NullTest:
                sides = [qual.arg]
            else:
                name = self.catalog.get(PgOperator, oid=qual.opno).oprname
                if name not in ("=", "<", ">", "<=", ">="):
                    continue
                sides = qual.args
            for side in sides:
                bare = side.arg if type(side) is p.RelabelType else side
                if type(bare) is p.Var and bare.varno == rti and bare.varattno in keys:
                    found.append(qual)
                    break
        return found

    def _row_count(self, relation: Any) -> int:
        """Rows by the highest row number: quick, and not less than there are."""
        if relation.relkind not in "rm":
            return 1
        found = self.session.conn.execute(f"SELECT max(rid) FROM {relation.sqlite_name}")
        return max(int(found.fetchone()[0] or 0), 1)

    # -- texts ---------------------------------------------------------------------------------

    def _text(
        self, expr: Any, names: list[Any], query: Query, *, prefix: bool | None = None
    ) -> str:
        if prefix is None:
            prefix = len(query.rtable) > 1 or len(names) > 1 or self._has_children(query)
        shown = simplified(self.catalog, expr)
        return deparse_expression(self.catalog, shown, names, forceprefix=prefix)

    def _has_children(self, query: Query) -> bool:
        """Partitions and children are entries of the range table too."""
        return any(
            e.rtekind == "relation" and e.inh and self.catalog.relation(e.relid).row.relhassubclass
            for e in query.rtable
        )

    def _scan_qual(self, quals: list[Any], names: list[Any], query: Query) -> str:
        """show_scan_qual: the columns of the table itself stand without its name."""
        quals = in_order(self.catalog, [simplified(self.catalog, q) for q in quals])
        own = all(len(_varnos(q)) <= 1 for q in quals) and len(names) == 1
        return self._qual(quals, names, query, prefix=False if own else None)

    def _qual(
        self, quals: list[Any], names: list[Any], query: Query, *, prefix: bool | None = None
    ) -> str:
        expr = quals[0] if len(quals) == 1 else p.BoolExpr("and", list(quals))
        text = self._text(expr, names, query, prefix=prefix)
        return text if text.startswith("(") else f"({text})" if len(quals) > 1 else text

    def _keys(
        self, query: Query, clauses: list[Any], names: list[Any], *, order: bool
    ) -> list[str]:
        """Sort Key and Group Key; DESC and NULLS as PostgreSQL shows them."""
        by_ref = {t.ressortgroupref: t.expr for t in query.target_list if t.ressortgroupref}
        keys = []
        for clause in clauses:
            expr = by_ref[clause.tle_sort_group_ref]
            collid = expr_collation(expr) if order else 0
            while order and isinstance(expr, p.CollateExpr):
                expr = expr.arg
            text = self._text(expr, names, query)
            if order and not isinstance(expr, (p.Var, p.Const)):
                text = f"({text})"  # it has been computed below the sort
            if order:
                text += self._collation_words(expr, collid) + self._order_words(clause)
            keys.append(text)
        return keys

    def _collation_words(self, expr: p.Expr, collid: int) -> str:
        """COLLATE, for another collation than the type's."""
        row = self.catalog.one(PgType, oid=expr_type(expr))
        if not collid or row is None or row.typcollation == collid:
            return ""
        return f" COLLATE {quote_identifier(self.catalog.get(PgCollation, oid=collid).collname)}"

    def _order_words(self, clause: Any) -> str:
        descending = clause.descending
        words = " DESC" if descending else ""
        if clause.nulls_first != descending:
            words += " NULLS FIRST" if clause.nulls_first else " NULLS LAST"
        return words

    def _width(self, exprs: list[Any]) -> int:
        return sum(self._type_width(expr_type(e)) for e in exprs)

    def _type_width(self, type_oid: int) -> int:
        row = self.catalog.one(PgType, oid=type_oid)
        return row.typlen if row is not None and row.typlen > 0 else 32
