"""pg_get_catalog_foreign_keys: which columns of the catalogs refer to which (PostgreSQL:
utils/adt/misc.c, and system_fk_info.h, which its build makes of the catalogs' declarations).

The list is data/<version>/foreign_keys.tsv, written by tools/dump_catalogs.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pgemu.fmgr import pg_function
from pgemu.types.arrays_value import dump_array


def names(text: str) -> str:
    """A stored array of the column names, which need no quotes."""
    return dump_array(text.strip("{}").split(","))


@pg_function("pg_get_catalog_foreign_keys()")
def pg_get_catalog_foreign_keys() -> Iterator[tuple[int, str, int, str, int, int]]:
    path = Path(__file__).parents[1] / "data" / "15" / "foreign_keys.tsv"
    for line in path.read_text(encoding="utf-8").splitlines():
        fktable, fkcols, pktable, pkcols, is_array, is_opt = line.split("\t")
        yield (
            int(fktable),
            names(fkcols),
            int(pktable),
            names(pkcols),
            int(is_array == "True"),
            int(is_opt == "True"),
        )
