"""Deleting objects with what depends on them (PostgreSQL's catalog/dependency.c).

`perform_deletion` finds everything that must go with an object, refuses or reports as PostgreSQL
does, and then removes the objects one by one, dependents first (drop_object.py).  Recording
dependencies: pg_depend.py; finding those of an expression: find_expr_references.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pgemu.catalog.drop_object import delete_one_object
from pgemu.catalog.find_expr_references import (
    find_expr_references,
    record_dependency_on_expr,
    record_dependency_on_query,
    record_dependency_on_single_rel_expr,
)
from pgemu.catalog.objectaddress import ObjectAddress, get_object_description
from pgemu.catalog.pg_depend import (
    is_pinned_object,
    record_dependency_on,
    record_multiple_dependencies,
)
from pgemu.catalog.rows import PgDepend
from pgemu.errors import DEPENDENT_OBJECTS_STILL_EXIST, PgError

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

__all__ = [
    "ObjectAddress",
    "find_expr_references",
    "is_pinned_object",
    "perform_deletion",
    "perform_multiple_deletions",
    "record_dependency_on",
    "record_dependency_on_expr",
    "record_dependency_on_query",
    "record_dependency_on_single_rel_expr",
    "record_multiple_dependencies",
]

_ORIGINAL = 1
_NORMAL = 2
_AUTO = 4
_INTERNAL = 8
_PARTITION = 16
_EXTENSION = 32
_REVERSE = 64
_IS_PART = 128
_SUBOBJECT = 256

_FLAG_OF_DEPTYPE = {
    "n": _NORMAL,
    "a": _AUTO,
    "x": _AUTO,
    "i": _INTERNAL,
    "P": _PARTITION,
    "S": _PARTITION,
    "e": _EXTENSION,
}
_MAX_REPORTED = 100


@dataclass(slots=True)
class _Target:
    """An object to delete, why, and on account of which other object."""

    address: ObjectAddress
    flags: int
    dependee: ObjectAddress | None


@dataclass(slots=True)
class _StackItem:
    address: ObjectAddress
    flags: int
    next: _StackItem | None


@dataclass(slots=True)
class _Search:
    catalog: Catalog
    targets: list[_Target] = field(default_factory=list)
    pending: list[ObjectAddress] = field(default_factory=list)
    by_object: dict[tuple[int, int], list[_Target]] = field(default_factory=dict)

    def add(self, target: _Target) -> None:
        self.targets.append(target)
        self.by_object.setdefault(target.address[:2], []).append(target)

    def present_add_flags(self, address: ObjectAddress, flags: int) -> bool:
        """Is it (or the object that it is part of) a target already?"""
        result = False
        for target in self.by_object.get(address[:2], ()):
            if address.objsubid == target.address.objsubid:
                target.flags |= flags
                result = True
            elif target.address.objsubid == 0:
                # The whole object goes, and the column with it.
                result = True
            elif address.objsubid == 0 and flags:
                # The column was found first: mark it as done by the whole object.
                target.flags |= flags | _SUBOBJECT
        return result


def _on_stack(address: ObjectAddress, flags: int, stack: _StackItem | None) -> bool:
    result = False
    item = stack
    while item is not None:
        if item.address[:2] == address[:2]:
            if item.address.objsubid == address.objsubid:
                item.flags |= flags
                result = True
            elif item.address.objsubid == 0:
                result = True
        item = item.next
    return result


def _is_pending(address: ObjectAddress, pending: Iterable[ObjectAddress]) -> bool:
    return any(p == address or (p[:2] == address[:2] and p.objsubid == 0) for p in pending)


def _required_by(catalog: Catalog, address: ObjectAddress, owner: ObjectAddress) -> PgError:
    what = get_object_description(catalog, address)
    other = get_object_description(catalog, owner)
    return PgError(
        DEPENDENT_OBJECTS_STILL_EXIST,
        f"cannot drop {what} because {other} requires it",
        hint=f"You can drop {other} instead.",
    )


def _depends_on(catalog: Catalog, address: ObjectAddress) -> list[PgDepend]:
    rows = catalog.all(PgDepend, classid=address.classid, objid=address.objid)
    return [d for d in rows if not address.objsubid or d.objsubid == address.objsubid]


def _dependents(catalog: Catalog, address: ObjectAddress) -> list[PgDepend]:
    rows = catalog.all(PgDepend, refclassid=address.classid, refobjid=address.objid)
    return [d for d in rows if not address.objsubid or d.refobjsubid == address.objsubid]


def _find_dependent_objects(
    search: _Search, address: ObjectAddress, objflags: int, flags: int, stack: _StackItem | None
) -> None:
    """Add the object to the targets, and before it everything that depends on it."""
    if _on_stack(address, objflags, stack):
        return
    if search.present_add_flags(address, objflags):
        return
    catalog = search.catalog
    if is_pinned_object(address.classid, address.objid):
        raise PgError(
            DEPENDENT_OBJECTS_STILL_EXIST,
            f"cannot drop {get_object_description(catalog, address)}"
            " because it is required by the database system",
        )
    owning: ObjectAddress | None = None
    partition: ObjectAddress | None = None
    for row in _depends_on(catalog, address):
        other = ObjectAddress(row.refclassid, row.refobjid, row.refobjsubid)
        if other[:2] == address[:2] and address.objsubid == 0:
            continue
        if row.deptype in "PS":
            objflags |= _IS_PART
            if partition is None or row.deptype == "P":
                partition = other
        elif row.deptype in "ie":
            if stack is None:
                if _is_pending(other, search.pending):
                    return
                if owning is None or row.deptype == "e":
                    owning = other
                continue
            if _on_stack(other, 0, stack):
                continue
            # Only the owner may be dropped: go there, it will come back to this one.
            _find_dependent_objects(search, other, _REVERSE, flags, stack)
            if search.present_add_flags(address, objflags):
                return
    if owning is not None:
        raise _required_by(catalog, address, owning)

    found: dict[ObjectAddress, int] = {}
    for row in _dependents(catalog, address):
        other = ObjectAddress(row.classid, row.objid, row.objsubid)
        if other[:2] == address[:2] and address.objsubid == 0:
            continue
        found[other] = found.get(other, 0) | _FLAG_OF_DEPTYPE[row.deptype]
    item = _StackItem(address, objflags, stack)
    ordered = sorted(found.items(), key=lambda f: (-f[0].objid, f[0].classid, f[0].objsubid))
    for other, subflags in ordered:
        _find_dependent_objects(search, other, subflags, flags, item)

    if search.present_add_flags(address, item.flags):
        return
    dependee = partition if partition is not None else (stack.address if stack else None)
    if objflags & _REVERSE and stack is not None:
        dependee = stack.address
    search.add(_Target(address, item.flags, dependee))


def _report(
    search: _Search, *, cascade: bool, original: ObjectAddress | None, quietly: bool
) -> None:
    """reportDependentObjects: refuse, or tell what else is dropped."""
    catalog = search.catalog
    for target in search.targets:
        if (
            target.flags & _IS_PART
            and not target.flags & _PARTITION
            and target.dependee is not None
            and not target.flags & _SUBOBJECT
        ):
            raise _required_by(catalog, target.address, target.dependee)
    lines: list[str] = []
    not_reported = 0
    refused = False
    for target in reversed(search.targets):
        if target.flags & (_ORIGINAL | _SUBOBJECT):
            continue
        if target.flags & (_AUTO | _INTERNAL | _PARTITION | _EXTENSION):
            continue
        if cascade and quietly:
            continue
        what = get_object_description(catalog, target.address)
        refused = refused or not cascade
        if len(lines) >= _MAX_REPORTED:
            not_reported += 1
        elif cascade:
            lines.append(f"drop cascades to {what}")
        else:
            assert target.dependee is not None
            other = get_object_description(catalog, target.dependee)
            lines.append(f"{what} depends on {other}")
    detail = "\n".join(lines)
    if not_reported:
        plural = "s" if not_reported != 1 else ""
        detail += f"\nand {not_reported} other object{plural} (see server log for list)"
    if refused:
        if original is not None:
            message = (
                f"cannot drop {get_object_description(catalog, original)}"
                " because other objects depend on it"
            )
        else:
            message = "cannot drop desired object(s) because other objects depend on them"
        raise PgError(
            DEPENDENT_OBJECTS_STILL_EXIST,
            message,
            detail=detail,
            hint="Use DROP ... CASCADE to drop the dependent objects too.",
        )
    if len(lines) > 1:
        count = len(lines) + not_reported
        catalog.ctx.notice(
            "NOTICE", "00000", f"drop cascades to {count} other objects", detail=detail
        )
    elif lines:
        catalog.ctx.notice("NOTICE", "00000", lines[0])


def perform_multiple_deletions(
    catalog: Catalog,
    addresses: Sequence[ObjectAddress],
    behavior: str = "restrict",
    *,
    quietly: bool = False,
    internal: bool = False,
) -> list[ObjectAddress]:
    """Drop objects and what depends on them.  behavior "restrict" or "cascade" (the raw tree's
    DROP_CASCADE is understood); quietly: no NOTICE; internal: event triggers do not hear of it
    (PERFORM_DELETION_INTERNAL).  Answers what was dropped, in order."""
    if not addresses:
        return []
    search = _Search(catalog, pending=list(addresses))
    for address in addresses:
        _find_dependent_objects(search, ObjectAddress(*address), _ORIGINAL, 0, None)
    cascade = behavior in ("cascade", "DROP_CASCADE")
    original = addresses[0] if len(addresses) == 1 else None
    _report(search, cascade=cascade, original=original, quietly=quietly)
    dropped = [t.address for t in search.targets if not t.flags & _SUBOBJECT]
    if not internal:
        _tell_event_triggers(search)
    everything = frozenset(dropped)
    for address in dropped:
        delete_one_object(catalog, address, everything)
    return dropped


def _tell_event_triggers(search: _Search) -> None:
    """deleteObjectsInList: what goes is described while it is there."""
    session = search.catalog.ctx.session
    state = getattr(session, "event_trigger_state", None)
    if state is None:
        return
    for target in search.targets:
        if not target.flags & _SUBOBJECT:
            original = bool(target.flags & _ORIGINAL)
            normal = bool(target.flags & (_NORMAL | _REVERSE))
            state.add_dropped(search.catalog, target.address, original, normal)


def perform_deletion(
    catalog: Catalog,
    address: ObjectAddress,
    behavior: str = "restrict",
    *,
    quietly: bool = False,
    internal: bool = False,
) -> list[ObjectAddress]:
    """The same for one object."""
    return perform_multiple_deletions(
        catalog, [address], behavior, quietly=quietly, internal=internal
    )
