"""Polymorphic arguments and results: which actual types anyelement, anyarray, anycompatible ...
stand for in one call (the "generic" part of PostgreSQL's parse_coerce.c).

Family 1 (anyelement ...) demands identical types, family 2 (anycompatible ...) resolves to the
common type as UNION does.  The state of one resolution is a small object, because PostgreSQL's
functions share some fifteen local variables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pgemu.errors import DATATYPE_MISMATCH, UNDEFINED_OBJECT, PgError
from pgemu.parser.parse_cache import (
    get_array_type,
    get_base_type,
    get_element_type,
    get_multirange_range,
    get_range_multirange,
    get_range_subtype,
    is_enum,
    type_is_array_domain,
)
from pgemu.parser.type_oids import (
    ANYARRAYOID,
    ANYCOMPATIBLEARRAYOID,
    ANYCOMPATIBLEMULTIRANGEOID,
    ANYCOMPATIBLENONARRAYOID,
    ANYCOMPATIBLEOID,
    ANYCOMPATIBLERANGEOID,
    ANYELEMENTOID,
    ANYENUMOID,
    ANYMULTIRANGEOID,
    ANYNONARRAYOID,
    ANYRANGEOID,
    POLYMORPHIC_FAMILY1,
    POLYMORPHIC_FAMILY2,
    POLYMORPHIC_TYPES,
    TEXTOID,
    UNKNOWNOID,
)

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

_NAMES = {
    ANYARRAYOID: "anyarray",
    ANYCOMPATIBLEARRAYOID: "anycompatiblearray",
    ANYCOMPATIBLEMULTIRANGEOID: "anycompatiblemultirange",
    ANYCOMPATIBLENONARRAYOID: "anycompatiblenonarray",
    ANYCOMPATIBLERANGEOID: "anycompatiblerange",
    ANYELEMENTOID: "anyelement",
    ANYENUMOID: "anyenum",
    ANYMULTIRANGEOID: "anymultirange",
    ANYNONARRAYOID: "anynonarray",
    ANYRANGEOID: "anyrange",
}


def is_polymorphic_type(type_oid: int) -> bool:
    return type_oid in POLYMORPHIC_TYPES


def _mismatch(message: str, detail: str | None = None) -> PgError:
    return PgError(DATATYPE_MISMATCH, message, detail=detail)


def _need_same(catalog: Catalog, pseudo: str, a: int, b: int) -> PgError:
    return _mismatch(
        f'arguments declared "{pseudo}" are not all alike',
        f"{catalog.type_name(a)} versus {catalog.type_name(b)}",
    )


def check_generic_type_consistency(
    catalog: Catalog, actual_types: list[int], declared_types: list[int]
) -> bool:
    """Could a call with these actual types satisfy the polymorphic declaration?  (No error is
    raised: used while candidates are sorted out.)"""
    if not any(t in POLYMORPHIC_TYPES for t in declared_types):
        return True
    try:
        found = _Resolution(catalog, strict=False)
        found.collect(actual_types, declared_types)
        found.check_family1(declared_types)
        return found.check_family2()
    except PgError:
        return False


@dataclass
class _Resolution:
    """elem, array, range, multirange: what family 1 has met so far; comp_*: family 2."""

    catalog: Catalog
    strict: bool
    allow_poly: bool = False
    rettype_needs_element: bool = False
    elem: int = 0
    array: int = 0
    range: int = 0
    multirange: int = 0
    comp: int = 0
    comp_array: int = 0
    comp_elem: int = 0
    comp_range: int = 0
    comp_range_elem: int = 0
    comp_multirange: int = 0
    comp_multirange_range: int = 0
    have_unknowns: bool = False
    have_comp_unknowns: bool = False
    n_poly1: int = 0
    have_nonarray: bool = False
    have_enum: bool = False
    have_comp_nonarray: bool = False
    have_comp_array: bool = False
    have_comp_range: bool = False
    have_comp_multirange: bool = False
    comp_actuals: list[int] = field(default_factory=list)

    def _merge(self, slot: str, actual: int, pseudo: int) -> None:
        seen = getattr(self, slot)
        if seen and seen != actual:
            raise _need_same(self.catalog, _NAMES[pseudo], seen, actual)
        setattr(self, slot, actual)

    def collect(self, actual_types: list[int], declared_types: list[int]) -> None:
        """Fill the slots from one call's arguments."""
        catalog = self.catalog
        for declared, given in zip(declared_types, actual_types, strict=False):
            actual = given
            if declared in POLYMORPHIC_FAMILY1:
                self.n_poly1 += 1
                self.have_nonarray |= declared == ANYNONARRAYOID
                self.have_enum |= declared == ANYENUMOID
                if actual == UNKNOWNOID:
                    self.have_unknowns = True
                    continue
                if self.allow_poly and actual == declared:
                    continue
                if declared in (ANYELEMENTOID, ANYNONARRAYOID, ANYENUMOID):
                    self._merge("elem", actual, ANYELEMENTOID)
                else:
                    slot = {ANYARRAYOID: "array", ANYRANGEOID: "range"}.get(declared, "multirange")
                    self._merge(slot, get_base_type(catalog, actual), declared)
            elif declared in POLYMORPHIC_FAMILY2:
                self._note_compatible(declared, actual)

    def _note_compatible(self, declared: int, actual: int) -> None:
        catalog = self.catalog
        self.have_comp_nonarray |= declared == ANYCOMPATIBLENONARRAYOID
        self.have_comp_array |= declared == ANYCOMPATIBLEARRAYOID
        self.have_comp_range |= declared == ANYCOMPATIBLERANGEOID
        self.have_comp_multirange |= declared == ANYCOMPATIBLEMULTIRANGEOID
        if actual == UNKNOWNOID:
            self.have_comp_unknowns = True
            return
        if self.allow_poly and actual == declared:
            return
        if declared in (ANYCOMPATIBLEOID, ANYCOMPATIBLENONARRAYOID):
            self.comp_actuals.append(actual)
            return
        actual = get_base_type(catalog, actual)
        if declared == ANYCOMPATIBLEARRAYOID:
            element = get_element_type(catalog, actual)
            if not element:
                raise _not_a(catalog, "anycompatiblearray", "an array", actual)
            self.comp_actuals.append(element)
        elif declared == ANYCOMPATIBLERANGEOID:
            if self.comp_range:
                self._merge("comp_range", actual, declared)
                return
            subtype = get_range_subtype(catalog, actual)
            if not subtype:
                raise _not_a(catalog, "anycompatiblerange", "a range type", actual)
            self.comp_range, self.comp_range_elem = actual, subtype
            self.comp_actuals.append(subtype)
        else:
            if self.comp_multirange:
                self._merge("comp_multirange", actual, declared)
                return
            range_type = get_multirange_range(catalog, actual)
            if not range_type:
                raise _not_a(catalog, "anycompatiblemultirange", "a multirange type", actual)
            self.comp_multirange, self.comp_multirange_range = actual, range_type
            self.comp_actuals.append(get_range_subtype(catalog, range_type))

    def check_family1(self, declared_types: list[int]) -> None:
        """Fill in what follows from what was met, and check that it fits together."""
        if not self.n_poly1:
            return
        catalog = self.catalog
        if self.array:
            self._check_array()
        if self.multirange:
            range_of = get_multirange_range(catalog, self.multirange)
            if not range_of:
                raise _not_a(catalog, "anymultirange", "a multirange type", self.multirange)
            if not self.range:
                self.range = range_of
            elif self.range != range_of:
                raise _inconsistent(
                    catalog, "anymultirange", self.multirange, "anyrange", self.range
                )
        if self.range:
            subtype = get_range_subtype(catalog, self.range)
            if not subtype:
                raise _not_a(catalog, "anyrange", "a range type", self.range)
            if not self.elem:
                self.elem = subtype
            elif self.elem != subtype:
                raise _inconsistent(catalog, "anyrange", self.range, "anyelement", self.elem)
        if not self.elem:
            self._no_element(declared_types)
        if self.elem and self.elem != ANYELEMENTOID:
            self._check_restrictions()
        elif self.have_enum and not self.strict:
            # an unknown literal alone does not make an enum
            raise _mismatch("type matched to anyenum is not an enum type: unknown")

    def _check_array(self) -> None:
        catalog = self.catalog
        if self.array == ANYARRAYOID:
            # a column of pg_statistic: its element type is not known here
            if self.n_poly1 != 1 or self.rettype_needs_element:
                raise _mismatch('cannot determine element type of "anyarray" argument')
            element = ANYELEMENTOID
        else:
            element = get_element_type(catalog, self.array)
            if not element:
                raise _not_a(catalog, "anyarray", "an array", self.array)
        if not self.elem:
            self.elem = element
        elif self.elem != element:
            raise _inconsistent(catalog, "anyarray", self.array, "anyelement", self.elem)

    def _no_element(self, declared_types: list[int]) -> None:
        if not self.strict:
            return
        if self.allow_poly:
            # all polymorphic inputs were of the same pseudo-type
            self.elem, self.array = ANYELEMENTOID, ANYARRAYOID
            self.range, self.multirange = ANYRANGEOID, ANYMULTIRANGEOID
            return
        raise PgError(
            DATATYPE_MISMATCH,
            "could not determine polymorphic type because input has type unknown",
        )

    def _check_restrictions(self) -> None:
        catalog = self.catalog
        if self.have_nonarray and type_is_array_domain(catalog, self.elem):
            raise _mismatch(
                "type matched to anynonarray is an array type: " + catalog.type_name(self.elem)
            )
        if self.have_enum and not is_enum(catalog, self.elem):
            raise _mismatch(
                "type matched to anyenum is not an enum type: " + catalog.type_name(self.elem)
            )

    def check_family2(self) -> bool:
        """Resolve the common type of the anycompatible arguments; False: there is none."""
        from pgemu.parser.parse_coerce_common import (
            select_common_type_from_oids,
            verify_common_type_from_oids,
        )

        catalog = self.catalog
        if self.comp_actuals:
            common = select_common_type_from_oids(catalog, self.comp_actuals, not self.strict)
            if not common:
                return False
            self.comp = common
            if not verify_common_type_from_oids(catalog, common, self.comp_actuals):
                if not self.strict:
                    return False
                raise _mismatch("arguments of anycompatible family cannot be cast to a common type")
        elif self.have_comp_unknowns and self.strict:
            self.comp = TEXTOID
        elif (
            self.allow_poly
            and self.strict
            and (self.have_comp_array or self.have_comp_range or self.have_comp_multirange)
        ):
            self.comp = ANYCOMPATIBLEOID
            self.comp_array = ANYCOMPATIBLEARRAYOID
            self.comp_range = ANYCOMPATIBLERANGEOID
            self.comp_multirange = ANYCOMPATIBLEMULTIRANGEOID
        return self._check_compatible_containers()

    def _check_compatible_containers(self) -> bool:
        catalog = self.catalog
        if not self.comp or self.comp == ANYCOMPATIBLEOID:
            return True
        if self.have_comp_nonarray and type_is_array_domain(catalog, self.comp):
            if not self.strict:
                return False
            raise _mismatch(
                "type matched to anycompatiblenonarray is an array type: "
                + catalog.type_name(self.comp)
            )
        if self.strict and self.have_comp_array:
            self.comp_array = get_array_type(catalog, self.comp)
            if not self.comp_array:
                raise PgError(
                    UNDEFINED_OBJECT,
                    "could not find array type for data type " + catalog.type_name(self.comp),
                )
        if self.comp_range and self.comp_range_elem != self.comp:
            if not self.strict:
                return False
            raise _mismatch(
                f"anycompatiblerange type {catalog.type_name(self.comp_range)}"
                f" does not match anycompatible type {catalog.type_name(self.comp)}"
            )
        if self.comp_multirange:
            if self.comp_range and self.comp_multirange_range != self.comp_range:
                raise _inconsistent(
                    catalog,
                    "anycompatiblemultirange",
                    self.comp_multirange,
                    "anycompatiblerange",
                    self.comp_range,
                )
            if get_range_subtype(catalog, self.comp_multirange_range) != self.comp:
                if not self.strict:
                    return False
                raise _mismatch(
                    f"anycompatiblemultirange type {catalog.type_name(self.comp_multirange)}"
                    f" does not match anycompatible type {catalog.type_name(self.comp)}"
                )
        if self.strict:
            self._deduce_ranges()
        return True

    def _deduce_ranges(self) -> None:
        """A range cannot be deduced from its element type alone."""
        if self.have_comp_range and not self.comp_range:
            if self.comp_multirange:
                self.comp_range = self.comp_multirange_range
            else:
                raise _mismatch(
                    "could not determine polymorphic type anycompatiblerange"
                    " because input has type unknown"
                )
        if self.have_comp_multirange and not self.comp_multirange:
            if self.comp_range:
                self.comp_multirange = get_range_multirange(self.catalog, self.comp_range)
            else:
                raise _mismatch(
                    "could not determine polymorphic type anycompatiblemultirange"
                    " because input has type unknown"
                )

    def resolve(self, declared: int) -> int:
        """The actual type that a declared pseudo-type stands for, 0 when it stays open."""
        catalog = self.catalog
        if declared in (ANYELEMENTOID, ANYNONARRAYOID, ANYENUMOID):
            return self.elem
        if declared == ANYARRAYOID:
            if not self.array:
                self.array = get_array_type(catalog, self.elem)
                if not self.array:
                    raise PgError(
                        UNDEFINED_OBJECT,
                        "could not find array type for data type " + catalog.type_name(self.elem),
                    )
            return self.array
        if declared == ANYRANGEOID:
            if not self.range:
                raise _undetermined("anyrange")
            return self.range
        if declared == ANYMULTIRANGEOID:
            if not self.multirange:
                if not self.range:
                    raise _undetermined("anymultirange")
                self.multirange = get_range_multirange(catalog, self.range)
            return self.multirange
        if declared in (ANYCOMPATIBLEOID, ANYCOMPATIBLENONARRAYOID):
            return self.comp
        if declared == ANYCOMPATIBLEARRAYOID:
            if not self.comp_array and self.comp:
                self.comp_array = get_array_type(catalog, self.comp)
            return self.comp_array
        if declared == ANYCOMPATIBLERANGEOID:
            return self.comp_range
        return self.comp_multirange


def _undetermined(pseudo: str) -> PgError:
    return _mismatch(
        f"could not determine polymorphic type {pseudo} because input has type unknown"
    )


def _not_a(catalog: Catalog, pseudo: str, what: str, actual: int) -> PgError:
    return _mismatch(
        f"argument declared {pseudo} is not {what} but type {catalog.type_name(actual)}"
    )


def _inconsistent(catalog: Catalog, a: str, a_type: int, b: str, b_type: int) -> PgError:
    return _mismatch(
        f"argument declared {a} is not consistent with argument declared {b}",
        f"{catalog.type_name(a_type)} versus {catalog.type_name(b_type)}",
    )


def enforce_generic_type_consistency(
    catalog: Catalog,
    actual_types: list[int],
    declared_types: list[int],
    rettype: int,
    allow_poly: bool = False,
) -> int:
    """Replace, in place, the polymorphic declared types by the actual ones of this call and return
    the actual result type.  Unknown literals become what the other arguments decide."""
    if not (rettype in POLYMORPHIC_TYPES or any(t in POLYMORPHIC_TYPES for t in declared_types)):
        return rettype
    found = _Resolution(catalog, strict=True, allow_poly=allow_poly)
    found.rettype_needs_element = rettype != ANYARRAYOID and rettype in POLYMORPHIC_FAMILY1
    found.collect(actual_types, declared_types)
    found.check_family1(declared_types)
    found.check_family2()
    for i, declared in enumerate(declared_types):
        if declared in POLYMORPHIC_TYPES:
            declared_types[i] = _argument_type(found, declared, actual_types[i])
    if rettype not in POLYMORPHIC_TYPES:
        return rettype
    resolved = found.resolve(rettype)
    if not resolved:
        raise PgError(
            DATATYPE_MISMATCH,
            f"could not determine polymorphic type {_NAMES.get(rettype, 'anycompatible')}"
            " because input has type unknown",
        )
    return resolved


def _argument_type(found: _Resolution, declared: int, actual: int) -> int:
    if found.allow_poly and actual == declared:
        return actual
    if declared in POLYMORPHIC_FAMILY1 and actual != UNKNOWNOID:
        # family 1: all are alike, so each argument keeps its own (a domain stays a domain for
        # anyelement, but is flattened for anyarray and the ranges)
        if declared in (ANYELEMENTOID, ANYNONARRAYOID, ANYENUMOID):
            return actual
        return found.resolve(declared)
    return found.resolve(declared)
