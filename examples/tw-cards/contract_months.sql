SELECT
    月份 || '-01' AS month,
    機構 AS branch_id,
    'credit_card' AS product_id,
    本月發卡數 AS signed,
    本月停卡數 AS closed,
    流通卡數 AS holders,
    有效卡數 AS active, -- used in the last six months. Three rows have more active than in circulation; kept as they are
    _file,
    _line
FROM cards
WHERE 是否合計 = 'False' -- totals are asked of the warehouse, never loaded beside their parts
