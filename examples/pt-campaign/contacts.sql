-- Rows stand in the order of the calls, with day and month but no year: a year is added each time the month goes back.
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
    'row ' || _line AS contact_id,
    'row ' || _line AS customer_id,
    'term_deposit' AS product_id,
    'HO' AS branch_id,
    -- The hour is not known. A month that is none gives no date, and the row is rejected rather than guessed.
    concat_ws('-', 2008 + coalesce(sum(new_year) OVER (ORDER BY _line), 0), month_number, day) AS contacted_at,
    'call' AS kind, -- cellular, telephone or unknown: a call in each case
    FALSE AS new_customer, -- they had an account with a balance already; previous = 0 only says: not called for a list before
    CAST(duration AS INTEGER) > 0 AS reached, -- the call lasted; three rows lasted 0 seconds
    CASE WHEN y = 'yes' THEN 'signed' WHEN CAST(duration AS INTEGER) > 0 THEN 'refused' ELSE 'unreachable' END AS outcome,
    _file,
    _line
FROM turned
