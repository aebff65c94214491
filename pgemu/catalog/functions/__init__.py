"""SQL functions about the catalogs; importing this package binds them all."""

from pgemu.catalog import keywords
from pgemu.catalog.functions import (
    acl_items,
    describe,
    foreign,
    foreign_keys,
    partitions,
    privileges,
    server,
    sizes,
    visibility,
)

__all__ = [
    "acl_items",
    "describe",
    "foreign",
    "foreign_keys",
    "keywords",
    "partitions",
    "privileges",
    "server",
    "sizes",
    "visibility",
]
