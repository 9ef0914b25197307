"""Operations of transaction codes: family and operation, ``**`` for what an operation means in every family."""

OPERATIONS = """
**37|kosten|frais|costs
**87|terugbetaling van kosten|remboursement de frais|refund of costs
**49|annulering of verbetering|annulation ou correction|cancellation or correction
**99|annulering of verbetering|annulation ou correction|cancellation or correction
0101|overschrijvingsopdracht|ordre de virement|transfer order
0102|overschrijving op initiatief van de bank|virement à l'initiative de la banque|transfer initiated by the bank
0103|doorlopende opdracht|ordre permanent|standing order
0105|betaling van lonen|paiement de salaires|payment of wages
0107|verzamelopdracht|ordre collectif|collective transfer
0113|overschrijving naar eigen rekening|virement vers un compte propre|transfer to an account of your own
0117|centralisatie|centralisation|centralisation
0139|circulaire cheque|chèque circulaire|circular cheque
0150|overschrijving in uw voordeel|virement en votre faveur|transfer in your favour
0151|overschrijving in uw voordeel door de bank|virement en votre faveur par la banque|transfer in your favour by the bank
0152|betaling in uw voordeel door een derde|paiement en votre faveur par un tiers|payment in your favour by a third party
0154|onuitvoerbare overschrijvingsopdracht|ordre de virement inexécutable|transfer order that could not be executed
0160|niet-aangeboden circulaire cheque|chèque circulaire non présenté|circular cheque that was not presented
0162|onbetaalde postassignatie|assignation postale impayée|unpaid postal order
0164|overschrijving van eigen rekening|virement d'un compte propre|transfer from an account of your own
0166|centralisatie|centralisation|centralisation
0201|instantoverschrijving|virement instantané|instant transfer order
0202|instantoverschrijving door de bank|virement instantané par la banque|instant transfer initiated by the bank
0203|doorlopende instantopdracht|ordre permanent instantané|instant standing order
0205|instantbetaling van lonen|paiement instantané de salaires|instant payment of wages
0207|verzamelopdracht van instantoverschrijvingen|ordre collectif instantané|collective instant transfer
0213|instantoverschrijving naar eigen rekening|virement instantané vers un compte propre|instant transfer to an own account
0217|centralisatie|centralisation|centralisation
0250|instantoverschrijving in uw voordeel|virement instantané en votre faveur|instant transfer in your favour
0251|instantoverschrijving door de bank|virement instantané par la banque|instant transfer in your favour by the bank
0252|instantbetaling door een derde|paiement instantané par un tiers|instant payment by a third party
0254|onuitvoerbare instantoverschrijving|virement instantané inexécutable|instant transfer that could not be executed
0264|instantoverschrijving van eigen rekening|virement instantané d'un compte propre|instant transfer from an account of your own
0266|centralisatie|centralisation|centralisation
0301|betaling van uw cheque|paiement de votre chèque|payment of your cheque
0305|betaling van een voucher|paiement d'un voucher|payment of a voucher
0309|onbetaalde voucher|voucher impayé|unpaid voucher
0311|winkelcheque|chèque de magasin|store cheque
0315|aankoop van een bankcheque|achat d'un chèque bancaire|purchase of a bank cheque
0317|gecertificeerde cheque|chèque certifié|certified cheque
0338|voorlopig onbetaalde cheque|chèque provisoirement impayé|cheque provisionally unpaid
0352|credit van cheques onder voorbehoud|crédit de chèques sauf bonne fin|first credit of cheques under reserve
0358|credit van cheques na incasso|crédit de chèques après encaissement|credit of cheques after collection
0360|tegenboeking van een voucher|contrepassation d'un voucher|reversal of a voucher
0362|tegenboeking van een cheque|contrepassation d'un chèque|reversal of a cheque
0363|tweede credit van onbetaalde cheques|second crédit de chèques impayés|second credit of unpaid cheques
0366|cheque uitgegeven door uw kantoor|chèque émis par votre agence|cheque by your branch
0401|opladen van een gsm-kaart|rechargement d'une carte GSM|loading a GSM card
0402|kaartbetaling in de eurozone|paiement par carte dans la zone euro|card payment within the eurozone
0403|afrekening van kredietkaarten|décompte de cartes de crédit|settlement of credit cards
0404|geldopneming aan een automaat|retrait d'espèces à un distributeur|cash withdrawal from an ATM
0405|opladen van Proton|chargement de Proton|loading Proton
0406|betaling met tankkaart|paiement par carte carburant|payment with a tank card
0407|betaling met gsm|paiement par GSM|payment by GSM
0408|kaartbetaling buiten de eurozone|paiement par carte hors zone euro|card payment outside the eurozone
0409|opladen van een prepaidkaart|chargement d'une carte prépayée|loading of a prepaid card
0410|correctie van een prepaidkaart|correction d'une carte prépayée|correction for a prepaid card
0450|credit na betaling aan een terminal|crédit après paiement à un terminal|credit after a payment at a terminal
0451|ontladen van Proton|déchargement de Proton|unloading Proton
0452|opladen van gsm-kaarten|rechargement de cartes GSM|loading of GSM cards
0453|storting van contanten aan een automaat|versement d'espèces à un automate|cash deposit at an ATM
0454|inkomsten uit prepaidkaarten|recettes de cartes prépayées|income from prepaid cards
0455|inkomsten uit betalingen met gsm|recettes de paiements par GSM|income from payments by GSM
0468|credit na Protonbetalingen|crédit après paiements Proton|credit after Proton payments
0501|betaling van een domiciliëring|paiement d'une domiciliation|payment of a direct debit
0503|onbetaalde domiciliëring|domiciliation impayée|unpaid direct debit
0505|terugbetaling van een domiciliëring|remboursement d'une domiciliation|reimbursement of a direct debit
0550|credit na incasso|crédit après encaissement|credit after collection
0552|credit onder voorbehoud|crédit sauf bonne fin|credit under usual reserve
0554|terugbetaling in uw voordeel|remboursement en votre faveur|reimbursement in your favour
0556|onuitvoerbare terugbetaling|remboursement inexécutable|reimbursement that could not be executed
0558|terugboeking|extourne|reversal
0701|betaling van handelspapier|paiement de papier commercial|payment of commercial paper
0705|teruggevorderd handelspapier|papier commercial réclamé|commercial paper claimed back
0706|verlenging van de vervaldag|prorogation d'échéance|extension of the maturity date
0707|onbetaald handelspapier|papier commercial impayé|unpaid commercial paper
0708|vervroegde betaling|paiement anticipé|payment in advance
0709|agio op leverancierswissel|agio sur effet fournisseur|agio on a supplier's bill
0739|onregelmatig papier|papier irrégulier|irregular paper
0750|credit na incasso|crédit après encaissement|credit after collection
0752|credit onder voorbehoud|crédit sauf bonne fin|credit under usual reserve
0754|credit voor disconto|crédit pour escompte|credit for discount
0756|leverancierswissel met waarborg|effet fournisseur avec garantie|supplier's bill with guarantee
0758|leverancierswissel zonder waarborg|effet fournisseur sans garantie|supplier's bill without guarantee
0901|opneming van contanten|retrait d'espèces|cash withdrawal
0905|aankoop van vreemde bankbiljetten|achat de billets étrangers|purchase of foreign banknotes
0907|aankoop van goud|achat d'or|purchase of gold
0909|aankoop van benzinebons|achat de bons d'essence|purchase of petrol coupons
0913|opneming van contanten door kantoor of agent|retrait d'espèces par l'agence ou l'agent|cash withdrawal by branch or agent
0917|aankoop van fiscale zegels|achat de timbres fiscaux|purchase of fiscal stamps
0919|verschil in betaling|différence de versement|difference in payment
0925|aankoop van reischeques|achat de chèques de voyage|purchase of traveller's cheques
0950|storting van contanten|versement d'espèces|cash payment in
0952|storting via de nachtkluis|versement au coffre de nuit|payment through the night safe
0958|storting door kantoor of agent|versement par l'agence ou l'agent|payment in by branch or agent
0960|verkoop van vreemde bankbiljetten|vente de billets étrangers|sale of foreign banknotes
0962|verkoop van goud|vente d'or|sale of gold
0968|verschil in betaling|différence de versement|difference in payment
0970|verkoop van reischeques|vente de chèques de voyage|sale of traveller's cheques
1101|aankoop van effecten|achat de titres|purchase of securities
1102|inschrijving op aanbestedingen|adjudications|tenders
1103|inschrijving op effecten|souscription de titres|subscription to securities
1104|uitgiften|émissions|issues
1105|volstorting|libération partielle|partial payment of a subscription
1106|optie op aandelen|option sur actions|share option
1109|afrekening van effecten|décompte de titres|settlement of securities
1111|te betalen coupons|coupons à payer|payable coupons
1113|terugkoop van effecten|rachat de titres|repurchase of securities
1115|tussentijdse rente|intérêts intercalaires|interim interest
1117|beheersloon|droits de garde|management fee
1119|regularisatiekosten|frais de régularisation|regularisation costs
1150|verkoop van effecten|vente de titres|sale of securities
1151|aanbesteding|adjudication|tender
1152|uitbetaling van coupons|paiement de coupons|payment of coupons
1158|terugbetaalbare effecten|titres remboursables|repayable securities
1162|tussentijdse rente op inschrijving|intérêts intercalaires sur souscription|interim interest on subscription
1164|uw uitgifte|votre émission|your issue
1166|retrocessie van uitgiftecommissie|rétrocession de commission d'émission|retrocession of issue commission
1168|vergoeding voor ontbrekende coupon|indemnité pour coupon manquant|compensation for a missing coupon
1170|afrekening van effecten|décompte de titres|settlement of securities
1301|kortlopende lening|prêt à court terme|short-term loan
1302|langlopende lening|prêt à long terme|long-term loan
1305|afrekening van een vast voorschot|décompte d'une avance fixe|settlement of a fixed advance
1307|aflossing op afbetaling|mensualité de prêt à tempérament|instalment
1311|hypothecaire lening|prêt hypothécaire|mortgage loan
1313|afrekening van accepten|décompte d'acceptations|settlement of bank acceptances
1315|huurkoop|location-vente|hire-purchase
1319|documentair krediet|crédit documentaire|documentary credit
1321|andere kredieten|autres crédits|other credits
1350|krediet op afbetaling|crédit à tempérament|instalment credit
1354|vast voorschot|avance fixe|fixed advance
1355|vast voorschot|avance fixe|fixed advance
1356|subsidie|subside|subsidy
1360|hypothecaire lening|prêt hypothécaire|mortgage loan
1362|termijnlening|prêt à terme|term loan
1368|documentair exportkrediet|crédit documentaire export|documentary export credit
1370|afrekening van bankaccepten|décompte d'acceptations bancaires|settlement of bank acceptances
3001|contante aankoop van deviezen|achat au comptant de devises|spot purchase of foreign exchange
3003|termijnaankoop van deviezen|achat à terme de devises|forward purchase of foreign exchange
3005|termijnbelegging|placement à terme|term investment
3033|waardecorrectie|correction de valeur|value correction
3039|niet nader bepaalde verrichting|opération indéterminée|undefined transaction
3050|contante verkoop van deviezen|vente au comptant de devises|spot sale of foreign exchange
3052|termijnverkoop van deviezen|vente à terme de devises|forward sale of foreign exchange
3054|termijnbelegging|placement à terme|term investment
3055|termijnbelegging|placement à terme|term investment
3083|waardecorrectie|correction de valeur|value correction
3089|niet nader bepaalde verrichting|opération indéterminée|undefined transaction
3501|afsluiting|clôture|closing
3550|afsluiting|clôture|closing
4101|internationale overschrijving|virement international|international transfer
4103|doorlopende opdracht|ordre permanent|standing order
4105|betaling van lonen|paiement de salaires|payment of wages
4107|verzamelopdracht|ordre collectif|collective transfer
4113|overschrijving naar eigen rekening|virement vers un compte propre|transfer to an account of your own
4117|centralisatie|centralisation|centralisation
4137|kosten van een uitgaande overschrijving|frais d'un virement sortant|costs of an outgoing transfer
4138|kosten van een inkomende overschrijving|frais d'un virement entrant|costs of an incoming transfer
4150|internationale overschrijving in uw voordeel|virement international en votre faveur|international transfer in your favour
4164|overschrijving van eigen rekening|virement d'un compte propre|transfer from an account of your own
4166|centralisatie|centralisation|centralisation
8002|kosten van elektronische output|frais de sortie électronique|costs of electronic output
8007|verzekeringskosten|frais d'assurance|insurance costs
8009|portkosten|frais de port|postage
8013|huur van een kluis|location d'un coffre|renting of a safe
8015|nachtkluis|coffre de nuit|night safe
8027|abonnementskosten|frais d'abonnement|subscription fee
8033|diverse kosten en commissies|frais et commissions divers|sundry fees and charges
8035|kosten|frais|costs
8037|kosten voor toegang tot gegevens|frais d'accès aux données|data access charges
8045|kosten van documentair krediet|frais de crédit documentaire|documentary credit charges
8047|kosten per verrichting|frais par opération|charge per transaction
8099|annulering of verbetering|annulation ou correction|cancellation or correction
"""
