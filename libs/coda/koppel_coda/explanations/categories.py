"""Categories of transaction codes: what kind of amount it is."""

CATEGORIES = """
000|nettobedrag|montant net|net amount
001|ontvangen rente|intérêts reçus|interest received
002|betaalde rente|intérêts payés|interest paid
003|kredietcommissie|commission de crédit|credit commission
006|allerlei kosten en commissies|frais et commissions divers|sundry fees and charges
011|btw|TVA|VAT
012|wisselcommissie|commission de change|exchange commission
013|betalingscommissie|commission de paiement|payment commission
014|incassocommissie|commission d'encaissement|collection commission
015|kosten van de correspondent|frais du correspondant|correspondent charges
041|kosten van de kredietkaart|frais de carte de crédit|credit card costs
042|kosten van de betaalkaart|frais de carte de paiement|payment card costs
045|behandelingskosten|frais de traitement|handling costs
050|kapitaal van een termijnbelegging|capital d'un placement à terme|capital of a term investment
051|roerende voorheffing|précompte mobilier|withholding tax
055|terugbetaling van een lening|remboursement de prêt|repayment of a loan
061|kosten per verrichting|frais par opération|charge per transaction
063|afrondingsverschil|différence d'arrondi|rounding difference
066|vast voorschot|avance fixe|fixed advance
068|tegenwaarde van een deel|contre-valeur d'une écriture|countervalue of an entry
073|kosten van een geldopneming in het buitenland|frais de retrait à l'étranger|costs of a cash withdrawal abroad
100|brutobedrag|montant brut|gross amount
426|makelaarsloon|courtage|broker's commission
427|beurstaks|taxe de bourse|stock-exchange tax
429|buitenlandse beurstaks|taxe de bourse étrangère|foreign stock-exchange tax
"""

RANGES = """
200-214|documentair krediet: kosten|crédit documentaire : frais|documentary credit: charges
400-438|handelspapier en effecten: kosten|papier commercial et titres : frais|bills and securities: charges
"""
