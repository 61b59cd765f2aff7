-- Why a moved price is held, or NULL; contracts/band.py says the same in Python. old_price, old_currency and old_basis
-- are what holds now. $5 up (NULL: nothing is held), $6 down, $7 factor, $8 accepted currency.
CASE
  WHEN $5::numeric IS NULL THEN NULL
  WHEN old_currency NOT IN (currency::bpchar, 'XXX') AND currency IS DISTINCT FROM $8::text THEN 'currency_changed'
  WHEN old_basis < price_basis
   AND price * price * old_basis < old_price * $7::numeric * old_price * $7 * price_basis THEN 'basis_changed'
  WHEN old_basis > price_basis
   AND price * price * old_basis > old_price * $7 * old_price * $7 * price_basis THEN 'basis_changed'
  WHEN price * old_basis > $5 * $7 * old_price * price_basis
    OR price * old_basis * $6::numeric < $7 * old_price * price_basis THEN 'price_jump'
END
