"""Every family of types: importing this module registers all of them.

A server does not: it loads a family when one of its types or functions is asked for (see
pgemu/fmgr/binding_index.py).  A new module is listed here once.
"""

# isort: off
import pgemu.types.aclitem
import pgemu.types.aggregates
import pgemu.types.aggregates_generic
import pgemu.types.aggregates_regr
import pgemu.types.aggregates_transition
import pgemu.types.bool
import pgemu.types.btree_gist
import pgemu.types.bytea
import pgemu.types.citext
import pgemu.types.conversion
import pgemu.types.encode
import pgemu.types.float_math
import pgemu.types.float_ops
import pgemu.types.format
import pgemu.types.geo_ops
import pgemu.types.geo_shapes
import pgemu.types.geo_types
import pgemu.types.hash
import pgemu.types.hash_containers
import pgemu.types.hash_types
import pgemu.types.integers
import pgemu.types.integer_ops
import pgemu.types.like
import pgemu.types.session_information
import pgemu.types.money
import pgemu.types.network
import pgemu.types.network_ops
import pgemu.types.numeric_math
import pgemu.types.numeric_ops
import pgemu.types.oid
import pgemu.types.pg_lsn
import pgemu.types.pg_trgm
import pgemu.types.pgcrypto
import pgemu.types.quote
import pgemu.types.random
import pgemu.types.record
import pgemu.types.snapshots
import pgemu.types.regexp
import pgemu.types.tablefunc
import pgemu.types.text
import pgemu.types.tsearch_functions
import pgemu.types.tsearch_headline
import pgemu.types.tsearch_match
import pgemu.types.tsearch_rank
import pgemu.types.tsquery
import pgemu.types.tsvector
import pgemu.types.unaccent
import pgemu.types.uuid_ossp
import pgemu.types.varbit
import pgemu.types.varlena
import pgemu.types.width_bucket
import pgemu.types.xml
import pgemu.types.xml_xpath

# dates and times, arrays, json, enums, ranges
import pgemu.types.arrays
import pgemu.types.oidvector
import pgemu.types.arrays_ops
import pgemu.types.arrays_subscript
import pgemu.types.datetime_extract
import pgemu.types.datetime_ops
import pgemu.types.datetime_types
import pgemu.types.enums
import pgemu.types.formatting
import pgemu.types.formatting_input
import pgemu.types.formatting_number
import pgemu.types.formatting_number_input
import pgemu.types.generate_series
import pgemu.types.interval
import pgemu.types.interval_ops
import pgemu.types.json_encode
import pgemu.types.json_funcs
import pgemu.types.json_record
import pgemu.types.json_types
import pgemu.types.jsonb_casts
import pgemu.types.jsonpath
import pgemu.types.jsonpath_exec
import pgemu.types.hstore
import pgemu.types.ranges
import pgemu.types.ranges_ops

# after all families
import pgemu.types.io_functions  # noqa: F401
# isort: on
