-- The source is one campaign without a name. Its days are those of its first and last call.
-- Contacts hang on a campaign through assignments to agents; the source has none, and none are made up.
SELECT
    'term deposit 2008-2010' AS campaign_id,
    'Term deposit 2008–2010' AS name,
    'term_deposit' AS product_id,
    'HO' AS branch_id,
    '2008-05-05' AS starts_on,
    '2010-11-17' AS ends_on
