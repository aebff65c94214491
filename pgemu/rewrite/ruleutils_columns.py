"""Column names of FROM items while a query is written (set_using_names, set_relation_column_names
and set_join_column_names of PostgreSQL's ruleutils.c).

A view keeps its meaning when columns of its tables are renamed, added or dropped.  JOIN USING is
the difficult part: it finds columns by name, so the names that a USING clause needs are fixed
first and pushed down to the tables, whose columns get aliases where they are called otherwise.
Dropped columns have the name "".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pgemu.nodes.parsenodes import JoinExpr, Query, RangeTblEntry, RangeTblRef
from pgemu.nodes.primnodes import BoolExpr, CoalesceExpr, OpExpr, Var


@dataclass(slots=True)
class ColumnInfo:
    """deparse_columns: names of one entry's columns as the text shows them ("" for dropped ones);
    new_colnames: those that it has if it is parsed now, is_new which of them were added since."""

    # names, "" for dropped columns, None for those without a name as yet
    colnames: list[Any]
    printaliases: bool = False
    new_colnames: list[str] = field(default_factory=list)
    is_new: list[bool] = field(default_factory=list)
    using_names: list[str] = field(default_factory=list)
    parent_using: list[str] = field(default_factory=list)
    # of a join: its inputs, and for each column their column it comes from (0: not from there)
    inputs: tuple[int, int] = (0, 0)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)

    def put(self, attno: int, name: str) -> None:
        self.expand(attno)
        self.colnames[attno - 1] = name

    def expand(self, size: int) -> None:
        self.colnames.extend([None] * (size - len(self.colnames)))


class ColumnNames:
    """Chooses the names for one query level."""

    def __init__(self, catalog: Any, query: Query) -> None:
        self.catalog = catalog
        self.query = query
        self.infos = [ColumnInfo([]) for _ in query.rtable]
        self.using_names: list[str] = []
        joins = query.jointree.fromlist if query.jointree is not None else []
        for item in joins:
            self._identify_joins(item)
        self.unique_using = any(self._dangerous(item) for item in joins)
        for item in joins:
            self._set_using_names(item, [])
        for rte, info in zip(query.rtable, self.infos, strict=True):
            if rte.rtekind == "join":
                self._set_join_names(rte, info)
            else:
                self._set_relation_names(rte, info)

    def _info(self, number: int) -> ColumnInfo:
        return self.infos[number - 1]

    # -- the shape of joins ----------------------------------------------------------------------

    def _identify_joins(self, item: Any) -> None:
        """identify_join_columns."""
        if not isinstance(item, JoinExpr):
            return
        self._identify_joins(item.larg)
        self._identify_joins(item.rarg)
        rte, info = self.query.rtable[item.rtindex - 1], self._info(item.rtindex)
        info.inputs = item.larg.rtindex, item.rarg.rtindex
        pairs = _using_pairs(item.quals)
        for number, expr in enumerate(rte.joinaliasvars):
            sides = (expr, expr)
            if number < len(item.using_clause):
                sides = _merged(expr) or (pairs[number] if number < len(pairs) else sides)
            info.left.append(self._column_of(info.inputs[0], sides[0]))
            info.right.append(self._column_of(info.inputs[1], sides[1]))

    def _column_of(self, number: int, expr: Any) -> int:
        """Which column of an entry an expression is; 0: none."""
        expr = _bare(expr)
        rte = self.query.rtable[number - 1]
        if isinstance(expr, Var) and expr.varno == number:
            return max(expr.varattno, 0)
        if rte.rtekind == "join":
            for attno, own in enumerate(rte.joinaliasvars, 1):
                if _same(own, expr):
                    return attno
        return 0

    def _dangerous(self, item: Any) -> bool:
        """has_dangerous_join_using: an unnamed join merges columns into what is no plain one."""
        if not isinstance(item, JoinExpr):
            return False
        if item.alias is None and item.using_clause:
            merged = self.query.rtable[item.rtindex - 1].joinaliasvars[: len(item.using_clause)]
            if not all(isinstance(expr, Var) for expr in merged):
                return True
        return self._dangerous(item.larg) or self._dangerous(item.rarg)

    # -- USING -----------------------------------------------------------------------------------

    def _set_using_names(self, item: Any, parent_using: list[str]) -> None:
        if isinstance(item, RangeTblRef):
            return
        rte, info = self.query.rtable[item.rtindex - 1], self._info(item.rtindex)
        if rte.alias is None:
            for position, name in enumerate(info.colnames):
                if name is not None:
                    self._push_down(info, position, name)
        if item.using_clause:
            parent_using = list(parent_using)
            info.expand(len(item.using_clause))
            for position, written in enumerate(item.using_clause):
                name = info.colnames[position]
                if name is None:
                    name = written
                    if rte.alias is not None and position < len(rte.alias.colnames):
                        name = rte.alias.colnames[position]
                    name = self._unique(name, info)
                    if self.unique_using:
                        self.using_names.append(name)
                    info.colnames[position] = name
                info.using_names.append(name)
                parent_using.append(name)
                self._push_down(info, position, name)
        for number, child in zip(info.inputs, (item.larg, item.rarg), strict=True):
            self._info(number).parent_using = parent_using
            self._set_using_names(child, parent_using)

    def _push_down(self, info: ColumnInfo, position: int, name: str) -> None:
        for number, columns in zip(info.inputs, (info.left, info.right), strict=True):
            if position < len(columns) and columns[position]:
                self._info(number).put(columns[position], name)

    def _unique(self, name: str, info: ColumnInfo) -> str:
        """make_colname_unique."""
        taken = {*info.colnames, *info.new_colnames, *self.using_names, *info.parent_using}
        made, number = name, 0
        while made in taken:
            number += 1
            made = f"{name}_{number}"
        return made

    # -- the other columns -----------------------------------------------------------------------

    def _set_relation_names(self, rte: RangeTblEntry, info: ColumnInfo) -> None:
        real = self._real_names(rte)
        given = rte.alias.colnames if rte.alias is not None else []
        info.expand(len(real))
        changed = False
        for position, real_name in enumerate(real):
            if not real_name:
                info.colnames[position] = ""
                continue
            name = info.colnames[position]
            if name is None:
                wanted = given[position] if position < len(given) and given[position] else real_name
                name = info.colnames[position] = self._unique(wanted, info)
            info.new_colnames.append(name)
            info.is_new.append(position >= len(rte.eref.colnames))
            changed = changed or name != real_name
        if rte.rtekind == "function":
            info.printaliases = True
        elif rte.rtekind == "tablefunc":
            info.printaliases = False
        elif rte.rtekind == "relation":
            info.printaliases = changed
        else:
            info.printaliases = changed or bool(given)

    def _real_names(self, rte: RangeTblEntry) -> list[str]:
        if rte.rtekind == "relation" and rte.relid:
            attrs = self.catalog.relation(rte.relid).attrs
            return ["" if a.attisdropped else a.attname for a in attrs]
        if rte.rtekind == "function":
            names = [n for f in rte.functions for n in f.colnames]
            return [*names, "ordinality"] if rte.funcordinality else names
        return list(rte.eref.colnames)

    def _set_join_names(self, rte: RangeTblEntry, info: ColumnInfo) -> None:
        if not info.inputs[0]:  # not in the FROM clause
            info.colnames = list(rte.eref.colnames)
            return
        inputs = [self._info(number) for number in info.inputs]
        info.expand(len(rte.eref.colnames))
        given = rte.alias.colnames if rte.alias is not None else []
        changed = False
        for position in range(len(info.using_names), len(rte.eref.colnames)):
            real = rte.eref.colnames[position]
            for child, columns in zip(inputs, (info.left, info.right), strict=True):
                if columns[position]:
                    real = child.colnames[columns[position] - 1] or ""
                    break
            name = info.colnames[position]
            if not real or rte.alias is None:
                info.colnames[position] = real
                continue
            if name is None:
                name = given[position] if position < len(given) else real
                name = info.colnames[position] = self._unique(name, info)
            changed = changed or name != real
        changed = self._set_new_names(rte, info, inputs) or changed
        info.printaliases = rte.alias is not None and changed

    def _set_new_names(
        self, rte: RangeTblEntry, info: ColumnInfo, inputs: list[ColumnInfo]
    ) -> bool:
        """What columns the join has if it is parsed now: the merged ones, then those of its
        inputs; True: some new one needs another name."""
        changed = False
        merged = len(info.using_names)
        info.new_colnames = [str(name) for name in info.colnames[:merged]]
        info.is_new = [False] * merged
        at = merged
        for child, columns in zip(inputs, (info.left, info.right), strict=True):
            skip = set(columns[:merged])
            place = 0
            for name, is_new in zip(child.new_colnames, child.is_new, strict=True):
                if is_new:
                    made = name if rte.alias is None else self._unique(name, info)
                    changed = changed or made != name
                else:
                    while place < len(child.colnames) and not child.colnames[place]:
                        place += 1
                    place += 1
                    if place in skip:
                        continue
                    while at < len(info.colnames) and not info.colnames[at]:
                        at += 1
                    made = str(info.colnames[at]) if at < len(info.colnames) else name
                    at += 1
                info.new_colnames.append(made)
                info.is_new.append(is_new)
        return changed


def _bare(expr: Any) -> Any:
    """An expression without the coercions above it."""
    while True:
        below = getattr(expr, "arg", None)
        args = getattr(expr, "args", None)
        if below is not None:
            expr = below
        elif type(expr).__name__ == "FuncExpr" and args:
            expr = args[0]
        else:
            return expr


def _merged(expr: Any) -> tuple[Any, Any] | None:
    """The two sides of a FULL JOIN's merged column."""
    expr = _bare(expr)
    if isinstance(expr, CoalesceExpr) and len(expr.args) == 2:
        return expr.args[0], expr.args[1]
    return None


def _using_pairs(quals: Any) -> list[tuple[Any, Any]]:
    """The columns that USING compares, in its order."""
    clauses = quals.args if isinstance(quals, BoolExpr) else [quals]
    return [(c.args[0], c.args[1]) for c in clauses if isinstance(c, OpExpr) and len(c.args) == 2]


def _same(a: Any, b: Any) -> bool:
    """Two expressions of joins mean the same column."""
    a, b = _bare(a), _bare(b)
    if isinstance(a, Var) and isinstance(b, Var):
        return (a.varno, a.varattno, a.varlevelsup) == (b.varno, b.varattno, b.varlevelsup)
    if isinstance(a, CoalesceExpr) and isinstance(b, CoalesceExpr):
        return len(a.args) == len(b.args) and all(map(_same, a.args, b.args))
    return False
