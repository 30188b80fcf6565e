-- received_at is the day on which the CFPB took the complaint in ("Date submitted"). The bank has it from "Date received"
-- on, and from that day it has 15 days to answer: due_on.
--
-- closed_at: the source has no day of closing. It says which complaints are still in progress (null here: open) and of the
-- others whether the answer came in time. So an answer in time is put on the day it was due (or on the data's last day, if
-- that is earlier), a late one on the day after it was due. Open, closed and closed on time are then as the source says;
-- DAYS TO CLOSE ARE NOT KNOWN and mean nothing here.
WITH dated AS (
    SELECT *, CAST("Date submitted" AS DATE) AS submitted_on, CAST("Date received" AS DATE) + 15 AS answer_due_on
    FROM cfpb
)
SELECT
    "Complaint ID" AS complaint_id,
    coalesce("State", 'unknown') AS branch_id,
    CASE "Product"
        WHEN 'Checking or savings account' THEN 'deposit'
        WHEN 'Credit card or prepaid card' THEN 'card'
        WHEN 'Credit reporting, credit repair services, or other personal consumer reports' THEN 'reporting'
        WHEN 'Debt collection' THEN 'collection'
        WHEN 'Mortgage' THEN 'mortgage'
        WHEN 'Money transfer, virtual currency, or money service' THEN 'transfer'
        WHEN 'Vehicle loan or lease' THEN 'vehicle'
        WHEN 'Payday loan, title loan, or personal loan' THEN 'personal'
        WHEN 'Student loan' THEN 'student'
        ELSE "Product" -- a name that is new is rejected as an unknown product, and seen
    END AS product_id,
    "Issue" AS cause,
    "Submitted via" AS channel,
    submitted_on AS received_at,
    answer_due_on AS due_on,
    CASE
        WHEN "Company response to consumer" = 'In progress' THEN NULL
        WHEN "Timely response?" = 'Yes' THEN least(answer_due_on, (SELECT max(submitted_on) FROM dated))
        ELSE answer_due_on + 1
    END AS closed_at,
    "Company response to consumer" AS outcome,
    TRUE AS regulator, -- the CFPB passed on every one of them
    _file,
    _line
FROM dated
