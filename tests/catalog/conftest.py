"""A catalog over a freshly built template."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from pgemu.catalog.store import DirectStore
from pgemu.catalog.syscache import Catalog
from pgemu.catalog.template import build_template


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    build_template(tmp_path)
    conn = apsw.Connection(str(tmp_path / "base.db"))
    conn.execute("ATTACH ? AS g", (str(tmp_path / "global.db"),))
    yield Catalog(DirectStore(conn))
    conn.close()
