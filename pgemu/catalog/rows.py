"""The rows of the system catalogs as typed tuples: one NamedTuple per catalog.

Counterpart of PostgreSQL's include/catalog/pg_*.h.  Written by tools/dump_catalogs.py from a live
server: never edit by hand.  bool columns are Python bool, arrays and vectors are tuples, NULL is
None.  `CATALOGS` says what the NamedTuple cannot: where and how the rows are stored.
"""

from __future__ import annotations

from collections import _tuplegetter  # type: ignore[attr-defined]
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Self


class RelationId:
    """The class constant RELID; a descriptor, because a NamedTuple may not have attributes."""

    def __init__(self, relid: int) -> None:
        self.relid = relid

    def __call__(self, method: Callable[..., Any]) -> RelationId:
        return self

    def __get__(self, instance: object, owner: type[Any]) -> int:
        return self.relid


class CatalogColumn(NamedTuple):
    """One column: typname is pg_type.typname (the base type of a domain)."""

    name: str
    typname: str
    notnull: bool


class CatalogIndex(NamedTuple):
    """One index of a catalog; keys are attribute numbers."""

    oid: int
    name: str
    unique: bool
    keys: tuple[int, ...]


class CatalogInfo(NamedTuple):
    """What is known of a catalog table; its physical name is r<relid>."""

    relid: int
    name: str
    schema: str
    shared: bool
    columns: tuple[CatalogColumn, ...]
    indexes: tuple[CatalogIndex, ...]


class CatalogRow(tuple[Any, ...]):
    """Base of the row classes: a named tuple that costs a fraction of typing.NamedTuple to make
    (there are 65 of them on the way to the first answer).  Annotations are the fields, in order;
    values of class attributes are their defaults."""

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()
    _field_defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        names = tuple(cls.__annotations__)
        cls._fields = names
        cls._field_defaults = {n: cls.__dict__[n] for n in names if n in cls.__dict__}
        for number, name in enumerate(names):
            setattr(cls, name, _tuplegetter(number, name))

    def __new__(cls, *args: Any, **named: Any) -> Self:
        if named or len(args) != len(cls._fields):
            if not args and len(named) == len(cls._fields):
                try:
                    return tuple.__new__(cls, [named[name] for name in cls._fields])
                except KeyError:
                    pass
            given = dict(zip(cls._fields, args, strict=False))
            if len(args) > len(cls._fields) or not named.keys() <= set(cls._fields[len(args) :]):
                raise TypeError(f"wrong fields for {cls.__name__}: {args} {named}")
            every = {**cls._field_defaults, **given, **named}
            args = tuple(every[name] for name in cls._fields)
        return tuple.__new__(cls, args)

    def _replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return type(self)(**{**self._asdict(), **changes})

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self) -> str:
        shown = ", ".join(f"{n}={v!r}" for n, v in zip(self._fields, self, strict=True))
        return f"{type(self).__name__}({shown})"


class PgAggregate(CatalogRow):
    """A row of pg_catalog.pg_aggregate (pg_class OID 2600)."""

    aggfnoid: int
    aggkind: str
    aggnumdirectargs: int
    aggtransfn: int
    aggfinalfn: int
    aggcombinefn: int
    aggserialfn: int
    aggdeserialfn: int
    aggmtransfn: int
    aggminvtransfn: int
    aggmfinalfn: int
    aggfinalextra: bool
    aggmfinalextra: bool
    aggfinalmodify: str
    aggmfinalmodify: str
    aggsortop: int
    aggtranstype: int
    aggtransspace: int
    aggmtranstype: int
    aggmtransspace: int
    agginitval: str | None = None
    aggminitval: str | None = None

    @RelationId(2600)
    def RELID(self) -> None: ...


class PgAm(CatalogRow):
    """A row of pg_catalog.pg_am (pg_class OID 2601)."""

    oid: int
    amname: str
    amhandler: int
    amtype: str

    @RelationId(2601)
    def RELID(self) -> None: ...


class PgAmop(CatalogRow):
    """A row of pg_catalog.pg_amop (pg_class OID 2602)."""

    oid: int
    amopfamily: int
    amoplefttype: int
    amoprighttype: int
    amopstrategy: int
    amoppurpose: str
    amopopr: int
    amopmethod: int
    amopsortfamily: int

    @RelationId(2602)
    def RELID(self) -> None: ...


class PgAmproc(CatalogRow):
    """A row of pg_catalog.pg_amproc (pg_class OID 2603)."""

    oid: int
    amprocfamily: int
    amproclefttype: int
    amprocrighttype: int
    amprocnum: int
    amproc: int

    @RelationId(2603)
    def RELID(self) -> None: ...


class PgAttrdef(CatalogRow):
    """A row of pg_catalog.pg_attrdef (pg_class OID 2604)."""

    oid: int
    adrelid: int
    adnum: int
    adbin: str

    @RelationId(2604)
    def RELID(self) -> None: ...


class PgAttribute(CatalogRow):
    """A row of pg_catalog.pg_attribute (pg_class OID 1249)."""

    attrelid: int
    attname: str
    atttypid: int
    attstattarget: int
    attlen: int
    attnum: int
    attndims: int
    attcacheoff: int
    atttypmod: int
    attbyval: bool
    attalign: str
    attstorage: str
    attcompression: str
    attnotnull: bool
    atthasdef: bool
    atthasmissing: bool
    attidentity: str
    attgenerated: str
    attisdropped: bool
    attislocal: bool
    attinhcount: int
    attcollation: int
    attacl: tuple[str, ...] | None = None
    attoptions: tuple[str, ...] | None = None
    attfdwoptions: tuple[str, ...] | None = None
    attmissingval: str | None = None

    @RelationId(1249)
    def RELID(self) -> None: ...


class PgAuthMembers(CatalogRow):
    """A row of pg_catalog.pg_auth_members (pg_class OID 1261)."""

    roleid: int
    member: int
    grantor: int
    admin_option: bool

    @RelationId(1261)
    def RELID(self) -> None: ...


class PgAuthid(CatalogRow):
    """A row of pg_catalog.pg_authid (pg_class OID 1260)."""

    oid: int
    rolname: str
    rolsuper: bool
    rolinherit: bool
    rolcreaterole: bool
    rolcreatedb: bool
    rolcanlogin: bool
    rolreplication: bool
    rolbypassrls: bool
    rolconnlimit: int
    rolpassword: str | None = None
    rolvaliduntil: int | None = None

    @RelationId(1260)
    def RELID(self) -> None: ...


class PgCast(CatalogRow):
    """A row of pg_catalog.pg_cast (pg_class OID 2605)."""

    oid: int
    castsource: int
    casttarget: int
    castfunc: int
    castcontext: str
    castmethod: str

    @RelationId(2605)
    def RELID(self) -> None: ...


class PgClass(CatalogRow):
    """A row of pg_catalog.pg_class (pg_class OID 1259)."""

    oid: int
    relname: str
    relnamespace: int
    reltype: int
    reloftype: int
    relowner: int
    relam: int
    relfilenode: int
    reltablespace: int
    relpages: int
    reltuples: float
    relallvisible: int
    reltoastrelid: int
    relhasindex: bool
    relisshared: bool
    relpersistence: str
    relkind: str
    relnatts: int
    relchecks: int
    relhasrules: bool
    relhastriggers: bool
    relhassubclass: bool
    relrowsecurity: bool
    relforcerowsecurity: bool
    relispopulated: bool
    relreplident: str
    relispartition: bool
    relrewrite: int
    relfrozenxid: int
    relminmxid: int
    relacl: tuple[str, ...] | None = None
    reloptions: tuple[str, ...] | None = None
    relpartbound: str | None = None

    @RelationId(1259)
    def RELID(self) -> None: ...


class PgCollation(CatalogRow):
    """A row of pg_catalog.pg_collation (pg_class OID 3456)."""

    oid: int
    collname: str
    collnamespace: int
    collowner: int
    collprovider: str
    collisdeterministic: bool
    collencoding: int
    collcollate: str | None = None
    collctype: str | None = None
    colliculocale: str | None = None
    collversion: str | None = None

    @RelationId(3456)
    def RELID(self) -> None: ...


class PgConstraint(CatalogRow):
    """A row of pg_catalog.pg_constraint (pg_class OID 2606)."""

    oid: int
    conname: str
    connamespace: int
    contype: str
    condeferrable: bool
    condeferred: bool
    convalidated: bool
    conrelid: int
    contypid: int
    conindid: int
    conparentid: int
    confrelid: int
    confupdtype: str
    confdeltype: str
    confmatchtype: str
    conislocal: bool
    coninhcount: int
    connoinherit: bool
    conkey: tuple[int, ...] | None = None
    confkey: tuple[int, ...] | None = None
    conpfeqop: tuple[int, ...] | None = None
    conppeqop: tuple[int, ...] | None = None
    conffeqop: tuple[int, ...] | None = None
    confdelsetcols: tuple[int, ...] | None = None
    conexclop: tuple[int, ...] | None = None
    conbin: str | None = None

    @RelationId(2606)
    def RELID(self) -> None: ...


class PgConversion(CatalogRow):
    """A row of pg_catalog.pg_conversion (pg_class OID 2607)."""

    oid: int
    conname: str
    connamespace: int
    conowner: int
    conforencoding: int
    contoencoding: int
    conproc: int
    condefault: bool

    @RelationId(2607)
    def RELID(self) -> None: ...


class PgDatabase(CatalogRow):
    """A row of pg_catalog.pg_database (pg_class OID 1262)."""

    oid: int
    datname: str
    datdba: int
    encoding: int
    datlocprovider: str
    datistemplate: bool
    datallowconn: bool
    datconnlimit: int
    datfrozenxid: int
    datminmxid: int
    dattablespace: int
    datcollate: str
    datctype: str
    daticulocale: str | None = None
    datcollversion: str | None = None
    datacl: tuple[str, ...] | None = None

    @RelationId(1262)
    def RELID(self) -> None: ...


class PgDbRoleSetting(CatalogRow):
    """A row of pg_catalog.pg_db_role_setting (pg_class OID 2964)."""

    setdatabase: int
    setrole: int
    setconfig: tuple[str, ...] | None = None

    @RelationId(2964)
    def RELID(self) -> None: ...


class PgDefaultAcl(CatalogRow):
    """A row of pg_catalog.pg_default_acl (pg_class OID 826)."""

    oid: int
    defaclrole: int
    defaclnamespace: int
    defaclobjtype: str
    defaclacl: tuple[str, ...]

    @RelationId(826)
    def RELID(self) -> None: ...


class PgDepend(CatalogRow):
    """A row of pg_catalog.pg_depend (pg_class OID 2608)."""

    classid: int
    objid: int
    objsubid: int
    refclassid: int
    refobjid: int
    refobjsubid: int
    deptype: str

    @RelationId(2608)
    def RELID(self) -> None: ...


class PgDescription(CatalogRow):
    """A row of pg_catalog.pg_description (pg_class OID 2609)."""

    objoid: int
    classoid: int
    objsubid: int
    description: str

    @RelationId(2609)
    def RELID(self) -> None: ...


class PgEnum(CatalogRow):
    """A row of pg_catalog.pg_enum (pg_class OID 3501)."""

    oid: int
    enumtypid: int
    enumsortorder: float
    enumlabel: str

    @RelationId(3501)
    def RELID(self) -> None: ...


class PgEventTrigger(CatalogRow):
    """A row of pg_catalog.pg_event_trigger (pg_class OID 3466)."""

    oid: int
    evtname: str
    evtevent: str
    evtowner: int
    evtfoid: int
    evtenabled: str
    evttags: tuple[str, ...] | None = None

    @RelationId(3466)
    def RELID(self) -> None: ...


class PgExtension(CatalogRow):
    """A row of pg_catalog.pg_extension (pg_class OID 3079)."""

    oid: int
    extname: str
    extowner: int
    extnamespace: int
    extrelocatable: bool
    extversion: str
    extconfig: tuple[int, ...] | None = None
    extcondition: tuple[str, ...] | None = None

    @RelationId(3079)
    def RELID(self) -> None: ...


class PgForeignDataWrapper(CatalogRow):
    """A row of pg_catalog.pg_foreign_data_wrapper (pg_class OID 2328)."""

    oid: int
    fdwname: str
    fdwowner: int
    fdwhandler: int
    fdwvalidator: int
    fdwacl: tuple[str, ...] | None = None
    fdwoptions: tuple[str, ...] | None = None

    @RelationId(2328)
    def RELID(self) -> None: ...


class PgForeignServer(CatalogRow):
    """A row of pg_catalog.pg_foreign_server (pg_class OID 1417)."""

    oid: int
    srvname: str
    srvowner: int
    srvfdw: int
    srvtype: str | None = None
    srvversion: str | None = None
    srvacl: tuple[str, ...] | None = None
    srvoptions: tuple[str, ...] | None = None

    @RelationId(1417)
    def RELID(self) -> None: ...


class PgForeignTable(CatalogRow):
    """A row of pg_catalog.pg_foreign_table (pg_class OID 3118)."""

    ftrelid: int
    ftserver: int
    ftoptions: tuple[str, ...] | None = None

    @RelationId(3118)
    def RELID(self) -> None: ...


class PgIndex(CatalogRow):
    """A row of pg_catalog.pg_index (pg_class OID 2610)."""

    indexrelid: int
    indrelid: int
    indnatts: int
    indnkeyatts: int
    indisunique: bool
    indnullsnotdistinct: bool
    indisprimary: bool
    indisexclusion: bool
    indimmediate: bool
    indisclustered: bool
    indisvalid: bool
    indcheckxmin: bool
    indisready: bool
    indislive: bool
    indisreplident: bool
    indkey: tuple[int, ...]
    indcollation: tuple[int, ...]
    indclass: tuple[int, ...]
    indoption: tuple[int, ...]
    indexprs: str | None = None
    indpred: str | None = None

    @RelationId(2610)
    def RELID(self) -> None: ...


class PgInherits(CatalogRow):
    """A row of pg_catalog.pg_inherits (pg_class OID 2611)."""

    inhrelid: int
    inhparent: int
    inhseqno: int
    inhdetachpending: bool

    @RelationId(2611)
    def RELID(self) -> None: ...


class PgInitPrivs(CatalogRow):
    """A row of pg_catalog.pg_init_privs (pg_class OID 3394)."""

    objoid: int
    classoid: int
    objsubid: int
    privtype: str
    initprivs: tuple[str, ...]

    @RelationId(3394)
    def RELID(self) -> None: ...


class PgLanguage(CatalogRow):
    """A row of pg_catalog.pg_language (pg_class OID 2612)."""

    oid: int
    lanname: str
    lanowner: int
    lanispl: bool
    lanpltrusted: bool
    lanplcallfoid: int
    laninline: int
    lanvalidator: int
    lanacl: tuple[str, ...] | None = None

    @RelationId(2612)
    def RELID(self) -> None: ...


class PgLargeobject(CatalogRow):
    """A row of pg_catalog.pg_largeobject (pg_class OID 2613)."""

    loid: int
    pageno: int
    data: bytes

    @RelationId(2613)
    def RELID(self) -> None: ...


class PgLargeobjectMetadata(CatalogRow):
    """A row of pg_catalog.pg_largeobject_metadata (pg_class OID 2995)."""

    oid: int
    lomowner: int
    lomacl: tuple[str, ...] | None = None

    @RelationId(2995)
    def RELID(self) -> None: ...


class PgNamespace(CatalogRow):
    """A row of pg_catalog.pg_namespace (pg_class OID 2615)."""

    oid: int
    nspname: str
    nspowner: int
    nspacl: tuple[str, ...] | None = None

    @RelationId(2615)
    def RELID(self) -> None: ...


class PgOpclass(CatalogRow):
    """A row of pg_catalog.pg_opclass (pg_class OID 2616)."""

    oid: int
    opcmethod: int
    opcname: str
    opcnamespace: int
    opcowner: int
    opcfamily: int
    opcintype: int
    opcdefault: bool
    opckeytype: int

    @RelationId(2616)
    def RELID(self) -> None: ...


class PgOperator(CatalogRow):
    """A row of pg_catalog.pg_operator (pg_class OID 2617)."""

    oid: int
    oprname: str
    oprnamespace: int
    oprowner: int
    oprkind: str
    oprcanmerge: bool
    oprcanhash: bool
    oprleft: int
    oprright: int
    oprresult: int
    oprcom: int
    oprnegate: int
    oprcode: int
    oprrest: int
    oprjoin: int

    @RelationId(2617)
    def RELID(self) -> None: ...


class PgOpfamily(CatalogRow):
    """A row of pg_catalog.pg_opfamily (pg_class OID 2753)."""

    oid: int
    opfmethod: int
    opfname: str
    opfnamespace: int
    opfowner: int

    @RelationId(2753)
    def RELID(self) -> None: ...


class PgParameterAcl(CatalogRow):
    """A row of pg_catalog.pg_parameter_acl (pg_class OID 6243)."""

    oid: int
    parname: str
    paracl: tuple[str, ...] | None = None

    @RelationId(6243)
    def RELID(self) -> None: ...


class PgPartitionedTable(CatalogRow):
    """A row of pg_catalog.pg_partitioned_table (pg_class OID 3350)."""

    partrelid: int
    partstrat: str
    partnatts: int
    partdefid: int
    partattrs: tuple[int, ...]
    partclass: tuple[int, ...]
    partcollation: tuple[int, ...]
    partexprs: str | None = None

    @RelationId(3350)
    def RELID(self) -> None: ...


class PgPolicy(CatalogRow):
    """A row of pg_catalog.pg_policy (pg_class OID 3256)."""

    oid: int
    polname: str
    polrelid: int
    polcmd: str
    polpermissive: bool
    polroles: tuple[int, ...]
    polqual: str | None = None
    polwithcheck: str | None = None

    @RelationId(3256)
    def RELID(self) -> None: ...


class PgProc(CatalogRow):
    """A row of pg_catalog.pg_proc (pg_class OID 1255)."""

    oid: int
    proname: str
    pronamespace: int
    proowner: int
    prolang: int
    procost: float
    prorows: float
    provariadic: int
    prosupport: int
    prokind: str
    prosecdef: bool
    proleakproof: bool
    proisstrict: bool
    proretset: bool
    provolatile: str
    proparallel: str
    pronargs: int
    pronargdefaults: int
    prorettype: int
    proargtypes: tuple[int, ...]
    proallargtypes: tuple[int, ...] | None
    proargmodes: tuple[str, ...] | None
    proargnames: tuple[str, ...] | None
    proargdefaults: str | None
    protrftypes: tuple[int, ...] | None
    prosrc: str
    probin: str | None = None
    prosqlbody: str | None = None
    proconfig: tuple[str, ...] | None = None
    proacl: tuple[str, ...] | None = None

    @RelationId(1255)
    def RELID(self) -> None: ...


class PgPublication(CatalogRow):
    """A row of pg_catalog.pg_publication (pg_class OID 6104)."""

    oid: int
    pubname: str
    pubowner: int
    puballtables: bool
    pubinsert: bool
    pubupdate: bool
    pubdelete: bool
    pubtruncate: bool
    pubviaroot: bool

    @RelationId(6104)
    def RELID(self) -> None: ...


class PgPublicationNamespace(CatalogRow):
    """A row of pg_catalog.pg_publication_namespace (pg_class OID 6237)."""

    oid: int
    pnpubid: int
    pnnspid: int

    @RelationId(6237)
    def RELID(self) -> None: ...


class PgPublicationRel(CatalogRow):
    """A row of pg_catalog.pg_publication_rel (pg_class OID 6106)."""

    oid: int
    prpubid: int
    prrelid: int
    prqual: str | None = None
    prattrs: tuple[int, ...] | None = None

    @RelationId(6106)
    def RELID(self) -> None: ...


class PgRange(CatalogRow):
    """A row of pg_catalog.pg_range (pg_class OID 3541)."""

    rngtypid: int
    rngsubtype: int
    rngmultitypid: int
    rngcollation: int
    rngsubopc: int
    rngcanonical: int
    rngsubdiff: int

    @RelationId(3541)
    def RELID(self) -> None: ...


class PgReplicationOrigin(CatalogRow):
    """A row of pg_catalog.pg_replication_origin (pg_class OID 6000)."""

    roident: int
    roname: str

    @RelationId(6000)
    def RELID(self) -> None: ...


class PgRewrite(CatalogRow):
    """A row of pg_catalog.pg_rewrite (pg_class OID 2618)."""

    oid: int
    rulename: str
    ev_class: int
    ev_type: str
    ev_enabled: str
    is_instead: bool
    ev_qual: str
    ev_action: str

    @RelationId(2618)
    def RELID(self) -> None: ...


class PgSeclabel(CatalogRow):
    """A row of pg_catalog.pg_seclabel (pg_class OID 3596)."""

    objoid: int
    classoid: int
    objsubid: int
    provider: str
    label: str

    @RelationId(3596)
    def RELID(self) -> None: ...


class PgSequence(CatalogRow):
    """A row of pg_catalog.pg_sequence (pg_class OID 2224)."""

    seqrelid: int
    seqtypid: int
    seqstart: int
    seqincrement: int
    seqmax: int
    seqmin: int
    seqcache: int
    seqcycle: bool

    @RelationId(2224)
    def RELID(self) -> None: ...


class PgShdepend(CatalogRow):
    """A row of pg_catalog.pg_shdepend (pg_class OID 1214)."""

    dbid: int
    classid: int
    objid: int
    objsubid: int
    refclassid: int
    refobjid: int
    deptype: str

    @RelationId(1214)
    def RELID(self) -> None: ...


class PgShdescription(CatalogRow):
    """A row of pg_catalog.pg_shdescription (pg_class OID 2396)."""

    objoid: int
    classoid: int
    description: str

    @RelationId(2396)
    def RELID(self) -> None: ...


class PgShseclabel(CatalogRow):
    """A row of pg_catalog.pg_shseclabel (pg_class OID 3592)."""

    objoid: int
    classoid: int
    provider: str
    label: str

    @RelationId(3592)
    def RELID(self) -> None: ...


class PgStatistic(CatalogRow):
    """A row of pg_catalog.pg_statistic (pg_class OID 2619)."""

    starelid: int
    staattnum: int
    stainherit: bool
    stanullfrac: float
    stawidth: int
    stadistinct: float
    stakind1: int
    stakind2: int
    stakind3: int
    stakind4: int
    stakind5: int
    staop1: int
    staop2: int
    staop3: int
    staop4: int
    staop5: int
    stacoll1: int
    stacoll2: int
    stacoll3: int
    stacoll4: int
    stacoll5: int
    stanumbers1: tuple[float, ...] | None = None
    stanumbers2: tuple[float, ...] | None = None
    stanumbers3: tuple[float, ...] | None = None
    stanumbers4: tuple[float, ...] | None = None
    stanumbers5: tuple[float, ...] | None = None
    stavalues1: str | None = None
    stavalues2: str | None = None
    stavalues3: str | None = None
    stavalues4: str | None = None
    stavalues5: str | None = None

    @RelationId(2619)
    def RELID(self) -> None: ...


class PgStatisticExt(CatalogRow):
    """A row of pg_catalog.pg_statistic_ext (pg_class OID 3381)."""

    oid: int
    stxrelid: int
    stxname: str
    stxnamespace: int
    stxowner: int
    stxstattarget: int
    stxkeys: tuple[int, ...]
    stxkind: tuple[str, ...]
    stxexprs: str | None = None

    @RelationId(3381)
    def RELID(self) -> None: ...


class PgStatisticExtData(CatalogRow):
    """A row of pg_catalog.pg_statistic_ext_data (pg_class OID 3429)."""

    stxoid: int
    stxdinherit: bool
    stxdndistinct: str | None = None
    stxddependencies: str | None = None
    stxdmcv: str | None = None
    stxdexpr: tuple[str, ...] | None = None

    @RelationId(3429)
    def RELID(self) -> None: ...


class PgSubscription(CatalogRow):
    """A row of pg_catalog.pg_subscription (pg_class OID 6100)."""

    oid: int
    subdbid: int
    subskiplsn: str
    subname: str
    subowner: int
    subenabled: bool
    subbinary: bool
    substream: bool
    subtwophasestate: str
    subdisableonerr: bool
    subconninfo: str
    subslotname: str | None
    subsynccommit: str
    subpublications: tuple[str, ...]

    @RelationId(6100)
    def RELID(self) -> None: ...


class PgSubscriptionRel(CatalogRow):
    """A row of pg_catalog.pg_subscription_rel (pg_class OID 6102)."""

    srsubid: int
    srrelid: int
    srsubstate: str
    srsublsn: str | None = None

    @RelationId(6102)
    def RELID(self) -> None: ...


class PgTablespace(CatalogRow):
    """A row of pg_catalog.pg_tablespace (pg_class OID 1213)."""

    oid: int
    spcname: str
    spcowner: int
    spcacl: tuple[str, ...] | None = None
    spcoptions: tuple[str, ...] | None = None

    @RelationId(1213)
    def RELID(self) -> None: ...


class PgTransform(CatalogRow):
    """A row of pg_catalog.pg_transform (pg_class OID 3576)."""

    oid: int
    trftype: int
    trflang: int
    trffromsql: int
    trftosql: int

    @RelationId(3576)
    def RELID(self) -> None: ...


class PgTrigger(CatalogRow):
    """A row of pg_catalog.pg_trigger (pg_class OID 2620)."""

    oid: int
    tgrelid: int
    tgparentid: int
    tgname: str
    tgfoid: int
    tgtype: int
    tgenabled: str
    tgisinternal: bool
    tgconstrrelid: int
    tgconstrindid: int
    tgconstraint: int
    tgdeferrable: bool
    tginitdeferred: bool
    tgnargs: int
    tgattr: tuple[int, ...]
    tgargs: bytes
    tgqual: str | None = None
    tgoldtable: str | None = None
    tgnewtable: str | None = None

    @RelationId(2620)
    def RELID(self) -> None: ...


class PgTsConfig(CatalogRow):
    """A row of pg_catalog.pg_ts_config (pg_class OID 3602)."""

    oid: int
    cfgname: str
    cfgnamespace: int
    cfgowner: int
    cfgparser: int

    @RelationId(3602)
    def RELID(self) -> None: ...


class PgTsConfigMap(CatalogRow):
    """A row of pg_catalog.pg_ts_config_map (pg_class OID 3603)."""

    mapcfg: int
    maptokentype: int
    mapseqno: int
    mapdict: int

    @RelationId(3603)
    def RELID(self) -> None: ...


class PgTsDict(CatalogRow):
    """A row of pg_catalog.pg_ts_dict (pg_class OID 3600)."""

    oid: int
    dictname: str
    dictnamespace: int
    dictowner: int
    dicttemplate: int
    dictinitoption: str | None = None

    @RelationId(3600)
    def RELID(self) -> None: ...


class PgTsParser(CatalogRow):
    """A row of pg_catalog.pg_ts_parser (pg_class OID 3601)."""

    oid: int
    prsname: str
    prsnamespace: int
    prsstart: int
    prstoken: int
    prsend: int
    prsheadline: int
    prslextype: int

    @RelationId(3601)
    def RELID(self) -> None: ...


class PgTsTemplate(CatalogRow):
    """A row of pg_catalog.pg_ts_template (pg_class OID 3764)."""

    oid: int
    tmplname: str
    tmplnamespace: int
    tmplinit: int
    tmpllexize: int

    @RelationId(3764)
    def RELID(self) -> None: ...


class PgType(CatalogRow):
    """A row of pg_catalog.pg_type (pg_class OID 1247)."""

    oid: int
    typname: str
    typnamespace: int
    typowner: int
    typlen: int
    typbyval: bool
    typtype: str
    typcategory: str
    typispreferred: bool
    typisdefined: bool
    typdelim: str
    typrelid: int
    typsubscript: int
    typelem: int
    typarray: int
    typinput: int
    typoutput: int
    typreceive: int
    typsend: int
    typmodin: int
    typmodout: int
    typanalyze: int
    typalign: str
    typstorage: str
    typnotnull: bool
    typbasetype: int
    typtypmod: int
    typndims: int
    typcollation: int
    typdefaultbin: str | None = None
    typdefault: str | None = None
    typacl: tuple[str, ...] | None = None

    @RelationId(1247)
    def RELID(self) -> None: ...


class PgUserMapping(CatalogRow):
    """A row of pg_catalog.pg_user_mapping (pg_class OID 1418)."""

    oid: int
    umuser: int
    umserver: int
    umoptions: tuple[str, ...] | None = None

    @RelationId(1418)
    def RELID(self) -> None: ...


class SqlFeatures(CatalogRow):
    """A row of information_schema.sql_features (pg_class OID 13391)."""

    feature_id: str | None = None
    feature_name: str | None = None
    sub_feature_id: str | None = None
    sub_feature_name: str | None = None
    is_supported: str | None = None
    is_verified_by: str | None = None
    comments: str | None = None

    @RelationId(13391)
    def RELID(self) -> None: ...


class SqlImplementationInfo(CatalogRow):
    """A row of information_schema.sql_implementation_info (pg_class OID 13396)."""

    implementation_info_id: str | None = None
    implementation_info_name: str | None = None
    integer_value: int | None = None
    character_value: str | None = None
    comments: str | None = None

    @RelationId(13396)
    def RELID(self) -> None: ...


class SqlParts(CatalogRow):
    """A row of information_schema.sql_parts (pg_class OID 13401)."""

    feature_id: str | None = None
    feature_name: str | None = None
    is_supported: str | None = None
    is_verified_by: str | None = None
    comments: str | None = None

    @RelationId(13401)
    def RELID(self) -> None: ...


class SqlSizing(CatalogRow):
    """A row of information_schema.sql_sizing (pg_class OID 13406)."""

    sizing_id: int | None = None
    sizing_name: str | None = None
    supported_value: int | None = None
    comments: str | None = None

    @RelationId(13406)
    def RELID(self) -> None: ...


CATALOGS: dict[type[Any], CatalogInfo] = {
    PgAggregate: CatalogInfo(
        2600,
        "pg_aggregate",
        "pg_catalog",
        False,
        (
            CatalogColumn("aggfnoid", "regproc", True),
            CatalogColumn("aggkind", "char", True),
            CatalogColumn("aggnumdirectargs", "int2", True),
            CatalogColumn("aggtransfn", "regproc", True),
            CatalogColumn("aggfinalfn", "regproc", True),
            CatalogColumn("aggcombinefn", "regproc", True),
            CatalogColumn("aggserialfn", "regproc", True),
            CatalogColumn("aggdeserialfn", "regproc", True),
            CatalogColumn("aggmtransfn", "regproc", True),
            CatalogColumn("aggminvtransfn", "regproc", True),
            CatalogColumn("aggmfinalfn", "regproc", True),
            CatalogColumn("aggfinalextra", "bool", True),
            CatalogColumn("aggmfinalextra", "bool", True),
            CatalogColumn("aggfinalmodify", "char", True),
            CatalogColumn("aggmfinalmodify", "char", True),
            CatalogColumn("aggsortop", "oid", True),
            CatalogColumn("aggtranstype", "oid", True),
            CatalogColumn("aggtransspace", "int4", True),
            CatalogColumn("aggmtranstype", "oid", True),
            CatalogColumn("aggmtransspace", "int4", True),
            CatalogColumn("agginitval", "text", False),
            CatalogColumn("aggminitval", "text", False),
        ),
        (CatalogIndex(2650, "pg_aggregate_fnoid_index", True, (1,)),),
    ),
    PgAm: CatalogInfo(
        2601,
        "pg_am",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("amname", "name", True),
            CatalogColumn("amhandler", "regproc", True),
            CatalogColumn("amtype", "char", True),
        ),
        (
            CatalogIndex(2652, "pg_am_oid_index", True, (1,)),
            CatalogIndex(2651, "pg_am_name_index", True, (2,)),
        ),
    ),
    PgAmop: CatalogInfo(
        2602,
        "pg_amop",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("amopfamily", "oid", True),
            CatalogColumn("amoplefttype", "oid", True),
            CatalogColumn("amoprighttype", "oid", True),
            CatalogColumn("amopstrategy", "int2", True),
            CatalogColumn("amoppurpose", "char", True),
            CatalogColumn("amopopr", "oid", True),
            CatalogColumn("amopmethod", "oid", True),
            CatalogColumn("amopsortfamily", "oid", True),
        ),
        (
            CatalogIndex(2756, "pg_amop_oid_index", True, (1,)),
            CatalogIndex(2653, "pg_amop_fam_strat_index", True, (2, 3, 4, 5)),
            CatalogIndex(2654, "pg_amop_opr_fam_index", True, (7, 6, 2)),
        ),
    ),
    PgAmproc: CatalogInfo(
        2603,
        "pg_amproc",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("amprocfamily", "oid", True),
            CatalogColumn("amproclefttype", "oid", True),
            CatalogColumn("amprocrighttype", "oid", True),
            CatalogColumn("amprocnum", "int2", True),
            CatalogColumn("amproc", "regproc", True),
        ),
        (
            CatalogIndex(2757, "pg_amproc_oid_index", True, (1,)),
            CatalogIndex(2655, "pg_amproc_fam_proc_index", True, (2, 3, 4, 5)),
        ),
    ),
    PgAttrdef: CatalogInfo(
        2604,
        "pg_attrdef",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("adrelid", "oid", True),
            CatalogColumn("adnum", "int2", True),
            CatalogColumn("adbin", "pg_node_tree", True),
        ),
        (
            CatalogIndex(2657, "pg_attrdef_oid_index", True, (1,)),
            CatalogIndex(2656, "pg_attrdef_adrelid_adnum_index", True, (2, 3)),
        ),
    ),
    PgAttribute: CatalogInfo(
        1249,
        "pg_attribute",
        "pg_catalog",
        False,
        (
            CatalogColumn("attrelid", "oid", True),
            CatalogColumn("attname", "name", True),
            CatalogColumn("atttypid", "oid", True),
            CatalogColumn("attstattarget", "int4", True),
            CatalogColumn("attlen", "int2", True),
            CatalogColumn("attnum", "int2", True),
            CatalogColumn("attndims", "int4", True),
            CatalogColumn("attcacheoff", "int4", True),
            CatalogColumn("atttypmod", "int4", True),
            CatalogColumn("attbyval", "bool", True),
            CatalogColumn("attalign", "char", True),
            CatalogColumn("attstorage", "char", True),
            CatalogColumn("attcompression", "char", True),
            CatalogColumn("attnotnull", "bool", True),
            CatalogColumn("atthasdef", "bool", True),
            CatalogColumn("atthasmissing", "bool", True),
            CatalogColumn("attidentity", "char", True),
            CatalogColumn("attgenerated", "char", True),
            CatalogColumn("attisdropped", "bool", True),
            CatalogColumn("attislocal", "bool", True),
            CatalogColumn("attinhcount", "int4", True),
            CatalogColumn("attcollation", "oid", True),
            CatalogColumn("attacl", "_aclitem", False),
            CatalogColumn("attoptions", "_text", False),
            CatalogColumn("attfdwoptions", "_text", False),
            CatalogColumn("attmissingval", "anyarray", False),
        ),
        (
            CatalogIndex(2659, "pg_attribute_relid_attnum_index", True, (1, 6)),
            CatalogIndex(2658, "pg_attribute_relid_attnam_index", True, (1, 2)),
        ),
    ),
    PgAuthMembers: CatalogInfo(
        1261,
        "pg_auth_members",
        "pg_catalog",
        True,
        (
            CatalogColumn("roleid", "oid", True),
            CatalogColumn("member", "oid", True),
            CatalogColumn("grantor", "oid", True),
            CatalogColumn("admin_option", "bool", True),
        ),
        (
            CatalogIndex(2694, "pg_auth_members_role_member_index", True, (1, 2)),
            CatalogIndex(2695, "pg_auth_members_member_role_index", True, (2, 1)),
        ),
    ),
    PgAuthid: CatalogInfo(
        1260,
        "pg_authid",
        "pg_catalog",
        True,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("rolname", "name", True),
            CatalogColumn("rolsuper", "bool", True),
            CatalogColumn("rolinherit", "bool", True),
            CatalogColumn("rolcreaterole", "bool", True),
            CatalogColumn("rolcreatedb", "bool", True),
            CatalogColumn("rolcanlogin", "bool", True),
            CatalogColumn("rolreplication", "bool", True),
            CatalogColumn("rolbypassrls", "bool", True),
            CatalogColumn("rolconnlimit", "int4", True),
            CatalogColumn("rolpassword", "text", False),
            CatalogColumn("rolvaliduntil", "timestamptz", False),
        ),
        (
            CatalogIndex(2677, "pg_authid_oid_index", True, (1,)),
            CatalogIndex(2676, "pg_authid_rolname_index", True, (2,)),
        ),
    ),
    PgCast: CatalogInfo(
        2605,
        "pg_cast",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("castsource", "oid", True),
            CatalogColumn("casttarget", "oid", True),
            CatalogColumn("castfunc", "oid", True),
            CatalogColumn("castcontext", "char", True),
            CatalogColumn("castmethod", "char", True),
        ),
        (
            CatalogIndex(2660, "pg_cast_oid_index", True, (1,)),
            CatalogIndex(2661, "pg_cast_source_target_index", True, (2, 3)),
        ),
    ),
    PgClass: CatalogInfo(
        1259,
        "pg_class",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("relname", "name", True),
            CatalogColumn("relnamespace", "oid", True),
            CatalogColumn("reltype", "oid", True),
            CatalogColumn("reloftype", "oid", True),
            CatalogColumn("relowner", "oid", True),
            CatalogColumn("relam", "oid", True),
            CatalogColumn("relfilenode", "oid", True),
            CatalogColumn("reltablespace", "oid", True),
            CatalogColumn("relpages", "int4", True),
            CatalogColumn("reltuples", "float4", True),
            CatalogColumn("relallvisible", "int4", True),
            CatalogColumn("reltoastrelid", "oid", True),
            CatalogColumn("relhasindex", "bool", True),
            CatalogColumn("relisshared", "bool", True),
            CatalogColumn("relpersistence", "char", True),
            CatalogColumn("relkind", "char", True),
            CatalogColumn("relnatts", "int2", True),
            CatalogColumn("relchecks", "int2", True),
            CatalogColumn("relhasrules", "bool", True),
            CatalogColumn("relhastriggers", "bool", True),
            CatalogColumn("relhassubclass", "bool", True),
            CatalogColumn("relrowsecurity", "bool", True),
            CatalogColumn("relforcerowsecurity", "bool", True),
            CatalogColumn("relispopulated", "bool", True),
            CatalogColumn("relreplident", "char", True),
            CatalogColumn("relispartition", "bool", True),
            CatalogColumn("relrewrite", "oid", True),
            CatalogColumn("relfrozenxid", "xid", True),
            CatalogColumn("relminmxid", "xid", True),
            CatalogColumn("relacl", "_aclitem", False),
            CatalogColumn("reloptions", "_text", False),
            CatalogColumn("relpartbound", "pg_node_tree", False),
        ),
        (
            CatalogIndex(2662, "pg_class_oid_index", True, (1,)),
            CatalogIndex(2663, "pg_class_relname_nsp_index", True, (2, 3)),
            CatalogIndex(3455, "pg_class_tblspc_relfilenode_index", False, (9, 8)),
        ),
    ),
    PgCollation: CatalogInfo(
        3456,
        "pg_collation",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("collname", "name", True),
            CatalogColumn("collnamespace", "oid", True),
            CatalogColumn("collowner", "oid", True),
            CatalogColumn("collprovider", "char", True),
            CatalogColumn("collisdeterministic", "bool", True),
            CatalogColumn("collencoding", "int4", True),
            CatalogColumn("collcollate", "text", False),
            CatalogColumn("collctype", "text", False),
            CatalogColumn("colliculocale", "text", False),
            CatalogColumn("collversion", "text", False),
        ),
        (
            CatalogIndex(3085, "pg_collation_oid_index", True, (1,)),
            CatalogIndex(3164, "pg_collation_name_enc_nsp_index", True, (2, 7, 3)),
        ),
    ),
    PgConstraint: CatalogInfo(
        2606,
        "pg_constraint",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("conname", "name", True),
            CatalogColumn("connamespace", "oid", True),
            CatalogColumn("contype", "char", True),
            CatalogColumn("condeferrable", "bool", True),
            CatalogColumn("condeferred", "bool", True),
            CatalogColumn("convalidated", "bool", True),
            CatalogColumn("conrelid", "oid", True),
            CatalogColumn("contypid", "oid", True),
            CatalogColumn("conindid", "oid", True),
            CatalogColumn("conparentid", "oid", True),
            CatalogColumn("confrelid", "oid", True),
            CatalogColumn("confupdtype", "char", True),
            CatalogColumn("confdeltype", "char", True),
            CatalogColumn("confmatchtype", "char", True),
            CatalogColumn("conislocal", "bool", True),
            CatalogColumn("coninhcount", "int4", True),
            CatalogColumn("connoinherit", "bool", True),
            CatalogColumn("conkey", "_int2", False),
            CatalogColumn("confkey", "_int2", False),
            CatalogColumn("conpfeqop", "_oid", False),
            CatalogColumn("conppeqop", "_oid", False),
            CatalogColumn("conffeqop", "_oid", False),
            CatalogColumn("confdelsetcols", "_int2", False),
            CatalogColumn("conexclop", "_oid", False),
            CatalogColumn("conbin", "pg_node_tree", False),
        ),
        (
            CatalogIndex(2667, "pg_constraint_oid_index", True, (1,)),
            CatalogIndex(2579, "pg_constraint_conparentid_index", False, (11,)),
            CatalogIndex(2664, "pg_constraint_conname_nsp_index", False, (2, 3)),
            CatalogIndex(2665, "pg_constraint_conrelid_contypid_conname_index", True, (8, 9, 2)),
            CatalogIndex(2666, "pg_constraint_contypid_index", False, (9,)),
        ),
    ),
    PgConversion: CatalogInfo(
        2607,
        "pg_conversion",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("conname", "name", True),
            CatalogColumn("connamespace", "oid", True),
            CatalogColumn("conowner", "oid", True),
            CatalogColumn("conforencoding", "int4", True),
            CatalogColumn("contoencoding", "int4", True),
            CatalogColumn("conproc", "regproc", True),
            CatalogColumn("condefault", "bool", True),
        ),
        (
            CatalogIndex(2670, "pg_conversion_oid_index", True, (1,)),
            CatalogIndex(2668, "pg_conversion_default_index", True, (3, 5, 6, 1)),
            CatalogIndex(2669, "pg_conversion_name_nsp_index", True, (2, 3)),
        ),
    ),
    PgDatabase: CatalogInfo(
        1262,
        "pg_database",
        "pg_catalog",
        True,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("datname", "name", True),
            CatalogColumn("datdba", "oid", True),
            CatalogColumn("encoding", "int4", True),
            CatalogColumn("datlocprovider", "char", True),
            CatalogColumn("datistemplate", "bool", True),
            CatalogColumn("datallowconn", "bool", True),
            CatalogColumn("datconnlimit", "int4", True),
            CatalogColumn("datfrozenxid", "xid", True),
            CatalogColumn("datminmxid", "xid", True),
            CatalogColumn("dattablespace", "oid", True),
            CatalogColumn("datcollate", "text", True),
            CatalogColumn("datctype", "text", True),
            CatalogColumn("daticulocale", "text", False),
            CatalogColumn("datcollversion", "text", False),
            CatalogColumn("datacl", "_aclitem", False),
        ),
        (
            CatalogIndex(2672, "pg_database_oid_index", True, (1,)),
            CatalogIndex(2671, "pg_database_datname_index", True, (2,)),
        ),
    ),
    PgDbRoleSetting: CatalogInfo(
        2964,
        "pg_db_role_setting",
        "pg_catalog",
        True,
        (
            CatalogColumn("setdatabase", "oid", True),
            CatalogColumn("setrole", "oid", True),
            CatalogColumn("setconfig", "_text", False),
        ),
        (CatalogIndex(2965, "pg_db_role_setting_databaseid_rol_index", True, (1, 2)),),
    ),
    PgDefaultAcl: CatalogInfo(
        826,
        "pg_default_acl",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("defaclrole", "oid", True),
            CatalogColumn("defaclnamespace", "oid", True),
            CatalogColumn("defaclobjtype", "char", True),
            CatalogColumn("defaclacl", "_aclitem", True),
        ),
        (
            CatalogIndex(828, "pg_default_acl_oid_index", True, (1,)),
            CatalogIndex(827, "pg_default_acl_role_nsp_obj_index", True, (2, 3, 4)),
        ),
    ),
    PgDepend: CatalogInfo(
        2608,
        "pg_depend",
        "pg_catalog",
        False,
        (
            CatalogColumn("classid", "oid", True),
            CatalogColumn("objid", "oid", True),
            CatalogColumn("objsubid", "int4", True),
            CatalogColumn("refclassid", "oid", True),
            CatalogColumn("refobjid", "oid", True),
            CatalogColumn("refobjsubid", "int4", True),
            CatalogColumn("deptype", "char", True),
        ),
        (
            CatalogIndex(2673, "pg_depend_depender_index", False, (1, 2, 3)),
            CatalogIndex(2674, "pg_depend_reference_index", False, (4, 5, 6)),
        ),
    ),
    PgDescription: CatalogInfo(
        2609,
        "pg_description",
        "pg_catalog",
        False,
        (
            CatalogColumn("objoid", "oid", True),
            CatalogColumn("classoid", "oid", True),
            CatalogColumn("objsubid", "int4", True),
            CatalogColumn("description", "text", True),
        ),
        (CatalogIndex(2675, "pg_description_o_c_o_index", True, (1, 2, 3)),),
    ),
    PgEnum: CatalogInfo(
        3501,
        "pg_enum",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("enumtypid", "oid", True),
            CatalogColumn("enumsortorder", "float4", True),
            CatalogColumn("enumlabel", "name", True),
        ),
        (
            CatalogIndex(3502, "pg_enum_oid_index", True, (1,)),
            CatalogIndex(3503, "pg_enum_typid_label_index", True, (2, 4)),
            CatalogIndex(3534, "pg_enum_typid_sortorder_index", True, (2, 3)),
        ),
    ),
    PgEventTrigger: CatalogInfo(
        3466,
        "pg_event_trigger",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("evtname", "name", True),
            CatalogColumn("evtevent", "name", True),
            CatalogColumn("evtowner", "oid", True),
            CatalogColumn("evtfoid", "oid", True),
            CatalogColumn("evtenabled", "char", True),
            CatalogColumn("evttags", "_text", False),
        ),
        (
            CatalogIndex(3468, "pg_event_trigger_oid_index", True, (1,)),
            CatalogIndex(3467, "pg_event_trigger_evtname_index", True, (2,)),
        ),
    ),
    PgExtension: CatalogInfo(
        3079,
        "pg_extension",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("extname", "name", True),
            CatalogColumn("extowner", "oid", True),
            CatalogColumn("extnamespace", "oid", True),
            CatalogColumn("extrelocatable", "bool", True),
            CatalogColumn("extversion", "text", True),
            CatalogColumn("extconfig", "_oid", False),
            CatalogColumn("extcondition", "_text", False),
        ),
        (
            CatalogIndex(3080, "pg_extension_oid_index", True, (1,)),
            CatalogIndex(3081, "pg_extension_name_index", True, (2,)),
        ),
    ),
    PgForeignDataWrapper: CatalogInfo(
        2328,
        "pg_foreign_data_wrapper",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("fdwname", "name", True),
            CatalogColumn("fdwowner", "oid", True),
            CatalogColumn("fdwhandler", "oid", True),
            CatalogColumn("fdwvalidator", "oid", True),
            CatalogColumn("fdwacl", "_aclitem", False),
            CatalogColumn("fdwoptions", "_text", False),
        ),
        (
            CatalogIndex(112, "pg_foreign_data_wrapper_oid_index", True, (1,)),
            CatalogIndex(548, "pg_foreign_data_wrapper_name_index", True, (2,)),
        ),
    ),
    PgForeignServer: CatalogInfo(
        1417,
        "pg_foreign_server",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("srvname", "name", True),
            CatalogColumn("srvowner", "oid", True),
            CatalogColumn("srvfdw", "oid", True),
            CatalogColumn("srvtype", "text", False),
            CatalogColumn("srvversion", "text", False),
            CatalogColumn("srvacl", "_aclitem", False),
            CatalogColumn("srvoptions", "_text", False),
        ),
        (
            CatalogIndex(113, "pg_foreign_server_oid_index", True, (1,)),
            CatalogIndex(549, "pg_foreign_server_name_index", True, (2,)),
        ),
    ),
    PgForeignTable: CatalogInfo(
        3118,
        "pg_foreign_table",
        "pg_catalog",
        False,
        (
            CatalogColumn("ftrelid", "oid", True),
            CatalogColumn("ftserver", "oid", True),
            CatalogColumn("ftoptions", "_text", False),
        ),
        (CatalogIndex(3119, "pg_foreign_table_relid_index", True, (1,)),),
    ),
    PgIndex: CatalogInfo(
        2610,
        "pg_index",
        "pg_catalog",
        False,
        (
            CatalogColumn("indexrelid", "oid", True),
            CatalogColumn("indrelid", "oid", True),
            CatalogColumn("indnatts", "int2", True),
            CatalogColumn("indnkeyatts", "int2", True),
            CatalogColumn("indisunique", "bool", True),
            CatalogColumn("indnullsnotdistinct", "bool", True),
            CatalogColumn("indisprimary", "bool", True),
            CatalogColumn("indisexclusion", "bool", True),
            CatalogColumn("indimmediate", "bool", True),
            CatalogColumn("indisclustered", "bool", True),
            CatalogColumn("indisvalid", "bool", True),
            CatalogColumn("indcheckxmin", "bool", True),
            CatalogColumn("indisready", "bool", True),
            CatalogColumn("indislive", "bool", True),
            CatalogColumn("indisreplident", "bool", True),
            CatalogColumn("indkey", "int2vector", True),
            CatalogColumn("indcollation", "oidvector", True),
            CatalogColumn("indclass", "oidvector", True),
            CatalogColumn("indoption", "int2vector", True),
            CatalogColumn("indexprs", "pg_node_tree", False),
            CatalogColumn("indpred", "pg_node_tree", False),
        ),
        (
            CatalogIndex(2679, "pg_index_indexrelid_index", True, (1,)),
            CatalogIndex(2678, "pg_index_indrelid_index", False, (2,)),
        ),
    ),
    PgInherits: CatalogInfo(
        2611,
        "pg_inherits",
        "pg_catalog",
        False,
        (
            CatalogColumn("inhrelid", "oid", True),
            CatalogColumn("inhparent", "oid", True),
            CatalogColumn("inhseqno", "int4", True),
            CatalogColumn("inhdetachpending", "bool", True),
        ),
        (
            CatalogIndex(2680, "pg_inherits_relid_seqno_index", True, (1, 3)),
            CatalogIndex(2187, "pg_inherits_parent_index", False, (2,)),
        ),
    ),
    PgInitPrivs: CatalogInfo(
        3394,
        "pg_init_privs",
        "pg_catalog",
        False,
        (
            CatalogColumn("objoid", "oid", True),
            CatalogColumn("classoid", "oid", True),
            CatalogColumn("objsubid", "int4", True),
            CatalogColumn("privtype", "char", True),
            CatalogColumn("initprivs", "_aclitem", True),
        ),
        (CatalogIndex(3395, "pg_init_privs_o_c_o_index", True, (1, 2, 3)),),
    ),
    PgLanguage: CatalogInfo(
        2612,
        "pg_language",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("lanname", "name", True),
            CatalogColumn("lanowner", "oid", True),
            CatalogColumn("lanispl", "bool", True),
            CatalogColumn("lanpltrusted", "bool", True),
            CatalogColumn("lanplcallfoid", "oid", True),
            CatalogColumn("laninline", "oid", True),
            CatalogColumn("lanvalidator", "oid", True),
            CatalogColumn("lanacl", "_aclitem", False),
        ),
        (
            CatalogIndex(2682, "pg_language_oid_index", True, (1,)),
            CatalogIndex(2681, "pg_language_name_index", True, (2,)),
        ),
    ),
    PgLargeobject: CatalogInfo(
        2613,
        "pg_largeobject",
        "pg_catalog",
        False,
        (
            CatalogColumn("loid", "oid", True),
            CatalogColumn("pageno", "int4", True),
            CatalogColumn("data", "bytea", True),
        ),
        (CatalogIndex(2683, "pg_largeobject_loid_pn_index", True, (1, 2)),),
    ),
    PgLargeobjectMetadata: CatalogInfo(
        2995,
        "pg_largeobject_metadata",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("lomowner", "oid", True),
            CatalogColumn("lomacl", "_aclitem", False),
        ),
        (CatalogIndex(2996, "pg_largeobject_metadata_oid_index", True, (1,)),),
    ),
    PgNamespace: CatalogInfo(
        2615,
        "pg_namespace",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("nspname", "name", True),
            CatalogColumn("nspowner", "oid", True),
            CatalogColumn("nspacl", "_aclitem", False),
        ),
        (
            CatalogIndex(2685, "pg_namespace_oid_index", True, (1,)),
            CatalogIndex(2684, "pg_namespace_nspname_index", True, (2,)),
        ),
    ),
    PgOpclass: CatalogInfo(
        2616,
        "pg_opclass",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("opcmethod", "oid", True),
            CatalogColumn("opcname", "name", True),
            CatalogColumn("opcnamespace", "oid", True),
            CatalogColumn("opcowner", "oid", True),
            CatalogColumn("opcfamily", "oid", True),
            CatalogColumn("opcintype", "oid", True),
            CatalogColumn("opcdefault", "bool", True),
            CatalogColumn("opckeytype", "oid", True),
        ),
        (
            CatalogIndex(2687, "pg_opclass_oid_index", True, (1,)),
            CatalogIndex(2686, "pg_opclass_am_name_nsp_index", True, (2, 3, 4)),
        ),
    ),
    PgOperator: CatalogInfo(
        2617,
        "pg_operator",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("oprname", "name", True),
            CatalogColumn("oprnamespace", "oid", True),
            CatalogColumn("oprowner", "oid", True),
            CatalogColumn("oprkind", "char", True),
            CatalogColumn("oprcanmerge", "bool", True),
            CatalogColumn("oprcanhash", "bool", True),
            CatalogColumn("oprleft", "oid", True),
            CatalogColumn("oprright", "oid", True),
            CatalogColumn("oprresult", "oid", True),
            CatalogColumn("oprcom", "oid", True),
            CatalogColumn("oprnegate", "oid", True),
            CatalogColumn("oprcode", "regproc", True),
            CatalogColumn("oprrest", "regproc", True),
            CatalogColumn("oprjoin", "regproc", True),
        ),
        (
            CatalogIndex(2688, "pg_operator_oid_index", True, (1,)),
            CatalogIndex(2689, "pg_operator_oprname_l_r_n_index", True, (2, 8, 9, 3)),
        ),
    ),
    PgOpfamily: CatalogInfo(
        2753,
        "pg_opfamily",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("opfmethod", "oid", True),
            CatalogColumn("opfname", "name", True),
            CatalogColumn("opfnamespace", "oid", True),
            CatalogColumn("opfowner", "oid", True),
        ),
        (
            CatalogIndex(2755, "pg_opfamily_oid_index", True, (1,)),
            CatalogIndex(2754, "pg_opfamily_am_name_nsp_index", True, (2, 3, 4)),
        ),
    ),
    PgParameterAcl: CatalogInfo(
        6243,
        "pg_parameter_acl",
        "pg_catalog",
        True,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("parname", "text", True),
            CatalogColumn("paracl", "_aclitem", False),
        ),
        (
            CatalogIndex(6247, "pg_parameter_acl_oid_index", True, (1,)),
            CatalogIndex(6246, "pg_parameter_acl_parname_index", True, (2,)),
        ),
    ),
    PgPartitionedTable: CatalogInfo(
        3350,
        "pg_partitioned_table",
        "pg_catalog",
        False,
        (
            CatalogColumn("partrelid", "oid", True),
            CatalogColumn("partstrat", "char", True),
            CatalogColumn("partnatts", "int2", True),
            CatalogColumn("partdefid", "oid", True),
            CatalogColumn("partattrs", "int2vector", True),
            CatalogColumn("partclass", "oidvector", True),
            CatalogColumn("partcollation", "oidvector", True),
            CatalogColumn("partexprs", "pg_node_tree", False),
        ),
        (CatalogIndex(3351, "pg_partitioned_table_partrelid_index", True, (1,)),),
    ),
    PgPolicy: CatalogInfo(
        3256,
        "pg_policy",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("polname", "name", True),
            CatalogColumn("polrelid", "oid", True),
            CatalogColumn("polcmd", "char", True),
            CatalogColumn("polpermissive", "bool", True),
            CatalogColumn("polroles", "_oid", True),
            CatalogColumn("polqual", "pg_node_tree", False),
            CatalogColumn("polwithcheck", "pg_node_tree", False),
        ),
        (
            CatalogIndex(3257, "pg_policy_oid_index", True, (1,)),
            CatalogIndex(3258, "pg_policy_polrelid_polname_index", True, (3, 2)),
        ),
    ),
    PgProc: CatalogInfo(
        1255,
        "pg_proc",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("proname", "name", True),
            CatalogColumn("pronamespace", "oid", True),
            CatalogColumn("proowner", "oid", True),
            CatalogColumn("prolang", "oid", True),
            CatalogColumn("procost", "float4", True),
            CatalogColumn("prorows", "float4", True),
            CatalogColumn("provariadic", "oid", True),
            CatalogColumn("prosupport", "regproc", True),
            CatalogColumn("prokind", "char", True),
            CatalogColumn("prosecdef", "bool", True),
            CatalogColumn("proleakproof", "bool", True),
            CatalogColumn("proisstrict", "bool", True),
            CatalogColumn("proretset", "bool", True),
            CatalogColumn("provolatile", "char", True),
            CatalogColumn("proparallel", "char", True),
            CatalogColumn("pronargs", "int2", True),
            CatalogColumn("pronargdefaults", "int2", True),
            CatalogColumn("prorettype", "oid", True),
            CatalogColumn("proargtypes", "oidvector", True),
            CatalogColumn("proallargtypes", "_oid", False),
            CatalogColumn("proargmodes", "_char", False),
            CatalogColumn("proargnames", "_text", False),
            CatalogColumn("proargdefaults", "pg_node_tree", False),
            CatalogColumn("protrftypes", "_oid", False),
            CatalogColumn("prosrc", "text", True),
            CatalogColumn("probin", "text", False),
            CatalogColumn("prosqlbody", "pg_node_tree", False),
            CatalogColumn("proconfig", "_text", False),
            CatalogColumn("proacl", "_aclitem", False),
        ),
        (
            CatalogIndex(2690, "pg_proc_oid_index", True, (1,)),
            CatalogIndex(2691, "pg_proc_proname_args_nsp_index", True, (2, 20, 3)),
        ),
    ),
    PgPublication: CatalogInfo(
        6104,
        "pg_publication",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("pubname", "name", True),
            CatalogColumn("pubowner", "oid", True),
            CatalogColumn("puballtables", "bool", True),
            CatalogColumn("pubinsert", "bool", True),
            CatalogColumn("pubupdate", "bool", True),
            CatalogColumn("pubdelete", "bool", True),
            CatalogColumn("pubtruncate", "bool", True),
            CatalogColumn("pubviaroot", "bool", True),
        ),
        (
            CatalogIndex(6110, "pg_publication_oid_index", True, (1,)),
            CatalogIndex(6111, "pg_publication_pubname_index", True, (2,)),
        ),
    ),
    PgPublicationNamespace: CatalogInfo(
        6237,
        "pg_publication_namespace",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("pnpubid", "oid", True),
            CatalogColumn("pnnspid", "oid", True),
        ),
        (
            CatalogIndex(6238, "pg_publication_namespace_oid_index", True, (1,)),
            CatalogIndex(6239, "pg_publication_namespace_pnnspid_pnpubid_index", True, (3, 2)),
        ),
    ),
    PgPublicationRel: CatalogInfo(
        6106,
        "pg_publication_rel",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("prpubid", "oid", True),
            CatalogColumn("prrelid", "oid", True),
            CatalogColumn("prqual", "pg_node_tree", False),
            CatalogColumn("prattrs", "int2vector", False),
        ),
        (
            CatalogIndex(6112, "pg_publication_rel_oid_index", True, (1,)),
            CatalogIndex(6113, "pg_publication_rel_prrelid_prpubid_index", True, (3, 2)),
            CatalogIndex(6116, "pg_publication_rel_prpubid_index", False, (2,)),
        ),
    ),
    PgRange: CatalogInfo(
        3541,
        "pg_range",
        "pg_catalog",
        False,
        (
            CatalogColumn("rngtypid", "oid", True),
            CatalogColumn("rngsubtype", "oid", True),
            CatalogColumn("rngmultitypid", "oid", True),
            CatalogColumn("rngcollation", "oid", True),
            CatalogColumn("rngsubopc", "oid", True),
            CatalogColumn("rngcanonical", "regproc", True),
            CatalogColumn("rngsubdiff", "regproc", True),
        ),
        (
            CatalogIndex(3542, "pg_range_rngtypid_index", True, (1,)),
            CatalogIndex(2228, "pg_range_rngmultitypid_index", True, (3,)),
        ),
    ),
    PgReplicationOrigin: CatalogInfo(
        6000,
        "pg_replication_origin",
        "pg_catalog",
        True,
        (
            CatalogColumn("roident", "oid", True),
            CatalogColumn("roname", "text", True),
        ),
        (
            CatalogIndex(6001, "pg_replication_origin_roiident_index", True, (1,)),
            CatalogIndex(6002, "pg_replication_origin_roname_index", True, (2,)),
        ),
    ),
    PgRewrite: CatalogInfo(
        2618,
        "pg_rewrite",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("rulename", "name", True),
            CatalogColumn("ev_class", "oid", True),
            CatalogColumn("ev_type", "char", True),
            CatalogColumn("ev_enabled", "char", True),
            CatalogColumn("is_instead", "bool", True),
            CatalogColumn("ev_qual", "pg_node_tree", True),
            CatalogColumn("ev_action", "pg_node_tree", True),
        ),
        (
            CatalogIndex(2692, "pg_rewrite_oid_index", True, (1,)),
            CatalogIndex(2693, "pg_rewrite_rel_rulename_index", True, (3, 2)),
        ),
    ),
    PgSeclabel: CatalogInfo(
        3596,
        "pg_seclabel",
        "pg_catalog",
        False,
        (
            CatalogColumn("objoid", "oid", True),
            CatalogColumn("classoid", "oid", True),
            CatalogColumn("objsubid", "int4", True),
            CatalogColumn("provider", "text", True),
            CatalogColumn("label", "text", True),
        ),
        (CatalogIndex(3597, "pg_seclabel_object_index", True, (1, 2, 3, 4)),),
    ),
    PgSequence: CatalogInfo(
        2224,
        "pg_sequence",
        "pg_catalog",
        False,
        (
            CatalogColumn("seqrelid", "oid", True),
            CatalogColumn("seqtypid", "oid", True),
            CatalogColumn("seqstart", "int8", True),
            CatalogColumn("seqincrement", "int8", True),
            CatalogColumn("seqmax", "int8", True),
            CatalogColumn("seqmin", "int8", True),
            CatalogColumn("seqcache", "int8", True),
            CatalogColumn("seqcycle", "bool", True),
        ),
        (CatalogIndex(5002, "pg_sequence_seqrelid_index", True, (1,)),),
    ),
    PgShdepend: CatalogInfo(
        1214,
        "pg_shdepend",
        "pg_catalog",
        True,
        (
            CatalogColumn("dbid", "oid", True),
            CatalogColumn("classid", "oid", True),
            CatalogColumn("objid", "oid", True),
            CatalogColumn("objsubid", "int4", True),
            CatalogColumn("refclassid", "oid", True),
            CatalogColumn("refobjid", "oid", True),
            CatalogColumn("deptype", "char", True),
        ),
        (
            CatalogIndex(1232, "pg_shdepend_depender_index", False, (1, 2, 3, 4)),
            CatalogIndex(1233, "pg_shdepend_reference_index", False, (5, 6)),
        ),
    ),
    PgShdescription: CatalogInfo(
        2396,
        "pg_shdescription",
        "pg_catalog",
        True,
        (
            CatalogColumn("objoid", "oid", True),
            CatalogColumn("classoid", "oid", True),
            CatalogColumn("description", "text", True),
        ),
        (CatalogIndex(2397, "pg_shdescription_o_c_index", True, (1, 2)),),
    ),
    PgShseclabel: CatalogInfo(
        3592,
        "pg_shseclabel",
        "pg_catalog",
        True,
        (
            CatalogColumn("objoid", "oid", True),
            CatalogColumn("classoid", "oid", True),
            CatalogColumn("provider", "text", True),
            CatalogColumn("label", "text", True),
        ),
        (CatalogIndex(3593, "pg_shseclabel_object_index", True, (1, 2, 3)),),
    ),
    PgStatistic: CatalogInfo(
        2619,
        "pg_statistic",
        "pg_catalog",
        False,
        (
            CatalogColumn("starelid", "oid", True),
            CatalogColumn("staattnum", "int2", True),
            CatalogColumn("stainherit", "bool", True),
            CatalogColumn("stanullfrac", "float4", True),
            CatalogColumn("stawidth", "int4", True),
            CatalogColumn("stadistinct", "float4", True),
            CatalogColumn("stakind1", "int2", True),
            CatalogColumn("stakind2", "int2", True),
            CatalogColumn("stakind3", "int2", True),
            CatalogColumn("stakind4", "int2", True),
            CatalogColumn("stakind5", "int2", True),
            CatalogColumn("staop1", "oid", True),
            CatalogColumn("staop2", "oid", True),
            CatalogColumn("staop3", "oid", True),
            CatalogColumn("staop4", "oid", True),
            CatalogColumn("staop5", "oid", True),
            CatalogColumn("stacoll1", "oid", True),
            CatalogColumn("stacoll2", "oid", True),
            CatalogColumn("stacoll3", "oid", True),
            CatalogColumn("stacoll4", "oid", True),
            CatalogColumn("stacoll5", "oid", True),
            CatalogColumn("stanumbers1", "_float4", False),
            CatalogColumn("stanumbers2", "_float4", False),
            CatalogColumn("stanumbers3", "_float4", False),
            CatalogColumn("stanumbers4", "_float4", False),
            CatalogColumn("stanumbers5", "_float4", False),
            CatalogColumn("stavalues1", "anyarray", False),
            CatalogColumn("stavalues2", "anyarray", False),
            CatalogColumn("stavalues3", "anyarray", False),
            CatalogColumn("stavalues4", "anyarray", False),
            CatalogColumn("stavalues5", "anyarray", False),
        ),
        (CatalogIndex(2696, "pg_statistic_relid_att_inh_index", True, (1, 2, 3)),),
    ),
    PgStatisticExt: CatalogInfo(
        3381,
        "pg_statistic_ext",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("stxrelid", "oid", True),
            CatalogColumn("stxname", "name", True),
            CatalogColumn("stxnamespace", "oid", True),
            CatalogColumn("stxowner", "oid", True),
            CatalogColumn("stxstattarget", "int4", True),
            CatalogColumn("stxkeys", "int2vector", True),
            CatalogColumn("stxkind", "_char", True),
            CatalogColumn("stxexprs", "pg_node_tree", False),
        ),
        (
            CatalogIndex(3380, "pg_statistic_ext_oid_index", True, (1,)),
            CatalogIndex(3379, "pg_statistic_ext_relid_index", False, (2,)),
            CatalogIndex(3997, "pg_statistic_ext_name_index", True, (3, 4)),
        ),
    ),
    PgStatisticExtData: CatalogInfo(
        3429,
        "pg_statistic_ext_data",
        "pg_catalog",
        False,
        (
            CatalogColumn("stxoid", "oid", True),
            CatalogColumn("stxdinherit", "bool", True),
            CatalogColumn("stxdndistinct", "pg_ndistinct", False),
            CatalogColumn("stxddependencies", "pg_dependencies", False),
            CatalogColumn("stxdmcv", "pg_mcv_list", False),
            CatalogColumn("stxdexpr", "_pg_statistic", False),
        ),
        (CatalogIndex(3433, "pg_statistic_ext_data_stxoid_inh_index", True, (1, 2)),),
    ),
    PgSubscription: CatalogInfo(
        6100,
        "pg_subscription",
        "pg_catalog",
        True,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("subdbid", "oid", True),
            CatalogColumn("subskiplsn", "pg_lsn", True),
            CatalogColumn("subname", "name", True),
            CatalogColumn("subowner", "oid", True),
            CatalogColumn("subenabled", "bool", True),
            CatalogColumn("subbinary", "bool", True),
            CatalogColumn("substream", "bool", True),
            CatalogColumn("subtwophasestate", "char", True),
            CatalogColumn("subdisableonerr", "bool", True),
            CatalogColumn("subconninfo", "text", True),
            CatalogColumn("subslotname", "name", False),
            CatalogColumn("subsynccommit", "text", True),
            CatalogColumn("subpublications", "_text", True),
        ),
        (
            CatalogIndex(6114, "pg_subscription_oid_index", True, (1,)),
            CatalogIndex(6115, "pg_subscription_subname_index", True, (2, 4)),
        ),
    ),
    PgSubscriptionRel: CatalogInfo(
        6102,
        "pg_subscription_rel",
        "pg_catalog",
        False,
        (
            CatalogColumn("srsubid", "oid", True),
            CatalogColumn("srrelid", "oid", True),
            CatalogColumn("srsubstate", "char", True),
            CatalogColumn("srsublsn", "pg_lsn", False),
        ),
        (CatalogIndex(6117, "pg_subscription_rel_srrelid_srsubid_index", True, (2, 1)),),
    ),
    PgTablespace: CatalogInfo(
        1213,
        "pg_tablespace",
        "pg_catalog",
        True,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("spcname", "name", True),
            CatalogColumn("spcowner", "oid", True),
            CatalogColumn("spcacl", "_aclitem", False),
            CatalogColumn("spcoptions", "_text", False),
        ),
        (
            CatalogIndex(2697, "pg_tablespace_oid_index", True, (1,)),
            CatalogIndex(2698, "pg_tablespace_spcname_index", True, (2,)),
        ),
    ),
    PgTransform: CatalogInfo(
        3576,
        "pg_transform",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("trftype", "oid", True),
            CatalogColumn("trflang", "oid", True),
            CatalogColumn("trffromsql", "regproc", True),
            CatalogColumn("trftosql", "regproc", True),
        ),
        (
            CatalogIndex(3574, "pg_transform_oid_index", True, (1,)),
            CatalogIndex(3575, "pg_transform_type_lang_index", True, (2, 3)),
        ),
    ),
    PgTrigger: CatalogInfo(
        2620,
        "pg_trigger",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("tgrelid", "oid", True),
            CatalogColumn("tgparentid", "oid", True),
            CatalogColumn("tgname", "name", True),
            CatalogColumn("tgfoid", "oid", True),
            CatalogColumn("tgtype", "int2", True),
            CatalogColumn("tgenabled", "char", True),
            CatalogColumn("tgisinternal", "bool", True),
            CatalogColumn("tgconstrrelid", "oid", True),
            CatalogColumn("tgconstrindid", "oid", True),
            CatalogColumn("tgconstraint", "oid", True),
            CatalogColumn("tgdeferrable", "bool", True),
            CatalogColumn("tginitdeferred", "bool", True),
            CatalogColumn("tgnargs", "int2", True),
            CatalogColumn("tgattr", "int2vector", True),
            CatalogColumn("tgargs", "bytea", True),
            CatalogColumn("tgqual", "pg_node_tree", False),
            CatalogColumn("tgoldtable", "name", False),
            CatalogColumn("tgnewtable", "name", False),
        ),
        (
            CatalogIndex(2702, "pg_trigger_oid_index", True, (1,)),
            CatalogIndex(2699, "pg_trigger_tgconstraint_index", False, (11,)),
            CatalogIndex(2701, "pg_trigger_tgrelid_tgname_index", True, (2, 4)),
        ),
    ),
    PgTsConfig: CatalogInfo(
        3602,
        "pg_ts_config",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("cfgname", "name", True),
            CatalogColumn("cfgnamespace", "oid", True),
            CatalogColumn("cfgowner", "oid", True),
            CatalogColumn("cfgparser", "oid", True),
        ),
        (
            CatalogIndex(3712, "pg_ts_config_oid_index", True, (1,)),
            CatalogIndex(3608, "pg_ts_config_cfgname_index", True, (2, 3)),
        ),
    ),
    PgTsConfigMap: CatalogInfo(
        3603,
        "pg_ts_config_map",
        "pg_catalog",
        False,
        (
            CatalogColumn("mapcfg", "oid", True),
            CatalogColumn("maptokentype", "int4", True),
            CatalogColumn("mapseqno", "int4", True),
            CatalogColumn("mapdict", "oid", True),
        ),
        (CatalogIndex(3609, "pg_ts_config_map_index", True, (1, 2, 3)),),
    ),
    PgTsDict: CatalogInfo(
        3600,
        "pg_ts_dict",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("dictname", "name", True),
            CatalogColumn("dictnamespace", "oid", True),
            CatalogColumn("dictowner", "oid", True),
            CatalogColumn("dicttemplate", "oid", True),
            CatalogColumn("dictinitoption", "text", False),
        ),
        (
            CatalogIndex(3605, "pg_ts_dict_oid_index", True, (1,)),
            CatalogIndex(3604, "pg_ts_dict_dictname_index", True, (2, 3)),
        ),
    ),
    PgTsParser: CatalogInfo(
        3601,
        "pg_ts_parser",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("prsname", "name", True),
            CatalogColumn("prsnamespace", "oid", True),
            CatalogColumn("prsstart", "regproc", True),
            CatalogColumn("prstoken", "regproc", True),
            CatalogColumn("prsend", "regproc", True),
            CatalogColumn("prsheadline", "regproc", True),
            CatalogColumn("prslextype", "regproc", True),
        ),
        (
            CatalogIndex(3607, "pg_ts_parser_oid_index", True, (1,)),
            CatalogIndex(3606, "pg_ts_parser_prsname_index", True, (2, 3)),
        ),
    ),
    PgTsTemplate: CatalogInfo(
        3764,
        "pg_ts_template",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("tmplname", "name", True),
            CatalogColumn("tmplnamespace", "oid", True),
            CatalogColumn("tmplinit", "regproc", True),
            CatalogColumn("tmpllexize", "regproc", True),
        ),
        (
            CatalogIndex(3767, "pg_ts_template_oid_index", True, (1,)),
            CatalogIndex(3766, "pg_ts_template_tmplname_index", True, (2, 3)),
        ),
    ),
    PgType: CatalogInfo(
        1247,
        "pg_type",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("typname", "name", True),
            CatalogColumn("typnamespace", "oid", True),
            CatalogColumn("typowner", "oid", True),
            CatalogColumn("typlen", "int2", True),
            CatalogColumn("typbyval", "bool", True),
            CatalogColumn("typtype", "char", True),
            CatalogColumn("typcategory", "char", True),
            CatalogColumn("typispreferred", "bool", True),
            CatalogColumn("typisdefined", "bool", True),
            CatalogColumn("typdelim", "char", True),
            CatalogColumn("typrelid", "oid", True),
            CatalogColumn("typsubscript", "regproc", True),
            CatalogColumn("typelem", "oid", True),
            CatalogColumn("typarray", "oid", True),
            CatalogColumn("typinput", "regproc", True),
            CatalogColumn("typoutput", "regproc", True),
            CatalogColumn("typreceive", "regproc", True),
            CatalogColumn("typsend", "regproc", True),
            CatalogColumn("typmodin", "regproc", True),
            CatalogColumn("typmodout", "regproc", True),
            CatalogColumn("typanalyze", "regproc", True),
            CatalogColumn("typalign", "char", True),
            CatalogColumn("typstorage", "char", True),
            CatalogColumn("typnotnull", "bool", True),
            CatalogColumn("typbasetype", "oid", True),
            CatalogColumn("typtypmod", "int4", True),
            CatalogColumn("typndims", "int4", True),
            CatalogColumn("typcollation", "oid", True),
            CatalogColumn("typdefaultbin", "pg_node_tree", False),
            CatalogColumn("typdefault", "text", False),
            CatalogColumn("typacl", "_aclitem", False),
        ),
        (
            CatalogIndex(2703, "pg_type_oid_index", True, (1,)),
            CatalogIndex(2704, "pg_type_typname_nsp_index", True, (2, 3)),
        ),
    ),
    PgUserMapping: CatalogInfo(
        1418,
        "pg_user_mapping",
        "pg_catalog",
        False,
        (
            CatalogColumn("oid", "oid", True),
            CatalogColumn("umuser", "oid", True),
            CatalogColumn("umserver", "oid", True),
            CatalogColumn("umoptions", "_text", False),
        ),
        (
            CatalogIndex(174, "pg_user_mapping_oid_index", True, (1,)),
            CatalogIndex(175, "pg_user_mapping_user_server_index", True, (2, 3)),
        ),
    ),
    SqlFeatures: CatalogInfo(
        13391,
        "sql_features",
        "information_schema",
        False,
        (
            CatalogColumn("feature_id", "varchar", False),
            CatalogColumn("feature_name", "varchar", False),
            CatalogColumn("sub_feature_id", "varchar", False),
            CatalogColumn("sub_feature_name", "varchar", False),
            CatalogColumn("is_supported", "varchar", False),
            CatalogColumn("is_verified_by", "varchar", False),
            CatalogColumn("comments", "varchar", False),
        ),
        (),
    ),
    SqlImplementationInfo: CatalogInfo(
        13396,
        "sql_implementation_info",
        "information_schema",
        False,
        (
            CatalogColumn("implementation_info_id", "varchar", False),
            CatalogColumn("implementation_info_name", "varchar", False),
            CatalogColumn("integer_value", "int4", False),
            CatalogColumn("character_value", "varchar", False),
            CatalogColumn("comments", "varchar", False),
        ),
        (),
    ),
    SqlParts: CatalogInfo(
        13401,
        "sql_parts",
        "information_schema",
        False,
        (
            CatalogColumn("feature_id", "varchar", False),
            CatalogColumn("feature_name", "varchar", False),
            CatalogColumn("is_supported", "varchar", False),
            CatalogColumn("is_verified_by", "varchar", False),
            CatalogColumn("comments", "varchar", False),
        ),
        (),
    ),
    SqlSizing: CatalogInfo(
        13406,
        "sql_sizing",
        "information_schema",
        False,
        (
            CatalogColumn("sizing_id", "int4", False),
            CatalogColumn("sizing_name", "varchar", False),
            CatalogColumn("supported_value", "int4", False),
            CatalogColumn("comments", "varchar", False),
        ),
        (),
    ),
}

# Catalogs by pg_class OID.
CATALOG_BY_RELID: dict[int, type[Any]] = {info.relid: cls for cls, info in CATALOGS.items()}

PG_AGGREGATE_RELID = 2600
PG_AM_RELID = 2601
PG_AMOP_RELID = 2602
PG_AMPROC_RELID = 2603
PG_ATTRDEF_RELID = 2604
PG_ATTRIBUTE_RELID = 1249
PG_AUTH_MEMBERS_RELID = 1261
PG_AUTHID_RELID = 1260
PG_CAST_RELID = 2605
PG_CLASS_RELID = 1259
PG_COLLATION_RELID = 3456
PG_CONSTRAINT_RELID = 2606
PG_CONVERSION_RELID = 2607
PG_DATABASE_RELID = 1262
PG_DB_ROLE_SETTING_RELID = 2964
PG_DEFAULT_ACL_RELID = 826
PG_DEPEND_RELID = 2608
PG_DESCRIPTION_RELID = 2609
PG_ENUM_RELID = 3501
PG_EVENT_TRIGGER_RELID = 3466
PG_EXTENSION_RELID = 3079
PG_FOREIGN_DATA_WRAPPER_RELID = 2328
PG_FOREIGN_SERVER_RELID = 1417
PG_FOREIGN_TABLE_RELID = 3118
PG_INDEX_RELID = 2610
PG_INHERITS_RELID = 2611
PG_INIT_PRIVS_RELID = 3394
PG_LANGUAGE_RELID = 2612
PG_LARGEOBJECT_RELID = 2613
PG_LARGEOBJECT_METADATA_RELID = 2995
PG_NAMESPACE_RELID = 2615
PG_OPCLASS_RELID = 2616
PG_OPERATOR_RELID = 2617
PG_OPFAMILY_RELID = 2753
PG_PARAMETER_ACL_RELID = 6243
PG_PARTITIONED_TABLE_RELID = 3350
PG_POLICY_RELID = 3256
PG_PROC_RELID = 1255
PG_PUBLICATION_RELID = 6104
PG_PUBLICATION_NAMESPACE_RELID = 6237
PG_PUBLICATION_REL_RELID = 6106
PG_RANGE_RELID = 3541
PG_REPLICATION_ORIGIN_RELID = 6000
PG_REWRITE_RELID = 2618
PG_SECLABEL_RELID = 3596
PG_SEQUENCE_RELID = 2224
PG_SHDEPEND_RELID = 1214
PG_SHDESCRIPTION_RELID = 2396
PG_SHSECLABEL_RELID = 3592
PG_STATISTIC_RELID = 2619
PG_STATISTIC_EXT_RELID = 3381
PG_STATISTIC_EXT_DATA_RELID = 3429
PG_SUBSCRIPTION_RELID = 6100
PG_SUBSCRIPTION_REL_RELID = 6102
PG_TABLESPACE_RELID = 1213
PG_TRANSFORM_RELID = 3576
PG_TRIGGER_RELID = 2620
PG_TS_CONFIG_RELID = 3602
PG_TS_CONFIG_MAP_RELID = 3603
PG_TS_DICT_RELID = 3600
PG_TS_PARSER_RELID = 3601
PG_TS_TEMPLATE_RELID = 3764
PG_TYPE_RELID = 1247
PG_USER_MAPPING_RELID = 1418
SQL_FEATURES_RELID = 13391
SQL_IMPLEMENTATION_INFO_RELID = 13396
SQL_PARTS_RELID = 13401
SQL_SIZING_RELID = 13406
