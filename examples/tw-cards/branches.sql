-- The market stands at the top, every issuer below it. The source has no codes, so an issuer's name is its code.
-- Rows with 是否合計 = True are totals of others: an issuer made of them would count every card twice.
WITH issuers AS (
    SELECT
        機構 AS issuer,
        CAST(max(月份) || '-01' AS DATE) AS last_month,
        CAST((SELECT max(月份) FROM cards) || '-01' AS DATE) AS last_of_all,
        min(_line) AS _line,
        any_value(_file) AS _file
    FROM cards
    WHERE 是否合計 = 'False'
    GROUP BY 機構
)
SELECT
    '市場' AS branch_id, '市場' AS name, NULL AS parent_id, 'head_office' AS level,
    NULL AS closed_on, NULL AS _file, NULL AS _line
UNION ALL
SELECT
    issuer, issuer, '市場', 'branch',
    -- Merged, renamed or gone: the source says only that it is listed no more. When an issuer began is not told either
    -- (most were there before the first month), so there is no opened_on.
    CASE WHEN last_month < last_of_all THEN last_day(last_month) END,
    _file, _line
FROM issuers
