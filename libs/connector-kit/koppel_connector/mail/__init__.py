"""What connectors that mail share: addresses that a mail may go to, who it is from, how it is written and signed.

``contract.mail`` describes the call and ``calls.smtp`` makes it. A connector whose vendor takes no mail needs none of it.
"""
