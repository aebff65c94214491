-- The first thing that the scanner or the grammar of 15 stumbles over is what is complained about
select 1_0 1;
select ) 1_0;
select ) $1a;
select $1abc def;
select 1_000.5;
select 1_000.5_0;
select 1.5_0;
select 1e5_0;
select .5_0;
select 1._5;
select 1_;
select 0b11 from from;
select 0x1F from from;
select from $1a from;
select ) 0x1F;
select $1a, 1_0;
select 1_0, $1a;
select a1_0 from (select 1 as a1_0) x;
select 'x' as "1_0", $$1_0$$, /* 1_0 */ 1; -- 1_0
