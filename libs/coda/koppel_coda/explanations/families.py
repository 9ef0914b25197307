"""Types and families of transaction codes."""

TYPES = """
0|enkelvoudig bedrag zonder detail|montant simple sans détail|single amount without detail
1|totaal samengesteld door de klant|total constitué par le client|amount totalled by the customer
2|totaal samengesteld door de bank|total constitué par la banque|amount totalled by the bank
3|enkelvoudig bedrag met detail|montant simple avec détail|single amount with detail
5|detail van een totaal van de klant|détail d'un total du client|detail of an amount totalled by the customer
6|detail van een totaal van de bank|détail d'un total de la banque|detail of an amount totalled by the bank
7|detail van de bank, zelf met detail|détail de la banque, lui-même détaillé|detail by the bank, itself with detail
8|detail van een enkelvoudig bedrag|détail d'un montant simple|detail of a single amount
9|detail van een detail|détail d'un détail|detail of a detail
"""

FAMILIES = """
00|niet nader bepaald|non défini|undefined
01|overschrijvingen|virements|credit transfers
02|instantoverschrijvingen|virements instantanés|instant credit transfers
03|cheques|chèques|cheques
04|kaarten|cartes|cards
05|domiciliëringen|domiciliations|direct debits
07|binnenlands handelspapier|papier commercial national|domestic commercial paper
09|loketverrichtingen (contanten)|opérations au guichet (espèces)|counter transactions (cash)
11|effecten|titres|securities
13|kredieten|crédits|credits
30|allerlei|divers|various transactions
35|afsluiting (rente, periodieke kosten)|clôture (intérêts, frais périodiques)|closing (interest, periodic costs)
41|internationale overschrijvingen|virements internationaux|international credit transfers
43|buitenlandse cheques|chèques étrangers|foreign cheques
47|buitenlands handelspapier|papier commercial étranger|foreign commercial paper
49|buitenlandse loketverrichtingen|opérations de guichet étrangères|foreign counter transactions
80|afzonderlijk aangerekende kosten|frais portés séparément en compte|separately charged costs
"""
