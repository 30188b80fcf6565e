SELECT
    'credit_card' AS product_id,
    '信用卡' AS name,
    '信用卡' AS family,
    180 AS activation_days, -- the source calls a card active (有效卡) that was used in the last six months
    FALSE AS electronic
