-- A card's type is a product of its own, so that each type can be asked for. activation_days is ours, not the bank's.
SELECT * FROM (
    VALUES
        ('account', 'Account', 'account', 90, FALSE),
        ('card_junior', 'Junior card', 'card', 90, FALSE),
        ('card_classic', 'Classic card', 'card', 90, FALSE),
        ('card_gold', 'Gold card', 'card', 90, FALSE),
        ('loan', 'Loan', 'loan', 90, FALSE),
        ('order', 'Standing order', 'order', 90, FALSE)
) AS listed (product_id, name, family, activation_days, electronic)
