"""CREATE TRIGGER and SET CONSTRAINTS' catalog side (PostgreSQL's trigger.c, CreateTrigger)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.find_expr_references import record_dependency_on_expr
from pgemu.catalog.heap import depend, insert_rows, is_pinned
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_CONSTRAINT_RELID,
    PG_PROC_RELID,
    PG_TRIGGER_RELID,
    PgClass,
    PgProc,
    PgTrigger,
)
from pgemu.commands.define import strings
from pgemu.commands.indexcmds import not_supported_detail
from pgemu.commands.permissions import aclcheck_error, check_not_system
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.trigger_clone import clone_trigger_to_partitions
from pgemu.errors import (
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    INVALID_OBJECT_DEFINITION,
    UNDEFINED_COLUMN,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes.serialize import node_to_string

ROW, BEFORE, INSERT, DELETE, UPDATE, TRUNCATE, INSTEAD = 1, 2, 4, 8, 16, 32, 64
TRIGGEROID = 2279


def create_trigger(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE [OR REPLACE] [CONSTRAINT] TRIGGER."""
    from pgemu.catalog.acl import ACL_EXECUTE, ACL_TRIGGER, pg_class_aclcheck, pg_proc_aclcheck
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    relation = catalog.relation(range_var_get_relid(catalog, stmt["relation"]))
    tgtype = stmt.get("timing", 0) | stmt.get("events", 0) | (ROW if stmt.get("row") else 0)
    _check_relation(relation, tgtype, stmt)
    check_not_system(session, relation)
    if not pg_class_aclcheck(catalog, relation.oid, ACL_TRIGGER):
        from pgemu.commands.permissions import relkind_word

        aclcheck_error(relkind_word(relation.relkind), relation.name)
    qual = _when(session, relation, stmt, tgtype, st.source_text)
    function = _function(session, strings(stmt["funcname"]))
    if not pg_proc_aclcheck(catalog, function.oid, ACL_EXECUTE):
        aclcheck_error("function", ".".join(strings(stmt["funcname"])))
    name = stmt["trigname"]
    old = catalog.one(PgTrigger, tgrelid=relation.oid, tgname=name)
    if old is not None:
        if not stmt.get("replace"):
            raise PgError(
                DUPLICATE_OBJECT,
                f'trigger "{name}" for relation "{relation.name}" already exists',
            )
        if old.tgisinternal or old.tgparentid:
            raise PgError(
                DUPLICATE_OBJECT,
                f'trigger "{name}" for relation "{relation.name}" is an internal or a child '
                "trigger",
            )
        if old.tgconstraint or stmt.get("isconstraint"):
            raise PgError(
                DUPLICATE_OBJECT,
                f'trigger "{name}" for relation "{relation.name}" is a constraint trigger',
            )
        from pgemu.catalog.rows import PgDepend

        catalog.delete(PgTrigger, oid=old.oid)
        catalog.delete(PgDepend, classid=PG_TRIGGER_RELID, objid=old.oid)
    columns = _columns(relation, strings(stmt.get("columns")))
    made = _store(session, relation, stmt, tgtype, function, columns, qual, old)
    if relation.relkind == "p" and tgtype & ROW:
        replacing = bool(stmt.get("replace"))
        clone_trigger_to_partitions(session, relation, made, replacing=replacing)
    return CommandResult("CREATE TRIGGER")


def _check_relation(relation: Any, tgtype: int, stmt: dict[str, Any]) -> None:
    kind, name = relation.relkind, relation.name
    detail = None
    if kind in "rp":
        if tgtype & INSTEAD:
            detail = "Tables cannot have INSTEAD OF triggers."
        elif kind == "p" and tgtype & ROW and stmt.get("transitionRels"):
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f'"{name}" is a partitioned table',
                detail="ROW triggers with transition tables are not supported on partitioned "
                "tables.",
            )
        word = "table"
    elif kind == "v":
        word = "view"
        if not tgtype & INSTEAD and tgtype & ROW:
            detail = "Views cannot have row-level BEFORE or AFTER triggers."
        elif tgtype & TRUNCATE:
            detail = "Views cannot have TRUNCATE triggers."
    elif kind == "f":
        word = "foreign table"
        if stmt.get("isconstraint"):
            detail = "Foreign tables cannot have constraint triggers."
        if tgtype & INSTEAD:
            detail = "Foreign tables cannot have INSTEAD OF triggers."
    else:
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'relation "{name}" cannot have triggers',
            detail=not_supported_detail(kind),
        )
    if detail:
        raise PgError(WRONG_OBJECT_TYPE, f'"{name}" is a {word}', detail=detail)
    if stmt.get("transitionRels"):
        _check_transition_tables(relation, tgtype, stmt)
    if tgtype & TRUNCATE and tgtype & ROW:
        raise PgError(FEATURE_NOT_SUPPORTED, "TRUNCATE FOR EACH ROW triggers are not supported")
    if tgtype & INSTEAD:
        if not tgtype & ROW:
            raise PgError(FEATURE_NOT_SUPPORTED, "INSTEAD OF triggers must be FOR EACH ROW")
        if stmt.get("whenClause"):
            raise PgError(FEATURE_NOT_SUPPORTED, "INSTEAD OF triggers cannot have WHEN conditions")
        if stmt.get("columns"):
            raise PgError(FEATURE_NOT_SUPPORTED, "INSTEAD OF triggers cannot have column lists")


def _check_transition_tables(relation: Any, tgtype: int, stmt: dict[str, Any]) -> None:
    """REFERENCING OLD/NEW TABLE AS."""
    name, problem, code = relation.name, "", FEATURE_NOT_SUPPORTED
    if relation.relkind == "f":
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'"{name}" is a foreign table',
            detail="Triggers on foreign tables cannot have transition tables.",
        )
    if relation.relkind == "v":
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'"{name}" is a view',
            detail="Triggers on views cannot have transition tables.",
        )
    if tgtype & ROW and relation.is_partition:
        problem = "ROW triggers with transition tables are not supported on partitions"
    elif tgtype & ROW and relation.parents:
        problem = "ROW triggers with transition tables are not supported on inheritance children"
    elif tgtype & (BEFORE | INSTEAD):
        problem = "transition table name can only be specified for an AFTER trigger"
        code = INVALID_OBJECT_DEFINITION
    elif tgtype & TRUNCATE:
        problem = "TRUNCATE triggers with transition tables are not supported"
    elif bin(tgtype & (INSERT | DELETE | UPDATE)).count("1") != 1:
        problem = "transition tables cannot be specified for triggers with more than one event"
    elif stmt.get("columns"):
        problem = "transition tables cannot be specified for triggers with column lists"
    if problem:
        raise PgError(code, problem)
    seen: set[bool] = set()
    for item in stmt["transitionRels"]:
        new = bool(item["TriggerTransition"].get("isNew"))
        if not item["TriggerTransition"].get("isTable"):
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "ROW variable naming in the REFERENCING clause is not supported",
                hint="Use OLD TABLE or NEW TABLE for naming transition tables.",
            )
        word = "NEW" if new else "OLD"
        if not tgtype & ((INSERT | UPDATE) if new else (DELETE | UPDATE)):
            events = "an INSERT or UPDATE" if new else "a DELETE or UPDATE"
            raise PgError(
                INVALID_OBJECT_DEFINITION,
                f"{word} TABLE can only be specified for {events} trigger",
            )
        if new in seen:
            raise PgError(
                INVALID_OBJECT_DEFINITION, f"{word} TABLE cannot be specified multiple times"
            )
        seen.add(new)
    names = [i["TriggerTransition"]["name"] for i in stmt["transitionRels"]]
    if len(names) != len(set(names)):
        raise PgError(
            INVALID_OBJECT_DEFINITION, "OLD TABLE name and NEW TABLE name cannot be the same"
        )


def _function(session: Any, names: list[str]) -> PgProc:
    from pgemu.catalog.namespace import lookup_explicit_namespace, name_list_to_string

    catalog = session.catalog
    if len(names) > 1:
        namespaces = [lookup_explicit_namespace(catalog, names[-2])]
    else:
        namespaces = catalog.search_path()
    for namespace in namespaces:
        for row in catalog.all(PgProc, proname=names[-1], pronamespace=namespace):
            if row.pronargs == 0:
                if row.prorettype != TRIGGEROID:
                    raise PgError(
                        INVALID_OBJECT_DEFINITION,
                        f"function {name_list_to_string(names)} must return type trigger",
                    )
                return row  # type: ignore[no-any-return]
    raise PgError("42883", f"function {name_list_to_string(names)}() does not exist")


def _columns(relation: Any, names: list[str]) -> tuple[int, ...]:
    result: list[int] = []
    for name in names:
        att = relation.attrs_by_name.get(name)
        if att is None:
            raise PgError(
                UNDEFINED_COLUMN,
                f'column "{name}" of relation "{relation.name}" does not exist',
            )
        if att.attnum in result:
            raise PgError("42701", f'column "{name}" specified more than once')
        result.append(att.attnum)
    return tuple(result)


def _when(session: Any, relation: Any, stmt: dict[str, Any], tgtype: int, source_text: str) -> Any:
    """The WHEN condition over OLD (Var 1) and NEW (Var 2)."""
    raw = stmt.get("whenClause")
    if raw is None:
        return None
    from pgemu.nodes.parsenodes import Alias, RangeTblEntry
    from pgemu.nodes.primnodes import Var
    from pgemu.nodes.walk import walk
    from pgemu.parser.parse_coerce import coerce_to_boolean
    from pgemu.parser.parse_collate import assign_expr_collations
    from pgemu.parser.parse_expr import transform_expr
    from pgemu.parser.parse_node import ParseExprKind, ParseNamespaceItem, make_parsestate

    pstate = make_parsestate(None, session.catalog, source_text)
    names = ["" if a.attisdropped else a.attname for a in relation.attrs]
    for number, alias in enumerate(("old", "new"), 1):
        eref = Alias(alias, names)
        rte = RangeTblEntry(
            "relation", eref, alias=Alias(alias), relid=relation.oid, relkind=relation.relkind
        )
        pstate.p_rtable.append(rte)
        pstate.p_joinexprs.append(None)
        pstate.p_namespace.append(
            ParseNamespaceItem(eref, rte, number, p_cols_visible=False, p_relation=relation)
        )
    expr = transform_expr(pstate, raw, ParseExprKind.EXPR_KIND_TRIGGER_WHEN)
    expr = coerce_to_boolean(pstate, expr, "WHEN")
    assign_expr_collations(pstate, expr)

    def visit(node: Any) -> bool | None:
        if not isinstance(node, Var) or node.varlevelsup:
            return None
        old = node.varno == 1
        problem = ""
        if tgtype & BEFORE and not old and node.varattno < 0:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "BEFORE trigger's WHEN condition cannot reference NEW system columns",
                location=node.location,
            )
        if (
            tgtype & BEFORE
            and not old
            and (node.varattno in relation.generated or (relation.generated and not node.varattno))
        ):
            detail = "A whole-row reference is used and the table contains generated columns."
            if node.varattno:
                name = relation.attrs[node.varattno - 1].attname
                detail = f'Column "{name}" is a generated column.'
            raise PgError(
                INVALID_OBJECT_DEFINITION,
                "BEFORE trigger's WHEN condition cannot reference NEW generated columns",
                detail=detail,
                location=node.location,
            )
        if not tgtype & ROW:
            problem = "statement trigger's WHEN condition cannot reference column values"
        elif old and tgtype & INSERT:
            problem = "INSERT trigger's WHEN condition cannot reference OLD values"
        elif not old and tgtype & DELETE:
            problem = "DELETE trigger's WHEN condition cannot reference NEW values"
        if problem:
            raise PgError(INVALID_OBJECT_DEFINITION, problem, location=node.location)
        return None

    walk([expr], visit)
    return expr


def _store(
    session: Any,
    relation: Any,
    stmt: dict[str, Any],
    tgtype: int,
    function: PgProc,
    columns: tuple[int, ...],
    qual: Any,
    old: PgTrigger | None,
) -> PgTrigger:
    from pgemu.catalog.pg_constraint import constraint_row

    catalog = session.catalog
    oid = old.oid if old is not None else catalog.new_oid()
    args = strings(stmt.get("args"))
    rows: list[Any] = []
    constraint = referenced = 0
    me = (PG_TRIGGER_RELID, oid, 0)
    if stmt.get("isconstraint"):
        constraint = catalog.new_oid()
        if stmt.get("constrrel"):
            from pgemu.catalog.namespace import range_var_get_relid

            referenced = range_var_get_relid(catalog, stmt["constrrel"])
        rows.append(
            constraint_row(
                constraint, stmt["trigname"], relation.namespace, "t", conrelid=relation.oid,
                condeferrable=bool(stmt.get("deferrable")),
                condeferred=bool(stmt.get("initdeferred")), connoinherit=True,
            )
        )  # fmt: skip
        con = (PG_CONSTRAINT_RELID, constraint, 0)
        rows.append(depend(con, (PG_CLASS_RELID, relation.oid, 0), "a"))
        # unlike in the triggers that a constraint makes, the trigger comes first
        rows.append(depend(con, me, "i"))
    transitions = [t["TriggerTransition"] for t in stmt.get("transitionRels", ())]
    old_table = next((t["name"] for t in transitions if not t.get("isNew")), None)
    new_table = next((t["name"] for t in transitions if t.get("isNew")), None)
    made = PgTrigger(
        oid, relation.oid, 0, stmt["trigname"], function.oid, tgtype,
        old.tgenabled if old is not None else "O", False, referenced, 0, constraint,
        bool(stmt.get("deferrable")), bool(stmt.get("initdeferred")), len(args), columns,
        b"".join(a.encode() + b"\0" for a in args),
        node_to_string(qual) if qual is not None else None, old_table, new_table,
    )  # fmt: skip
    rows.append(made)
    if not is_pinned(function.oid):
        rows.append(depend(me, (PG_PROC_RELID, function.oid, 0), "n"))
    rows.append(depend(me, (PG_CLASS_RELID, relation.oid, 0), "a"))
    if referenced:
        rows.append(depend(me, (PG_CLASS_RELID, referenced, 0), "a"))
    rows.extend(depend(me, (PG_CLASS_RELID, relation.oid, n), "n") for n in columns)
    insert_rows(catalog, rows)
    if qual is not None:
        from pgemu.nodes.parsenodes import Alias, RangeTblEntry

        entry = RangeTblEntry("relation", Alias(""), relid=relation.oid, relkind=relation.relkind)
        record_dependency_on_expr(catalog, ObjectAddress(*me), qual, [entry, entry])
    catalog.update(PgClass, {"oid": relation.oid}, relhastriggers=True)
    return made
