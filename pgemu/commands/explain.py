"""EXPLAIN: options, execution for ANALYZE, and the four output formats (PostgreSQL's explain.c).

The plan shown is PostgreSQL's language for what SQLite does (explain_plan.py).  ANALYZE runs the
statement; SQLite runs all of it at once, so only the top node has times and rows.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from pgemu.commands.define import def_get_boolean, def_get_string
from pgemu.commands.explain_plan import PlanNode, explain_query
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import INVALID_PARAMETER_VALUE, SYNTAX_ERROR, PgError
from pgemu.nodes.parsenodes import Query, RawStmt
from pgemu.rewrite.rewrite_handler import query_rewrite

TEXTOID, JSONOID, XMLOID = 25, 114, 142


@dataclass(slots=True)
class ExplainState:
    """The options."""

    analyze: bool = False
    verbose: bool = False
    costs: bool = True
    settings: bool = False
    buffers: bool = False
    wal: bool = False
    timing: bool = True
    summary: bool = False
    format: str = "text"


@dataclass(slots=True)
class Figures:
    """What ANALYZE measured; times in milliseconds."""

    planning: float = 0.0
    execution: float = 0.0
    rows: int = 0


def process_options(raw: list[dict[str, Any]]) -> ExplainState:
    """The options of an ExplainStmt, checked."""
    state = ExplainState()
    given: set[str] = set()
    for node in raw:
        option = node["DefElem"]
        name = option["defname"]
        given.add(name)
        if name == "format":
            value = def_get_string(option)
            if value not in ("text", "xml", "json", "yaml"):
                raise PgError(
                    INVALID_PARAMETER_VALUE,
                    f'unrecognized value for EXPLAIN option "{name}": "{value}"',
                    location=option.get("location"),
                )
            state.format = value
        elif name in (
            "analyze", "verbose", "costs", "settings", "buffers", "wal", "timing", "summary",
        ):  # fmt: skip
            setattr(state, name, def_get_boolean(option))
        else:
            raise PgError(
                SYNTAX_ERROR,
                f'unrecognized EXPLAIN option "{name}"',
                location=option.get("location"),
            )
    if state.wal and not state.analyze:
        raise PgError(INVALID_PARAMETER_VALUE, "EXPLAIN option WAL requires ANALYZE")
    if "timing" not in given:
        state.timing = state.analyze
    elif state.timing and not state.analyze:
        raise PgError(INVALID_PARAMETER_VALUE, "EXPLAIN option TIMING requires ANALYZE")
    if "summary" not in given:
        state.summary = state.analyze
    return state


def result_type(raw: list[dict[str, Any]]) -> int:
    """The type of the column "QUERY PLAN" (ExplainResultDesc)."""
    kind = TEXTOID
    for node in raw:
        option = node["DefElem"]
        if option["defname"] == "format":
            kind = {"json": JSONOID, "xml": XMLOID}.get(def_get_string(option), TEXTOID)
    return kind


def explain(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """EXPLAIN statement."""
    options = stmt.get("options", [])
    state = process_options(options)
    column = [("QUERY PLAN", result_type(options), -1)]
    query = st.query.utility_query if st.query is not None else None
    if query is None:
        query = session.analyze(RawStmt(stmt["query"]), st.source_text)
    plans = _explain_all(session, query, state, st)
    text = _FORMATS[state.format](plans, state, session)
    lines = text.split("\n") if state.format == "text" else [text]
    return CommandResult("EXPLAIN", column, [(line,) for line in lines])


def _explain_all(
    session: Any, query: Query, state: ExplainState, st: Statement
) -> list[tuple[PlanNode | None, Figures]]:
    if query.command_type == "utility":
        inner = _inner_query(session, query, st)
        if inner is None:
            return [(None, Figures())]
        if state.analyze:
            session.run(query, st.params)
        query = inner
        state.analyze = False
    plans: list[tuple[PlanNode | None, Figures]] = []
    for one in query_rewrite(query, session.catalog):
        figures = Figures()
        start = time.perf_counter()
        plan = None if one.command_type == "utility" else session.plan(one)
        figures.planning = (time.perf_counter() - start) * 1000
        node = explain_query(session, one, plan) if plan is not None else None
        plans.append((node, figures))
    if not plans:
        return [(PlanNode("Result", [("One-Time Filter", "false")]), Figures())]
    if state.analyze:
        start = time.perf_counter()
        result = session.run(query, st.params)
        rows = result.count if query.command_type == "select" or query.returning_list else 0
        plans[-1][1].rows = rows
        plans[-1][1].execution = (time.perf_counter() - start) * 1000
    return plans


def _inner_query(session: Any, query: Query, st: Statement) -> Query | None:
    """The query of CREATE TABLE AS, DECLARE CURSOR or EXECUTE."""
    tag, body = next(iter((query.utility_stmt or {}).items()))
    if tag == "ExecuteStmt":
        prepared = getattr(session, "prepared_statements", {}).get(body["name"])
        if prepared is None:
            raise PgError("26000", f'prepared statement "{body["name"]}" does not exist')
        session.execute_parameters(prepared, body, st.source_text)
        prepared.count_plan(str(session.guc.values["plan_cache_mode"]))
        inner: Query | None = prepared.query
        return inner
    return query.utility_query


# -- text ------------------------------------------------------------------------------------------


def _text(plans: list[tuple[PlanNode | None, Figures]], state: ExplainState, session: Any) -> str:
    lines: list[str] = []
    for node, figures in plans:
        if lines:
            lines.append("")
        if node is None:
            lines.append("Utility statements have no plan structure")
            continue
        _text_node(lines, node, state, figures, 0, top=True)
        lines.extend(_settings_lines(state, session))
        if state.summary:
            lines.append(f"Planning Time: {figures.planning:.3f} ms")
            if state.analyze:
                lines.append(f"Execution Time: {figures.execution:.3f} ms")
    return "\n".join(lines)


def _settings_lines(state: ExplainState, session: Any) -> list[str]:
    changed = _changed_settings(state, session)
    if not changed:
        return []
    return ["Settings: " + ", ".join(f"{n} = '{v}'" for n, v in changed)]


def _changed_settings(state: ExplainState, session: Any) -> list[tuple[str, str]]:
    """Planner settings that are not at their defaults; pgemu has no planner to set."""
    if not state.settings:
        return []
    found = []
    for name in ("search_path", "work_mem", "enable_seqscan", "enable_indexscan"):
        value, default = session.guc.get(name), session.guc.find(name)[1].boot_val
        if str(value).lower() != str(default).lower() and name != "work_mem":
            found.append((name, str(value)))
    return found


def _text_node(
    lines: list[str], node: PlanNode, state: ExplainState, figures: Figures, indent: int,
    *, top: bool = False,
) -> None:  # fmt: skip
    head = ""
    body = indent
    if node.label:
        lines.append(" " * indent + node.label)
        indent += 2
    if not top:
        head = " " * indent + "->  "
        body = indent + 6
    else:
        body = 2
    title = node.title
    if state.costs:
        title += (
            f"  (cost={node.startup:.2f}..{node.total:.2f} rows={node.rows} width={node.width})"
        )
    if state.analyze and top:
        if state.timing:
            took = figures.execution
            title += f" (actual time={took:.3f}..{took:.3f} rows={figures.rows} loops=1)"
        else:
            title += f" (actual rows={figures.rows} loops=1)"
    lines.append(head + title)
    if state.verbose and node.output:
        lines.append(" " * body + "Output: " + ", ".join(node.output))
    for label, value in node.properties:
        shown = ", ".join(value) if isinstance(value, list) else value
        lines.append(f"{' ' * body}{label}: {shown}")
    for child in node.children:
        _text_node(lines, child, state, figures, body)


# -- json, yaml, xml -------------------------------------------------------------------------------


class _Cost(float):
    """A number that JSON writes with two decimals."""

    def __repr__(self) -> str:
        return f"{float(self):.2f}"


def _plain(node: PlanNode, state: ExplainState, figures: Figures, relation: str) -> dict[str, Any]:
    found: dict[str, Any] = {"Node Type": node.kind}
    found.update(node.details)
    if relation:
        found["Parent Relationship"] = relation
    if node.label.startswith("CTE "):
        found["Subplan Name"] = node.label
    found["Parallel Aware"] = False
    found["Async Capable"] = False
    found.update(node.target)
    if state.costs:
        found["Startup Cost"] = _Cost(node.startup)
        found["Total Cost"] = _Cost(node.total)
        found["Plan Rows"] = node.rows
        found["Plan Width"] = node.width
    if state.analyze and not relation:
        if state.timing:
            found["Actual Startup Time"] = round(figures.execution, 3)
            found["Actual Total Time"] = round(figures.execution, 3)
        found["Actual Rows"] = figures.rows
        found["Actual Loops"] = 1
    if state.verbose and node.output:
        found["Output"] = node.output
    found.update(node.properties)
    if node.children:
        sides = ["Outer", "Inner"] if len(node.children) == 2 else ["Outer"]
        if node.kind in ("Append", "ModifyTable", "Recursive Union"):
            sides = ["Member"] * len(node.children) if node.kind == "Append" else sides
        found["Plans"] = [
            _plain(c, state, figures, "InitPlan" if c.label else sides[min(i, len(sides) - 1)])
            for i, c in enumerate(node.children)
        ]
    return found


def _documents(
    plans: list[tuple[PlanNode | None, Figures]], state: ExplainState, session: Any
) -> list[Any]:
    documents: list[Any] = []
    for node, figures in plans:
        if node is None:
            documents.append("Utility Statement")
            continue
        document: dict[str, Any] = {"Plan": _plain(node, state, figures, "")}
        settings = _changed_settings(state, session)
        if settings:
            document["Settings"] = dict(settings)
        if state.summary:
            document["Planning Time"] = round(figures.planning, 3)
        if state.analyze:
            document["Triggers"] = []
            if state.summary:
                document["Execution Time"] = round(figures.execution, 3)
        documents.append(document)
    return documents


def _scalar(value: Any) -> str:
    if isinstance(value, _Cost):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def _json(plans: list[tuple[PlanNode | None, Figures]], state: ExplainState, session: Any) -> str:
    def write(value: Any, indent: int) -> str:
        pad = "  " * indent
        if isinstance(value, dict):
            inner = ",\n".join(
                f"{pad}  {json.dumps(k)}: {write(v, indent + 1)}" for k, v in value.items()
            )
            return "{\n" + inner + "\n" + pad + "}"
        if isinstance(value, list):
            if value and not isinstance(value[0], dict):
                return "[" + ", ".join(_scalar(v) for v in value) + "]"
            inner = ",\n".join(f"{pad}  {write(v, indent + 1)}" for v in value)
            return "[\n" + (inner + "\n" if inner else "") + pad + "]"
        return _scalar(value)

    return write(_documents(plans, state, session), 0)


def _yaml(plans: list[tuple[PlanNode | None, Figures]], state: ExplainState, session: Any) -> str:
    lines: list[str] = []

    def write(value: dict[str, Any], indent: int) -> None:
        first = True
        for key, one in value.items():
            pad = "  " * indent
            lead = pad[:-2] + "- " if first else pad
            first = False
            if isinstance(one, dict):
                lines.append(f"{lead}{key}: ")
                nested(one, indent + 1)
            elif isinstance(one, list):
                lines.append(f"{lead}{key}: ")
                for item in one:
                    if isinstance(item, dict):
                        write(item, indent + 2)
                    else:
                        lines.append(f"{pad}  - {_scalar(item)}")
            else:
                lines.append(f"{lead}{key}: {_scalar(one)}")

    def nested(value: dict[str, Any], indent: int) -> None:
        mark = len(lines)
        write(value, indent)
        pad = "  " * indent
        lines[mark] = pad + lines[mark][len(pad) :]

    for document in _documents(plans, state, session):
        if isinstance(document, str):
            lines.append(f"- {_scalar(document)}")
        else:
            write(document, 1)
    return "\n".join(lines)


def _xml(plans: list[tuple[PlanNode | None, Figures]], state: ExplainState, session: Any) -> str:
    lines = ['<explain xmlns="http://www.postgresql.org/2009/explain">']

    def element(key: str, value: Any, indent: int) -> None:
        tag = key.replace(" ", "-").replace("/", "-")
        pad = "  " * indent
        if isinstance(value, dict):
            lines.append(f"{pad}<{tag}>")
            for name, inner in value.items():
                element(name, inner, indent + 1)
            lines.append(f"{pad}</{tag}>")
        elif isinstance(value, list):
            lines.append(f"{pad}<{tag}>")
            for item in value:
                element("Plan" if isinstance(item, dict) else "Item", item, indent + 1)
            lines.append(f"{pad}</{tag}>")
        else:
            text = _scalar(value) if not isinstance(value, str) else escape(value)
            lines.append(f"{pad}<{tag}>{text}</{tag}>")

    for document in _documents(plans, state, session):
        if isinstance(document, str):
            lines.append("  <Utility-Statement/>")
        else:
            element("Query", document, 1)
    lines.append("</explain>")
    return "\n".join(lines)


_FORMATS = {"text": _text, "json": _json, "yaml": _yaml, "xml": _xml}
