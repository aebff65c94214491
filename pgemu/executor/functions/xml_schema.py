"""XML Schema documents of tables, schemas and the database (PostgreSQL: the second half of
utils/adt/xml.c, after SQL/XML:2008 section 9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pgemu.catalog.rows import PgClass, PgNamespace, PgType
from pgemu.fmgr import CallContext
from pgemu.parser.parse_expr_sql import map_sql_identifier_to_xml_name

XSD = "http://www.w3.org/2001/XMLSchema"
_BYTEA, _XML, _TIMETZ = 17, 142, 1266
_NAMES = {
    1042: "CHAR", 1043: "VARCHAR", 1700: "NUMERIC", 23: "INTEGER", 21: "SMALLINT", 20: "BIGINT",
    700: "REAL", 701: "DOUBLE", 16: "BOOLEAN", 1083: "TIME", 1266: "TIME_WTZ", 1114: "TIMESTAMP",
    1184: "TIMESTAMP_WTZ", 1082: "DATE", 142: "XML",
}  # fmt: skip
_DAY = r"\p{Nd}{4}-\p{Nd}{2}-\p{Nd}{2}"
_CLOCK = r"\p{Nd}{2}:\p{Nd}{2}:\p{Nd}{2}(.\p{Nd}+)?"
_ZONE = r"(\+|-)\p{Nd}{2}:\p{Nd}{2}"


def _range(base: str, bits: int) -> str:
    top = 2 ** (bits - 1)
    return (
        f'  <xsd:restriction base="xsd:{base}">\n'
        f'    <xsd:maxInclusive value="{top - 1}"/>\n'
        f'    <xsd:minInclusive value="{-top}"/>\n'
        "  </xsd:restriction>\n"
    )


def _pattern(base: str, pattern: str) -> str:
    return (
        f'  <xsd:restriction base="xsd:{base}">\n'
        f'    <xsd:pattern value="{pattern}"/>\n'
        "  </xsd:restriction>\n"
    )


_STRING = '  <xsd:restriction base="xsd:string">\n  </xsd:restriction>\n'
_RESTRICTIONS = {
    1042: _STRING, 1043: _STRING, 25: _STRING, 1700: "",
    21: _range("short", 16), 23: _range("int", 32), 20: _range("long", 64),
    700: '  <xsd:restriction base="xsd:float"></xsd:restriction>\n',
    701: '  <xsd:restriction base="xsd:double"></xsd:restriction>\n',
    16: '  <xsd:restriction base="xsd:boolean"></xsd:restriction>\n',
    1083: _pattern("time", _CLOCK), 1266: _pattern("time", _CLOCK + _ZONE),
    1114: _pattern("dateTime", f"{_DAY}T{_CLOCK}"),
    1184: _pattern("dateTime", f"{_DAY}T{_CLOCK}{_ZONE}"),
    1082: _pattern("date", _DAY),
}  # fmt: skip
_ANY = (
    '<xsd:complexType mixed="true">\n'
    "  <xsd:sequence>\n"
    '    <xsd:any name="element" minOccurs="0" maxOccurs="unbounded" processContents="skip"/>\n'
    "  </xsd:sequence>\n"
    "</xsd:complexType>\n"
)
# (name, type) of each column
Columns = Sequence[tuple[str, int]]


def xml_name(name: str) -> str:
    return map_sql_identifier_to_xml_name(name, True, False)


def multipart(*names: str) -> str:
    """map_multipart_sql_identifier_to_xml_name: the first word is XML's own."""
    return ".".join(
        [names[0], *(map_sql_identifier_to_xml_name(name, True, True) for name in names[1:])]
    )


class SchemaWriter:
    """What the functions about one database have in common."""

    def __init__(self, ctx: CallContext, *, nulls: bool, tableforest: bool, targetns: str) -> None:
        self.ctx, self.catalog = ctx, ctx.catalog
        self.nulls, self.tableforest, self.targetns = nulls, tableforest, targetns

    @property
    def database(self) -> str:
        return self.ctx.database

    def namespace_name(self, oid: int) -> str:
        return str(self.catalog.get(PgNamespace, oid=oid).nspname)

    # -- types ---------------------------------------------------------------------------------

    def type_name(self, oid: int) -> str:
        """map_sql_type_to_xml_name."""
        found = _NAMES.get(oid)
        if found is not None:
            return found
        row = self.catalog.get(PgType, oid=oid)
        kind = "Domain" if row.typtype == "d" else "UDT"
        return multipart(kind, self.database, self.namespace_name(row.typnamespace), row.typname)

    def type_definition(self, oid: int) -> str:
        """map_sql_type_to_xmlschema_type."""
        if oid == _XML:
            return _ANY
        body = _RESTRICTIONS.get(oid, "")
        if oid == _BYTEA:
            binary = "hexBinary" if self.ctx.guc.get("xmlbinary") == "hex" else "base64Binary"
            body = f'  <xsd:restriction base="xsd:{binary}">\n  </xsd:restriction>\n'
        elif self.catalog.get(PgType, oid=oid).typtype == "d":
            base = self.type_name(self.catalog.types.base_type(oid))
            body = f'  <xsd:restriction base="{base}"/>\n'
        return f'<xsd:simpleType name="{self.type_name(oid)}">\n{body}</xsd:simpleType>\n'

    def type_definitions(self, tables: Iterable[Columns]) -> str:
        """map_sql_typecoll_to_xmlschema_types: each type once, then what domains stand on."""
        types = list(dict.fromkeys(oid for columns in tables for _name, oid in columns))
        bases = [self.catalog.types.base_type(oid) for oid in types]
        return "".join(f"{self.type_definition(oid)}\n" for oid in dict.fromkeys(types + bases))

    # -- the parts of a document -----------------------------------------------------------------

    def document(self, body: str) -> str:
        target = ""
        if self.targetns:
            target = f'\n    targetNamespace="{self.targetns}"\n    elementFormDefault="qualified"'
        return f'<xsd:schema\n    xmlns:xsd="{XSD}"{target}>\n\n{body}</xsd:schema>'

    def relation(self, relid: int) -> tuple[str, str]:
        """(schema, name)."""
        row = self.catalog.get(PgClass, oid=relid)
        return self.namespace_name(row.relnamespace), row.relname

    def columns_of(self, relid: int) -> Columns:
        attrs = self.catalog.relation(relid).attrs
        return [(a.attname, a.atttypid) for a in attrs if not a.attisdropped]

    def table_document(self, columns: Columns, relid: int = 0) -> str:
        """map_sql_table_to_xmlschema; without a relation it is the result of a query."""
        if relid:
            where = (self.database, *self.relation(relid))
            element = xml_name(where[-1])
            table, row = multipart("TableType", *where), multipart("RowType", *where)
        else:
            element = "row" if self.tableforest else "table"
            table, row = "TableType", "RowType"
        null = ' nillable="true"' if self.nulls else ' minOccurs="0"'
        parts = [
            self.type_definitions([columns]),
            f'<xsd:complexType name="{row}">\n  <xsd:sequence>\n',
            *(
                f'    <xsd:element name="{xml_name(name)}" type="{self.type_name(oid)}"{null}>'
                "</xsd:element>\n"
                for name, oid in columns
            ),
            "  </xsd:sequence>\n</xsd:complexType>\n\n",
        ]
        if not self.tableforest:
            parts.append(
                f'<xsd:complexType name="{table}">\n  <xsd:sequence>\n    <xsd:element name="row"'
                f' type="{row}" minOccurs="0" maxOccurs="unbounded"/>\n'
                "  </xsd:sequence>\n</xsd:complexType>\n\n"
            )
        kind = row if self.tableforest else table
        parts.append(f'<xsd:element name="{element}" type="{kind}"/>\n\n')
        return self.document("".join(parts))

    def schema_types(self, namespace: int, relids: Sequence[int]) -> str:
        """map_sql_schema_to_xmlschema_types."""
        schema = self.namespace_name(namespace)
        kind = "RowType" if self.tableforest else "TableType"
        many = ' minOccurs="0" maxOccurs="unbounded"' if self.tableforest else ""
        group = "sequence" if self.tableforest else "all"
        elements = []
        for relid in relids:
            name = self.relation(relid)[1]
            its_type = multipart(kind, self.database, schema, name)
            elements.append(f'    <xsd:element name="{xml_name(name)}" type="{its_type}"{many}/>\n')
        return _collection(
            multipart("SchemaType", self.database, schema), group, elements, xml_name(schema)
        )

    def schema_document(self, namespace: int, relids: Sequence[int]) -> str:
        types = self.type_definitions(self.columns_of(relid) for relid in relids)
        return self.document(types + self.schema_types(namespace, relids))

    def database_document(self, namespaces: Sequence[int], relids: Sequence[int]) -> str:
        """database_to_xmlschema_internal."""
        types = self.type_definitions(self.columns_of(relid) for relid in relids)
        elements = []
        for namespace in namespaces:
            schema = self.namespace_name(namespace)
            its_type = multipart("SchemaType", self.database, schema)
            elements.append(f'    <xsd:element name="{xml_name(schema)}" type="{its_type}"/>\n')
        catalog = multipart("CatalogType", self.database)
        return self.document(types + _collection(catalog, "all", elements, xml_name(self.database)))


def _collection(type_name: str, group: str, elements: Sequence[Any], element: str) -> str:
    return (
        f'<xsd:complexType name="{type_name}">\n  <xsd:{group}>\n{"".join(elements)}'
        f"  </xsd:{group}>\n</xsd:complexType>\n\n"
        f'<xsd:element name="{element}" type="{type_name}"/>\n\n'
    )
