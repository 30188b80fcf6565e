-- What customers did, by month, until 1994-03-30 (of the day after, the source has only a part). Interest, fees and
-- transfers that came in from elsewhere are not the customer's doing.
--   cash paid in or out (VKLAD, VYBER)   account, at the counter
--   withdrawal by card (VYBER KARTOU)    the account's card, at a machine
--   transfer out (PREVOD NA UCET)        a standing order where order.asc has one for the same account, payee and amount,
--                                        the account otherwise; electronic in the sense that no counter is involved
WITH owner AS (
    SELECT disp_id, account_id, client_id FROM disp WHERE type = 'OWNER'
),
listed AS (
    SELECT DISTINCT account_id, bank_to AS bank, account_to AS account, amount FROM orders
),
done AS (
    SELECT
        owner.client_id,
        account.district_id,
        date_trunc('month', strptime(trans.date, '%y%m%d'))::DATE AS month,
        CAST(trans.amount AS DECIMAL(18, 2)) AS amount,
        CASE
            WHEN operation = 'VYBER KARTOU' THEN 'card_' || card.type
            WHEN operation = 'PREVOD NA UCET' AND listed.account_id IS NOT NULL THEN 'order'
            ELSE 'account'
        END AS product_id,
        CASE operation WHEN 'VYBER KARTOU' THEN 'atm' WHEN 'PREVOD NA UCET' THEN 'electronic' ELSE 'counter' END AS channel,
        CASE operation WHEN 'PREVOD NA UCET' THEN 'transfer' WHEN 'VKLAD' THEN 'deposit' ELSE 'withdrawal' END AS kind
    FROM trans
    LEFT JOIN account USING (account_id)
    LEFT JOIN owner USING (account_id)
    LEFT JOIN card USING (disp_id)
    LEFT JOIN listed
        ON listed.account_id = trans.account_id
        AND listed.bank = trans.bank
        AND listed.account = trans.account
        AND listed.amount = trans.amount
    WHERE
        trans.date <= '940330'
        AND operation IN ('VKLAD', 'VYBER', 'VYBER KARTOU', 'PREVOD NA UCET')
        AND coalesce(k_symbol, '') NOT IN ('SLUZBY', 'SANKC. UROK')
)
SELECT
    client_id AS customer_id,
    product_id,
    district_id AS branch_id,
    month,
    count(*) AS transactions,
    sum(amount) AS amount,
    channel,
    kind
FROM done
GROUP BY ALL
