-- bit and varbit
select B'101', X'1F', B'101'::bit(5), B'10101'::varbit(3), B'1' || B'01', 5::bit(8), B'0110'::int;
select B'101' & B'110', B'101' | B'010', B'101' # B'110', ~B'101', B'1001' << 1, B'1001' >> 1, length(B'101'), position(B'1' in B'001'), get_bit(B'101', 1), set_bit(B'101', 1, 1), bit_count(B'101');
select B'12';
select B'101' & B'11';
create table b (a bit(3), v bit varying(3));
insert into b values (B'10', B'1');
insert into b values (B'101', B'1010');
