"""One table of cases: a message and its bytes on the wire."""

from __future__ import annotations

from pgemu_protocol import backend as b
from pgemu_protocol import frontend as f
from pgemu_protocol import startup as s
from pgemu_protocol.message import Message

FIELD = b.FieldDescription("a", 16384, 1, 23, 4, -1, 0)

FRONTEND: list[tuple[Message, bytes]] = [
    (
        f.Bind("", "s1", (1,), (b"x", None, b""), (0, 1)),
        b"B\0\0\0\x21\0s1\0\0\1\0\1\0\3\0\0\0\1x\xff\xff\xff\xff\0\0\0\0\0\2\0\0\0\1",
    ),
    (f.Bind("p", "", (), (), ()), b"B\0\0\0\x0dp\0\0\0\0\0\0\0\0"),
    (f.Close(b"S", "s1"), b"C\0\0\0\x08Ss1\0"),
    (f.CopyData(b"1\t2\n"), b"d\0\0\0\x081\t2\n"),
    (f.CopyDone(), b"c\0\0\0\x04"),
    (f.CopyFail("no"), b"f\0\0\0\x07no\0"),
    (f.Describe(b"P", ""), b"D\0\0\0\x06P\0"),
    (f.Execute("", 0), b"E\0\0\0\x09\0\0\0\0\0"),
    (f.Execute("p", 100), b"E\0\0\0\x0ap\0\0\0\0\x64"),
    (f.Flush(), b"H\0\0\0\x04"),
    (f.FunctionCall(5, (1,), (b"z",), 0), b"F\0\0\0\x15\0\0\0\5\0\1\0\1\0\1\0\0\0\1z\0\0"),
    (f.Parse("s", "SELECT $1", (23,)), b"P\0\0\0\x16s\0SELECT $1\0\0\1\0\0\0\x17"),
    (f.PasswordMessage("secret"), b"p\0\0\0\x0bsecret\0"),
    (f.Query("SELECT 'é'"), b"Q\0\0\0\x10SELECT '\xc3\xa9'\0"),
    (f.Query("\udcff"), b"Q\0\0\0\x06\xff\0"),
    (f.Sync(), b"S\0\0\0\x04"),
    (f.Terminate(), b"X\0\0\0\x04"),
]

SASL: list[tuple[Message, bytes]] = [
    (f.SASLInitialResponse("X", b"ab"), b"p\0\0\0\x0cX\0\0\0\0\2ab"),
    (f.SASLInitialResponse("X", None), b"p\0\0\0\x0aX\0\xff\xff\xff\xff"),
    (f.SASLResponse(b"c=biws"), b"p\0\0\0\x0ac=biws"),
    (f.GSSResponse(b"\0"), b"p\0\0\0\x05\0"),
]

BACKEND: list[tuple[Message, bytes]] = [
    (b.AuthenticationOk(), b"R\0\0\0\x08\0\0\0\0"),
    (b.AuthenticationKerberosV5(), b"R\0\0\0\x08\0\0\0\2"),
    (b.AuthenticationCleartextPassword(), b"R\0\0\0\x08\0\0\0\3"),
    (b.AuthenticationMD5Password(b"salt"), b"R\0\0\0\x0c\0\0\0\5salt"),
    (b.AuthenticationGSS(), b"R\0\0\0\x08\0\0\0\7"),
    (b.AuthenticationGSSContinue(b"x"), b"R\0\0\0\x09\0\0\0\x08x"),
    (b.AuthenticationSSPI(), b"R\0\0\0\x08\0\0\0\x09"),
    (b.AuthenticationSASL(("A", "B")), b"R\0\0\0\x0d\0\0\0\x0aA\0B\0\0"),
    (b.AuthenticationSASLContinue(b"r="), b"R\0\0\0\x0a\0\0\0\x0br="),
    (b.AuthenticationSASLFinal(b"v="), b"R\0\0\0\x0a\0\0\0\x0cv="),
    (b.BackendKeyData(7, b"\1\2\3\4"), b"K\0\0\0\x0c\0\0\0\7\1\2\3\4"),
    (b.BackendKeyData(7, b"k" * 32), b"K\0\0\0\x28\0\0\0\7" + b"k" * 32),
    (b.BindComplete(), b"2\0\0\0\x04"),
    (b.CloseComplete(), b"3\0\0\0\x04"),
    (b.CommandComplete("SELECT 1"), b"C\0\0\0\x0dSELECT 1\0"),
    (b.CopyInResponse(0, (0, 0)), b"G\0\0\0\x0b\0\0\2\0\0\0\0"),
    (b.CopyOutResponse(1, (1,)), b"H\0\0\0\x09\1\0\1\0\1"),
    (b.CopyBothResponse(0, ()), b"W\0\0\0\x07\0\0\0"),
    (b.CopyData(b""), b"d\0\0\0\x04"),
    (b.CopyDone(), b"c\0\0\0\x04"),
    (b.DataRow((b"1", None)), b"D\0\0\0\x0f\0\2\0\0\0\0011\xff\xff\xff\xff"),
    (b.DataRow(()), b"D\0\0\0\x06\0\0"),
    (b.EmptyQueryResponse(), b"I\0\0\0\x04"),
    (b.ErrorResponse(((b"S", "ERROR"), (b"C", "42601"))), b"E\0\0\0\x13SERROR\0C42601\0\0"),
    (b.FunctionCallResponse(b"x"), b"V\0\0\0\x09\0\0\0\1x"),
    (b.NegotiateProtocolVersion(196608, ("_pq_.x",)), b"v\0\0\0\x13\0\3\0\0\0\0\0\1_pq_.x\0"),
    (b.NoData(), b"n\0\0\0\x04"),
    (b.NoticeResponse(((b"M", "hi"),)), b"N\0\0\0\x09Mhi\0\0"),
    (b.NotificationResponse(9, "c", "p"), b"A\0\0\0\x0c\0\0\0\x09c\0p\0"),
    (b.ParameterDescription((23, 4294967295)), b"t\0\0\0\x0e\0\2\0\0\0\x17\xff\xff\xff\xff"),
    (b.ParameterStatus("a", "b"), b"S\0\0\0\x08a\0b\0"),
    (b.ParseComplete(), b"1\0\0\0\x04"),
    (b.PortalSuspended(), b"s\0\0\0\x04"),
    (b.ReadyForQuery(b"I"), b"Z\0\0\0\x05I"),
    (
        b.RowDescription((FIELD,)),
        b"T\0\0\0\x1a\0\1a\0\0\0\x40\0\0\1\0\0\0\x17\0\4\xff\xff\xff\xff\0\0",
    ),
]

FIRST_PACKETS: list[tuple[Message, bytes]] = [
    (
        s.StartupMessage(s.PROTOCOL_3_0, (("user", "u"), ("database", "d"))),
        b"\0\0\0\x1b\0\3\0\0user\0u\0database\0d\0\0",
    ),
    (s.StartupMessage(s.protocol(3, 9999), ()), b"\0\0\0\x09\0\3\x27\x0f\0"),
    (s.SSLRequest(), b"\0\0\0\x08\x04\xd2\x16\x2f"),
    (s.GSSENCRequest(), b"\0\0\0\x08\x04\xd2\x16\x30"),
    (s.CancelRequest(5, b"abcd"), b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\5abcd"),
    (s.CancelRequest(5, b"k" * 256), b"\0\0\1\x0c\x04\xd2\x16\x2e\0\0\0\5" + b"k" * 256),
]
