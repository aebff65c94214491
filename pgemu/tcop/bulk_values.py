"""INSERT ... VALUES of many rows of literals, as ORMs write them (no counterpart in PostgreSQL).

To analyze a thousand rows costs a thousand times the analysis of one, though they differ in their
literals only.  So the text is cut into its rows; the rows of one shape share the plan of an INSERT
of one row, which is run for each of them, all in one statement.  Whatever is out of the ordinary
(other clauses, triggers, other transactions at work, a literal that its column does not take)
leaves the statement to the general way, which then also finds the position of an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import apsw

from pgemu.errors import PgError
from pgemu.executor.execute import Result
from pgemu.executor.locking import lock_for_plan
from pgemu.executor.sqlite_errors import translate
from pgemu.nodes.primnodes import Value
from pgemu.planner.plan import Plan
from pgemu.tcop.literals import Shape, cut
from pgemu.tcop.plancache import CachedStatement
from pgemu.transam.visibility import EVERYTHING

MIN_TEXT = 500
_HEAD = re.compile(
    r'\s*insert\s+into\s+(?:[\w.]|"[^"]*+")+\s*(?:\((?:[\w\s,]|"[^"]*+")*+\)\s*)?values\s*',
    re.IGNORECASE,
)
# a row of literals, without anything in parentheses or brackets, and what follows it
_ROW = re.compile(r"(\((?:[^()\[\]'\"$\\/{]|'(?:[^'\\]|'')*+')*+\))\s*(,\s*|;?\s*\Z)")
Prepare = Callable[[str, Shape], CachedStatement | None]
_Batch = tuple[Plan, list[tuple[Value, ...]]]


def run_bulk(session: Any, text: str, prepare: Prepare) -> Result | None:
    """Run a statement of that kind; None: it is another one, nothing was done.  prepare makes the
    cached plan of a statement of one row."""
    if len(text) < MIN_TEXT or not session.guc.values["standard_conforming_strings"]:
        return None
    head = _HEAD.match(text)
    if head is None or not session.xact.quiet():
        return None
    rows = _rows(text, head.end())
    if len(rows) < 2:
        return None
    batches = _batches(session, text[: head.end()], rows, prepare)
    plans = {id(plan): plan for plan, _ in batches}.values()
    if not plans or not all(_is_plain(session, plan) for plan in plans):
        return None
    if not lock_for_plan(session, batches[0][0]):
        session.accept_invalidations()
        return None
    try:
        if not _run(session, batches):
            return None
    except apsw.Error as error:
        raise translate(error, session) from error
    return Result(None, None, len(rows), f"INSERT 0 {len(rows)}")


def _rows(text: str, at: int) -> list[str]:
    """The texts of the rows; none if there is anything else in the statement."""
    rows = []
    while True:
        row = _ROW.match(text, at)
        if row is None:
            return []
        rows.append(row[1])
        at = row.end()
        if row[2][:1] != ",":
            return rows if at == len(text) else []


def _batches(session: Any, head: str, rows: list[str], prepare: Prepare) -> list[_Batch]:
    """The rows as bindings, those of one shape that follow each other together."""
    known: dict[str, CachedStatement] = {}
    batches: list[_Batch] = []
    commas = -1
    last: CachedStatement | None = None
    for row in rows:
        shape = cut(row)
        if shape is None:
            return []
        cached = known.get(shape.key)
        if cached is None:
            if commas not in (-1, shape.key.count(",")):
                return []  # rows of different lengths
            commas = shape.key.count(",")
            cached = _prepared(session, head + row, prepare)
            if cached is None:
                return []
            known[shape.key] = cached
        literals = shape.literals
        try:
            values = tuple([convert(literals[n]) for n, convert in cached.converters])
        except PgError:
            return []
        if cached is not last:
            batches.append((cached.plan, []))
            last = cached
        batches[-1][1].append(values)
    return batches


def _prepared(session: Any, text: str, prepare: Prepare) -> CachedStatement | None:
    """The plan of a statement of one row; None: it does not serve rows with other literals."""
    shape = cut(text)
    if shape is None or len(shape.literals) > 500:
        return None
    cache, epoch, version = session.plan_cache, session.guc.epoch, session.plan_version()
    if cache.find(shape, epoch, version) is None and prepare(text, shape) is None:
        return None
    found: CachedStatement | None = cache.find(shape, epoch, version)
    return None if found is None or cache.keeps(shape, epoch) else found


def _is_plain(session: Any, plan: Plan) -> bool:
    """The plan is one SQLite INSERT, and neither triggers nor conditions belong to it."""
    modify = plan.modify
    if modify is None or modify.direct_sql is None or modify.conflict is not None:
        return False
    if plan.command_type != "insert" or modify.returning or modify.row_test is None:
        return False
    relation = session.catalog.relation(modify.relid)
    return (
        relation.relkind == "r"
        and relation.oid >= 16384
        and not (plan.has_effects or plan.may_write or plan.steps or plan.row_marks)
        and not (relation.row.relhassubclass or relation.row.relispartition)
        and all(trigger.tgisinternal for trigger in relation.triggers)
        and len(plan.relations) <= 1
    )


def _run(session: Any, batches: Sequence[_Batch]) -> bool:
    """Store the rows in one statement; False: others are at work."""
    xact, conn = session.xact, session.conn
    modify = batches[0][0].modify
    assert modify is not None
    if xact.current.read_only and session.catalog.relation(modify.relid).persistence != "t":
        xact.prevent_if_read_only("INSERT")
    xact.queried = True
    with xact.write():
        if not xact.alone():
            return False
        xact.snapshot = EVERYTHING
        session.prepare_write(session.catalog.relation(modify.relid))
        for plan, rows in batches:
            assert plan.modify is not None and plan.modify.direct_sql is not None
            conn.executemany(plan.modify.direct_sql, rows)
        session.after_triggers.end_of_statement()
    return True
