"""The manifests of Kubernetes that follow from the services' own values: ``make manifests`` writes them.

Names, ports, tables, secrets, who calls whom and what is public are read from each ``Service`` and its settings, so that a new
service, or a new setting, edits no YAML. What is an operator's choice stands here by hand, with its reason.
"""
