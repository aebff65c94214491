-- Geometric types: input, output and operators
select '(1,2)'::point, '[(0,0),(1,1)]'::lseg, '((0,0),(1,1))'::box, '((0,0),(1,1),(2,0))'::polygon, '[(0,0),(1,1)]'::path, '<(0,0),5>'::circle, '{1,2,3}'::line;
select point '(0,0)' <-> point '(3,4)', box '((0,0),(2,2))' @> point '(1,1)', circle '<(0,0),1>' && circle '<(1,1),1>', area(box '((0,0),(2,3))'), center(circle '<(1,2),3>'), point '(1,2)' + point '(3,4)', (point '(5,6)')[0];
select '(1)'::point;
