-- current_user, session_user and SET ROLE
create role regress_role;
select current_user, session_user, user, current_role;
set role regress_role;
select current_user, session_user;
reset role;
set session authorization regress_role;
select current_user, session_user;
reset session authorization;
set role none;
select current_user;
drop role regress_role;
