"""Window frames that SQLite has no words for, computed here (nodeWindowAgg.c).

SQLite takes constant, non-negative numbers as frame offsets and adds them to numbers.  RANGE over
dates, intervals, numeric and floats, offsets that are expressions, nth_value and ntile with NULL,
and moving aggregates of users (CREATE AGGREGATE ... MSFUNC) come here: the whole partition is
given to a window function in its order, with the sort keys, and the n-th call for a value
answers for the n-th row.  The frame's head and tail only ever move forward, as in PostgreSQL.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgAggregate, PgProc
from pgemu.errors import (
    INVALID_ARGUMENT_FOR_NTH_VALUE,
    INVALID_ARGUMENT_FOR_NTILE,
    INVALID_PRECEDING_OR_FOLLOWING_SIZE,
    NULL_VALUE_NOT_ALLOWED,
    PgError,
)
from pgemu.executor.aggregates import (
    CatalogAggregate,
    Frame,
    state_maker,
)
from pgemu.fmgr import TypeInfo
from pgemu.nodes.primnodes import Value
from pgemu.parser.parse_agg import resolve_aggregate_transtype
from pgemu.planner.windows import FrameSpec

if TYPE_CHECKING:
    from pgemu.executor.udf import UdfRegistry

BOOLOID = 16
_Evaluate = Callable[["_Partition", int], Value]


def frame_factory(
    udfs: UdfRegistry, proc: PgProc, info: TypeInfo, spec: FrameSpec
) -> Callable[[], tuple[Any, ...]]:
    """A window function to be called over whole partitions; its arguments are the two offsets,
    the FILTER's result, the sort keys and the arguments of the call."""
    keys = [udfs.catalog.types.io(oid).hash_key for oid in spec.key_types]
    in_range = [
        _in_range(udfs, oid, spec) if oid else None for oid in (spec.start_test, spec.end_test)
    ]
    make: Callable[[], _Evaluate]
    if spec.aggregate:
        make = _aggregates(udfs, proc, info, spec)
    else:
        make = _EVALUATORS[proc.proname]

    def factory() -> tuple[Any, ...]:
        state = _Partition(spec, keys, in_range, make())
        return (
            state,
            lambda f, *args: f.rows.append(args),
            lambda f: None,
            lambda f: f.value(),
            lambda f, *args: None,
        )

    return factory


def _in_range(udfs: UdfRegistry, oid: int, spec: FrameSpec) -> Callable[..., Any]:
    proc = udfs.catalog.get(PgProc, oid=oid)
    return udfs.callable(proc, TypeInfo(tuple(proc.proargtypes), BOOLOID, spec.collation))


class _Partition:
    """The rows of one partition and the frame of the row that is being asked for."""

    def __init__(
        self,
        spec: FrameSpec,
        keys: list[Callable[[Any], Any]],
        in_range: list[Callable[..., Any] | None],
        evaluate: _Evaluate,
    ) -> None:
        self.rows: list[tuple[Value, ...]] = []
        self.current = -1
        self.head = 0
        self.tail = 0
        self._spec = spec
        self._keys = keys
        self._in_range = in_range
        self._evaluate = evaluate
        self._groups: list[int] = []
        # by number of the peer group: its first row; and one more, the number of rows
        self._starts: list[int] = []

    def value(self) -> Value:
        self.current += 1
        if not self.current:
            self._begin()
        self.head = self._head()
        self.tail = max(self._tail(), self.head)
        return self._evaluate(self, self.current)

    def arguments(self, row: int) -> tuple[Value, ...]:
        return self.rows[row][3 + len(self._keys) :]

    def passes(self, row: int) -> bool:
        """FILTER lets the row in."""
        return bool(self.rows[row][2])

    def frame_rows(self) -> list[int]:
        """The frame's rows without the excluded ones (row_is_in_frame)."""
        rows = range(self.head, self.tail)
        exclusion, current = self._spec.exclusion, self.current
        if not exclusion:
            return list(rows)
        if exclusion == "current_row":
            return [row for row in rows if row != current]
        mine = self._groups[current]
        return [
            row
            for row in rows
            if self._groups[row] != mine or (exclusion == "ties" and row == current)
        ]

    def _begin(self) -> None:
        """The peer groups, and the offsets, which are those of the first row."""
        nkeys = len(self._keys)
        last: tuple[Any, ...] | None = None
        for number, row in enumerate(self.rows):
            key = tuple(
                None if value is None else hashed(value)
                for hashed, value in zip(self._keys, row[3 : 3 + nkeys], strict=True)
            )
            if last is None or key != last:
                self._starts.append(number)
                last = key
            self._groups.append(len(self._starts) - 1)
        self._starts.append(len(self.rows))
        for which, kind, offset in (
            ("starting", self._spec.start, self.rows[0][0]),
            ("ending", self._spec.end, self.rows[0][1]),
        ):
            if kind.startswith("offset"):
                self._check_offset(which, offset)

    def _check_offset(self, which: str, offset: Any) -> None:
        if offset is None:
            raise PgError(NULL_VALUE_NOT_ALLOWED, f"frame {which} offset must not be null")
        if self._spec.mode != "range" and offset < 0:
            raise PgError(
                INVALID_PRECEDING_OR_FOLLOWING_SIZE, f"frame {which} offset must not be negative"
            )

    def _head(self) -> int:
        """update_frameheadpos"""
        spec, kind = self._spec, self._spec.start
        if kind == "unbounded_preceding":
            return 0
        if kind == "current_row":
            if spec.mode == "rows":
                return self.current
            return self._starts[self._groups[self.current]]
        if spec.mode == "range":
            return self._range_head()
        return self._offset_bound(kind, self.rows[0][0], 0)

    def _tail(self) -> int:
        """update_frametailpos: the row after the last one"""
        spec, kind = self._spec, self._spec.end
        if kind == "unbounded_following":
            return len(self.rows)
        if kind == "current_row":
            if spec.mode == "rows":
                return self.current + 1
            return self._starts[self._groups[self.current] + 1]
        if spec.mode == "range":
            return self._range_tail()
        return self._offset_bound(kind, self.rows[0][1], 1)

    def _offset_bound(self, kind: str, offset: Any, after: int) -> int:
        """A bound in rows or groups: of the first row (after 0) or behind the last one (1)."""
        distance = -offset if kind == "offset_preceding" else offset
        if self._spec.mode == "rows":
            return int(min(max(self.current + distance + after, 0), len(self.rows)))
        group = self._groups[self.current] + distance + after
        return self._starts[int(min(max(group, 0), len(self._starts) - 1))]

    def _range_head(self) -> int:
        spec, current = self._spec, self.rows[self.current][3]
        test, offset, head = self._in_range[0], self.rows[0][0], self.head
        assert test is not None
        backward = (spec.start == "offset_preceding") == spec.ascending
        while head < len(self.rows):
            value = self.rows[head][3]
            if value is None or current is None:
                if spec.nulls_first:
                    stop = value is not None or current is None
                else:
                    stop = value is None or current is not None
            else:
                stop = test(value, current, offset, int(backward), int(not spec.ascending))
            if stop:
                break
            head += 1
        return head

    def _range_tail(self) -> int:
        spec, current = self._spec, self.rows[self.current][3]
        test, offset, tail = self._in_range[1], self.rows[0][1], self.tail
        assert test is not None
        backward = (spec.end == "offset_preceding") == spec.ascending
        while tail < len(self.rows):
            value = self.rows[tail][3]
            if value is None or current is None:
                stop = value is not None if spec.nulls_first else current is not None
            else:
                stop = not test(value, current, offset, int(backward), int(spec.ascending))
            if stop:
                break
            tail += 1
        return tail


# -- what is computed over a frame ---------------------------------------------------------------


def _aggregates(
    udfs: UdfRegistry, proc: PgProc, info: TypeInfo, spec: FrameSpec
) -> Callable[[], _Evaluate]:
    binding = udfs.aggregate_binding(proc, info)
    new: Callable[[], Any]
    if spec.moving and isinstance(binding, PgAggregate):
        row = binding

        def new() -> Any:
            return _MovingAggregate(udfs, row, info)
    else:
        make = state_maker(udfs, binding, info)
        strict = not isinstance(binding, PgAggregate) and binding.strict

        def new() -> Any:
            return Frame(make, strict)

    if spec.exclusion:
        return lambda: _anew(new)
    return lambda: _Sliding(new)


def _anew(new: Callable[[], Any]) -> _Evaluate:
    """With EXCLUDE each row's aggregate starts again."""

    def evaluate(partition: _Partition, _row: int) -> Value:
        state = new()
        for row in partition.frame_rows():
            if partition.passes(row):
                state.step(*partition.arguments(row))
        result: Value = state.value()
        return result

    return evaluate


class _Sliding:
    """An aggregate that rows enter at the frame's tail and leave at its head."""

    def __init__(self, new: Callable[[], Any]) -> None:
        self._new = new
        self._state = new()
        self._base = self._upto = 0

    def __call__(self, partition: _Partition, _row: int) -> Value:
        head, tail = partition.head, partition.tail
        if self._upto <= head and self._base < head:
            self._state, self._base, self._upto = self._new(), head, head
        for row in range(self._base, head):
            if partition.passes(row):
                self._state.inverse(*partition.arguments(row))
        self._base = head
        for row in range(self._upto, tail):
            if partition.passes(row):
                self._state.step(*partition.arguments(row))
        self._upto = max(self._upto, tail)
        result: Value = self._state.value()
        return result


class _MovingAggregate(CatalogAggregate):
    """The moving-aggregate mode of CREATE AGGREGATE: MSFUNC, MINVFUNC, MFINALFUNC, MINITCOND."""

    def __init__(self, udfs: UdfRegistry, row: PgAggregate, info: TypeInfo) -> None:
        moving = row._replace(
            aggtransfn=row.aggmtransfn,
            aggfinalfn=row.aggmfinalfn,
            aggfinalextra=row.aggmfinalextra,
            aggtranstype=row.aggmtranstype,
            agginitval=row.aggminitval,
        )
        super().__init__(udfs, moving, info)
        inverse: PgProc = udfs.catalog.get(PgProc, oid=row.aggminvtransfn)
        state_type = resolve_aggregate_transtype(
            udfs.catalog, moving, info.arg_types, info.result_type
        )
        self._inverse = udfs.callable(
            inverse, TypeInfo((state_type, *info.arg_types), state_type, info.collation)
        )
        self._initial = (self._state, self._seen)
        self._inputs: deque[tuple[Value, ...]] = deque()

    def step(self, *args: Value) -> None:
        if self._strict and None in args:
            return
        self._inputs.append(args)
        self._advance(args)

    def _advance(self, args: tuple[Value, ...]) -> None:
        super().step(*args)
        if self._state is None:
            raise PgError(
                NULL_VALUE_NOT_ALLOWED, "moving-aggregate transition function must not return null"
            )

    def inverse(self, *args: Value) -> None:
        """advance_windowaggregate_base: the last value is never taken out, but the state set
        back; an inverse function that gives NULL cannot do it, and the rest is added up again."""
        if self._strict and None in args:
            return
        self._inputs.popleft()
        changed = self._inverse(self._state, *args) if self._inputs else None
        if changed is not None:
            self._state = changed
            return
        self._state, self._seen = self._initial
        for rest in self._inputs:
            self._advance(rest)

    def value(self) -> Value:
        return self.final()


def _edge_value(position: int) -> _Evaluate:
    def evaluate(partition: _Partition, _row: int) -> Value:
        rows = partition.frame_rows()
        return partition.arguments(rows[position])[0] if rows else None

    return evaluate


def _nth_value(partition: _Partition, row: int) -> Value:
    nth: Any = partition.arguments(row)[1]
    if nth is None:
        return None
    if nth <= 0:
        raise PgError(
            INVALID_ARGUMENT_FOR_NTH_VALUE, "argument of nth_value must be greater than zero"
        )
    rows = partition.frame_rows()
    return partition.arguments(rows[nth - 1])[0] if nth <= len(rows) else None


def _ntile(partition: _Partition, row: int) -> Value:
    """The number of buckets is the first row's."""
    buckets: Any = partition.arguments(0)[0]
    if buckets is None:
        return None
    if buckets <= 0:
        raise PgError(INVALID_ARGUMENT_FOR_NTILE, "argument of ntile must be greater than zero")
    size, larger = divmod(len(partition.rows), buckets)
    if row < larger * (size + 1):
        bucket: int = row // (size + 1) + 1
    else:
        bucket = larger + (row - larger * (size + 1)) // size + 1
    return bucket


_EVALUATORS: dict[str, Callable[[], _Evaluate]] = {
    "first_value": lambda: _edge_value(0),
    "last_value": lambda: _edge_value(-1),
    "nth_value": lambda: _nth_value,
    "ntile": lambda: _ntile,
}
