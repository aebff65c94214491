"""aclitem: I/O and equality (PostgreSQL: utils/adt/acl.c).  Storage: the canonical text.

Names of roles are the catalog's business: the catalog room parses and writes an item.
"""

from __future__ import annotations

import importlib
from typing import Any

from pgemu.fmgr import CallContext
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type


class AclitemType(BaseType):
    name = "aclitem"

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        acl: Any = importlib.import_module("pgemu.catalog.acl")
        item = acl.parse_aclitem(ctx.catalog, text)
        result: str = acl.format_aclitem(ctx.catalog, item)
        return result


register_type(AclitemType())
