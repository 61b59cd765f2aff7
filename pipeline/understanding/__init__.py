"""How a list is understood: table region, header, columns, numbers, currency."""
