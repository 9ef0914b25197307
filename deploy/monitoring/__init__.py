"""What Prometheus and Grafana need to watch Koppel, written from what the services declare (``make monitoring``)."""
