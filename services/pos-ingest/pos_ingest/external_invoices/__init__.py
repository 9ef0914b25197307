"""Invoices that another program made: JSON or UBL in, a numbered document of the dossier out."""
