-- Accounts, cards and loans, each by its owner, at the district that keeps the account.
--
-- activated_on is the first use that the data show, and trans.asc shows uses only until 1994-03-30 (the day after is not
-- complete). A contract signed near that day or later may have been used: null then means "not seen", not "not used".
--   account: the first transaction of the customer after the day of opening. The first one of all would say nothing: it is
--            the deposit that opens the account, on the same day for every account. Interest (no operation), fees (SLUZBY)
--            and penal interest (SANKC. UROK) are booked by the bank and are no use.
--   card:    the first withdrawal by card (VYBER KARTOU) on the account, which never has more than one card.
--   loan:    the first repayment (UVER) on the account.
-- Standing orders are not here: order.asc has no dates, and a day of signing is not made up. usage.sql has their use.
-- No closing dates are in the source: closed_on is null, and every contract counts as open. Left out, it would say that nobody
-- knows which are open, and take away what is counted of them.
WITH seen AS (
    SELECT account_id, operation, k_symbol, strptime(date, '%y%m%d')::DATE AS used_on
    FROM trans
    WHERE date <= '940330'
),
owner AS (
    SELECT disp_id, account_id, client_id FROM disp WHERE type = 'OWNER'
),
signed AS (
    SELECT
        'account ' || account_id AS contract_id, 'account' AS product_id, account_id,
        strptime(date, '%y%m%d')::DATE AS signed_on, _file, _line
    FROM account
    UNION ALL
    SELECT
        'card ' || card_id, 'card_' || card.type, owner.account_id,
        strptime(issued[1:6], '%y%m%d')::DATE, card._file, card._line
    FROM card
    LEFT JOIN owner USING (disp_id)
    UNION ALL
    SELECT 'loan ' || loan_id, 'loan', account_id, strptime(date, '%y%m%d')::DATE, _file, _line
    FROM loan
),
first_use AS (
    SELECT contract_id, min(used_on) AS activated_on, max(used_on) AS last_used_on
    FROM signed
    JOIN seen USING (account_id)
    WHERE
        CASE
            WHEN product_id = 'account' THEN
                used_on > signed_on
                AND operation IS NOT NULL
                AND coalesce(k_symbol, '') NOT IN ('SLUZBY', 'SANKC. UROK')
            WHEN product_id = 'loan' THEN used_on >= signed_on AND k_symbol = 'UVER'
            ELSE used_on >= signed_on AND operation = 'VYBER KARTOU'
        END
    GROUP BY contract_id
)
SELECT
    contract_id,
    owner.client_id AS customer_id,
    product_id,
    account.district_id AS branch_id,
    signed_on,
    activated_on,
    last_used_on,
    NULL AS closed_on,
    signed._file,
    signed._line
FROM signed
LEFT JOIN account USING (account_id)
LEFT JOIN owner USING (account_id)
LEFT JOIN first_use USING (contract_id)
