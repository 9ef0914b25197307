"""Every sentence of Exact we know, in the three languages an Exact user may have (exact §5.1)."""

import pytest

from connector_exact.messages import UNKNOWN_SENTENCE, meanings
from connector_exact.problems import PROBLEMS
from koppel_connector.contract import BOOKING_PROBLEMS
from koppel_sandbox.exact import texts

SENTENCES = [
    ("Mandatory: Journal", "journal_missing"),
    ("Mandatory: Diary", "journal_missing"),
    ("Verplicht: Dagboek", "journal_missing"),
    ("Obligatoire : Journal", "journal_missing"),
    ("Invalid reference: Journals", "journal_unknown"),
    ("Ongeldige referentie: Journals", "journal_unknown"),
    ("Référence non valide : Journal", "journal_unknown"),
    ("Invalid: Journal (type)", "journal_wrong_type"),
    ("Ongeldig: Dagboek (type)", "journal_wrong_type"),
    ("Invalid journal. The journal must be a cash journal.", "journal_wrong_type"),
    ("Mandatory: Relationship", "relation_missing"),
    ("Mandatory: Account", "relation_missing"),
    ("Verplicht: Relatie", "relation_missing"),
    ("Obligatoire : Relation", "relation_missing"),
    ("Invalid: Customer (Type)", "relation_not_customer"),
    ("Ongeldig: Klant (Type)", "relation_not_customer"),
    ("Non valide : Client (Type)", "relation_not_customer"),
    ("Invalid: Supplier (Type)", "relation_not_supplier"),
    ("Ongeldig: Leverancier (Type)", "relation_not_supplier"),
    ("Non valide : Fournisseur (Type)", "relation_not_supplier"),
    ("Invalid reference: VAT code", "unknown_vat_code"),
    ("Ongeldige referentie: Btw-code", "unknown_vat_code"),
    ("Référence non valide : Code TVA", "unknown_vat_code"),
    ("Not allowed: VAT code", "vat_code_not_allowed"),
    ("Niet toegestaan: Btw-code", "vat_code_not_allowed"),
    ("Non autorisé : Code TVA", "vat_code_not_allowed"),
    ("Invalid: VAT percentage []", "vat_percentage_differs"),
    ("Blocked: G/L account: 85071 - Diverse kosten", "ledger_account_blocked"),
    ("Geblokkeerd: Grootboekrekening: 604000 - Aankopen", "ledger_account_blocked"),
    ("Bloqué : Compte général: 604000 - Achats", "ledger_account_blocked"),
    ("Invalid: G/L account type", "ledger_account_wrong_type"),
    ("Ongeldig: Grootboekrekeningtype", "ledger_account_wrong_type"),
    ("Invalid reference: G/L account", "ledger_account_unknown"),
    ("Invalid reference: Cost unit", "cost_centre_needed"),
    ("Mandatory: Cost center", "cost_centre_needed"),
    ("Verplicht: Kostenplaats", "cost_centre_needed"),
    ("Period is closed: 2024 - 1", "period_closed"),
    ("Periode is afgesloten: 2024 - 1", "period_closed"),
    ("La période est clôturée : 2024 - 1", "period_closed"),
    ("La période comptable est fermée : 2024 - 1", "period_closed"),
    ("Période comptable clôturée: 2024 - 1", "period_closed"),
    ("The customer is blocked", "relation_blocked"),
    ("Relatie is geblokkeerd: 12 - Bakkerij", "relation_blocked"),
    ("Le fournisseur est bloqué", "relation_blocked"),
    ("The G/L account is blocked: 700000", "ledger_account_blocked"),
    ("Het dagboek is geblokkeerd", "journal_blocked"),
    ("Bloqué : Compte du grand livre : 85071 - x", "ledger_account_blocked"),
    ("Données déjà existantes", "already_exists"),
    ("Unknown: Financial year (Period-date table)", "financial_year_missing"),
    ("Onbekend: Boekjaar (Periode-datumtabel)", "financial_year_missing"),
    ("Inconnu : Exercice (table des périodes)", "financial_year_missing"),
    ("Mandatory: Payment condition", "payment_condition_missing"),
    ("Invalid reference: Payment condition", "payment_condition_missing"),
    ("Mandatory: Due date", "due_date_missing"),
    ("In use: Entry number", "entry_number_taken"),
    ("In gebruik: Boekstuknummer", "entry_number_taken"),
    ("Already exists - Entry number: 26700042, Journal: 700", "entry_number_taken"),
    ("Data already exists", "already_exists"),
    ("Gegeven bestaat reeds", "already_exists"),
    ("The entry is not balanced on: 2022 / 4 (Type: Purchase entry) - Difference: EUR -0,01", "entry_not_balanced"),
    ("Not allowed: Exchange rate", "currency_not_allowed"),
    ("Niet toegestaan: Wisselkoers", "currency_not_allowed"),
    ("The financial year cannot be changed.", "vendor_request_wrong"),
    ("Forbidden", "missing_right"),
    ("Forbidden - Application Scope Violated. Cannot read", "app_scope_missing"),
    ("Forbidden - User division is not within division scope", "no_division_access"),
    ("Forbidden - Customer's license expired", "licence_expired"),
    ("Iets wat wij nog nooit zagen: 42", UNKNOWN_SENTENCE),
]


@pytest.mark.parametrize(("sentence", "code"), SENTENCES)
def test_a_sentence_means_its_problem_whatever_its_case(sentence: str, code: str) -> None:
    for spelling in (sentence, sentence.upper(), f"  {sentence} "):
        assert [meaning.code for meaning in meanings(spelling)] == [code]


def test_several_sentences_keep_their_order() -> None:
    found = meanings("Mandatory: Journal\r\nInvalid reference: VAT code\r\n")
    assert [meaning.code for meaning in found] == ["journal_missing", "unknown_vat_code"]


def test_every_problem_of_a_sentence_is_in_the_catalogue_in_three_languages() -> None:
    for _, code in SENTENCES:
        if code == "already_exists":  # never shown: looked up instead
            continue
        kind = PROBLEMS.over(BOOKING_PROBLEMS)[code]
        assert len({kind.nl, kind.fr, kind.en}) == 3
        assert kind.who_can_fix in {"accountant", "entrepreneur", "operator", "partner", "koppel"}


def test_a_hostile_answer_is_bounded() -> None:
    assert len(meanings("Mandatory: " * 100_000)) == 1
    assert len(meanings("x\r\n" * 100_000)) <= 20


@pytest.mark.parametrize("translations", [texts.NL, texts.FR], ids=["nl", "fr"])
def test_the_sandbox_says_nothing_we_understand_in_one_language_only(translations: dict[str, str]) -> None:
    for english, translated in translations.items():
        assert meanings(english)[0].code == meanings(translated)[0].code, translated
