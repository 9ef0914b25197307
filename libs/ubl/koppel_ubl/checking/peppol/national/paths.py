"""Paths and sentences that several countries use."""

from koppel_ubl.checking.peppol.xpath import Path

SUPPLIER = Path("cac:AccountingSupplierParty/cac:Party")
CUSTOMER = Path("cac:AccountingCustomerParty/cac:Party")
REPRESENTATIVE = Path("cac:TaxRepresentativeParty")
REGISTRATION = Path("cac:PartyLegalEntity/cbc:CompanyID")
COUNTRY = Path("cac:PostalAddress/cac:Country/cbc:IdentificationCode")
STREET = Path("cac:PostalAddress/cbc:StreetName")
CITY = Path("cac:PostalAddress/cbc:CityName")
POSTCODE = Path("cac:PostalAddress/cbc:PostalZone")
TAX_SCHEME = Path("cac:TaxScheme/cbc:ID")
COMPANY = Path("cbc:CompanyID")
MEANS_CODE = Path("cbc:PaymentMeansCode")
PAYEE_ACCOUNT = Path("cac:PayeeFinancialAccount/cbc:ID")
PAYEE_BANK = Path("cac:PayeeFinancialAccount/cac:FinancialInstitutionBranch/cbc:ID")
MANDATE = Path("cac:PaymentMandate/cbc:ID")
PAYER_ACCOUNT = Path("cac:PaymentMandate/cac:PayerFinancialAccount/cbc:ID")
SUPPORTING = Path("cac:AdditionalDocumentReference")
DESCRIPTION = Path("cbc:DocumentDescription")
