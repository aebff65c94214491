"""TypeRegistry: the BaseType of a type OID (PostgreSQL: utils/cache/typcache.c, lsyscache.c).

Builtin types are found by typname in base_types.  Arrays, enums, domains, composites, ranges and
records have no module of their own: their I/O is made from their catalog rows and kept until the
catalog drops the registry (it makes a new one after each write to a type's rows).
"""

from __future__ import annotations

import importlib
from typing import Any

from pgemu.errors import INTERNAL_ERROR, PgError
from pgemu.types.base import BaseType, base_types
from pgemu.types.record import Column, CompositeType, RecordType

PG_CATALOG = 11
FIRST_NORMAL_OID = 16384
ARRAY_SUBSCRIPT_HANDLER = 6179
RECORD_OID = 2249
RECORD_ARRAY_OID = 2287


class TypeRegistry:
    """io(oid) for one session's Catalog."""

    def __init__(self, catalog: Any) -> None:
        self.catalog = catalog
        # The catalog room stands above this one, and hands itself in; its row classes are the
        # keys of its lookups.
        self.rows: Any = importlib.import_module("pgemu.catalog.rows")
        self._io: dict[int, BaseType] = {}
        self._elements: dict[int, int] = {}
        self.composites: set[int] = set()  # relations whose row types are in use

    def io(self, type_oid: int) -> BaseType:
        """The type's I/O; an internal error if there is no such type."""
        found = self._io.get(type_oid)
        if found is None:
            found = self._make(self.row(type_oid))
            self._io[type_oid] = found
        return found

    def element_io(self, type_oid: int) -> BaseType:
        """The I/O of an element or a column: that of a domain tests its constraints."""
        row = self.row(type_oid)
        if row.typtype != "d":
            return self.io(type_oid)
        from pgemu.types.domains import DomainType

        typmod = row.typtypmod
        base = self.row(row.typbasetype)
        while base.typtype == "d":
            typmod, base = base.typtypmod, self.row(base.typbasetype)
        return DomainType(self.io(base.oid), type_oid, typmod)

    def row(self, type_oid: int) -> Any:
        """The pg_type row."""
        row = self.catalog.one(self.rows.PgType, oid=type_oid)
        if row is None:
            raise PgError(INTERNAL_ERROR, f"cache lookup failed for type {type_oid}")
        return row

    def base_type(self, type_oid: int) -> int:
        """getBaseType: through domains."""
        row = self.row(type_oid)
        while row.typtype == "d":
            row = self.row(row.typbasetype)
        return int(row.oid)

    def element_type(self, type_oid: int) -> int:
        """get_element_type: 0 if not a true array."""
        found = self._elements.get(type_oid)
        if found is None:
            row = self.row(self.base_type(type_oid))
            is_array = row.typelem and row.typsubscript == ARRAY_SUBSCRIPT_HANDLER
            found = self._elements[type_oid] = int(row.typelem) if is_array else 0
        return found

    def invalidate(self) -> None:
        self._io.clear()
        self._elements.clear()

    def forget_others(self) -> None:
        """Forget all types but built-in ones."""
        self._io = {oid: io for oid, io in self._io.items() if oid < FIRST_NORMAL_OID}
        self._elements.clear()
        self.composites = {oid for oid in self.composites if oid < FIRST_NORMAL_OID}

    def _make(self, row: Any) -> BaseType:
        if row.typnamespace == PG_CATALOG:
            if row.oid == RECORD_OID:
                return RecordType(self)
            builtin: BaseType | None = base_types.get(row.typname)
            if builtin is not None:
                return builtin
        if row.typelem and row.typsubscript == ARRAY_SUBSCRIPT_HANDLER:
            return self._array(row)
        if row.typtype == "b" and row.oid >= FIRST_NORMAL_OID:
            of_extension: BaseType | None = base_types.get(row.typname)
            if of_extension is not None:
                return of_extension
        maker = {
            "d": lambda: self.io(row.typbasetype),
            "c": lambda: self._composite(row),
            "e": lambda: self._enum(row),
            "b": lambda: self._borrowed(row),
            "r": lambda: self._range(row),
            "m": lambda: self._multirange(row),
        }.get(row.typtype)
        if maker is None:
            raise PgError(
                "0A000", f'type "{row.typname}" is not supported', hint="It has no I/O here yet."
            )
        return maker()

    def _array(self, row: Any) -> BaseType:
        from pgemu.types.arrays import ArrayType

        element = self.row(row.typelem)
        return ArrayType(self.element_io(row.typelem), element.typdelim, row.typelem)

    def _borrowed(self, row: Any) -> BaseType:
        from pgemu.types.borrowed import BorrowedType

        lender = self._lender(row, row.typinput, 0)
        output = self._lender(row, row.typoutput, 1)
        if lender is None or output is None:
            raise PgError("0A000", f'I/O functions of type "{row.typname}" are not supported')
        binary = self._lender(row, row.typsend, 1) or self._lender(row, row.typreceive, 0)
        return BorrowedType(row.typname, lender, output, binary, self._typmod_lender(row))

    def _lender(self, row: Any, function: int, argument: int) -> BaseType | None:
        """The type whose function a type's input (argument 0: by result) or output (1: by
        argument) is a copy of."""
        proc = self._lending_function(function)
        if proc is None:
            return None
        lender = self.row(proc.proargtypes[0] if argument else proc.prorettype)
        plain = lender.typtype == "b" and lender.oid != row.oid
        return self.io(lender.oid) if plain else None

    def _lending_function(self, function: int) -> Any:
        found = self.catalog.one(self.rows.PgProc, oid=function) if function else None
        if found is None:
            return None
        module = importlib.import_module("pgemu.catalog.internal_function")
        return module.lending_function(self.catalog, found)

    def _typmod_lender(self, row: Any) -> BaseType | None:
        """The type that has this typmodin function as its own."""
        proc = self._lending_function(row.typmodin)
        if proc is None:
            return None
        found = self.catalog.all(self.rows.PgType, typmodin=proc.oid, typtype="b", typelem=0)
        owner = next((t for t in found if t.typnamespace == PG_CATALOG), None)
        return self.io(owner.oid) if owner is not None else None

    def _composite(self, row: Any) -> BaseType:
        live = [
            a
            for a in sorted(
                self.catalog.all(self.rows.PgAttribute, attrelid=row.typrelid),
                key=lambda a: int(a.attnum),
            )
            if a.attnum > 0 and not a.attisdropped
        ]
        columns = tuple(Column(a.attname, a.atttypid, a.atttypmod) for a in live)
        self.composites.add(row.typrelid)
        return CompositeType(self, row.typname, columns, tuple(int(a.attnum) for a in live))

    def _enum(self, row: Any) -> BaseType:
        from pgemu.types.enums import EnumType

        labels = self.catalog.all(self.rows.PgEnum, enumtypid=row.oid)
        return EnumType(row.typname, {e.enumlabel: e.enumsortorder for e in labels}, row.oid)

    def _range(self, row: Any) -> BaseType:
        from pgemu.types.ranges import RangeType

        found = self.catalog.one(self.rows.PgRange, rngtypid=row.oid)
        return RangeType(row.typname, self.io(found.rngsubtype))

    def _multirange(self, row: Any) -> BaseType:
        from pgemu.types.ranges import MultirangeType, RangeType

        found = self.catalog.one(self.rows.PgRange, rngmultitypid=row.oid)
        inner = self.io(found.rngtypid)
        if not isinstance(inner, RangeType):
            raise PgError(INTERNAL_ERROR, f"type {found.rngtypid} is not a range type")
        return MultirangeType(row.typname, inner)
