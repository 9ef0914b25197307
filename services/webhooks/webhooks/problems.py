"""Why an endpoint gets nothing any more, in three languages (P6)."""

from koppel_connector.contract import Problem, ProblemCatalogue, ProblemKind

CATALOGUE = ProblemCatalogue(
    (
        ProblemKind(
            "webhook_gone",
            "partner",
            nl="Uw webhookadres antwoordde 410 (verdwenen); er wordt niets meer naartoe gestuurd. Zet het adres recht en schakel"
            " het weer in; vraag daarna de gemiste gebeurtenissen opnieuw aan.",
            fr="Votre adresse de webhook a répondu 410 (disparue) ; plus rien n'y est envoyé. Corrigez l'adresse et réactivez-la"
            " ; redemandez ensuite les événements manqués.",
            en="Your webhook address answered 410 (gone); nothing is sent to it any more. Correct the address and enable it"
            " again; then ask for the events that you missed.",
        ),
        ProblemKind(
            "webhook_failing",
            "partner",
            nl="Uw webhookadres neemt al vijf dagen niets meer aan ({reason}); er wordt niets meer naartoe gestuurd. Herstel het"
            " en schakel het weer in; vraag daarna de gemiste gebeurtenissen opnieuw aan.",
            fr="Votre adresse de webhook n'accepte plus rien depuis cinq jours ({reason}) ; plus rien n'y est envoyé. Réparez-la"
            " et réactivez-la ; redemandez ensuite les événements manqués.",
            en="Your webhook address has taken nothing for five days ({reason}); nothing is sent to it any more. Repair it and"
            " enable it again; then ask for the events that you missed.",
        ),
        ProblemKind(
            "webhook_unverified",
            "partner",
            nl="Uw webhookadres heeft de controlevraag niet beantwoord ({reason}). Laat het met 2xx antwoorden en de waarde uit"
            " `challenge` herhalen, en schakel het in.",
            fr="Votre adresse de webhook n'a pas répondu à la question de contrôle ({reason}). Faites-la répondre 2xx en répétant"
            " la valeur de `challenge`, et activez-la.",
            en="Your webhook address has not answered the challenge ({reason}). Let it answer 2xx and repeat the value of"
            " `challenge`, and enable it.",
        ),
    )
)


def rendered(code: str, reason: str = "") -> str:
    """Return a problem in three languages, as JSON for its column."""
    return CATALOGUE.render(Problem(code, reason=reason)).model_dump_json()
