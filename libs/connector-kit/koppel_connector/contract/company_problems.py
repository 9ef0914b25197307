"""What people read where a connection leads to other books than its dossier's, or may do so."""

from .problems import ProblemCatalogue, ProblemKind

COMPANY_PROBLEMS = ProblemCatalogue(
    (
        ProblemKind(
            "other_company",
            "accountant",
            nl="De koppeling leidt in {vendor} naar {remote} ({remote_number}), niet naar {dossier} ({dossier_number})."
            " Kies het juiste dossier, of bevestig met een reden.",
            fr="La liaison mène dans {vendor} à {remote} ({remote_number}), pas à {dossier} ({dossier_number})."
            " Choisissez le bon dossier, ou confirmez avec un motif.",
            en="The connection leads in {vendor} to {remote} ({remote_number}), not to {dossier} ({dossier_number})."
            " Choose the right company, or confirm it with a reason.",
            blocks=True,
        ),
        ProblemKind(
            "company_not_compared",
            "accountant",
            nl="{vendor} of het dossier geeft geen ondernemingsnummer. Kijk zelf na of de koppeling naar {dossier} leidt.",
            fr="{vendor} ou le dossier n'indique pas de numéro d'entreprise. Vérifiez que la liaison mène bien à {dossier}.",
            en="{vendor} or the dossier tells no enterprise number. Check yourself that the connection leads to {dossier}.",
        ),
        ProblemKind(
            "books_shared",
            "accountant",
            nl="De koppeling van {others} leidt in {vendor} naar dezelfde boekhouding. Kijk na of dat de bedoeling is.",
            fr="La liaison de {others} mène dans {vendor} à la même comptabilité. Vérifiez si c'est voulu.",
            en="The connection of {others} leads to the same books in {vendor}. Check whether that is intended.",
        ),
    )
)
