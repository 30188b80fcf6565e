-- The source knows no branch. All calls stand under head office.
SELECT 'HO' AS branch_id, 'The bank' AS name, NULL AS parent_id, 'head_office' AS level
