"""UBL 2.1 invoices and credit notes: read safely into typed values.

```python
document = koppel_ubl.read(data)
document.number, document.totals.payable, document.seller.enterprise_number
```
"""

from .errors import ReadError
from .model import (
    AllowanceCharge,
    Attachment,
    BillingReference,
    CreditNote,
    Delivery,
    Document,
    Invoice,
    Item,
    Line,
    PaymentMeans,
    Period,
    Price,
    Property,
    Totals,
    VatCategory,
    VatSubtotal,
)
from .parties import Address, Contact, Identifier, Party
from .reading.document import read

__all__ = [
    "Address",
    "AllowanceCharge",
    "Attachment",
    "BillingReference",
    "Contact",
    "CreditNote",
    "Delivery",
    "Document",
    "Identifier",
    "Invoice",
    "Item",
    "Line",
    "Party",
    "PaymentMeans",
    "Period",
    "Price",
    "Property",
    "ReadError",
    "Totals",
    "VatCategory",
    "VatSubtotal",
    "read",
]
