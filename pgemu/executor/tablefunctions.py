"""Table-valued functions: the apsw virtual tables behind functions in FROM, LATERAL sub-queries
and rows that a statement hands to its own parts.

Each is an eponymous virtual table whose hidden columns are the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

import apsw

from pgemu.planner.lowering import SetCall
from pgemu.planner.plan import Plan
from pgemu.planner.sql import PLAIN_ARGUMENTS
from pgemu.types.record import deform, form_composite, form_record

RECORDOID = 2249
_EQ = apsw.SQLITE_INDEX_CONSTRAINT_EQ


def unquoted(text: str) -> Any:
    """The value that SQLite's quote() wrote as a literal."""
    if text == "NULL":
        return None
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text.startswith("X'"):
        return bytes.fromhex(text[2:-1])
    return int(text) if text.lstrip("-").isdigit() else float(text)


class _Table:
    """One virtual table: columns c1 .. cn, the row number as
    c(n+1), and hidden a1 .. am for the arguments."""

    def __init__(self, ncolumns: int, nargs: int, rows: Callable[..., Iterable[Any]]) -> None:
        self.first_arg = ncolumns + 1
        self.nargs = nargs
        self.rows = rows

    def BestIndexObject(self, info: Any) -> bool:
        found = set()
        for number in range(info.nConstraint):
            arg = info.get_aConstraint_iColumn(number) - self.first_arg
            if arg < 0 or info.get_aConstraint_op(number) != _EQ:
                continue
            if not info.get_aConstraint_usable(number):
                return False
            info.set_aConstraintUsage_argvIndex(number, arg + 1)
            info.set_aConstraintUsage_omit(number, True)
            found.add(arg)
        info.estimatedCost = 100.0
        info.estimatedRows = 100
        return len(found) == self.nargs

    def Open(self) -> _Cursor:
        return _Cursor(self)

    def Disconnect(self) -> None:
        pass

    Destroy = Disconnect


class _Cursor:
    def __init__(self, table: _Table) -> None:
        self.table = table
        self.row: Any = None
        self.number = 0
        self.args: Sequence[Any] = ()
        self.iterator: Iterator[Any] = iter(())

    def Filter(self, index: int, name: str, args: Sequence[Any]) -> None:
        self.args = args
        if len(args) > PLAIN_ARGUMENTS:
            rest = args[PLAIN_ARGUMENTS:]
            args = (*args[:PLAIN_ARGUMENTS], *(unquoted(text) for text in rest))
        self.iterator = iter(self.table.rows(*args))
        self.number = 0
        self.Next()

    def Next(self) -> None:
        self.row = next(self.iterator, None)
        self.number += 1

    def Eof(self) -> bool:
        return self.row is None

    def Rowid(self) -> int:
        return self.number

    def Column(self, number: int) -> Any:
        if number < 0:
            return self.number
        try:
            return self.row[number]
        except IndexError:
            argument = number - self.table.first_arg
            return self.args[argument] if argument >= 0 else self.number

    def Close(self) -> None:
        self.iterator = iter(())


def _declare(ncolumns: int, nargs: int) -> str:
    names = [f"c{n}" for n in range(1, ncolumns + 2)]
    names += [f"a{n} HIDDEN" for n in range(1, nargs + 1)]
    return f"CREATE TABLE x({', '.join(names)})"


class _Module:
    """What create_module takes; the table is the same for every connection to it."""

    ncolumns = 0
    nargs = 0

    def rows(self, *args: Any) -> Iterable[Any]:
        raise NotImplementedError

    def Create(self, db: Any, module: str, schema: str, table: str, *args: str) -> Any:
        return _declare(self.ncolumns, self.nargs), _Table(self.ncolumns, self.nargs, self.rows)

    Connect = Create


class FunctionModule(_Module):
    """ROWS FROM (f(...), g(...)): the functions run in lockstep, the shorter padded with NULLs."""

    def __init__(self, calls: Sequence[SetCall], bodies: Sequence[Callable[..., Any]]) -> None:
        self.calls = list(zip(calls, bodies, strict=True))
        self.ncolumns = sum(c.ncolumns for c in calls)
        self.nargs = sum(c.nargs for c in calls)

    def rows(self, *args: Any) -> Iterable[Any]:
        sets = []
        position = 0
        for call, body in self.calls:
            its_args = args[position : position + call.nargs]
            position += call.nargs
            sets.append(_set_rows(call, body, its_args))
        if len(sets) == 1:
            return sets[0]
        blanks = [(None,) * call.ncolumns for call, _ in self.calls]
        return (
            tuple(v for part, blank in zip(row, blanks, strict=True) for v in (part or blank))
            for row in zip_longest(*sets)
        )


def _set_rows(call: SetCall, body: Callable[..., Any], args: Sequence[Any]) -> Iterable[Any]:
    result = body(*args)
    returns_set = call.proc is not None and call.proc.proretset
    if returns_set:
        values: Iterable[Any] = () if result is None else result
    else:
        values = (result,)
    if call.as_row:
        return ((_one_row(value, call),) for value in values)
    if call.expand:
        return (_spread(value, call.ncolumns) for value in values)
    if call.ncolumns > 1:
        return (v if isinstance(v, tuple) else _spread(v, call.ncolumns) for v in values)
    return (v if isinstance(v, tuple) else (v,) for v in values)


def _one_row(value: Any, call: SetCall) -> Any:
    """The columns of one result as a composite value."""
    if not isinstance(value, (tuple, list)):
        return value
    if call.info.result_type != RECORDOID:
        return form_composite(value)
    types = [t for _, t, _ in call.info.ret_columns]
    return form_record(types if len(types) == len(value) else [25] * len(value), value)


def _spread(value: Any, width: int) -> tuple[Any, ...]:
    if value is None:
        return (None,) * width
    if isinstance(value, (tuple, list)):
        return tuple(value)
    if isinstance(value, str) and value[:1] in "[{":
        fields = deform(value)[1]
        return tuple(fields) + (None,) * (width - len(fields))
    return (value,)


class StatementModule(_Module):
    """A LATERAL sub-query: a statement run with the outer row's values as parameters."""

    def __init__(
        self, conn: apsw.Connection, sql: str, nargs: int, ncolumns: int, session: Any
    ) -> None:
        self.conn, self.sql, self.session = conn, sql, session
        self.nargs, self.ncolumns = nargs, ncolumns

    def rows(self, *args: Any) -> Iterable[Any]:
        text = self.session.visible_sql(self.sql)
        return self.conn.execute(text, args).fetchall()


class LockedModule(_Module):
    """A sub-query with FOR UPDATE: its rows are locked as they are asked for."""

    def __init__(self, session: Any, plan: Plan, ncolumns: int) -> None:
        self.session, self.plan = session, plan
        self.nargs, self.ncolumns = len(plan.params), ncolumns

    def rows(self, *args: Any) -> Iterable[Any]:
        from pgemu.executor.lockrows import locked_as_asked

        return locked_as_asked(self.session, self.plan, args)


class RowsModule(_Module):
    """rows(name): rows that the executor put aside under a name for this statement."""

    nargs = 1

    def __init__(self, row_sets: dict[str, list[tuple[Any, ...]]], ncolumns: int) -> None:
        self.row_sets = row_sets
        self.ncolumns = ncolumns

    def rows(self, *args: Any) -> Iterable[Any]:
        return self.row_sets.get(args[0], ())


class SequenceModule(_Module):
    """sequence(oid): the one row of a sequence relation."""

    nargs = 1
    ncolumns = 3

    def __init__(self, session: Any) -> None:
        self.session = session

    def rows(self, *args: Any) -> Iterable[Any]:
        last_value, log_cnt, is_called = self.session.sequences.read(
            self.session.catalog.relation(args[0]).relfilenode
        )
        yield last_value, log_cnt, int(is_called)


class RecursionModule(_Module):
    """A recursive CTE in rounds: the first term's rows, then those that the recursive term makes
    of the rows of the last round, until it makes none.  UNION drops rows that were there."""

    def __init__(
        self,
        udfs: Any,
        name: str,
        first: tuple[str, int],
        then: tuple[str, int],
        types: Sequence[int],
        all_rows: bool,
    ) -> None:
        self.udfs, self.name, self.first, self.then = udfs, name, first, then
        self.all_rows = all_rows
        self.nargs = first[1] + then[1]
        self.ncolumns = len(types)
        self.keys = [udfs.catalog.types.io(t).hash_key for t in types]

    def _new(self, rows: Sequence[Any], seen: set[Any]) -> list[Any]:
        if self.all_rows:
            return list(rows)
        kept = []
        for row in rows:
            key = tuple(None if v is None else k(v) for v, k in zip(row, self.keys, strict=True))
            if key not in seen:
                seen.add(key)
                kept.append(row)
        return kept

    def rows(self, *args: Any) -> Iterator[Any]:
        session, conn, row_sets = self.udfs.session, self.udfs.conn, self.udfs.row_sets
        split = self.first[1]
        seen: set[Any] = set()
        text = session.visible_sql(self.first[0])
        rows = self._new(conn.execute(text, args[:split]).fetchall(), seen)
        text = session.visible_sql(self.then[0])
        while rows:
            yield from rows
            saved = row_sets.get(self.name)
            row_sets[self.name] = rows
            try:
                made = conn.execute(text, args[split:]).fetchall()
            finally:
                row_sets[self.name] = saved or []
            rows = self._new(made, seen)
