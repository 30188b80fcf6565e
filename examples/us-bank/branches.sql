-- Head office → region (the Census Bureau's four) → state → outlet.
-- Complaints name a state and no outlet. 13 of their states have no outlet: they stand in the tree all the same.
WITH states (region, code, name) AS (
    VALUES
        ('Northeast', 'CT', 'Connecticut'), ('Northeast', 'ME', 'Maine'), ('Northeast', 'MA', 'Massachusetts'),
        ('Northeast', 'NH', 'New Hampshire'), ('Northeast', 'RI', 'Rhode Island'), ('Northeast', 'VT', 'Vermont'),
        ('Northeast', 'NJ', 'New Jersey'), ('Northeast', 'NY', 'New York'), ('Northeast', 'PA', 'Pennsylvania'),
        ('Midwest', 'IL', 'Illinois'), ('Midwest', 'IN', 'Indiana'), ('Midwest', 'MI', 'Michigan'),
        ('Midwest', 'OH', 'Ohio'), ('Midwest', 'WI', 'Wisconsin'), ('Midwest', 'IA', 'Iowa'),
        ('Midwest', 'KS', 'Kansas'), ('Midwest', 'MN', 'Minnesota'), ('Midwest', 'MO', 'Missouri'),
        ('Midwest', 'NE', 'Nebraska'), ('Midwest', 'ND', 'North Dakota'), ('Midwest', 'SD', 'South Dakota'),
        ('South', 'DE', 'Delaware'), ('South', 'DC', 'District of Columbia'), ('South', 'FL', 'Florida'),
        ('South', 'GA', 'Georgia'), ('South', 'MD', 'Maryland'), ('South', 'NC', 'North Carolina'),
        ('South', 'SC', 'South Carolina'), ('South', 'VA', 'Virginia'), ('South', 'WV', 'West Virginia'),
        ('South', 'AL', 'Alabama'), ('South', 'KY', 'Kentucky'), ('South', 'MS', 'Mississippi'),
        ('South', 'TN', 'Tennessee'), ('South', 'AR', 'Arkansas'), ('South', 'LA', 'Louisiana'),
        ('South', 'OK', 'Oklahoma'), ('South', 'TX', 'Texas'),
        ('West', 'AZ', 'Arizona'), ('West', 'CO', 'Colorado'), ('West', 'ID', 'Idaho'), ('West', 'MT', 'Montana'),
        ('West', 'NV', 'Nevada'), ('West', 'NM', 'New Mexico'), ('West', 'UT', 'Utah'), ('West', 'WY', 'Wyoming'),
        ('West', 'AK', 'Alaska'), ('West', 'CA', 'California'), ('West', 'HI', 'Hawaii'), ('West', 'OR', 'Oregon'),
        ('West', 'WA', 'Washington'),
        ('Territories', 'PR', 'Puerto Rico'), ('Territories', 'VI', 'U.S. Virgin Islands'), ('Territories', 'GU', 'Guam'),
        ('Territories', 'AS', 'American Samoa'), ('Territories', 'MP', 'Northern Mariana Islands'),
        ('Abroad or unknown', 'unknown', 'State not told') -- a complaint without a state is counted, not dropped
),
met AS (
    SELECT * FROM states
    WHERE code IN (SELECT STALPBR FROM branch_years UNION SELECT coalesce("State", 'unknown') FROM cfpb)
),
-- An outlet as it was last listed.
outlets AS (
    SELECT * FROM branch_years
    QUALIFY row_number() OVER (PARTITION BY UNINUMBR ORDER BY YEAR DESC) = 1
)
SELECT
    'HO' AS branch_id, max_by(NAMEFULL, YEAR) AS name, NULL AS parent_id, 'head_office' AS level,
    NULL AS region, NULL AS opened_on, NULL AS closed_on, NULL AS _file, NULL AS _line
FROM branch_years
UNION ALL
SELECT DISTINCT 'region ' || region, region, 'HO', 'branch', region, NULL, NULL, NULL, NULL FROM met
UNION ALL
SELECT code, name, 'region ' || region, 'sub_branch', region, NULL, NULL, NULL, NULL FROM met
UNION ALL
SELECT
    UNINUMBR, NAMEBR, STALPBR, 'outlet', region,
    strptime(SIMS_ESTABLISHED_DATE, '%m/%d/%Y')::DATE,
    -- Gone before the next 30 June; which day is not told, so it is the last one on which the outlet was listed.
    CASE WHEN YEAR < (SELECT max(YEAR) FROM branch_years) THEN make_date(CAST(YEAR AS INTEGER), 6, 30) END,
    _file, _line
FROM outlets
LEFT JOIN met ON met.code = STALPBR
