"""What partners are told: endpoints, signed deliveries of events, replay and events by cursor (contract §7c)."""
