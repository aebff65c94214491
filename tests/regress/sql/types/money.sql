-- money input, output and arithmetic
select '12.34'::money, '$1,234.56'::money, '(5)'::money, -'1'::money, 12.345::numeric::money;
select '10'::money + '5', '10'::money * 2, '10'::money / 4, '10'::money / '4'::money, '10'::money::numeric, cash_words('12.34');
select 'abc'::money;
select '1'::money / 0;
