-- uuid input forms, output and comparison
select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, '{A0EEBC999C0B4EF8BB6D6BB9BD380A11}'::uuid;
select 'a0eebc99-9c0b-4ef8-bb6d'::uuid;
select 'zz'::uuid;
select '00000000-0000-0000-0000-000000000001'::uuid < '00000000-0000-0000-0000-000000000002'::uuid;
select length(gen_random_uuid()::text), gen_random_uuid() = gen_random_uuid();
