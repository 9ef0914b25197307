"""What countries require of their own sellers beyond Peppol's rules; Belgium requires nothing. A file for each country."""
