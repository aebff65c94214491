"""What deparsing knows while it works (deparse_context and deparse_namespace of PostgreSQL's
ruleutils.c): output buffer, indentation, the names of FROM items and of their columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pgemu.catalog.keywords import quote_identifier
from pgemu.catalog.rows import PgClass, PgCollation, PgNamespace, PgOperator, PgProc
from pgemu.nodes.parsenodes import CommonTableExpr, JoinExpr, Query, RangeTblEntry, WindowClause
from pgemu.nodes.primnodes import TargetEntry, Var
from pgemu.rewrite.ruleutils_columns import ColumnInfo, ColumnNames

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

PRETTYFLAG_PAREN = 1
PRETTYFLAG_INDENT = 2
PRETTYFLAG_SCHEMA = 4
PRETTYINDENT_STD = 8
PRETTYINDENT_JOIN = 4
PRETTYINDENT_VAR = 4
PRETTYINDENT_LIMIT = 40


def get_pretty_flags(pretty: bool) -> int:
    """GET_PRETTY_FLAGS."""
    if pretty:
        return PRETTYFLAG_PAREN | PRETTYFLAG_INDENT | PRETTYFLAG_SCHEMA
    return PRETTYFLAG_INDENT


@dataclass(slots=True)
class Namespace:
    """Names of one query level."""

    rtable: list[RangeTblEntry]
    names: list[str | None]
    columns: list[ColumnInfo]
    cte_list: list[CommonTableExpr] = field(default_factory=list)
    # (varno, attno) of a column inside an aliased join -> (index of that join, attno)
    through_join: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    # aliased joins whose inside is being written: their columns are reached directly
    open_joins: set[int] = field(default_factory=set)
    # names of a function's parameters, for Param nodes in its body
    arg_names: list[str] = field(default_factory=list)
    function_name: str = ""


class Context:
    """The state of one deparse: text goes to `out`."""

    def __init__(
        self,
        catalog: Catalog,
        namespaces: list[Namespace],
        *,
        pretty_flags: int = PRETTYFLAG_INDENT,
        varprefix: bool = False,
        wrap_column: int = 0,
        indent_level: int = 0,
    ) -> None:
        self.catalog = catalog
        self.namespaces = namespaces
        self.pretty_flags = pretty_flags
        self.varprefix = varprefix
        self.wrap_column = wrap_column
        self.start_column = 0
        self.indent_level = indent_level
        self.out: list[str] = []
        self.window_clause: list[WindowClause] = []
        self.window_tlist: list[TargetEntry] = []

    @property
    def pretty_paren(self) -> bool:
        return bool(self.pretty_flags & PRETTYFLAG_PAREN)

    @property
    def pretty_indent(self) -> bool:
        return bool(self.pretty_flags & PRETTYFLAG_INDENT)

    def add(self, text: str) -> None:
        self.out.append(text)

    def text(self) -> str:
        return "".join(self.out)

    def strip_spaces(self) -> None:
        """removeStringInfoSpaces."""
        self.out = [self.text().rstrip(" ")]

    def keyword(self, text: str, before: int, after: int, plus: int) -> None:
        """appendContextKeyword: a keyword on a new line, with changes of the indentation."""
        if not self.pretty_indent:
            self.add(text)
            return
        self.indent_level += before
        self.strip_spaces()
        if self.indent_level < PRETTYINDENT_LIMIT:
            amount = max(self.indent_level, 0) + plus
        else:
            amount = PRETTYINDENT_LIMIT + (self.indent_level - PRETTYINDENT_LIMIT) // (
                PRETTYINDENT_STD // 2
            )
            amount = amount % PRETTYINDENT_LIMIT + plus
        self.add("\n" + " " * amount + text)
        self.indent_level = max(self.indent_level + after, 0)

    def current_line(self) -> str:
        return self.text().rsplit("\n", 1)[-1]

    def on_first_line(self) -> bool:
        """Whether what comes next stands on the line that the text began on."""
        return "\n" not in self.text()

    # --- names of catalog objects ---------------------------------------------------------------

    def _qualified(self, namespace: int, name: str) -> str:
        row = self.catalog.one(PgNamespace, oid=namespace)
        return f"{quote_identifier(row.nspname if row else '')}.{quote_identifier(name)}"

    def relation_name(self, relid: int) -> str:
        """generate_relation_name: qualified when the bare name would mean something else."""
        return generate_relation_name(
            self.catalog, relid, any_cte=[c.ctename for n in self.namespaces for c in n.cte_list]
        )

    def function_name(self, funcid: int) -> str:
        """generate_function_name."""
        proc = self.catalog.one(PgProc, oid=funcid)
        if proc is None:
            return str(funcid)
        for namespace in self.catalog.search_path():
            if namespace == proc.pronamespace:
                return quote_identifier(proc.proname)
            same = self.catalog.all(PgProc, proname=proc.proname)
            if any(p.pronamespace == namespace and p.proargtypes == proc.proargtypes for p in same):
                break
        return self._qualified(proc.pronamespace, proc.proname)

    def operator_name(self, opno: int) -> str:
        """generate_operator_name."""
        return generate_operator_name(self.catalog, opno)

    def collation_name(self, oid: int) -> str:
        return generate_collation_name(self.catalog, oid)


def generate_relation_name(catalog: Catalog, relid: int, any_cte: Any = ()) -> str:
    """A relation's name, qualified unless it is visible and not hidden by a WITH item."""
    row = catalog.one(PgClass, oid=relid)
    if row is None:
        return str(relid)
    if row.relname not in any_cte:
        for namespace in catalog.search_path():
            found = catalog.one(PgClass, relname=row.relname, relnamespace=namespace)
            if found is not None:
                if found.oid == relid:
                    return quote_identifier(row.relname)
                break
    return generate_qualified_relation_name(catalog, relid)


def generate_qualified_relation_name(catalog: Catalog, relid: int) -> str:
    """schema.name."""
    row = catalog.one(PgClass, oid=relid)
    if row is None:
        return str(relid)
    schema = catalog.one(PgNamespace, oid=row.relnamespace)
    name = schema.nspname if schema is not None else ""
    if name.startswith("pg_temp_"):
        name = "pg_temp"
    return f"{quote_identifier(name)}.{quote_identifier(row.relname)}"


def generate_operator_name(catalog: Catalog, opno: int) -> str:
    """An operator's name, as OPERATOR(schema.name) when it is not in the search path."""
    op = catalog.one(PgOperator, oid=opno)
    if op is None:
        return str(opno)
    if op.oprnamespace in catalog.search_path():
        return op.oprname
    schema = catalog.one(PgNamespace, oid=op.oprnamespace)
    return f"OPERATOR({quote_identifier(schema.nspname if schema else '')}.{op.oprname})"


def generate_collation_name(catalog: Catalog, oid: int) -> str:
    """A collation's name, qualified when it is not in the search path."""
    row = catalog.one(PgCollation, oid=oid)
    if row is None:
        return str(oid)
    if row.collnamespace in catalog.search_path():
        return quote_identifier(row.collname)
    schema = catalog.one(PgNamespace, oid=row.collnamespace)
    return f"{quote_identifier(schema.nspname if schema else '')}.{quote_identifier(row.collname)}"


# ----------------------------------------------------------------------------- namespaces


def _unique(name: str, used: set[str]) -> str:
    if name in used:
        number = 1
        while f"{name}_{number}" in used:
            number += 1
        name = f"{name}_{number}"
    used.add(name)
    return name


def namespace_for_query(catalog: Catalog, query: Query, parents: list[Namespace]) -> Namespace:
    """set_deparse_for_query: names for the entries of a query below `parents`."""
    used = {name for parent in parents for name in parent.names if name}
    names: list[str | None] = []
    for rte in query.rtable:
        name = _entry_name(catalog, rte)
        names.append(None if name is None else _unique(name, used))
    columns = ColumnNames(catalog, query).infos
    result = Namespace(query.rtable, names, columns, query.cte_list)
    _find_aliased_joins(query, result)
    return result


def _entry_name(catalog: Catalog, rte: RangeTblEntry) -> str | None:
    if rte.rtekind == "result":
        return None
    if rte.alias is not None:
        return rte.alias.aliasname
    if rte.rtekind == "relation":
        row = catalog.one(PgClass, oid=rte.relid)
        return row.relname if row is not None else rte.eref.aliasname
    if rte.rtekind == "join":
        return None
    return rte.eref.aliasname


def _find_aliased_joins(query: Query, namespace: Namespace) -> None:
    def visit(node: Any) -> None:
        if not isinstance(node, JoinExpr):
            return
        visit(node.larg)
        visit(node.rarg)
        if node.alias is None or not node.rtindex:
            return
        # an outer aliased join hides the inner ones
        for attno, expr in enumerate(query.rtable[node.rtindex - 1].joinaliasvars, 1):
            if isinstance(expr, Var) and expr.varlevelsup == 0:
                inner = namespace.through_join.get((expr.varno, expr.varattno))
                namespace.through_join[expr.varno, expr.varattno] = (node.rtindex, attno)
                if inner is not None:
                    namespace.through_join[inner] = (node.rtindex, attno)

    for item in query.jointree.fromlist:
        visit(item)


def namespace_for_relation(catalog: Catalog, relid: int, aliasname: str) -> Namespace:
    """deparse_context_for: one relation as entry 1."""
    from pgemu.nodes.parsenodes import Alias

    names = ["" if a.attisdropped else a.attname for a in catalog.relation(relid).attrs]
    rte = RangeTblEntry("relation", Alias(aliasname, names), relid=relid)
    return Namespace([rte], [aliasname], [ColumnInfo(list(names))])
