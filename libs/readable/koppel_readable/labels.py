"""Every word of ours on a page, in Dutch, French and English.

A word that the law asks for is that of the law: the mentions of Directive 2006/112/EC, article 226, points 10a and 11a
(self-billing, reverse charge), in its Dutch, French and English text.
"""

from typing import Final, Literal

Language = Literal["nl", "fr", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("nl", "fr", "en")

Words = tuple[str, str, str]
"""The same in Dutch, French and English, in this order."""

LABELS: Final[dict[str, Words]] = {
    "number": ("Nummer", "Numéro", "Number"),
    "issue_date": ("Datum", "Date", "Date"),
    "due_date": ("Vervaldatum", "Échéance", "Due date"),
    "tax_point_date": ("Btw-datum", "Date d'exigibilité de la TVA", "Tax point date"),
    "delivery_date": ("Leverdatum", "Date de livraison", "Delivery date"),
    "period": ("Periode", "Période", "Period"),
    "from": ("vanaf", "à partir du", "from"),
    "until": ("tot en met", "jusqu'au", "until"),
    "buyer_reference": ("Uw referentie", "Votre référence", "Your reference"),
    "order": ("Bestelling", "Commande", "Purchase order"),
    "sales_order": ("Verkooporder", "Commande client", "Sales order"),
    "contract": ("Contract", "Contrat", "Contract"),
    "project": ("Project", "Projet", "Project"),
    "despatch": ("Leveringsbon", "Bon de livraison", "Despatch advice"),
    "receipt": ("Ontvangstbon", "Bon de réception", "Receiving advice"),
    "tender": ("Aanbesteding", "Marché", "Tender"),
    "object": ("Betreft", "Objet", "Invoiced object"),
    "accounting_cost": ("Boekhoudreferentie", "Référence comptable", "Accounting reference"),
    "preceding": ("Heeft betrekking op", "Se rapporte à", "Refers to"),
    "of_date": ("van", "du", "of"),
    "currency": ("Munt", "Devise", "Currency"),
    "seller": ("Verkoper", "Vendeur", "Seller"),
    "buyer": ("Klant", "Client", "Customer"),
    "payee": ("Te betalen aan", "À payer à", "Payee"),
    "tax_representative": ("Fiscaal vertegenwoordiger", "Représentant fiscal", "Tax representative"),
    "delivered_to": ("Leveradres", "Adresse de livraison", "Delivery address"),
    "vat_number": ("Btw", "TVA", "VAT"),
    "enterprise_number": ("Ondernemingsnummer", "Numéro d'entreprise", "Enterprise number"),
    "registration": ("Registratie", "Enregistrement", "Registration"),
    "customer_number": ("Klantnummer", "Numéro de client", "Customer number"),
    "to_pay": ("Te betalen", "À payer", "Amount due"),
    "credited": ("Te crediteren", "À créditer", "Amount credited"),
    "pay_by": ("ten laatste op {date}", "au plus tard le {date}", "by {date}"),
    "account": ("Rekening", "Compte", "Account"),
    "account_name": ("Op naam van", "Au nom de", "In the name of"),
    "reference": ("Mededeling", "Communication", "Payment reference"),
    "paid_by": ("Betaalwijze", "Mode de paiement", "Means of payment"),
    "mandate": ("Mandaat", "Mandat", "Mandate"),
    "creditor_id": ("Schuldeiser", "Créancier", "Creditor"),
    "debited_account": ("Van rekening", "Du compte", "From account"),
    "card": ("Kaart", "Carte", "Card"),
    "description": ("Omschrijving", "Description", "Description"),
    "quantity": ("Aantal", "Quantité", "Quantity"),
    "price": ("Prijs", "Prix", "Price"),
    "vat": ("Btw", "TVA", "VAT"),
    "net": ("Netto", "Net", "Net"),
    "per": ("per", "par", "per"),
    "article": ("Artikel", "Article", "Item"),
    "your_article": ("Uw artikel", "Votre article", "Your item"),
    "order_line": ("Bestellijn", "Ligne de commande", "Order line"),
    "discount_in_price": ("Korting in de prijs", "Remise dans le prix", "Discount in the price"),
    "allowance": ("Korting", "Remise", "Allowance"),
    "charge": ("Toeslag", "Supplément", "Charge"),
    "of_base": ("van", "de", "of"),
    "allowances_charges": ("Kortingen en toeslagen", "Remises et suppléments", "Allowances and charges"),
    "amount": ("Bedrag", "Montant", "Amount"),
    "vat_breakdown": ("Btw per tarief", "TVA par taux", "VAT by rate"),
    "category": ("Stelsel", "Régime", "Category"),
    "rate": ("Tarief", "Taux", "Rate"),
    "taxable": ("Maatstaf", "Base", "Taxable"),
    "vat_amount": ("Btw", "TVA", "VAT"),
    "totals": ("Totalen", "Totaux", "Totals"),
    "total_lines": ("Totaal van de lijnen", "Total des lignes", "Total of the lines"),
    "total_allowances": ("Kortingen", "Remises", "Allowances"),
    "total_charges": ("Toeslagen", "Suppléments", "Charges"),
    "total_without_vat": ("Totaal zonder btw", "Total hors TVA", "Total without VAT"),
    "total_vat": ("Btw", "TVA", "VAT"),
    "total_vat_in": ("Btw in", "TVA en", "VAT in"),
    "total_with_vat": ("Totaal met btw", "Total TVA comprise", "Total with VAT"),
    "prepaid": ("Reeds betaald", "Déjà payé", "Already paid"),
    "rounding": ("Afronding", "Arrondi", "Rounding"),
    "payment_terms": ("Betalingsvoorwaarden", "Conditions de paiement", "Payment terms"),
    "notes": ("Opmerkingen", "Remarques", "Notes"),
    "attachments": ("Bijlagen", "Annexes", "Attachments"),
    "embedded": ("in de elektronische factuur", "dans la facture électronique", "in the electronic invoice"),
    "page": ("blz.", "page", "page"),
    "of_pages": ("van", "sur", "of"),
    "total": ("Totaal", "Total", "Total"),
    "nothing": ("geen", "néant", "none"),
    "source_inside": (
        "Gemaakt uit de elektronische factuur door Koppel; de UBL in dit bestand is het origineel.",
        "Établi par Koppel à partir de la facture électronique ; l'UBL contenu dans ce fichier est l'original.",
        "Made from the electronic invoice by Koppel; the UBL inside is the original.",
    ),
    "source_elsewhere": (
        "Gemaakt uit de elektronische factuur door Koppel; die factuur (UBL) is het origineel.",
        "Établi par Koppel à partir de la facture électronique ; cette facture (UBL) est l'original.",
        "Made from the electronic invoice by Koppel; that invoice (UBL) is the original.",
    ),
    "made_by": ("Opgemaakt door Koppel.", "Établi par Koppel.", "Made by Koppel."),
    "ubl_description": (
        "De elektronische factuur (UBL), waaruit dit beeld is gemaakt",
        "La facture électronique (UBL), dont cette image est tirée",
        "The electronic invoice (UBL) that this picture is made from",
    ),
    "rows_cut": (
        "{count} rijen staan niet in dit beeld.",
        "{count} lignes ne figurent pas sur cette image.",
        "{count} rows are not in this picture.",
    ),
    "texts_cut": (
        "{count} teksten zijn ingekort (…).",
        "{count} textes sont abrégés (…).",
        "{count} texts are shortened (…).",
    ),
    "characters_replaced": (
        "{count} tekens zonder lettertype staan als ▯.",
        "{count} caractères sans police figurent comme ▯.",
        "{count} characters without a font are shown as ▯.",
    ),
    "whole_in_original": (
        "Het origineel bevat alles.",
        "L'original contient tout.",
        "The original holds everything.",
    ),
    "whole_in_csv": ("Het CSV-bestand bevat alles.", "Le fichier CSV contient tout.", "The CSV file holds everything."),
}

TITLES: Final[dict[str, Words]] = {
    "380": ("Factuur", "Facture", "Invoice"),
    "381": ("Creditnota", "Note de crédit", "Credit note"),
    "326": ("Deelfactuur", "Facture partielle", "Partial invoice"),
    "383": ("Debetnota", "Note de débit", "Debit note"),
    "384": ("Verbeterde factuur", "Facture rectificative", "Corrected invoice"),
    "386": ("Voorschotfactuur", "Facture d'acompte", "Prepayment invoice"),
    "396": ("Creditnota", "Note de crédit", "Credit note"),
    "389": ("Factuur", "Facture", "Invoice"),
    "261": ("Creditnota", "Note de crédit", "Credit note"),
}
"""What a document is called, by its type code (BT-3, UNTDID 1001)."""

SELF_BILLED: Final = frozenset({"389", "261"})
SELF_BILLING: Final[Words] = ("Factuur uitgereikt door afnemer", "Autofacturation", "Self-billing")
"""Directive 2006/112/EC, article 226, point 10a."""

CATEGORIES: Final[dict[str, Words]] = {
    "S": ("normaal stelsel", "régime normal", "standard"),
    "Z": ("nultarief", "taux zéro", "zero rated"),
    "E": ("vrijgesteld", "exonéré", "exempt"),
    "AE": ("btw verlegd", "autoliquidation", "reverse charge"),
    "K": ("intracommunautaire levering", "livraison intracommunautaire", "intra-Community supply"),
    "G": ("uitvoer buiten de EU", "exportation hors UE", "export outside the EU"),
    "O": ("buiten het toepassingsgebied van de btw", "hors du champ de la TVA", "outside the scope of VAT"),
    "L": ("IGIC (Canarische Eilanden)", "IGIC (Canaries)", "IGIC (Canary Islands)"),
    "M": ("IPSI (Ceuta en Melilla)", "IPSI (Ceuta et Melilla)", "IPSI (Ceuta and Melilla)"),
    "B": ("afgesplitste betaling (Italië)", "paiement scindé (Italie)", "split payment (Italy)"),
}
"""What the VAT categories of EN 16931 (BT-118, UNCL 5305) mean."""

REVERSE_CHARGE: Final[Words] = ("Btw verlegd", "Autoliquidation", "Reverse charge")
"""Directive 2006/112/EC, article 226, point 11a."""

PAYMENT_MEANS: Final[dict[str, Words]] = {
    "10": ("contant", "espèces", "cash"),
    "20": ("cheque", "chèque", "cheque"),
    "30": ("overschrijving", "virement", "credit transfer"),
    "31": ("overschrijving", "virement", "credit transfer"),
    "48": ("bankkaart", "carte bancaire", "bank card"),
    "49": ("domiciliëring", "domiciliation", "direct debit"),
    "54": ("kredietkaart", "carte de crédit", "credit card"),
    "55": ("debetkaart", "carte de débit", "debit card"),
    "57": ("doorlopende opdracht", "ordre permanent", "standing agreement"),
    "58": ("SEPA-overschrijving", "virement SEPA", "SEPA credit transfer"),
    "59": ("SEPA-domiciliëring", "domiciliation SEPA", "SEPA direct debit"),
    "68": ("online betaling", "paiement en ligne", "online payment"),
    "97": ("compensatie", "compensation", "clearing between partners"),
}
"""By UNTDID 4461 (BT-81)."""

UNITS: Final[dict[str, Words]] = {
    "C62": ("st.", "pce", "pc"),
    "H87": ("st.", "pce", "pc"),
    "EA": ("st.", "pce", "pc"),
    "PCE": ("st.", "pce", "pc"),
    "NAR": ("st.", "pce", "pc"),
    "ZZ": ("", "", ""),
    "1I": ("", "", ""),
    "HUR": ("uur", "h", "h"),
    "MIN": ("min", "min", "min"),
    "DAY": ("dag", "jour", "day"),
    "WEE": ("week", "sem.", "week"),
    "MON": ("maand", "mois", "month"),
    "ANN": ("jaar", "an", "year"),
    "KGM": ("kg", "kg", "kg"),
    "GRM": ("g", "g", "g"),
    "TNE": ("t", "t", "t"),
    "LTR": ("l", "l", "l"),
    "MLT": ("ml", "ml", "ml"),
    "HLT": ("hl", "hl", "hl"),
    "MTR": ("m", "m", "m"),
    "CMT": ("cm", "cm", "cm"),
    "MMT": ("mm", "mm", "mm"),
    "KMT": ("km", "km", "km"),
    "MTK": ("m²", "m²", "m²"),
    "MTQ": ("m³", "m³", "m³"),
    "KWH": ("kWh", "kWh", "kWh"),
    "MWH": ("MWh", "MWh", "MWh"),
    "GJ": ("GJ", "GJ", "GJ"),
    "P1": ("%", "%", "%"),
    "SET": ("set", "jeu", "set"),
    "PR": ("paar", "paire", "pair"),
    "DZN": ("dozijn", "douzaine", "dozen"),
    "E48": ("dienst", "service", "service"),
    "LS": ("forfait", "forfait", "lump sum"),
    "XBX": ("doos", "boîte", "box"),
    "XCT": ("doos", "carton", "carton"),
    "XPK": ("pak", "paquet", "package"),
    "XPX": ("pallet", "palette", "pallet"),
    "XBG": ("zak", "sac", "bag"),
    "XBO": ("fles", "bouteille", "bottle"),
}
"""The usual units of UN/ECE Recommendations 20 and 21 (BT-130); another is shown by its code."""

MONTHS: Final[dict[Language, tuple[str, ...]]] = {
    "nl": (
        *("januari", "februari", "maart", "april", "mei", "juni"),
        *("juli", "augustus", "september", "oktober", "november", "december"),
    ),
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}


def say(words: Words, language: Language) -> str:
    """Return the words in one language."""
    return words[LANGUAGES.index(language)]


def label(name: str, language: Language) -> str:
    """Return a label in one language."""
    return say(LABELS[name], language)
