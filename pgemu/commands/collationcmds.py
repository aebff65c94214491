"""CREATE COLLATION (PostgreSQL's collationcmds.c): copies, locale C and POSIX, and ICU's."""

from __future__ import annotations

import locale
from typing import Any

from pgemu.catalog.acl import ACL_CREATE, pg_namespace_aclcheck
from pgemu.catalog.heap import depend, insert_rows, is_pinned, owner_rows
from pgemu.catalog.rows import PG_COLLATION_RELID, PG_NAMESPACE_RELID, PgCollation, PgNamespace
from pgemu.commands.define import (
    def_get_boolean,
    def_get_qualified_name,
    def_get_string,
    elements,
    error_conflicting_def_elem,
    strings,
)
from pgemu.commands.ownership import check_object_ownership
from pgemu.commands.permissions import aclcheck_error
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    INTERNAL_ERROR,
    INVALID_OBJECT_DEFINITION,
    INVALID_PARAMETER_VALUE,
    SYNTAX_ERROR,
    PgError,
)
from pgemu.types.icu import collation_version

UTF8 = 6  # the encoding that locales of the C library are for
# the order of bytes; the last two classify letters as Unicode does
_LOCALES = ("C", "POSIX", "C.utf8", "C.UTF-8")

_OPTIONS = (
    "from", "locale", "lc_collate", "lc_ctype", "provider", "deterministic", "version",
)  # fmt: skip


def _check_together(given: dict[str, Any]) -> None:
    given_locale = "locale" in given and ("lc_collate" in given or "lc_ctype" in given)
    if given_locale or ("from" in given and len(given) > 1):
        detail = "FROM cannot be specified together with any other options."
        if given_locale:
            detail = "LOCALE cannot be specified together with LC_COLLATE or LC_CTYPE."
        raise PgError(SYNTAX_ERROR, "conflicting or redundant options", detail=detail)


def _check_provider(given: dict[str, Any]) -> None:
    provider = def_get_string(given["provider"]).lower() if "provider" in given else "libc"
    deterministic = "deterministic" not in given or def_get_boolean(given["deterministic"])
    if provider not in ("libc", "icu"):
        shown = def_get_string(given["provider"])
        raise PgError(INVALID_OBJECT_DEFINITION, f"unrecognized collation provider: {shown}")
    if provider == "libc" and not deterministic:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "nondeterministic collations not supported with this provider",
        )


def _is_icu(given: dict[str, Any]) -> bool:
    return "provider" in given and def_get_string(given["provider"]).lower() == "icu"


def _check_locale(name: str) -> None:
    """report_newlocale_failure, for a name that the operating system does not know."""
    before = locale.setlocale(locale.LC_COLLATE)
    try:
        locale.setlocale(locale.LC_COLLATE, name)
    except locale.Error:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'could not create locale "{name}": No such file or directory',
            detail="The operating system could not find any locale data for the locale name "
            f'"{name}".',
        ) from None
    locale.setlocale(locale.LC_COLLATE, before)


def _libc_row(name: str, given: dict[str, Any]) -> PgCollation:
    both = def_get_string(given["locale"]) if "locale" in given else None
    collate = def_get_string(given["lc_collate"]) if "lc_collate" in given else both
    ctype = def_get_string(given["lc_ctype"]) if "lc_ctype" in given else both
    for value, word in ((collate, "lc_collate"), (ctype, "lc_ctype")):
        if value is None:
            raise PgError(INVALID_OBJECT_DEFINITION, f'parameter "{word}" must be specified')
        if value not in _LOCALES:
            _check_locale(value)
            raise PgError(
                FEATURE_NOT_SUPPORTED, f'collations of locale "{value}" are not supported'
            )
    version = def_get_string(given["version"]) if "version" in given else None
    return PgCollation(0, name, 0, 0, "c", True, UTF8, collate, ctype, None, version)


def _icu_row(name: str, given: dict[str, Any]) -> PgCollation:
    if "locale" not in given:
        raise PgError(INVALID_OBJECT_DEFINITION, 'parameter "locale" must be specified')
    icu = def_get_string(given["locale"])
    version = collation_version(icu)
    if "version" in given:
        version = def_get_string(given["version"])
    exact = "deterministic" not in given or def_get_boolean(given["deterministic"])
    return PgCollation(0, name, 0, 0, "i", exact, -1, None, None, icu, version)


def alter_collation(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER COLLATION ... REFRESH VERSION.  The C library's "C" has none that could change."""
    from pgemu.catalog.namespace import get_collation_oid
    from pgemu.catalog.objectaddress import ObjectAddress

    oid = get_collation_oid(session.catalog, stmt["collname"])
    shown = ".".join(strings(stmt["collname"]))
    check_object_ownership(session, ObjectAddress(PG_COLLATION_RELID, oid, 0), shown=shown)
    row = session.catalog.get(PgCollation, oid=oid)
    actual = collation_version(row.colliculocale or "") if row.collprovider == "i" else None
    if (row.collversion is None) != (actual is None):
        raise PgError(INTERNAL_ERROR, "invalid collation version change")
    if actual == row.collversion:
        session.notice("NOTICE", "00000", "version has not changed")
    else:
        session.notice("NOTICE", "00000", f"changing version from {row.collversion} to {actual}")
        session.catalog.update(PgCollation, {"oid": oid}, collversion=actual)
    return CommandResult("ALTER COLLATION")


def define_collation(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """CREATE COLLATION name FROM other, or (LOCALE = ...)."""
    from pgemu.catalog.namespace import (
        get_collation_oid,
        qualified_name_get_creation_namespace,
    )

    catalog = session.catalog
    namespace, name = qualified_name_get_creation_namespace(catalog, stmt["defnames"])
    if not pg_namespace_aclcheck(catalog, namespace, ACL_CREATE):
        aclcheck_error("schema", catalog.get(PgNamespace, oid=namespace).nspname)
    given: dict[str, dict[str, Any]] = {}
    for option in elements(stmt.get("definition")):
        if option["defname"] not in _OPTIONS:
            raise PgError(
                SYNTAX_ERROR,
                f'collation attribute "{option["defname"]}" not recognized',
                location=option.get("location"),
            )
        if option["defname"] in given:
            raise error_conflicting_def_elem(option)
        given[option["defname"]] = option
    _check_together(given)
    if "from" in given:
        oid = get_collation_oid(catalog, def_get_qualified_name(given["from"]))
        source = catalog.one(PgCollation, oid=oid)
        if source.collname == "default":
            raise PgError(INVALID_OBJECT_DEFINITION, 'collation "default" cannot be copied')
        row = source._replace(collname=name)
    else:
        _check_provider(given)
        row = _icu_row(name, given) if _is_icu(given) else _libc_row(name, given)
    if catalog.one(PgCollation, collname=name, collnamespace=namespace) is not None:
        where = ' for encoding "UTF8"' if row.collencoding == UTF8 else ""
        message = f'collation "{name}"{where} already exists'
        if stmt.get("if_not_exists"):
            session.notice("NOTICE", DUPLICATE_OBJECT, message + ", skipping")
            return CommandResult("CREATE COLLATION")
        raise PgError(DUPLICATE_OBJECT, message)
    oid = catalog.new_oid()
    owner = session.ctx.current_user_oid
    new = row._replace(oid=oid, collnamespace=namespace, collowner=owner)
    rows: list[Any] = [new, *owner_rows(catalog, PG_COLLATION_RELID, oid, owner)]
    if not is_pinned(namespace, PG_NAMESPACE_RELID):
        me = (PG_COLLATION_RELID, oid, 0)
        rows.append(depend(me, (PG_NAMESPACE_RELID, namespace, 0), "n"))
    insert_rows(catalog, rows)
    return CommandResult("CREATE COLLATION")
