-- inet, cidr and macaddr
select '192.168.1.5/24'::inet, '10.0.0.0/8'::cidr, '::1'::inet, '2001:db8::/32'::cidr, '10.1'::cidr;
select '192.168.1.5/24'::cidr;
select '300.1.1.1'::inet;
select host('192.168.1.5/24'), masklen('192.168.1.5/24'), network('192.168.1.5/24'::inet), broadcast('192.168.1.5/24'), netmask('192.168.1.5/24'), family('::1'), abbrev('10.0.0.0/8'::cidr), text('10.0.0.1'::inet);
select inet '192.168.1.5' << inet '192.168.1.0/24', inet '192.168.1/24' >>= inet '192.168.1.0/24', inet '10.0.0.1' + 5, inet '10.0.0.9' - inet '10.0.0.1', inet '10.0.0.1' < inet '10.0.0.2', ~ inet '10.0.0.1';
select '08:00:2b:01:02:03'::macaddr, '08002b-010203'::macaddr, '08:00:2b:01:02:03:04:05'::macaddr8, trunc('08:00:2b:01:02:03'::macaddr);
select '08:00'::macaddr;
