"""When a document goes: never, with last month, after ten minutes, on approval, or by hand (R050–R061)."""
