"""Takes what a till hands over: daily receipts, cash books, and invoices that another program made."""
