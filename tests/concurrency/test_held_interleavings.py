"""Random interleavings of sessions that hold their writes back with sessions that do not: every
statement answers, waits and wakes as on PostgreSQL 15.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgemu.testing import PgemuServer
from tests.concurrency.interleaving import Server, compare
from tests.concurrency.player import Step
from tests.concurrency.statements import LEVELS, Shape, advisory, begins, ends, keys, values
from tests.concurrency.test_interleavings import EXAMPLES, some
from tests.regress.transcript import fresh_database
from tests.regress.wire import Address


class PlainShape(Shape):
    """Tables that nothing else is about."""

    @property
    def schema(self) -> list[str]:
        return [
            *super().schema,
            "create table a (id int primary key, v int check (v < 60), w text not null)",
            "create table b (id int primary key, a int references a, v int)",
            "create table l (k int, v int)",
        ]

    @property
    def rows(self) -> list[str]:
        return [
            "truncate p, c, a, b, l",
            "insert into a values (1, 10, 'x'), (2, 20, 'x'), (3, 30, 'x')",
            "insert into b values (1, 1, 100), (2, 2, 200)",
        ]

    @property
    def final(self) -> list[str]:
        return [
            "select * from a order by id",
            "select * from b order by id",
            "select * from l order by k, v",
        ]


SHAPE = PlainShape("no action", "", "")
START = "begin isolation level read committed"


@st.composite
def held(draw: st.DrawFn) -> str:
    """What may be held back, and reads of it."""
    key, value = draw(keys), draw(values)
    return draw(
        st.sampled_from(
            [
                f"update a set v = v + {value} where id = {key}",
                f"update a set v = v + {value} where id = {key}",
                f"update a set w = 'y', v = v + {value} where id = {key}",
                f"update b set v = v + {value} where id = {key}",
                f"select v from b where id = {key}",
                f"insert into l values ({key}, {value})",
                f"select * from a where id = {key}",
                f"select v from a where id = {key}",
                "select * from a order by id",
            ]
        )
    )


@st.composite
def others(draw: st.DrawFn) -> str:
    key, other, value = draw(keys), draw(keys), draw(values)
    policy = draw(st.sampled_from(["", " nowait", " skip locked"]))
    return draw(
        st.sampled_from(
            [
                f"update a set v = v + {value} where v > {key * 10}",
                f"update a set id = {other} where id = {key}",
                f"update a set v = v + 1 where id = {key} returning *",
                f"insert into a values ({key}, {value}, 'z')",
                f"insert into a values ({key}, {value}, 'z') on conflict (id) "
                "do update set v = a.v + excluded.v",
                f"delete from a where id = {key}",
                f"insert into b values ({key}, {other}, {value})",
                f"update b set a = {other} where id = {key}",
                f"delete from b where id = {key}",
                f"select * from a where id = {key} for update{policy}",
                f"select * from a order by id for share{policy}",
                "select count(*), sum(v) from l",
                f"select l.v, a.v from l join a on a.id = l.k where a.id = {key} order by 1, 2",
                f"delete from l where k = {key}",
                f"lock table a in share mode{' nowait' if policy else ''}",
                "savepoint s",
                "rollback to s",
                "create index if not exists a_v on a (v)",
                "drop index if exists a_v",
            ]
        )
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[Shape, int, list[Step]]:
    sessions = draw(st.integers(2, 4))
    numbers = st.integers(0, sessions - 1)
    level = st.sampled_from((*LEVELS[:1] * 4, *LEVELS[1:]))
    step = st.one_of(
        held(), held(), held(), held(), others(), others(), ends, level.flatmap(begins), advisory()
    )
    moves = draw(st.lists(st.tuples(numbers, step), min_size=4, max_size=16))
    steps: list[Step] = [(n, START) for n in range(sessions)]
    return SHAPE, sessions, steps + moves


@pytest.fixture(scope="module")
def holding() -> Iterator[Server]:
    """A database of a server that holds back whatever it can."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGEMU_HOLD_WRITES", "always")
        with (
            PgemuServer() as running,
            fresh_database(Address.of_dsn(running.dsn), "interleavings") as address,
        ):
            server = Server(address)
            try:
                yield server
            finally:
                server.close()


@pytest.mark.timeout(120 + 3 * EXAMPLES)
def test_answers_and_waits_as_postgresql(holding: Server, theirs: Server) -> None:
    @some
    @given(histories())
    def play(history: tuple[Shape, int, list[Step]]) -> None:
        found = compare(holding, theirs, *history)
        assert not found, f"\n{found}"

    play()
