"""Money, clock, database, limits, crypto, http. Knows no app of the trade."""
