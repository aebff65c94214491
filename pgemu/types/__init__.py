"""Types: one module per family, each registering its BaseType rows and its function bodies.

Counterpart of PostgreSQL's utils/adt.  `import pgemu.types.families` fills base_types (by typname)
and pgemu.fmgr's functions and aggregates (by signature); see README.md for what each module holds.
"""

from pgemu.types.base import BaseType, base_types, register_type

__all__ = ["BaseType", "base_types", "register_type"]
