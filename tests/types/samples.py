"""Sample values and inputs from which generate.py makes its cases."""

from __future__ import annotations

INTEGERS = ["0", "1", "-1", "2", "-2", "3", "7", "10", "100", "-100", "12345"]
FLOATS = [
    "0", "-0", "1", "-1", "0.5", "-0.5", "2", "-2", "2.5", "1.5", "-1.5", "3.14159", "30", "45", "60",
    "90", "180", "-270", "360", "1e10", "123456.789", "1e-10", "NaN", "Infinity", "-Infinity",
    "0.1", "1e15", "1234567890123456", "709", "100",
]
NUMERICS = [
    "0", "0.00", "1", "-1", "1.5", "-1.5", "2", "2.50", "-2.5", "3", "10", "0.1", "0.001", "-0.0005",
    "100", "12345.6789", "-98765.4321", "99999999999999999999", "1e-20", "0.333333333333", "7.00",
    "NaN", "Infinity", "-Infinity", "1234567890.0987654321", "16", "0.95", "1.05", "5000",
]
TEXTS = [
    "", "a", "abc", "ABC", "Hello World", "foo,bar,,baz", "  padded  ", "aXbXc", "äöü ß Ñ", "日本語",
    "it's", 'q"uote', "back\\slash", "100%", "a_b", "line1\nline2", "select", "foobarbequebaz",
    "xyxyxy", "aaa", "The quick brown fox",
]
VALUES: dict[str, list[str]] = {
    "bool": ["t", "f"],
    "int2": [*INTEGERS, "32767", "-32768", "31"],
    "int4": [*INTEGERS, "2147483647", "-2147483648", "65536", "5", "4"],
    "int8": [*INTEGERS, "9223372036854775807", "-9223372036854775808", "4294967296"],
    "float4": [*FLOATS, "3e38", "1e-38"],
    "float8": [*FLOATS, "1e300", "1e-300", "1.7e308"],
    "numeric": NUMERICS,
    "text": TEXTS,
    "varchar": TEXTS,
    "bpchar": TEXTS,
    "name": TEXTS,
    "cstring": TEXTS,
    "char": ["", "a", "Z", "0", "\\351"],
    "bytea": ["", "\\x00", "\\x616263", "\\xdeadbeef", "\\xff00ff", "\\x5c5c25", "\\x20206120"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "oid": ["0", "1", "1000", "4294967295"],
    "xid": ["0", "3", "4294967295"],
    "cid": ["0", "3"],
    "xid8": ["0", "3", "4294967299"],
    "tid": ["(0,0)", "(0,1)", "(1,0)", "(10,2)", "(4294967295,65535)"],
    "pg_lsn": ["0/0", "0/16AE7F7", "16/B374D848", "FFFFFFFF/FFFFFFFF"],
    "money": ["0", "1.00", "-1.25", "123456.78", "99.99", "0.05"],
    "bit": ["", "0", "1", "101", "11110000", "00001111", "10101010101"],
    "varbit": ["", "0", "1", "101", "11110000", "10101010101"],
}
BY_FUNCTION: dict[str, list[list[str | None]]] = {
    name: [list(row) for row in rows]
    for name, rows in {
        "substring": [
            ("Thomas", "...$"), ("foobar", "o(.)b"), ("foobar", "o.b"), ("abcdefg", "a(b.*)"),
            ("Thomas", '%#"o_a#"_', "#"), ("abcdefg", 'a#"(b_d)#"%', "#"), ("abc", "("),
            ("string", "2", "3"), ("string", "-1", "3"), ("string", "2", "-1"),
        ],
        "textlike": [("abc", "a%"), ("abc", "_b_"), ("a%c", "a\\%c"), ("abc", "abc\\"), ("x", "abc\\")],
        "texticlike": [("ABC", "a%"), ("Ä", "ä")],
        "textregexeq": [
            ("abc", "^ab"), ("abc", "b$"), ("a\nb", "a.b"), ("foo bar", "\\mbar"), ("abc", "[[:alpha:]]+"),
            ("abc", "("), ("abc", "a{2"), ("abc", "*a"), ("abc", "[a"), ("abc", "a**"), ("abc", "[[:foo:]]"),
            ("abc", "(a)\\1"), ("aa", "(a)\\1"), ("a", "\\2"), ("a", "a\\"), ("a", "[z-a]"), ("a", "a{300}"),
            ("a.b", "***=a.b"), ("ABC", "(?i)abc"), ("a\nb", "(?n)a$"), ("x", "(?z)x"), ("a]", "[]]"),
            ("ab", "(?:a)(?=b)"), ("-", "[a-]"), ("a", ")"), ("\t", "\\s"), ("é", "\\w"), ("_", "\\w"),
            ("a", "\\q"), ("", "^$"), ("ab", "a|ab"),
        ],
        "regexp_match": [
            ("foobarbequebaz", "(bar)(beque)"), ("foobarbequebaz", "bar.*que"), ("abc", "x"),
            ("abc", "a(x)?", ""), ("abc", "B", "i"), ("abc", "b", "g"), ("abc", "b", "z"),
        ],
        "regexp_matches": [
            ("foobarbequebazilbarfbonk", "(b[^b]+)(b[^b]+)", "g"), ("abc", "", "g"), ("abc", "b*", "g"),
            ("a1b22", "[0-9]+", "g"), ("abc", "x", "g"), ("foo\nbar", "^.", "gn"),
        ],
        "regexp_replace": [
            ("Thomas", ".[mN]a.", "M"), ("foobarbaz", "b..", "X", "g"), ("foobarbaz", "b(..)", "X\\1Y", "g"),
            ("abc", "b*", "X", "g"), ("abc", "", "-", "g"), ("1112223333", "(\\d{3})(\\d{3})(\\d{4})", "(\\1) \\2-\\3"),
            ("abc", "b", "[\\&]"), ("abc", "b", "\\\\"), ("abc", "b", "\\x"), ("A PostgreSQL function", "a|e|i|o|u", "X", "1", "0", "i"),
            ("A PostgreSQL function", "a|e|i|o|u", "X", "1", "3", "i"), ("abc", "b", "x", "1"), ("abcabc", "b", "x", "3"),
            ("abc", "b", "x", "0"),
        ],
        "regexp_split_to_array": [
            ("the quick brown fox", "\\s+"), ("the quick", "\\s*"), ("123456", ""), ("a,b,", ","), ("aBb", "b", "i"),
            ("", ","), (",a", ","), ("x", "g", "g"),
        ],
        "regexp_split_to_table": [("the quick brown fox", "\\s+"), ("the quick", "\\s*"), ("123456", ".")],
        "regexp_count": [("abcABCabc", "a.c"), ("abc", "", "1"), ("abcABC", "a.", "1", "i"), ("a", "a", "0")],
        "regexp_instr": [
            ("abcabcabc", "a.c"), ("abcabcabc", "a.c", "2"), ("abcabcabc", "a.c", "1", "3"),
            ("abcabcabc", "a(b)c", "1", "2", "1"), ("abcabcabc", "A(b)c", "1", "1", "0", "i", "1"),
            ("a", "a", "1", "1", "2"), ("a", "a", "1", "0"),
        ],
        "regexp_substr": [
            ("abcabcabc", "a.c"), ("abcabcabc", "a.c", "2"), ("abcabcabc", "a.c", "1", "4"),
            ("abcabcabc", "a(b)c", "1", "2", "", "1"), ("abc", "a(b)c", "1", "1", "", "2"),
        ],
        "regexp_like": [("Steven", "^Ste(v|ph)en$"), ("abc", "B", "i"), ("abc", "d", "g")],
        "similar_to_escape": [("a%b_c",), ("(a|b)%",), ("a[%]b",), ("a#%b", "#"), ("a\\%b",), ("x", "ab"), ("a.b^c$", "")],
        "like_escape": [("a#%b", "#"), ("a\\b", "#"), ("a", "xx"), ("ab", "")],
        "split_part": [("abc~@~def~@~ghi", "~@~", "2"), ("a,b,c", ",", "-1"), ("a", ",", "0"), ("a,b", "", "1")],
        "string_to_array": [("xx~^~yy~^~zz", "~^~", "yy"), ("abc", None, "b"), ("", ","), ("a,b", ""), (None, ",")],
        "string_to_table": [("a,b,c", ","), ("abc", None), ("a,,b", ",", "")],
        "translate": [("12345", "143", "ax"), ("abc", "aa", "xy")],
        "overlay": [("Txxxxas", "hom", "2", "4"), ("abc", "x", "0")],
        "encode": [("\\x00ff", "hex"), ("\\x00ff5c41", "escape"), ("\\x616263", "base64"), ("\\x", "foo")],
        "decode": [
            ("616263", "hex"), ("61626", "hex"), ("6g", "hex"), ("YWJj", "base64"), ("YW=", "base64"),
            ("Y", "base64"), ("a\\000b\\\\", "escape"), ("a\\", "escape"), ("x", "y"), ("YQ==", "base64"),
        ],
        "format": [], "quote_ident": [("select",), ("foo bar",), ("foo",), ("Foo",), ("a1",), ("1a",), ('x"y',)],
        "parse_ident": [("foo.bar", "t"), ('"a b".C', "t"), ("a.", "t"), (".a", "t"), ('"x', "t"), ("a b", "t"), ("a b", "f"), ('""', "t")],
        "width_bucket": [
            ("5.35", "0.024", "10.06", "5"), ("0", "0", "10", "5"), ("10", "0", "10", "5"), ("5", "10", "0", "4"),
            ("10", "10", "0", "4"), ("0", "10", "0", "4"), ("-1", "10", "0", "4"), ("11", "10", "0", "4"), ("1", "1", "1", "1"), ("1", "0", "5", "0"),
        ],
        "round": [("2.5",), ("-2.5",), ("1234.5678", "2"), ("1234.5678", "-2"), ("55", "-2")],
        "trunc": [("1234.5678", "2"), ("-1234.5678", "-2")],
        "factorial": [("0",), ("20",), ("30",), ("-1",)],
        "chr": [("65",), ("0",), ("-1",), ("1114112",), ("55296",), ("8364",)],
        "power": [("2", "10"), ("2", "-2"), ("2", "0.5"), ("0", "0"), ("0", "-1"), ("-2", "3"), ("-2", "0.5"), ("1.1", "100"), ("10", "-20"), ("0.5", "300"), ("123.456", "7"), ("1.0", "5"), ("1e10", "20"), ("3", "0.3333")],
        "exp": [("1",), ("0",), ("-5",), ("100",), ("0.001",), ("10.5",), ("1000",), ("-1000",)],
        "ln": [("2.718281828459045",), ("1000000",), ("1.0000001",), ("0.99999",), ("1e100",), ("0.0000001",)],
        "log": [("2", "64"), ("10", "1000"), ("2.5", "0.1"), ("1.001", "5"), ("100",), ("0",), ("-1",)],
        "sqrt": [("2",), ("0",), ("1e50",), ("1e-15",), ("123456789.123456789",), ("-1",)],
        "generate_series": [("1", "5"), ("5", "1"), ("1", "10", "3"), ("10", "1", "-4"), ("1", "2", "0"), ("1.5", "3"), ("0", "1", "0.3")],
        "numeric": [("123.456", "327686"), ("1234.5", "196614"), ("99.995", "262150")],
        "normalize": [("äöü", "NFD"), ("a", "nfc"), ("a", "x")],
        "is_normalized": [("äöü", "NFD"), ("a", "nfc"), ("a", "x")],
        "unistr": [("\\0041b",), ("\\u0041",), ("\\+01F600",), ("\\d83d\\de00",), ("\\zz",), ("a\\\\b",), ("\\d83d",)],
        "pg_size_pretty": [("10239",), ("10240",), ("10485759",), ("10485760",), ("-10240",), ("1099511627776",), ("1.5",)],
        "pg_size_bytes": [("1 GB",), ("1.5MB",), ("-1kB",), ("1 foo",), ("x",), ("100",)],
        "convert_from": [("\\x616263", "UTF8"), ("\\xe4", "LATIN1"), ("\\xe4", "UTF8"), ("\\x61", "foo")],
        "convert_to": [("äbc", "LATIN1"), ("日", "LATIN1"), ("a", "foo"), ("ä", "UTF8")],
        "varchar": [("abcdef", "7", "f"), ("abc   ", "7", "f"), ("abcdef", "7", "t")],
        "bpchar": [("abcdef", "7", "f"), ("abc   ", "7", "f"), ("abcdef", "7", "t")],
        "bit": [("101", "5", "t"), ("101", "5", "f"), ("101", "2", "t"), ("5", "8"), ("-1", "8")],
        "varbit": [("10101", "3", "f"), ("10101", "3", "t")],
        "lpad": [("hi", "5", "xy"), ("hello", "2", "x")],
        "rpad": [("hi", "5", "xy"), ("hello", "2", "x")],
        "repeat": [("ab", "3"), ("ab", "-1")],
        "cash_words": [("1234.56",), ("-0.01",), ("1",), ("20",), ("21.21",), ("100000.99",), ("115",)],
        "current_setting": [], "setseed": [("0.5",), ("2",)],
    }.items()
}
SPACES = [" 12 ", "", " ", "abc", "12abc", "1 2"]
INPUTS: dict[str, list[str]] = {
    "bool": ["t", "true", "TRUE", " yes ", "on", "of", "off", "o", "1", "0", "2", "", "n", "fals", "tru e"],
    "int2": [*SPACES, "32767", "32768", "-32768", "-32769", "+5", "0x10", "1e3", "1_000", "99999999999999"],
    "int4": [*SPACES, "2147483647", "2147483648", "-2147483648", "-2147483649", "1.5", "--1", "99999999999x"],
    "int8": [*SPACES, "9223372036854775807", "9223372036854775808", "-9223372036854775808", "\t5\n"],
    "oid": ["0", "4294967295", "4294967296", "-1", "-2147483649", "x", "", "5 d", "99999999999999999999"],
    "xid": ["0", "42", "0xffffffff", "-1", "010"],
    "float8": [
        *SPACES, "1e400", "-1e400", "1e-400", "nan", "INF", "-infinity", "+inf", "1.5e3", ".5", "5.", "1e", "0x10",
        "4.9e-324", "1e15", "1e16", "123456789012345678", "0.00001", "0.0001", "-0", "1.7976931348623157e308", "3.0e-308",
    ],
    "float4": [
        *SPACES, "1e40", "1e-50", "nan", "infinity", "1.1", "16777217", "3.4028235e38", "1e-45", "1234567", "0.1", "123456",
        "9.9999999e5", "1.17549435e-38", "-1e-6", "5.5e10",
    ],
    "numeric": [
        *SPACES, "1.50", "-0.00", "+1", "1e5", "1.5e-3", "1E+2", "nan", "inf", "-Infinity", ".5", "5.", "1e", "1e200000", "00012.30",
        "1_0", "- 1", "1e-5", "123456789012345678901234567890.123456789",
    ],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11",
             "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", "x", "", "{a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0eebc99-9c0b4-ef8bb6d6bb9bd380a11"],
    "bytea": ["\\x", "\\xDEAD beef", "\\xabc", "\\xzz", "abc\\000\\\\", "a\\", "a\\9", "é"],
    "bit": ["101", "b01", "xF0", "X1", "2", "xg", ""],
    "varbit": ["101", "b01", "xF0", "2"],
    "char": ["", "a", "ab", "é", "\\101", "\\377"],
    "name": ["abc", "x" * 70, "é" * 40],
    "pg_lsn": ["0/0", "16/B374D848", "x", "1/", "123456789/1", "0/ 1"],
    "money": ["1", "$1,234.56", "-1.005", "(1)", "-$5", "$-5", "x", "", "1.999", "92233720368547758.08", "92233720368547758.07", " 5 "],
    "tid": ["(0,1)", " (1,2) ", "(1,2", "1,2", "(x,1)", "(4294967296,1)", "(1,65536)", "(-1,0)"],
    "text": ["", "a b"],
    "bpchar": ["ab  ", ""],
}
SKIP = {
    "random()", "gen_random_uuid()", "setseed(float8)", "pg_sleep(float8)", "version()",
    "pg_backend_pid()", "current_database()", "current_user()", "session_user()", "getpgusername()",
    "pg_column_size(any)", "current_setting(text)", "current_setting(text,bool)",
    "set_config(text,text,bool)", "regclass(text)", "repeat(text,int4)", "lpad(text,int4,text)",
    "lpad(text,int4)", "rpad(text,int4,text)", "rpad(text,int4)", "pg_client_encoding()",
    "pg_jit_available()", "factorial(int8)", "generate_series(int4,int4,int4)",
    "generate_series(int8,int8,int8)", "generate_series(int4,int4)", "generate_series(int8,int8)",
    "generate_series(numeric,numeric)", "generate_series(numeric,numeric,numeric)",
    "bit(int4,int4)", "bit(int8,int4)", "bit(bit,int4,bool)", "numeric(numeric,int4)",
    "nameconcatoid(name,oid)", "round(numeric,int4)", "trunc(numeric,int4)",
    "quote_literal(anyelement)", "int2_sum(int8,int2)", "int4_sum(int8,int4)", "int8_sum(numeric,int8)",
}
# These run on the hand-picked rows only.
HAND_PICKED = {s for s in SKIP if s.partition("(")[0] in BY_FUNCTION}


def argument_types(signature: str) -> list[str]:
    inner = signature.partition("(")[2][:-1]
    return inner.split(",") if inner else []


def is_testable(types: list[str]) -> bool:
    return all(t in VALUES for t in types)
