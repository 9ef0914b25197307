"""The resources of the API as data: their fields and types, what may be filtered, what must be, who may do what (exact §3).

Types: G guid, S text, I integer, D double, B boolean, T date.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Resource:
    """One resource."""

    path: str
    table: str
    type_name: str
    fields: dict[str, str]
    key: str = "ID"
    methods: frozenset[str] = frozenset({"GET"})
    mandatory: tuple[str, ...] = ()
    """Fields a POST needs."""
    read_only: frozenset[str] = frozenset()
    filter_one_of: tuple[str, ...] = ()
    """A GET of the list needs a filter on one of these (exact §2, mandatory filtering)."""
    page_size: int = 60
    select_needed: bool = False
    only_timestamp: bool = False
    lines: str = ""
    """Name of the collection of lines."""
    line_fields: dict[str, str] = field(default_factory=dict)
    licence: str = ""


def _fields(text: str) -> dict[str, str]:
    """``"G:ID,Account S:Name"`` → ``{"ID": "G", "Account": "G", "Name": "S"}``."""
    return {name: group[0] for group in text.split() for name in group[2:].split(",")}


_ALL = frozenset({"GET", "POST", "PUT", "DELETE"})
_STAMPS = " T:Created,Modified I:Division S:Timestamp"

_ACCOUNT = _fields(
    "G:ID,GLAR,GLAP,GLAccountSales,GLAccountPurchase,InvoiceAccount S:Code,Name,SearchCode,VATNumber,ChamberOfCommerce,"
    "VATLiability,Status,Type,AddressLine1,AddressLine2,AddressLine3,Postcode,City,State,Country,Email,Phone,Website,"
    "Language,SalesVATCode,PurchaseVATCode,SalesCurrency,PurchaseCurrency,PaymentConditionSales,PaymentConditionPurchase,"
    "PeppolIdentifier,GlnNumber B:IsSupplier,IsSales,IsPurchase,Blocked I:InvoicingMethod,PeppolIdentifierType"
    " T:StartDate,EndDate" + _STAMPS
)
_ENTRY_LINE = _fields(
    "G:ID,EntryID,GLAccount,Project,Asset S:VATCode,Description,Notes,CostCenter,CostUnit,GLAccountCode,"
    "GLAccountDescription,VATCodeDescription D:AmountFC,AmountDC,VATAmountFC,VATAmountDC,VATBaseAmountFC,VATPercentage,Quantity"
    " I:LineNumber,Type,Division T:From,To"
)
_ENTRY = (
    "G:EntryID,{party},Document S:Journal,YourRef,Description,Currency,PaymentCondition,PaymentReference,"
    "ExternalLinkReference,{party}Name,JournalDescription,StatusDescription,TypeDescription,DocumentSubject,"
    "PaymentConditionDescription D:AmountFC,AmountDC,VATAmountFC,VATAmountDC,GAccountAmountFC,Rate"
    " I:EntryNumber,InvoiceNumber,OrderNumber,ReportingYear,ReportingPeriod,BatchNumber,ProcessNumber,Status,Type,DocumentNumber"
    " B:Reversal,IsExtraDuty T:EntryDate,DueDate" + _STAMPS
)
_ENTRY_READ_ONLY = frozenset(
    {
        "AmountDC",
        "AmountFC",
        "VATAmountDC",
        "Status",
        "StatusDescription",
        "Type",
        "TypeDescription",
        "JournalDescription",
    }
)
_GL = _fields(
    "G:ID S:Code,Description,BalanceSide,BalanceType,VATCode,VATGLAccountType,SearchCode,TypeDescription,ReportingCode"
    " I:Type,UseCostcenter,UseCostunit B:IsBlocked,Matching" + _STAMPS
)
_DOCUMENT = _fields(
    "G:ID,Account,Category,Contact,Project,Item,FinancialTransactionEntryID S:Subject,TypeDescription,Body,Currency,"
    "DocumentViewUrl,Language I:HID,Type,ProposedEntryStatus,ScanServiceStatus,SalesInvoiceNumber D:AmountFC"
    " B:HasEmptyBody T:DocumentDate,ExpiryDate" + _STAMPS
)
_ATTACHMENT = _fields("G:ID,Document S:FileName,Url,Attachment D:FileSize" + _STAMPS)
_TRANSACTION_LINE = _fields(
    "G:ID,EntryID,GLAccount,Account,Document S:JournalCode,GLAccountCode,YourRef,Description,VATCode,AccountCode,AccountName"
    " I:EntryNumber,FinancialYear,FinancialPeriod,LineNumber,Status,InvoiceNumber,Type D:AmountDC,AmountFC,AmountVATFC"
    " T:Date" + _STAMPS
)
_BANK_LINE = _fields(
    "G:ID,EntryID,GLAccount,Account,Document S:Description,VATCode,Notes,CostCenter,CostUnit D:AmountFC,AmountDC,AmountVATFC"
    " I:LineNumber,OurRef T:Date"
)
_MAIL = _fields(
    "G:ID,SenderMailboxID,RecipientMailboxID,Bank S:Subject,SenderMailbox,RecipientMailbox,BankAccount,Country"
    " I:Type,Operation,RecipientStatus,ForDivision" + _STAMPS
)

RESOURCES: dict[str, Resource] = {
    one.path: one
    for one in (
        Resource(
            "system/Divisions",
            "@divisions",
            "System.Division",
            _fields(
                "I:Code,Status,BlockingStatus S:Hid,Description,CustomerCode,CustomerName,Country,Currency,VATNumber,"
                "ChamberOfCommerceNumber,Legislation B:IsMainDivision,IsDossierDivision,IsPracticeDivision,Current"
                " T:DivisionMoveDate,Modified,Created"
            ),
            key="Code",
        ),
        Resource(
            "hrm/Divisions",
            "@hrm_divisions",
            "HRM.Division",
            _fields(
                "I:Code,Status,BlockingStatus S:HID,Description,CustomerCode,CustomerName,Country,Currency,VATNumber"
                " B:Main T:ArchiveDate,StartDate"
            ),
            key="Code",
        ),
        Resource(
            "crm/Accounts",
            "Accounts",
            "CRM.Account",
            _ACCOUNT,
            methods=_ALL,
            mandatory=("Name",),
            licence="crm",
            read_only=frozenset({"IsSales", "IsPurchase", "Type"}),
            filter_one_of=(
                "ID",
                "Code",
                "Name",
                "Blocked",
                "Created",
                "Modified",
                "Email",
                "IsSupplier",
                "IsSales",
                "Status",
                "VATNumber",
                "Type",
                "ChamberOfCommerce",
            ),
        ),
        Resource(
            "crm/BankAccounts",
            "BankAccounts",
            "CRM.BankAccount",
            _fields("G:ID,Account S:BankAccount,BICCode,Type B:Main" + _STAMPS),
            methods=_ALL,
            mandatory=("Account", "BankAccount"),
        ),
        Resource(
            "financial/GLAccounts",
            "GLAccounts",
            "Financial.GLAccount",
            _GL,
            methods=_ALL,
            mandatory=("Code", "Description"),
        ),
        Resource(
            "financial/Journals",
            "Journals",
            "Financial.Journal",
            _fields(
                "G:ID,GLAccount,Bank S:Code,Description,Currency,GLAccountCode,BankAccountIBAN I:Type"
                " B:AllowVariableCurrency,AllowVariableExchangeRate,AllowVAT,IsBlocked" + _STAMPS
            ),
            methods=_ALL,
            mandatory=("Code", "Description"),
        ),
        Resource(
            "vat/VATCodes",
            "VATCodes",
            "VAT.VATCode",
            _fields(
                "G:ID,GLToPay,GLToClaim S:Code,Description,Type,VATTransactionType,EUSalesListing,Country,LegalText"
                " D:Percentage B:IsBlocked,Charged,IntraStat" + _STAMPS
            ),
            methods=_ALL,
            mandatory=("Code", "Description"),
        ),
        Resource(
            "vat/VatPercentages",
            "VatPercentages",
            "VAT.VatPercentage",
            _fields("G:ID,VATCodeID D:Percentage T:StartDate,EndDate I:Type,LineNumber" + _STAMPS),
        ),
        Resource(
            "cashflow/PaymentConditions",
            "PaymentConditions",
            "Cashflow.PaymentCondition",
            _fields("G:ID S:Code,Description,PaymentMethod I:PaymentDays,PaymentEndOfMonths D:Percentage" + _STAMPS),
            methods=frozenset({"GET", "POST"}),
            mandatory=("Code", "Description"),
        ),
        Resource(
            "financial/FinancialPeriods",
            "@periods",
            "Financial.FinancialPeriod",
            _fields("G:ID I:FinYear,FinPeriod,Division T:StartDate,EndDate"),
        ),
        Resource(
            "read/financial/JournalStatusList",
            "@journal_status",
            "Financial.JournalStatusList",
            _fields("S:Journal,JournalDescription,JournalTypeDescription I:JournalType,Year,Period,Status"),
            key="Journal",
            page_size=1000,
        ),
        *(
            Resource(
                f"{family.lower()}entry/{family}Entries",
                "Entries",
                f"{family}Entry.{family}Entry",
                _fields(_ENTRY.format(party=party)),
                key="EntryID",
                methods=_ALL,
                licence="financial",
                mandatory=(),
                read_only=_ENTRY_READ_ONLY,
                lines=f"{family}EntryLines",
                line_fields=_ENTRY_LINE,
            )
            for family, party in (("Sales", "Customer"), ("Purchase", "Supplier"))
        ),
        *(
            Resource(
                f"{family.lower()}entry/{family}EntryLines",
                f"{family}EntryLines",
                f"{family}Entry.{family}EntryLine",
                _ENTRY_LINE,
                methods=_ALL,
                mandatory=("EntryID", "GLAccount", "AmountFC"),
                licence="financial",
            )
            for family in ("Sales", "Purchase")
        ),
        Resource(
            "financialtransaction/TransactionLines",
            "@transaction_lines",
            "FinancialTransaction.TransactionLine",
            _TRANSACTION_LINE,
            filter_one_of=(
                "EntryID",
                "EntryNumber",
                "Date",
                "JournalCode",
                "Modified",
                "Status",
                "YourRef",
                "Document",
            ),
        ),
        Resource(
            "financialtransaction/BankEntries",
            "BankEntries",
            "FinancialTransaction.BankEntry",
            _fields(
                "G:EntryID,BankStatementDocument S:JournalCode,Currency D:OpeningBalanceFC,ClosingBalanceFC"
                " I:EntryNumber,FinancialYear,FinancialPeriod,Status" + _STAMPS
            ),
            key="EntryID",
            methods=frozenset({"GET", "POST", "DELETE"}),
            mandatory=("JournalCode",),
            lines="BankEntryLines",
            line_fields=_BANK_LINE,
            licence="bank",
        ),
        Resource(
            "documents/Documents",
            "Documents",
            "Documents.Document",
            _DOCUMENT,
            methods=_ALL,
            mandatory=("Subject", "Type"),
            licence="documents",
        ),
        Resource(
            "documents/DocumentAttachments",
            "DocumentAttachments",
            "Documents.DocumentAttachment",
            _ATTACHMENT,
            methods=frozenset({"GET", "POST", "DELETE"}),
            mandatory=("Document", "FileName", "Attachment"),
            licence="documents",
        ),
        Resource(
            "documents/DocumentTypes",
            "DocumentTypes",
            "Documents.DocumentType",
            _fields(
                "I:ID,TypeCategory S:Description B:DocumentIsCreatable,DocumentIsUpdatable,DocumentIsDeletable,"
                "DocumentIsViewable"
            ),
        ),
        Resource(
            "documents/DocumentCategories",
            "DocumentCategories",
            "Documents.DocumentCategory",
            _fields("G:ID S:Description"),
        ),
        Resource(
            "documents/DocumentTypeCategories",
            "DocumentTypeCategories",
            "Documents.DocumentTypeCategory",
            _fields("I:ID S:Description"),
        ),
        Resource(
            "mailbox/Mailboxes",
            "Mailboxes",
            "Mailbox.Mailbox",
            _fields(
                "G:ID,Account S:Mailbox,Description,ForDivisionDescription I:Type,ForDivision,Publish"
                " T:ValidFrom,ValidTo" + _STAMPS
            ),
            methods=_ALL,
            mandatory=("Mailbox",),
            licence="mailbox",
        ),
        Resource(
            "mailbox/MailMessagesSent",
            "MailMessagesSent",
            "Mailbox.MailMessagesSent",
            _MAIL,
            methods=frozenset({"GET", "POST"}),
            mandatory=("SenderMailboxID", "RecipientMailboxID", "Subject"),
            read_only=frozenset({"RecipientStatus"}),
            licence="mailbox",
        ),
        Resource(
            "mailbox/MailMessageAttachments",
            "MailMessageAttachments",
            "Mailbox.MailMessageAttachment",
            _fields("G:ID,MailMessageID S:AttachmentFileName,Attachment,Url I:Type D:FileSize" + _STAMPS),
            methods=frozenset({"GET", "POST"}),
            mandatory=("MailMessageID", "AttachmentFileName", "Attachment"),
            licence="mailbox",
        ),
        Resource(
            "webhooks/WebhookSubscriptions",
            "@webhooks",
            "Webhooks.WebhookSubscription",
            _fields("G:ID,ClientID,UserID,Creator S:CallbackURL,Topic,Description B:IsInstant T:Created I:Division"),
            methods=_ALL,
            mandatory=("CallbackURL", "Topic"),
        ),
        Resource(
            "cashflow/ImportNotifications",
            "ImportNotifications",
            "Cashflow.ImportNotification",
            _fields("G:ID,BankAccountID,Document S:BankAccount,ResultDescription I:Result" + _STAMPS),
        ),
        *(
            Resource(
                f"sync/{path}", table, f"Sync.{path.replace('/', '.')}", fields, page_size=1000, only_timestamp=True
            )
            for path, table, fields in (
                ("CRM/Accounts", "Accounts", _ACCOUNT),
                ("Financial/GLAccounts", "GLAccounts", _GL),
                ("Financial/TransactionLines", "@transaction_lines", _TRANSACTION_LINE),
                ("Documents/Documents", "Documents", _DOCUMENT),
                ("Documents/DocumentAttachments", "DocumentAttachments", _ATTACHMENT),
                (
                    "Deleted",
                    "Deleted",
                    _fields("G:ID,EntityKey,DeletedBy S:Timestamp I:EntityType,Division T:DeletedDate"),
                ),
            )
        ),
        *(
            Resource(
                f"bulk/{path}", table, f"Bulk.{path.replace('/', '.')}", fields, page_size=1000, select_needed=True
            )
            for path, table, fields in (
                ("CRM/Accounts", "Accounts", _ACCOUNT),
                ("Financial/GLAccounts", "GLAccounts", _GL),
                ("Documents/Documents", "Documents", _DOCUMENT),
                ("Financial/TransactionLines", "@transaction_lines", _TRANSACTION_LINE),
            )
        ),
    )
}
