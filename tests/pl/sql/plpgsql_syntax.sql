-- Syntax errors of PL/pgSQL bodies point into the statement
do $$ begin if true raise notice 'x'; end $$;
do $$ declare x int; begin x := 1 end $$;
do $$ begin while true raise; end $$;
do $$ begin select 1 end $$;
do $$ begin raise notice 'x' end $$;
do $$ begin for i in 1..2 end loop; end $$;
