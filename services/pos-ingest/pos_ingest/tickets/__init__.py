"""Till tickets: taken once, counted in the day's entry of their receipt book, reconciled with the till's own totals."""
