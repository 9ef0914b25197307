"""A Belgian chart of accounts, journals and VAT codes as a small company has them in Octopus (octopus §2.3, §2.5, §2.6)."""

from typing import NamedTuple

from .bookings import BUY, SELL


class SeededAccount(NamedTuple):
    """One account; a number of three digits groups those below it."""

    number: int
    nl: str
    fr: str
    en: str
    purchase_vat: str | None = None
    sales_vat: str | None = None
    vat_recoverable: int = 100
    deductible: int = 100


ACCOUNTS = (
    SeededAccount(100, "Kapitaal", "Capital", "Capital"),
    SeededAccount(100000, "Geplaatst kapitaal", "Capital souscrit", "Issued capital"),
    SeededAccount(140000, "Overgedragen winst", "Bénéfice reporté", "Profit carried forward"),
    SeededAccount(173000, "Kredietinstellingen", "Établissements de crédit", "Credit institutions"),
    SeededAccount(230, "Installaties, machines", "Installations, machines", "Plant, machinery"),
    SeededAccount(230000, "Installaties en machines", "Installations et machines", "Plant and machinery", "I21"),
    SeededAccount(240000, "Meubilair", "Mobilier", "Furniture", "I21"),
    SeededAccount(240100, "Computers", "Matériel informatique", "Computers", "I21"),
    SeededAccount(241000, "Rollend materieel", "Matériel roulant", "Vehicles", "I21", vat_recoverable=50),
    SeededAccount(400000, "Handelsdebiteuren", "Clients", "Trade debtors"),
    SeededAccount(411000, "Terug te vorderen btw", "TVA à récupérer", "Recoverable VAT"),
    SeededAccount(440000, "Leveranciers", "Fournisseurs", "Suppliers"),
    SeededAccount(451000, "Te betalen btw", "TVA à payer", "VAT payable"),
    SeededAccount(453000, "Ingehouden voorheffing", "Précompte retenu", "Taxes withheld"),
    SeededAccount(454000, "RSZ", "ONSS", "Social security"),
    SeededAccount(455000, "Bezoldigingen", "Rémunérations", "Remuneration payable"),
    SeededAccount(499000, "Wachtrekening", "Compte d'attente", "Suspense account"),
    SeededAccount(550000, "Bank", "Banque", "Bank"),
    SeededAccount(570000, "Kas", "Caisse", "Cash"),
    SeededAccount(580000, "Interne overboekingen", "Virements internes", "Internal transfers"),
    SeededAccount(599000, "Wachtrekening bank", "Compte d'attente banque", "Bank suspense account"),
    SeededAccount(600, "Aankopen grondstoffen", "Achats de matières premières", "Purchases of raw materials"),
    SeededAccount(600000, "Aankopen grondstoffen", "Achats de matières premières", "Raw materials", "H6"),
    SeededAccount(601000, "Aankopen hulpstoffen", "Achats de fournitures", "Consumables", "H21"),
    SeededAccount(603000, "Onderaanneming", "Sous-traitance", "Subcontracting", "D21"),
    SeededAccount(604, "Aankopen handelsgoederen", "Achats de marchandises", "Purchases of goods"),
    SeededAccount(604000, "Aankopen handelsgoederen", "Achats de marchandises", "Goods for resale", "H21"),
    SeededAccount(604100, "Handelsgoederen EU", "Marchandises UE", "Goods for resale, EU", "ICH21"),
    SeededAccount(608000, "Ontvangen kortingen", "Ristournes obtenues", "Discounts received", "H21"),
    SeededAccount(610000, "Huur", "Loyer", "Rent", "D00"),
    SeededAccount(611000, "Onderhoud en herstelling", "Entretien et réparations", "Maintenance", "D21"),
    SeededAccount(612000, "Elektriciteit, gas, water", "Électricité, gaz, eau", "Utilities", "D21"),
    SeededAccount(612100, "Telefoon en internet", "Téléphone et internet", "Telephone and internet", "D21"),
    SeededAccount(612200, "Kantoorbenodigdheden", "Fournitures de bureau", "Office supplies", "D21"),
    SeededAccount(612300, "Drukwerk", "Imprimés", "Printing", "D21"),
    SeededAccount(613000, "Verzekeringen", "Assurances", "Insurance", "D00"),
    SeededAccount(613200, "Erelonen", "Honoraires", "Fees", "D21"),
    SeededAccount(613300, "Software en licenties", "Logiciels et licences", "Software and licences", "D21"),
    SeededAccount(614000, "Reclame", "Publicité", "Advertising", "D21"),
    SeededAccount(615000, "Brandstof", "Carburant", "Fuel", "D21", vat_recoverable=50, deductible=75),
    SeededAccount(615100, "Onderhoud wagens", "Entretien voitures", "Car maintenance", "D21", None, 50, 75),
    SeededAccount(616000, "Transportkosten", "Frais de transport", "Transport", "D21"),
    SeededAccount(616100, "Restaurantkosten", "Frais de restaurant", "Restaurant", "D00", None, 0, 69),
    SeededAccount(620000, "Bezoldigingen", "Rémunérations", "Wages"),
    SeededAccount(630000, "Afschrijvingen", "Amortissements", "Depreciation"),
    SeededAccount(640000, "Belastingen", "Taxes", "Taxes", "D00"),
    SeededAccount(650000, "Intresten", "Intérêts", "Interest", "D00"),
    SeededAccount(657000, "Bankkosten", "Frais bancaires", "Bank charges", "D00"),
    SeededAccount(659000, "Afrondingen", "Arrondis", "Rounding differences"),
    SeededAccount(700, "Verkopen", "Ventes", "Sales"),
    SeededAccount(700000, "Verkopen 21 %", "Ventes 21 %", "Sales 21 %", None, "21"),
    SeededAccount(700100, "Verkopen 6 %", "Ventes 6 %", "Sales 6 %", None, "6"),
    SeededAccount(700200, "Verkopen 12 %", "Ventes 12 %", "Sales 12 %", None, "12"),
    SeededAccount(700300, "Verkopen EU", "Ventes UE", "Sales EU", None, "0IC"),
    SeededAccount(700400, "Verkopen export", "Ventes à l'exportation", "Export sales", None, "0EX"),
    SeededAccount(705000, "Diensten", "Prestations de services", "Services", None, "21"),
    SeededAccount(705100, "Diensten medecontractant", "Cocontractant", "Reverse charge services", None, "0MC"),
    SeededAccount(708000, "Toegekende kortingen", "Remises accordées", "Discounts granted", None, "21"),
    SeededAccount(743000, "Diverse opbrengsten", "Produits divers", "Other income", None, "21"),
    SeededAccount(750000, "Financiële opbrengsten", "Produits financiers", "Financial income"),
    SeededAccount(759000, "Afrondingen", "Arrondis", "Rounding differences"),
)
JOURNALS = (
    ("A1", "Aankopen", 1),
    ("A2", "Aankoopcreditnota's", 1),
    ("V1", "Verkopen", 1),
    ("V2", "Verkoopcreditnota's", 1),
    ("V3", "Dagontvangsten", 1),
    ("V4", "Dagontvangsten Brussel", 1),
    ("V9", "Facturatie", 2),
    ("F1", "Bank", 1),
    ("D1", "Diverse verrichtingen", 1),
)
"""Key, name, ``insertionType``: 1 takes bookings, 2 takes invoices."""
VAT_CODES = (
    ("21", "Verkopen 21 %", SELL, 21, 700000),
    ("12", "Verkopen 12 %", SELL, 12, 700200),
    ("6", "Verkopen 6 %", SELL, 6, 700100),
    ("0", "Verkopen 0 %", SELL, 0, 700000),
    ("0VR", "Vrijgestelde verkopen", SELL, 0, 700000),
    ("0MC", "Verkopen medecontractant", SELL, 0, 705100),
    ("0IC", "Intracommunautaire leveringen", SELL, 0, 700300),
    ("0ICD", "Intracommunautaire diensten", SELL, 0, 705000),
    ("0EX", "Uitvoer", SELL, 0, 700400),
    *(
        (f"{letter}{rate}", f"{name} {rate} %", BUY, int(rate), 0)
        for letter, name in (("H", "Handelsgoederen"), ("D", "Diensten en diverse goederen"), ("I", "Investeringen"))
        for rate in ("21", "12", "6", "00")
    ),
    ("MC21", "Aankopen medecontractant 21 %", BUY, 21, 0),
    ("MC6", "Aankopen medecontractant 6 %", BUY, 6, 0),
    ("ICH21", "Intracommunautaire verwerving goederen", BUY, 21, 0),
    ("ICD21", "Intracommunautaire diensten ontvangen", BUY, 21, 0),
    ("INV21", "Invoer 21 %", BUY, 21, 0),
    ("HVR", "Vrijgestelde aankopen", BUY, 0, 0),
)
"""Code, description, ``type``, ``basePercentage``, ``defaultSellBookingAccountNr``."""
