"""UBL 2.1 invoices and credit notes: read safely into typed values, built, written, and checked as the official rules do.

```python
document = koppel_ubl.read(data)
document.number, document.totals.payable, document.seller.enterprise_number
koppel_ubl.read(koppel_ubl.write(document)) == document
koppel_ubl.check(data).valid
```
"""

from .building import build, credit_transfer, daily_receipts, party
from .checking import Finding, Profile, Report, Rule, Sentence, check, rule
from .embedding import with_embedded_pdf
from .errors import BuildError, ReadError, WriteError
from .lightening import without_embedded_files
from .model import (
    Address,
    AllowanceCharge,
    Attachment,
    BillingReference,
    Classification,
    Contact,
    CreditNote,
    Delivery,
    Document,
    Identifier,
    Invoice,
    Item,
    Line,
    Party,
    PaymentMeans,
    Period,
    Price,
    Property,
    Totals,
    VatCategory,
    VatSubtotal,
)
from .preparing import prepare
from .reading.attachments import safe_file_name
from .reading.document import read
from .writing.document import write

__all__ = [
    "Address",
    "AllowanceCharge",
    "Attachment",
    "BillingReference",
    "BuildError",
    "Classification",
    "Contact",
    "CreditNote",
    "Delivery",
    "Document",
    "Finding",
    "Identifier",
    "Invoice",
    "Item",
    "Line",
    "Party",
    "PaymentMeans",
    "Period",
    "Price",
    "Profile",
    "Property",
    "ReadError",
    "Report",
    "Rule",
    "Sentence",
    "Totals",
    "VatCategory",
    "VatSubtotal",
    "WriteError",
    "build",
    "check",
    "credit_transfer",
    "daily_receipts",
    "party",
    "prepare",
    "read",
    "rule",
    "safe_file_name",
    "with_embedded_pdf",
    "without_embedded_files",
    "write",
]
