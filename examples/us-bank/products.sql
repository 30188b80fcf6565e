-- The names are the CFPB's. Nothing is known of contracts, so no measure reads activation_days.
SELECT product_id, name, family, 90 AS activation_days, FALSE AS electronic
FROM (
    VALUES
        ('deposit', 'Checking or savings account', 'accounts'),
        ('card', 'Credit card or prepaid card', 'cards'),
        (
            'reporting',
            'Credit reporting, credit repair services, or other personal consumer reports',
            'reporting and collection'
        ),
        ('collection', 'Debt collection', 'reporting and collection'),
        ('mortgage', 'Mortgage', 'loans'),
        ('transfer', 'Money transfer, virtual currency, or money service', 'payments'),
        ('vehicle', 'Vehicle loan or lease', 'loans'),
        ('personal', 'Payday loan, title loan, or personal loan', 'loans'),
        ('student', 'Student loan', 'loans')
) AS listed (product_id, name, family)
