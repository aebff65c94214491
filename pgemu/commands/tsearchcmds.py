"""CREATE and ALTER TEXT SEARCH DICTIONARY and CONFIGURATION (PostgreSQL's tsearchcmds.c).

Parsers and templates: tsearch_methods.py.
"""

from __future__ import annotations

import re
from typing import Any

from pgemu.catalog.heap import depend, insert_rows, is_pinned, owner_rows
from pgemu.catalog.namespace import (
    get_ts_config_oid,
    get_ts_dict_oid,
    get_ts_parser_oid,
    get_ts_template_oid,
    name_list_to_string,
    qualified_name_get_creation_namespace,
)
from pgemu.catalog.rows import (
    PG_NAMESPACE_RELID,
    PG_TS_CONFIG_RELID,
    PG_TS_DICT_RELID,
    PG_TS_PARSER_RELID,
    PG_TS_TEMPLATE_RELID,
    PgDepend,
    PgNamespace,
    PgTsConfig,
    PgTsConfigMap,
    PgTsDict,
    PgTsTemplate,
)
from pgemu.commands.define import (
    def_get_qualified_name,
    def_get_string,
    elements,
    list_items,
    quote_identifier,
    strings,
)
from pgemu.commands.permissions import owns
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_OBJECT_DEFINITION,
    INVALID_PARAMETER_VALUE,
    SYNTAX_ERROR,
    UNDEFINED_OBJECT,
    PgError,
)
from pgemu.types.tsearch_parser import TYPE_NUMBER

_ITEM = re.compile(r"""("(?:[^"]|"")*"|\w+)\s*=\s*(?:E?'((?:[^']|'')*)'|(\d+))""")
_PARAMETERS = {
    "simple": ("stopwords", "accept"), "snowball": ("language", "stopwords"),
    "synonym": ("synonyms", "casesensitive"), "ispell": ("dictfile", "afffile", "stopwords"),
    "thesaurus": ("dictfile", "dictionary"),
}  # fmt: skip
_SHOWN = {
    "simple": "simple dictionary parameter", "snowball": "Snowball parameter",
    "synonym": "synonym parameter", "ispell": "Ispell parameter",
    "thesaurus": "Thesaurus parameter",
}  # fmt: skip
# template -> parameters that must be given, as messages spell them
_REQUIRED = {
    "snowball": ("Language",), "synonym": ("Synonyms",), "ispell": ("AffFile", "DictFile"),
    "thesaurus": ("DictFile", "Dictionary"),
}  # fmt: skip


class _Number(str):
    """An option's value that was written as a number."""


def _creation_namespace(session: Any, names: list[Any]) -> tuple[int, str]:
    from pgemu.catalog.acl import ACL_CREATE, pg_namespace_aclcheck

    catalog = session.catalog
    namespace, name = qualified_name_get_creation_namespace(catalog, names)
    if not pg_namespace_aclcheck(catalog, namespace, ACL_CREATE):
        schema = catalog.get(PgNamespace, oid=namespace).nspname
        raise PgError(INSUFFICIENT_PRIVILEGE, f"permission denied for schema {schema}")
    return int(namespace), str(name)


def _names(words: list[str]) -> list[dict[str, Any]]:
    return [{"String": {"sval": w}} for w in words]


def _rows(session: Any, relid: int, row: Any, namespace: int, *needs: tuple[int, int]) -> list[Any]:
    """The row, its owner and what it depends on."""
    me = (relid, row.oid, 0)
    found: list[Any] = [
        row,
        *owner_rows(session.catalog, relid, row.oid, session.ctx.current_user_oid),
    ]
    if not is_pinned(namespace, PG_NAMESPACE_RELID):
        found.append(depend(me, (PG_NAMESPACE_RELID, namespace, 0), "n"))
    found.extend(depend(me, (cls, oid, 0), "n") for cls, oid in needs if not is_pinned(oid))
    return found


# ----------------------------------------------------------------------------- dictionaries


def _check_options(session: Any, template_oid: int, options: dict[str, str]) -> None:
    """verify_dictoptions: what the template's init function would say."""
    from pgemu.types.tsearch_config import make_dictionary, template_kind

    row = session.catalog.get(PgTsTemplate, oid=template_oid)
    if not row.tmplinit:
        if options:
            raise PgError(
                SYNTAX_ERROR, f'text search template "{row.tmplname}" does not accept options'
            )
        return
    template = template_kind(session.ctx, template_oid)
    known = _PARAMETERS.get(template)
    if known is None:
        raise PgError(FEATURE_NOT_SUPPORTED, f'text search template "{template}" is not supported')
    for name in options:
        if name not in known:
            raise PgError(INVALID_PARAMETER_VALUE, f'unrecognized {_SHOWN[template]}: "{name}"')
    if template in ("ispell", "thesaurus"):
        _check_files(template, options)
    for parameter in _REQUIRED.get(template, ()):
        if parameter.lower() not in options:
            raise PgError(INVALID_PARAMETER_VALUE, f"missing {parameter} parameter")
    make_dictionary(template, _serialize(options) or "", "", session.ctx)


def _check_files(template: str, options: dict[str, str]) -> None:
    """These templates read their files while they read their options."""
    from pgemu.types.tsearch_files import config_lines

    kinds = {"dictfile": ("dict", "dictionary"), "afffile": ("affix", "affix")}
    if template == "thesaurus":
        kinds = {"dictfile": ("ths", "thesaurus")}
    for name, value in options.items():
        if name in kinds:
            next(config_lines(value, *kinds[name]), None)


def _serialize(options: dict[str, str]) -> str | None:
    """serialize_deflist."""
    texts = []
    for name, value in options.items():
        if isinstance(value, _Number):
            texts.append(f"{quote_identifier(name)} = {value}")
            continue
        doubled = value.replace("\\", "\\\\").replace("'", "''")
        prefix = "E" if "\\" in value else ""
        texts.append(f"{quote_identifier(name)} = {prefix}'{doubled}'")
    return ", ".join(texts) or None


def _deserialize(text: str | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value, number in _ITEM.findall(text or ""):
        plain = name[1:-1].replace('""', '"') if name[0] == '"' else name
        quoted = value.replace("''", "'").replace("\\\\", "\\")
        found[plain] = _Number(number) if number else quoted
    return found


def _value(option: dict[str, Any]) -> str:
    text = def_get_string(option)
    is_number = isinstance(option.get("arg"), dict) and "Integer" in option["arg"]
    return _Number(text) if is_number else text


def define_dictionary(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """CREATE TEXT SEARCH DICTIONARY."""
    catalog = session.catalog
    namespace, name = _creation_namespace(session, stmt["defnames"])
    template = 0
    options: dict[str, str] = {}
    for option in elements(stmt.get("definition")):
        if option["defname"] == "template":
            template = get_ts_template_oid(catalog, _names(def_get_qualified_name(option)))
        else:
            options[option["defname"]] = _value(option)
    if not template:
        raise PgError(INVALID_OBJECT_DEFINITION, "text search template is required")
    _check_options(session, template, options)
    if catalog.one(PgTsDict, dictname=name, dictnamespace=namespace) is not None:
        keys = f"(dictname, dictnamespace)=({name}, {namespace})"
        raise _unique_violation("pg_ts_dict", "pg_ts_dict_dictname_index", keys)
    row = PgTsDict(
        catalog.new_oid(), name, namespace, session.ctx.current_user_oid, template,
        _serialize(options),
    )  # fmt: skip
    needs = (PG_TS_TEMPLATE_RELID, template)
    insert_rows(catalog, _rows(session, PG_TS_DICT_RELID, row, namespace, needs))
    return CommandResult("CREATE TEXT SEARCH DICTIONARY")


def alter_dictionary(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER TEXT SEARCH DICTIONARY name (option = value | option, ...)."""
    catalog = session.catalog
    oid = get_ts_dict_oid(catalog, stmt["dictname"])
    row = catalog.get(PgTsDict, oid=oid)
    if not owns(session, row.dictowner):
        name = name_list_to_string(strings(stmt["dictname"]))
        raise PgError(INSUFFICIENT_PRIVILEGE, f"must be owner of text search dictionary {name}")
    options = _deserialize(row.dictinitoption)
    for option in elements(stmt.get("options")):
        options.pop(option["defname"], None)
        if option.get("arg") is not None:
            options[option["defname"]] = _value(option)
    _check_options(session, row.dicttemplate, options)
    catalog.update(PgTsDict, {"oid": oid}, dictinitoption=_serialize(options))
    return CommandResult("ALTER TEXT SEARCH DICTIONARY")


# ----------------------------------------------------------------------------- configurations


def define_configuration(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """CREATE TEXT SEARCH CONFIGURATION name (PARSER = p | COPY = c)."""
    catalog = session.catalog
    namespace, name = _creation_namespace(session, stmt["defnames"])
    parser = source = 0
    for option in elements(stmt.get("definition")):
        if option["defname"] == "parser":
            parser = get_ts_parser_oid(catalog, _names(def_get_qualified_name(option)))
        elif option["defname"] == "copy":
            source = get_ts_config_oid(catalog, _names(def_get_qualified_name(option)))
        else:
            raise PgError(
                SYNTAX_ERROR,
                f'text search configuration parameter "{option["defname"]}" not recognized',
            )
    if source and parser:
        raise PgError(SYNTAX_ERROR, "cannot specify both PARSER and COPY options")
    if source:
        parser = catalog.get(PgTsConfig, oid=source).cfgparser
    if not parser:
        raise PgError(INVALID_OBJECT_DEFINITION, "text search parser is required")
    if catalog.one(PgTsConfig, cfgname=name, cfgnamespace=namespace) is not None:
        keys = f"(cfgname, cfgnamespace)=({name}, {namespace})"
        raise _unique_violation("pg_ts_config", "pg_ts_config_cfgname_index", keys)
    oid = catalog.new_oid()
    row = PgTsConfig(oid, name, namespace, session.ctx.current_user_oid, parser)
    rows = _rows(session, PG_TS_CONFIG_RELID, row, namespace, (PG_TS_PARSER_RELID, parser))
    if source:
        rows += [m._replace(mapcfg=oid) for m in catalog.all(PgTsConfigMap, mapcfg=source)]
    insert_rows(catalog, rows)
    _depend_on_dictionaries(catalog, oid)
    return CommandResult("CREATE TEXT SEARCH CONFIGURATION")


def _depend_on_dictionaries(catalog: Any, oid: int) -> None:
    """The dependencies of the mappings (makeConfigurationDependencies)."""
    catalog.delete(PgDepend, classid=PG_TS_CONFIG_RELID, objid=oid, refclassid=PG_TS_DICT_RELID)
    me = (PG_TS_CONFIG_RELID, oid, 0)
    used = {m.mapdict for m in catalog.all(PgTsConfigMap, mapcfg=oid)}
    insert_rows(
        catalog,
        [depend(me, (PG_TS_DICT_RELID, d, 0), "n") for d in sorted(used) if not is_pinned(d)],
    )


def _token_types(words: list[str]) -> list[int]:
    found = []
    for word in words:
        number = TYPE_NUMBER.get(word)
        if number is None:
            raise PgError(INVALID_PARAMETER_VALUE, f'token type "{word}" does not exist')
        if number not in found:
            found.append(number)
    return found


def alter_config(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER TEXT SEARCH CONFIGURATION ... MAPPING."""
    catalog = session.catalog
    oid = get_ts_config_oid(catalog, stmt["cfgname"])
    row = catalog.get(PgTsConfig, oid=oid)
    if not owns(session, row.cfgowner):
        name = name_list_to_string(strings(stmt["cfgname"]))
        raise PgError(INSUFFICIENT_PRIVILEGE, f"must be owner of text search configuration {name}")
    if stmt["kind"] == "ALTER_TSCONFIG_DROP_MAPPING":
        _drop_mapping(session, oid, stmt)
    else:
        _make_mapping(session, oid, stmt)
    _depend_on_dictionaries(catalog, oid)
    return CommandResult("ALTER TEXT SEARCH CONFIGURATION")


def _make_mapping(session: Any, oid: int, stmt: dict[str, Any]) -> None:
    catalog = session.catalog
    tokens = _token_types(strings(stmt.get("tokentype")))
    dicts = [get_ts_dict_oid(catalog, list_items(node)) for node in stmt.get("dicts", ())]
    if stmt.get("replace"):
        old, new = dicts[0], dicts[1]
        for row in catalog.all(PgTsConfigMap, mapcfg=oid):
            if row.mapdict == old and (not tokens or row.maptokentype in tokens):
                where = {"mapcfg": oid, "maptokentype": row.maptokentype, "mapseqno": row.mapseqno}
                catalog.update(PgTsConfigMap, where, mapdict=new)
        return
    for token in tokens:
        if stmt.get("override"):
            catalog.delete(PgTsConfigMap, mapcfg=oid, maptokentype=token)
        elif catalog.all(PgTsConfigMap, mapcfg=oid, maptokentype=token):
            keys = f"(mapcfg, maptokentype, mapseqno)=({oid}, {token}, 1)"
            raise _unique_violation("pg_ts_config_map", "pg_ts_config_map_index", keys)
        insert_rows(catalog, [PgTsConfigMap(oid, token, n, d) for n, d in enumerate(dicts, 1)])


def _drop_mapping(session: Any, oid: int, stmt: dict[str, Any]) -> None:
    for word, token in zip(
        strings(stmt.get("tokentype")), _token_types(strings(stmt.get("tokentype"))), strict=False
    ):
        if session.catalog.delete(PgTsConfigMap, mapcfg=oid, maptokentype=token):
            continue
        message = f'mapping for token type "{word}" does not exist'
        if not stmt.get("missing_ok"):
            raise PgError(UNDEFINED_OBJECT, message)
        session.notice("NOTICE", "00000", message + ", skipping")


def _unique_violation(table: str, index: str, keys: str) -> PgError:
    """PostgreSQL leaves a second object of the name to the catalog's index."""
    return PgError(
        "23505",
        f'duplicate key value violates unique constraint "{index}"',
        detail=f"Key {keys} already exists.",
        schema="pg_catalog",
        table=table,
        constraint=index,
    )
