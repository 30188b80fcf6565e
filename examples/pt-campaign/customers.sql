-- One row of the source is one customer's last call, without any number of the customer: the number is made up of the
-- line in which the row stands. It says nothing outside this load.
WITH dated AS (
    SELECT
        *,
        list_position(
            ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'], month
        ) AS month_number
    FROM calls
),
turned AS (
    SELECT *, CAST(month_number < lag(month_number) OVER (ORDER BY _line) AS INTEGER) AS new_year FROM dated
)
SELECT
    'row ' || _line AS customer_id,
    'HO' AS branch_id,
    'personal' AS kind,
    -- Age at the time of the call: the year of birth may be one too late.
    2008 + coalesce(sum(new_year) OVER (ORDER BY _line), 0) - TRY_CAST(age AS INTEGER) AS birth_year,
    balance,
    _file,
    _line
FROM turned
