"""COPY FROM: rows into a table (PostgreSQL's copyfrom.c).

The input is read before the write transaction starts (up to INPUT_LIMIT), so that a slow client
holds no lock.  Then batches of rows are converted column by column (copy_columns.py) and stored
with one prepared INSERT; defaults and generated columns are part of its text, constraints are
tested by the table's triggers.  Tables with row triggers, views and partitioned tables are
written through an ordinary INSERT, row by row.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

import apsw

from pgemu.catalog.lsyscache import get_base_type_and_typmod
from pgemu.catalog.rows import PgAttribute
from pgemu.catalog.store import FIRST_NORMAL_OID
from pgemu.commands.copy_binary import binary_rows
from pgemu.commands.copy_columns import ColumnReader, column_reader
from pgemu.commands.copy_csv import CsvParser
from pgemu.commands.copy_options import CopyFormatOptions
from pgemu.commands.copy_text import TextParser
from pgemu.commands.copyfromparse import Batch, Input, LineParser, shortened, texts
from pgemu.commands.result import CommandResult
from pgemu.commands.truncate import set_new_storage
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    UNIQUE_VIOLATION,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.executor.execute import bind, run_plan
from pgemu.executor.modify import WaitFor
from pgemu.executor.triggers import one_statement
from pgemu.nodes.primnodes import Const, Value, Var
from pgemu.nodes.walk import mutate
from pgemu.planner.fromclause import no_fdw_handler
from pgemu.transam.schema import next_rids, prefix

SELF_ITEM_POINTER, TABLE_OID, TIDOID = -1, -6, 27
INPUT_LIMIT = 64 << 20
CHUNK = 5000
_WORTH_NEW_STORAGE = 1 << 20  # bytes of input of COPY FREEZE into a table that was truncated
GROUP = 10  # rows of one INSERT; more gain nothing


def copy_from(
    session: Any,
    relation: Any,
    columns: Sequence[PgAttribute],
    options: CopyFormatOptions,
    where: Any,
    stmt: dict[str, Any],
) -> CommandResult:
    """COPY table FROM."""
    source, close = _open_source(session, stmt, options, len(columns))
    try:
        _check_kind(session, relation)
        if options.freeze:
            _check_freeze(session, relation)
        source.fill(INPUT_LIMIT)
        with no_garbage_collection():
            count = _write(session, relation, columns, options, where, source)
    finally:
        close()
    return CommandResult(f"COPY {count}")


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Millions of new strings and tuples, none in a cycle: looking for cycles costs a third."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _open_source(
    session: Any, stmt: dict[str, Any], options: CopyFormatOptions, width: int
) -> tuple[Input, Callable[[], None]]:
    filename = stmt.get("filename")
    if filename is None:
        form = int(options.binary)
        session.client.begin_copy_in(form, [form] * width)
        return Input(session.client.read_copy_data), lambda: None
    from pgemu.commands.copy import open_server_file

    file = open_server_file(filename, write=False)
    return Input(lambda: file.read(1 << 16) or None), file.close


def _without_system_columns(where: Any) -> Any:
    """WHERE for rows that are not stored yet (slot_getsysattr of a virtual tuple): their ctid is
    an invalid one, and transaction numbers they have none."""

    def visit(node: object) -> object | None:
        if isinstance(node, Var) and node.varattno == SELF_ITEM_POINTER:
            return Const(TIDOID, "(4294967295,0)")
        if isinstance(node, Var) and node.varattno < 0 and node.varattno != TABLE_OID:
            raise PgError(FEATURE_NOT_SUPPORTED, "cannot retrieve a system column in this context")
        return None

    return None if where is None else mutate(where, visit)


def _check_kind(session: Any, relation: Any) -> None:
    hint = None
    if relation.relkind in "rp":
        return
    word = {
        "v": "view",
        "m": "materialized view",
        "S": "sequence",
        "f": "foreign table",
    }.get(relation.relkind, "non-table relation")
    if relation.relkind == "v":
        # TRIGGER_TYPE_INSTEAD | TRIGGER_TYPE_INSERT
        if any(t.tgtype & 68 == 68 for t in relation.triggers):
            return
        hint = "To enable copying to a view, provide an INSTEAD OF INSERT trigger."
    if relation.relkind == "f":
        raise no_fdw_handler(session.catalog, relation.oid)
    raise PgError(WRONG_OBJECT_TYPE, f'cannot copy to {word} "{relation.name}"', hint=hint)


def _check_freeze(session: Any, relation: Any) -> None:
    if relation.relkind == "p":
        raise PgError(FEATURE_NOT_SUPPORTED, "cannot perform COPY FREEZE on a partitioned table")
    if not session.xact.is_new_storage(relation.sqlite_name):
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "cannot perform COPY FREEZE because the table was not created or truncated in the "
            "current subtransaction",
        )


def _write(
    session: Any,
    relation: Any,
    columns: Sequence[PgAttribute],
    options: CopyFormatOptions,
    where: Any,
    source: Input,
) -> int:
    """One write statement; begun again after a wait for another transaction's key."""
    while True:
        try:
            with session.xact.write():
                source.keep = session.xact.others_running()
                return _write_once(session, relation, columns, options, where, source)
        except WaitFor as wait:
            if session.xact.write_depth:
                raise
            session.wait_for_xid(wait.xid)


def _write_once(
    session: Any,
    relation: Any,
    columns: Sequence[PgAttribute],
    options: CopyFormatOptions,
    where: Any,
    source: Input,
) -> int:
    own_triggers = any(not t.tgisinternal and t.tgenabled != "D" for t in relation.triggers)
    plain = relation.relkind == "r" and not own_triggers
    loader: _Loader
    frozen = plain and options.freeze and session.xact.in_block
    kept = not session.xact.made_since_savepoint(relation.sqlite_name)
    if frozen and kept and source.size() > _WORTH_NEW_STORAGE:
        set_new_storage(session, relation)
        relation = session.catalog.relation(relation.oid)
    if plain:
        loader = _Loader(session, relation, columns, options, where)
        loader.bare = where is None and _may_do_without_triggers(session, relation, columns)
        if not loader.bare:
            session.prepare_write(relation)
    else:
        loader = _RowLoader(session, relation, columns, options, where)
    try:
        with (
            _undo_at_once(session, relation, frozen) if plain else one_statement(session, relation)
        ):
            for batch in loader.batches(source):
                session.check_for_interrupts()
                loader.load(batch)
    except PgError as error:
        if error.where is not None:
            error.where = error.where.replace("\x00", f"COPY {relation.name}, ")
        raise
    source.drain()
    session.after_triggers.end_of_statement()
    return loader.count


def _may_do_without_triggers(session: Any, relation: Any, columns: Sequence[PgAttribute]) -> bool:
    """The rows can be looked at here, a column at a time: NOT NULL is all that they must obey
    besides unique indexes, and this connection has not got the table's triggers."""
    given = {a.attnum for a in columns}
    return (
        relation.oid >= FIRST_NORMAL_OID
        and all(a.attnum in given for a in relation.columns if a.attnotnull)
        and not session.xact.triggers.made(relation.sqlite_name)
        and not session.constraints.insert_needs_triggers(relation)
    )


@contextmanager
def _undo_at_once(session: Any, relation: Any, frozen: bool) -> Iterator[None]:
    """New rows have the highest rids, so their undo can be written by one statement at the end
    instead of by a trigger per row.  Frozen rows of storage that goes with its subtransaction need
    none: everybody may see them once it has committed."""
    xact = session.xact
    undo_xid = xact.undo_xid
    if not undo_xid:
        yield
        return
    name = relation.sqlite_name
    schema, _, table = name.partition(".")
    last = session.conn.execute(f"SELECT max(rid) FROM {name}").fetchone()[0] or 0
    xact.undo_xid = 0
    try:
        yield
    finally:
        xact.undo_xid = undo_xid
    if frozen and xact.made_since_savepoint(name):
        return
    session.conn.execute(
        f"INSERT INTO {schema}.{prefix(schema)}undo (xid, relfilenode, rid, op) "
        f"SELECT ?, {table[1:]}, rid, 'I' FROM {name} WHERE rid > ?",
        (undo_xid, last),
    )
    xact.undo_written = True


class _Loader:
    """Converts and stores batches of rows of one table."""

    def __init__(
        self,
        session: Any,
        relation: Any,
        columns: Sequence[PgAttribute],
        options: CopyFormatOptions,
        where: Any,
    ) -> None:
        self.session = session
        self.relation = relation
        self.columns = columns
        self.options = options
        self.where = _without_system_columns(where)
        self.count = 0
        self.readers: list[ColumnReader] = []
        self.inputs: list[Callable[[str | None], Value]] = []
        self.checks: list[Callable[..., Any] | None] = []
        for attr in columns:
            self._add_column(attr)
        self.counts_rows = where is not None
        # rows are stored without the table's triggers: NOT NULL is tested here
        self.bare = False
        self.group_sql = ""
        self.sql = self._statement()

    def _add_column(self, attr: PgAttribute) -> None:
        session = self.session
        catalog, ctx = session.catalog, session.ctx
        type_oid, typmod = get_base_type_and_typmod(catalog, attr.atttypid, attr.atttypmod)
        self.readers.append(column_reader(session, type_oid, typmod))
        io = catalog.types.io(type_oid)
        check = None
        if type_oid != attr.atttypid:
            from pgemu.executor.specials import SPECIALS

            check = SPECIALS["domain"][0](session.udfs, attr.atttypid)
        self.checks.append(check)
        read = io.input

        def one(text: str | None) -> Value:
            value = None if text is None else read(text, typmod, ctx)
            if check is not None:
                check(value)
            return value

        self.inputs.append(one)

    # -- the statement ---------------------------------------------------------------------------

    def _statement(self) -> str:
        from pgemu.planner.planner import compile_table_expr
        from pgemu.rewrite.rewrite_target import build_column_default

        relation, catalog = self.relation, self.session.catalog
        given = [a.attnum for a in self.columns]
        defaults: dict[int, str] = {}
        for attr in relation.columns:
            if attr.attnum in given or attr.attgenerated:
                continue
            expr = build_column_default(catalog, relation, attr.attnum)
            if expr is not None:
                defaults[attr.attnum] = compile_table_expr(catalog, relation, expr, "")
        generated = {
            number: compile_table_expr(catalog, relation, expr, "")
            for number, expr in relation.generated.items()
        }
        name = relation.sqlite_name
        head_names, head = "xmin", str(self.session.xact.xid)
        rid = next_rids(name)
        if self.session.conn.execute(f"SELECT {rid} IS NOT NULL").fetchone()[0]:
            head_names, head = "rid, xmin", f"{rid}, {head}"
        marks = ["?"] * len(given) + list(defaults.values())
        numbers = [*given, *defaults]
        if not generated and self.where is None:
            columns = "".join(f", c{n}" for n in numbers)
            values = "".join(f", {m}" for m in marks)
            insert = f"INSERT INTO {name} ({head_names}{columns}) VALUES "
            row = f"({head}{values})"
            if given and len(given) <= 100:
                self.group_sql = insert + ", ".join([row] * GROUP)
            return insert + row
        blanks = [a.attnum for a in relation.attrs if a.attnum not in numbers]
        inner = ", ".join(
            [f"{m} AS c{n}" for n, m in zip(numbers, marks, strict=True)]
            + [f"NULL AS c{n}" for n in blanks]
        )
        targets = "".join(f", c{n}" for n in [*numbers, *generated])
        outputs = "".join([f", c{n}" for n in numbers] + [f", {e}" for e in generated.values()])
        test = ""
        if self.where is not None:
            test = f" WHERE {compile_table_expr(catalog, relation, self.where, '')}"
        return (
            f"WITH v AS MATERIALIZED (SELECT {inner}) INSERT INTO {name} ({head_names}{targets}) "
            f"SELECT {head}{outputs} FROM v{test}"
        )

    # -- input -----------------------------------------------------------------------------------

    def batches(self, source: Input) -> Iterator[Batch]:
        names = [a.attname for a in self.columns]
        if self.options.binary:
            yield from self._binary_batches(source, names)
            return
        session = self.session
        codec = self.options.encoding or getattr(session, "client_codec", "utf-8")
        parser: LineParser = (CsvParser if self.options.csv else TextParser)(self.options, names)
        blocks = texts(source.blocks(), codec, session.ctx.client_encoding)
        try:
            yield from parser.batches(blocks)
        except PgError as error:
            if error.where is None:
                error.where = f"\x00line {parser.number + 1}"
            raise

    def _binary_batches(self, source: Input, names: list[str]) -> Iterator[Batch]:
        catalog, ctx = self.session.catalog, self.session.ctx
        readers = []
        for attr, check in zip(self.columns, self.checks, strict=True):
            type_oid, typmod = get_base_type_and_typmod(catalog, attr.atttypid, attr.atttypmod)
            readers.append(_receiver(catalog.types.io(type_oid).recv, typmod, ctx, check))
        rows: list[Any] = []
        numbers: list[int] = []
        error = None
        try:
            for number, row in binary_rows(source.blocks(), names, readers):
                rows.append(row)
                numbers.append(number)
                if len(rows) == CHUNK:
                    yield Batch(rows, numbers, [])
                    rows, numbers = [], []
        except PgError as stopped:
            error = stopped
        yield Batch(rows, numbers, [], error)

    # -- conversion and storing --------------------------------------------------------------------

    def _with_triggers(self) -> None:
        """A row is in the way of storing without them: they know what to say."""
        self.session.prepare_write(self.relation)
        self.bare = False

    def load(self, batch: Batch) -> None:
        """Store the rows of a batch, then raise what stands behind them."""
        values, error = list(batch.rows), None
        if not self.options.binary:
            values, error = self._convert(batch)
        if self.bare:
            required = [i for i, attr in enumerate(self.columns) if attr.attnotnull]
            if not self.group_sql or any(row[i] is None for row in values for i in required):
                self._with_triggers()
        if values:
            self.store(values, batch)
        if error is None and batch.partial is not None:
            error = self._convert_partial(batch)
        if error is not None or batch.error is not None:
            raise error or batch.error  # type: ignore[misc]

    def _convert(self, batch: Batch) -> tuple[list[Any], PgError | None]:
        if not self.columns:
            return list(batch.rows), None
        columns: Any = batch.columns
        if columns is None:
            columns = zip(*batch.rows, strict=True)
        try:
            converted = [self._column(number, texts_) for number, texts_ in enumerate(columns)]
        except PgError:
            return self._convert_by_row(batch)
        return list(zip(*converted, strict=True)), None

    def _column(self, number: int, values: Sequence[str | None]) -> Sequence[Value]:
        check, one = self.checks[number], self.inputs[number]
        if check is not None:
            return [one(v) for v in values]
        if None not in values:
            found = self.readers[number](values)  # type: ignore[arg-type]
            return found if found is not None else [one(v) for v in values]
        present = [v for v in values if v is not None]
        if not present:
            return values
        found = self.readers[number](present)
        if found is None:
            return [None if v is None else one(v) for v in values]
        rest = iter(found)
        return [None if v is None else next(rest) for v in values]

    def _convert_by_row(self, batch: Batch) -> tuple[list[Any], PgError | None]:
        """The rows before the first value that is not accepted, and the error."""
        converted: list[Any] = []
        for i, row in enumerate(batch.by_row()):
            values = []
            for attr, text, one in zip(self.columns, row, self.inputs, strict=True):
                try:
                    values.append(one(text))
                except PgError as error:
                    self._add_field(error, batch.numbers[i], attr, text)
                    return converted, error
            converted.append(tuple(values))
        return converted, None

    def _convert_partial(self, batch: Batch) -> PgError | None:
        """What is wrong with the fields of a line that has too few."""
        fields = batch.partial or ()
        for attr, text, one in zip(self.columns, fields, self.inputs, strict=False):
            try:
                one(text)
            except PgError as error:
                self._add_field(error, batch.numbers[len(batch.rows)], attr, text)
                return error
        return None

    def _add_field(self, error: PgError, line: int, attr: PgAttribute, text: str | None) -> None:
        shown = "null input" if text is None else f'"{shortened(text)}"'
        error.add_context(f"\x00line {line}, column {attr.attname}: {shown}")

    def store(self, rows: list[Any], batch: Batch) -> None:
        session = self.session
        if self.counts_rows:
            self._store_one_by_one(rows, batch)
            return
        done = self._store_groups(rows) if self.group_sql else 0
        if self.bare and len(rows) - done >= GROUP:
            self._with_triggers()
        for start in range(done, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            iterator: Any = iter(chunk)
            try:
                session.conn.executemany(self.sql, iterator)
            except (apsw.Error, PgError) as error:
                done = len(chunk) - iterator.__length_hint__()
                at = start + max(done, 1) - 1
                raise self._failed(self._blamed(error, rows[at]), batch, at) from error
            session.check_for_interrupts()
        self.count += len(rows)

    def _blamed(self, error: Exception, row: Any) -> Exception:
        """The error of a row, from the triggers if it was stored without them."""
        if self.bare:
            self._with_triggers()
            try:
                self.session.conn.execute(self.sql, row)
            except (apsw.Error, PgError) as again:
                return again
        return error

    def _store_groups(self, rows: list[Any]) -> int:
        """Store GROUP rows by each execution; how many went in before one failed.  Its group is
        then stored row by row, which finds the one to blame."""
        whole = len(rows) // GROUP * GROUP
        size = GROUP * len(self.columns)
        flat = list(chain.from_iterable(rows[:whole]))
        groups: Any = iter([flat[i : i + size] for i in range(0, len(flat), size)])
        try:
            self.session.conn.executemany(self.group_sql, groups)
        except (apsw.Error, PgError):
            left: int = groups.__length_hint__()
            return whole - (left + 1) * GROUP
        return whole

    def _store_one_by_one(self, rows: list[Any], batch: Batch) -> None:
        conn = self.session.conn
        for i, row in enumerate(rows):
            try:
                conn.execute(self.sql, row)
            except (apsw.Error, PgError) as error:
                raise self._failed(error, batch, i) from error
            self.count += conn.changes()

    def _failed(self, error: Exception, batch: Batch, i: int) -> Exception:
        """The error of storing row i of a batch, in PostgreSQL's words."""
        if isinstance(error, apsw.ConstraintError):
            _, owner = self.session.conflicting_xid(self.relation)
            if owner:
                return WaitFor(owner)
        if isinstance(error, apsw.Error):
            error = self.session.translate(error)
        if isinstance(error, PgError):
            where = f"\x00line {batch.numbers[i]}"
            if error.sqlstate != UNIQUE_VIOLATION and i < len(batch.lines):
                where += f': "{shortened(batch.lines[i])}"'
            error.add_context(where)
        return error


def _receiver(
    recv: Callable[..., Value], typmod: int, ctx: Any, check: Callable[..., Any] | None
) -> Callable[[bytes], Value]:
    def read(data: bytes) -> Value:
        value = recv(data, typmod, ctx)
        if check is not None:
            check(value)
        return value

    return read


class _RowLoader(_Loader):
    """Rows through an INSERT statement: triggers, partitions, views."""

    def _statement(self) -> str:
        from pgemu.commands.define import quote_identifier as quote
        from pgemu.planner.planner import compile_table_expr

        session, relation = self.session, self.relation
        name = f"{quote(relation.schema_name)}.{quote(relation.name)}"
        names = ", ".join(quote(a.attname) for a in self.columns)
        marks = ", ".join(f"${n}" for n in range(1, len(self.columns) + 1))
        text = f"INSERT INTO {name} ({names}) OVERRIDING SYSTEM VALUE VALUES ({marks})"
        if not self.columns:
            text = f"INSERT INTO {name} DEFAULT VALUES"
        types = [a.atttypid for a in self.columns]
        query = session.analyze(session.parse(text)[0], text, types)
        query.query_source = "copy"  # no rule is fired
        self.plan = session.plan(query)
        if self.where is not None:
            test = compile_table_expr(session.catalog, relation, self.where, "")
            given = [a.attnum for a in self.columns]
            inner = ", ".join(
                [f"? AS c{n}" for n in given]
                + [f"NULL AS c{a.attnum}" for a in relation.attrs if a.attnum not in given]
            )
            self.test = f"SELECT 1 FROM (SELECT {inner}) WHERE {test}"
        return ""

    def store(self, rows: list[Any], batch: Batch) -> None:
        session, stack = self.session, self.session.context_stack
        head = f"COPY {self.relation.name}, line"
        for i, row in enumerate(rows):
            line = f': "{shortened(batch.lines[i])}"' if i < len(batch.lines) else ""
            stack.append(f"{head} {batch.numbers[i]}{line}")
            try:
                if self.where is not None and not session.xact.execute(self.test, row):
                    continue
                self.count += run_plan(session, self.plan, bind(self.plan, row)).count
            except (apsw.Error, PgError) as error:
                raise self._failed(error, batch, i) from error
            finally:
                stack.pop()
