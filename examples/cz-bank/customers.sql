-- A birth number is YYMMDD; a woman's month is 50 higher. Everybody was born in the 1900s.
SELECT
    client_id AS customer_id,
    district_id AS branch_id,
    'personal' AS kind,
    '19' || birth_number[1:2] AS birth_year,
    CASE WHEN CAST(birth_number[3:4] AS INTEGER) > 50 THEN 'female' ELSE 'male' END AS gender,
    _file,
    _line
FROM client
