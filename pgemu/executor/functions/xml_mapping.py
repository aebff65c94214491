"""table_to_xml and its kin: tables, queries, cursors, schemas and the database as XML, with or
without their XML Schema (PostgreSQL: utils/adt/xml.c)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pgemu.catalog.namespace import lookup_explicit_namespace
from pgemu.catalog.rows import PgClass
from pgemu.errors import UNDEFINED_CURSOR, PgError
from pgemu.executor.functions.xml_schema import SchemaWriter, xml_name
from pgemu.executor.spi import spi_select
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.xml_values import map_sql_value_to_xml_value

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_VISIBLE_TABLES = (
    "SELECT oid FROM pg_catalog.pg_class WHERE relnamespace = $1 AND relkind IN ('r', 'm', 'v')"
    " AND pg_catalog.has_table_privilege(oid, 'SELECT') ORDER BY relname"
)
_VISIBLE_SCHEMAS = (
    "SELECT oid FROM pg_catalog.pg_namespace WHERE pg_catalog.has_schema_privilege(oid, 'USAGE')"
    " AND NOT (nspname ~ '^pg_' OR nspname = 'information_schema')"
)
_SIGNATURE = "bool,bool,text"


def padded(columns: Sequence[Any], rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    """The rows with the blanks of character(n), which are not stored."""
    widths = {i: c.typmod - 4 for i, c in enumerate(columns) if c.type_oid == 1042 and c.typmod > 4}
    if not widths:
        return list(rows)
    return [
        [v.ljust(widths[i]) if i in widths and v is not None else v for i, v in enumerate(row)]
        for row in rows
    ]


class XmlWriter(SchemaWriter):
    """One call of a mapping function."""

    def __init__(self, ctx: CallContext, nulls: bool, tableforest: bool, targetns: str) -> None:
        super().__init__(ctx, nulls=bool(nulls), tableforest=bool(tableforest), targetns=targetns)

    def root_start(self, element: str, schema: str | None, *, top_level: bool) -> str:
        """xmldata_root_element_start."""
        attributes = ""
        if top_level:
            attributes = f' xmlns:xsi="{_XSI}"'
            if self.targetns:
                attributes += f' xmlns="{self.targetns}"'
        if schema is not None:
            if self.targetns:
                attributes += f' xsi:schemaLocation="{self.targetns} #"'
            else:
                attributes += ' xsi:noNamespaceSchemaLocation="#"'
        return f"<{element}{attributes}>\n"

    def run(self, text: str) -> tuple[list[tuple[str, int]], list[Sequence[Any]]]:
        """Columns and rows of a query, which may not write."""
        columns, rows = spi_select(self.ctx.session, text)
        return [(c.name, c.type_oid) for c in columns], padded(columns, rows)

    def rows(
        self,
        columns: Sequence[tuple[str, int]],
        rows: Iterable[Sequence[Any]],
        element: str,
        *,
        top_level: bool,
    ) -> str:
        """SPI_sql_row_to_xmlelement for each row."""
        names = [(xml_name(name), oid) for name, oid in columns]
        start = self.root_start(element, None, top_level=top_level)
        opening, closing = (
            (start, f"</{element}>\n\n") if self.tableforest else ("<row>\n", "</row>\n\n")
        )
        parts = []
        for row in rows:
            parts.append(opening)
            for (name, oid), value in zip(names, row, strict=False):
                if value is not None:
                    written = map_sql_value_to_xml_value(self.ctx, oid, value)
                    parts.append(f"  <{name}>{written}</{name}>\n")
                elif self.nulls:
                    parts.append(f'  <{name} xsi:nil="true"/>\n')
            parts.append(closing)
        return "".join(parts)

    def query(
        self, text: str, name: str | None, schema: str | None, *, top_level: bool = True
    ) -> str:
        """query_to_xml_internal."""
        columns, rows = self.run(text)
        element = xml_name(name) if name is not None else "row" if self.tableforest else "table"
        parts = []
        if not self.tableforest:
            parts.append(self.root_start(element, schema, top_level=top_level) + "\n")
        if schema is not None:
            parts.append(f"{schema}\n\n")
        parts.append(self.rows(columns, rows, element, top_level=top_level))
        if not self.tableforest:
            parts.append(f"</{element}>\n")
        return "".join(parts)

    def table(self, relid: int, schema: str | None, *, top_level: bool = True) -> str:
        name = self.catalog.get(PgClass, oid=relid).relname
        shown = self.catalog.types.io(2205).output(relid, self.ctx)
        return self.query(f"SELECT * FROM {shown}", name, schema, top_level=top_level)

    def tables_of(self, namespace: int) -> list[int]:
        rows = self.ctx.session.query(_VISIBLE_TABLES, (namespace,), (26,))
        return [row[0] for row in rows]

    def namespace(self, name: str) -> int:
        return int(lookup_explicit_namespace(self.catalog, name, False))

    def schema(self, namespace: int, schema: str | None, *, top_level: bool = True) -> str:
        """schema_to_xml_internal."""
        element = xml_name(self.namespace_name(namespace))
        parts = [self.root_start(element, schema, top_level=top_level), "\n"]
        if schema is not None:
            parts.append(f"{schema}\n\n")
        for relid in self.tables_of(namespace):
            parts.append(self.table(relid, None, top_level=False) + "\n")
        parts.append(f"</{element}>\n")
        return "".join(parts)

    def schemas(self) -> list[int]:
        return [row[0] for row in self.ctx.session.query(_VISIBLE_SCHEMAS)]

    def database_schema(self) -> str:
        namespaces = self.schemas()
        relids = [relid for namespace in namespaces for relid in self.tables_of(namespace)]
        return self.database_document(namespaces, relids)

    def whole_database(self, schema: str | None) -> str:
        """database_to_xml_internal."""
        element = xml_name(self.database)
        parts = [self.root_start(element, schema, top_level=True), "\n"]
        if schema is not None:
            parts.append(f"{schema}\n\n")
        for namespace in self.schemas():
            parts.append(self.schema(namespace, None, top_level=False) + "\n")
        parts.append(f"</{element}>\n")
        return "".join(parts)

    def query_schema(self, text: str) -> str:
        return self.table_document(self.run(text)[0])


@pg_function(f"table_to_xml(regclass,{_SIGNATURE})", context=True)
def table_to_xml(ctx: CallContext, relid: int, *options: Any) -> str:
    return XmlWriter(ctx, *options).table(relid, None)


@pg_function(f"table_to_xmlschema(regclass,{_SIGNATURE})", context=True)
def table_to_xmlschema(ctx: CallContext, relid: int, *options: Any) -> str:
    writer = XmlWriter(ctx, *options)
    return writer.table_document(writer.columns_of(relid), relid)


@pg_function(f"table_to_xml_and_xmlschema(regclass,{_SIGNATURE})", context=True)
def table_to_xml_and_xmlschema(ctx: CallContext, relid: int, *options: Any) -> str:
    writer = XmlWriter(ctx, *options)
    return writer.table(relid, writer.table_document(writer.columns_of(relid), relid))


@pg_function(f"query_to_xml(text,{_SIGNATURE})", context=True)
def query_to_xml(ctx: CallContext, text: str, *options: Any) -> str:
    return XmlWriter(ctx, *options).query(text, None, None)


@pg_function(f"query_to_xmlschema(text,{_SIGNATURE})", context=True)
def query_to_xmlschema(ctx: CallContext, text: str, *options: Any) -> str:
    return XmlWriter(ctx, *options).query_schema(text)


@pg_function(f"query_to_xml_and_xmlschema(text,{_SIGNATURE})", context=True)
def query_to_xml_and_xmlschema(ctx: CallContext, text: str, *options: Any) -> str:
    writer = XmlWriter(ctx, *options)
    return writer.query(text, None, writer.query_schema(text))


def _cursor_columns(ctx: CallContext, name: str) -> list[tuple[str, int]]:
    portal = ctx.session.portals.get(name)
    if portal is None:
        raise PgError(UNDEFINED_CURSOR, f'cursor "{name}" does not exist')
    return [(c.name, c.type_oid) for c in portal.columns or ()]


@pg_function(f"cursor_to_xml(refcursor,int4,{_SIGNATURE})", context=True)
def cursor_to_xml(ctx: CallContext, name: str, count: int, *options: Any) -> str:
    writer = XmlWriter(ctx, *options)
    columns = _cursor_columns(ctx, name)
    _columns, rows = ctx.session.cursor_fetch(name, "FETCH_FORWARD", count)
    element = "row" if writer.tableforest else "table"
    body = writer.rows(columns, rows, element, top_level=True)
    if writer.tableforest:
        return body
    return writer.root_start("table", None, top_level=True) + f"\n{body}</table>\n"


@pg_function(f"cursor_to_xmlschema(refcursor,{_SIGNATURE})", context=True)
def cursor_to_xmlschema(ctx: CallContext, name: str, *options: Any) -> str:
    return XmlWriter(ctx, *options).table_document(_cursor_columns(ctx, name))


@pg_function(f"schema_to_xml(name,{_SIGNATURE})", context=True)
def schema_to_xml(ctx: CallContext, name: str, *options: Any) -> str:
    writer = XmlWriter(ctx, *options)
    return writer.schema(writer.namespace(name), None)


@pg_function(f"schema_to_xmlschema(name,{_SIGNATURE})", context=True)
def schema_to_xmlschema(ctx: CallContext, name: str, *options: Any) -> str:
    writer = XmlWriter(ctx, *options)
    namespace = writer.namespace(name)
    return writer.schema_document(namespace, writer.tables_of(namespace))


@pg_function(f"schema_to_xml_and_xmlschema(name,{_SIGNATURE})", context=True)
def schema_to_xml_and_xmlschema(ctx: CallContext, name: str, *options: Any) -> str:
    writer = XmlWriter(ctx, *options)
    namespace = writer.namespace(name)
    document = writer.schema_document(namespace, writer.tables_of(namespace))
    return writer.schema(namespace, document)


@pg_function(f"database_to_xml({_SIGNATURE})", context=True)
def database_to_xml(ctx: CallContext, *options: Any) -> str:
    return XmlWriter(ctx, *options).whole_database(None)


@pg_function(f"database_to_xmlschema({_SIGNATURE})", context=True)
def database_to_xmlschema(ctx: CallContext, *options: Any) -> str:
    return XmlWriter(ctx, *options).database_schema()


@pg_function(f"database_to_xml_and_xmlschema({_SIGNATURE})", context=True)
def database_to_xml_and_xmlschema(ctx: CallContext, *options: Any) -> str:
    writer = XmlWriter(ctx, *options)
    return writer.whole_database(writer.database_schema())
