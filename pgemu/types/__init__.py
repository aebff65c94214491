"""Types: one module per family, each registering its BaseType rows and its function bodies.

Counterpart of PostgreSQL's utils/adt.  Importing this package fills base_types (by typname) and
pgemu.fmgr's functions and aggregates (by signature).  A module is listed once, alphabetically
within its author's block; see README.md for what each holds.
"""

from pgemu.types.base import BaseType, base_types, register_type

# isort: off
import pgemu.types.bool
import pgemu.types.integers
import pgemu.types.integer_ops
# isort: on

__all__ = ["BaseType", "base_types", "register_type"]
