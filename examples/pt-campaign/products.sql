SELECT
    'term_deposit' AS product_id,
    'Term deposit' AS name,
    'deposit' AS family,
    90 AS activation_days, -- the contract wants a number; nothing is known of use, so no measure reads it
    FALSE AS electronic
