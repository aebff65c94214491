"""Further ways to transfer money: with DDL, TRUNCATE, COPY, or as a prepared transaction.

Each leaves traces beside the ledger that must be there if and only if the ledger has the transfer:

- ddl: a role t_<n>, a table t_<n> of three rows that belongs to it, and a privilege;
- truncate: `scratch` of the teller holds twenty rows of its last such transfer and no others;
- copy: `copied` has fifty rows of it;
- prepared: a transaction that was prepared is there until its second phase.
"""

from __future__ import annotations

from typing import Any

import psycopg

SCHEMA = """
CREATE TABLE copied (batch text, n serial, payload text);
CREATE INDEX ON copied (batch);
CREATE TABLE batches (teller int, batch text, at serial PRIMARY KEY);
CREATE SEQUENCE ticket;
"""
COPIED, SCRATCH = 50, 20
Conn = psycopg.Connection[Any]


def object_name(name: str) -> str:
    return "t_" + name.replace(".", "_")


def ddl(teller: Any, conn: Conn, name: str, payer: int, payee: int, amount: int, no: bool) -> None:
    new = object_name(name)
    conn.execute("BEGIN")
    conn.execute(f"CREATE ROLE {new}")
    conn.execute(f"CREATE TABLE {new} (a serial PRIMARY KEY, b text DEFAULT 'x')")
    conn.execute(f"INSERT INTO {new} (b) VALUES ('1'), ('2'), ('3')")
    teller.move(conn, name, payer, payee, amount)
    conn.execute(f"ALTER TABLE {new} OWNER TO {new}")
    conn.execute(f"GRANT SELECT ON {new} TO PUBLIC")
    teller.end(conn, no)


def truncate(
    teller: Any, conn: Conn, name: str, payer: int, payee: int, amount: int, no: bool
) -> None:
    scratch = f"scratch_{teller.number}"
    conn.execute(f"CREATE TABLE IF NOT EXISTS {scratch} (batch text, n int)")
    conn.execute("BEGIN")
    conn.execute(f"TRUNCATE {scratch}")
    conn.execute(
        f"INSERT INTO {scratch} SELECT %s, g FROM generate_series(1, {SCRATCH}) AS g", (name,)
    )
    conn.execute("INSERT INTO batches (teller, batch) VALUES (%s, %s)", (teller.number, name))
    teller.move(conn, name, payer, payee, amount)
    teller.end(conn, no)


def copy(teller: Any, conn: Conn, name: str, payer: int, payee: int, amount: int, no: bool) -> None:
    conn.execute("BEGIN")
    with conn.cursor().copy("COPY copied (batch, payload) FROM STDIN") as stream:
        for number in range(COPIED):
            stream.write_row((name, f"row {number} " + "." * 200))
    teller.move(conn, name, payer, payee, amount)
    teller.end(conn, no)


def prepared(
    teller: Any, conn: Conn, name: str, payer: int, payee: int, amount: int, no: bool
) -> None:
    conn.execute("BEGIN")
    teller.move(conn, name, payer, payee, amount)
    conn.execute(f"CREATE ROLE {object_name(name)}")
    teller.prepared = name, no, False
    conn.execute(f"PREPARE TRANSACTION '{name}'")
    teller.prepared = name, no, True
    second_phase(teller, conn)


def second_phase(teller: Any, conn: Conn) -> None:
    """Also after a new connection: what was prepared must be there, unless it has been ended."""
    if teller.prepared is None:
        return
    name, no, certain = teller.prepared
    there = conn.execute("SELECT 1 FROM pg_prepared_xacts WHERE gid = %s", (name,)).fetchone()
    if there is None:
        if certain:
            teller.outcomes.errors.append(f"{name} was prepared and is not there")
        teller.prepared = None
        return
    # from now on it may have been ended
    teller.prepared = name, no, False
    try:
        conn.execute(f"{'ROLLBACK' if no else 'COMMIT'} PREPARED '{name}'")
    except psycopg.errors.UndefinedObject:
        # the recovery of the backend that died in it has ended it since we looked
        if certain:
            teller.outcomes.errors.append(f"{name} was prepared, and gone before its second phase")
        teller.prepared = None
        return
    teller.prepared = None
    (teller.outcomes.refused if no else teller.outcomes.acknowledged).add(name)


def ticket(conn: Conn, outcomes: Any) -> None:
    """nextval is never given twice, whatever happens."""
    row = conn.execute("SELECT nextval('ticket')").fetchone()
    assert row is not None
    with outcomes.guard:
        if row[0] in outcomes.tickets:
            outcomes.errors.append(f"ticket {row[0]} was given twice")
        outcomes.tickets.add(row[0])


def audit(conn: Conn, names: set[str]) -> list[str]:
    """What does not fit the ledger's names; objects of the transfers are dropped then."""
    wrong = []
    made = {object_name(name): name for name in names}
    tables = {
        row[0]: (row[1], row[2])
        for row in conn.execute(
            "SELECT relname, relowner::regrole::text, relacl::text FROM pg_class "
            "WHERE relkind = 'r' AND relname LIKE 't\\_%'"
        )
    }
    roles = {row[0] for row in conn.execute("SELECT rolname FROM pg_roles") if row[0][:2] == "t_"}
    for table, (owner, acl) in tables.items():
        rows = conn.execute(f"SELECT count(*) FROM {table}").fetchone()
        if table not in made or owner != table or "=r/" not in (acl or "") or rows != (3,):
            wrong.append(f"table {table} of {owner}, {acl}, {rows}, ledger: {table in made}")
    for role in (roles | set(tables)) - (roles & set(made)):
        wrong.append(f"role {role}: {role in roles}, in the ledger: {role in made}")
    dependent = conn.execute(
        "SELECT count(*) FROM pg_shdepend AS d WHERE refclassid = 'pg_authid'::regclass AND NOT "
        "EXISTS (SELECT 1 FROM pg_authid AS a WHERE a.oid = d.refobjid)"
    ).fetchone()
    if dependent != (0,):
        wrong.append(f"{dependent} entries of pg_shdepend without a role")
    for batch, count in conn.execute("SELECT batch, count(*) FROM copied GROUP BY batch"):
        if batch not in names or count != COPIED:
            wrong.append(f"{count} rows of COPY {batch}, in the ledger: {batch in names}")
    wrong += audit_scratch(conn, names)
    for table in tables:
        conn.execute(f"DROP TABLE {table}")
    for role in roles:
        conn.execute(f"DROP ROLE {role}")
    return wrong


def audit_scratch(conn: Conn, names: set[str]) -> list[str]:
    wrong = []
    last = "SELECT DISTINCT ON (teller) teller, batch FROM batches ORDER BY teller, at DESC"
    for teller, batch in conn.execute(last).fetchall():
        scratch = f"scratch_{teller}"
        rows = conn.execute(f"SELECT batch, count(*) FROM {scratch} GROUP BY batch").fetchall()
        if rows != [(batch, SCRATCH)] or batch not in names:
            wrong.append(f"{scratch} has {rows}, last was {batch}: {batch in names}")
    return wrong
