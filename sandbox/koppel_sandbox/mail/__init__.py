"""A mail server that stands in for every receiver: it takes mails by SMTP, gives bounces by IMAP, and has bad days on request.

It takes mail for any address and delivers it nowhere else. ``smtp`` takes, ``imap`` gives, ``store`` keeps, ``rules`` says what
goes wrong, ``returned`` writes what comes back, ``app`` shows it all and takes a test's wishes.
"""
