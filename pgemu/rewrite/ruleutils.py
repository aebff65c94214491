"""Definitions of catalog objects as SQL (PostgreSQL's ruleutils.c): views, expressions, indexes,
constraints, triggers, rules, statistics, partition keys.  Functions are in
ruleutils_proc.py; ruleutils_functions.py makes the SQL functions pg_get_*def of all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog.index import builtin_am_name
from pgemu.catalog.keywords import quote_identifier
from pgemu.catalog.rows import (
    PgAm,
    PgClass,
    PgConstraint,
    PgIndex,
    PgNamespace,
    PgOpclass,
    PgPartitionedTable,
    PgRewrite,
    PgStatisticExt,
    PgTrigger,
)
from pgemu.nodes.nodefuncs import expr_collation, expr_type
from pgemu.nodes.parsenodes import Alias, Query, RangeTblEntry
from pgemu.nodes.primnodes import Const
from pgemu.rewrite.ruleutils_columns import ColumnInfo
from pgemu.rewrite.ruleutils_context import (
    PRETTYFLAG_INDENT,
    PRETTYFLAG_PAREN,
    PRETTYFLAG_SCHEMA,
    Context,
    Namespace,
    generate_collation_name,
    generate_operator_name,
    generate_qualified_relation_name,
    generate_relation_name,
    get_pretty_flags,
)
from pgemu.rewrite.ruleutils_expr import (
    get_const_expr,
    get_rule_expr,
    looks_like_function,
    quote_literal,
)
from pgemu.rewrite.ruleutils_query import get_query_def

if TYPE_CHECKING:
    from pgemu.catalog.relcache import Relation
    from pgemu.catalog.syscache import Catalog


# ----------------------------------------------------------------------------- expressions


def deparse_expression(
    catalog: Catalog,
    node: Any,
    names: Relation | list[Namespace] | None = None,
    pretty_flags: int = 0,
    *,
    forceprefix: bool = False,
    showimplicit: bool = False,
) -> str:
    """Text of an expression; names: the relation whose columns it refers to as entry 1, or the
    names of the query levels around it."""
    if names is None:
        namespaces: list[Namespace] = []
    else:
        namespaces = names if isinstance(names, list) else context_for(catalog, names.oid)
    ctx = Context(catalog, namespaces, pretty_flags=pretty_flags, varprefix=forceprefix)
    get_rule_expr(node, ctx, showimplicit)
    return ctx.text()


def context_for(catalog: Catalog, relid: int) -> list[Namespace]:
    """The names of one relation, as entry 1 (none for relid 0)."""
    if not relid:
        return []
    relation = catalog.relation(relid)
    names = ["" if a.attisdropped else a.attname for a in relation.attrs]
    rte = RangeTblEntry("relation", Alias(relation.name, names), relid=relid)
    return [Namespace([rte], [relation.name], [ColumnInfo(names)])]


def get_expr(catalog: Catalog, text: str, relid: int, pretty: bool = False) -> str | None:
    """pg_get_expr of a pg_node_tree column; None when the relation is gone."""
    if relid and catalog.one(PgClass, oid=relid) is None:
        return None
    flags = get_pretty_flags(pretty)
    if text.startswith("SQL:") and not relid:
        return text[4:]
    node = catalog.decode_node(text, "exprlist", relid)
    if isinstance(node, dict):
        return get_partition_bound(catalog, node, relid)
    return deparse_expression(catalog, node, context_for(catalog, relid), flags)


def get_partition_bound(catalog: Catalog, bound: dict[str, Any], relid: int) -> str:
    """FOR VALUES ... of a partition.  The bound's values are storage values of the types of the
    parent's key; {"kind": "min"} and {"kind": "max"} stand for MINVALUE and MAXVALUE."""
    if bound.get("is_default"):
        return "DEFAULT"
    if bound["strategy"] == "h":
        return (
            f"FOR VALUES WITH (modulus {bound.get('modulus', 0)}, "
            f"remainder {bound.get('remainder', 0)})"
        )
    relation = catalog.relation(relid)
    parent = catalog.relation(relation.parents[0])
    key = parent.partition_key
    assert key is not None
    exprs = iter(parent.partition_exprs)
    types = [parent.attr(a).atttypid if a else expr_type(next(exprs)) for a in key.partattrs]

    def one(value: Any, type_oid: int) -> str:
        if isinstance(value, dict):
            return f"{value['kind'].upper()}VALUE"
        ctx = Context(catalog, [], pretty_flags=0)
        get_const_expr(Const(type_oid, value), ctx, -1)
        return ctx.text()

    if bound["strategy"] == "l":
        return f"FOR VALUES IN ({', '.join(one(v, types[0]) for v in bound.get('list', ()))})"
    lower, upper = (", ".join(map(one, bound.get(side, ()), types)) for side in ("lower", "upper"))
    return f"FOR VALUES FROM ({lower}) TO ({upper})"


# ----------------------------------------------------------------------------- views, rules


def get_viewdef(
    catalog: Catalog, oid: int, pretty: bool = False, wrap_column: int = 0
) -> str | None:
    """The SELECT of a view; None when the OID is no view."""
    row = catalog.one(PgClass, oid=oid)
    if row is None or row.relkind not in ("v", "m"):
        return None
    relation = catalog.relation(oid)
    rule = next((r for r in relation.rules if r.ev_type == "1"), None)
    if rule is None:
        return None
    if rule.ev_action.startswith("SQL:") and not pretty and wrap_column == 0:
        return rule.ev_action[4:]
    query = relation.view_query
    text = get_query_def(
        catalog,
        query,
        [],
        [a.attname for a in relation.attrs],
        True,
        get_pretty_flags(pretty),
        wrap_column,
        0,
        varprefix=True,
    )
    return text + ";"


_RULE_EVENTS = {"1": "SELECT", "2": "UPDATE", "3": "INSERT", "4": "DELETE"}


def get_ruledef(catalog: Catalog, oid: int, pretty: bool = False) -> str | None:
    """CREATE RULE ..."""
    rule = catalog.one(PgRewrite, oid=oid)
    if rule is None:
        return None
    if rule.ev_action.startswith("SQL:CREATE RULE"):
        return rule.ev_action.removeprefix("SQL:")
    flags = get_pretty_flags(pretty)
    actions = catalog.decode_node(rule.ev_action, "query", rule.ev_class)
    if actions is None:
        actions = []
    elif not isinstance(actions, list):
        actions = [actions]
    name = _table_name(catalog, rule.ev_class, flags)
    out = [f"CREATE RULE {quote_identifier(rule.rulename)} AS\n    ON "]
    out.append(f"{_RULE_EVENTS[rule.ev_type]} TO {name}")
    if rule.ev_qual not in (None, "", "null", "<>"):
        qual = catalog.decode_node(rule.ev_qual, "expr", rule.ev_class)
        spaces = _old_new(catalog, rule.ev_class)
        text = deparse_expression(catalog, qual, spaces, flags, forceprefix=True)
        out.append(f"\n   WHERE {text}")
    out.append(" DO " + ("INSTEAD " if rule.is_instead else ""))
    if not actions:
        return "".join(out) + "NOTHING;"
    names = None
    if rule.ev_type == "1":
        names = [a.attname for a in catalog.relation(rule.ev_class).attrs]
    texts = [_action(catalog, q, names, flags) for q in actions]
    if len(texts) > 1:
        return "".join(out) + "(" + "".join(f"{t};\n" for t in texts) + ");"
    head = "".join(out)
    if texts[0].startswith("\n"):
        head = head.rstrip(" ")
    return head + texts[0] + ";"


def _action(catalog: Catalog, query: Query, names: list[str] | None, flags: int) -> str:
    return get_query_def(catalog, query, [], names, True, flags, 0, 0, varprefix=True)


def _old_new(catalog: Catalog, relid: int) -> list[Namespace]:
    """OLD as entry 1, NEW as entry 2."""
    names = ["" if a.attisdropped else a.attname for a in catalog.relation(relid).attrs]
    rtes = [RangeTblEntry("relation", Alias(n, names), Alias(n), relid=relid) for n in
            ("old", "new")]  # fmt: skip
    return [Namespace(rtes, ["old", "new"], [ColumnInfo(names), ColumnInfo(names)])]


def _table_name(catalog: Catalog, relid: int, flags: int) -> str:
    if flags & PRETTYFLAG_SCHEMA:
        return generate_relation_name(catalog, relid)
    return generate_qualified_relation_name(catalog, relid)


# ----------------------------------------------------------------------------- indexes


def get_indexdef(
    catalog: Catalog,
    oid: int,
    colno: int = 0,
    pretty: bool = False,
    *,
    exclude_ops: tuple[int, ...] | None = None,
) -> str | None:
    """CREATE INDEX ..., the text of one column (colno > 0), or with exclude_ops EXCLUDE ..."""
    row = catalog.one(PgIndex, indexrelid=oid)
    cls = catalog.one(PgClass, oid=oid)
    if row is None or cls is None:
        return None
    flags = get_pretty_flags(pretty)
    relation = catalog.relation(row.indrelid)
    info = next((i for i in relation.all_indexes if i.oid == oid), None)
    exprs = list(info.exprs) if info is not None else []
    am = catalog.one(PgAm, oid=cls.relam)
    amname = quote_identifier(am.amname if am is not None else "btree")
    parts: list[str] = []
    included: list[str] = []
    namespaces = context_for(catalog, row.indrelid)
    for keyno, attnum in enumerate(row.indkey):
        if attnum:
            att = relation.attr(attnum)
            text = quote_identifier(att.attname)
            key_type, key_collation = att.atttypid, att.attcollation
        else:
            node = exprs.pop(0)
            text = deparse_expression(catalog, node, namespaces, flags)
            text = text if looks_like_function(node) else f"({text})"
            key_type, key_collation = expr_type(node), expr_collation(node)
        if colno:
            if colno == keyno + 1:
                return text
            continue
        if keyno >= row.indnkeyatts:
            included.append(text)
            continue
        text += _key_decoration(catalog, row, cls, keyno, key_type, key_collation)
        if exclude_ops is not None:
            text += f" WITH {generate_operator_name(catalog, exclude_ops[keyno])}"
        parts.append(text)
    if colno:
        return ""
    if exclude_ops is not None:
        head = f"EXCLUDE USING {amname} ("
    else:
        only = "ONLY " if cls.relkind == "I" else ""
        head = (
            f"CREATE {'UNIQUE ' if row.indisunique else ''}INDEX "
            f"{quote_identifier(cls.relname)} ON {only}"
            f"{_table_name(catalog, row.indrelid, flags)} USING {amname} ("
        )
    tail = f" INCLUDE ({', '.join(included)})" if included else ""
    if row.indnullsnotdistinct:
        tail += " NULLS NOT DISTINCT"
    if cls.reloptions:
        tail += f" WITH ({_options(cls.reloptions)})"
    if info is not None and info.pred is not None:
        pred = deparse_expression(catalog, info.pred, namespaces, flags)
        tail += f" WHERE ({pred})" if exclude_ops is not None else f" WHERE {pred}"
    return f"{head}{', '.join(parts)}){tail}"


def _options(options: tuple[str, ...]) -> str:
    texts = []
    for option in options:
        name, _, value = option.partition("=")
        plain = quote_identifier(value) == value
        texts.append(f"{quote_identifier(name)}={value if plain else quote_literal(value)}")
    return ", ".join(texts)


def _key_decoration(
    catalog: Catalog,
    row: PgIndex,
    cls: PgClass,
    keyno: int,
    key_type: int,
    key_collation: int,
) -> str:
    text = ""
    collation = row.indcollation[keyno] if keyno < len(row.indcollation) else 0
    if collation and collation != key_collation:
        text += f" COLLATE {generate_collation_name(catalog, collation)}"
    if keyno < len(row.indclass):
        options = catalog.relation(cls.oid).attrs[keyno].attoptions
        text += opclass_name(catalog, row.indclass[keyno], 0 if options else key_type)
        if options:
            text += f" ({_options(options)})"
    if builtin_am_name(catalog, cls.relam) == "btree":
        option = row.indoption[keyno] if keyno < len(row.indoption) else 0
        if option & 1:
            text += " DESC" if option & 2 else " DESC NULLS LAST"
        elif option & 2:
            text += " NULLS FIRST"
    return text


def opclass_name(catalog: Catalog, opclass: int, actual_type: int) -> str:
    """ " name" of an operator class that is not the type's default (get_opclass_name)."""
    from pgemu.parser.parse_oper import get_default_opclass

    row = catalog.one(PgOpclass, oid=opclass)
    if row is None:
        return ""
    if actual_type:
        default = get_default_opclass(catalog, actual_type, row.opcmethod)
        if default is not None and default.oid == opclass:
            return ""
    if row.opcnamespace in catalog.search_path():
        return f" {quote_identifier(row.opcname)}"
    schema = catalog.one(PgNamespace, oid=row.opcnamespace)
    return f" {quote_identifier(schema.nspname if schema else '')}.{quote_identifier(row.opcname)}"


# ----------------------------------------------------------------------------- constraints

_ACTIONS = {"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def _columns(catalog: Catalog, relid: int, attnums: tuple[int, ...] | None) -> str:
    relation = catalog.relation(relid)
    return ", ".join(quote_identifier(relation.attr(a).attname) for a in attnums or ())


def get_constraintdef(catalog: Catalog, oid: int, pretty: bool = False) -> str | None:
    """The definition as in CREATE TABLE, without the name."""
    con = catalog.one(PgConstraint, oid=oid)
    if con is None:
        return None
    flags = get_pretty_flags(pretty)
    if con.contype == "f":
        text = _foreign_key(catalog, con)
    elif con.contype in ("p", "u"):
        text = _key_constraint(catalog, con)
    elif con.contype == "c":
        spaces = context_for(catalog, con.conrelid)
        node = catalog.decode_node(con.conbin, "expr", con.conrelid)
        expr = deparse_expression(catalog, node, spaces, flags)
        text = f"CHECK ({expr}){' NO INHERIT' if con.connoinherit else ''}"
    elif con.contype == "x":
        text = get_indexdef(catalog, con.conindid, pretty=pretty, exclude_ops=con.conexclop) or ""
    else:
        text = "TRIGGER"
    if con.condeferrable:
        text += " DEFERRABLE"
    if con.condeferred:
        text += " INITIALLY DEFERRED"
    if not con.convalidated:
        text += " NOT VALID"
    return text


def _foreign_key(catalog: Catalog, con: PgConstraint) -> str:
    text = (
        f"FOREIGN KEY ({_columns(catalog, con.conrelid, con.conkey)}) REFERENCES "
        f"{generate_relation_name(catalog, con.confrelid)}"
        f"({_columns(catalog, con.confrelid, con.confkey)})"
    )
    if con.confmatchtype == "f":
        text += " MATCH FULL"
    if con.confupdtype in _ACTIONS:
        text += f" ON UPDATE {_ACTIONS[con.confupdtype]}"
    if con.confdeltype in _ACTIONS:
        text += f" ON DELETE {_ACTIONS[con.confdeltype]}"
        if con.confdelsetcols:
            text += f" ({_columns(catalog, con.conrelid, con.confdelsetcols)})"
    return text


def _key_constraint(catalog: Catalog, con: PgConstraint) -> str:
    index = catalog.one(PgIndex, indexrelid=con.conindid)
    text = "PRIMARY KEY " if con.contype == "p" else "UNIQUE "
    if index is not None and index.indnullsnotdistinct and con.contype == "u":
        text += "NULLS NOT DISTINCT "
    text += f"({_columns(catalog, con.conrelid, con.conkey)})"
    if index is not None and len(index.indkey) > index.indnkeyatts:
        included = index.indkey[index.indnkeyatts :]
        text += f" INCLUDE ({_columns(catalog, con.conrelid, included)})"
    return text


# ----------------------------------------------------------------------------- triggers


def get_triggerdef(catalog: Catalog, oid: int, pretty: bool = False) -> str | None:
    """CREATE TRIGGER ..."""
    trigger = catalog.one(PgTrigger, oid=oid)
    if trigger is None:
        return None
    flags = get_pretty_flags(pretty)
    constraint = bool(trigger.tgconstraint)
    kind = trigger.tgtype
    out = [
        f"CREATE {'CONSTRAINT ' if constraint else ''}TRIGGER {quote_identifier(trigger.tgname)} "
    ]
    out.append("BEFORE" if kind & 2 else "INSTEAD OF" if kind & 64 else "AFTER")
    events = []
    if kind & 4:
        events.append("INSERT")
    if kind & 8:
        events.append("DELETE")
    if kind & 16:
        columns = _columns(catalog, trigger.tgrelid, trigger.tgattr)
        events.append("UPDATE" + (f" OF {columns}" if columns else ""))
    if kind & 32:
        events.append("TRUNCATE")
    out.append(" " + " OR ".join(events))
    out.append(f" ON {_table_name(catalog, trigger.tgrelid, flags)} ")
    if constraint:
        if trigger.tgconstrrelid:
            out.append(f"FROM {generate_relation_name(catalog, trigger.tgconstrrelid)} ")
        out.append("" if trigger.tgdeferrable else "NOT ")
        out.append(f"DEFERRABLE INITIALLY {'DEFERRED' if trigger.tginitdeferred else 'IMMEDIATE'} ")
    if trigger.tgoldtable or trigger.tgnewtable:
        out.append("REFERENCING ")
        if trigger.tgoldtable:
            out.append(f"OLD TABLE AS {quote_identifier(trigger.tgoldtable)} ")
        if trigger.tgnewtable:
            out.append(f"NEW TABLE AS {quote_identifier(trigger.tgnewtable)} ")
    out.append("FOR EACH ROW " if kind & 1 else "FOR EACH STATEMENT ")
    qual = catalog.decode_node(trigger.tgqual, "expr", trigger.tgrelid)
    if qual is not None:
        spaces = _old_new(catalog, trigger.tgrelid)
        text = deparse_expression(catalog, qual, spaces, flags, forceprefix=True)
        out.append(f"WHEN ({text}) ")
    name = Context(catalog, []).function_name(trigger.tgfoid)
    args = ", ".join(quote_literal(a) for a in trigger_arguments(trigger.tgargs))
    out.append(f"EXECUTE FUNCTION {name}({args})")
    return "".join(out)


def trigger_arguments(tgargs: Any) -> list[str]:
    """pg_trigger.tgargs: strings that each end with a NUL byte."""
    if not tgargs:
        return []
    data = tgargs if isinstance(tgargs, bytes) else bytes(str(tgargs), "utf-8")
    return [part.decode() for part in data.split(b"\0")[:-1]]


# ----------------------------------------------------------------------------- others


def get_statisticsobjdef(catalog: Catalog, oid: int, columns_only: bool = False) -> str | None:
    """CREATE STATISTICS ..."""
    row = catalog.one(PgStatisticExt, oid=oid)
    if row is None:
        return None
    relation = catalog.relation(row.stxrelid)
    exprs = catalog.decode_node(row.stxexprs, "exprlist", row.stxrelid) or []
    if not isinstance(exprs, list):
        exprs = [exprs]
    columns = [quote_identifier(relation.attr(a).attname) for a in row.stxkeys]
    spaces = context_for(catalog, row.stxrelid)
    for node in exprs:
        text = deparse_expression(catalog, node, spaces, PRETTYFLAG_PAREN)
        columns.append(text if looks_like_function(node) else f"({text})")
    if columns_only:
        return ", ".join(columns)
    schema = catalog.one(PgNamespace, oid=row.stxnamespace)
    text = (
        f"CREATE STATISTICS {quote_identifier(schema.nspname if schema else '')}."
        f"{quote_identifier(row.stxname)}"
    )
    names = {"d": "ndistinct", "f": "dependencies", "m": "mcv"}
    kinds = [names[k] for k in ("d", "f", "m") if k in row.stxkind]
    if len(kinds) < 3 and len(columns) > 1:
        text += f" ({', '.join(kinds)})"
    return f"{text} ON {', '.join(columns)} FROM {generate_relation_name(catalog, row.stxrelid)}"


def get_statisticsobjdef_expressions(catalog: Catalog, oid: int) -> list[str] | None:
    """The texts of the expressions of a statistics object."""
    row = catalog.one(PgStatisticExt, oid=oid)
    if row is None or not row.stxexprs:
        return None
    exprs = catalog.decode_node(row.stxexprs, "exprlist", row.stxrelid)
    spaces = context_for(catalog, row.stxrelid)
    return [deparse_expression(catalog, n, spaces, PRETTYFLAG_INDENT) for n in exprs]


_STRATEGIES = {"r": "RANGE", "l": "LIST", "h": "HASH"}


def get_partkeydef(catalog: Catalog, relid: int, pretty: bool = False) -> str | None:
    """RANGE (a, b) and the like."""
    row = catalog.one(PgPartitionedTable, partrelid=relid)
    if row is None:
        return None
    relation = catalog.relation(relid)
    exprs = list(relation.partition_exprs)
    spaces = context_for(catalog, relid)
    parts = []
    for keyno, attnum in enumerate(row.partattrs):
        if attnum:
            att = relation.attr(attnum)
            text = quote_identifier(att.attname)
            key_type, key_collation = att.atttypid, att.attcollation
        else:
            node = exprs.pop(0)
            text = deparse_expression(catalog, node, spaces, get_pretty_flags(pretty))
            text = text if looks_like_function(node) else f"({text})"
            key_type, key_collation = expr_type(node), expr_collation(node)
        collation = row.partcollation[keyno]
        if collation and collation != key_collation:
            text += f" COLLATE {generate_collation_name(catalog, collation)}"
        text += opclass_name(catalog, row.partclass[keyno], key_type)
        parts.append(text)
    return f"{_STRATEGIES[row.partstrat]} ({', '.join(parts)})"


def pg_get_constraintdef(catalog: Catalog, oid: int) -> str:
    """The definition of a constraint that exists."""
    text = get_constraintdef(catalog, oid)
    assert text is not None
    return text


def pg_get_indexdef_column(catalog: Catalog, oid: int, colno: int) -> str:
    """Column colno (1-based) of an index as text, as error details have it."""
    return get_indexdef(catalog, oid, colno, pretty=True) or ""


def pg_get_partkeydef_columns(catalog: Catalog, relid: int) -> str:
    """The partition key without its strategy, "a, b" (for error details)."""
    text = get_partkeydef(catalog, relid, pretty=True) or ""
    return text.partition(" (")[2].removesuffix(")")
