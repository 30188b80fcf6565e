-- The bank's districts stand for its branches, below their regions.
SELECT
    'HO' AS branch_id, 'The bank' AS name, NULL AS parent_id, 'head_office' AS level,
    NULL AS region, NULL AS _file, NULL AS _line
UNION ALL
SELECT DISTINCT 'region ' || A3, A3, 'HO', 'branch', A3, NULL, NULL FROM district
UNION ALL
SELECT A1, A2, 'region ' || A3, 'sub_branch', A3, _file, _line FROM district
