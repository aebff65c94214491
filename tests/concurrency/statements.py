"""What the sessions of an interleaving do: two small tables and statements about few keys, so that
they meet (Hypothesis strategies)."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.concurrency.player import Step

ACTIONS = ("no action", "restrict", "cascade", "set null")
DEFERRING = ("", "deferrable", "deferrable initially deferred")
LEVELS = ("read committed", "repeatable read", "serializable")


@dataclass(frozen=True)
class Shape:
    """The tables: the foreign key of c to p, and whether p.u is deferrable."""

    action: str
    deferring: str
    unique: str

    @property
    def schema(self) -> list[str]:
        return [
            "create table p (id int primary key, v int, u int constraint p_u unique "
            f"{self.unique})",
            "create table c (id int primary key, p int constraint c_p references p "
            f"on delete {self.action} on update {self.action} {self.deferring}, v int)",
        ]

    @property
    def rows(self) -> list[str]:
        return [
            "drop index if exists p_v",
            "truncate p, c",
            "insert into p values (1, 10, 1), (2, 20, 2), (3, 30, 3)",
            "insert into c values (1, 1, 100), (2, 2, 200)",
        ]

    @property
    def final(self) -> list[str]:
        """What is compared in the end."""
        return ["select * from p order by id", "select * from c order by id"]

    @property
    def name(self) -> str:
        return "s_" + "_".join((self.action, self.deferring, self.unique)).replace(" ", "")


shapes = st.builds(
    Shape, st.sampled_from(ACTIONS), st.sampled_from(DEFERRING), st.sampled_from(DEFERRING)
)

keys = st.integers(1, 4)
values = st.integers(1, 5)
tables = st.sampled_from("pc")

STRENGTHS = ("update", "no key update", "share", "key share")


@st.composite
def reads(draw: st.DrawFn) -> str:
    table, key = draw(tables), draw(keys)
    return draw(
        st.sampled_from(
            [
                f"select * from {table} order by id",
                f"select * from {table} where id = {key}",
                f"select count(*), sum(v) from {table} where v > {key * 10}",
                "select p.id, c.id, p.v, c.v from p left join c on c.p = p.id order by 1, 2",
            ]
        )
    )


@st.composite
def locks(draw: st.DrawFn) -> str:
    table, key = draw(tables), draw(keys)
    policy = draw(st.sampled_from(["", "", " nowait", " skip locked"]))
    strength = draw(st.sampled_from(STRENGTHS))
    where = draw(
        st.sampled_from(
            [
                f"where id = {key}",
                f"where id = {key}",
                "order by id",
                "order by id limit 1",
                f"where v > {key * 10} order by id limit 1",
                "order by id desc limit 1 offset 1",
                "order by id fetch first 1 row with ties",
            ]
        )
    )
    source = draw(
        st.sampled_from([table, table, f"(select * from {table} where v > {key * 10}) as s"])
    )
    return f"select * from {source} {where} for {strength}{policy}"


@st.composite
def merges(draw: st.DrawFn) -> str:
    key, other, value = draw(keys), draw(keys), draw(values)
    matched = draw(
        st.sampled_from(
            [
                f"update set v = c.v + {value}",
                "delete",
                f"update set p = {other}",
                "do nothing",
            ]
        )
    )
    return (
        f"merge into c using p on p.id = c.p when matched and c.id = {key} then {matched} "
        f"when not matched and p.id = {other} then insert values ({key}, {other}, {value})"
    )


@st.composite
def inserts(draw: st.DrawFn) -> str:
    key, other, value = draw(keys), draw(keys), draw(values)
    return draw(
        st.sampled_from(
            [
                f"insert into p values ({key}, {value}, {other})",
                f"insert into p values ({key}, {value}, {key}) returning *",
                f"insert into c values ({key}, {other}, {value})",
                f"insert into c values ({key}, {other}, {value})",
                f"insert into c values ({key}, null, {value})",
                f"insert into p values ({key}, {value}, {other}) on conflict (id) "
                "do update set v = p.v + excluded.v returning *",
                f"insert into p values ({key}, {value}, {other}) on conflict do nothing",
                f"insert into c values ({key}, {other}, {value}) on conflict (id) "
                "do update set p = excluded.p, v = c.v + 1 where c.v < 200",
                f"insert into c values ({key}, {other}, {value}) on conflict (id) do nothing",
                "insert into c select id + 4, id, v from p on conflict do nothing",
                f"insert into p values ({key}, {value}, {other}) on conflict (id) "
                "do update set u = excluded.u",
                f"insert into p values ({key}, {value}, {other}) on conflict (id) "
                f"do update set id = {other}",
                f"insert into p values ({key}, {value}, {other}) on conflict (id) "
                "do update set v = 0 where p.v > 100",
            ]
        )
    )


@st.composite
def updates(draw: st.DrawFn) -> str:
    table, key, other, value = draw(tables), draw(keys), draw(keys), draw(values)
    return draw(
        st.sampled_from(
            [
                f"update {table} set v = v + {value} where id = {key}",
                f"update {table} set v = v + {value} where id = {key} returning *",
                f"update {table} set v = v + {value}",
                f"update {table} set v = v + 1 where v > {key * 10}",
                f"update {table} set id = {other} where id = {key}",
                f"update p set u = {other} where id = {key}",
                f"update c set p = {other} where id = {key}",
                f"update c set v = p.v from p where p.id = c.p and p.id = {key}",
                f"update p set v = (select count(*) from c) where id = {key}",
                f"update {table} set v = v + 1 where id = (select id from {table} where v > {key} "
                "order by id limit 1 for update)",
                f"update {table} set v = v + 1 where id in (select id from {table} "
                "order by id limit 2 for update skip locked) returning id",
                f"with x as (select id, v from p where v > {key * 10}) "
                "update c set v = x.v + 1 from x where c.p = x.id returning c.id, c.v",
                f"with x as (update p set v = v + 1 where id = {key} returning id, v) "
                "update c set v = c.v + x.v from x where c.p = x.id returning c.id, c.v",
            ]
        )
    )


@st.composite
def deletes(draw: st.DrawFn) -> str:
    table, key = draw(tables), draw(keys)
    return draw(
        st.sampled_from(
            [
                f"delete from {table} where id = {key}",
                f"delete from {table} where id = {key} returning *",
                f"delete from {table} where v > {key * 10}",
                f"delete from c using p where p.id = c.p and p.v > {key * 10}",
            ]
        )
    )


TABLE_MODES = ("access share", "row share", "row exclusive", "share update exclusive", "share",
               "share row exclusive", "exclusive", "access exclusive")  # fmt: skip


@st.composite
def table_locks(draw: st.DrawFn) -> str:
    nowait = draw(st.sampled_from(["", " nowait"]))
    mode = draw(st.sampled_from(TABLE_MODES))
    return f"lock table {draw(tables)} in {mode} mode{nowait}"


@st.composite
def advisory(draw: st.DrawFn) -> str:
    key = draw(st.integers(1, 2))
    kind = draw(
        st.sampled_from(
            ["advisory_xact_lock", "advisory_lock", "advisory_xact_lock_shared",
             "try_advisory_lock", "try_advisory_xact_lock_shared", "advisory_unlock"]
        )
    )  # fmt: skip
    return f"select pg_{kind}({key})"


cursors = st.sampled_from(
    [
        "declare k cursor for select * from p order by id",
        "declare k scroll cursor for select * from c order by id",
        "declare k cursor for select * from p where v > 5",
        "fetch 1 from k",
        "fetch 1 from k",
        "fetch all from k",
        "move 1 in k",
        "close k",
        "update p set v = v + 1 where current of k",
        "delete from c where current of k",
    ]
)
ddl = st.sampled_from(
    [
        "create index p_v on p (v)",
        "drop index p_v",
        "truncate c",
        "truncate p, c",
        "alter table c alter v set default 1",
        "alter table p set (fillfactor = 90)",
        "comment on table p is 'parents'",
        "analyze c",
    ]
)

constraints = st.sampled_from(
    [
        "set constraints all deferred",
        "set constraints all immediate",
        "set constraints c_p immediate",
        "set constraints c_p deferred",
        "set constraints p_u deferred",
    ]
)


def begins(level: str) -> st.SearchStrategy[str]:
    return st.just(f"begin isolation level {level}")


subtransactions = st.sampled_from(
    ["savepoint s", "savepoint s", "rollback to s", "rollback to s", "release s"]
)
ends = st.sampled_from(["commit", "commit", "rollback"])


def statements(level: str) -> st.SearchStrategy[str]:
    """One statement of a session at that level."""
    change = (inserts(), updates(), deletes())
    return st.one_of(
        reads(), locks(), *change, *change, merges(), begins(level), begins(level),
        subtransactions, ends, table_locks(), advisory(), constraints, cursors, ddl,
    )  # fmt: skip


@st.composite
def interleavings(
    draw: st.DrawFn, levels: tuple[str, ...] = LEVELS, steps: int = 16
) -> tuple[Shape, int, list[Step]]:
    """(tables, number of sessions, steps).  The sessions begin in a transaction each."""
    shape = draw(shapes)
    sessions = draw(st.integers(2, 4))
    chosen = [draw(st.sampled_from(levels)) for _ in range(sessions)]
    found: list[Step] = [(n, f"begin isolation level {level}") for n, level in enumerate(chosen)]
    numbers = st.integers(0, sessions - 1)
    moves = st.lists(
        numbers.flatmap(lambda n: st.tuples(st.just(n), statements(chosen[n]))),
        min_size=3,
        max_size=steps,
    )
    return shape, sessions, found + draw(moves)
