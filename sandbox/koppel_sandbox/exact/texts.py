"""Exact's messages in the languages of its users; what is not listed in a language comes in English (exact §5.1)."""

NL = {
    "Mandatory: Journal": "Verplicht: Dagboek",
    "Invalid reference: Journals": "Ongeldige referentie: Dagboeken",
    "Invalid: Journal (type)": "Ongeldig: Dagboek (type)",
    "Blocked: Journal": "Geblokkeerd: Dagboek",
    "Mandatory: Relationship": "Verplicht: Relatie",
    "Mandatory: Account": "Verplicht: Relatie",
    "Invalid reference: Account": "Ongeldige referentie: Relatie",
    "Invalid: Customer (Type)": "Ongeldig: Klant (Type)",
    "Invalid: Supplier (Type)": "Ongeldig: Leverancier (Type)",
    "Blocked: Account": "Geblokkeerd: Relatie",
    "Mandatory: G/L account": "Verplicht: Grootboekrekening",
    "Invalid reference: G/L account": "Ongeldige referentie: Grootboekrekening",
    "Invalid: G/L account type": "Ongeldig: Grootboekrekeningtype",
    "Blocked: G/L account": "Geblokkeerd: Grootboekrekening",
    "Invalid reference: VAT code": "Ongeldige referentie: Btw-code",
    "Not allowed: VAT code": "Niet toegestaan: Btw-code",
    "Not allowed: VAT amount": "Niet toegestaan: Btw-bedrag bij btw-code zonder btw",
    "Mandatory: Payment condition": "Verplicht: Betalingsconditie",
    "Invalid reference: Payment condition": "Ongeldige referentie: Betalingsconditie",
    "Invalid reference: Document": "Ongeldige referentie: Document",
    "Invalid reference: Cost unit": "Ongeldige referentie: Kostendrager",
    "Mandatory: Cost center": "Verplicht: Kostenplaats",
    "Period is closed": "Periode is afgesloten",
    "Unknown: Financial year (Period-date table)": "Onbekend: Boekjaar (Periode-datumtabel)",
    "In use: Entry number": "In gebruik: Boekstuknummer",
    "Data already exists": "Gegeven bestaat reeds",
    "Not allowed: Exchange rate": "Niet toegestaan: Wisselkoers",
    "Mandatory: Lines": "Verplicht: Regels",
    "Forbidden": "Verboden",
}
FR = {
    "Mandatory: Payment condition": "Obligatoire : Condition de paiement",
    "Mandatory: Journal": "Obligatoire : Journal",
    "Invalid reference: Journals": "Référence incorrecte : Journaux",
    "Invalid: Journal (type)": "Incorrect : Journal (type)",
    "Mandatory: Relationship": "Obligatoire : Relation",
    "Mandatory: Account": "Obligatoire : Relation",
    "Invalid: Customer (Type)": "Incorrect : Client (Type)",
    "Invalid: Supplier (Type)": "Incorrect : Fournisseur (Type)",
    "Blocked: Account": "Bloqué : Relation",
    "Invalid reference: G/L account": "Référence incorrecte : Compte général",
    "Invalid: G/L account type": "Incorrect : Type de compte général",
    "Blocked: G/L account": "Bloqué : Compte général",
    "Invalid reference: VAT code": "Référence incorrecte : Code TVA",
    "Not allowed: VAT code": "Non autorisé : Code TVA",
    "Period is closed": "La période est clôturée",
    "Unknown: Financial year (Period-date table)": "Inconnu : Exercice (tableau période-date)",
    "In use: Entry number": "Utilisé : Numéro d'écriture",
    "Data already exists": "Les données existent déjà",
}
_BY_LANGUAGE = {"nl": NL, "fr": FR}


def say(message: str, language: str, detail: str = "") -> str:
    """Return ``message`` in the language of a user such as ``nl-BE``, with ``detail`` behind a colon."""
    text = _BY_LANGUAGE.get(language[:2], {}).get(message, message)
    return f"{text}: {detail}" if detail else text
