"""CODA, the Belgian coded statement of account: read, written and checked.

```python
for statement in koppel_coda.read(data):
    statement.account.iban, statement.closing, [movement.amount for movement in statement.movements]
```
"""

from . import cash_book
from .accounts import Account, Structure
from .checking import Finding, Report, Rule, Sentence, check, check_series
from .codes import CodeExplanation, TransactionCode
from .communications import OtherStructured, Structured
from .errors import Note, ReadError, WriteError
from .model import Balance, Counterparty, Header, Information, Movement, Statement, Trailer
from .reading import iter_statements, read
from .writing import write

__all__ = [
    "Account",
    "Balance",
    "CodeExplanation",
    "Counterparty",
    "Finding",
    "Header",
    "Information",
    "Movement",
    "Note",
    "OtherStructured",
    "ReadError",
    "Report",
    "Rule",
    "Sentence",
    "Statement",
    "Structure",
    "Structured",
    "Trailer",
    "TransactionCode",
    "WriteError",
    "cash_book",
    "check",
    "check_series",
    "iter_statements",
    "read",
    "write",
]
