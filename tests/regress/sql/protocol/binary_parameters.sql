-- Malformed binary parameters are refused by what the type's receive function reads
create type pair as (a int, b text);
create domain positive as int check (value > 0);
-- types: [21]
-- bind: [{"hex": "0001"}]
select $1;
-- types: [21]
-- bind: [{"hex": "000100"}]
select $1;
-- types: [21]
-- bind: [{"hex": "00"}]
select $1;
-- types: [23]
-- bind: [{"hex": "00000001ff"}]
select $1;
-- types: [25]
-- bind: [{"hex": "61c3a4"}]
select $1;
-- types: [25]
-- bind: [{"hex": "61e3c3bc"}]
select $1;
-- types: [25]
-- bind: [{"hex": "6100"}]
select $1;
-- types: [25]
-- bind: [{"hex": "c6"}]
select $1;
-- types: [18]
-- bind: [{"hex": ""}]
select $1;
-- types: [18]
-- bind: [{"hex": "61"}]
select $1;
-- types: [18]
-- bind: [{"hex": "6162"}]
select $1;
-- types: [16]
-- bind: [{"hex": ""}]
select $1;
-- types: [16]
-- bind: [{"hex": "01"}]
select $1;
-- types: [16]
-- bind: [{"hex": "0100"}]
select $1;
-- types: [1700]
-- bind: [{"hex": "0001000000000002000100"}]
select $1;
-- types: [1700]
-- bind: [{"hex": "000100000000000200"}]
select $1;
-- types: [1700]
-- bind: [{"hex": "0000000000002000"}]
select $1;
-- types: [1700]
-- bind: [{"hex": "00010000400000000001"}]
select $1;
-- types: [1700]
-- bind: [{"hex": "00000000c0000000"}]
select $1;
-- types: [1700]
-- bind: [{"hex": "00000000c000000000"}]
select $1;
-- types: [1700]
-- bind: [{"hex": "0001000012340000"}]
select $1;
-- types: [1700]
-- bind: [{"hex": "00010000000000002710"}]
select $1;
-- types: [1700]
-- bind: [{"hex": "000000000000ff00"}]
select $1;
-- types: [869]
-- bind: [{"hex": "0220000401020304"}]
select $1;
-- types: [869]
-- bind: [{"hex": ""}]
select $1;
-- types: [869]
-- bind: [{"hex": "0420000401020304"}]
select $1;
-- types: [869]
-- bind: [{"hex": "0240000401020304"}]
select $1;
-- types: [869]
-- bind: [{"hex": "02200003010203"}]
select $1;
-- types: [869]
-- bind: [{"hex": "022000040102030405"}]
select $1;
-- types: [650]
-- bind: [{"hex": "0208010401000000"}]
select $1;
-- types: [650]
-- bind: [{"hex": "0208010401020304"}]
select $1;
-- types: [650]
-- bind: [{"hex": "0208000401000000"}]
select $1;
-- types: [829]
-- bind: [{"hex": "080020010203"}]
select $1;
-- types: [829]
-- bind: [{"hex": "0800"}]
select $1;
-- types: [774]
-- bind: [{"hex": "080020010203"}]
select $1;
-- types: [774]
-- bind: [{"hex": "0800200102030405"}]
select $1;
-- types: [774]
-- bind: [{"hex": "08002001020304"}]
select $1;
-- types: [1560]
-- bind: [{"hex": "00000008aa"}]
select $1;
-- types: [1560]
-- bind: [{"hex": "00000008"}]
select $1;
-- types: [1560]
-- bind: [{"hex": "80000008aa"}]
select $1;
-- types: [1560]
-- bind: [{"hex": "00000008aabb"}]
select $1;
-- types: [1562]
-- bind: [{"hex": "0000000aaabf"}]
select $1;
-- types: [1562]
-- bind: [{"hex": "00000002"}]
select $1;
-- types: [602]
-- bind: [{"hex": "01000000010000000000000000"}]
select $1;
-- types: [602]
-- bind: [{"hex": "0100000000"}]
select $1;
-- types: [602]
-- bind: [{"hex": "010000000100000000000000000000000000000000"}]
select $1;
-- types: [602]
-- bind: [{"hex": ""}]
select $1;
-- types: [604]
-- bind: [{"hex": "0000000100000000000000000000000000000000"}]
select $1;
-- types: [604]
-- bind: [{"hex": "00000000"}]
select $1;
-- types: [604]
-- bind: [{"hex": "000000010000000000000000000000000000000000"}]
select $1;
-- types: [600]
-- bind: [{"hex": "00000000000000000000000000000000"}]
select $1;
-- types: [600]
-- bind: [{"hex": "000000000000000000000000000000"}]
select $1;
-- types: [600]
-- bind: [{"hex": "0000000000000000000000000000000000"}]
select $1;
-- types: [3614]
-- bind: [{"hex": "00000001610001c001"}]
select $1;
-- types: [3614]
-- bind: [{"hex": "00000001610002c001c001"}]
select $1;
-- types: [3614]
-- bind: [{"hex": "0000000161"}]
select $1;
-- types: [3614]
-- bind: [{"hex": "ff000000"}]
select $1;
-- types: [3614]
-- bind: [{"hex": "000000016100000000"}]
select $1;
-- types: [3614]
-- bind: [{"hex": "0000000161ffff"}]
select $1;
-- types: [3615]
-- bind: [{"hex": "00000001010000610000"}]
select $1;
-- types: [3615]
-- bind: [{"hex": "000000010100006100"}]
select $1;
-- types: [3615]
-- bind: [{"hex": "00000000"}]
select $1;
-- types: [3615]
-- bind: [{"hex": "00000003020201000062000100006100"}]
select $1;
-- types: [3615]
-- bind: [{"hex": "00000002020201000062000100006100"}]
select $1;
-- types: [3615]
-- bind: [{"hex": "0000000102070000"}]
select $1;
-- types: [3615]
-- bind: [{"hex": "000000010110006100"}]
select $1;
-- types: [3615]
-- bind: [{"hex": "0000000103"}]
select $1;
-- types: [3802]
-- bind: [{"hex": "017b7d"}]
select $1;
-- types: [3802]
-- bind: [{"hex": "027b7d"}]
select $1;
-- types: [3802]
-- bind: [{"hex": ""}]
select $1;
-- types: [3802]
-- bind: [{"hex": "017b"}]
select $1;
-- types: [114]
-- bind: [{"hex": "7b7d"}]
select $1;
-- types: [114]
-- bind: [{"hex": "7bff"}]
select $1;
-- types: [4072]
-- bind: [{"hex": "0124"}]
select $1;
-- types: [4072]
-- bind: [{"hex": "0224"}]
select $1;
-- types: [4072]
-- bind: [{"hex": "01"}]
select $1;
-- types: [1007]
-- bind: [{"hex": "0000000100000000000000170000000100000001000000040000002a"}]
select $1;
-- types: [1007]
-- bind: [{"hex": "000000010000000000000017000000010000000100000004000000"}]
select $1;
-- types: [1007]
-- bind: [{"hex": "0000000100000000000000190000000100000001000000012a"}]
select $1;
-- types: [1007]
-- bind: [{"hex": "0000000700000000"}]
select $1;
-- types: [1007]
-- bind: [{"hex": "000000010000000200000017"}]
select $1;
-- types: [1007]
-- bind: [{"hex": "00000001000000000000001700000001000000010000000500000000ff"}]
select $1;
-- types: [1007]
-- bind: [{"hex": "000000000000000000000017ff"}]
select $1;
-- types: [1007]
-- bind: [{"hex": "000000010000000000000017ffffffff00000001"}]
select $1;
-- types: [1007]
-- bind: [{"hex": "0000000100000000000000177fffffff00000001"}]
select $1;
-- types: [1007]
-- bind: [{"hex": "000000010000000000000017000000017fffffff0000000400000001"}]
select $1;
-- types: [22]
-- bind: [{"hex": "000000010000000000000015000000010000000000000002002a"}]
select $1;
-- types: [22]
-- bind: [{"hex": "000000000000000000000015"}]
select $1;
-- types: [22]
-- bind: [{"hex": "000000010000000000000015000000010000000100000002002a"}]
select $1;
-- types: [3904]
-- bind: [{"hex": "0200000004000000010000000400000005"}]
select $1;
-- types: [3904]
-- bind: [{"hex": "020000000400000001"}]
select $1;
-- types: [3904]
-- bind: [{"hex": "01"}]
select $1;
-- types: [3904]
-- bind: [{"hex": "0100"}]
select $1;
-- types: [3904]
-- bind: [{"hex": "1800"}]
select $1;
-- types: [3904]
-- bind: [{"hex": "0200000004000000050000000400000001"}]
select $1;
-- types: [4451]
-- bind: [{"hex": "00000001000000110200000004000000010000000400000005"}]
select $1;
-- types: [4451]
-- bind: [{"hex": "00000001000000120200000004000000010000000400000005"}]
select $1;
-- types: [4451]
-- bind: [{"hex": "00000000"}]
select $1;
-- types: [4451]
-- bind: [{"hex": "0000000000"}]
select $1;
-- types: [1184]
-- bind: [{"hex": "0000000000000000"}]
select $1;
-- types: [1184]
-- bind: [{"hex": "00"}]
select $1;
-- types: [1186]
-- bind: [{"hex": "00000000000000000000000000000000"}]
select $1;
-- types: [1186]
-- bind: [{"hex": "0000000000000000000000000000000000"}]
select $1;
-- types: [5038]
-- bind: [{"hex": "0000000000000000000000010000000000000001"}]
select $1;
-- types: [5038]
-- bind: [{"hex": "0000000100000000000000010000000000000001"}]
select $1;
-- types: [2970]
-- bind: [{"hex": "00000000000000000001"}]
select $1;
-- types: [2970]
-- bind: [{"hex": "ffffffff0000"}]
select $1;
-- bind: [{"hex": "00000002000000170000000400000001000000190000000178"}]
select $1::pair;
-- bind: [{"hex": "0000000200000017000000040000000100000019000000017801"}]
select $1::pair;
-- bind: [{"hex": "00000001000000170000000400000001"}]
select $1::pair;
-- bind: [{"hex": "00000002000000190000000400000001000000190000000178"}]
select $1::pair;
-- bind: [{"hex": "0000000200000017000000050000000100000000190000000178"}]
select $1::pair;
-- bind: [{"hex": "00000002000000170000000400000001000000190000000278"}]
select $1::pair;
-- bind: [{"hex": "00000005"}]
select $1::positive;
-- bind: [{"hex": "80000005"}]
select $1::positive;
-- bind: [{"hex": "0000000500"}]
select $1::positive;
-- bind: ["-5"]
select $1::positive;
-- bind: ["1", {"hex": "0000"}]
select $1::int, $2::int8;
