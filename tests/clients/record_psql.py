"""Write expected/psql.out on a real PostgreSQL 15: python -m tests.clients.record_psql DSN"""

from __future__ import annotations

import sys

from tests.clients.test_psql import EXPECTED, SCRIPT, psql
from tests.regress.transcript import fresh_database
from tests.regress.wire import Address
from tools.write_expected import refuse_impostors


def main() -> None:
    server = Address.of_dsn(sys.argv[1])
    refuse_impostors(server)
    with fresh_database(server, "clients") as address:
        EXPECTED.parent.mkdir(exist_ok=True)
        EXPECTED.write_text(psql(address, SCRIPT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
